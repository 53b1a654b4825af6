"""python -m ablations NAME: runs the cells of a grid that have no finished record yet. Its report: python -m reports grid NAME."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from benchmarks import cli


@dataclass(frozen=True, kw_only=True)
class Options(cli.Launch):
    """Train and score the cells of an ablation grid; finished runs are skipped."""

    name: cli.Name = None
    """The grid, see --list."""
    list: Annotated[bool, cli.SHOWN] = False
    """The grids, and how many of the runs of seeds 0, 1, 2 are done."""


def listing() -> str:
    """Every grid with its size and progress."""
    from ablations.registry import ABLATIONS
    from benchmarks.running.record import FINISHED
    from benchmarks.running.store import Store

    store, lines = Store(), []
    for ablation in ABLATIONS.values():
        runs = {spec.id: spec for spec in ablation.specs((0, 1, 2))}
        done = sum(store.status(spec) in FINISHED for spec in runs.values())
        lines += [f"{ablation.name}: {ablation.title}. {len(ablation.cells())} cells, {done}/{len(runs)} runs done (seeds 0,1,2)"]
        lines += [f"  {' / '.join(cell.row.values())}" for cell in ablation.cells()]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = cli.read(Options, argv, prog="python -m ablations")
    if options.list:
        print(listing(), end="")
        return cli.DONE
    from ablations.registry import ABLATIONS
    from benchmarks.running.jobs import run_jobs
    from models.names import choose

    if options.name is None:
        raise cli.UsageError(f"name a grid: {', '.join(ABLATIONS)} (or --list)")
    with cli.as_usage():
        ablation = choose("ablation", options.name, ABLATIONS)
    return run_jobs(ablation.jobs(options.seeds), options, ["ablations", ablation.name])


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
