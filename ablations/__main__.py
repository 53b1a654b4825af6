"""python -m ablations NAME, or --bench BENCHMARK --sweep FIELD=VALUES: runs the cells of a grid that have no finished record yet.

Its report: python -m reports grid NAME, or python -m reports sweep with the same flags.
"""

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
    variant: cli.Variants = ()
    """With --sweep: the rows whose recipes are varied (default: s4d-lin)."""
    sweep: cli.Sweep = None
    """A grid without a file: every combination of these values, as in "mixer.init=lin,inv mixer.real=false,true"; needs --bench."""
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


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = cli.read(Options, argv, prog="python -m ablations")
    if options.list:
        command.require_alone(options, "list", "plugin")
    if options.sweep is None and options.variant:
        raise cli.UsageError("the option '--variant' is for --sweep: a grid names its own rows")
    if options.sweep is not None and (options.name is not None or options.bench is None):
        raise cli.UsageError("--sweep makes a grid of its own: name its benchmark with --bench, and no other grid")
    plugins.load(options.plugin)
    if options.name is not None:
        require_grid(options.name)
    if options.bench is not None:
        cli.require_named("benchmark", options.bench, "benchmarks/tasks/*.py")
    if options.list:
        print(listing(), end="")
        return cli.DONE
    with cli.as_usage():
        ablation = asked_for(options)
        jobs = ablation.jobs(options.seeds)
    from ablations.grid import describe_impossible
    from benchmarks.running.jobs import run_jobs  # only once every name is known

    for line in describe_impossible(ablation.impossible()):
        print(line)
    kind = "sweep" if options.sweep is not None else "grid"
    return run_jobs(jobs, options, ["ablations", *ablation.words], ["reports", kind, *ablation.words], ablation.page)


def require_grid(word: str) -> None:
    """Raises UsageError that names the nearest, unless the sources name a grid `word`. The name of a grid stands four spaces in, the names
    of its factors further in."""
    cli.require_named("ablation", word, "ablations/*.py", r'^ {4}name="([^"]+)",$')


def asked_for(options: Options) -> Ablation:
    """The grid that the flags name or make. Raises ValueError that names the nearest word."""
    from ablations.registry import ABLATIONS
    from ablations.sweep import sweep
    from models.choices.names import choose

    if options.sweep is not None and options.bench is not None:
        return sweep(options.bench, options.scale, options.variant or ("s4d-lin",), options.sweep, options.protocol)
    if options.name is None:
        raise ValueError(f"name a grid: {', '.join(ABLATIONS)} (or --list, or --sweep)")
    return choose("ablation", options.name, ABLATIONS).on(options.bench, options.scale, options.protocol)


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
