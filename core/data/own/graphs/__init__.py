"""Graphs: one with labelled nodes, or many with a class each.

edge_list.py    an edge a line;  gml_file.py  GML
planetoid.py    sparse matrices in an .npz file: features and classes, or groups
node_labels.py  the labels of nodes, from a file next to the graph
node_parts.py   edges made simple, nodes split, and both in words
tu_folder.py    many graphs: a folder of the TU collection
"""
