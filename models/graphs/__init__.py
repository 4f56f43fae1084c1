"""Networks on graphs: convolutions and pooling over neighbourhoods.

Lecture 3, V2 151-159, generalises convolutional nets to "any structured data": an object is given
by a graph, a convolution is determined by the local neighbourhood of a vertex, pooling aggregates
the vectors of its vertices, and such a net learns to find and to classify subgraphs.

    file                idea
    gcn.py              classes of nodes: each layer sums over neighbours
    neighbourhoods.py   a graph as a sparse matrix, and several graphs as one, in blocks
    layers.py           four functions of a neighbourhood: gcn, sage, gin, gat
"""
