"""The faster versions of the random stream, a file each; the ladder is on the family's page."""
