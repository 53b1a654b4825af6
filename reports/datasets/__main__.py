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

import inspect
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import data.signals  # noqa: F401 the first of ours: what follows takes seconds
from benchmarks import cli

# What the commands need (numpy, matplotlib, torch) they import themselves, so that --help does without.
if TYPE_CHECKING:
    from reports.datasets.dataset import DataSet
    from reports.datasets.record import Record

PROG: Final = "python -m reports.datasets"


@dataclass(frozen=True, kw_only=True)
class Page:
    """Render the committed page of the data sets from its record; nothing is measured."""

    out: Annotated[str | None, cli.option("--out", cli.folder, "DIR"), cli.SHOWN] = None
    """Where to (default: reports/data)."""

    def run(self) -> int:
        """The exit code."""
        from reports.datasets.record import read

        return _render(self.folder(), read(self.folder()))

    def folder(self) -> Path:
        """The folder of the page and its record."""
        from reports.datasets.record import FOLDER

        return Path(self.out) if self.out is not None else FOLDER


@dataclass(frozen=True, kw_only=True)
class _Sets:
    """Which data sets, and where they lie."""

    name: cli.Name = None
    """Some data sets, separated by commas (default: all)."""
    data: cli.Folder = None
    """The folder of all data sets (default: $SSM_DATA, or one in the user's cache)."""

    def chosen(self, known: Mapping[str, DataSet]) -> list[DataSet]:
        """The rows asked for, to be looked for in the folder asked for. Raises UsageError."""
        from models.choices.names import choose

        with cli.as_usage():
            rows = [choose("data set", name, known) for name in (cli.words(self.name) if self.name is not None else known)]
        if self.data is not None:
            os.environ["SSM_DATA"] = self.data
        return rows


@dataclass(frozen=True, kw_only=True)
class Measure(_Sets, Page):
    """Measure the data sets that are here and the generators, draw contact sheets, and render the page."""

    def run(self) -> int:
        """The exit code."""
        from reports.datasets.measure import measure
        from reports.datasets.registry import DATASETS

        chosen = self.chosen(DATASETS)
        return _render(self.folder(), measure(self.folder(), chosen))


@dataclass(frozen=True, kw_only=True)
class Looked(Page):
    """Note that somebody has looked at the contact sheet of a data set as it is now, and render the page."""

    name: cli.Name = None
    """The data set."""
    seen: Annotated[str | None, cli.option("--seen", str, "TEXT"), cli.SHOWN] = None
    """What was seen; it has to be said."""

    def run(self) -> int:
        """The exit code."""
        from reports.datasets.record import note, read

        if self.name is None or self.seen is None:
            raise cli.UsageError(f"name a data set and say what was seen: {PROG} looked NAME --seen TEXT")
        record = read(self.folder())
        with cli.as_usage():
            note(record, self.name, self.seen)
        return _render(self.folder(), record)


@dataclass(frozen=True, kw_only=True)
class Gallery(_Sets):
    """Draw a contact sheet of every data set that is here, as a network is given it, and one HTML page of them all."""

    out: Annotated[str | None, cli.option("--out", cli.folder, "DIR"), cli.SHOWN] = None
    """Where to (default: reports/gallery in the run store)."""

    def run(self) -> int:
        """The exit code."""
        from benchmarks.running.store import run_root
        from reports.datasets import contact
        from reports.datasets.registry import DATASETS

        chosen = self.chosen({name: dataset for name, dataset in DATASETS.items() if dataset.sheet is not None})
        return contact.draw(chosen, Path(self.out) if self.out is not None else run_root() / "reports" / "gallery")


COMMANDS: Final[Mapping[str, type[Page | Gallery]]] = {"page": Page, "measure": Measure, "looked": Looked, "gallery": Gallery}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that is named first, and returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] in (["-h"], ["--help"]):
        print(inspect.getdoc(sys.modules[__name__]), f"\n\n{PROG} COMMAND --help lists the flags of a command.")
        return cli.DONE
    if not words:
        raise cli.UsageError(f"name a command: {', '.join(COMMANDS)} (see {PROG} --help)")
    with cli.as_usage():
        command = COMMANDS[cli.one_of("command", tuple(COMMANDS))(words[0])]
    return cli.read(command, words[1:], prog=f"{PROG} {words[0]}").run()


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
