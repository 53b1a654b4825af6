"""A report as files: its page, the same as Markdown, and beside them every table and figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.running.store import write_atomically
from reports.parts import figure
from reports.parts.markdown import markdown
from reports.parts.page import render
from reports.parts.report import Report
from reports.parts.table import Table


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
    out = write_tables(report.tables(), to_tables, formats)
    for plot in report.plots():
        out.append(_put(to_figures / plot.file, plot.drawn[1]))
        if "pdf" in formats:
            out.append(_put(to_figures / f"{plot.name}.pdf", figure.save(plot.figure, "pdf")))
    return out


def write_tables(tables: Sequence[Table], folder: Path, formats: Sequence[str] = ()) -> list[Path]:
    """Each table as text and Markdown, and as CSV and LaTeX where `formats` has them. Returns the paths."""
    out = []
    for table in tables:
        faces = {"txt": table.text() + "\n", "md": table.markdown()}
        faces |= {"csv": table.csv()} if "csv" in formats else {}
        faces |= {"tex": table.latex()} if "latex" in formats else {}
        out += [_put(folder / f"{table.name}.{kind}", text.encode()) for kind, text in faces.items()]
    return out


def _put(path: Path, content: bytes) -> Path:
    """Writes a file, unless it is there already with this content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_bytes() != content:
        write_atomically(path, content)
    return path
