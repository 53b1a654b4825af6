"""python -m data NAME: gets, generates, checks and prepares a data set once; prints its manifest. Also what is there, and its data card."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import sys
import textwrap
from collections.abc import Sequence
from typing import Final, NoReturn

from data import protocol
from data.base import DataError, StorageError
from data.card import Card
from data.files.root import root
from data.registry import SETS
from data.subsets import SplitSpec

EPILOG: Final = "exit codes: 0 done, 2 bad usage, 3 data missing or damaged, 4 interrupted (the same command continues), 5 folder or disk"


class _Usage(Exception):
    pass


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Usage(f"{message} (see {self.prog} --help)")


def parser() -> argparse.ArgumentParser:
    """The flags."""
    p = _Parser(prog="python -m data", description="Get or generate, check and prepare a data set.", epilog=EPILOG, allow_abbrev=False)
    p.add_argument("name", nargs="?", metavar="NAME", help=f"one of: {', '.join(SETS)}")
    p.add_argument("--data", metavar="DIR", help="the folder of all data sets (default: $SSM_DATA, or one in the user's cache)")
    p.add_argument("--protocol", metavar="FIELD=VALUE,...", help="other choices, as in source=generated; --status NAME lists them")
    p.add_argument("--verify", action="store_true", help="also check every prepared byte against the manifest")
    p.add_argument("--status", action="store_true", help="say what is there, and change nothing")
    p.add_argument("--card", action="store_true", help="print the data card")
    return p


def status(name: str, spec: SplitSpec) -> str:
    """One line on what is there."""
    try:
        prepared = spec.opened()
    except DataError as error:
        return f"{name:<14} damaged: {error}"
    if prepared is None:
        return f"{name:<14} not here; make data-{name}: {spec.plan()}"
    counts = prepared.manifest.get("counts", {})
    words = ", ".join(f"{part} {n:,}" for part, n in counts.items()) if counts else "prepared"
    size = sum(entry["bytes"] for entry in prepared.manifest["arrays"].values())
    return f"{name:<14} {words} ({size / 1e6:,.0f} MB in {prepared.folder})"


def shown(card: Card) -> str:
    """The card as text of 110 columns."""
    rows = [("what", card.what), ("size", card.size), ("splits", card.splits), ("source", card.source), ("licence", card.licence)]
    rows += [("cite", card.citation), *(("note", issue) for issue in card.issues)]
    lines = [card.title, "=" * len(card.title)]
    for head, text in rows:
        lines += textwrap.wrap(text, 110, initial_indent=f"{head:<9}", subsequent_indent=" " * 9)
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = parser().parse_args(argv)
    if options.data is not None:
        if not options.data:
            raise _Usage("--data is empty; give a folder")
        os.environ["SSM_DATA"] = options.data
    if options.name is not None and options.name not in SETS:
        near = difflib.get_close_matches(options.name, SETS, n=1)
        raise _Usage(f"unknown data set {options.name!r}{f'; did you mean {near[0]!r}?' if near else ''} One of: {', '.join(SETS)}")
    specs = {name: SETS[name] for name in ([options.name] if options.name else SETS)}
    if options.protocol is not None:
        if options.name is None:
            raise _Usage("--protocol is for one data set; name it")
        try:
            specs = {options.name: protocol.chosen(specs[options.name], protocol.parse(options.protocol))}
        except ValueError as error:
            raise _Usage(str(error)) from error
    if options.card:
        print("\n\n".join(shown(spec.card) for spec in specs.values()))
        return 0
    if options.status:
        print(f"data root: {root()}")
        for name, spec in specs.items():
            print(status(name, spec))
        if options.name is not None:
            print(f"choices: {protocol.described(type(specs[options.name]))}")
        return 0
    if options.name is None:
        raise _Usage(f"name a data set: {', '.join(SETS)} (or --status, --card)")
    spec = specs[options.name]
    if spec.opened() is None:
        _say(f"{options.name}: {spec.plan()}")
    prepared = spec.load(download=True, say=_say)
    if options.verify:
        prepared.verify()
    print(json.dumps(prepared.manifest, indent=1))
    _say(f"{prepared.folder}: " + ("every array has its checksum" if options.verify else "complete"))
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def guarded(argv: Sequence[str] | None = None) -> int:
    """`main`, with what it raises by design as one paragraph on stderr."""
    try:
        return main(argv)
    except _Usage as error:
        code, text = 2, str(error)
    except StorageError as error:
        code, text = 5, str(error)
    except DataError as error:
        code, text = 3, str(error)
    except KeyboardInterrupt:
        code, text = 4, "interrupted; the same command continues"
    print(f"error: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(guarded())
