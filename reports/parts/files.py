"""A report as files: its page, the same as Markdown, and beside them every table and figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.running.store import write_atomically
from reports.parts import figure
from reports.parts.markdown import markdown
from reports.parts.page import render
from reports.parts.report import Report


def write(report: Report, folder: Path, formats: Sequence[str] = (), index: str = "") -> Path:
    """The page, the same as report.md, and beside them every table and figure. Returns the path of the page."""
    for part in ("tables", "figures"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    write_tables_and_figures(report, folder / "tables", folder / "figures", formats)
    write_atomically(folder / "report.md", markdown(report).encode())
    page = folder / "index.html"
    write_atomically(page, render(report, index).encode())
    return page


def write_tables_and_figures(report: Report, to_tables: Path, to_figures: Path, formats: Sequence[str] = ()) -> list[Path]:
    """What `write` puts beside the page, into two folders; `formats` among reports.FORMATS. Returns the paths."""
    out = []
    for table in report.tables():
        faces = {"txt": table.text() + "\n", "md": table.markdown()}
        faces |= {"csv": table.csv()} if "csv" in formats else {}
        faces |= {"tex": table.latex()} if "latex" in formats else {}
        out += [(to_tables / f"{table.name}.{kind}", text.encode()) for kind, text in faces.items()]
    for plot in report.plots():
        out.append((to_figures / plot.file, plot.drawn[1]))
        if "pdf" in formats:
            out.append((to_figures / f"{plot.name}.pdf", figure.save(plot.figure, "pdf")))
    for path, content in out:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content)
    return [path for path, _ in out]
