"""python -m reports.datasets: the data sets on one committed page, and contact sheets of what a network is given.

The page, reports/data/README.md, is a pure function of the record beside it, statistics.json, and of the cards in the code.

  page              renders the page and the figures of the generators from the record
  measure NAME,...  writes the record: what the manifests of the data sets that are here say, their contact sheets, and the statistics of
                    the generators, for which it draws what is not here yet (minutes); a set that is not here keeps what was measured
                    of it before; then renders the page
  looked NAME       notes that somebody has looked at a sheet, and what was seen; the note holds for that picture only
  gallery NAME,...  draws a contact sheet of every data set that is here, as a network is given it, and one HTML page of them all
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import cli

# What the commands need (numpy, matplotlib, torch) they import themselves, so that --help does without.
if TYPE_CHECKING:
    from reports.datasets.dataset import DataSet
    from reports.datasets.record import Record

PROG: Final = "python -m reports.datasets"


def parser() -> cli.Parser:
    """The commands; each has flags of its own."""
    p = cli.Parser(PROG, inspect.getdoc(sys.modules[__name__]) or "")
    p.add_argument("command", type=cli.one_of("command", tuple(COMMANDS)), metavar="|".join(COMMANDS), help="what to do")
    p.add_argument("words", nargs=argparse.REMAINDER, metavar="...", help=f"see {PROG} COMMAND --help")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that is named first, and returns the exit code."""
    options = parser().parse(argv)
    return COMMANDS[options.command](options.words)


# ---------------------------------------------------------------- the commands


def page(words: Sequence[str]) -> int:
    """Renders the page from its record."""
    options = _parser("page", "Render the committed page of the data sets from its record; nothing is measured.").parse(words)
    from reports.datasets.record import read

    folder = _folder(options)
    return _render(folder, read(folder))


def measure(words: Sequence[str]) -> int:
    """Measures data sets and generators, and renders the page."""
    p = _parser("measure", "Measure the data sets that are here and the generators, draw contact sheets, and render the page.")
    options = _add_sets(p).parse(words)
    from reports.datasets.measure import measure
    from reports.datasets.registry import DATASETS

    folder, chosen = _folder(options), _chosen(options, DATASETS)
    return _render(folder, measure(folder, chosen))


def looked(words: Sequence[str]) -> int:
    """Notes that somebody has looked at a sheet, and renders the page."""
    p = _parser("looked", "Note that somebody has looked at the contact sheet of a data set as it is now, and render the page.")
    p.add_argument("name", metavar="NAME", help="the data set")
    p.add_argument("--seen", required=True, metavar="TEXT", help="what was seen")
    options = p.parse(words)
    from reports.datasets.record import note, read

    folder = _folder(options)
    record = read(folder)
    with cli.as_usage():
        note(record, options.name, options.seen)
    return _render(folder, record)


def gallery(words: Sequence[str]) -> int:
    """Draws the contact sheets and their HTML page."""
    about = "Draw a contact sheet of every data set that is here, as a network is given it, and one HTML page of them all."
    options = _add_sets(_parser("gallery", about, out="reports/gallery in the run store")).parse(words)
    from benchmarks.running.store import run_root
    from reports.datasets import contact
    from reports.datasets.registry import DATASETS

    chosen = _chosen(options, {name: dataset for name, dataset in DATASETS.items() if dataset.sheet is not None})
    return contact.draw(chosen, Path(options.out) if options.out is not None else run_root() / "reports" / "gallery")


COMMANDS: Final[dict[str, Callable[[Sequence[str]], int]]] = {"page": page, "measure": measure, "looked": looked, "gallery": gallery}


def _parser(command: str, about: str, out: str = "reports/data") -> cli.Parser:
    p = cli.Parser(f"{PROG} {command}", about)
    p.add_argument("--out", type=cli.folder, default=None, metavar="DIR", help=f"where to (default: {out})")
    return p


def _add_sets(p: cli.Parser) -> cli.Parser:
    p.add_argument("names", nargs="?", type=cli.words, default=(), metavar="NAME,...", help="some data sets (default: all)")
    p.add_argument("--data", type=cli.folder, default=None, metavar="DIR", help="data sets (default: $SSM_DATA, or the user's cache)")
    return p


def _chosen(options: argparse.Namespace, known: Mapping[str, DataSet]) -> list[DataSet]:
    """The rows asked for, to be looked for in the folder asked for. Raises UsageError."""
    from models.names import unknown

    for name in options.names:
        if name not in known:
            raise cli.UsageError(unknown("data set", name, tuple(known)))
    if options.data is not None:
        os.environ["SSM_DATA"] = options.data
    return [known[name] for name in options.names or known]


def _folder(options: argparse.Namespace) -> Path:
    from reports.datasets.record import FOLDER

    return Path(options.out) if options.out is not None else FOLDER


def _render(folder: Path, record: Record) -> int:
    """Writes record, page and figures to the folder."""
    from reports.datasets import record as records
    from reports.datasets.generators import figures
    from reports.datasets.page import PAGE, page

    content = records.as_json(record)
    kept = json.loads(content)  # what is printed is what is kept
    records.write(folder, {**figures(kept), records.RECORD: content, PAGE: page(kept).encode()})
    print(folder / PAGE)
    return cli.DONE


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
