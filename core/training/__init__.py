"""Training: everything between a system and its run folder.

    settings.py     the settings: one typed line each, checked, with its help
    recipe.py       a system with its data, presets, published number and pictures
    by_name.py      optimisers and schedules by the names in settings
    system.py       a network with an objective, a step and a score
    alternating.py  a system whose step alternates between several objectives
    shards.py       a minibatch in parts, which ranks of a distributed training share out
    shard_state.py  streams and buffers, which each part finds as they were
    agreement.py    what such ranks must have in common
    predictor.py    any network as a system, with the loss that its data ask for
    loop.py         `fit`: epochs, batches, validation, checkpoints
    state.py        the state of a training: what a checkpoint holds, and how it is restored
    divergence.py   finds the call that produced a number that is not finite
    checkpoint.py   arrays in a file, written atomically and verified
    run_folder.py   the folder of one run: config, metrics, checkpoint, result, pictures

One step, from `loop.py` ::

    system.batches(data, ...)         the next minibatch                         system.py
    system.on_device(batch)           moved to the device of the weights         system.py
    system.train_step(batch, state)   objective → gradients → clip → optimiser   system.py
                                      or one such step per phase                 alternating.py
    state.sums, state.batch           the sums of the epoch                      state.py
    run.save(*state.state())          every 30 s, or when asked to stop          run_folder.py

One epoch ::

    rate = lr · schedule(epoch)       by_name.py
    steps                             as above
    weights still finite?             state.py, divergence.py
    system.evaluate(valid)            system.py
    history, best weights so far      state.py
    checkpoint, metrics.csv           checkpoint.py, run_folder.py
"""
