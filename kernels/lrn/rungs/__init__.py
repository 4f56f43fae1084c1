"""The faster versions of local response normalisation, a file each; the ladder is on the family's
page.
"""
