"""Perceptrons: dense layers that turn a row of numbers into a class or a quantity.

A layer takes every number of the one below, with a weight for each, and bends the sum ::

    h = σ(W x + b)        one row of W and one entry of b for each unit

A few of them on top of each other fit any smooth function. No place of the input is special, and
none is next to another: for images a convolutional network needs fewer weights, but on tables this
is the network to start with. The other families are built of the same layers; here nothing else is
around them.

    file                  idea
    mlp.py                the network, its objective, dropout and max-norm
    tasks.py              what the labels ask for: a class, or a quantity in its own unit
    importance.py         how much worse the answers get where a column is shuffled
    mlp_pictures.py       weights, confusions, predictions, residuals, importance
    tricks.py             batch normalisation, activations, dropout, rules of descent: nets with and
                          without, side by side on the same minibatches
    tricks_pictures.py    accuracy over steps, inputs of the last sigmoid over steps

Your own table, trained and evaluated (`--label` names the column to predict) ::

    glassgrad train mlp --data my.csv --label species

A column of text, or of a few whole numbers, is predicted as a class, other numbers as a quantity.
The figures of the test split, which no step of the training saw, are printed at the end and are in
result.json of the run folder.
"""
