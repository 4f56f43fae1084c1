"""The faster versions of reading and adding up rows, a file each."""
