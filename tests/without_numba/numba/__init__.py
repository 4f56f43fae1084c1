"""Stands in for a machine without Numba: a folder to put in front of the path."""

raise ModuleNotFoundError("No module named 'numba'", name="numba")
