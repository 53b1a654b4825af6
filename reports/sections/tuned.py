"""Rows at the best of the rates that each of them tried, the same number for all; chosen on validation, then read from the test."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from reports.parts import stats
from reports.parts.judge import MARKED, Judged, finite, judge, scores_of
from reports.parts.metric import Metric
from reports.parts.report import Section
from reports.parts.table import HOLE, Table

Try = tuple[str, ...]
"""A level of each factor that is tried."""


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What became of the tries of one row."""

    tries: Mapping[Try, pd.DataFrame]
    """The runs of each, in the order asked."""
    best: Try
    """The one chosen; the first, where none has a finished run."""
    done: int
    """How many of the tries have a run that is over."""

    @property
    def runs(self) -> pd.DataFrame:
        """The runs of the try that was chosen."""
        return self.tries[self.best]


def choose_rates(runs: pd.DataFrame, row: str, tried: Sequence[str], metric: Metric) -> dict[str, Tuned]:
    """For each level of the factor `row` the levels of the factors `tried` with the best mean validation score over seeds.

    A try of which more seeds finished goes before one of which fewer did, so that a rate at which some seeds diverge is not chosen for
    those that did not.
    """
    out = {}
    for name, part in runs.groupby(row, sort=False) if len(runs) else ():
        tries = {tuple(key): of for key, of in part.groupby(list(tried), sort=False)}
        over = {key: int(of["status"].isin(["ok", "diverged"]).sum()) for key, of in tries.items()}
        out[str(name)] = Tuned(tries=tries, best=max(tries, key=lambda k: _rank(tries[k], metric)), done=sum(n > 0 for n in over.values()))
    return out


def _rank(runs: pd.DataFrame, metric: Metric) -> tuple[int, float]:
    validation = stats.summarize(finite(runs, metric.val_key))
    return validation.n, (1 if metric.higher else -1) * validation.mean if validation.n else -math.inf


def chosen_runs(tuned: Mapping[str, Tuned]) -> pd.DataFrame:
    """The runs of every row at its chosen rates."""
    return pd.concat([t.runs for t in tuned.values()], ignore_index=True) if tuned else pd.DataFrame()


def compose_tuned(tuned: Mapping[str, Tuned], common: Try, tried: Sequence[str], metric: Metric, *, name: str) -> Section:
    """The table of rows at their best rates; `common` are the levels that all rows share in ordinary tables."""
    rows = judge({row: t.runs for row, t in tuned.items()}, metric)
    table = tabulate_tuned(tuned, rows, common, tried, metric, name=f"{name}-tuned")
    words = (
        f"Each row at the best of {most(tuned)} rates, the same for all, chosen by the mean validation score over the seeds. The tests of "
        "the others were read for this page and had no part in the choice."
    )
    return Section(name="tuned", title=f"Best of {most(tuned)} rates", text=(words,), parts=(table,))


def most(tuned: Mapping[str, Tuned]) -> int:
    """How many rates a row tries."""
    return max((len(t.tries) for t in tuned.values()), default=0)


def tabulate_tuned(
    tuned: Mapping[str, Tuned], rows: Mapping[str, Judged], common: Try, tried: Sequence[str], metric: Metric, *, name: str
) -> Table:
    """A line per row: which rates, validation and test there, the test at the common rates and what tuning gave, by seed."""
    heading = f"best of {most(tuned)} rates ({metric.unit})"
    texts, marks, numbers = [], [], []
    for row, t in tuned.items():
        judged = rows[row]
        validation = stats.summarize(finite(t.runs, metric.val_key))
        usual = scores_of(t.tries[common], metric) if common in t.tries else {}
        gain = stats.paired(judged.scores, usual)
        chosen = t.done and judged.scores
        distance = judged.behind
        text = {"row": row}
        text |= dict(zip(tried, t.best if chosen else [HOLE] * len(tried), strict=True))
        text |= {f"validation ({metric.unit})": metric.score(validation), heading: metric.score(judged.summary)}
        text |= {f"common rates ({metric.unit})": metric.score(stats.summarize(list(usual.values())))}
        text |= {"gain": metric.change(gain) if t.best != common and gain.n else HOLE}
        text |= {"behind the best": "best" if judged.best else metric.lead(distance) if distance is not None and distance.n else HOLE}
        text |= {"tried": f"{t.done} of {len(t.tries)}"}
        texts.append(text)
        marks.append({c: judged.mark if c == heading else "" for c in text})
        numbers.append(
            {"row": row} | dict(zip(tried, t.best, strict=True))
            | {"validation": validation.mean, "n": judged.summary.n, "mean": judged.summary.mean, "std": judged.summary.std}
            | {"common": stats.summarize(list(usual.values())).mean, "gain": gain.mean, "gain_low": gain.low, "gain_high": gain.high}
            | {"tried": t.done, "tries": len(t.tries)}
        )  # fmt: skip
    caption = (
        f"Mean ± sample standard deviation (number of seeds), in {metric.unit}: validation and test {metric.label} at the rates that were "
        "best on validation, and the test at the rates that all rows share. gain: the difference of the two tests in "
        f"{metric.unit_of_differences}, paired by seed, with its 95 % t interval; it is of the try that looked best, and so a little too "
        "good. Rates are multiples of the recipe's."
    )
    if any(r.mark in ("best", "tied") for r in rows.values()):
        caption += f"\n{MARKED.format('table')}"
    return Table(
        name=name, title=f"Rows at the best of {most(tuned)} rates", caption=caption, cells=pd.DataFrame(texts, dtype=object),
        marks=pd.DataFrame(marks, dtype=object), numbers=pd.DataFrame(numbers), left=("row",),
    )  # fmt: skip


def describe_tuned(tuned: Mapping[str, Tuned], common: Try, metric: Metric) -> tuple[str, ...]:
    """How many rows change their rates, and the order of the rows before and after, in two sentences."""
    done = {row: t for row, t in tuned.items() if t.done and len(scores_of(t.runs, metric))}
    if len(done) < 2:
        return ()
    sign = 1 if metric.higher else -1
    mean = lambda runs: sign * stats.summarize(list(scores_of(runs, metric).values())).mean
    moved = sum(t.best != common for t in done.values())
    said = f"{moved} of {len(done)} rows do best on validation at other rates than the common ones."
    before = {row: mean(t.tries[common]) for row, t in done.items() if common in t.tries}
    if len(before) == len(done) and all(math.isfinite(v) for v in before.values()):
        first = max(before, key=before.__getitem__)
        after = max(done, key=lambda row: mean(done[row].runs))
        still = "still " if first == after else ""
        said += f" At the common rates {first} has the best mean test; with each row at the best of {most(tuned)} it is {still}{after}."
    return (said,)
