"""python -m benchmarks NAME: runs the recipes of a benchmark that have no finished record yet.

python -m benchmarks evaluate ID and export ID are of one run that is done, see the files of these names.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Final

import data.signals  # noqa: F401 the first of ours: what follows takes seconds
from benchmarks import cli, plugins
from data import command

if TYPE_CHECKING:
    from benchmarks.changes import Changes
    from benchmarks.spec import Scale


OF_ONE_RUN: Final = ("evaluate", "export")
"""Words in the place of a benchmark's name: commands of their own, in the file of that name, on a run that is done."""


@dataclass(frozen=True, kw_only=True)
class Options(cli.Launch):
    """Train and score variants on one benchmark; finished runs are skipped."""

    name: cli.Name = None
    """The benchmark, see --list."""
    list: Annotated[bool, cli.SHOWN] = False
    """Benchmarks, variants, and how many runs are done, those at --scale by variant; own runs apart from committed evidence."""
    variant: cli.Variants = ("default",)
    """Variants, separated by commas; or default (the rows of the papers), or all."""
    scale: cli.ScaleName = None
    """Size of the experiment (default: the benchmark's smallest)."""
    readout: cli.Readout = None
    """Where the class is read, for signals followed by noise."""
    protocol: cli.Protocol = None
    """Other choices of protocol, as in source=mini,split=patient; or the word literature: all that published numbers were made with."""
    set: cli.Set = None
    """Fields of every run by their dotted names, as in mixer.d_state=16,optim.lr=0.003; may be given several times."""
    tune: cli.Tune = None
    """rates: every row tries several learning rates, the same for all, and is reported at the one that is best on validation."""


def parse(argv: Sequence[str] | None) -> Options:
    """The flags; names are looked up later, so that --help needs no tables."""
    return cli.read(Options, cli.gathered("--set", argv), prog="python -m benchmarks")


def listing(scale: Scale) -> str:
    """Benchmarks with their scales and the runs of each that are done, whatever their seed; variants with what they are; and for each
    benchmark with a record at `scale`, which variants are done. Own runs stand apart from committed evidence."""
    from benchmarks.registry import BENCHMARKS
    from benchmarks.running.tally import of_all_seeds, remarks, tallies
    from benchmarks.spec import canonical
    from models import VARIANTS

    own, committed = tallies()
    lines = ["Benchmarks (runs done: own + committed evidence)"]
    for b in BENCHMARKS.values():
        head = f"  {b.name:<18} {own.benchmarks[b.name]:>3} + {committed.benchmarks[b.name]:<4}"
        lines += command.wrapped(head, f"{b.title} ({', '.join(b.scales)})")
    lines += ["", "Variants (* default)"]
    for name, variant in VARIANTS.items():
        lines += command.wrapped(f"{'*' if variant.default else ' '} {name:<26}", variant.about)
    lines += ["", f"Seeds done at {scale} scale, own + committed"]
    for b in BENCHMARKS.values():
        if not own.benchmarks[b.name] + committed.benchmarks[b.name]:
            continue
        done = {}
        for name in VARIANTS:
            with suppress(ValueError):  # a row that this task has no recipe for
                key = of_all_seeds(canonical(b.recipe(name, scale).run))
                done[name] = own.counts[key], committed.counts[key]
        words = [f"{name} {mine}+{theirs}" for name, (mine, theirs) in done.items() if mine + theirs]
        if words:
            lines += command.wrapped(f"  {b.name:<18} ", ", ".join(words))
    return "\n".join([*lines, *remarks(own)]) + "\n"


def _describe_try(rates: tuple[str, ...]) -> list[str]:
    """The rates of a try, as a label has them; nothing for those of the recipe."""
    from benchmarks.tuning import AXES

    return [f"({axis} {rate})" for axis, rate in zip(AXES, rates, strict=False) if rate != "x 1"]


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in OF_ONE_RUN:
        command_of_one_run: Callable[[Sequence[str]], int] = importlib.import_module(f"benchmarks.{words[0]}").main
        return command_of_one_run(words[1:])
    options = parse(words)
    if options.list:
        command.require_alone(options, "list", "scale", "plugin")
    plugins.load(options.plugin)
    if options.name is not None:
        cli.require_named("benchmark", options.name, "benchmarks/tasks/*.py")
        cli.require_variants(options.variant)
    from benchmarks.changes import changed
    from benchmarks.registry import BENCHMARKS, select_benchmark, select_variants
    from benchmarks.spec import SCALES, Job
    from benchmarks.tuning import TUNE
    from models.choices.names import choose

    if options.list:
        with cli.as_usage():
            print(listing(choose("scale", options.scale or "quick", {s: s for s in SCALES})), end="")
        return cli.DONE
    if options.name is None:
        raise cli.UsageError(f"name a benchmark: {', '.join(BENCHMARKS)} (or --list)")
    with cli.as_usage():
        selected = select_benchmark(options.name, options.readout, options.protocol, options.set)
        benchmark = selected.benchmark
        scale = benchmark.scales[0] if options.scale is None else choose("scale", options.scale, {s: s for s in SCALES})
        names = select_variants(options.variant, benchmark, scale)
        tries: Mapping[tuple[str, ...], Changes] = TUNE[options.tune] if options.tune else {(): {}}
        jobs = [
            Job(
                f"{benchmark.name} {' '.join([selected.named(name), *_describe_try(rates)])}, seed {seed}",
                replace(changed(benchmark.recipe(name, scale).run, changes), seed=seed),
            )
            for seed in options.seeds
            for name in names
            for rates, changes in tries.items()
        ]
    chosen = ["--variant", ",".join(names), "--scale", scale, *selected.options, *(["--tune", options.tune] if options.tune else [])]
    from benchmarks.running.jobs import run_jobs  # only once every name is known

    report = ["reports", "benchmark", benchmark.name, *chosen]
    page = f"{benchmark.name}{selected.tag}{f'-best-{options.tune}' if options.tune else ''}"
    return run_jobs(jobs, options, ["benchmarks", benchmark.name, *chosen], report, page)


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
