"""`glassgrad bench scale`: what a step costs on several ranks, and what it would on more.

    worker.py    measures, as one of the ranks that mpiexec starts
    model.py     the times of messages and steps, from what was measured
    picture.py   efficiency over the number of ranks
    command.py   starts the workers, writes tables, JSON and the picture

**Messages.** A message of n bytes takes α + nβ: the latency, and the seconds of a byte. Both are
fitted to swaps of arrays between two ranks. The sum of P ranks' arrays of n bytes then takes

    ordered, P = 2^k    2 log₂P α + 2 (P-1)/P nβ        halves exchanged at distances 1, 2, 4 …
    ordered, other P    2 ⌈log₂P⌉ (α + nβ)              up the tree and back, whole arrays
    ring                2 (P-1) α + 2 (P-1)/P nβ        what libraries do with large arrays
    at the root         2 (P-1) (α + nβ)                every array to one rank, one after the other

The ordered sum sends as few bytes as a ring, with log₂P instead of P latencies; additions are not
counted.

**Steps.** With a shard of b samples on each rank, a step of P ranks takes

    T(P) = c + u + P m + r + figures(P) + sum(P)

c the gradient of b samples and u the optimiser's step, from steps of one rank on b and on 2 b
samples; m the time to make a minibatch of b samples, which every rank does for all; figures(P) the
small values that every rank hears of all others (⌈log₂P⌉ α, and 2 KiB from each, which take h to be
read); r what Python does around the messages of a step, for P > 1: minibatches cut, states of the
shards kept, gradients copied. It is what a step of two ranks takes whose gradients are there
already, without its messages. The efficiency is T(1)/T(P): how much of P ranks is of use where the
minibatch grows with them. Sums are counted as if nothing was computed meanwhile, although gradients
are sent during the backward pass.

The curves are drawn for the link that was measured, which is memory shared by two processes, and
for a network that is assumed, not measured: 10 Gbit/s and 30 µs.
"""
