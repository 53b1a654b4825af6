"""python -m benchmarks NAME: runs the recipes of a benchmark that have no finished record yet."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks import cli


def parser() -> cli.Parser:
    """The flags; names are looked up after parsing, so that --help needs no tables."""
    p = cli.Parser("python -m benchmarks", "Train and score variants on one benchmark; finished runs are skipped.")
    p.add_argument("name", nargs="?", metavar="NAME", help="the benchmark, see --list")
    p.add_argument("--list", action="store_true", help="benchmarks, variants, scales, and how many of the runs of seeds 0, 1, 2 are done")
    p.add_argument("--variant", type=cli.words, default=("default",), metavar="A,B", help="variants; or default (the seven), or all")
    p.add_argument("--scale", default=None, metavar="quick|small|paper", help="size of the experiment (default: the benchmark's smallest)")
    cli.add_launch_options(p)
    return p


def variants(wanted: Sequence[str]) -> tuple[str, ...]:
    """Names of variants, with the words default and all written out. Raises ValueError."""
    from models import DEFAULT_VARIANTS, VARIANTS
    from models.names import unknown

    out: list[str] = []
    for word in wanted:
        if word in ("default", "all"):
            out += DEFAULT_VARIANTS if word == "default" else VARIANTS
        elif word in VARIANTS:
            out.append(word)
        else:
            raise ValueError(unknown("variant", word, ["default", "all", *VARIANTS]))
    return tuple(dict.fromkeys(out))


def listing() -> str:
    """Every benchmark with its scales, and per variant how many records of the seeds 0, 1, 2 are done."""
    from benchmarks.record import Store
    from benchmarks.registry import BENCHMARKS
    from models import VARIANTS

    store, lines = Store(), []
    for benchmark in BENCHMARKS.values():
        lines.append(f"{benchmark.name}: {benchmark.title}. Scales: {', '.join(benchmark.scales)}")
        for scale in benchmark.scales:
            lines.append(f"  {'variant':<26}done ({scale}, seeds 0,1,2)")
            for name, variant in VARIANTS.items():
                try:
                    recipe = benchmark.recipe(name, scale)
                except ValueError:
                    continue  # this benchmark has no recipe for it
                done = sum(store.status(recipe.with_seed(seed).id) in ("ok", "diverged") for seed in (0, 1, 2))
                lines.append(f"  {name:<26}{done}/3{'   default' if variant.default else ''}")
        lines.append("")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options: argparse.Namespace = parser().parse(argv)
    if options.list:
        print(listing(), end="")
        return cli.DONE
    from benchmarks.launch import run_jobs
    from benchmarks.registry import BENCHMARKS
    from benchmarks.spec import SCALES, Job
    from models.names import choose

    if options.name is None:
        raise cli.UsageError(f"name a benchmark: {', '.join(BENCHMARKS)} (or --list)")
    with cli.as_usage():
        benchmark = choose("benchmark", options.name, BENCHMARKS)
        scale = benchmark.scales[0] if options.scale is None else choose("scale", options.scale, {s: s for s in SCALES})
        names = variants(options.variant)
        jobs = [
            Job(f"{benchmark.name} {name}, seed {seed}", benchmark.recipe(name, scale).with_seed(seed))
            for seed in options.seeds
            for name in names
        ]
    return run_jobs(jobs, options, ["benchmarks", benchmark.name, "--variant", ",".join(names), "--scale", scale])


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
