"""Fields of a RunSpec changed by their dotted names, wherever they lie in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from benchmarks.spec import RunSpec
from models.choices.names import choose

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
