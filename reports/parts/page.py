"""A report as one HTML file that needs nothing else: styles, script and figures inline, no request to anywhere; and an index of several."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Sequence
from pathlib import Path

import jinja2
import pandas as pd

from benchmarks.running.record import FINISHED
from reports.parts.judge import count, median
from reports.parts.report import Plot, Report
from reports.parts.style import BLUE, GRID, INK, MUTED, PAPER
from reports.parts.table import HOLE, Table

FOLDER = Path(__file__).parent


def inline(plot: Plot) -> str:
    """The figure as an element of a page: an <svg> whose colours that differ in dark mode are left to the style sheet and whose ids are
    made unique by its name, or an <img> with the pixels in it where the drawing is a large one."""
    label = plot.alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    kind, content = plot.drawn
    if kind != "svg":
        return f'<img alt="{label}" src="data:image/{kind};base64,{base64.b64encode(content).decode()}">'
    text = content.decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{plot.name}-\1"', text)
    text = re.sub(r'(xlink:href="|url\()#', rf"\1#{plot.name}-", text)
    for color, variable in ((INK, "--ink"), (MUTED, "--muted"), (GRID, "--grid"), (PAPER, "--card"), (BLUE, "--blue")):
        text = text.replace(color, f"var({variable})")
    head, rest = text.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{label}">{rest}'.strip()


def _template(name: str) -> jinja2.Template:
    loader = jinja2.FileSystemLoader(FOLDER)
    env = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return env.get_template(name)


def render_index(
    reports: Sequence[tuple[Report, str]], rows_by_task: Plot, *, strays: pd.DataFrame, empty: Sequence[str], records: int
) -> str:
    """The page that names every report with its best row, its score and its cost; with each, the address of its page. Above them the
    picture of all rows."""
    rows = [{"href": href, "name": r.name, "title": r.title, "scale": r.scale, **_line(r)} for r, href in reports]
    return _template("index.html.j2").render(
        rows=rows, plot=rows_by_task, drawn=inline, strays=strays.to_dict("records"), empty=empty, records=records
    ) + "\n"  # fmt: skip


def _line(report: Report) -> dict[str, str]:
    runs, best = report.runs, report.best
    if not len(runs):
        return dict.fromkeys(("runs", "seeds", "best", "score", "unit", "seconds", "params"), HOLE)
    done = f"{int((runs['status'].isin(FINISHED)).sum())}/{len(runs)}"
    line = {"runs": done, "seeds": str(runs["seed"].nunique())}
    if best is None:
        return line | dict.fromkeys(("best", "score", "unit", "seconds", "params"), HOLE)
    seconds = median(best.runs, "seconds_per_epoch")
    return line | {
        "best": best.name,
        "score": best.score,
        "unit": best.unit,
        "seconds": f"{seconds:.2f}" if math.isfinite(seconds) else HOLE,
        "params": count(median(best.runs, "parameters")),
    }


def render(report: Report, index: str = "") -> str:
    """The page. Equal records give equal bytes. `index`: the address of the page that names all reports, where there is one."""
    runs, missing = report.runs, report.missing()
    return _template("page.html.j2").render(
        report=report,
        index=index,
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
        drawn=inline,
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
