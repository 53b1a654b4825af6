"""Fields of a RunSpec changed by their dotted names, wherever they lie in it; and how such a change is written in a line of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin

from benchmarks.rebuild import spec_classes
from benchmarks.spec import RunSpec, declared
from models.choices.names import choose, unknown

Spec = TypeVar("Spec")

Changes = Mapping[str, Any]
"""Dotted name -> value, or a function from the value that is there to the new one: "epochs", "optim.lr", "model.pool_last", "data.noise";
"mixer.init" is short for "model.mixer.init"."""

SHORT = {"mixer": "model.mixer"}


def times(factor: float) -> Callable[[Any], Any]:
    """The change of a number to `factor` times what it is, a whole number to the nearest; of None, which is another field's, to itself."""

    def change(value: Any) -> Any:
        return round(factor * value) if isinstance(value, int) else value if value is None else factor * value

    return change


def changed(run: RunSpec, changes: Changes) -> RunSpec:
    """The same run with these fields set, all at once, so that no combination on the way has to be legal.

    Raises ValueError that names the nearest field for one that does not exist, and whatever the specs refuse.
    """
    written_out = {}
    for name, value in changes.items():
        head, dot, rest = name.partition(".")
        written_out[f"{SHORT.get(head, head)}{dot}{rest}"] = value
    return _changed(run, written_out)


def _changed(spec: Spec, changes: Changes) -> Spec:
    if not is_dataclass(spec):
        raise ValueError(f"{spec!r} is a plain value and has no fields to change: {', '.join(changes)}")
    known = {f.name: f for f in fields(spec)}
    own: dict[str, Any] = {}
    inside: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        head, dot, rest = name.partition(".")
        choose(f"field of {type(spec).__name__}", head, known)
        if dot:
            inside.setdefault(head, {})[rest] = value
        else:
            own[head] = value(getattr(spec, head)) if callable(value) else value
    twice = own.keys() & inside.keys()
    if twice:
        raise ValueError(f"{', '.join(sorted(twice))} is set as a whole and field by field; say one of the two")
    deeper = {head: _changed(getattr(spec, head), changes) for head, changes in inside.items()}
    return replace(spec, **own, **deeper)  # type: ignore[type-var]


# ---------------------------------------------------------------- changes in a line of text

OTHER_FLAGS: Final = {"benchmark": "the benchmark is named first", "scale": "use --scale", "seed": "use --seeds"}
"""Fields of a RunSpec that are chosen otherwise."""
WORDS: Final = {"true": True, "yes": True, "false": False, "no": False}


def split_changes(text: str) -> dict[str, str]:
    """Reads "mixer.d_state=16,optim.lr=0.003" as {"mixer.d_state": "16", "optim.lr": "0.003"}; spaces separate too. Raises ValueError."""
    out: dict[str, str] = {}
    for word in text.replace(",", " ").split():
        name, equals, value = word.partition("=")
        if not equals or not name or not value:
            raise ValueError(f"a change is written field=value, as in mixer.d_state=16; got {word!r}")
        if name in out:
            raise ValueError(f"{name} is set twice")
        out[name] = value
    if not out:
        raise ValueError("a change is written field=value, as in mixer.d_state=16; got nothing")
    return out


def read_changes(run: RunSpec, texts: Mapping[str, str]) -> dict[str, Any]:
    """The values that these words stand for in the fields of `run`, by the types that their specs declare.

    Raises ValueError that names the nearest field, or says what a field may hold.
    """
    return {name: _read_field(run, name, text) for name, text in texts.items()}


def _read_field(run: RunSpec, name: str, text: str) -> Any:
    head, dot, rest = name.partition(".")
    if head in OTHER_FLAGS:
        raise ValueError(f"{name} is no field to set here: {OTHER_FLAGS[head]}")
    if not dot and (inside := _fields_called(run, name)):
        raise ValueError(f"{name} is a field of a part of a run: write {' or '.join(inside)}")
    spec: Any = run
    *path, last = f"{SHORT.get(head, head)}{dot}{rest}".split(".")
    for part in path:
        if not is_dataclass(spec):
            raise ValueError(f"{spec!r} is a plain value and has no field {part!r}")
        choose(f"field of {type(spec).__name__}", part, {f.name: f for f in fields(spec)})
        spec = getattr(spec, part)
    if not is_dataclass(spec):
        raise ValueError(f"{'.'.join(path)} is a plain value, {spec!r}, and has no field {last!r}")
    choose(f"field of {type(spec).__name__}", last, {f.name: f for f in fields(spec)})
    kind: type = type(spec)
    return read_value(text, declared(kind)[last], name)


def _fields_called(run: RunSpec, name: str) -> list[str]:
    """The dotted names, as they are written here, of the fields of this name one or two parts down; none where the run has it itself."""
    if name in (*SHORT, *(f.name for f in fields(run))):
        return []
    heads = {**{f.name: getattr(run, f.name) for f in fields(run)}, **{short: getattr(run.model, short) for short in SHORT}}
    return [f"{head}.{name}" for head, part in heads.items() if is_dataclass(part) and name in {f.name for f in fields(part)}]


def read_value(text: str, hint: Any, name: str) -> Any:
    """What `text` stands for in a field that is declared as `hint`: numbers, true and false, none, a name; several joined by "+"; a spec by
    the name of its class, with its defaults. Raises ValueError that says what the field may hold."""
    if get_origin(hint) in (Union, UnionType):
        kinds = get_args(hint)
        if NoneType in kinds and text.lower() == "none":
            return None
        problems = []
        for kind in (kind for kind in kinds if kind is not NoneType):
            try:
                return read_value(text, kind, name)
            except ValueError as error:
                problems.append(error)
        raise ValueError(f"{problems[0]}{', or none' if NoneType in kinds else ''}")
    if get_origin(hint) is Literal:
        known = {str(word): word for word in get_args(hint)}
        if text not in known:
            raise ValueError(unknown(name, text, known))
        return known[text]
    if get_origin(hint) is tuple:
        kinds = get_args(hint)
        parts = [] if text.lower() == "none" else text.split("+")
        each = kinds[:1] * len(parts) if kinds[1:] == (...,) else kinds
        if len(each) != len(parts):
            raise ValueError(f"{name} holds {len(each)} values joined by +, got {text!r}")
        return tuple(read_value(part, kind, name) for part, kind in zip(parts, each, strict=True))
    if hint is bool:
        if text.lower() not in WORDS:
            raise ValueError(f"{name} is true or false, got {text!r}")
        return WORDS[text.lower()]
    if hint in (int, float):
        try:
            return hint(text)
        except ValueError:
            raise ValueError(f"{name} is {'a whole number' if hint is int else 'a number'}, got {text!r}") from None
    if hint is str:
        return text
    kinds_of = {kind.__name__.lower(): kind for kind in spec_classes().values() if issubclass(kind, hint)}
    try:
        return choose(name, text.lower(), kinds_of)()
    except TypeError as error:  # a field without a default
        raise ValueError(f"{name}: {text} cannot be had by its name alone ({error})") from error


def written(name: str, text: str, names: Sequence[str]) -> str:
    """A change as a label has it: "d_state 16"; with more of its name where another of `names` ends alike."""
    short = name.rpartition(".")[2]
    return f"{name if sum(other.rpartition('.')[2] == short for other in names) > 1 else short} {text}"


def label_changes(texts: Mapping[str, str]) -> str:
    """ "[d_state 16, lr 0.003]"."""
    return f"[{', '.join(written(name, text, list(texts)) for name, text in texts.items())}]"
