"""Systems in files of one's own: ``glassgrad train my_model.py:MyModel``.

A file defines a `System`, or any module, whose constructor takes the data, the settings and a
generator ::

    import glassgrad as gg

    class Settings(gg.TrainingSettings):
        hidden: int = gg.setting(32, least=1, help="units of the hidden layer")

    class MyModel(gg.nn.Module):
        \"\"\"Two layers with th between them.\"\"\"

        settings = Settings

        def __init__(self, data, s, rng):
            inputs, outputs = data.train.x[0].size, len(data.info.classes) or 1
            self.hidden = gg.nn.Linear(inputs, s.hidden, rng=rng.child("hidden"))
            self.output = gg.nn.Linear(s.hidden, outputs, rng=rng.child("output"))

        def forward(self, x):
            return self.output(gg.tanh(self.hidden(x.reshape((len(x), -1)))))

There are no classes where the labels are quantities: the one output is then their value. The name
after the colon may be left out if the file defines one system only. It may also name a
`Recipe`, as the files of this folder have them. What a class may say, all of it optional ::

    settings    the class of its settings; those of every training by default
    data        the data set that it is trained on without --data ("digits")
    takes       the kinds of data that it can be trained on; by default images, table, binary and
                counts, of a `System` all kinds
    presets     {data set or kind: {setting: value}}
    metric      the figure that sums it up ("loss");  better   "lower" or "higher"
    prepare     (data, settings) -> data, a static method: what is done to the data before
    figures     (data, settings) -> {name: matplotlib figure}
    sample      (data, n, rng) -> matplotlib figure

The objective is checked by gradcheck on the first samples of the default data, in float64. The file
is executed, as Python would execute it: train what you trust. The folder that it is in is searched
for what it imports.
"""

import inspect
import re
from pathlib import Path

from .. import core as gg
from ..core.data import Split, kind_of
from ..core.data.entries import KINDS
from ..core.nn import Module
from ..core.random import streaming
from ..core.training.predictor import Predictor, answer_of, as_data
from ..core.training.recipe import Recipe
from ..core.training.settings import TrainingSettings
from ..core.training.system import System
from ..kernels.errors import GlassgradError, nearest
from ..kernels.execution import execute
from .common.gradients import by_parameters

REFERENCE = re.compile(r"(?P<file>.+\.py)(?::(?P<name>\w+))?", re.DOTALL)
NO_EXAMPLES = ("weights", "evaluation")  # kinds that nothing is trained on
EXAMPLES = ("images", "table", "binary", "counts")  # kinds whose x is an array of examples
FEW = 3  # samples that gradcheck looks at


class OwnModelError(GlassgradError, LookupError):
    """A file has no system of that name, or a class is none."""


def is_reference(name: str) -> bool:
    """Does this name a file?

    >>> is_reference("my_model.py"), is_reference("my_model.py:MyModel"), is_reference("vae")
    (True, True, False)
    """
    return isinstance(name, str) and REFERENCE.fullmatch(name) is not None


def parts_of(reference: str) -> tuple[Path, str | None]:
    """(absolute path, name or None) of ``file.py:Name``.

    >>> parts_of("/tmp/my_model.py:MyModel")
    (PosixPath('/tmp/my_model.py'), 'MyModel')
    """
    found = REFERENCE.fullmatch(reference)
    return Path(found["file"]).absolute(), found["name"]


def read(path: Path) -> bytes:
    """The content of a file; OwnModelError where it cannot be read."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OwnModelError(f"cannot read {path}: {reason}") from None


def recipe(reference: str) -> Recipe:
    """The recipe of a system in a file, ``path/to/file.py:Name``.

    Raises OwnModelError where the file cannot be read, defines no such name, or several systems
    and no name was given, and whatever the file itself raises.
    """
    path, name = parts_of(reference)
    return load_from(path, name, read(path))


def load_from(path: Path, name: str | None, content: bytes) -> Recipe:
    """The recipe of that name in a file with this content, which is executed. As `recipe`."""
    module = execute(path, content)
    if name is None:
        name = _only_name(module, path)
    elif not hasattr(module, name):
        hint = nearest(name, _systems(module))
        raise OwnModelError(f"{path} defines no {name!r}{hint}")
    thing = getattr(module, name)
    if isinstance(thing, Recipe):
        return thing.of_file(path, name, content)
    return recipe_of(thing).of_file(path, name, content)


def page(recipe: Recipe) -> str:
    """What the file and the class of an own recipe say of themselves, but for the title."""
    module = execute(recipe.source, recipe.code)
    thing = getattr(module, recipe.name)
    said = [inspect.getdoc(module) or ""]
    if not isinstance(thing, Recipe):
        said.append(_title_and_rest(thing)[1])
    return "\n\n".join(text for text in said if text)


def _title_and_rest(kind: type) -> tuple[str, str]:
    """The first paragraph of what a class says of itself, and the others."""
    title, _, rest = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")
    return title, rest.strip("\n")


def _systems(module) -> list[str]:
    """The names of the systems and recipes that a file defines itself."""

    def own(value) -> bool:
        if isinstance(value, Recipe):
            return True
        return (
            inspect.isclass(value)
            and issubclass(value, Module)
            and value.__module__ == (module.__name__)
        )

    return [name for name, value in vars(module).items() if own(value)]


def _only_name(module, path: Path) -> str:
    """The name of the one system in a file: a recipe before a system, a system before a module."""
    names = _systems(module)
    for kind in (Recipe, System, Module):
        found = [
            n
            for n in names
            if isinstance(v := getattr(module, n), kind)
            or (inspect.isclass(v) and issubclass(v, kind))
        ]
        if len(found) > 1:  # of several classes the one that is no part of another
            fits = [n for n in found if not inspect.isclass(c := getattr(module, n))
                    or _is_made_of_data(c)]  # fmt: skip
            found = fits if len(fits) == 1 else found
        if len(found) == 1:
            return found[0]
        if found:
            raise OwnModelError(
                f"{path} defines {', '.join(found)}: say which, such as {path.name}:{found[0]}"
            )
    raise OwnModelError(f"{path} defines no system: no class of gg.System or gg.nn.Module")


def recipe_of(kind: type[Module]) -> Recipe:
    """The recipe of a class that says how it is trained (see the head of this file).

    >>> class Linear(gg.nn.Module):
    ...     def __init__(self, data, s, rng):
    ...         self.layer = gg.nn.Linear(64, 10, rng=rng)
    ...
    ...     def forward(self, x):
    ...         return self.layer(x.reshape((len(x), -1)))
    >>> recipe_of(Linear).data
    'digits'
    """
    if not (inspect.isclass(kind) and issubclass(kind, Module)):
        raise OwnModelError(
            f"{getattr(kind, '__name__', repr(kind)):.80} is no class of gg.System or gg.nn.Module"
        )
    settings = getattr(kind, "settings", TrainingSettings)
    if not (inspect.isclass(settings) and issubclass(settings, TrainingSettings)):
        raise OwnModelError(f"{kind.__name__}.settings must be a class of gg.TrainingSettings")
    _expect_whole(kind, settings)

    def build(data, s, rng):
        with streaming(rng.child("layers without rng")):
            made = kind(data, s, rng)
        if isinstance(made, System):
            return made
        return Predictor(made, answer=answer_of(data.train.y))

    def inner(system):
        return system if isinstance(system, kind) else system.net

    def figures(system, data, s):
        return inner(system).figures(data, s)

    def sample(system, data, n, rng):
        return inner(system).sample(data, n, rng)

    every = [k for k in KINDS if k not in NO_EXAMPLES] if issubclass(kind, System) else EXAMPLES
    takes = getattr(kind, "takes", every)
    made = Recipe(
        name=kind.__name__,
        title=" ".join(_title_and_rest(kind)[0].split()).rstrip(".") or kind.__name__,
        lecture="",
        rows=(),
        build=build,
        settings=settings,
        metric=getattr(kind, "metric", "loss"),
        better=getattr(kind, "better", "lower"),
        data=getattr(kind, "data", "digits"),
        takes=(takes,) if isinstance(takes, str) else tuple(takes),
        presets=dict(getattr(kind, "presets", {})),
        prepare=getattr(kind, "prepare", None),
        figures=figures if hasattr(kind, "figures") else None,
        sample=sample if hasattr(kind, "sample") else None,
        check=lambda rng: check(made),
    )
    return made


def _expect_whole(kind: type[Module], settings: type[TrainingSettings]) -> None:
    """OwnModelError where a class lacks a part, by a slip in a name say, that training needs."""
    if not _is_made_of_data(kind):
        raise OwnModelError(
            f"{kind.__name__} must be made from the data, the settings and a generator,"
            f" __init__(self, data, s, rng); it takes {inspect.signature(kind)}"
        )
    needed = ("objective", "train_step") if issubclass(kind, System) else ("forward",)
    base = System if issubclass(kind, System) else Module
    if all(getattr(kind, name) is getattr(base, name) for name in needed):
        given = "self, batch" if base is System else "self, x"
        has = [n for n, value in vars(kind).items() if inspect.isfunction(value)]
        raise OwnModelError(f"{kind.__name__} has no {needed[0]}({given}){nearest(needed[0], has)}")
    for name, value in vars(settings).items():
        plain = isinstance(value, int | float | str) and name.islower() and name[0] != "_"
        if plain and name not in settings.rules():
            raise OwnModelError(
                f"{settings.__name__}.{name} is no setting without its type,"
                f" {name}: {type(value).__name__} = {value!r:.40}"
            )


def _is_made_of_data(kind: type) -> bool:
    """Can an object be made of data, settings and a generator?"""
    try:
        inspect.signature(kind).bind("data", "settings", "rng")
    except TypeError:
        return False
    return True


def check(recipe: Recipe):
    """The objective of the first samples of the default data, by the parameters, in float64."""
    data = as_data(recipe.data)
    s = recipe.resolve(recipe.data, kind=kind_of(data))
    data = recipe.prepare(data, s) if recipe.prepare else data
    system = recipe.build(data, s, gg.Generator(s.seed)).astype("float64")
    batch = next(iter(system.batches(data, FEW, s.seed, 0, 0)))
    return by_parameters(system, system.on_device(batch))


def expect_metric(recipe: Recipe, system: System, split: Split) -> None:
    """OwnModelError before training where the figures of a system lack the metric that it names.

    Two examples say which figures there are; `evaluate_finished` may take long, and is not asked.
    """
    if type(system).evaluate_finished is not System.evaluate_finished:
        return
    system.eval()
    figures = system.evaluate(split[: min(2, len(split))])
    system.train()
    if recipe.metric not in figures:
        raise OwnModelError(
            f"{recipe.name}: evaluate() gives no {recipe.metric!r}, the metric; it gives"
            f" {', '.join(figures)}"
        )
