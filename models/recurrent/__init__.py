"""Recurrent nets: one cell, used again at every step of a sequence.

Lecture 3, V2 160-495 ::

    x_1 .. x_T  ->  h_t = cell(x_t, h_{t-1})  ->  a_t = V h_t

All that a net knows of the past is in h. The gradient of a late loss with respect to an early state
is a product of ∂h_t/∂h_{t-1} over all the steps between: it vanishes or explodes unless these stay
near 1. Each cell of the lecture is an answer to this problem; everything else is shared.

    file            cell                                                                lecture
    rnn             h_t = th(U x_t + W h_{t-1}), and how far its gradients reach        V2 160-262
    lstm            a second state C that only gates change: forget, input, output      V2 263-427
    peephole_lstm   the same, where the gates see C too; such a net can count           V2 428-464
    gru             one state, an update gate and a reset gate                          V2 465-495

Read `rnn` first: it has back-propagation through time, and the picture of gradient norms that
explains the rest. Then `lstm`; the other two change one thing each. The cells are written as on the
slides, one weight matrix for each gate, next to the layers of core/nn that are trained: tests prove
that both compute the same. A cell without biases on the slide has none; a setting adds them. The
read-out has a bias in every preset: `readout_bias=false` is the slide's.

What such nets are used for (V2 191-215), each with yardsticks of its field:

    forecast         the next values of a series, with bands; persistence, autoregressions
    language_model   the next character or word; n-grams with Kneser-Ney smoothing
    translation      a sentence in another language; the nearest sentence of the training set
    sentiment        the class of a text, read in both directions; bags of words and pairs of words
    music            tunes, whose chords are written note by note; pairs of chords

The lecture's other uses are left out for want of data and of processor time: control of processes,
speech from text and text from speech, dialogue, captions of images, handwriting, genomes. Music is
not among its examples; it stands for the sequences that a net makes up.

For the four cells the data set decides what a net has to predict, by the kind of its labels:

    frames of 0 and 1 (piano rolls)     the next frame                     nats a frame
    a long text                         the next symbol                    nats a symbol
    strings of a formal language        which symbols may come next        strings all correct
    a class for each sequence           the class, after the last step     errors, per cent
    numbers for each sequence           the numbers, after the last step   squared error

Images are read row by row, so any of these nets takes the digits.

Shared by the systems, without a recipe:

    sequence            the net around the cell, its settings, and the recipe that a cell completes
    which_task          the table above as code: `task_for` finds the task of a data set, and
                        rejects changes of settings that the task does not use
    task                what a task is; the settings of tasks
    formal_languages    tasks on strings: embedded Reber strings, aⁿbⁿ and aⁿbⁿcⁿ
    sequence_data       generated data sets: how many sequences, how long
    lstm_cell           the LSTM's cell, which `lstm`, `peephole_lstm` and `rnn` use
    over_time           what a cell computes at each step, for the pictures of gates
    truncated           truncated back-propagation: the state that is carried from window to window
    ngrams, bleu, forecast_yardsticks     what the applications are compared with
    midi                a piano roll as a file to listen to
    sequence_pictures   piano rolls, generated text, tables of legal symbols, gates over time

If lengths differ, sequences are padded, and a mask excludes the padding from the loss. Only a long
text does not begin in each batch: its state is carried on from window to window.
"""
