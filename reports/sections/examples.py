"""Rows compared example by example, where both kept what they answer on the test set: how often one is right and the other is not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.running.record import DamagedRecord
from reports.parts import stats
from reports.parts.judge import Judged
from reports.parts.report import Section
from reports.parts.table import HOLE, Table

CAPTION = "\n".join(
    (
        "Both networks of a seed on the same test set. Only the best, only this row: scored items that one of them answers rightly and the "
        "other does not, a number per seed that both kept predictions of.",
        "p: the exact McNemar test of each pair of networks, by which equal ones disagree as often either way; adjusted by Holm's method "
        "for the number of tests in the table. It speaks of these trained networks; what another seed would give, the intervals above say.",
    )
)


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """Two networks of one seed on the same examples."""

    seed: int
    items: int
    only_best: int
    only_row: int

    @property
    def p(self) -> float:
        """See `stats.mcnemar`."""
        return stats.mcnemar(self.only_best, self.only_row)


def compose_examples(rows: Mapping[str, Judged], *, name: str) -> Section | None:
    """The best row against every other that kept predictions of a seed of its; None where there is no such pair, or nothing to be right
    about, as in regression."""
    best = next((variant for variant, r in rows.items() if r.best), None)
    if best is None:
        return None
    answers = {variant: _answers(r.runs) for variant, r in rows.items() if not r.apart}
    found = {variant: _disagreements(answers[best], theirs) for variant, theirs in answers.items() if variant != best}
    found = {variant: pairs for variant, pairs in found.items() if pairs}
    return Section(name="examples", title="Example by example", parts=(tabulate_examples(best, found, name=name),)) if found else None


def tabulate_examples(best: str, found: Mapping[str, list[Disagreement]], *, name: str) -> Table:
    """A line per row; the numbers behind it have one per row and seed."""
    adjusted = iter(stats.holm([pair.p for pairs in found.values() for pair in pairs]))
    cells, numbers = [], []
    for variant, pairs in found.items():
        p = [next(adjusted) for _ in pairs]
        cells.append(
            {"variant": variant, "seeds": ", ".join(str(pair.seed) for pair in pairs), "items": str(pairs[0].items)}
            | {f"only {best}": ", ".join(str(pair.only_best) for pair in pairs)}
            | {"only this row": ", ".join(str(pair.only_row) for pair in pairs), "p": ", ".join(map(_p, p))}
        )
        numbers += [
            {"best": best, "variant": variant, "seed": pair.seed, "items": pair.items, "only_best": pair.only_best}
            | {"only_row": pair.only_row, "p": pair.p, "p_holm": q}
            for pair, q in zip(pairs, p, strict=True)
        ]
    table = pd.DataFrame(cells, dtype=object)
    return Table(
        name=f"{name}-examples", title=f"Where {best} and another row disagree", caption=CAPTION, cells=table,
        marks=table.map(lambda _: ""), numbers=pd.DataFrame(numbers), left=("variant",),
    )  # fmt: skip


def _p(p: float) -> str:
    return HOLE if not math.isfinite(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _answers(runs: pd.DataFrame) -> dict[int, tuple[str, np.ndarray]]:
    """Seed -> (content of the data, whether each item was answered rightly), of the runs that kept that."""
    out = {}
    for seed, data, found in zip(runs["seed"], runs["data"], runs["found"]):
        try:
            kept = found.predictions() if found is not None else {}
        except DamagedRecord:  # of what is beside the record: the report does without
            continue
        if "correct" in kept:
            out[int(seed)] = str(data), kept["correct"]
    return out


def _disagreements(best: Mapping[int, tuple[str, np.ndarray]], row: Mapping[int, tuple[str, np.ndarray]]) -> list[Disagreement]:
    pairs = []
    for seed in sorted(set(best) & set(row)):
        (data, a), (other, b) = best[seed], row[seed]
        if data == other and a.shape == b.shape:
            pairs.append(Disagreement(seed=seed, items=len(a), only_best=int((a & ~b).sum()), only_row=int((b & ~a).sum())))
    return pairs
