"""The report of a benchmark: its rows and seeds as expected runs, rendered by `render`."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from benchmarks import registry
from benchmarks.benchmark import Benchmark
from benchmarks.registry import BENCHMARKS
from benchmarks.spec import SCALES, Scale
from models import VARIANTS
from models.names import choose
from reports.evidence import Request
from reports.frame import Expected, everywhere, usable
from reports.page import Report
from reports.render import benchmark_report
from reports.tables import METRICS

QUICKSTART = "digits-noise"
"""The benchmark of the quickstart: no download, minutes on two cores."""


def benchmark_name(kind: str, name: str | None) -> str:
    """The benchmark that `kind` and `name` ask for. Raises ValueError that names the nearest."""
    if choose("report", kind, {k: k for k in ("quickstart", "benchmark")}) == "quickstart":
        if name is not None:
            raise ValueError(f"quickstart is a report of its own and takes no name; got {name!r}")
        return QUICKSTART
    if name is None:
        raise ValueError(f"benchmark of what? one of: {', '.join(BENCHMARKS)}")
    return choose("benchmark", name, BENCHMARKS).name


def request(
    kind: str,
    name: str | None,
    seeds: tuple[int, ...],
    variants: tuple[str, ...],
    scale: str | None,
    *,
    readout: str | None = None,
    protocol: str | None = None,
) -> Request:
    """The runs of a benchmark, row by row, and its report. Raises ValueError that names the nearest valid name."""
    selected = registry.select_benchmark(benchmark_name(kind, name), readout, protocol)
    benchmark, suffix = selected.benchmark, "".join(f" {word}" for word in selected.options)
    size = benchmark.scales[0] if scale is None else choose("scale", scale, {s: s for s in SCALES})
    rows = with_second_lines(benchmark, size, registry.select_variants(variants, benchmark, size), seeds)
    recipes = {v: benchmark.recipe(v, size) for v in rows}
    listed = ",".join(map(str, seeds))
    expected = [
        Expected(
            labels={"variant": v}, benchmark=benchmark.name, id=recipe.with_seed(seed).id, seed=seed, scale=size,
            command=f"python -m benchmarks {benchmark.name} --variant {v} --scale {size} --seeds {listed}{suffix}",
            about=f"{VARIANTS[v].about} ({VARIANTS[v].citation})", source=recipe.source, notes=recipe.notes,
        )
        for v, recipe in recipes.items() for seed in seeds
    ]  # fmt: skip
    words = ["python -m reports", kind, *([name] if name else [])]
    words += [f"--seeds {listed}"] if seeds != (0, 1, 2) else []
    words += [f"--variant {','.join(variants)}"] if variants != ("default",) else []
    words += [f"--scale {scale}"] if scale else []
    words += [suffix.strip()] if suffix else []
    folder = "quickstart" if kind == "quickstart" else benchmark.name
    data = next(iter(recipes.values())).run.data
    noise = getattr(data, "noise", 0)  # of the data sets only the noise-padded ones have it: how far back the signal lies

    def build(runs: pd.DataFrame) -> Report:
        return benchmark_report(
            runs, name=folder + selected.tag, title=benchmark.title, about=benchmark.about,
            metric=METRICS[benchmark.metric], scale=size, make=" ".join(words), published=benchmark.published,
            beside=benchmark.beside, zero_shot=benchmark.zero_shot, lags=(noise, data.signature.length - 1) if noise else None,
        )  # fmt: skip

    return Request(expected=expected, build=build)


def with_second_lines(benchmark: Benchmark, scale: Scale, rows: Sequence[str], seeds: Sequence[int]) -> list[str]:
    """`rows`, each followed by the same parameterization at its own paper's learning rates where somebody has run that."""
    store, out = everywhere(), []
    for row in rows:
        out.append(row)
        for second in (name for name, v in VARIANTS.items() if v.second_line_of == row and name not in rows):
            ids = (benchmark.recipe(second, scale).with_seed(seed).id for seed in seeds)
            if any(usable(store, benchmark.name, id) for id in ids):
                out.append(second)
    return out
