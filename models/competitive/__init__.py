"""Competitive learning: centres compete for samples, and the samples pull them.

Lecture 1, V0 27-187. Every system here has M centres w_1 .. w_M in the space of the data. A sample
x has a winner, the centre nearest to it, and a system is judged by the mean squared distance to the
winner ::

    a(x) = argmin_y ‖x - w_y‖              Q(w) = mean_i ‖x_i - w_a(x_i)‖²

No gradient and no optimiser take part. A step is one rule, and the systems differ in K, which says
how strongly a sample pulls each of the centres ::

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
the centres climb to where samples are dense, and with `measure=rank` none of them is left out.
k-means is winner takes all with all samples in one step; it needs no rate, and Q never rises. A map
gives each centre a place on a grid, and the neighbours of the winner follow it: centres that are
close on the grid become close in the data, so that the grid is a picture of the data.

Read wta.py first, then k_means.py, which is its yardstick, then wtm.py; som.py last. The step
itself is a kernel family of its own, with its CUDA: kernels/som.

Without a system of their own:

    centres.py                 the base class and its settings, where centres start, the kernels K,
                               how η and σ fall, the batch step, the figures of merit
    grid.py                    rectangular and hexagonal grids, with and without a border
    competitive_pictures.py    centres as images, and the plane of the data with its centres
    som_pictures.py            maps: density, U-matrix, component planes, classes

What the figures mean: `q` is the criterion, `qe` the mean distance itself, `dead` the number of
centres that win no sample, `purity` the part of the samples whose class is the commonest one at
their winner, `te` the part whose two nearest centres are not neighbours on the grid.

    glassgrad train wta          the plane of the digits, with the centres of k-means for comparison
    glassgrad train wta --set init=lecture     the same from weights near 0: `dead` is large
    glassgrad train som --data iris            a map of 150 flowers
"""
