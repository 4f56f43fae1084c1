"""Networks on graphs: convolutions and pooling over neighbourhoods.

Lecture 3, V2 151-159, takes the convolutional net from images to "any structured data": an object
is given by a graph, a convolution is determined by the local neighbourhood of a vertex, pooling
aggregates the vectors of its vertices, and such a net learns to find and to classify subgraphs. On
the grid of pixels a neighbourhood is a window, its places are numbered, and each has a weight of
its own. In a graph neighbours have neither number nor order, so what is made of them must not
depend on an order: a sum, a mean, the largest, or a mean whose weights are computed ::

    h'_i = σ( f(h_i, {h_j : j next to i}) )           the same f at every vertex

L such layers see all that is L edges away. A graph is a sparse matrix A, the sum over neighbours a
product A H with it (kernels/spmm), and several graphs are one, with blocks along the diagonal.

    file                idea                                                       lecture
    gcn.py              classes of the nodes of one graph, of which few are known  V2 151-158
    dgcnn.py            classes of whole graphs: all nodes are pooled              V2 151-159
      dgcnn             the nodes sorted by their last number, then a sequence
      gnn               sums over neighbours, sum over all nodes (readout): the    V2 590-592
                        common scheme of the survey by Wu et al. 2019
    layers.py           four functions f: gcn, sage, gin, gat
    neighbourhoods.py   one graph as a sparse matrix, and its features
    graph_batches.py    what nodes know, and many graphs as one

One graph, or many, of one's own (an edge list with a file of labels, Planetoid's .npz, GML; a
folder of the TU collection) ::

    glassgrad train gcn --data my.edges
    glassgrad train gnn --data MY_FOLDER

Two things to see. `glassgrad train gcn` names the sides of the karate club's 34 members from the
labels of two. `glassgrad train gnn` has nothing but the edges of 600 graphs and whether each has a
ring, and finds out what a ring is: without any one of its nodes the answer changes, without another
node hardly ever (picture `reasons`).
"""
