"""The faster versions of the GRU, a file each; the ladder is on the page of the family."""
