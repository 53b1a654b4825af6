"""The report of one benchmark: a row per variant, how it learned, what is inside its kernels, and what others printed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from benchmarks import plugins, registry
from benchmarks.benchmark import Benchmark
from benchmarks.registry import BENCHMARKS, Selection
from benchmarks.running.store import Store
from benchmarks.spec import SCALES, Scale
from models import VARIANTS
from models.choices.names import choose
from reports.parts import frame
from reports.parts.fingerprints import read_fingerprints
from reports.parts.frame import Expected, usable
from reports.parts.judge import describe_rows, judge_variants, name_best
from reports.parts.metric import metric_of
from reports.parts.report import Report
from reports.request import Request, Seeds, command, listed, row_flags
from reports.sections.examples import compose_examples
from reports.sections.inside import compose_inside
from reports.sections.published import compose_published, may_stand_beside, read_published
from reports.sections.results import compose_results
from reports.sections.training import compose_training

QUICKSTART = "digits-noise"
"""The benchmark of the quickstart: no download, minutes on two cores."""


def request_quickstart(seeds: Seeds, variants: tuple[str, ...], store: Store) -> Request:
    """The report of the benchmark that everybody can run, under a name of its own. Raises ValueError that names the nearest variant."""
    return _request(("quickstart",), "quickstart", registry.select_benchmark(QUICKSTART), seeds, variants, None, store)


def request_benchmark(
    name: str,
    seeds: Seeds,
    variants: tuple[str, ...],
    scale: str | None,
    store: Store,
    *,
    readout: str | None = None,
    protocol: str | None = None,
) -> Request:
    """The report of a benchmark, read out or prepared otherwise if asked. Raises ValueError that names the nearest valid name."""
    selected = registry.select_benchmark(choose("benchmark", name, BENCHMARKS).name, readout, protocol)
    return _request(("benchmark", name), name + selected.tag, selected, seeds, variants, scale, store)


def _request(
    kind: tuple[str, ...], name: str, selected: Selection, seeds: Seeds, variants: tuple[str, ...], scale: str | None, store: Store
) -> Request:
    benchmark = selected.benchmark
    size = benchmark.scales[0] if scale is None else choose("scale", scale, {s: s for s in SCALES})
    if "all" in variants:  # written out: a variant that comes later makes no hole in what was asked for today
        variants = registry.select_variants(variants, benchmark, size)
    words = (*kind, *row_flags(seeds, variants, scale), *selected.options)
    return Request(
        name=name,
        words=words,
        expected=expect_rows(selected, size, variants, seeds, store),
        build=lambda runs: report_benchmark(runs, benchmark, size, name=name, make=command(words)),
    )


def expect_rows(selected: Selection, scale: Scale, variants: Sequence[str], seeds: Seeds, store: Store) -> list[Expected]:
    """The runs of these variants with every seed, row by row. Raises ValueError for a variant that is not there."""
    benchmark = selected.benchmark
    expected = []
    for v in with_second_lines(benchmark, scale, registry.select_variants(variants, benchmark, scale), seeds, store):
        recipe = benchmark.recipe(v, scale)
        words = [
            "python -m benchmarks",
            benchmark.name,
            "--variant",
            v,
            "--scale",
            scale,
            "--seeds",
            listed(seeds),
            *selected.options,
            *plugins.flags(),
        ]
        expected += [
            Expected(
                labels={"variant": v}, benchmark=benchmark.name, id=recipe.with_seed(seed).id, seed=seed, scale=scale,
                command=" ".join(words), about=f"{VARIANTS[v].about} ({VARIANTS[v].citation})", source=recipe.source,
                notes=recipe.notes,
            )
            for seed in seeds
        ]  # fmt: skip
    return expected


def with_second_lines(benchmark: Benchmark, scale: Scale, rows: Sequence[str], seeds: Seeds, store: Store) -> list[str]:
    """`rows`, each followed by the same parameterization at its own paper's learning rates where `store` has a run of that."""
    out = []
    for row in rows:
        out.append(row)
        for second in (name for name, v in VARIANTS.items() if v.second_line_of == row and name not in rows):
            ids = (benchmark.recipe(second, scale).with_seed(seed).id for seed in seeds)
            if any(usable(store, benchmark.name, id) for id in ids):
                out.append(second)
    return out


def report_benchmark(runs: pd.DataFrame, benchmark: Benchmark, scale: Scale, *, name: str, make: str) -> Report:
    """One benchmark, a row per variant of `runs`. `make` is the command that renders it."""
    metric = metric_of(benchmark, scale)
    rows = judge_variants(runs, metric)
    fingerprints = read_fingerprints(runs)
    beside = may_stand_beside(runs, benchmark)
    sections = [
        compose_results(rows, benchmark, scale, name=name, published=read_published(benchmark.published, metric) if beside else None),
        compose_examples(rows, name=name),
        compose_training(runs, benchmark, scale, name=name),
        compose_inside(fingerprints, list(rows), benchmark, scale, name=name),
    ]
    if benchmark.published and not benchmark.reduced_at(scale):
        sections.append(compose_published(benchmark, metric, name=name, beside=beside))
    return Report(
        name=name, title=benchmark.title_at(scale), scale=scale, about=benchmark.about, summary=describe_rows(rows, metric),
        sections=tuple(s for s in sections if s),
        runs=runs, labels=("variant",), warnings=(*frame.data_disagreements(runs), *fingerprints.trouble),
        environment=frame.environments(runs), make=make, score=metric.key,
        best=name_best(rows, metric),
    )  # fmt: skip
