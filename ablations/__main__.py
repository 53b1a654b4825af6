"""python -m ablations NAME: runs the cells of a grid that have no finished record yet. Its report: python -m reports grid NAME."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import data.signals  # noqa: F401 the first of ours: what follows takes seconds
from benchmarks import cli, plugins
from data import command

if TYPE_CHECKING:
    from ablations.grid import Ablation


@dataclass(frozen=True, kw_only=True)
class Options(cli.Launch):
    """Train and score the cells of an ablation grid; finished runs are skipped."""

    name: cli.Name = None
    """The grid, see --list."""
    bench: cli.Bench = None
    """The benchmark whose recipes are varied (default: the one that the grid names)."""
    scale: cli.ScaleName = None
    """Size of the experiments (default: that of the grid, or the smallest of another benchmark)."""
    protocol: cli.Protocol = None
    """Other choices of protocol of that benchmark, as in source=mini; or the word literature."""
    list: Annotated[bool, cli.SHOWN] = False
    """The grids, and how many of their runs are done; own runs apart from committed evidence."""


def listing() -> str:
    """Every grid with its size and its cells, and the runs of each that are done, whatever their seed; own apart from committed."""
    from ablations.registry import ABLATIONS
    from benchmarks.running.tally import remarks, tallies

    own, committed = tallies()
    lines = ["Grids (seeds done: own + committed evidence)"]
    for ablation in ABLATIONS.values():
        cells = ablation.cells()
        done = {cell.spec.id: (own.done(cell.spec), committed.done(cell.spec)) for cell in cells}
        mine, theirs = (sum(counts) for counts in zip(*done.values(), strict=True))
        lines += command.wrapped(f"{ablation.name}: ", f"{ablation.title}. {len(cells)} cells, {mine} + {theirs} runs done")
        for cell in cells:
            lines += command.wrapped("  ", "{} ({}+{})".format(" / ".join(cell.row.values()), *done[cell.spec.id]))
    return "\n".join([*lines, *remarks(own)]) + "\n"


def describe_impossible(ablation: Ablation) -> list[str]:
    """A line for each reason why combinations are left out, with how many and the first of them."""
    reasons: dict[str, list[str]] = {}
    for place in ablation.impossible():
        reasons.setdefault(place.reason, []).append(" / ".join(place.row.values()))
    return [
        f"left out: {rows[0]}{f' and {len(rows) - 1} more' if len(rows) > 1 else ''}, since {reason}" for reason, rows in reasons.items()
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = cli.read(Options, argv, prog="python -m ablations")
    plugins.load(options.plugin)
    if options.name is not None and not options.list:
        cli.require_named("ablation", options.name, "ablations/*.py")
    if options.list:
        print(listing(), end="")
        return cli.DONE
    from ablations.registry import ABLATIONS
    from models.choices.names import choose

    if options.name is None:
        raise cli.UsageError(f"name a grid: {', '.join(ABLATIONS)} (or --list)")
    with cli.as_usage():
        ablation = choose("ablation", options.name, ABLATIONS).on(options.bench, options.scale, options.protocol)
        jobs = ablation.jobs(options.seeds)
    for line in describe_impossible(ablation):
        print(line)
    from benchmarks.running.jobs import run_jobs  # only once every name is known

    return run_jobs(jobs, options, ["ablations", *ablation.words], ["reports", "grid", *ablation.words], ablation.page)


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
