"""Competitive learning: centres compete for samples, and the samples pull them.

Lecture 1, V0 27-187. Every system here has M centres w_1 .. w_M in the space of the data. A sample
x has a winner, the centre nearest to it. The criterion is the mean squared distance to the
winner ::

    a(x) = argmin_y ‖x - w_y‖              Q(w) = mean_i ‖x_i - w_a(x_i)‖²

There is no gradient and no optimiser. A step is a single rule, and the systems differ in K, which
says how strongly a sample pulls each of the centres ::

    online   one sample after another:   w_y += η K_y(x) (x - w_y)
    batch    all samples at once:        w_y  = Σ_n K_y(x_n) x_n / Σ_n K_y(x_n)

    file        form    K                                                       lecture
    ----------- ------- ------------------------------------------------------- -----------------
    wta.py      online  1 for the winner, 0 for all others                      V0 27
    wtm.py      online  falls with the distance of the centre from x            V0 85
    k_means.py  batch   1 for the winner, 0 for all others                      D1 18
    som.py      either  falls with the distance of the centre from the winner,  V0 105, D1 209
                        on a grid

Winner takes all is the simplest rule. Its weakness is that a centre far from all samples never wins
and never moves. Winner takes most lets every sample pull every centre: as the lecture writes it,
the centres move to where samples are dense, and with `measure=rank` none of them is left out.
k-means is winner takes all with all samples in one step; it needs no rate, and Q never rises. A map
gives each centre a place on a grid, and the neighbours of the winner follow it: centres that are
close on the grid become close in the data, so that the grid is a picture of the data.

Read wta.py first, then k_means.py, its reference, then wtm.py; som.py last. The step itself is a
kernel family: kernels/som.

Files without a system of their own:

    centres.py                 the base class and its settings, initial centres, the kernels K,
                               the decay of η and σ, the batch step, the metrics
    grid.py                    rectangular and hexagonal grids, with and without a border
    competitive_pictures.py    centres as images, and the plane of the data with its centres
    som_pictures.py            maps: density, U-matrix, component planes, classes
    som_subjective.py          the lecture's warnings: other draws, another map; what is torn apart
    distortion.py              which neighbours are lost, and which strangers gained, on a map

What the metrics mean: `q` is the criterion, `qe` the mean distance itself, `dead` the number of
centres that win no sample, `purity` the share of samples whose class is the most frequent one at
their winner, `te` the share whose two nearest centres are not neighbours on the grid.

    glassgrad train wta          the plane of the digits, with the centres of k-means for comparison
    glassgrad train wta --set init=lecture     the same from weights near 0: `dead` is large
    glassgrad train som --data iris            a map of 150 flowers
"""
