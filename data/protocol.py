"""Choices of protocol by name: the fields of a DataSpec that may be set from outside, as in source=generated or validation=test."""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from data.base import DataSpec

Spec = TypeVar("Spec", bound=DataSpec)


@cache
def choices(kind: type[DataSpec]) -> dict[str, tuple[str, ...]]:
    """Field -> the words it may have; ("number",) for a whole number. In the order of declaration."""
    hints = get_type_hints(kind)
    out: dict[str, tuple[str, ...]] = {}
    for f in fields(kind):
        words = _words(hints[f.name])
        if words:
            out[f.name] = words
    return out


def _words(hint: Any) -> tuple[str, ...]:
    if get_origin(hint) is Literal:
        return tuple(str(value) for value in get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(word for part in get_args(hint) for word in (("all",) if part is type(None) else _words(part)))
    return {bool: ("true", "false"), int: ("number",)}.get(hint, ())


def chosen(spec: Spec, wanted: Mapping[str, str]) -> Spec:
    """`spec` with these fields set. Raises ValueError that names the nearest field or the words a field may have."""
    allowed = choices(type(spec))
    values: dict[str, Any] = {}
    for name, word in wanted.items():
        if name not in allowed:
            near = difflib.get_close_matches(name, allowed, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{type(spec).__name__} has no choice {name!r}{hint} One of: {described(type(spec))}")
        values[name] = _value(name, word, allowed[name])
    return replace(spec, **values)


def _value(name: str, word: str, allowed: tuple[str, ...]) -> Any:
    if "number" in allowed and word.isascii() and word.isdigit():
        return int(word)
    if word not in allowed or word == "number":
        near = difflib.get_close_matches(word, allowed, n=1)
        raise ValueError(f"{name} is one of: {', '.join(allowed)}; got {word!r}{f' (did you mean {near[0]!r}?)' if near else ''}")
    special: dict[str, Any] = {"true": True, "false": False, "all": None}
    if word in special and set(allowed) <= {*special, "number"}:
        return special[word]
    return int(word) if word.isdigit() else word


def described(kind: type[DataSpec]) -> str:
    """The choices in one line."""
    return "; ".join(f"{name}={'|'.join(words)}" for name, words in choices(kind).items())


def parse(text: str) -> dict[str, str]:
    """{"source": "mini", "split": "patient"} of "source=mini split=patient"; commas will do as well. Raises ValueError."""
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
