"""The faster versions of the cross-entropy, a file each; the ladder is on the family's page."""
