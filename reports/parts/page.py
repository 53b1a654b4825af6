"""A report as one HTML file that needs nothing else: styles, script and vector figures inline, no request to anywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from reports import plots
from reports.parts.style import BLUE, GRID, INK, MUTED, PAPER
from reports.parts.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATE = Path(__file__).with_name("page.html.j2")


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A figure with its words: `alt` for those who cannot see it, `caption` says what is seen and how to read it."""

    name: str
    title: str
    figure: Figure
    alt: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading, paragraphs, and tables and plots in the order given."""

    name: str
    title: str
    text: tuple[str, ...] = ()
    parts: tuple[Table | Plot, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything a page says. Sections are results; what follows them (missing runs, provenance, environment) comes from `runs`."""

    name: str
    title: str
    scale: str
    about: str
    summary: tuple[str, ...]
    sections: tuple[Section, ...]
    runs: pd.DataFrame
    labels: tuple[str, ...]
    """The columns of `runs` that name a row of the table."""
    warnings: tuple[str, ...] = ()
    environment: pd.DataFrame = field(default_factory=pd.DataFrame)
    make: str = ""
    """The command that renders this page."""
    score: str = "test_accuracy"

    def tables(self) -> list[Table]:
        return [p for s in self.sections for p in s.parts if isinstance(p, Table)]

    def plots(self) -> list[Plot]:
        return [p for s in self.sections for p in s.parts if isinstance(p, Plot)]


def inline_svg(figure: Figure, name: str, alt: str) -> str:
    """The figure as an <svg> element of a page: ids made unique by `name`; colours that differ in dark mode left to the style sheet."""
    text = plots.save(figure, "svg", transparent=True).decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'(xlink:href="|url\()#', rf"\1#{name}-", text)
    for color, variable in ((INK, "--ink"), (MUTED, "--muted"), (GRID, "--grid"), (PAPER, "--card"), (BLUE, "--blue")):
        text = text.replace(color, f"var({variable})")
    label = alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    head, rest = text.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{label}">{rest}'.strip()


def render(report: Report) -> str:
    """The page. Equal records give equal bytes."""
    import jinja2

    loader = jinja2.FileSystemLoader(TEMPLATE.parent)
    env = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    runs = report.runs
    missing = runs[runs["status"].isin(["missing", "failed"])] if len(runs) else runs
    return env.get_template(TEMPLATE.name).render(
        report=report,
        counts={s: int((runs["status"] == s).sum()) if len(runs) else 0 for s in ("ok", "diverged", "failed", "missing")},
        commands=_commands(missing),
        missing=missing.to_dict("records"),
        runs=runs.to_dict("records"),
        recipes=_recipes(runs, report.labels),
        rows=_rows(runs, report.labels),
        seeds=sorted({int(s) for s in runs["seed"]}) if len(runs) else [],
        codes=sorted({c for c in runs["code"] if c}) if len(runs) else [],
        devices=sorted({d for d in runs["device"] if d}) if len(runs) else [],
        environment=report.environment.to_dict("records"),
        svg=lambda p: inline_svg(p.figure, p.name, p.alt),
        is_table=lambda p: isinstance(p, Table),
    ) + "\n"  # fmt: skip


def _commands(runs: pd.DataFrame) -> Sequence[str]:
    return list(dict.fromkeys(runs["command"])) if len(runs) else []


def _recipes(runs: pd.DataFrame, labels: Sequence[str]) -> list[dict[str, object]]:
    """Rows of the table that share a source and its notes, together."""
    grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for _, r in runs.drop_duplicates(list(labels)).iterrows() if len(runs) else ():
        if r["source"] or r["notes"]:
            grouped.setdefault((r["source"], r["notes"]), []).append(" · ".join(str(r[k]) for k in labels if r[k]))
    return [{"rows": names, "source": source, "notes": notes} for (source, notes), names in grouped.items()]


def _rows(runs: pd.DataFrame, labels: Sequence[str]) -> list[dict[str, object]]:
    first = runs.drop_duplicates(list(labels)) if len(runs) else runs
    return [r for r in first.to_dict("records") if r["about"]]
