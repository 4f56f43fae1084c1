"""Convolutional networks: small windows that slide over an image.

A fully connected layer has a weight for each pixel and each unit, and what it learns about one
corner of the image does not help in another. A convolutional neuron looks through a window of k x k
pixels, has k² weights for each map of the layer below, and outputs a map, one value per position ::

    y[i, j] = Σ_ab w_ab x[i + a, j + b]        the same w at every position

A pooling neuron then keeps the largest (or the mean) of each window of h by h values, so that the
maps shrink and a shift of the image by a pixel changes little. After a few such levels the maps are
small, and fully connected layers turn them into logits, one for each class. The kernels of both
kinds of layer, with their gradients, are kernels/conv2d and kernels/pool2d.

    file        idea                                                          lecture
    lenet.py    the standard scheme, convolution - σ - pooling, and the       lecture 3
                tricks of the lecture: dropout, batch normalisation, shifts   (V2 25-112)
    speech.py   spoken words as spectrograms, of any length                   V2 113-121

Other families use convolutions too:
models/autoencoders/convolutional.py and `aae-convolutional` have them on both sides, transposed
ones in the decoder; models/autoregressive/pixel_rnn.py masks them.

The pictures:

    lenet_pictures.py                kernels, reasons for a decision (gradients, covered windows)
    speech_pictures.py               spectrograms with the answers and with what decides
    models/common/feature_maps.py    one image and its maps after each activation
    models/common/confusion.py       which classes are confused, and the images

The number is the share of correct answers: LeNet-5 has 99.05 % on MNIST without distortions. On the
digits of 8x8 the default trains in seconds. On spoken digits a support vector machine has 98.3 %,
and 74.8 % where the speaker is new.
"""
