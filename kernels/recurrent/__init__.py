"""What the recurrent families share: LSTM and GRU differ in their gates, not in their products.

A recurrent layer multiplies, at every step, the few rows of one batch with weights that never
change, and waits for the result before the next step can begin:

    a_t = xa_t + h_{t-1} Whᵀ          h [N, H],  Wh [G·H, H] with G gates,  t = 1 … T

A library made for large products unpacks the weights again at each call, wakes its threads and lets
them wait for one another, 28 or 100 times a sequence. What helps follows from three facts, on the
CPU as on the GPU:

    the weights stay       they are packed once for all steps, into the order in which they are read
                           (`panels`), or kept in shared memory (`kept.cuh`)
    sequences never meet   a thread, or a block, takes its rows of the batch through all steps
    sums over the steps    the weight gradients Σ_t δa_tᵀ h_{t-1} are one product of tall matrices
                           (`sums`), not T small ones

This room is no operation of the registry: the families in `lstm/` and `gru/` are.

    reference.py   σ in NumPy; results in C order
    arrays.py      the arguments of the CPU versions; [T, N, …] as [T·N, …]
    loops.py       the one sum that the plain loops of version 1 need
    blas.py        what version 2 leaves to a library
    tile.py        the register tile, a few rows times packed weights, in LLVM's language
    panels.py      weights packed for it
    products.py    the product of a thread's own rows, made of tiles
    sums.py        weight gradients, made of the same tiles
    cases.py       sizes of cells, and how weights are drawn
    launch.py      geometry of the CUDA versions, and the loop that registers them
    units.cuh      where a thread's unit lies; its gates, one or four units at a time
    tiles.cuh      products of v2: tiles in shared memory
    kept.cuh       products of v3: weights that stay in shared memory
    ahead.cuh      products of v4: the next piece of h on its way, four rows a thread
"""
