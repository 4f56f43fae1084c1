"""Texts: one long one, sentences with a class each, pairs of sentences, and questions of words.

text_file.py         one text, in characters or words
sentences.py         what all readers of sentences share, to the data set that they end in
sentence_table.py    a table with a column of texts, and one of their class
sentence_lines.py    a line a sentence, in the forms of fastText, TREC and IMDb
sentence_folders.py  a sub-folder or a file a class;  trec_folder.py  TREC's files
pairs.py             pairs of sentences, such as translations
word_questions.py    analogies and scored pairs, which judge word vectors
"""
