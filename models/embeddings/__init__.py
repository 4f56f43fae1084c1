"""Embeddings: vectors of words, texts, nodes and graphs from the company that they keep.

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
    fasttext            fasttext.py   a word is the mean of its character n-grams       V2 576-577
    fasttext-classifier (below)       a text is the mean of its words, and has a class  V2 576-577
    node2vec            node2vec.py   random walks over a graph, read like a text       V2 579-581
    graph2vec           graph2vec.py  a graph predicts the subtrees that are in it      V2 583-585
    starspace           starspace.py  bags of features by what they go with             V2 586-588

The first is exact and looks at every word in every step. The second looks at k + 1: a step is a
loop over pairs of words, whose gradient is written out (kernels/skip_gram). The third is what is
meant by "word2vec" elsewhere. The others take its step to other things: what has a vector is a
document, a sentence, a part of a word, a node, a graph; what it is to predict are its words, the
words near it, the nodes near it on a walk, its subtrees. FastText's classifier
(fasttext_classifier.py) is another paper of that name, and learns from classes. StarSpace puts
anything near what it goes with.

Files without a system of their own:

    word_settings.py        the settings of word2vec (fasttext has fasttext_settings.py)
    paragraph_settings.py   those of paragraph2vec and sent2vec
    texts.py                a text as numbers, the pairs of its windows, how often they occur
    documents.py            texts as documents, with classes where there are any; halves
    objects.py              pairs of bags of features, of three kinds of data, for StarSpace
    judging.py              similarity and analogies, compared with what people say; a linear judge
    vector_files.py         word2vec's text and binary files, to and from other programs; runs of
                            word2vec and FastText write theirs, vectors.bin
    word_pictures.py        neighbours, analogies, a map of words
    document_pictures.py    the same of documents and of pairs of words
    starspace_pictures.py   what is found for what, a map of both sides of pairs
    pairs.py                the gradient of a pair, and how the rate falls
    ngrams.py               character n-grams, runs of words, and their hashes
    walks.py                random walks on a graph; walks_compiled.py: the same as loops
    node_judging.py         edges and groups of nodes by their vectors
    logistic.py             logistic regression on finished vectors
    subtree_words.py        a graph as a bag of Weisfeiler and Lehman's words
    *_pictures.py           the pictures of each system; lists.py: one that is a list

    glassgrad train word2vec-library                     a text of countries that ships
    glassgrad train word2vec-library --data text.txt     a text of one's own
    glassgrad train word2vec --set tables=two            softmax that learns how common words are
    glassgrad train fasttext-classifier --data mine.csv  texts of one's own, with a class each
    glassgrad train node2vec --data mine.edges           a graph of one's own
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
