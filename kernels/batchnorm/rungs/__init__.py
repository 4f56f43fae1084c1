"""The faster versions of batch normalisation, a file each; the ladder is on the family's page."""
