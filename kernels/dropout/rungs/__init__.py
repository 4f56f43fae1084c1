"""The faster versions of dropout, a file each; the ladder is on the page of the family."""
