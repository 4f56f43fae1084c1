"""Recordings: a folder of .wav files, or an .npz file of spoken digits.

audio_folder.py  .wav files, a sub-folder a class
audio_npz.py     the format of `fsdd`: differences of samples, with speakers and takes
"""
