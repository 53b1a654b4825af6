"""A report as Markdown: the words and tables of the page, and its figures by name."""

from __future__ import annotations

from reports.parts.report import Plot, Report
from reports.parts.table import Table


def embed(plot: Plot, folder: str) -> str:
    """The figure in `folder`, without its caption."""
    return f"![{plot.alt}]({folder}/{plot.file})"


def picture(plot: Plot, folder: str) -> str:
    """The figure in `folder` with its caption in italics."""
    words = plot.caption.replace("\n", " ")
    return f"{embed(plot, folder)}\n\n*{plot.title}. {words}*"


def markdown(report: Report) -> str:
    """The whole report, figures expected in figures/ beside it."""
    out = [f"# {report.title}", f"{report.size}. {report.about}" if report.size else report.about, *report.summary, *report.warnings]
    for section in report.sections:
        out += [f"## {section.title}", *section.text]
        out += [part.markdown().strip() if isinstance(part, Table) else picture(part, "figures") for part in section.parts]
    missing = report.missing()
    if len(report.runs):
        out += ["## What is missing", f"{len(missing)} of {len(report.runs)} runs have no finished record."]
    if len(missing):
        out.append("```\n" + "\n".join(dict.fromkeys(missing["command"])) + "\n```")
    return "\n\n".join([*out, f"Rendered from records alone by `{report.make}`."]) + "\n"
