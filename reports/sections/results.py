"""The results of one benchmark: a row per variant with its score, interval and costs; every seed as a dot."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.benchmark import Benchmark
from benchmarks.running.record import FINISHED
from benchmarks.spec import Scale
from reports.parts import dots, frame, stats
from reports.parts.figure import draw_nothing
from reports.parts.judge import Judged, chance_of, count, explain, finite, machines, median, tally
from reports.parts.metric import Metric, metric_of
from reports.parts.report import SCALE_WORDS, Plot, Section
from reports.parts.style import WIDTH, drawing
from reports.parts.table import HOLE, Table


def compose_results(
    rows: Mapping[str, Judged], benchmark: Benchmark, scale: Scale, *, name: str, published: Mapping[str, str] | None = None
) -> Section:
    """The table and the figure of the judged rows. `published` is given only where those numbers may stand beside ours."""
    metric = metric_of(benchmark, scale)
    table = tabulate_results(
        rows, name=f"{name}-results", title=f"{benchmark.title_at(scale)}, {scale} scale", metric=metric,
        zero_shot=benchmark.tests_at(scale), published=published,
    )  # fmt: skip
    own = [f"{dots.CAPTION} Sorted, best on top; means at the right."]
    if any(r.at_chance for r in rows.values()):
        own.append("Grey and hollow: rows that do not beat a constant answer, the dotted line.")
    if any(r.apart for r in rows.values()):
        own.append("†: committed evidence, not run here.")
    plot = Plot(
        name=f"{name}-accuracy",
        title=f"Test {metric.label}, every seed",
        figure=draw_scores(rows, metric=metric),
        alt=f"Dot plot of the test {metric.label} of every seed and row, best on top.",
        caption="\n".join(own),
    )
    return Section(name="results", title="Results", text=(SCALE_WORDS[scale],), parts=(table, plot))


def tabulate_results(
    rows: Mapping[str, Judged], *, name: str, title: str, metric: Metric, published: Mapping[str, str] | None = None,
    zero_shot: Mapping[str, str] | None = None,
) -> Table:  # fmt: skip
    """One row per variant, in the order asked, committed evidence apart below. `published` (variant -> text) adds a column; `zero_shot`
    (test -> its word) adds one for each further test of the same weights."""
    further = {f"{metric.key}_{test}": f"{word} ({metric.unit})" for test, word in (zero_shot or {}).items()}
    heading, behind = f"test {metric.label} ({metric.unit})", "behind the best"
    here = machines([r.runs for r in rows.values() if not r.apart])
    cells, marks, numbers = [], [], []
    for variant, r in rows.items():
        cost = {k: median(r.runs, k) for k in ("parameters", "kernel_parameters", "seconds_per_epoch", "peak_memory_mb")}
        if r.apart and machines([r.runs]) != here:  # of another machine: no time to compare
            cost |= {"seconds_per_epoch": math.nan, "peak_memory_mb": math.nan}
        cell = {"variant": named(variant, r), heading: metric.score(r.summary), behind: _behind(r, metric)}
        beyond = {key: stats.summarize(finite(r.runs, key)) for key in further}
        cell |= {further[key]: metric.score(s) for key, s in beyond.items()}
        if published is not None:
            cell["published"] = published.get(variant, HOLE)
        cell |= {"params": count(cost["parameters"]), "kernel": count(cost["kernel_parameters"])}
        cell["s/epoch"] = f"{cost['seconds_per_epoch']:.2f}" if math.isfinite(cost["seconds_per_epoch"]) else HOLE
        cell["MB"] = f"{cost['peak_memory_mb']:.0f}" if math.isfinite(cost["peak_memory_mb"]) else HOLE
        cell |= {"lr kernel / rest": _rates(r.runs), "runs": tally(r.runs)}
        cells.append(cell)
        marks.append({c: r.mark if c == heading else "" for c in cell})
        d = r.behind
        numbers.append(
            {"variant": variant, "metric": metric.key, "n": r.summary.n, "mean": r.summary.mean, "std": r.summary.std}
            | {"low": r.summary.low, "high": r.summary.high, "best": r.best, "behind": d.mean if d else math.nan}
            | {"behind_low": d.low if d else math.nan, "behind_high": d.high if d else math.nan, "common_seeds": d.n if d else 0}
            | {"p_behind": r.p, "mark": r.mark, "evidence": r.apart}
            | {f"{key}_{part}": getattr(s, part) for key, s in beyond.items() for part in ("n", "mean", "std")}
            | cost
            | {f"runs_{k}": int((r.runs["status"] == k).sum()) for k in ("ok", "diverged", "failed", "missing")}
            | {k: "; ".join(sorted({x for x in r.runs[k] if x})) for k in ("kernel_lr", "rest_lr")}
        )
    columns = ["variant", heading, behind, *further.values(), "params", "kernel", "s/epoch", "MB", "lr kernel / rest", "runs"]
    return Table(
        name=name, title=title, caption="\n".join(_caption(rows, metric, list((zero_shot or {}).values()))),
        cells=pd.DataFrame(cells, columns=None if cells else columns, dtype=object),
        marks=pd.DataFrame(marks, columns=None if marks else columns, dtype=object), numbers=pd.DataFrame(numbers),
        left=("variant", "lr kernel / rest", "runs"),
    )  # fmt: skip


def named(variant: str, r: Judged) -> str:
    """The name of a row, with a dagger where it is committed evidence beside runs of this place."""
    return f"{variant} †" if r.apart else variant


def _behind(r: Judged, metric: Metric) -> str:
    if r.best:
        return "best"
    return metric.lead(r.behind) if r.behind is not None and r.behind.n else HOLE


def _caption(rows: Mapping[str, Judged], metric: Metric, zero_shot: list[str]) -> list[str]:
    """How to read the table, line by line."""
    lines = [
        explain(rows, metric),
        "params: all trained numbers; kernel: those inside the convolution kernels. s/epoch, MB (peak memory): medians over seeds, "
        "beside whatever else the machine did at the time; the page on speed compares rows at rest. lr: the "
        "rates as they really were, kernel parameters / all others. runs: finished of asked; a diverged run (div.) is a result, counted "
        "here and not in the mean.",
    ]
    if made := frame.made_on(pd.concat([r.runs for r in rows.values() if not r.apart] or [pd.DataFrame()])):
        lines.append(f"Made on {made}.")
    if apart := [r.runs for r in rows.values() if r.apart]:
        lines.append(
            f"†: committed evidence, not run here, and compared with nothing; made on {frame.made_on(pd.concat(apart))}. "
            "Its times are left out where the machine is another."
        )
    if zero_shot:
        lines.append(
            f"{', '.join(zero_shot)}: the same trained weights on the test set sampled so, every step size scaled to "
            "match; nothing was trained on it. A dash: the layer has no step size to scale."
        )
    return lines


def _rates(runs: pd.DataFrame) -> str:
    """The distinct pairs of learning rates, kernel / rest."""
    done = runs[runs["status"].isin(FINISHED)]
    pairs = sorted(
        {(k.replace(", ", ",") or "none", r.replace(", ", ",") or "none") for k, r in zip(done["kernel_lr"], done["rest_lr"]) if k or r}
    )
    return "; ".join(f"{k} / {r}" for k, r in pairs) or HOLE


def draw_scores(rows: Mapping[str, Judged], *, metric: Metric) -> Figure:
    """The rows as dots, sorted, the best on top; committed evidence beside runs of this place apart, below."""
    if not any(r.scores for r in rows.values()):
        return draw_nothing("no finished run yet")
    sign = -1 if metric.higher else 1
    place = lambda v: (rows[v].apart, rows[v].summary.n == 0, sign * (rows[v].summary.mean if rows[v].summary.n else 0))
    ordered = sorted(rows, key=place)
    with drawing():
        figure = Figure(figsize=(WIDTH, 0.34 * len(rows) + 0.9), layout="constrained")
        ax = figure.subplots()
        dots.draw_rows(ax, {v: rows[v] for v in ordered}, metric, names=[named(v, rows[v]) for v in ordered])
        if any(r.at_chance for r in rows.values()):
            dots.draw_chance(ax, chance_of(rows, metric), metric)
        ax.set_xlabel(f"test {metric.label} ({metric.unit})")
    return figure
