"""Sequences of tokens: beginnings that can be read, whole rows as colours, classes and lengths: ListOps, IMDB, pairs of reviews, AAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from data.base import PARTS
from data.listops.spec import ListOpsSpec
from data.texts.aan import AANSpec
from data.texts.imdb import IMDBSpec
from data.texts.imdb_pairs import IMDBPairsSpec
from data.texts.vocabulary import EOS, SPECIALS, UNK
from reports.datasets.layout import SMALL, Counts, Ints, balance, histogram, strips
from reports.datasets.samples import Found, every, first
from reports.parts.style import INK, WIDTH, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

CELL_COLOURS: Final = ListedColormap(["#dfe9f3", "#fbe6c3", "#c9e7dc", "#f4cdbb", "#e6e6e6", "#cfe8f7"])
"""Pale enough for black letters, far enough apart in grey."""


@dataclass(frozen=True)
class TokenRow:
    """One sequence of tokens."""

    label: str
    ids: Ints
    """(length,) without padding."""
    words: tuple[str, ...]
    """The first tokens as they may be read."""
    kinds: Ints
    """(len(words),) Which of the pale colours each has."""


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Some rows of a data set, and the classes and lengths of all of it."""

    rows: Sequence[TokenRow]
    together: int = 1
    """Rows of one sample."""
    kinds: Sequence[str]
    """What the pale colours mean."""
    vocab: int
    longest: int
    classes: Counts
    lengths: Mapping[str, Ints]


# ---------------------------------------------------------------- what is gathered

EXPRESSION: Final = ("digit", "operator", "closing bracket, X", "end")
LETTERS: Final = ("letter", "space", "other sign", "unknown or end", "digit")
SHOWN: Final = 84
"""Characters of a text that are written out."""


def listops(found: Found[ListOpsSpec]) -> Tokens:
    """Ten training expressions with their values."""
    names = list(found.prepared.manifest["vocabulary"])
    kinds = np.array([3 if n.startswith("<") else 1 if n.startswith("[") else 2 if n == "X" else 0 for n in names])
    rows = []
    for sample in first(found.spec, 10):
        ids = sample["x"][: sample["lengths"]]
        written = tuple("]" if names[i] == "X" else names[i].strip("[") for i in ids[:48])
        rows.append(TokenRow(f"value {sample['y']}", ids, written, kinds[ids[:48]]))
    return _tokens(found, rows, EXPRESSION)


def imdb(found: Found[IMDBSpec]) -> Tokens:
    """Ten training reviews with what they say."""
    letters = Letters(found.prepared.manifest.get("vocabulary"))
    rows = []
    for sample in first(found.spec, 10):
        rows.append(letters.row(("negative", "positive")[sample["y"]], sample["x"][: sample["lengths"]]))
    return _tokens(found, rows, LETTERS)


def imdb_pairs(found: Found[IMDBPairsSpec]) -> Tokens:
    """Five training pairs of reviews, whose letters are those of the reviews."""
    texts = IMDBSpec(length=found.spec.length).opened()
    return _pairs(found, None if texts is None else texts.manifest["vocabulary"], ("two films", "same film"))


def aan(found: Found[AANSpec]) -> Tokens:
    """Five training pairs of papers."""
    return _pairs(found, found.prepared.manifest.get("vocabulary"), ("no citation", "citation"))


def _pairs(found: Found[Any], vocabulary: str | None, answers: tuple[str, str]) -> Tokens:
    letters = Letters(vocabulary)
    rows = []
    for sample in first(found.spec, 5):
        for label, ids, length in zip((answers[sample["y"]], ""), sample["x"], sample["lengths"]):
            rows.append(letters.row(label, ids[:length]))
    return _tokens(found, rows, LETTERS, together=2)


def _tokens(found: Found[Any], rows: Sequence[TokenRow], kinds: Sequence[str], together: int = 1) -> Tokens:
    signature = found.spec.signature
    return Tokens(
        rows=rows, together=together, kinds=kinds, vocab=signature.vocab, longest=signature.length,
        classes=found.prepared.manifest["classes"], lengths={part: every(found.spec, part, "lengths") for part in PARTS},
    )  # fmt: skip


@dataclass(frozen=True)
class Letters:
    """The characters that ids stand for; without a vocabulary an id is a byte and one."""

    vocabulary: str | None

    def row(self, label: str, ids: Ints) -> TokenRow:
        """A whole text, its beginning to be read."""
        return TokenRow(label, ids, *self.read(ids[:SHOWN]))

    def read(self, ids: Ints) -> tuple[tuple[str, ...], Ints]:
        """What may be written of each id, and which of LETTERS it is."""
        words, kinds = [], []
        for i in ids.tolist():
            special = self.vocabulary is not None and i < SPECIALS
            letter = "" if special else chr(i - 1) if self.vocabulary is None else self.vocabulary[i - SPECIALS]
            kind = 3 if special else 0 if letter.isalpha() else 1 if letter.isspace() else 4 if letter.isdigit() else 2
            shown = {EOS: "∎", UNK: "?"}.get(i, "") if special else letter
            words.append(shown if (shown.isprintable() and ord(shown or " ") < 0x250) or shown == "∎" else "·")
            kinds.append(kind)
        return tuple(words), np.array(kinds)


# ---------------------------------------------------------------- how it is drawn


def draw(sample: Tokens) -> Figure:
    """Beginnings with a token in each cell, whole rows as colours, and the balance of classes beside the lengths."""
    apart = 0.45 * (sample.together > 1)
    places = [i + apart * (i // sample.together) for i in range(len(sample.rows))]
    with drawing():
        high = 0.215 * (places[-1] + 1)
        figure = Figure(figsize=(WIDTH, 2 * high + 1.5 + 2.0), layout="constrained")
        upper, middle, lower = strips(figure, [high + 0.6, high + 0.9, 2.0])
        _draw_beginnings(upper.subplots(), sample, places)
        _draw_whole(middle, sample, places)
        left, right = lower.subplots(1, 2)
        balance(left, sample.classes, "Classes")
        histogram(right, sample.lengths, "tokens in a row", "Lengths")
    return figure


def _draw_beginnings(ax: Axes, sample: Tokens, places: Sequence[float]) -> None:
    cells = max(len(row.words) for row in sample.rows)
    size = min(7.0, 72 * (WIDTH - 1.1) / cells / (0.62 * max(len(word) for row in sample.rows for word in row.words)))
    for place, row in zip(places, sample.rows):
        edges = np.arange(len(row.words) + 1), [place - 0.45, place + 0.45]
        ax.pcolormesh(*edges, row.kinds[None], cmap=CELL_COLOURS, vmin=-0.5, vmax=5.5)
        for i, word in enumerate(row.words):
            ax.text(i + 0.5, place, word, ha="center", va="center", fontsize=size, family="DejaVu Sans Mono", color=INK)
    _label(ax, sample, places, cells, "The first tokens")
    present = sorted({int(kind) for row in sample.rows for kind in row.kinds})
    handles = [Patch(color=CELL_COLOURS(i), label=sample.kinds[i]) for i in present]
    ax.legend(handles=handles, ncols=len(present), loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2, handlelength=1)
    ax.set_xticks([])


def _draw_whole(part: SubFigure, sample: Tokens, places: Sequence[float]) -> None:
    ax = part.subplots()
    norm = LogNorm(1, sample.vocab) if sample.vocab > 32 else Normalize(1, sample.vocab)
    for place, row in zip(places, sample.rows):
        extent = (0, len(row.ids), place + 0.45, place - 0.45)
        drawn = ax.imshow(row.ids[None], extent=extent, aspect="auto", cmap="cividis", norm=norm, interpolation="nearest")
    _label(ax, sample, places, sample.longest, "Whole rows: token ids as colours, padding left white")
    ax.set_xlabel("step")
    bar = part.colorbar(drawn, ax=ax, pad=0.01, aspect=12)
    if sample.vocab > 32:
        ticks = [tick for tick in (1, 3, 10, 30, 100, 300) if tick <= sample.vocab]
        bar.set_ticks(ticks, labels=[str(tick) for tick in ticks])
        bar.minorticks_off()
    bar.set_label("token id")
    bar.outline.set_visible(False)


def _label(ax: Axes, sample: Tokens, places: Sequence[float], right: float, title: str) -> None:
    ax.grid(False)
    ax.set_yticks(places, [row.label for row in sample.rows], fontsize=SMALL)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0, right)
    ax.set_ylim(places[-1] + 0.55, places[0] - 0.55)
    ax.spines[:].set_visible(False)
    ax.set_title(title)
