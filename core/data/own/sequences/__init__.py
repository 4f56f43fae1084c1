"""Sequences of numbers: many of different lengths, or one series over time; and games.

sequence_npz.py    arrays end to end, or one each, in an .npz file
sequence_table.py  a table with a column that says which sequence a row is of
piano_rolls.py     the notes of pieces in JSON
series.py          quantities over time, cut in the order of time
times.py           columns that say when
games.py           moves of games
"""
