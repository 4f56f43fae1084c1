"""Embeddings: vectors of words, texts and other things from the company that they keep.

Lecture 3, V2 496-588. A word has no meaning for a network, it is a number in a list. An embedding
gives each a vector, learnt from nothing but text, so that words of like meaning have like vectors:
what is learnt about one then holds for the others.

    recipe              file          what                                              lecture
    ------------------- ------------- ------------------------------------------------- ----------
    word2vec            word2vec.py   p(w|u) by softmax over all words, one table       V2 511-545
    word2vec-negative   word2vec.py   k random words in the place of all, one table     V2 545-560
    word2vec-library    word2vec.py   the same as Mikolov's program has it, two tables  V2 545-560
    paragraph2vec       paragraph2vec.py  a document predicts its words                 V2 567-572
    paragraph2vec-      paragraph2vec.py  the same, the words around help               V2 567-572
      memory
    sent2vec            sent2vec.py   means of words and pairs predict a missing word   V2 573-575
    starspace           starspace.py  bags of features by what they go with             V2 586-588

The first is exact and looks at every word in every step. The second looks at k + 1: a step is a
loop over pairs of words, whose gradient is written out (kernels/skip_gram). The third is what is
meant by "word2vec" elsewhere.

Files without a system of their own:

    word_settings.py        the settings of the first three
    paragraph_settings.py   those of the next two
    texts.py                a text as numbers, the pairs of its windows, how often they occur
    documents.py            texts as documents, with classes where there are any; halves
    objects.py              pairs of bags of features, of three kinds of data, for StarSpace
    judging.py              similarity and analogies, against what people say; a linear judge
    vector_files.py         word2vec's text and binary files, to and from other programs
    word_pictures.py        neighbours, analogies, a map of words
    document_pictures.py    the same of documents and of pairs of words
    starspace_pictures.py   what is found for what, a map of both sides of pairs

    glassgrad train word2vec-library                     a text of countries that ships
    glassgrad train word2vec-library --data text.txt     a text of one's own
    glassgrad train word2vec --set tables=two            softmax that learns how common words are
    glassgrad train paragraph2vec --data texts.csv       texts of one's own, with their class
    glassgrad train starspace --data pairs.tsv           pairs of texts of one's own

Vectors go to other programs and come from them, to be judged in the same way:

>>> import tempfile
>>> from pathlib import Path
>>> from glassgrad.core.data import Vocabulary
>>> from glassgrad.models.embeddings import judging, vector_files
>>> with tempfile.TemporaryDirectory() as folder:
...     path = Path(folder, "words.bin")
...     vector_files.save(path, Vocabulary(("king", "queen")), [[1.0, 0.0], [0.5, 1.0]], True)
...     words, vectors = vector_files.load(path)
>>> judging.judge(vectors, words).pairs
1
"""
