"""Rows of a table against the best of them and against the best constant answer: which is best, by how much, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from benchmarks.running.record import FINISHED
from reports.parts import stats
from reports.parts.chance import Chance, read_chance
from reports.parts.metric import Metric
from reports.parts.report import Best

K = TypeVar("K")

ENOUGH = 5
"""Common seeds from which rows are tested and marked: with fewer a mark would say more than the numbers do."""
MARKED = (
    "Bold: best mean. Underlined: could still be as good, by one 5 % test of the whole {} (paired t tests against the best, one-sided, "
    "Bonferroni over the other rows)."
)
"""How to read what `stats.behind_the_best` marks."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The runs of one row with their scores by seed, and how they stand against the best row."""

    runs: pd.DataFrame
    scores: Mapping[int, float]
    summary: stats.Summary
    best: bool = False
    """It has the best mean of those with the most seeds, whether or not that is shown."""
    mark: str = ""
    """best, tied (not shown to be behind the best), chance (no better than the best constant answer), or nothing."""
    behind: stats.Difference | None = None
    """How far it is behind the best row, paired by seed, in the metric's own unit; below zero where it is ahead on the common seeds."""
    p: float = math.nan
    """Of being this far behind, by one test of the whole table; not a number with fewer than ENOUGH seeds."""
    apart: bool = False
    """Its runs are committed evidence, while other rows were run here: it is shown, and not compared."""

    @property
    def clearly_behind(self) -> bool:
        """Whether it is behind the best row by more than the interval of the difference, by itself."""
        return self.behind is not None and self.behind.above_zero

    @property
    def equal(self) -> bool:
        """Whether it has the scores of the best row, seed for seed."""
        d = self.behind
        return d is not None and d.n == self.summary.n and d.mean == 0 and (d.n == 1 or d.low == d.high == 0)

    @property
    def at_chance(self) -> bool:
        """Whether it has scores and they do not beat the best constant answer."""
        return self.mark == "chance"


def judge(groups: Mapping[K, pd.DataFrame], metric: Metric) -> dict[K, Judged]:
    """Each group of runs against the best constant answer and, where it beats that, against the best of them.

    The best is sought among the rows with the most finished seeds, so that one lucky seed of a row whose others diverged does not
    win. Rows that have ENOUGH of its seeds are tested in one block (`stats.behind_the_best`), and marked "best" and "tied".
    """
    rows = {key: _read(runs, metric) for key, runs in groups.items()}
    chance = chance_of(rows, metric)
    compared = {k: r for k, r in rows.items() if r.scores and not r.apart}
    if compared:
        rows |= _against_the_best(compared, metric)
    if chance is not None:
        rows |= {k: replace(r, mark="chance") for k, r in rows.items() if r.scores and not chance.beaten_by(r.summary.mean, metric.higher)}
    return rows


def _read(runs: pd.DataFrame, metric: Metric) -> Judged:
    scores = scores_of(runs, metric)
    return Judged(runs=runs, scores=scores, summary=stats.summarize(list(scores.values())))


def scores_of(runs: pd.DataFrame, metric: Metric) -> dict[int, float]:
    """Seed -> score of the runs that have one."""
    ok = runs[runs["status"] == "ok"]
    return {int(s): float(v) for s, v in zip(ok["seed"], ok[metric.key]) if math.isfinite(v)}


def _against_the_best(rows: Mapping[K, Judged], metric: Metric) -> dict[K, Judged]:
    sign = 1 if metric.higher else -1
    most = max(r.summary.n for r in rows.values())
    best = max((k for k, r in rows.items() if r.summary.n == most), key=lambda k: sign * rows[k].summary.mean)
    signed = {k: {s: sign * v for s, v in r.scores.items()} for k, r in rows.items()}
    out = {k: replace(r, behind=stats.paired(signed[best], signed[k])) for k, r in rows.items() if k != best}
    out[best] = replace(rows[best], best=True)
    seeds = sorted(signed[best])
    block = [best, *(k for k in rows if k != best and set(seeds) <= set(signed[k]))]
    if len(seeds) < ENOUGH or len(block) < 2:
        return out
    tested = stats.behind_the_best(np.array([[signed[k][s] for s in seeds] for k in block]))
    out[best] = replace(out[best], mark="best")
    for k, p in zip(block[1:], tested[1:], strict=True):
        out[k] = replace(out[k], p=float(p), mark="" if p < 1 - stats.LEVEL else "tied")
    return out


def judge_variants(runs: pd.DataFrame, metric: Metric) -> dict[str, Judged]:
    """The rows of one benchmark, a row per variant in the order asked; rows of committed evidence beside runs of this place come last,
    and are compared with nothing."""
    groups = dict(iter(runs.groupby("variant", sort=False))) if len(runs) else {}
    rows = judge({v: part for v, part in groups.items() if not _is_apart(part, runs)}, metric)
    rows |= {v: replace(_read(part, metric), apart=True) for v, part in groups.items() if _is_apart(part, runs)}
    return rows


def _is_apart(row: pd.DataFrame, runs: pd.DataFrame) -> bool:
    """Whether every run of this row is committed evidence while other rows have runs of this place."""
    made = lambda part: part[part["status"].isin(FINISHED)]
    return bool(len(made(row)) and made(row)["evidence"].all() and not made(runs)["evidence"].all())


def chance_of(rows: Mapping[Any, Judged], metric: Metric) -> Chance | None:
    """What the best constant answer scores by the records of these rows."""
    return read_chance([r.runs for r in rows.values()], metric)


def find_leader(rows: Mapping[K, Judged]) -> K | None:
    """The row with the best mean; None where none beats the constant answer."""
    return next((k for k, r in rows.items() if r.best and not r.at_chance), None)


def describe_leader(rows: Mapping[str, Judged], metric: Metric) -> str:
    """ "s4 and 5 more, 100.00 ± 0.00 (3) %": the row with the best mean, and how many have the same scores; nothing where none learns."""
    best = find_leader(rows)
    if best is None:
        return ""
    level = sum(r.equal for r in rows.values())
    return f"{best}{f' and {level} more' if level else ''}, {metric.score(rows[best].summary)} {metric.unit}"


def list_behind(rows: Mapping[str, Judged], metric: Metric) -> list[str]:
    """The rows that are behind the best by more than the interval of the difference, each with its distance, nearest first."""
    distances = {k: r.behind.mean for k, r in rows.items() if r.clearly_behind and r.behind is not None}
    return [f"{k} ({metric.show(distances[k])})" for k in sorted(distances, key=lambda k: distances[k])]


def common_seeds(rows: Mapping[Any, Judged]) -> int:
    """The most seeds that a row has in common with the best; one where there is no other row."""
    return max((r.behind.n for r in rows.values() if r.behind is not None), default=1)


def explain(rows: Mapping[Any, Judged], metric: Metric, *, behind: bool = True) -> str:
    """How to read a table of these rows, a thought a line. `behind`: whether it has that column."""
    lines = [f"Mean ± sample standard deviation (number of seeds) of the test {metric.label}, in {metric.unit}."]
    if not any(r.scores for r in rows.values()):
        return "\n".join([*lines, "No run has finished yet."])
    if behind:
        lines.append(
            f"Behind the best: the mean difference to the best mean, in {metric.unit_of_differences}, paired by seed, with its 95 % t "
            "interval (two seeds or more); each row by itself, so that of many intervals some miss."
        )
    if any(r.mark in ("best", "tied") for r in rows.values()):
        lines.append(MARKED.format("table") + (" It asks for more than the bracket of one row does." if behind else ""))
    else:
        lines.append("No row is marked as best: that takes five seeds which rows have in common.")
    if tested := describe_test_set(rows):
        lines.append(tested)
    chance = chance_of(rows, metric)
    if chance is not None and any(r.at_chance for r in rows.values()):
        lines.append(f"Grey, °: does not beat a constant answer. {chance.describe(metric)}")
    elif chance is not None and chance.learned is not None:
        lines.append(chance.describe(metric))
    return "\n".join(lines)


def describe_test_set(rows: Mapping[Any, Judged]) -> str:
    """On how many examples every run was tested, which no interval over seeds contains; nothing where the records do not say, or not of one
    number."""
    sizes = {n for r in rows.values() for n in finite(r.runs, "tests")}
    if len(sizes) != 1:
        return ""
    n = int(sizes.pop())
    return f"Intervals are over seeds of training, all tested on the same {n:,} examples: another test set would move all rows."


def describe_rows(rows: Mapping[str, Judged], metric: Metric) -> tuple[str, ...]:
    """Which row is best, by how much and how sure that is, with no more confidence than the numbers carry."""
    done = {k: r for k, r in rows.items() if r.scores and not r.apart}
    if not done:
        return ("No run of this report has a score yet. The commands that make them stand under “What is missing”.", *_lost(rows))
    chance = chance_of(rows, metric)
    learned = {k: r for k, r in done.items() if not r.at_chance}
    if not learned and chance is not None:
        return (f"No row beats a constant answer, so nothing is said about which is better. {chance.describe(metric)}", *_lost(rows))
    best = next(k for k, r in done.items() if r.best)
    said = [f"Best mean test {metric.label}: {best}, {metric.score(done[best].summary)} {metric.unit}"]
    others = {k: r for k, r in done.items() if r.behind is not None and r.behind.n}
    if len(done) == 1:
        said = [f"One row has results so far: {best}, {metric.score(done[best].summary)} {metric.unit}."]
    elif others:
        equal = [k for k, r in others.items() if r.equal]
        following = min(others, key=lambda k: (others[k].equal, others[k].behind.mean))  # type: ignore[union-attr]
        if equal:
            said[0] += f"; {_listed(equal)} {'has' if len(equal) == 1 else 'have'} the same, seed for seed"
        said[0] += _ahead(following, others[following], metric) if len(equal) < len(others) else "."
        said.append(_certainty(done))
    else:
        said[0] += "; no row has a seed in common with it."
    dull = [k for k, r in done.items() if r.at_chance]
    if dull:
        said.append(f"No better than a constant answer: {_listed(dull)}.")
    if stuck := _stuck(learned, chance, metric):
        said.append(f"Seeds that stayed at the constant answer, each by itself, where the mean did not: {_listed(stuck)}.")
    return (" ".join(s for s in said if s), *_lost(rows))


def _stuck(learned: Mapping[str, Judged], chance: Chance | None, metric: Metric) -> list[str]:
    """Rows that learned with some seeds only, each with how many did not: their mean and spread are of two kinds of run."""
    if chance is None:
        return []
    stayed = {k: sum(not chance.beaten_by(score, metric.higher) for score in r.scores.values()) for k, r in learned.items()}
    return [f"{k} {n} of {len(learned[k].scores)}" for k, n in stayed.items() if n]


def _ahead(name: str, r: Judged, metric: Metric) -> str:
    d = r.behind
    assert d is not None
    words = f", {metric.show(d.mean)} {metric.unit_of_differences} ahead of {name}" if d.mean >= 0 else f", before {name}"
    return words + (f" (95 % interval {metric.minus(d.low)} to {metric.minus(d.high)}, paired by seed)." if d.n > 1 else " on one seed.")


def _certainty(done: Mapping[str, Judged]) -> str:
    """What may be said of the order of the rows."""
    tied = [k for k, r in done.items() if r.mark == "tied"]
    if not any(r.mark in ("best", "tied") for r in done.values()):
        n = common_seeds(done)
        return f"{_COUNTS.get(n, str(n))} {'seed' if n == 1 else 'seeds'} in common: too few to call any row best (five are asked for)."
    tested = sum(math.isfinite(r.p) for r in done.values())
    if not tied:
        return f"All {tested} rows that have the same seeds are shown to be behind it."
    return f"Of {tested} rows {tested - len(tied)} are shown to be behind it; not shown to be: {_listed(tied)}."


_COUNTS = {1: "One", 2: "Two", 3: "Three", 4: "Four"}


def machines(parts: Sequence[pd.DataFrame]) -> set[str]:
    """The machines on which the finished runs among `parts` were made."""
    return {str(m) for runs in parts if "machine" in runs for m in runs.loc[runs["status"].isin(FINISHED), "machine"] if m}


def median(runs: pd.DataFrame, key: str) -> float:
    """Of the finished runs that have a number under `key`."""
    if key not in runs:
        return math.nan
    values = runs.loc[runs["status"].isin(FINISHED), key].dropna()
    return float(values.median()) if len(values) else math.nan


def count(value: float) -> str:
    """Writes 12345 as 12.3K."""
    if not math.isfinite(value):
        return "–"
    return f"{value / 1e6:.2f}M" if value >= 1e6 else f"{value / 1e3:.1f}K" if value >= 1e3 else f"{value:.0f}"


def _lost(rows: Mapping[str, Judged]) -> tuple[str, ...]:
    lost = [f"{k} ({n} of {len(r.runs)})" for k, r in rows.items() if (n := int((r.runs["status"] == "diverged").sum()))]
    return (f"Diverged: {_listed(lost)}.",) if lost else ()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1] if names else "none"


def finite(runs: pd.DataFrame, key: str) -> list[float]:
    """The values of finished runs under `key`; none where no record has it."""
    return [float(v) for v in runs.loc[runs["status"] == "ok", key] if math.isfinite(v)] if key in runs else []


def name_best(rows: Mapping[str, Judged], metric: Metric) -> Best | None:
    """The best row of a table as an index of reports names it; None where no row beats a constant answer."""
    best = next(((name, r) for name, r in rows.items() if r.best and not r.at_chance), None)
    return best and Best(name=best[0], score=metric.score(best[1].summary), unit=metric.unit, runs=best[1].runs)


def diverged(runs: pd.DataFrame) -> str:
    """The share of diverged runs among those that are over: "2 of 3, 67 %"; a dash where none is over."""
    over = runs[runs["status"].isin(FINISHED)]
    lost = int((over["status"] == "diverged").sum())
    return f"{lost} of {len(over)}, {100 * lost / len(over):.0f} %" if len(over) else "–"


def tally(runs: pd.DataFrame) -> str:
    """3/3, or 1/3 with what became of the others."""
    count = runs["status"].value_counts()
    words = {"diverged": "div.", "failed": "failed", "missing": "missing"}
    return ", ".join([f"{count.get('ok', 0)}/{len(runs)}", *(f"{count[k]} {word}" for k, word in words.items() if k in count)])
