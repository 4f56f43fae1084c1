"""Training: one room for everything between a system and its run folder.

    settings.py     what may be set: one typed line each, checked, with its help
    recipe.py       a system with its data, presets, published number and pictures
    by_name.py      the optimiser and the schedule that settings name
    system.py       a network with an objective, a step and a score
    alternating.py  a system whose step has several objectives in turn
    loop.py         `fit`: epochs, batches, validation, checkpoints
    state.py        where a training is: what a checkpoint holds, and how it is put back
    divergence.py   which call made a number that is not finite
    checkpoint.py   arrays in a file, whole and verified
    run_folder.py   the folder of one run: config, metrics, checkpoint, result, pictures

One step, from `loop.py` ::

    system.batches(data, ...)         the next minibatch                         system.py
    system.on_device(batch)           where the weights are                      system.py
    system.train_step(batch, state)   objective → gradients → clip → optimiser   system.py
                                      or one such turn for each phase            alternating.py
    state.sums, state.batch           what the epoch adds up                     state.py
    run.save(*state.state())          every 30 s, or when asked to stop          run_folder.py

One epoch ::

    rate = lr · schedule(epoch)       by_name.py
    steps                             as above
    weights still finite?             state.py, divergence.py
    system.evaluate(valid)            system.py
    history, best weights so far      state.py
    checkpoint, metrics.csv           checkpoint.py, run_folder.py
"""
