"""Convolutional networks: small windows that slide over an image.

A fully connected layer has a weight for each pixel and each unit, and what it learns about one
corner of the image is of no use in another. A convolutional neuron looks through a window of k x k
pixels, has k² weights for each map of the layer below, and gives a map of answers, one for each
place ::

    y[i, j] = Σ_ab w_ab x[i + a, j + b]        the same w at every place

A pooling neuron then keeps the largest (or the mean) of each window of h by h answers, so that the
maps shrink and a shift of the image by a pixel changes little. After a few such levels the maps are
small, and fully connected layers turn them into logits, one for each class. The kernels of both
kinds of layer, with their gradients, are kernels/conv2d and kernels/pool2d.

    file        idea                                                          lecture
    lenet.py    the standard scheme, convolution - σ - pooling, and the       lecture 3
                tricks of the lecture: dropout, batch normalisation, shifts   (V2 25-112)

lenet.py is the one system of this family so far, so read it first. Convolutions serve elsewhere
too: models/autoencoders/convolutional.py and `aae-convolutional` have them on both sides, with
ways back up, and models/autoregressive/pixel_rnn.py masks them.

What belongs to it:

    lenet_pictures.py                kernels, what a decision rests on (gradients, covered windows)
    models/common/feature_maps.py    one image and its maps after each activation
    models/common/confusion.py       which class is taken for which, and the images

Its number is the share of right answers: LeNet-5 has 99.05 % on MNIST without distortions. On the
digits of 8x8 the default trains in seconds.
"""
