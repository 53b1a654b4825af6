"""python -m benchmarks.speed.profile NAME: where the time of a training step goes, by part; the numbers go into the run store."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import data.signals  # noqa: F401 the first of ours: what follows takes seconds
from benchmarks import cli
from benchmarks.running.environment import Runtime, choose_device, usable_cores
from benchmarks.speed import allocation

PROG: Final = "python -m benchmarks.speed.profile"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Train rows of a benchmark for a few steps under torch's profiler, and say what each part of a step costs."""

    name: cli.Name = None
    """The benchmark."""
    variant: cli.Variants = ("default",)
    """Variants, separated by commas; or default (the rows of the papers), or all."""
    scale: cli.ScaleName = None
    """Size of the experiment (default: the benchmark's smallest)."""
    device: Annotated[str, cli.option("--device", cli.one_of("device", cli.DEVICES), "|".join(cli.DEVICES)), cli.SHOWN] = "auto"
    """Where to train; auto takes the GPU where there is one."""
    threads: Annotated[int | None, cli.option("--threads", cli.positive, "N"), cli.SHOWN] = None
    """CPU threads (default: one for each core)."""


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = cli.read(Options, argv, prog=PROG)
    if options.name is None:
        raise cli.UsageError(f"a step of what benchmark? {PROG} NAME (python -m benchmarks --list)")
    cli.require_named("benchmark", options.name, "benchmarks/tasks/*.py")
    cli.require_variants(options.variant)
    allocation.settle()
    from benchmarks.registry import BENCHMARKS, select_variants
    from benchmarks.spec import SCALES
    from benchmarks.speed.profiled import profile
    from models.choices.names import choose

    with cli.as_usage():
        benchmark = choose("benchmark", options.name, BENCHMARKS)
        scale = benchmark.scales[0] if options.scale is None else choose("scale", options.scale, {s: s for s in SCALES})
        rows = {name: benchmark.recipe(name, scale) for name in select_variants(options.variant, benchmark, scale)}
    runtime = Runtime(device=choose_device(options.device), threads=options.threads or usable_cores())
    for name, recipe in rows.items():
        found = profile(recipe.run, name, runtime)
        print(f"{name}: {1e3 * found.seconds:.4g} ms a step ({found.environment['device']}, {runtime.threads} threads)")
        for part, seconds in found.parts.items():
            share = seconds / found.seconds
            print(f"    {part:<15} {1e3 * seconds:9.3g} ms {100 * share:5.1f} %  {'#' * round(40 * share)}".rstrip())
        found.write()
    return cli.DONE


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
