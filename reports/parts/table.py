"""A `Table` and its faces: text for the terminal, Markdown, CSV, HTML and LaTeX, all from the same cells."""

from __future__ import annotations

import itertools
import re
import textwrap
import unicodedata
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

TEXT_WIDTH = 110
HOLE = "–"
"""What stands where there is no number."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Cells as they are printed, a mark for each ("", "best", "tied", "chance"), and the numbers behind them for the CSV."""

    name: str
    title: str
    caption: str
    cells: pd.DataFrame
    marks: pd.DataFrame
    numbers: pd.DataFrame
    left: tuple[str, ...] = ()
    """Columns of words, set flush left; the others are numbers."""

    def text(self) -> str:
        """Aligned columns; * marks the best, ~ what is not shown to be behind it, ° what does not beat a constant answer."""
        signs = {"best": "*", "tied": "~", "chance": "°", "": " "}
        marked = (self.marks != "").any()
        shown = {c: [v + signs[m] if marked[c] else v for v, m in zip(self.cells[c], self.marks[c])] for c in self.cells.columns}
        heads = {c: c + (" " if marked[c] else "") for c in self.cells.columns}
        widths = {c: max([len(heads[c]), *map(len, v)]) for c, v in shown.items()}
        fit = lambda c, v: v.ljust(widths[c]) if c in self.left else v.rjust(widths[c])
        blocks: list[list[str]] = [[]]
        keys = self._keys()
        for c in shown:  # a table too wide for the terminal goes on below, with what names its rows
            if sum(widths[k] + 2 for k in blocks[-1]) + widths[c] > TEXT_WIDTH and len(blocks[-1]) > len(keys):
                blocks.append([*keys])
            blocks[-1].append(c)
        lines = [self.title]
        for block in blocks:
            rule = "  ".join("-" * widths[c] for c in block)
            body = ["  ".join(fit(c, shown[c][i]) for c in block).rstrip() for i in range(len(self.cells))]
            lines += ["", "  ".join(fit(c, heads[c]) for c in block).rstrip(), rule, *body, rule]
        legend = self.caption.replace("Bold:", "*:").replace("Underlined:", "~:").replace("Grey, °:", "°:")
        return "\n".join([*lines, *(line for part in legend.split("\n") for line in textwrap.wrap(part, TEXT_WIDTH))])

    def _keys(self) -> list[str]:
        """The fewest columns of words from the left that tell the rows apart; the first where none do."""
        words = list(itertools.takewhile(lambda c: c in self.left, self.cells.columns))
        apart = (words[:k] for k in range(1, len(words) + 1) if not self.cells[words[:k]].duplicated().any())
        return next(apart, [*self.cells.columns[:1]])

    def markdown(self) -> str:
        """A pipe table, caption below."""
        return f"{self.pipes()}\n\n{escape_markdown(self.caption)}\n"

    def pipes(self) -> str:
        """The cells alone as a pipe table; best bold, ties underlined, what does not beat a constant answer with a small circle."""
        wrap = {"best": "**{}**", "tied": "<u>{}</u>", "chance": "{} °", "": "{}"}
        lines = [[escape_markdown(c) for c in self.cells.columns], ["---" if c in self.left else "---:" for c in self.cells.columns]]
        lines += [
            [wrap[m].format(escape_markdown(v)) for v, m in zip(cells, marks)]
            for cells, marks in zip(self.cells.itertuples(index=False), self.marks.itertuples(index=False))
        ]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)

    def csv(self) -> str:
        """The numbers in full precision, not the cells; an empty field is a hole."""
        return self.numbers.to_csv(index=False, lineterminator="\n")

    def html(self) -> str:
        """One <table>, no style of its own: the page's style sheet knows the classes best, tied, chance, hole and word."""
        classes = self.marks.copy()
        for c in classes.columns:
            extra = ["word" if c in self.left else "hole" if v == HOLE else "" for v in self.cells[c]]
            classes[c] = [f"{m} {e}".strip() for m, e in zip(self.marks[c], extra)]
        styler = Styler(self.cells, cell_ids=False, uuid=self.name, uuid_len=0).hide(axis="index").format(escape="html")
        styler = styler.format_index(escape="html", axis=1).set_td_classes(classes)
        text = styler.to_html(table_attributes='class="data sortable"')
        text = re.sub(r"<style.*?</style>\s*", "", text, flags=re.DOTALL)
        heads = iter(self.cells.columns)
        column = lambda _: '<th scope="col" class="word">' if next(heads) in self.left else '<th scope="col">'
        text = re.sub(r"<th [^>]*>", column, text)
        # pandas names every row and column in a class; only ours are wanted
        ours = lambda m: f'class="{m[1].strip()}"' if m[1].strip() else ""
        return re.sub(r'class="data row\d+ col\d+ ?([^"]*)" ?', ours, text).replace("<td >", "<td>")

    def latex(self) -> str:
        """A tabular with booktabs rules; needs \\usepackage{booktabs}, and textcomp before 2020."""
        words = {"best": "textbf:--rwrap;", "tied": "underline:--rwrap;", "chance": "textit:--rwrap;", "": ""}
        styler = self.cells.style.hide(axis="index").format(_latex).format_index(_latex, axis=1)
        styler = styler.apply(lambda _: self.marks.map(words.__getitem__), axis=None)
        columns = "".join("l" if c in self.left else "r" for c in self.cells.columns)
        return styler.to_latex(
            column_format=columns,
            hrules=True,
            caption=_latex(self.caption.replace("Grey, °:", "Italic:")),
            label=f"tab:{self.name}",
            position_float="centering",
        )


def escape_markdown(text: str) -> str:
    """`text` with what Markdown would read as its own signs escaped."""
    return re.sub(r"([\\|*_`<>~#])", r"\\\1", text)


LATEX = {
    **{c: "\\" + c for c in "&%$#_{}"}, "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$", "−": r"$-$", "×": r"$\times$", "·": r"$\cdot$", "°": r"$^\circ$", "✗": r"$\times$",
    "†": r"\dag{}", "–": "--", "—": "---", "“": "``", "”": "''", "‘": "`", "’": "'", "…": r"\dots{}", "→": r"$\to$", "∞": r"$\infty$",
    "Δ": r"$\Delta$", "Λ": r"$\Lambda$", "σ": r"$\sigma$", "ω": r"$\omega$", "π": r"$\pi$", "λ": r"$\lambda$", "τ": r"$\tau$",
    "µ": r"$\mu$", "\N{GREEK SMALL LETTER MU}": r"$\mu$", "²": "$^2$", "³": "$^3$", "₀": "$_0$", "₁": "$_1$", "₂": "$_2$", "ₙ": "$_n$",
    "Ā": r"$\bar{A}$", "\u00a0": "~", "\u202f": r"\,", "\n": " ",
}  # fmt: skip
"""What pdfLaTeX reads for a sign that is its own, or that its usual fonts lack."""


def _latex(text: Any) -> str:
    """`text` in signs that pdfLaTeX has: letters with accents lose them, and what has no sign is a question mark in brackets."""
    return "".join(LATEX.get(c) or _plain(c) for c in str(text))


def _plain(c: str) -> str:
    if c.isascii():
        return c
    simple = unicodedata.normalize("NFKD", c).encode("ascii", "ignore").decode()
    return "".join(LATEX.get(s, s) for s in simple) or "[?]"
