"""The report of one benchmark: a row per variant, how it learned, what is inside its kernels, and what others printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from benchmarks import plugins, registry
from benchmarks.benchmark import Benchmark
from benchmarks.changes import changed
from benchmarks.cli import in_words
from benchmarks.registry import BENCHMARKS, Selection
from benchmarks.running.store import Store
from benchmarks.spec import SCALES, Scale
from benchmarks.tuning import AXES, COMMON, TUNE
from models import VARIANTS
from models.choices.names import choose
from reports.parts import frame
from reports.parts.fingerprints import read_fingerprints
from reports.parts.frame import Expected, usable
from reports.parts.judge import describe_rows, judge_variants, name_best
from reports.parts.metric import metric_of
from reports.parts.report import Report
from reports.request import Request, Seeds, command, row_flags
from reports.sections.along import compose_tries
from reports.sections.examples import compose_examples
from reports.sections.inside import compose_inside
from reports.sections.published import compose_published, may_stand_beside, read_published
from reports.sections.results import compose_results
from reports.sections.training import compose_training
from reports.sections.tuned import choose_rates, chosen_runs, compose_tuned, describe_tuned, most

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
    changes: str | None = None,
    tune: str | None = None,
) -> Request:
    """The report of a benchmark, read out or prepared otherwise, with fields of its runs set, or with every row at its best rates, if
    asked. Raises ValueError that names the nearest valid name."""
    selected = registry.select_benchmark(choose("benchmark", name, BENCHMARKS).name, readout, protocol, changes)
    if tune is not None:
        return _request_tuned(name, choose("tuning", tune, {t: t for t in TUNE}), selected, seeds, variants, scale)
    return _request(("benchmark", name), name + selected.tag, selected, seeds, variants, scale, store)


def _request_tuned(name: str, tune: str, selected: Selection, seeds: Seeds, variants: tuple[str, ...], scale: str | None) -> Request:
    benchmark = selected.benchmark
    size = benchmark.scales[0] if scale is None else choose("scale", scale, {s: s for s in SCALES})
    names = registry.select_variants(variants, benchmark, size)
    words = ("benchmark", name, *row_flags(seeds, names if "all" in variants else variants, scale), *selected.options, "--tune", tune)
    train = ["python -m benchmarks", name, "--variant", ",".join(names), "--scale", size, *selected.options, "--tune", tune]
    expected = []
    for variant in names:
        recipe = benchmark.recipe(variant, size)
        expected += [
            Expected(
                labels={"variant": selected.named(variant), **dict(zip(AXES, rates, strict=True))}, benchmark=name, id=spec.id, seed=seed,
                scale=size, command=" ".join([*train, "--seeds", in_words(seeds)]), source=recipe.source, notes=recipe.notes,
                about=f"{VARIANTS[variant].about} ({VARIANTS[variant].citation})",
            )
            for rates, changes in TUNE[tune].items()
            for seed in seeds
            for spec in [replace(changed(recipe.run, changes), seed=seed)]
        ]  # fmt: skip
    page = f"{name}{selected.tag}-best-{tune}"
    return Request(
        name=page, words=words, expected=expected,
        build=lambda runs: report_tuned(runs, benchmark, size, name=page, make=command(words)),
    )  # fmt: skip


def report_tuned(runs: pd.DataFrame, benchmark: Benchmark, scale: Scale, *, name: str, make: str) -> Report:
    """One benchmark, each row at those of its tried rates that are best on validation; `runs` are all tries."""
    metric = metric_of(benchmark, scale)
    tuned = choose_rates(runs, "variant", AXES, metric)
    chosen = report_benchmark(chosen_runs(tuned), benchmark, scale, name=name, make=make)
    best, along = compose_tuned(tuned, COMMON, AXES, metric, name=name), compose_tries(runs, AXES, metric, name=name)
    return replace(
        chosen, title=f"{benchmark.title}, each row at the best of {most(tuned)} rates", runs=runs,
        sections=(best, along, *chosen.sections),
        summary=(*describe_tuned(tuned, COMMON, metric), *chosen.summary), labels=("variant", *AXES),
    )  # fmt: skip


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
    rows = registry.select_variants(variants, benchmark, scale)
    for v in with_second_lines(benchmark, scale, rows, seeds, store):
        recipe = benchmark.recipe(v, scale)
        words = [
            "python -m benchmarks",
            benchmark.name,
            "--variant",
            v,
            "--scale",
            scale,
            "--seeds",
            in_words(seeds),
            *selected.options,
            *plugins.flags(),
        ]
        expected += [
            Expected(
                labels={"variant": selected.named(v)}, benchmark=benchmark.name, id=recipe.with_seed(seed).id, seed=seed, scale=scale,
                command=" ".join(words), about=f"{VARIANTS[v].about} ({VARIANTS[v].citation})", source=recipe.source,
                notes=recipe.notes,
            )
            for seed in seeds
        ]  # fmt: skip
    return [*expected, *(_unchanged(selected, scale, rows, seeds, store) if selected.changes else [])]


def _unchanged(selected: Selection, scale: Scale, rows: Sequence[str], seeds: Seeds, store: Store) -> list[Expected]:
    """The same rows without the change, where there is a run of them."""
    plain = registry.select_benchmark(selected.benchmark.name, selected.readout, selected.protocol)
    same = {selected.benchmark.recipe(v, scale).with_seed(seed).id for v in rows for seed in seeds}
    known = [e for e in expect_rows(plain, scale, rows, seeds, store) if e.id not in same]
    shown = {e.labels["variant"] for e in known if usable(store, e.benchmark, e.id)}
    return [e for e in known if e.labels["variant"] in shown]


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
    about = f"A smaller task here, after this one: {benchmark.about}" if benchmark.reduced_at(scale) else benchmark.about
    return Report(
        name=name, title=benchmark.title_at(scale), scale=scale, about=about, summary=describe_rows(rows, metric),
        sections=tuple(s for s in sections if s),
        runs=runs, labels=("variant",), warnings=(*frame.data_disagreements(runs), *fingerprints.trouble),
        environment=frame.environments(runs), make=make, score=metric.key,
        best=name_best(rows, metric),
    )  # fmt: skip
