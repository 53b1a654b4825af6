"""From one end of an ordered factor to the other: how much each line of a grid gains or loses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ablations.grid import Ablation
from reports.parts import stats
from reports.parts.metric import Metric
from reports.parts.stats import Difference
from reports.parts.table import HOLE, Table
from reports.sections.along import Line, name_line, ordered
from reports.sections.grid import Key


@dataclass(frozen=True)
class Change:
    """What becomes of one line between the two ends, paired by seed."""

    key: Key
    """Its levels of the other factors."""
    first: str
    last: str
    difference: Difference


def find_changes(lines: Mapping[Key, Line], metric: Metric) -> list[Change]:
    """The lines that have scores at both ends of the factor, those that come off best first."""
    levels = ordered({level: None for line in lines.values() for level in line})
    if len(levels) < 2:
        return []
    first, last = levels[0], levels[-1]
    both = {key: line for key, line in lines.items() if first in line and last in line}
    changes = [Change(key, first, last, stats.paired(line[last].scores, line[first].scores)) for key, line in both.items()]
    sign = -1 if metric.higher else 1
    return sorted((c for c in changes if c.difference.n), key=lambda c: sign * c.difference.mean)


def describe_ends(changes: Sequence[Change], ablation: Ablation, metric: Metric) -> tuple[str, ...]:
    """The line that comes off best and the one that comes off worst; nothing where fewer than two have both ends."""
    if len(changes) < 2:
        return ()
    best, worst = changes[0], changes[-1]
    named = [name_line(c.key, _others(ablation)) for c in (best, worst)]
    said = [metric.change(c.difference) for c in (best, worst)]
    return (
        f"From {best.first} to {best.last} ({ablation.along}) the test {metric.label} of {named[0]} moves by {said[0]} "
        f"{metric.unit_of_differences}, that of {named[1]} by {said[1]}: the ends of {len(changes)} lines.",
    )


def tabulate_ends(changes: Sequence[Change], ablation: Ablation, metric: Metric) -> Table:
    """A row for each line."""
    head = f"change ({metric.unit_of_differences})"
    labels = [dict(zip(_others(ablation), c.key, strict=True)) for c in changes]
    numbers = [{"change": c.difference.mean, "low": c.difference.low, "high": c.difference.high, "n": c.difference.n} for c in changes]
    texts = [
        {head: metric.signed(d.mean), "95 % interval": metric.range_of(d) if d.n > 1 else HOLE, "n": str(d.n)}
        for d in (c.difference for c in changes)
    ]
    cells = pd.DataFrame([own | text for own, text in zip(labels, texts, strict=True)], dtype=object)
    return Table(
        name=f"{ablation.page}-ends", title=f"From {changes[0].first} to {changes[0].last}",
        caption=f"Change of the test {metric.label} from the first level of {ablation.along} to the last, all else equal: mean over the "
        "seeds that have both, with its 95 % t interval; what comes off best stands first. n: seeds.",
        cells=cells, marks=cells.map(lambda _: ""),
        numbers=pd.DataFrame([own | number for own, number in zip(labels, numbers, strict=True)]), left=tuple(_others(ablation)),
    )  # fmt: skip


def _others(ablation: Ablation) -> list[str]:
    return [f for f in ablation.factors if f != ablation.along]
