"""Typed settings: one line each, read by everything.

    class Settings(TrainingSettings):
        latent: int = setting(50, least=1, help="number of codes")
        decoder: Literal["bernoulli", "gaussian"] = setting("bernoulli", help="p(x|z)")
        sigma: float = setting(0.1, above=0, when=("decoder", "gaussian"), help="its spread")
        schedule: str = "cosine"  # another default for a setting that every system has

Such a line defines the attribute (`s.latent`) with its type and default, the check of its range,
the hint with the nearest name, what ``glassgrad show`` prints, how the command line parses a value
and what config.json holds. The class is a frozen dataclass, so editors complete and check its
fields.

The standard library is enough for this. A validation library would have to be installed wherever
glassgrad runs, and kernels/annotations.py already checks values against annotations.
"""

import dataclasses
import inspect
import json
import typing
from typing import Any, ClassVar, Literal, Self, dataclass_transform

from ...kernels.annotations import hint, kind_of
from ...kernels.errors import GlassgradError, nearest, shown


class SettingError(GlassgradError, ValueError):
    """An unknown setting, or a value that does not fit it."""


@dataclasses.dataclass(frozen=True)
class Rule:
    """What a setting means, its allowed values, and when it has an effect: see `setting`."""

    help: str
    least: float | None = None
    above: float | None = None
    below: float | None = None
    some: bool = False
    when: Any = None
    kinds: tuple[str, ...] = ()

    def broken_by(self, value) -> str:
        """What the value must be; "" if it already is.

        >>> Rule("widths", least=1).broken_by((3, 0)), Rule("rate", above=0).broken_by(0.5)
        ('at least 1', '')
        """
        entries = value if isinstance(value, tuple) else (value,)
        if self.some and not entries:
            return "a list of at least one"
        for n in entries:
            if self.least is not None and not n >= self.least:
                return f"at least {self.least}"
            if self.above is not None and not n > self.above:
                return f"above {self.above}"
            if self.below is not None and not n < self.below:
                return f"below {self.below}"
        return ""

    def idle(self, settings, kind: str = "") -> str:
        """Why the setting has no effect with the others, such as "with decoder=gaussian".

        Or why it has none on data of this kind; the kind "" is not known.
        """
        if kind and self.kinds and kind not in self.kinds:
            return f"on data of the kind {kind!r}, only on {' and '.join(map(repr, self.kinds))}"
        if self.when is None:
            return ""
        if callable(self.when):
            return self.when(settings)
        name, *wanted = (self.when,) if isinstance(self.when, str) else self.when
        value = getattr(settings, name)
        if isinstance(value, tuple) and wanted:
            found = any(w in value for w in wanted)
            return "" if found else f"without {' or '.join(map(str, wanted))} in {name}"
        found = value in wanted if wanted else bool(value)
        return "" if found else f"with {name}={_as_text(value)}"


def setting(
    default: Any,
    *,
    help: str,
    least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    some: bool = False,
    when: Any = None,
    kinds: tuple[str, ...] = (),
) -> Any:
    """One line of a class of settings.

    help    what it means, in a line
    least   its smallest value;  above  it must be larger than this;  below  it must be smaller
            (for a tuple: every entry)
    some    a tuple must not be empty
    when    when it has an effect; otherwise it is an error to change it:
            ("decoder", "gaussian")   if another setting has this value, or one of these
            "importance"              if another setting is not 0, False or empty
            settings -> str           anything else: why it has no effect, "" if it has one
    kinds   of data that it has an effect on, such as ("images",); on others it is an error to
            change it. () are all
    """
    rule = Rule(help, least, above, below, some, when, kinds)
    return dataclasses.field(default=default, metadata={"rule": rule})


# `setting` is no field specifier of it: checkers take a default from those by keyword only
@dataclass_transform(kw_only_default=True, frozen_default=True)
class Declared:
    """Makes its subclasses frozen dataclasses of settings, each with its `Rule`.

    An annotated line without `setting` gives an inherited setting another default. The class
    keyword `idle` names inherited settings that the system does not use, with the reason ::

        class Settings(TrainingSettings, idle={"clip": "on k-means, which has no gradient"}): ...
    """

    unused: ClassVar[dict[str, str]] = {}

    def __init_subclass__(cls, idle: dict[str, str] | None = None, **options):
        super().__init_subclass__(**options)
        cls.unused = cls.unused | (idle or {})
        inherited = getattr(cls, "__dataclass_fields__", {})
        annotated = inspect.get_annotations(cls, eval_str=True)
        cls.__annotations__ = annotated  # also where they were written as texts
        # without its annotation a line would be a class attribute, and no new default
        for name in (*vars(cls), *annotated):
            if name in inherited and name not in annotated:
                raise TypeError(f"{cls.__name__}.{name}: a setting needs its annotation")
        for name, annotation in annotated.items():
            default = vars(cls).get(name)
            if typing.get_origin(annotation) is ClassVar or isinstance(default, dataclasses.Field):
                continue
            if name not in inherited:
                hint = nearest(name, inherited)
                raise TypeError(f"{cls.__name__}.{name}: expected a setting(...){hint}")
            meta = inherited[name].metadata  # a new default, the old rule
            setattr(cls, name, dataclasses.field(default=default, metadata=meta))
        dataclasses.dataclass(frozen=True, kw_only=True, init=False)(cls)

    def __init__(self, /, *unnamed, **values):
        if unnamed:
            raise SettingError(f"settings are given by name; got {shown(unnamed[0])}")
        self._expect_known(values)
        for field in dataclasses.fields(self):
            value = self._read(field, values.get(field.name, field.default))
            object.__setattr__(self, field.name, value)
        self.check()

    def _expect_known(self, names) -> None:
        known = [f.name for f in dataclasses.fields(self)]
        for name in names:
            if name not in known:
                hint = nearest(name, known) or f" (known: {', '.join(sorted(known))})"
                raise SettingError(f"unknown setting {name!r:.80}{hint}")

    def _read(self, field, value):
        """The value in the type of its annotation; SettingError if impossible or too large."""
        kind, wrong = kind_of(field.type), None
        try:
            value = _converted(field.type, value)
        except (TypeError, ValueError, OverflowError):
            wrong = kind.must
        wrong = wrong or field.metadata["rule"].broken_by(value)
        if wrong:
            raise SettingError(
                f"setting {field.name!r} must be {wrong}; got {shown(value)}{hint(value, kind)}"
            )
        return value

    def check(self) -> None:
        """Raise SettingError if settings contradict each other. By default none do."""

    def changed(self, data_kind: str = "", /, **changes) -> Self:
        """A copy with other values for some settings; text is parsed as on the command line.

        Raises SettingError for an unknown name, a value of another type or outside its range, and
        for a change of a setting that has no effect with the others, or on data of this kind.
        """
        self._expect_known(changes)
        for key, value in changes.items():
            if isinstance(value, str):
                changes[key] = _parsed(self.__dataclass_fields__[key].type, value)
        found = type(self)(**self.as_dict() | changes)
        for key in changes:
            value = getattr(found, key)
            if value != getattr(self, key) and (why := found.idle(key, data_kind)):
                raise SettingError(f"setting {key!r} has no effect {why}; got {value!r}")
        return found

    @classmethod
    def rules(cls) -> dict[str, Rule]:
        """Name -> rule: first the settings of the system, then those of every training."""
        rules = {f.name: f.metadata["rule"] for f in dataclasses.fields(cls)}
        common = {f.name for f in dataclasses.fields(TrainingSettings)}
        return dict(sorted(rules.items(), key=lambda rule: rule[0] in common))

    @classmethod
    def may_be(cls, name: str) -> str:
        """The values that the setting of that name accepts, in short.

        >>> TrainingSettings.may_be("batch"), TrainingSettings.may_be("schedule")
        ('≥ 1', '')
        """
        field = cls.__dataclass_fields__[name]
        kind, rule = field.type, field.metadata["rule"]
        if typing.get_origin(kind) is tuple:
            kind = typing.get_args(kind)[0]
        if typing.get_origin(kind) is Literal:
            return ", ".join(map(str, typing.get_args(kind)))
        bounds = (("≥", rule.least), (">", rule.above), ("<", rule.below))
        found = [f"{sign} {bound:g}" for sign, bound in bounds if bound is not None]
        return "true, false" if kind is bool else ", ".join(found)

    def idle(self, name: str, kind: str = "") -> str:
        """Why the setting of that name has no effect with the others, or on data of this kind.

        "" if it has one; of the kind "" nothing is known.
        """
        return self.unused.get(name) or self.rules()[name].idle(self, kind)

    def meaning(self, name: str, kind: str = "") -> str:
        """What the setting of that name means, and why it has no effect, where it has none."""
        why, rule = self.idle(name, kind), self.rules()[name]
        return f"{rule.help} (no effect {why})" if why else rule.help

    def as_dict(self) -> dict[str, Any]:
        """Name -> value, as stored in config.json."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}


def _converted(annotation, value):
    """The value in the form of its annotation: lists as tuples, whole numbers as floats."""
    if typing.get_origin(annotation) is tuple:
        if not isinstance(value, (list, tuple)):
            raise TypeError
        inside = typing.get_args(annotation)
        if inside[-1] is not ... and len(value) != len(inside):
            raise ValueError
        return tuple(_converted(inside[0], v) for v in value)
    if isinstance(value, bool) != (annotation is bool):
        raise TypeError
    value = kind_of(annotation).read(value)
    return float(value) if annotation is float else value


def _parsed(annotation, text: str):
    """A value parsed from text; text that does not parse is returned for `_converted` to refuse.

    >>> _parsed(float, "1e-3"), _parsed(bool, "true"), _parsed(tuple[int, ...], "8,4")
    (0.001, True, (8, 4))
    """
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _parsed(typing.get_args(annotation)[0], text)
    if annotation is str or (origin is Literal and text in typing.get_args(annotation)):
        return text
    if origin is tuple and text and not text.startswith(("[", "(")):
        return tuple(_parsed(typing.get_args(annotation)[0], t.strip()) for t in text.split(","))
    try:
        return json.loads(text.lower() if text in ("True", "False") else text)
    except (ValueError, RecursionError):
        return text


def brief(value) -> str:
    """A value as a person reads it.

    >>> brief((8, 0.00123456789)), brief(True)
    ('[8,0.00123457]', 'True')
    """
    if isinstance(value, tuple):
        return "[" + ",".join(map(brief, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _as_text(value) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)


Optimiser = Literal[
    "sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam", "adamw"
]  # those of by_name.py


class TrainingSettings(Declared):
    """The settings of every training."""

    epochs: int = setting(10, least=0, help="passes over the training set")
    batch: int = setting(100, least=1, help="samples in a minibatch")
    lr: float = setting(1e-3, least=0, help="learning rate")
    optimiser: Optimiser = setting("adam", help="what turns gradients into steps")
    schedule: str = setting("constant", help="factor of lr by epoch, such as warm-up:5*cosine")
    clip: float = setting(0.0, least=0, help="largest norm of the gradient, 0 for none")
    weight_decay: float = setting(0.0, least=0, help="pull of the weights towards 0")
    seed: int = setting(0, least=0, help="of the weights, the order of the batches and all noise")
    shards: int = setting(
        1, least=1, help="parts of a minibatch, whose gradients are summed in a fixed order"
    )
    reduce: Literal["ordered", "fast"] = setting(
        "ordered",
        when=lambda s: "" if s.shards > 1 else "with shards=1",
        help="sum of the ranks' gradients: in the shards' order, or in the library's",
    )
    select: str = setting(
        "", help="keep the epoch where this validation figure is lowest; + before it: highest"
    )

    @property
    def least_epochs(self) -> int:
        """How many epochs it takes for every stage of training to run."""
        return 0
