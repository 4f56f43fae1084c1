"""Autoencoders: an encoder z = f(x) and a decoder x̂ = g(z), trained so that x̂ is x again.

    L_AE(α, β) = Σ_i L(g(f(x_i, α), β), x_i)  →  min        (lecture 1, V0 188; lecture 2, D1 22)

The goal is not x̂ but the codes z. With fewer codes than inputs, only what the data have in common
gets through. With more, the network could copy its input, so something has to prevent that: noise,
or a penalty with weight λ.

What codes are for (V0 211-219): features for other models (`codes` says how many classes a linear
map finds in them), fewer dimensions, layers to start from (stacked.py, pretraining.py), vectors of
objects (regimes/vectoriser.py), similar and new objects (variational/). Compression is left out:
the codes are K numbers for D at the squared error reported, not a shorter file.

    file                what is new                                              lecture
    ------------------- -------------------------------------------------------- --------------
    two_layers.py       σ_f and σ_g, few codes or many                           V0 188, D1 22
    linear.py           no σ: gradients find the subspace of PCA                 V0 202, 252
    deep.py             several layers on each side, with balanced weights       V0 240, D1 22
    convolutional.py    convolutions and pooling instead of matrices             D1 22
    sparse.py           a penalty on the weights, the codes or the mean codes    V0 270, D1 244
    denoising.py        noise on the way in, the clean image as the target       V0 295, D1 43
    contractive.py      a penalty on the Jacobian ∂f/∂x                          V0 309, D1 248
    relational.py       reconstructs scalar products of pairs of images, too     V0 327
    stacked.py          one layer after the other, then fine-tuning              V0 349, D1 54
    semi_supervised.py  a predictor on the codes, for a few images with labels   V0 398, U3 236
    pretraining.py      kinds of codes compared as initial weights               V0 422, D1 54

Read two_layers.py first: it has the equations, the unit of every figure (squared error per image)
and the pictures that all share. Then linear.py, which shows what is possible without σ, and
denoising.py or sparse.py. stacked.py and pretraining.py come last: they combine layers.

All take the mean over a minibatch where the lecture has a sum over the sample, so that a learning
rate suits any batch size. All but pretraining.py report the squared error per image, whatever their
loss is. Those with a penalty or noise also report how many codes are active and saturated; their
picture `beside` shows what the same network does without the penalty.

Files without a system of their own:

    regularised.py      L_AE + λ · penalty, tied weights, metrics of the codes, `check` of a recipe
    one_layer.py        a single layer of codes and the six ways to learn it, including the RBM
    jacobians.py        ‖∂f/∂x‖² in closed form, exactly, or estimated
    twins.py            the same network trained without the penalty, and both in one picture
    copying.py          what a network does with images made of unrelated pixels

The base class `Autoencoder` and its settings are in models/common/encoder_decoder.py; autoencoders
whose codes follow a given distribution (VAE, AAE, WAE) are the family models/variational/.
"""
