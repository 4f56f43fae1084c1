"""Autoencoders whose codes follow a prior: a decoded draw is a new image.

An autoencoder copies. If its codes also have a known distribution p(z), a draw z ~ p(z) is where
the decoder has been trained, and the autoencoder becomes a generator ::

    x  →  encoder q(z|x)  →  z  →  decoder p(x|z)  →  x̂          trained on data
                             z ~ p(z)  →  decoder  →  new x      used without any

The systems differ in what they require of the codes, and in how they measure it:

    file     recipes                     requires                  measured by         lecture
    vae.py   vae                         q(z|x) ≈ p(z), every x    KL, closed form     U3 240-447,
             vae-gaussian                                                              V0 363-396
             vae-diagonal
    vae_prior.py   vae-plane             the same, for the two     KL, by a draw       D1 258-285
                   vae-mixture           priors of aae.py
    aae.py   aae, aae-mixture            E_x q(z|x) = p(z)         a critic, in a      D1 250-283,
             aae-labels                                            game of 3 phases    U3 555-596
             aae-convolutional
    wae.py   wae-mmd                     E_x q(z|x) = p(z)         MMD², a penalty     D1 286-297
             wae-gan                                               a critic, 2 phases

A VAE has a likelihood: its objective is a bound on ln p(x), and `importance` tightens it. It needs
the formula of p(z). The other two only draw from p(z), so that it may have any shape (the petals of
`aae-mixture`), but they have no likelihood; their number is the distance of a two-sample test
between codes of held-out images and the prior. vae_prior.py measures VAEs by the same test.

Read vae.py first, with importance.py for its number. Then aae.py together with
prior_autoencoder.py, vae_prior.py for what the lecture compares, and last wae.py, which replaces
the game by one penalty.

Shared files without a recipe:

    prior_autoencoder.py    networks, codes, settings and the two-sample test of all but vae.py
    priors.py               the distributions p(z): draws, density, a walk through it
    importance.py           the importance-sampled bound on ln p(x)
    vae_pictures.py         samples, reconstructions, the plane of two codes
    prior_pictures.py       codes over the prior, the test, a walk through the prior

From models/common/: critic.py (the game of AAE and WAE), mmd.py (the penalty of WAE, and the exact
test), convolutional_sides.py and encoder_decoder.py (both sides), binary.py (grey levels as 0 and
1, the Bernoulli distribution).
"""
