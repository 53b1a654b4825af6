"""Choices of protocol by name: the fields of a DataSpec that may be set from outside, as in source=generated or validation=test."""

from __future__ import annotations

import difflib
import sys
import types
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from data.base import DataSpec

Spec = TypeVar("Spec", bound=DataSpec)


def choices(kind: type[DataSpec]) -> dict[str, tuple[str, ...]]:
    """Lists field -> the words it may have, ("number",) for a whole number, in the order of declaration."""
    return {name: tuple(words) for name, words in _meanings(kind).items()}


@cache
def _meanings(kind: type[DataSpec]) -> dict[str, dict[str, Any]]:
    """Field -> {word: the value that it stands for}."""
    out: dict[str, dict[str, Any]] = {}
    for f in fields(kind):
        words = {} if f.name in kind.task else _words(_hint(kind, f.name))
        if words:
            out[f.name] = words
    return out


def _hint(kind: type[DataSpec], name: str) -> Any:
    """The type of one field. Those of the class variables beside it may have names that only a type checker imports."""
    owner = next(c for c in kind.__mro__ if name in vars(c).get("__annotations__", {}))
    alone = types.SimpleNamespace(__annotations__={name: owner.__annotations__[name]})
    return get_type_hints(alone, vars(sys.modules[owner.__module__]))[name]


def _words(hint: Any) -> dict[str, Any]:
    if get_origin(hint) is Literal:
        return {str(value): value for value in get_args(hint)}
    if get_origin(hint) in (Union, types.UnionType):
        return {word: value for part in get_args(hint) for word, value in _words(part).items()}
    plain: dict[Any, dict[str, Any]] = {bool: {"true": True, "false": False}, int: {"number": int}, types.NoneType: {"all": None}}
    return plain.get(hint, {})


def chosen(spec: Spec, wanted: Mapping[str, str]) -> Spec:
    """Sets these fields of `spec`. Raises ValueError that names the nearest field or the words a field may have."""
    allowed = _meanings(type(spec))
    values: dict[str, Any] = {}
    for name, word in wanted.items():
        if name not in allowed:
            if not allowed:
                raise ValueError(f"{type(spec).__name__} has no choices of protocol: its one protocol is that of its recipes; got {name!r}")
            near = difflib.get_close_matches(name, allowed, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise ValueError(f"{type(spec).__name__} has no choice {name!r}{hint} One of: {described(type(spec))}")
        values[name] = _value(name, word, allowed[name])
    return replace(spec, **values)


def _value(name: str, word: str, allowed: Mapping[str, Any]) -> Any:
    if word in allowed and word != "number":
        return allowed[word]
    if "number" in allowed and word.isascii() and word.isdigit():
        return int(word)
    near = difflib.get_close_matches(word, allowed, n=1)
    raise ValueError(f"{name} is one of: {', '.join(allowed)}; got {word!r}{f' (did you mean {near[0]!r}?)' if near else ''}")


@cache
def _literals(kind: type[DataSpec]) -> dict[str, tuple[Any, ...]]:
    """Field -> its values, for the fields that may have a few only."""
    hints = {f.name: _hint(kind, f.name) for f in fields(kind)}
    return {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Literal}


def require_choices(spec: DataSpec) -> None:
    """Raises ValueError for a field with a value that its type does not name."""
    for name, values in _literals(type(spec)).items():
        if (value := getattr(spec, name)) not in values:
            raise ValueError(f"{name} is one of: {', '.join(map(str, values))}; got {value!r}")


def described(kind: type[DataSpec]) -> str:
    """Writes the choices in one line."""
    return "; ".join(f"{name}={'|'.join(words)}" for name, words in choices(kind).items()) or "none"


def parse(text: str) -> dict[str, str]:
    """Reads "source=mini split=patient" as {"source": "mini", "split": "patient"}; commas will do as well. Raises ValueError."""
    out: dict[str, str] = {}
    for word in text.replace(",", " ").split():
        name, equals, value = word.partition("=")
        if not equals or not name or not value:
            raise ValueError(f"a choice of protocol is written field=value, as in source=generated; got {word!r}")
        if name in out:
            raise ValueError(f"{name} is chosen twice")
        out[name] = value
    if not out:
        raise ValueError("a choice of protocol is written field=value, as in source=generated; got nothing")
    return out
