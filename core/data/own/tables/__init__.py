"""Tables: rows of cells become rows of numbers, one label a row.

spelling.py   how numbers are written, and what stands where there is none
csv_rows.py   a CSV or TSV file as rows of text, with the line of each
columns.py    columns of text as columns of numbers
labels.py     which column is the label, and what kind of label it is
csv_table.py  the table of a CSV file; `table_set` for other files of rows
number_text.py  which .txt files are tables of numbers
uci.py        .data files of the UCI repository
counts.py     counts of words in an .npz file
"""
