"""Generators without a density, trained against a critic: adversarial nets.

An explicit model writes p(x) down. The systems here only draw from it: a generator turns noise into
samples, and what is missing, a measure of how far samples are from data, is a second network that
is trained at the same time ::

    z ~ p(z)  →  generator G  →  G(z)  ┐
                                       ├→  discriminator D, or critic f  →  one number
                                 x     ┘
    D is trained to tell x from G(z), G is trained to make D wrong

They share the game (game.py) and differ in what the number means, and so in what G minimises:

    file          recipes              the number                     G minimises       lecture
    gan.py        gan                  P(x is real), in logarithms    Jensen-Shannon    V0 554-591
                  gan-product          P(x is real), as a product                       U3 463-525
                  gan-ring             as gan, and how it fails                         K4 150-160
    jang_gan.py   gan-line             P(x is real), on the line                        U3 526-547
    wgan.py       wgan                 a height of bounded slope      Wasserstein-1     D1 300-314
    gmmn.py       gmmn                 none: a formula of samples     MMD               D1 19
    dcgan.py      dcgan                as gan, by convolutions                          K4 170-207
    feature_matching.py
                  feature-matching     P(x is real), from K classes   means of features K4 161

Read jang_gan.py first: everything in it can be drawn. Then gan.py, whose page has the three pairs
of objectives, the ways in which a game fails (`gan-ring` shows them) and what stabilises it; then
wgan.py with distances.py and dual.py, which have the same distance in two forms. gmmn.py has no
opponent at all: its distance between samples is a closed formula (common/mmd.py). dcgan.py plays
the game of gan.py with images as images; in feature_matching.py the discriminator is a classifier,
and what it learns from samples serves the classes.

There is no likelihood, so samples have to be judged (judging.py): by a nearest neighbour, by the
classes that a classifier sees, by the modes that they reach. common/parzen.py has the estimate
that the first papers report. No epoch of a game is selected by the nearest neighbour: its ideal is
½, but copies of the data lower it and missing modes raise it, so that a generator with both faults
can have ½ as well. On labelled images `select=+entropy` would take diversity alone. So
the last epoch counts, or one that a distance of distributions selects on validation data
(`select=sliced_w1`; the line's is `select=histogram_distance`).

Files without a recipe:

    game.py            two perceptrons, their phases, the settings and figures of all games
    judging.py         nearest neighbours, a classifier's entropy and confidence, modes
    distances.py       Wasserstein-1 of two samples, exactly
    dual.py            the same by a critic, between two fixed samples
    jang_histogram.py  distance of histograms on the line
    jang_pictures.py   densities on the line, the generator as a map
    gmmn_settings.py   settings of the moment matching net
    gmmn_pictures.py   nearest training images, what each kernel sees
    dcgan_judging.py   distance of images scale by scale, for patches without classes
    dcgan_latent.py    walks and arithmetic in the latent space
    game_pictures.py   samples, slopes of the objectives, vanishing gradients, balance
    wgan_pictures.py   primal and dual, the critic, its weights
    dcgan_pictures.py  samples in colour, walks, arithmetic, distances by scale
    feature_matching_pictures.py
                       means of features, errors by class

The same game is played for codes instead of images in variational/aae.py and wae.py.

What the lectures only show (V0 592-613, V2 810-832): textures by Markovian nets (Li & Wand 2016),
whose critic sees patches of the activations of a VGG network trained on ImageNet; DF2Net (Zeng et
al. 2019), which turns a photograph into a 3-D face and is trained on scanned faces; and "Everybody
dance now" (Chan et al. 2019), which renders one person with the movements of another, from hours
of video and a trained pose detector. Each needs a large trained network and data that cannot be
redistributed, so none is here. The idea is the one of this folder each time: a critic in place of
a loss that nobody can write down, and a generator whose input is an image and not noise.
"""
