"""Probability basics: Bayes' rule, classifiers, regression with bands, latent variables.

Lecture 5, K4 20-118, and lecture 4, U3 40-229: what both lectures build generative networks on.

    file                    what                                                     lecture
    ----------------------- -------------------------------------------------------- -----------
    bayes.py                Bayes' rule on four points, coins, an illness, a cat      K4 20-76
    bayes_page.py           the same as a page to play with                           U3 40-56
    naive_bayes.py          generative: p(x|y) p(y), of bits or of numbers            K4 78-90
    logistic_regression.py  discriminative: p(y|x)                                    U3 62-68
    linear_svm.py           discriminative: a border with a margin, no probabilities  U3 62-68
    regression.py           P_θ(X|Z): a mean, a spread, bands                         U3 76-100
    latent_classes.py       z ∈ {0, ..., 9} decides which digit, then its pixels      U3 109-125
    latent_curve.py         z ∈ R, x ∈ R²: a curve with a spread                      U3 286-292
    ring.py                 g(z) = z/10 + z/‖z‖ makes a ring of normal numbers        U3 221-229
    prior_sampling.py       p(x) = E p(x|z) by draws of the prior, and why it fails   U3 187-214

Shared, without a recipe: classifier.py and linear.py (scores, figures, λ/2‖W‖²), and the files of
pictures.

Generative or discriminative? The test figures of the shipped settings, log loss in nats ::

                           digits              votes of 1984
                           accuracy  log loss  accuracy  log loss
    naive-bayes            0.907     0.421     0.897     0.643
    naive-bayes-gaussian   0.913     0.317     0.954     0.631
    logistic-regression    0.977     0.082     0.966     0.067
    linear-svm             0.957     -         0.977     -

The discriminative ones are better, as the lecture says; the generative ones can draw an x.

    glassgrad train naive-bayes --data house_votes_84
    glassgrad train regression --data my.csv --label price
    glassgrad train latent-classes
    python -m glassgrad.models.probability.bayes_page bayes.html

What else the lectures show, and where it is:

    U3 33       a plane of codes to walk on: `glassgrad demo`, the chapter of the VAE
    U3 115      discrete z: latent_classes.py
    U3 147-164  the cat and Bayes' rule with the prior 1/3: bayes.py and the page
    U3 189      p(x) = E p(x|z) by sampling the prior: prior_sampling.py, with the figures
                `prior_sampling` of latent-classes and `ess_prior` of both latent recipes
    U3 288      one number z makes a point x of the plane: latent_curve.py
    K4 39-66    coins and an illness: bayes.py and the page
    K4 159      the balance of generator and discriminator: models/adversarial, its setting
                `steps` and its picture `balance`
    D1 162      topics of documents as lists of words: replicated_softmax.py and words.py of
                models/energy

Left out: the Reuters corpus of D1 162 (licensed; 20 newsgroups take its place) and the pictures of
the lecture's own cats (U3 136-145), which are photographs of others.
"""
