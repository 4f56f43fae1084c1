"""The faster versions of NADE; the ladder is on the page of the family."""
