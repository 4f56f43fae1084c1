"""Images: folders of pictures, MNIST's files, and .npz files that say their split.

image_folder.py  a folder of pictures, a sub-folder a class
mnist_folder.py  the four files of MNIST
image_npz.py     pictures in parts, by drawer, or in the order of a film
"""
