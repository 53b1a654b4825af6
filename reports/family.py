"""Several benchmarks side by side, as the papers print them: a row per variant, a column per task; and what others printed, likewise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from benchmarks import registry
from benchmarks.benchmark import Benchmark
from benchmarks.registry import FAMILIES
from benchmarks.spec import SCALES, Scale
from models import VARIANTS
from models.names import choose
from reports import frame, plots, tables
from reports.benchmark import with_second_lines
from reports.evidence import Request
from reports.frame import Expected
from reports.page import Plot, Report, Section
from reports.render import SCALE_WORDS
from reports.table import HOLE, Table
from reports.tables import METRICS, Metric, Row


def request(name: str, seeds: tuple[int, ...], variants: tuple[str, ...], scale: str | None, protocol: str | None = None) -> Request:
    """The runs of every member of a family, and its report. Raises ValueError that names the nearest valid name."""
    title, members = choose("family", name, FAMILIES)
    selected = [registry.select_benchmark(member, protocol=protocol) for member in members]
    size = choose("scale", scale or "quick", {s: s for s in SCALES})
    listed = ",".join(map(str, seeds))
    expected = []
    for a in selected:
        for v in with_second_lines(a.benchmark, size, registry.select_variants(variants, a.benchmark, size), seeds):
            recipe = a.benchmark.recipe(v, size)
            words = ["python -m benchmarks", a.benchmark.name, "--variant", v, "--scale", size, "--seeds", listed, *a.options]
            expected += [
                Expected(
                    labels={"variant": v}, benchmark=a.benchmark.name, id=recipe.with_seed(seed).id, seed=seed, scale=size,
                    command=" ".join(words), about=f"{VARIANTS[v].about} ({VARIANTS[v].citation})", source=recipe.source,
                    notes=recipe.notes,
                )
                for seed in seeds
            ]  # fmt: skip
    words = [f"python -m reports benchmark {name}", *([f"--seeds {listed}"] if seeds != (0, 1, 2) else [])]
    words += [f"--variant {','.join(variants)}"] if variants != ("default",) else []
    words += [f"--scale {scale}"] if scale else []
    words += selected[0].options
    benchmarks = [a.benchmark for a in selected]
    tag = f"family-{name}{selected[0].tag}"
    suffix = f" ({protocol})" if protocol else ""
    return Request(
        expected=expected,
        build=lambda runs: family_report(runs, benchmarks, name=tag, title=title + suffix, scale=size, make=" ".join(words)),
        arrays=False,
    )


def family_report(runs: pd.DataFrame, benchmarks: Sequence[Benchmark], *, name: str, title: str, scale: Scale, make: str) -> Report:
    """One table and one figure of all members; published numbers in the same form below."""
    metric = METRICS[benchmarks[0].metric]
    columns = {}
    for b in benchmarks:
        of_task = dict(iter(runs[runs["benchmark"] == b.name].groupby("variant", sort=False))) if len(runs) else {}
        for heading, key in headings(b, metric).items():
            known = {v: part for v, part in of_task.items() if key in part}
            columns[heading] = tables.judge(known, replace(metric, key=key))
    variants = list(dict.fromkeys(runs["variant"])) if len(runs) else []
    found = {heading: rows for heading, rows in columns.items() if any(r.scores for r in rows.values())}
    constants = {heading: tables.constant(rows, metric) for heading, rows in found.items()}
    summary = f"{len(found)} of {len(columns)} columns have results." if len(found) < len(columns) else "Every task has results."
    sections = [
        Section(
            name="results",
            title="Results",
            text=(SCALE_WORDS[scale],),
            parts=(
                side_by_side(columns, variants, name=f"{name}-results", title=f"{title}, {scale} scale", metric=metric),
                Plot(
                    name=f"{name}-scores", title=f"Test {metric.label}, every seed",
                    figure=plots.panels_of_dots(found, constants, metric=metric),
                    alt=f"Dots of the test {metric.label} of every seed and row, one panel per task.",
                    caption="Every finished seed is a dot, the upright stroke the mean, the pale bar its 95 % t interval (an arrow: it "
                    "goes on outside the frame). Dotted: the constant answer. Each panel has its own axis.",
                ),
            ),
        )
    ]  # fmt: skip
    if any(b.published for b in benchmarks):
        words = (
            "As printed by others at full size. Beside the rows above they stand only where scale, data and protocol agree; the report of "
            "each benchmark says so and gives every source."
        )
        published = published_side_by_side(benchmarks, name=f"{name}-published", title="Published numbers", metric=metric)
        sections.append(Section(name="published", title="Published numbers, side by side", text=(words,), parts=(published,)))
    return Report(
        name=name, title=title, scale=scale, about=" ".join(f"{b.name}: {b.title}." for b in benchmarks), summary=(summary,),
        sections=tuple(sections), runs=runs, labels=("benchmark", "variant"), warnings=tuple(frame.data_disagreements(runs)),
        environment=frame.environments(runs), make=make, score=metric.key,
    )  # fmt: skip


def headings(benchmark: Benchmark, metric: Metric) -> dict[str, str]:
    """Column -> key in the record: the test of a benchmark, and its zero-shot tests."""
    further = {f"{benchmark.name}, {word}": f"{metric.key}_{test}" for test, word in benchmark.zero_shot.items()}
    return {benchmark.name: metric.key, **further}


def side_by_side(columns: Mapping[str, Mapping[str, Row]], variants: Sequence[str], *, name: str, title: str, metric: Metric) -> Table:
    """A row per variant and a column per task, each column judged by itself."""
    cells, marks, numbers = [], [], []
    for v in variants:
        cells.append({"variant": v} | {task: tables.score(rows[v].summary, metric) if v in rows else "" for task, rows in columns.items()})
        marks.append({"variant": ""} | {task: rows[v].mark if v in rows else "" for task, rows in columns.items()})
        for task, rows in columns.items():
            if v in rows:
                s = rows[v].summary
                numbers.append({"variant": v, "benchmark": task, "metric": metric.key, "n": s.n, "mean": s.mean, "std": s.std})
    cells.append({"variant": "constant answer"} | {task: metric.show(tables.constant(rows, metric)) for task, rows in columns.items()})
    marks.append({"variant": ""} | dict.fromkeys(columns, ""))
    names = ["variant", *columns]
    what = "commonest class" if metric.higher else "mean"
    caption = (
        f"Mean ± sample standard deviation (number of seeds) of the test {metric.label}, in {metric.unit}; every column by itself.\n"
        "Bold: best mean among the rows with the most seeds. Underlined: not shown to differ from it (t test on differences paired by "
        "seed, Holm's correction over the column, 5 % level).\n"
        f"Constant answer: the {what} of the training labels, whatever the input. A dash: no run yet."
    )
    return Table(
        name=name, title=title, caption=caption, cells=pd.DataFrame(cells, columns=names, dtype=object),
        marks=pd.DataFrame(marks, columns=names, dtype=object), numbers=pd.DataFrame(numbers), left=("variant",),
    )  # fmt: skip


def published_side_by_side(benchmarks: Sequence[Benchmark], *, name: str, title: str, metric: Metric) -> Table:
    """The first verified number of every row for every task, rows in the order in which they first appear."""
    texts: dict[str, dict[str, str]] = {}
    for b in benchmarks:
        texts[b.name] = tables.published_text(b.published, metric)
        for test, word in b.zero_shot.items():
            ordinary = [replace(p, zero_shot="") for p in b.published if p.zero_shot == test]
            texts[f"{b.name}, {word}"] = tables.published_text(ordinary, metric)
    rows = list(dict.fromkeys(p.variant for b in benchmarks for p in b.published if any(p.variant in known for known in texts.values())))
    cells = [{"row": v} | {task: of_task.get(v, HOLE) for task, of_task in texts.items()} for v in rows]
    numbers = [
        {"row": p.variant, "benchmark": b.name, "test": p.zero_shot, "value": p.value, "std": p.std}
        | {"source": p.source, "status": p.status, "note": p.note}
        for b in benchmarks for p in b.published if p.status.startswith("verified")
    ]  # fmt: skip
    shown = pd.DataFrame(cells, columns=["row", *texts], dtype=object)
    caption = (
        f"Test {metric.label}, in {metric.unit}; ± is what the source calls a standard deviation. ✗: did not learn. A dash: no number that "
        "could be verified. Sources and notes stand in the report of each benchmark, and in the CSV of this table."
    )
    return Table(
        name=name, title=title, caption=caption, cells=shown, marks=shown.map(lambda _: ""), numbers=pd.DataFrame(numbers), left=("row",)
    )
