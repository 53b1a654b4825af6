"""python -m benchmarks NAME: runs the recipes of a benchmark that have no finished record yet."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from benchmarks import cli

if TYPE_CHECKING:
    from benchmarks.benchmark import Benchmark
    from benchmarks.spec import Scale


@dataclass(frozen=True, kw_only=True)
class Options(cli.Launch):
    """Train and score variants on one benchmark; finished runs are skipped."""

    name: cli.Name = None
    """The benchmark, see --list."""
    list: Annotated[bool, cli.SHOWN] = False
    """Benchmarks, variants, and how many runs of seeds 0, 1, 2 are done at --scale."""
    variant: cli.Variants = ("default",)
    """Variants, separated by commas; or default (the seven), or all."""
    scale: cli.ScaleName = None
    """Size of the experiment (default: the benchmark's smallest)."""
    readout: cli.Readout = None
    """Where the class is read, for signals followed by noise."""
    protocol: cli.Protocol = None
    """Other choices of protocol, as in source=mini,split=patient; or the word literature: all that published numbers were made with."""


def parse(argv: Sequence[str] | None) -> Options:
    """The flags; names are looked up later, so that --help needs no tables."""
    return cli.read(Options, argv, prog="python -m benchmarks")


def listing(scale: Scale) -> str:
    """Benchmarks with their scales; variants with what they are and, for each benchmark, how many of the runs of seeds 0, 1, 2 are done.

    A column is a benchmark by its number; a dash where it has no such row or scale.
    """
    from benchmarks.registry import BENCHMARKS
    from benchmarks.running.record import FINISHED
    from benchmarks.running.store import Store
    from models import VARIANTS

    store = Store()

    def done(benchmark: Benchmark, variant: str) -> str:
        if not benchmark.has_recipe(variant, scale):
            return "-"
        recipe = benchmark.recipe(variant, scale)
        return str(sum(store.status(recipe.with_seed(seed)) in FINISHED for seed in (0, 1, 2)))

    lines = ["Benchmarks"]
    lines += [f"  {i:2}  {b.name:<18} {b.title} ({', '.join(b.scales)})" for i, b in enumerate(BENCHMARKS.values(), 1)]
    lines += ["", f"Variants (* default), and of the runs of seeds 0, 1, 2 on each benchmark at {scale} scale those done"]
    lines.append(f"  {'':<26}" + "".join(f"{i:>3}" for i in range(1, len(BENCHMARKS) + 1)))
    for name, variant in VARIANTS.items():
        cells = "".join(f"{done(b, name):>3}" for b in BENCHMARKS.values())
        lines.append(f"{'*' if variant.default else ' '} {name:<26}{cells}  {variant.about}")
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = parse(argv)
    from benchmarks.registry import BENCHMARKS, select_benchmark, select_variants
    from benchmarks.spec import SCALES, Job
    from models.names import choose

    if options.list:
        with cli.as_usage():
            print(listing(choose("scale", options.scale or "quick", {s: s for s in SCALES})), end="")
        return cli.DONE
    from benchmarks.running.jobs import run_jobs

    if options.name is None:
        raise cli.UsageError(f"name a benchmark: {', '.join(BENCHMARKS)} (or --list)")
    with cli.as_usage():
        selected = select_benchmark(options.name, options.readout, options.protocol)
        benchmark = selected.benchmark
        scale = benchmark.scales[0] if options.scale is None else choose("scale", options.scale, {s: s for s in SCALES})
        names = select_variants(options.variant, benchmark, scale)
        jobs = [
            Job(f"{benchmark.name} {name}, seed {seed}", benchmark.recipe(name, scale).with_seed(seed))
            for seed in options.seeds
            for name in names
        ]
    chosen = ["--variant", ",".join(names), "--scale", scale, *selected.options]
    return run_jobs(jobs, options, ["benchmarks", benchmark.name, *chosen])


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
