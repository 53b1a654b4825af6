"""The results in README.md: between the markers of a report stand its tables and committed figures, written by `commit` alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.running.store import write_atomically
from reports.markdown import picture

if TYPE_CHECKING:
    from reports.page import Report


def block(report: Report) -> str:
    """Summary, the tables, the first figure, and the others folded away; GitHub Markdown with paths relative to the checkout."""
    show = [picture(plot, "reports/figures") for plot in report.plots()]
    parts = [f"**{report.title}** ({report.scale} scale). {' '.join(report.summary)}", report.tables()[0].markdown().strip(), *show[:1]]
    folded = [*show[1:], *(table.markdown().strip() for table in report.tables()[1:])]
    if folded:
        parts += [f"<details><summary>{len(folded)} more figures and tables</summary>", *folded, "</details>"]
    return "\n\n".join(parts)


def write(report: Report, readme: Path) -> bool:
    """Replaces what stands between the markers of this report; False where the README has none for it."""
    start, end = f"<!-- results: {report.name} -->", f"<!-- end results: {report.name} -->"
    text = readme.read_text(encoding="utf-8")
    if start not in text or end not in text:
        return False
    pattern = re.escape(start) + ".*?" + re.escape(end)
    fresh = re.sub(pattern, lambda _: f"{start}\n\n{block(report)}\n\n{end}", text, flags=re.DOTALL)
    write_atomically(readme, fresh.encode())
    return True
