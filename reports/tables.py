"""Which tables there are: a frame of runs -> rows judged against the best -> a `Table` of a benchmark, a grid, or its effects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd

from benchmarks.benchmark import Published
from benchmarks.running.record import FINISHED
from reports import stats
from reports.table import HOLE, Table

K = TypeVar("K")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """How a benchmark's number is read: which key of the record, in what unit, and whether more is better."""

    key: str
    val_key: str
    label: str
    unit: str
    factor: float
    decimals: int
    higher: bool

    def show(self, value: float) -> str:
        return f"{self.factor * value:.{self.decimals}f}" if math.isfinite(value) else HOLE

    def signed(self, value: float) -> str:
        """A difference, with a sign and a true minus."""
        return f"{self.factor * value:+.{self.decimals}f}".replace("-", "−") if math.isfinite(value) else HOLE


METRICS: dict[str, Metric] = {
    "accuracy": Metric(key="test_accuracy", val_key="val_accuracy", label="accuracy", unit="%", factor=100, decimals=2, higher=True),
    "rmse": Metric(key="test_rmse", val_key="val_rmse", label="RMSE", unit="target units", factor=1, decimals=4, higher=False),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """Scores of one row of a table by seed, and how they stand against the best row."""

    runs: pd.DataFrame
    scores: Mapping[int, float]
    summary: stats.Summary
    mark: str = ""
    difference: stats.Difference | None = None
    """To the best row, in the metric's own unit; None for the best row itself and where nothing can be compared."""
    p: float = math.nan
    """Of that difference, after Holm's correction over the table."""


FEW = 10
"""Comparisons in one table up to which each is marked. Corrected for more, three seeds could not tell 20 % from 97 %, and a mark would
mislead; the table of effects, which pools the settings, answers instead."""


def judge(groups: Mapping[K, pd.DataFrame], metric: Metric) -> dict[K, Row]:
    """Each group of runs against the best: "best", "tied" (the paired difference is not significant after Holm), or "".

    The best is sought among the rows with the most finished seeds, so that one lucky seed of a row whose others diverged does not
    win. Where fewer than two seeds are common nothing is tested and nothing marked but the best.
    """
    rows = {}
    for key, runs in groups.items():
        ok = runs[runs["status"] == "ok"]
        scores = {int(s): float(v) for s, v in zip(ok["seed"], ok[metric.key]) if math.isfinite(v)}
        rows[key] = Row(runs=runs, scores=scores, summary=stats.summarize(list(scores.values())))
    most = max((r.summary.n for r in rows.values()), default=0)
    if most == 0:
        return rows
    full = [k for k, r in rows.items() if r.summary.n == most]
    best = max(full, key=lambda k: rows[k].summary.mean * (1 if metric.higher else -1))
    others = [k for k in rows if k != best and rows[k].scores]
    differences = [stats.paired(rows[k].scores, rows[best].scores) for k in others]
    adjusted = stats.holm([d.p for d in differences])
    out = dict(rows)
    if len(rows) > 1:
        out[best] = Row(runs=rows[best].runs, scores=rows[best].scores, summary=rows[best].summary, mark="best")
    for k, d, p in zip(others, differences, adjusted):
        # differences without any spread have no p, and nothing is shown of them either
        tied = len(others) <= FEW and d.n > 1 and not p < 1 - stats.LEVEL
        r = rows[k]
        out[k] = Row(runs=r.runs, scores=r.scores, summary=r.summary, mark="tied" if tied else "", difference=d, p=p)
    return out


def explain(rows: Mapping[Any, Row], metric: Metric) -> str:
    """How to read the marks, with the power these numbers of seeds have."""
    tested = [r.difference.n for r in rows.values() if r.difference is not None and r.difference.n > 1]
    text = f"Mean ± sample standard deviation (number of seeds) of the test {metric.label}, in {metric.unit}. "
    text += "The interval is the 95 % t interval of the mean; one seed has none.\n"
    if metric.unit == "%" and any(r.summary.high > 1 or r.summary.low < 0 for r in rows.values()):
        text = text.removesuffix("\n") + " It knows nothing of the bounds 0 and 100 %.\n"
    if metric.unit != "%" and any(r.summary.low < 0 for r in rows.values()):
        text = text.removesuffix("\n") + " It does not know that an error is no less than 0.\n"
    if not any(r.scores for r in rows.values()):
        return text + "No run has finished yet."
    if not tested:
        return text + "Bold: best mean. No row has two seeds in common with the best, so no difference was tested."
    n = min(tested)
    if len(tested) > FEW:
        return text + (
            f"Bold: best mean among the rows with the most seeds. Single comparisons corrected for {len(tested)} of them show next to "
            f"nothing with {n} common seeds, so none is marked."
        )
    text += (
        "Bold: best mean among the rows with the most seeds. Underlined: not shown to differ from it (t test on differences paired by "
        f"seed, Holm's correction over the {len(tested)} comparisons of this table, 5 % level).\n"
    )
    return text + (
        f"{n} common seeds have little power: the strictest step asks for a mean difference of "
        f"{stats.detectable(n, len(tested)):.1f} standard deviations of the paired differences. Such a row is therefore "
        "not shown to be equal either, and the best row was picked by the very numbers it is tested with."
    )


# ---------------------------------------------------------------------------------------------------------------------
# the tables


def _count(value: float) -> str:
    """12345 -> 12.3K."""
    if not math.isfinite(value):
        return HOLE
    return f"{value / 1e6:.2f}M" if value >= 1e6 else f"{value / 1e3:.1f}K" if value >= 1e3 else f"{value:.0f}"


def finite(runs: pd.DataFrame, key: str) -> list[float]:
    """The values of finished runs; none where the column is not there."""
    return [float(v) for v in runs.loc[runs["status"] == "ok", key] if math.isfinite(v)] if key in runs else []


def constant(rows: Mapping[Any, Row], metric: Metric) -> float:
    """What the constant answer scores by the records of these rows, where it is the same for all; not a number where none says."""
    values = [v for r in rows.values() for v in finite(r.runs, f"{metric.key}_constant")]
    return stats.summarize(values).mean if values else math.nan


def constant_words(rows: Mapping[Any, Row], metric: Metric) -> str:
    """The same as a sentence; none where no record says."""
    value = constant(rows, metric)
    what = "commonest class" if metric.higher else "mean"
    return f"Always answering the {what} of the training labels scores {metric.show(value)} {metric.unit}." if math.isfinite(value) else ""


def _median(runs: pd.DataFrame, key: str) -> float:
    values = runs.loc[runs["status"].isin(FINISHED), key].dropna()
    return float(values.median()) if len(values) else math.nan


def _rates(runs: pd.DataFrame) -> str:
    done = runs[runs["status"].isin(FINISHED)]
    pairs = sorted(
        {(k.replace(", ", ",") or "none", r.replace(", ", ",") or "none") for k, r in zip(done["kernel_lr"], done["rest_lr"]) if k or r}
    )
    return "; ".join(f"{k} / {r}" for k, r in pairs) or HOLE


def score(s: stats.Summary, metric: Metric) -> str:
    """mean ± std (n), as the papers print it."""
    if s.n == 0:
        return HOLE
    return f"{metric.show(s.mean)} ± {metric.show(s.std)} ({s.n})" if s.n > 1 else f"{metric.show(s.mean)} (1)"


def interval(s: stats.Summary, metric: Metric) -> str:
    return f"[{metric.show(s.low)}, {metric.show(s.high)}]" if s.n > 1 else HOLE


def tally(runs: pd.DataFrame) -> str:
    """3/3, or 1/3 with what became of the others."""
    count = runs["status"].value_counts()
    words = {"diverged": "div.", "failed": "failed", "missing": "missing"}
    return ", ".join([f"{count.get('ok', 0)}/{len(runs)}", *(f"{count[k]} {word}" for k, word in words.items() if k in count)])


def benchmark_table(
    runs: pd.DataFrame, *, name: str, title: str, metric: Metric, published: Mapping[str, str] | None = None,
    zero_shot: Mapping[str, str] | None = None,
) -> Table:  # fmt: skip
    """One row per variant, in the order asked. `published` (variant -> text) adds a column and is given only where the published
    setting is what was run (`comparable`); `zero_shot` adds one for each further test."""
    further = {f"{metric.key}_{test}": f"{word} ({metric.unit})" for test, word in (zero_shot or {}).items()}
    rows = judge(dict(iter(runs.groupby("variant", sort=False))), metric) if len(runs) else {}
    heading = f"test {metric.label} ({metric.unit})"
    cells, marks, numbers = [], [], []
    for variant, r in rows.items():
        cost = {k: _median(r.runs, k) for k in ("parameters", "kernel_parameters", "seconds_per_epoch", "peak_memory_mb")}
        cell = {"variant": str(variant), heading: score(r.summary, metric), "95 % interval": interval(r.summary, metric)}
        beyond = {key: stats.summarize(finite(r.runs, key)) for key in further}
        cell |= {further[key]: score(s, metric) for key, s in beyond.items()}
        if published is not None:
            cell["published"] = published.get(str(variant), HOLE)
        cell |= {"params": _count(cost["parameters"]), "kernel": _count(cost["kernel_parameters"])}
        cell["s/epoch"] = f"{cost['seconds_per_epoch']:.2f}" if math.isfinite(cost["seconds_per_epoch"]) else HOLE
        cell["MB"] = f"{cost['peak_memory_mb']:.0f}" if math.isfinite(cost["peak_memory_mb"]) else HOLE
        cell |= {"lr kernel / rest": _rates(r.runs), "runs": tally(r.runs)}
        cells.append(cell)
        marks.append({c: r.mark if c == heading else "" for c in cell})
        d = r.difference
        numbers.append(
            {"variant": variant, "metric": metric.key, "n": r.summary.n, "mean": r.summary.mean, "std": r.summary.std}
            | {"low": r.summary.low, "high": r.summary.high, "difference_to_best": d.mean if d else math.nan}
            | {"p_holm": r.p, "mark": r.mark}
            | {f"{key}_{part}": getattr(s, part) for key, s in beyond.items() for part in ("n", "mean", "std")}
            | cost
            | {f"runs_{k}": int((r.runs["status"] == k).sum()) for k in ("ok", "diverged", "failed", "missing")}
            | {k: "; ".join(sorted({x for x in r.runs[k] if x})) for k in ("kernel_lr", "rest_lr")}
        )
    columns = ["variant", heading, "95 % interval", *further.values(), "params", "kernel", "s/epoch", "MB", "lr kernel / rest", "runs"]
    caption = explain(rows, metric) + (
        "\nparams: all trained real numbers; kernel: those inside the convolution kernels. s/epoch and MB (peak memory): median over "
        "seeds on the machine named below. lr: the learning rates of the optimizer groups as they really were, kernel parameters / all "
        "others. runs: finished of asked; a diverged run (div.) is a result, counted here and not in the mean."
    )
    if words := constant_words(rows, metric):
        caption += f"\n{words}"
    if further:
        caption += (
            f"\n{', '.join((zero_shot or {}).values())}: the same trained weights on the test set sampled so, every step size scaled to "
            "match; nothing was trained on it. A dash: the layer has no step size to scale."
        )
    return Table(
        name=name, title=title, caption=caption, cells=pd.DataFrame(cells, columns=None if cells else columns, dtype=object),
        marks=pd.DataFrame(marks, columns=None if marks else columns, dtype=object), numbers=pd.DataFrame(numbers),
        left=("variant", "lr kernel / rest", "runs"),
    )  # fmt: skip


NO_CHOICE = "-"
"""The level of a factor that a row does not have."""


def word(factor: str, level: str) -> str:
    """A level as it is named without its column head: "yes" alone says nothing."""
    return f"{factor}: {level}" if level in ("yes", "no") else level


def grid_table(runs: pd.DataFrame, *, name: str, title: str, metric: Metric, factors: Sequence[str], column: str) -> Table:
    """A grid of factors: a line per combination of the others, a column per level of `column`; all cells compared as one family."""
    lines_of = [f for f in factors if f != column]
    keys = [*lines_of, column]
    groups = dict(iter(runs.groupby(keys, sort=False))) if len(runs) else {}
    judged = judge(groups, metric)
    levels = [v for v in dict.fromkeys(runs[column]) if v != NO_CHOICE] if len(runs) else []
    heads = {v: word(column, v) for v in levels} | ({NO_CHOICE: f"no {column}"} if any(k[-1] == NO_CHOICE for k in groups) else {})
    lines: dict[tuple[str, ...], dict[str, Row]] = {}
    for key, row in judged.items():
        *line, level = key
        lines.setdefault(tuple(line), {})[heads[level]] = row
    cells, marks, numbers = [], [], []
    for line, found in lines.items():
        labels = dict(zip(lines_of, line))
        text = {}
        for h in heads.values():
            lost = int((found[h].runs["status"] == "diverged").sum()) if h in found else 0
            text[h] = score(found[h].summary, metric) + (f", {lost} div." if lost else "") if h in found else ""
        cells.append(labels | text)
        marks.append(dict.fromkeys(lines_of, "") | {h: found[h].mark if h in found else "" for h in heads.values()})
        for h, r in found.items():
            d = r.difference
            numbers.append(
                labels | {column: h, "n": r.summary.n, "mean": r.summary.mean, "std": r.summary.std}
                | {"low": r.summary.low, "high": r.summary.high, "difference_to_best": d.mean if d else math.nan, "p_holm": r.p}
                | {"mark": r.mark} | {f"runs_{k}": int((r.runs["status"] == k).sum()) for k in ("ok", "diverged", "failed", "missing")}
            )  # fmt: skip
    names = [*lines_of, *heads.values()]
    caption = explain(judged, metric)
    if len(judged) > FEW + 1:
        caption += " The table of effects pools the settings and tests those."
    caption += "\nA dash stands for a choice that the row does not have." if any(NO_CHOICE in line for line in lines) else ""
    caption += " div.: diverged runs, counted and not in the mean." if len(runs) and (runs["status"] == "diverged").any() else ""
    return Table(
        name=name, title=title, caption=caption, cells=pd.DataFrame(cells, columns=names, dtype=object),
        marks=pd.DataFrame(marks, columns=names, dtype=object), numbers=pd.DataFrame(numbers), left=tuple(lines_of),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What one factor moves: for each setting of the others, the differences between two of its levels, by seed."""

    factor: str
    contrast: str
    """"complex − real"."""
    settings: Mapping[str, Mapping[int, float]]

    def overall(self) -> dict[int, float]:
        """By seed, the mean over the settings, for the seeds that every setting has."""
        seeds = set.intersection(*(set(d) for d in self.settings.values())) if self.settings else set()
        return {s: sum(d[s] for d in self.settings.values()) / len(self.settings) for s in sorted(seeds)}


def contrasts(runs: pd.DataFrame, *, metric: Metric, factors: Sequence[str]) -> list[Effect]:
    """Every pair of cells that differ in one factor and nothing else. Two levels: first minus second; more: each minus the first."""
    scores = {
        key: {int(s): float(v) for s, v in zip(part["seed"], part[metric.key]) if math.isfinite(v)}
        for key, part in (runs[runs["status"] == "ok"].groupby(list(factors), sort=False) if len(runs) else ())
    }
    out = []
    for i, factor in enumerate(factors):
        levels = [v for v in dict.fromkeys(runs[factor]) if v != NO_CHOICE] if len(runs) else []
        pairs = [(levels[0], levels[1])] if len(levels) == 2 else [(v, levels[0]) for v in levels[1:]]
        for a, b in pairs:
            settings = {}
            for key in scores:
                other = (*key[:i], b, *key[i + 1 :])
                if key[i] == a and other in scores:
                    d = {s: x - scores[other][s] for s, x in scores[key].items() if s in scores[other]}
                    settings[" · ".join(word(factors[j], v) for j, v in enumerate(key) if j != i and v != NO_CHOICE)] = d
            settings = {k: d for k, d in settings.items() if d}
            if settings:
                out.append(Effect(factor=factor, contrast=f"{a} − {b}", settings=_without_common(settings)))
    return out


def _without_common(settings: Mapping[str, Mapping[int, float]]) -> dict[str, Mapping[int, float]]:
    """Names of settings without the words that all of them share."""
    parts = [name.split(" · ") for name in settings]
    if len(parts) < 2 or len({len(p) for p in parts}) > 1:
        return dict(settings)
    vary = [i for i in range(len(parts[0])) if len({p[i] for p in parts}) > 1]
    return {" · ".join(p[i] for i in vary): d for p, d in zip(parts, settings.values())}


def effects_table(effects: Sequence[Effect], *, name: str, title: str, metric: Metric) -> Table:
    """A line per contrast: mean over settings of the paired difference, its interval over seeds, p after Holm over this table."""
    tests = [stats.paired(e.overall(), dict.fromkeys(e.overall(), 0.0)) for e in effects]
    adjusted = stats.holm([t.p for t in tests])
    unit = "points" if metric.unit == "%" else metric.unit
    show = metric.signed
    cells, numbers = [], []
    for e, t, p in zip(effects, tests, adjusted):
        means = [stats.summarize(list(d.values())).mean for d in e.settings.values()]
        cells.append(
            {"factor": e.factor, "difference": e.contrast, "settings": str(len(means)), f"mean ({unit})": show(t.mean)}
            | {"95 % interval": f"[{show(t.low)}, {show(t.high)}]" if t.n > 1 else HOLE}
            | {"range": f"{show(min(means))} to {show(max(means))}", "n": str(t.n)}
            | {"p (Holm)": f"{p:.3f}" if math.isfinite(p) else HOLE}
        )
        numbers.append(
            {"factor": e.factor, "difference": e.contrast, "settings": len(means), "n": t.n, "mean": t.mean, "low": t.low, "high": t.high}
            | {"smallest": min(means), "largest": max(means), "p": t.p, "p_holm": p}
        )
    names = ["factor", "difference", "settings", f"mean ({unit})", "95 % interval", "range", "n", "p (Holm)"]
    frame = pd.DataFrame(cells, columns=names, dtype=object)
    caption = (
        "Differences between cells that are equal in everything but one factor, paired by seed and averaged over the settings of the other "
        "factors; the interval is the 95 % t interval over seeds, p the paired t test with Holm's correction over this table. "
        "range: smallest and largest mean over "
        "the settings; where these differ in sign, the mean hides an interaction. n: seeds."
    )
    return Table(
        name=name, title=title, caption=caption, cells=frame, marks=frame.map(lambda _: ""), numbers=pd.DataFrame(numbers),
        left=("factor", "difference"),
    )  # fmt: skip


def comparable(runs: pd.DataFrame) -> bool:
    """Whether published numbers may stand beside these: official data at the published setting, in every record there is."""
    sources = {
        str(f.record.spec_full.get("data", {}).get("source", ""))
        for f in runs.get("found", []) if f is not None
    }  # fmt: skip
    return bool(len(runs)) and set(runs["scale"]) == {"paper"} and sources == {"official"}


def published_text(numbers: Sequence[Published], metric: Metric) -> dict[str, str]:
    """variant -> "value ± std" of its first `Published` entry whose status begins with "verified"; values are in the table's unit."""
    verified = [p for p in numbers if p.status.startswith("verified") and not p.zero_shot]
    return {p.variant: _printed(p, metric) for p in reversed(verified)}


def _printed(p: Published, metric: Metric) -> str:
    """In the table's unit; a cross where the source prints that the row did not learn."""
    if math.isnan(p.value):
        return "✗"
    return f"{p.value:.{metric.decimals}f}" + (f" ± {p.std:.{metric.decimals}f}" if p.std is not None else "")


def published_table(
    numbers: Sequence[Published], *, name: str, title: str, metric: Metric, zero_shot: Mapping[str, str] | None = None
) -> Table:
    """What others printed, with where it stands and how it is known; entries that nobody verified are left out."""
    shown = [p for p in numbers if p.status.startswith("verified")]
    rows = [p.variant + (f", {(zero_shot or {})[p.zero_shot]}" if p.zero_shot else "") for p in shown]
    columns = ["row", "published", "source", "known from", "note"]
    cells = [
        (row, _printed(p, metric), p.source, p.status.removeprefix("verified").strip(" ()"), p.note)
        for row, p in zip(rows, shown, strict=True)
    ]
    frame = pd.DataFrame(cells, columns=columns, dtype=object)
    values = [
        {"row": row, "value": p.value, "std": p.std, "source": p.source, "status": p.status, "note": p.note}
        for row, p in zip(rows, shown, strict=True)
    ]
    failed = " ✗: did not learn." if any(math.isnan(p.value) for p in shown) else ""
    return Table(
        name=name,
        title=title,
        caption=f"Test {metric.label}, in {metric.unit}, as printed by others; ± is what the source calls a standard deviation.{failed}",
        cells=frame,
        marks=frame.map(lambda _: ""),
        numbers=pd.DataFrame(values),
        left=("row", "source", "known from", "note"),
    )
