"""Which record somebody means: its folder, its file, benchmark/id, an id, or as much of an id as no other begins with."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks import cli
from benchmarks.running.beside import StoredRecord
from benchmarks.running.record import DamagedRecord
from benchmarks.running.store import COMMITTED, EVIDENCE, Store
from data.base import DataError

SHOWN: Final = 5
"""Records that a message names at the most."""


@contextmanager
def as_asked() -> Iterator[None]:
    """What is wrong with a run that somebody named becomes one paragraph: no such run, none that can be rebuilt, damage."""
    try:
        with cli.as_usage():
            yield
    except DamagedRecord as error:
        raise DataError(f"{error}; train it again with --rerun all") from error


def every_root() -> Store:
    """The run store, and the committed evidence where that has none of a run."""
    return Store((*Store().roots, (EVIDENCE, COMMITTED)))


def find_record(word: str, store: Store | None = None) -> StoredRecord:
    """The record that `word` names, among those of `store` (`every_root` if None) or in a folder of its own anywhere.

    Raises ValueError where there is none, or several, with what comes nearest; DamagedRecord for one that cannot be used.
    """
    store = store or every_root()
    path = Path(word).expanduser()
    folder = path.parent if path.name == "record.json" else path
    if (folder / "record.json").is_file():
        folder = folder.resolve()
        store, benchmark, start = Store(((folder.parent.parent.name, folder.parent.parent),)), folder.parent.name, folder.name
    else:
        benchmark, start = folder.parent.name, folder.name
    there = sorted({(place.parts[-3], place.parts[-2]) for _, root in store.roots for place in root.glob("*/*/record.json")})
    meant = [(b, id) for b, id in there if id.startswith(start) and benchmark in ("", b)] if start else []
    whole = [(b, id) for b, id in meant if id == start]
    chosen = whole or meant
    if len(chosen) > 1:
        raise ValueError(f"{word!r} may be {_listed(chosen)}; write more of the id")
    found = store.find(*chosen[0]) if chosen else None
    if found is None:
        raise ValueError(_unknown(word, benchmark, start, there))
    return found


def _unknown(word: str, benchmark: str, start: str, there: list[tuple[str, str]]) -> str:
    if not there:
        return f"there is no record {word!r}, nor any other: `make quickstart` makes the first"
    near = difflib.get_close_matches(start, [id for _, id in there], n=SHOWN, cutoff=0.6)
    nearest = [(b, id) for b, id in there if id in near] or [(b, id) for b, id in there if b == benchmark]
    hint = f"did you mean {_listed(nearest)}?" if nearest else f"there are {len(there)}, as {_listed(there[:2])}"
    return f"there is no record {word!r}; {hint}"


def _listed(places: list[tuple[str, str]]) -> str:
    names = [f"{benchmark}/{id}" for benchmark, id in places]
    more = [f"and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return ", ".join([*names[:SHOWN], *more])
