"""The faster versions of the reparameterised sample, a file each; the ladder is on its page."""
