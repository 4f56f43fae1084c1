"""Fully observed models: an exact likelihood, pixel after pixel.

Every distribution of D binary numbers is a product ::

    p(x) = Π_i p(x_i | x_1 .. x_{i-1}),        p(x_i = 1 | x_<i) = σ(y_i)

and a system defines how y_i depends on the numbers before it. There are no latent variables and no
bound: -ln p(x) is exactly a sum of cross-entropies, and the metric `nll` is in nats per image. The
price is slow sampling: one number at a time, each with a pass of the network.

    file            y_i is                                              lecture
    fvsbn.py        a logistic regression on x_<i                       D1 20
    nade.py         a network of one hidden layer, W shared by all i    D1 20
    made.py         an output of an autoencoder with masked weights     next to D1 20
    pixel_rnn.py    an output of an LSTM that runs down the rows        D1 20

They go from simple to deep. FVSBN is convex, so its result is the reference for the others. NADE
adds hidden units and needs a loop over i (its own kernel, kernels/nade). MADE replaces the loop by
masks, at some cost in nats. PixelRNN uses the plane of the image: it knows which pixel is above
which, while the others see a row of D numbers.

    MNIST, nats, published     FVSBN 97.45   MADE 94.5   NADE 88.33   PixelRNN 79.20 (with a
                               diagonal LSTM of seven layers; ours has rows)

Read conditionals.py first: it has the chain rule, the likelihood, the sampling and the pictures,
and each system adds its parameters and `logits`. Then fvsbn.py, where those take ten lines.

What they share:

    conditionals.py         `Conditionals`, the system that the four extend; its settings (how grey
                            levels become 0 and 1, in which order the numbers come), samples,
                            continuations of half an image, what the model expects of each pixel
    models/common/binary.py the distribution of a binary number, and the binarisation of data

Grey images have to become 0 and 1 first: `binarise="sampled"` draws the training set again in each
epoch, `"fixed"` once. Only results of the same choice can be compared.
"""
