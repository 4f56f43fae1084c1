"""The faster versions of attention, a file each; the ladder is on the family's page."""
