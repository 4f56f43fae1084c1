"""The faster versions of the steps, a file each; the ladder is on the page of the family."""
