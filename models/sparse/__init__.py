"""Sparse codes: each sample as a sum of a few of many basis vectors.

Lecture 2, D1 67-139. Every system here looks for a basis of K vectors ("atoms", the rows of D) and
for codes z, most of them 0 or small, such that ::

    x ≈ z D = Σ_j z_j d_j            ‖x - z D‖² + λ ‖z‖₁  →  min,       ‖d_j‖ = 1

λ is the price of a code. The norm of the atoms is fixed, which the lecture omits: otherwise half
the codes and twice the atoms give the same sum at half the cost. On patches of photographs the
atoms become edges, each with a position and a direction, like those that cells of the visual cortex
respond to (Olshausen & Field 1996).

The systems differ in how they compute the codes of a sample ::

    recipe                     file              codes z                              lecture
    -------------------------- ----------------- ------------------------------------ ---------
    sparse-coding              sparse_coding.py  the minimum, by many steps of FISTA  D1 67
    sparse-coding-autoencoder  psd.py            z = f(x), one layer of a network     D1 113
    psd                        psd.py            both: f learns to guess the minimum  D1 128

sparse_coding.py has no gradient and no optimiser: it solves for the codes with the atoms fixed,
then for the atoms with the codes fixed, and neither step raises the objective. psd.py is trained by
minibatches like any network; codes of new samples then need one layer instead of a hundred steps,
and `excess` says how much worse these codes are. Its default encoder is the lecture's, σ(W x),
which works on digits but not on centred patches; its page says why, and `encoder=shrink` fixes it.

Read sparse_coding.py first, with codes.py next to it, then psd.py.

Files without a system of their own:

    codes.py                    the objective, FISTA, the first atoms; the settings of all three
    patches.py                  patches of photographs: mean, contrast, whitening
    sparse_coding_pictures.py   the atoms, and samples as sums of a few of them

    glassgrad train sparse-coding              edges out of patches of a photograph
    glassgrad train psd                        codes in one shot
    glassgrad train psd --data china --set encoder=shrink   the same for patches of a photograph
"""
