"""One way to look a name up in a table, and one sentence when it is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")


class UnknownName(ValueError):
    """A name that is not in its table. The message names the nearest."""


def unknown(kind: str, name: str, names: Iterable[str]) -> str:
    """The sentence for a name that is not in a table: "unknown init 'leg'; did you mean 'legs'? one of: ..."."""
    listed = list(names)
    if not listed:
        return f"unknown {kind} {str(name)!r}; there is none"
    near = difflib.get_close_matches(str(name), listed, n=1, cutoff=0.5)
    hint = f" did you mean {near[0]!r}?" if near else ""
    return f"unknown {kind} {str(name)!r};{hint} one of: {', '.join(listed)}"


def choose(kind: str, name: str, table: Mapping[str, T]) -> T:
    """The entry `name` of `table`. Raises UnknownName that names the nearest entry and lists them all."""
    if name not in table:
        raise UnknownName(unknown(kind, name, table))
    return table[name]
