"""The results of one benchmark: a row per variant with its score, interval and costs; every seed as a dot."""

from __future__ import annotations

import math
from collections.abc import Mapping

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.benchmark import Benchmark
from benchmarks.running.record import FINISHED
from benchmarks.spec import Scale
from reports.parts import dots, stats
from reports.parts.figure import draw_nothing
from reports.parts.judge import Judged, constant_words, explain, finite, tally
from reports.parts.metric import METRICS, Metric
from reports.parts.report import SCALE_WORDS, Plot, Section
from reports.parts.style import RC, WIDTH
from reports.parts.table import HOLE, Table


def compose_results(
    rows: Mapping[str, Judged], benchmark: Benchmark, scale: Scale, *, name: str, published: Mapping[str, str] | None = None
) -> Section:
    """The table and the figure of the judged rows. `published` is given only where those numbers may stand beside ours."""
    metric = METRICS[benchmark.metric]
    table = tabulate_results(
        rows, name=f"{name}-results", title=f"{benchmark.title}, {scale} scale", metric=metric, zero_shot=benchmark.zero_shot,
        published=published,
    )  # fmt: skip
    plot = Plot(
        name=f"{name}-accuracy",
        title=f"Test {metric.label}, every seed",
        figure=draw_scores(rows, metric=metric),
        alt=f"Dot plot of the test {metric.label} of every seed and row, best on top.",
        caption=f"{dots.CAPTION} Sorted, best on top; means at the right.",
    )
    return Section(name="results", title="Results", text=(SCALE_WORDS[scale],), parts=(table, plot))


def tabulate_results(
    rows: Mapping[str, Judged], *, name: str, title: str, metric: Metric, published: Mapping[str, str] | None = None,
    zero_shot: Mapping[str, str] | None = None,
) -> Table:  # fmt: skip
    """One row per variant, in the order asked. `published` (variant -> text) adds a column; `zero_shot` (test -> its word) adds one
    for each further test of the same weights."""
    further = {f"{metric.key}_{test}": f"{word} ({metric.unit})" for test, word in (zero_shot or {}).items()}
    heading = f"test {metric.label} ({metric.unit})"
    cells, marks, numbers = [], [], []
    for variant, r in rows.items():
        cost = {k: _median(r.runs, k) for k in ("parameters", "kernel_parameters", "seconds_per_epoch", "peak_memory_mb")}
        cell = {"variant": variant, heading: metric.score(r.summary), "95 % interval": metric.interval(r.summary)}
        beyond = {key: stats.summarize(finite(r.runs, key)) for key in further}
        cell |= {further[key]: metric.score(s) for key, s in beyond.items()}
        if published is not None:
            cell["published"] = published.get(variant, HOLE)
        cell |= {"params": _count(cost["parameters"]), "kernel": _count(cost["kernel_parameters"])}
        cell["s/epoch"] = f"{cost['seconds_per_epoch']:.2f}" if math.isfinite(cost["seconds_per_epoch"]) else HOLE
        cell["MB"] = f"{cost['peak_memory_mb']:.0f}" if math.isfinite(cost["peak_memory_mb"]) else HOLE
        cell |= {"lr kernel / rest": _rates(r.runs), "runs": tally(r.runs)}
        cells.append(cell)
        marks.append({c: r.mark if c == heading else "" for c in cell})
        numbers.append(
            {"variant": variant, "metric": metric.key, "n": r.summary.n, "mean": r.summary.mean, "std": r.summary.std}
            | {"low": r.summary.low, "high": r.summary.high, "difference_to_best": r.difference.mean if r.difference else math.nan}
            | {"p_holm": r.p, "mark": r.mark}
            | {f"{key}_{part}": getattr(s, part) for key, s in beyond.items() for part in ("n", "mean", "std")}
            | cost
            | {f"runs_{k}": int((r.runs["status"] == k).sum()) for k in ("ok", "diverged", "failed", "missing")}
            | {k: "; ".join(sorted({x for x in r.runs[k] if x})) for k in ("kernel_lr", "rest_lr")}
        )
    columns = ["variant", heading, "95 % interval", *further.values(), "params", "kernel", "s/epoch", "MB", "lr kernel / rest", "runs"]
    return Table(
        name=name, title=title, caption="\n".join(_caption(rows, metric, list((zero_shot or {}).values()))),
        cells=pd.DataFrame(cells, columns=None if cells else columns, dtype=object),
        marks=pd.DataFrame(marks, columns=None if marks else columns, dtype=object), numbers=pd.DataFrame(numbers),
        left=("variant", "lr kernel / rest", "runs"),
    )  # fmt: skip


def _caption(rows: Mapping[str, Judged], metric: Metric, zero_shot: list[str]) -> list[str]:
    """How to read the table, line by line."""
    lines = [
        explain(rows, metric),
        "params: all trained real numbers; kernel: those inside the convolution kernels. s/epoch and MB (peak memory): median over "
        "seeds on the machine named below. lr: the learning rates of the optimizer groups as they really were, kernel parameters / all "
        "others. runs: finished of asked; a diverged run (div.) is a result, counted here and not in the mean.",
    ]
    if words := constant_words(rows, metric):
        lines.append(words)
    if zero_shot:
        lines.append(
            f"{', '.join(zero_shot)}: the same trained weights on the test set sampled so, every step size scaled to "
            "match; nothing was trained on it. A dash: the layer has no step size to scale."
        )
    return lines


def _count(value: float) -> str:
    """12345 -> 12.3K."""
    if not math.isfinite(value):
        return HOLE
    return f"{value / 1e6:.2f}M" if value >= 1e6 else f"{value / 1e3:.1f}K" if value >= 1e3 else f"{value:.0f}"


def _median(runs: pd.DataFrame, key: str) -> float:
    values = runs.loc[runs["status"].isin(FINISHED), key].dropna()
    return float(values.median()) if len(values) else math.nan


def _rates(runs: pd.DataFrame) -> str:
    """The distinct pairs of learning rates, kernel / rest."""
    done = runs[runs["status"].isin(FINISHED)]
    pairs = sorted(
        {(k.replace(", ", ",") or "none", r.replace(", ", ",") or "none") for k, r in zip(done["kernel_lr"], done["rest_lr"]) if k or r}
    )
    return "; ".join(f"{k} / {r}" for k, r in pairs) or HOLE


def draw_scores(rows: Mapping[str, Judged], *, metric: Metric) -> Figure:
    """The rows as dots, sorted, the best on top."""
    if not any(r.scores for r in rows.values()):
        return draw_nothing("no finished run yet")
    sign = -1 if metric.higher else 1
    ordered = sorted(rows, key=lambda v: (rows[v].summary.n == 0, sign * (rows[v].summary.mean if rows[v].summary.n else 0)))
    with mpl.rc_context(RC):
        figure = Figure(figsize=(WIDTH, 0.34 * len(rows) + 0.9), layout="constrained")
        ax = figure.subplots()
        dots.draw_rows(ax, {v: rows[v] for v in ordered}, metric)
        ax.set_xlabel(f"test {metric.label} ({metric.unit})")
    return figure
