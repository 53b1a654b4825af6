"""Rows of a table against the best of them: which is best, which are not shown to differ from it, and what may be said of that."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pandas as pd

from reports.parts import stats
from reports.parts.metric import Metric

K = TypeVar("K")


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The runs of one row with their scores by seed, and how they stand against the best row."""

    runs: pd.DataFrame
    scores: Mapping[int, float]
    summary: stats.Summary
    mark: str = ""
    """best, tied, or nothing."""
    difference: stats.Difference | None = None
    """To the best row, in the metric's own unit; None for the best row itself and where nothing can be compared."""
    p: float = math.nan
    """Of that difference, after Holm's correction over the table."""


FEW = 10
"""Comparisons in one table up to which each is marked. Corrected for more, three seeds could not tell 20 % from 97 %, and a mark would
mislead; the table of effects, which pools the settings, answers instead."""


def judge(groups: Mapping[K, pd.DataFrame], metric: Metric) -> dict[K, Judged]:
    """Each group of runs against the best: "best", "tied" (the paired difference is not significant after Holm), or "".

    The best is sought among the rows with the most finished seeds, so that one lucky seed of a row whose others diverged does not
    win. Where fewer than two seeds are common nothing is tested and nothing marked but the best.
    """
    rows = {}
    for key, runs in groups.items():
        ok = runs[runs["status"] == "ok"]
        scores = {int(s): float(v) for s, v in zip(ok["seed"], ok[metric.key]) if math.isfinite(v)}
        rows[key] = Judged(runs=runs, scores=scores, summary=stats.summarize(list(scores.values())))
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
        out[best] = replace(rows[best], mark="best")
    for k, d, p in zip(others, differences, adjusted):
        # differences without any spread have no p, and nothing is shown of them either
        tied = len(others) <= FEW and d.n > 1 and not p < 1 - stats.LEVEL
        out[k] = replace(rows[k], mark="tied" if tied else "", difference=d, p=p)
    return out


def judge_variants(runs: pd.DataFrame, metric: Metric) -> dict[str, Judged]:
    """The rows of one benchmark, a row per variant in the order asked."""
    return judge(dict(iter(runs.groupby("variant", sort=False))) if len(runs) else {}, metric)


def explain(rows: Mapping[Any, Judged], metric: Metric) -> str:
    """How to read the marks of a table, with the power that these numbers of seeds have."""
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


def describe_rows(rows: Mapping[str, Judged], metric: Metric) -> tuple[str, ...]:
    """The table in two or three sentences, with no more confidence than the numbers carry."""
    done = {k: r for k, r in rows.items() if r.scores}
    if not done:
        return ("No run of this report has a record yet. The commands that make them stand under “What is missing”.",)
    constant = tuple(words for words in (constant_words(rows, metric),) if words)
    if len(done) == 1:
        name, r = next(iter(done.items()))
        return (f"One row has results so far: {name}, {metric.score(r.summary)} {metric.unit}.", *constant)
    best = next(k for k, r in done.items() if r.mark == "best")
    tied = [k for k, r in done.items() if r.mark == "tied"]
    common = {k: r.difference.n for k, r in done.items() if r.difference is not None and r.difference.n > 1}
    worse = [k for k in common if k not in tied]
    first = f"Best mean test {metric.label}: {best}, {metric.score(done[best].summary)} {metric.unit}."
    if not common:
        return (first + " With one common seed no difference can be tested.", *constant)
    if len(common) > FEW:
        return (first, *constant)
    second = f"Not shown to differ from it: {_listed(tied)}." if tied else "Every other row is shown to differ from it."
    if tied and worse:
        second += f" Shown to be {'lower' if metric.higher else 'higher'}: {_listed(worse)}."
    if not worse:
        second += f" With {min(common.values())} common seeds only very large differences can be shown."
    lost = [f"{k} ({n} of {len(r.runs)})" for k, r in rows.items() if (n := int((r.runs["status"] == "diverged").sum()))]
    return (f"{first} {second}" + (f" Diverged: {_listed(lost)}." if lost else ""), *constant)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1] if names else "none"


def finite(runs: pd.DataFrame, key: str) -> list[float]:
    """The values of finished runs under `key`; none where no record has it."""
    return [float(v) for v in runs.loc[runs["status"] == "ok", key] if math.isfinite(v)] if key in runs else []


def constant(rows: Mapping[Any, Judged], metric: Metric) -> float:
    """What the constant answer scores by the records of these rows, where it is the same for all; not a number where none says."""
    values = [v for r in rows.values() for v in finite(r.runs, f"{metric.key}_constant")]
    return stats.summarize(values).mean if values else math.nan


def constant_words(rows: Mapping[Any, Judged], metric: Metric) -> str:
    """The same as a sentence; nothing where no record says."""
    value = constant(rows, metric)
    if not math.isfinite(value):
        return ""
    return f"Always answering the {metric.constant_answer} of the training labels scores {metric.show(value)} {metric.unit}."


def tally(runs: pd.DataFrame) -> str:
    """3/3, or 1/3 with what became of the others."""
    count = runs["status"].value_counts()
    words = {"diverged": "div.", "failed": "failed", "missing": "missing"}
    return ", ".join([f"{count.get('ok', 0)}/{len(runs)}", *(f"{count[k]} {word}" for k, word in words.items() if k in count)])
