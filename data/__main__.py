"""python -m data NAME: gets, generates, checks and prepares a data set once; prints its manifest. Also what is there, and its data card."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import data.signals  # noqa: F401 the first of ours: what follows takes seconds
from data import command, protocol
from data.base import DataError, printable
from data.card import Card
from data.command import SHOWN, UsageError
from data.files.root import root
from data.registry import SETS
from data.subsets import SplitSpec


@dataclass(frozen=True, kw_only=True)
class Options:
    """Get or generate, check and prepare a data set."""

    name: command.Name = None
    """The data set, see --status."""
    data: command.Folder = None
    """The folder of all data sets (default: $SSM_DATA, or one in the user's cache)."""
    protocol: command.Protocol = None
    """Other choices, as in source=generated; --status NAME lists them."""
    verify: Annotated[bool, SHOWN] = False
    """Also check every prepared byte against the manifest."""
    status: Annotated[bool, SHOWN] = False
    """Say what is there, and change nothing."""
    card: Annotated[bool, SHOWN] = False
    """Print the data card."""


def status(name: str, spec: SplitSpec) -> str:
    """One line on what is there."""
    try:
        prepared = spec.opened()
    except DataError as error:
        return f"{name:<14} damaged: {error}"
    if prepared is None:
        return f"{name:<14} not here; make data-{name}: {printable(spec.plan())}"
    counts = prepared.manifest.get("counts")
    words = ", ".join(f"{part} {n:,}" for part, n in counts.items()) if isinstance(counts, dict) and counts else "prepared"
    size = sum(entry["bytes"] for entry in prepared.manifest["arrays"].values())
    return f"{name:<14} {words} ({size / 1e6:,.0f} MB in {printable(prepared.folder)})"


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
    options = command.read(Options, argv, prog="python -m data")
    if options.card:
        command.require_alone(options, "card", "name")
    if options.status:
        command.require_alone(options, "status", "name", "data", "protocol")
    if options.data is not None:
        os.environ["SSM_DATA"] = options.data
    if options.name is not None and options.name not in SETS:
        raise UsageError(command.nearest("data set", options.name, SETS))
    specs = {name: SETS[name] for name in ([options.name] if options.name else SETS)}
    if options.protocol is not None:
        if options.name is None:
            raise UsageError("--protocol is for one data set; name it")
        if "literature" in options.protocol.replace(",", " ").split():
            raise UsageError(
                "literature is the protocol of a benchmark, and several read the same data, each in its own way: name the choices, which "
                f"python -m data {options.name} --status lists"
            )
        try:
            specs = {options.name: protocol.chosen(specs[options.name], protocol.parse(options.protocol))}
        except ValueError as error:
            raise UsageError(str(error)) from error
    if options.card:
        print("\n\n".join(shown(spec.card) for spec in specs.values()))
        return 0
    if options.status:
        print(f"data root: {printable(root())}")
        for name, spec in specs.items():
            print(status(name, spec))
        if options.name is not None:
            print(f"choices: {protocol.described(type(specs[options.name]))}")
        return 0
    if options.name is None:
        raise UsageError(f"name a data set: {', '.join(SETS)} (or --status, --card)")
    spec = specs[options.name]
    if spec.opened() is None:
        command.tell(f"{options.name}: {spec.plan()}")
    prepared = spec.load(download=True, say=command.tell)
    if options.verify:
        prepared.verify()
    print(json.dumps(prepared.manifest, indent=1))
    command.tell(f"{prepared.folder}: " + ("every array has its checksum" if options.verify else "complete"))
    return 0


def guarded(argv: Sequence[str] | None = None) -> int:
    """`main`, with what it raises by design as one paragraph on stderr."""
    return command.guarded(lambda: main(argv))


if __name__ == "__main__":
    sys.exit(guarded())
