"""A report as one HTML file that needs nothing else: styles, script and vector figures inline, no request to anywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from reports.parts.figure import save
from reports.parts.report import Report
from reports.parts.style import BLUE, GRID, INK, MUTED, PAPER
from reports.parts.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATE = Path(__file__).with_name("page.html.j2")


def inline_svg(figure: Figure, name: str, alt: str) -> str:
    """The figure as an <svg> element of a page: ids made unique by `name`; colours that differ in dark mode left to the style sheet."""
    text = save(figure, "svg", transparent=True).decode()
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
    runs, missing = report.runs, report.missing()
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
