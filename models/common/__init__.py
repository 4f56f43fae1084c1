"""What systems of several families share; no file here has a recipe.

rows.py                 samples as rows, for dense layers; tables standardised
binary.py               images as 0 and 1, and the distribution of binary rows
labels.py               the number of classes, which few examples keep theirs, their minibatches
validation.py           a validation split, where there is none
lengths.py              minibatches of examples of similar lengths
lines.py                the lines of a text as words
encoder_decoder.py      the system behind every autoencoder, with its settings
convolutional_sides.py  the same with convolutions on both sides
convolutional_encoder.py  an encoder of convolutions for classes and vectors, without the other side
critic.py               a critic of samples, and the two objectives of its game
mmd.py                  maximum mean discrepancy: as an objective, and as an exact test
running_mean.py         a net with the mean of the weights of one that is trained
parzen.py               the Parzen-window estimate of a likelihood
free_energy.py          of a restricted Boltzmann machine
principal.py            principal components, the reference for autoencoders
images.py               rows and weights as images
row_pictures.py         the same for data that are no images: matrices, errors by column
code_pictures.py        what codes are like: planes, activations, reconstructions
feature_maps.py         the maps of a convolutional net
shifts.py               images moved by a few pixels
stages.py               learning rate and minibatches of a training in stages
confusion.py            which classes a classifier confuses
"""
