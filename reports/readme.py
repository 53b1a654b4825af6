"""The committed reports on one Markdown page, reports/README.md, and the few of them that README.md shows between markers.

A line of a caption that stands word for word in several reports is printed once, under "How to read", where every one of its tables and
figures points.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from benchmarks.running.store import write_atomically
from reports.overview import Overview
from reports.parts.markdown import embed, picture
from reports.parts.report import Plot, Report, Section
from reports.parts.table import Table, escape_markdown

Part = Table | Plot
Shared = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Kind of table or figure -> line of its captions -> names of the reports in which it stands, two or more."""

INTRODUCTION = (
    "Every committed table and figure, written by `python -m reports everything --commit` from the records in `records/` alone. "
    "The same tables as text and Markdown are in `tables/`, the figures in `figures/`: SVG, or PNG where that would be large. Arrays, "
    "from which the inside of kernels is drawn, are committed for two benchmarks only."
)


def write_block(report: Report, readme: Path) -> bool:
    """Replaces what stands between the markers of this report by its summary, its first table and its first figure; False where the file
    has no markers for it."""
    block = "\n\n".join([_headline(report), report.tables()[0].markdown().strip(), picture(report.plots()[0], "reports/figures")])
    return _replace_between(f"<!-- results: {report.name} -->", f"<!-- end results: {report.name} -->", block, readme)


def _replace_between(start: str, end: str, block: str, readme: Path) -> bool:
    text = readme.read_text(encoding="utf-8")
    if start not in text or end not in text:
        return False
    pattern = re.escape(start) + ".*?" + re.escape(end)
    fresh = re.sub(pattern, lambda _: f"{start}\n\n{block}\n\n{end}", text, flags=re.DOTALL)
    write_atomically(readme, fresh.encode())
    return True


def write_map(overview: Overview, readme: Path) -> bool:
    """Replaces what stands between the markers of the picture of all rows and of the table of all benchmarks; False where the file lacks
    either."""
    drawn = _replace_between("<!-- rows -->", "<!-- end rows -->", picture(overview.picture, "reports/figures"), readme)
    return _replace_between("<!-- benchmarks -->", "<!-- end benchmarks -->", overview.benchmarks.markdown().strip(), readme) and drawn


def write_page(reports: Sequence[Report], path: Path, strays: pd.DataFrame | None = None, overview: Overview | None = None) -> None:
    """A list of contents, the picture of all rows and the table of all benchmarks, how to read what stands in several reports, a section
    for each, and the records that none of them shows."""
    shared, repeated = find_shared(reports), find_repeated(reports)
    chapters = ["- [Which row, which benchmark](#which-row-which-benchmark)"] if overview else []
    chapters += ["- [How to read the tables and figures](#how-to-read)", *map(_entry, reports)]
    blocks = ["# Results", INTRODUCTION, "\n".join(chapters)]
    if overview:
        as_text = f"The same [as a table](tables/{overview.scores.name}.md)."
        blocks += ["## Which row, which benchmark", picture(overview.picture, "figures"), as_text, overview.benchmarks.markdown().strip()]
    blocks += ["## How to read", *_readings(reports, shared)]
    for report in reports:
        blocks += [f"## {report.name}", _headline(report), report.about, *report.warnings]
        first_table, first_plot = report.tables()[0], report.plots()[0]
        blocks += [_place(part, report, shared, repeated) for part in (first_table, first_plot)]
        shown = (first_table, first_plot)
        if further := sum(part not in shown for s in report.sections for part in s.parts):
            inside = [text for s in report.sections for text in _unfold(s, shown, report, shared, repeated)]
            blocks += [f"<details><summary>{further} more figures and tables</summary>", *inside, "</details>"]
        blocks.append(f"Rendered by `{report.make}`.")
    if strays is not None and len(strays):
        columns = ["benchmark", "what", "scale", "seed", "status", "test", "record"]
        lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
        lines += ["| " + " | ".join(escape_markdown(str(r[k])) for k in columns) + " |" for r in strays.to_dict("records")]
        blocks += ["## Records of no recipe any more", f"{len(strays)} committed records that no report above asks for.", "\n".join(lines)]
    write_atomically(path, ("\n\n".join(blocks) + "\n").encode())


def _unfold(section: Section, shown: Sequence[Part], report: Report, shared: Shared, repeated: Mapping[str, str]) -> list[str]:
    """What a section has beyond the parts that are `shown` already: its words, where none of it is, and each part; tables have titles."""
    rest = [part for part in section.parts if part not in shown]
    texts = [*section.text] if len(rest) == len(section.parts) else []
    for part in rest:
        texts += [f"**{escape_markdown(part.title)}**"] if isinstance(part, Table) else []
        texts.append(_place(part, report, shared, repeated))
    return texts


def _headline(report: Report) -> str:
    size = f" ({report.size})" if report.size else ""
    return f"**{report.title}**{size}. {' '.join(report.summary)}"


def _entry(report: Report) -> str:
    return f"- [{report.name}](#{report.name}): {report.heading}"


def _kind(part: Part, report: Report) -> str:
    """What tells the tables and figures of one report apart: "results", "memory"."""
    return part.name.removeprefix(f"{report.name}-")


def find_shared(reports: Sequence[Report]) -> Shared:
    """The lines of captions that stand in several reports."""
    found: dict[str, dict[str, list[str]]] = {}
    for report in reports:
        for part in (p for s in report.sections for p in s.parts):
            for line in part.caption.split("\n"):
                found.setdefault(_kind(part, report), {}).setdefault(line, []).append(report.name)
    shared = {kind: {line: tuple(names) for line, names in lines.items() if len(names) > 1} for kind, lines in found.items()}
    return {kind: lines for kind, lines in shared.items() if lines}


def find_repeated(reports: Sequence[Report]) -> dict[str, str]:
    """File of a figure that an earlier report has to the last byte -> the name of that report."""
    first: dict[bytes, str] = {}
    repeated = {}
    for report in reports:
        for plot in report.plots():
            owner = first.setdefault(plot.drawn[1], report.name)
            if owner != report.name:
                repeated[plot.file] = owner
    return repeated


def _readings(reports: Sequence[Report], shared: Shared) -> list[str]:
    """A heading for each kind of table and figure, and its shared lines; those that do not stand in all of them say where they do."""
    everywhere: dict[str, int] = {}
    for report in reports:
        for kind in {_kind(part, report) for s in report.sections for part in s.parts}:
            everywhere[kind] = everywhere.get(kind, 0) + 1
    blocks = []
    for kind, lines in shared.items():
        blocks.append(f"### How to read {kind}")
        blocks += [
            escape_markdown(line) if len(names) == everywhere[kind] else f"In {', '.join(names)}: {escape_markdown(line)}"
            for line, names in lines.items()
        ]
    return blocks


def _place(part: Part, report: Report, shared: Shared, repeated: Mapping[str, str]) -> str:
    """A table or a figure with the lines of its caption that are its own, and a pointer to the others; a figure that is shown above
    already, as a pointer alone."""
    if isinstance(part, Plot) and (owner := repeated.get(part.file)):
        return f"*{part.title}.* It is the figure of [{owner}](#{owner})."
    kind = _kind(part, report)
    lines = part.caption.split("\n")
    own = [escape_markdown(line) for line in lines if line not in shared.get(kind, {})]
    pointer = [f"[How to read it](#how-to-read-{kind})."] if len(own) < len(lines) else []
    if isinstance(part, Table):
        return "\n\n".join([part.pipes(), " ".join([*own, *pointer])])
    return "\n\n".join([embed(part, "figures"), f"*{part.title}.* " + " ".join([*own, *pointer])])
