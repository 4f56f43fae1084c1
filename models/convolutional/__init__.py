"""Convolutional networks: small windows that slide over an image, or over a text.

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
    alexnet.py  the net of 2012 for small images: ReLU, response              lecture 3
                normalisation, overlapping pooling, dropout, augmentation     (V2 76-112)
    hog.py      features made by hand, and a linear classifier: what          lecture 3
                nets that learn their features are compared with              (V2 20-25)
    speech.py   spoken words as spectrograms, of any length                   V2 113-121
    text_cnn.py words as vectors, one layer of windows of 3 to 5 words, the   lecture 3
                largest answer of each filter (text_vectors.py: its words)    (V2 122-126)
    go.py       which move comes next in a game of Go: a probability for      lecture 3
                each point of the board                                       (V2 127-131)
      go_planes.py      what the net sees of a position
      go_positions.py   the positions of recorded games, turned in eight directions
      go_board.py       the rules, as they read; go_compiled.py: the same, fast
      go_play.py        games of the net against itself and against chance

Other families use convolutions too: models/autoencoders/convolutional.py and `aae-convolutional`
have them on both sides, transposed ones in the decoder; models/autoregressive/pixel_rnn.py masks
them. bench/tricks.py takes the tricks of alexnet.py away one by one.

What they share, and their pictures:

    receptive.py                     what a unit sees of an image, and the patches that excite it
    models/common/feature_maps.py    one image and its maps after each activation
    models/common/confusion.py       which classes are confused, and the images
    models/common/augmentation.py    images cropped and mirrored at random
    gradient_histograms.py           the features of hog.py
    lenet_pictures.py                kernels, reasons for a decision (gradients, covered windows)
    alexnet_pictures.py              patches, and what pooling does if an image moves
    hog_pictures.py                  edges in cells
    speech_pictures.py               spectrograms with the answers and with what decides
    text_cnn_pictures.py             phrases that fire the filters, words that decide
    go_pictures.py                   boards with probabilities, games, accuracy by move

Their number is the share of correct answers. LeNet-5 has 99.05 % on MNIST without distortions,
Kim's text CNN 76.1 % on sentences of film reviews with random vectors (81.0 % with those of
word2vec), AlphaGo's first net 57.0 % of the moves of strong players. On spoken digits a support
vector machine has 98.3 %, and 74.8 % where the speaker is new.
"""
