"""Several reports as one: their sections one after the other, their runs in one list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from benchmarks.running.record import FINISHED
from reports import frame
from reports.page import Report, Section


def combine(reports: Sequence[Report], *, name: str, title: str, make: str) -> Report:
    """One report of those among `reports` that have at least one finished run; the others are named as empty in its summary."""
    shown = [r for r in reports if len(r.runs) and r.runs["status"].isin(FINISHED).any()]
    empty = [r.title for r in reports if r not in shown]
    sections: list[Section] = []
    runs: list[pd.DataFrame] = []
    for r in shown:
        first, *rest = r.sections
        head = replace(first, title=f"{r.title} ({r.scale} scale)", text=(r.about, *r.summary, *first.text))
        sections += [replace(s, name=f"{r.name}-{s.name}") for s in (head, *(replace(s, title=f"{r.title}: {s.title}") for s in rest))]
        row = r.runs[list(r.labels)].apply(lambda labels, r=r: f"{r.name}: {' · '.join(str(x) for x in labels if x != '-')}", axis=1)
        runs.append(r.runs.assign(row=row, score=r.runs[r.score]))
    together = pd.concat(runs, ignore_index=True) if runs else pd.DataFrame()
    words = [f"{len(shown)} reports from {together['id'].nunique() if len(together) else 0} runs."]
    if empty:
        words.append(f"No run yet: {'; '.join(empty)}.")
    return Report(
        name=name,
        title=title,
        scale=", ".join(dict.fromkeys(r.scale for r in shown)) or "no",
        about="Every benchmark and every grid that has a record. Tables of different scales are never mixed; each says its own.",
        summary=tuple(words),
        sections=tuple(sections),
        runs=together,
        labels=("row",),
        warnings=tuple(w for r in shown for w in r.warnings),
        environment=frame.environments(together),
        make=make,
        score="score",
    )
