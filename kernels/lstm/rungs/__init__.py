"""The faster versions of the LSTM, a file each; the ladder is on the page of the family."""
