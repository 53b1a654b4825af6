"""The report of a family: several benchmarks side by side, and what others printed for them, likewise."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from benchmarks import registry
from benchmarks.benchmark import Benchmark, Published
from benchmarks.registry import FAMILIES
from benchmarks.running.store import Store
from benchmarks.spec import SCALES, Scale
from models.choices.names import choose
from reports.benchmark import expect_rows
from reports.parts import frame
from reports.parts.metric import METRICS
from reports.parts.report import Report
from reports.request import Request, Seeds, command, row_flags
from reports.sections.family import compose_family, describe_columns, judge_columns
from reports.sections.published import compose_published_side_by_side


def request_family(
    name: str, seeds: Seeds, variants: tuple[str, ...], scale: str | None, store: Store, *, protocol: str | None = None
) -> Request:
    """The report of every member of a family. Raises ValueError that names the nearest valid name."""
    title, members, averages = choose("family", name, FAMILIES)
    selected = [registry.select_benchmark(member, protocol=protocol) for member in members]
    size = choose("scale", scale or "quick", {s: s for s in SCALES})
    words = ("family", name, *row_flags(seeds, variants, scale), *selected[0].options)
    benchmarks = [s.benchmark for s in selected]
    called = f"family-{name}{selected[0].tag}"
    heading = title + (f" ({protocol})" if protocol else "")
    return Request(
        name=called,
        words=words,
        expected=[e for s in selected for e in expect_rows(s, size, variants, seeds, store)],
        build=lambda runs: report_family(runs, benchmarks, size, name=called, title=heading, make=command(words), averages=averages),
        arrays=False,
    )


def report_family(
    runs: pd.DataFrame,
    benchmarks: Sequence[Benchmark],
    scale: Scale,
    *,
    name: str,
    title: str,
    make: str,
    averages: Sequence[Published] = (),
) -> Report:
    """One table and one figure of all members; published numbers, `averages` among them, in the same form below. `make` is the command that
    renders it."""
    metric = METRICS[benchmarks[0].metric]
    columns = judge_columns(runs, benchmarks, scale)
    variants = list(dict.fromkeys(runs["variant"])) if len(runs) else []
    filled = sum(any(r.scores for r in column.rows.values()) for column in columns.values())
    words = [f"{filled} of {len(columns)} columns have results." if filled < len(columns) else "Every task has results."]
    scored = {h: [r for r in column.rows.values() if r.scores] for h, column in columns.items()}
    if idle := [heading for heading, rows in scored.items() if rows and all(r.at_chance for r in rows)]:
        words.append(f"No row beats a constant answer in {', '.join(idle)}.")
    summary = (" ".join(words), *describe_columns(columns, variants))
    sections = [compose_family(columns, variants, scale, name=name, title=title)]
    whole = [b for b in benchmarks if not b.reduced_at(scale)]  # no published number stands beside a smaller task
    if any(b.published for b in whole):
        all_of_them = averages if len(whole) == len(benchmarks) else ()
        sections.append(compose_published_side_by_side(whole, name=name, averages=all_of_them))
    return Report(
        name=name, title=title, scale=scale, about=" ".join(f"{b.name}: {b.title_at(scale)}." for b in benchmarks), summary=summary,
        sections=tuple(sections), runs=runs, labels=("benchmark", "variant"), warnings=tuple(frame.data_disagreements(runs)),
        environment=frame.environments(runs), make=make, score=metric.key,
    )  # fmt: skip
