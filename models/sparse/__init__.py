"""Sparse codes: each sample as a sum of few of many basis vectors.

Lecture 2, D1 67-139. Every system here looks for a basis of K vectors ("atoms", the rows of D) and
for codes z, most of them 0 or small, such that ::

    x ≈ z D = Σ_j z_j d_j            ‖x - z D‖² + λ ‖z‖₁  →  min,       ‖d_j‖ = 1

λ says how much a code costs. The norm of the atoms is fixed, which the lecture leaves out: without
it, half the codes and twice the atoms give the same sum at half the cost. On patches of photographs
the atoms become edges, each at a place and in a direction, which is what cells of the visual cortex
respond to (Olshausen & Field 1996).

The systems differ in where the codes of a sample come from ::

    recipe                     file              codes z                              lecture
    -------------------------- ----------------- ------------------------------------ ---------
    sparse-coding              sparse_coding.py  the minimum, by many steps of FISTA  D1 67
    sparse-coding-autoencoder  psd.py            z = f(x), one layer of a network     D1 113
    psd                        psd.py            both: f learns to guess the minimum  D1 128

sparse_coding.py has no gradient and no optimiser: codes with the atoms fixed, then atoms with the
codes fixed, and neither step raises the objective. psd.py is trained by minibatches as any network
is; codes of new samples then cost one layer instead of a hundred steps, and `excess` says how much
worse such codes are. Its default encoder is the lecture's, σ(W x), which cannot be good at it; its
page says why, and `encoder=shrink` mends it.

Read sparse_coding.py first, with codes.py next to it, then psd.py.

Without a system of their own:

    codes.py                    the objective, FISTA, the first atoms; the settings of all three
    patches.py                  patches of photographs: mean, contrast, whitening
    sparse_coding_pictures.py   the atoms, and samples as sums of a few of them

    glassgrad train sparse-coding              edges out of patches of a photograph
    glassgrad train psd --set encoder=shrink   codes in one shot
"""
