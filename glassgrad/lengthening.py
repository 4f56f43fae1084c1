"""A run that is to go on for longer than it was made for."""

from .core.training.by_name import make_schedule
from .core.training.run_folder import Run
from .core.training.settings import SettingError, TrainingSettings
from .folders import read_configuration


def lengthen(run: Run, epochs: int | str) -> dict:
    """Give a run, finished or not, another number of epochs; returns its new configuration.

    `training.train` with resume=True then goes on to the weights that training for as many from the
    start gives, bit for bit: unless rates or stages depend on the number of epochs (`rates_differ`
    says so of schedules; a map's decay and training in stages are said on their pages). So
    config.json keeps how the run came about, ``"lengthened": [{"epochs": 2, "after": 2}]``: made
    for 2 epochs, and lengthened after 2. The result and the page of a finished run are removed, as
    they are those of a shorter one. Raises SettingError for fewer epochs than are done.

    >>> import tempfile
    >>> from glassgrad import models, training
    >>> with tempfile.TemporaryDirectory() as out:
    ...     som = models.recipe("som")
    ...     done = training.train(som, "iris", overrides={"epochs": 1}, out=out)
    ...     config = lengthen(done.run, 3)
    ...     done = training.train(som, run=done.run, resume=True, overrides=config["settings"])
    ...     len(done.history)
    3
    """
    before, config = read_configuration(run), longer(run, epochs)
    if config["settings"]["epochs"] != before["settings"].get("epochs"):
        for name in ("result.json", "index.html"):
            if run.has(name):
                (run.folder / name).unlink()
    run.write_json("config.json", config)
    return config


def longer(run: Run, epochs: int | str) -> dict:
    """The configuration that `lengthen` writes; nothing is changed. Raises SettingError as it."""
    config = read_configuration(run)
    epochs = TrainingSettings().changed(epochs=epochs).epochs
    before = config["settings"].get("epochs")
    done = run.load()[1].get("epoch", 0) if run.has_checkpoint() else 0
    if epochs < done:
        raise SettingError(f"{run.folder} has been trained for {done} epochs; got epochs={epochs}")
    stages = config.pop("lengthened", [])
    if before != epochs:
        # a second change after the same epoch takes the place of the first: no epoch had its rates
        if done and all(stage["after"] < done for stage in stages):
            stages.append({"epochs": before, "after": done})
        stages = [stage for stage in stages if stage != {"epochs": epochs, "after": done}]
    config |= {"lengthened": stages} if stages else {}
    config["settings"]["epochs"] = epochs
    return config


def rates_differ(schedule: str, before: int, after: int) -> bool:
    """Does a schedule give the first epochs other rates if there are more of them?

    >>> rates_differ("constant", 2, 4), rates_differ("cosine", 2, 4)
    (False, True)
    """
    short, long = make_schedule(schedule, before), make_schedule(schedule, after)
    return any(short(epoch) != long(epoch) for epoch in range(min(before, after)))
