"""Long Range Arena's ListOps (arXiv 2011.04006): the value of a nested expression of 501 to 1,999 tokens, ten classes.

`source="generated"` draws the expressions as LRA's program does; `source="official"` reads the released tables. Both end in the same
arrays: token ids with the end-of-sequence token of state-spaces/s4 after each row, offsets, and values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from data.base import PARTS, DataError, Say, Signature, silent
from data.card import Card
from data.comparison import Line
from data.files.digests import file_digest, key_of, sha256
from data.files.prepared import Made, Prepared, opened, prepare
from data.files.root import root
from data.listops.generator import SYMBOLS, TOKENS, VERSION, Codes, Draws, generate
from data.listops.release import FILES, FOLDERS, LARGEST, folder, read_tsv, tables
from data.listops.statistics import statistics
from data.listops.vocabulary import GENERATED_ORDER, SPECIAL, by_frequency, decode, encode
from data.ragged import Ragged
from data.sampling import Ids
from data.subsets import RaggedSpec

if TYPE_CHECKING:
    from data.module import SplitModule

NAME: Final = "listops"
ROWS: Final = {"test": 2_000, "val": 2_000, "train": 96_000}
"""The arrays hold the parts in this order, so that fewer training rows are a prefix of more."""
RELEASED: Mapping[str, int] = ROWS
"""What the official tables have."""
READER_VERSION: Final = 1
"""Raised when the arrays made from the same rows change."""
SEED: Final = 2011_04006
"""The seed of the generated set: there is one such set, as there is one release."""

MULTIPLE: Final = 64
"""Lengths of batches are multiples of this, so that few different ones occur."""
SHORTEST: Final = 10
"""Tokens below which there are too few different expressions."""
WIDTH: Final = 10
"""Tokens by which the longest expressions exceed the shortest at least."""

CARD: Final = Card(
    name=NAME,
    title="ListOps (Long Range Arena)",
    what="An expression of MIN, MAX, MED (median without its fraction) and SM (sum modulo 10), nested to ten levels, one token per step; "
    "the question is its value, a digit.",
    size="96,000 expressions to train, 2,000 to validate, 2,000 to test; 501 to 1,999 tokens, 1,035 in the mean; 105 MB prepared. The "
    "official tables have about 660 MB.",
    licence="generated here: that of this suite; Long Range Arena, program and release: Apache-2.0",
    source="drawn here with the grammar and the probabilities of LRA's program; or Google Research's lra_release.gz (about 7.7 GB, no "
    "checksum published): listops-1000/basic_train.tsv, basic_val.tsv, basic_test.tsv",
    citation="Y. Tay et al., Long Range Arena, arXiv:2011.04006; the task: N. Nangia and S. Bowman, ListOps, arXiv:1804.06028",
    splits="Three parts without a common expression. Official: the three tables as they are. Generated: the first 2,000 different "
    "expressions test, the next 2,000 validate, all others train, so that fewer training rows change nothing else.",
    issues=(
        "the released rows were drawn without a seed, so the generated set has their distribution and not their rows; published numbers "
        "stand beside the official source only",
        "values are not uniform: 0 and 9 have 17 % each, and answering one of them always scores that; who reads the root operator alone "
        "scores about 36 %",
        "tokens are numbered as in state-spaces/s4 (padding 0, unknown 1, end 2, then symbols by falling frequency in the training table, "
        "equal ones in alphabetical order); generated rows use the order that the grammar's probabilities give, whatever their number",
        "an <eos> token follows each row, as in state-spaces/s4; a row of more than 2,047 tokens would be cut, and none is so long",
        "parentheses are deleted, as everywhere in the literature: they repeat what the brackets say",
        "every official row is evaluated when it is read; a table with a wrong row, or with other than the released number of rows, is "
        "refused",
    ),
)


# ---------------------------------------------------------------- the two sources


def _checksums(tables: Mapping[str, Path]) -> dict[str, str]:
    return {part: file_digest(path, most=LARGEST) for part, path in tables.items()}


def _cut(counts: Mapping[str, int]) -> dict[str, Ids]:
    """Gives the ids of each part; the parts lie one after another in the order test, val, train."""
    edges = np.cumsum([0, *(counts[part] for part in ROWS)])
    parts = {part: np.arange(edges[i], edges[i + 1], dtype=np.int64) for i, part in enumerate(ROWS)}
    return {part: parts[part] for part in PARTS}


def _made(rows: Ragged, values: Codes, counts: Mapping[str, int], order: tuple[int, ...], facts: Mapping[str, Any]) -> Made:
    _require_no_repetition(rows, counts)
    splits, ids = _cut(counts), encode(rows, order)
    balance = {part: np.bincount(values[own], minlength=10).tolist() for part, own in splits.items()}
    return Made(
        arrays={"tokens": ids.values, "offsets": ids.offsets, "values": values},
        facts={
            "counts": {part: len(own) for part, own in splits.items()},
            "classes": {part: {str(value): n for value, n in enumerate(numbers)} for part, numbers in balance.items()},
            "vocabulary": [*SPECIAL, *(SYMBOLS[code] for code in order)],
            **facts,
            "split": {"rule": facts["split"], "sha256": sha256(*splits.values())},
        },
    )


def _require_no_repetition(rows: Ragged, counts: Mapping[str, int]) -> None:
    """Raises DataError where an expression lies in two parts."""
    seen: dict[bytes, str] = {}
    for part, own in _cut(counts).items():
        for number, i in enumerate(own.tolist(), start=1):
            digest = hashlib.blake2b(rows.row(i).tobytes(), digest_size=16).digest()
            if seen.setdefault(digest, part) != part:
                raise DataError(f"row {number} of the {part} part of ListOps is also in the {seen[digest]} part: this is not the release")


def _generate(rows: int, tokens: tuple[int, int], say: Say) -> Made:
    counts = {**ROWS, "train": rows}
    say(f"generating {sum(counts.values()):,} ListOps expressions")
    drawn = generate(sum(counts.values()), seed=SEED, tokens=tokens, say=say)
    draws = drawn.draws
    facts = {
        "source": "generated here with the grammar and probabilities of Long Range Arena's program",
        "licence": CARD.licence,
        "version": f"generator {VERSION}, seed {SEED}",
        "split": "different expressions in the order drawn: 2,000 test, 2,000 val, then train",
        "draws": {"digits": draws.digits, "short": draws.short, "long": draws.long, "kept": draws.kept},
    }
    return _made(drawn.rows, drawn.values, counts, GENERATED_ORDER, facts)


def _read(official: Mapping[str, Path], digests: Mapping[str, str], say: Say) -> Made:
    parts = {}
    for part in ROWS:
        say(f"reading and evaluating {official[part]}")
        rows, values = read_tsv(official[part], say)
        if len(rows) != RELEASED[part]:
            raise DataError(
                f"{official[part]} has {len(rows):,} rows and the release has {RELEASED[part]:,}: it is cut short, or another set. Get it "
                "again, or use source=generated."
            )
        parts[part] = rows, values
    everything = Ragged.from_rows([rows.row(i) for rows, _ in parts.values() for i in range(len(rows))], np.uint8)
    facts = {
        "source": "Long Range Arena, listops-1000, Google Research, https://github.com/google-research/long-range-arena",
        "licence": CARD.licence,
        "version": f"reader {READER_VERSION}",
        "split": "the three tables of the release",
        "files": {official[part].name: digest for part, digest in digests.items()},
    }
    values = np.concatenate([values for _, values in parts.values()])
    return _made(everything, values, {part: len(rows) for part, (rows, _) in parts.items()}, by_frequency(parts["train"][0].values), facts)


# ---------------------------------------------------------------- the data set


@dataclass(frozen=True, kw_only=True)
class ListOpsSpec(RaggedSpec):
    """Expressions as tokens, an <eos> after each, padded with 0; the class is the value."""

    version: ClassVar[int] = 1
    task: ClassVar[tuple[str, ...]] = ("shortest", "longest")
    card: ClassVar[Card] = CARD

    source: Literal["generated", "official"] = "generated"
    """Where the expressions come from; published numbers stand beside official ones only."""
    rows: int = ROWS["train"]
    """The first so many training rows, with the same rows to validate and test whatever their number; no more are generated."""
    shortest: int = TOKENS[0]
    """Tokens of the shortest expressions that are kept."""
    longest: int = TOKENS[1]
    """Tokens of the longest ones: with fewer the same grammar gives an easier task."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.rows <= ROWS["train"]:
            raise ValueError(f"rows is a number of training rows, 1 to {ROWS['train']:,}; got {self.rows}")
        if not self.shortest >= SHORTEST or not self.shortest + WIDTH <= self.longest <= TOKENS[1]:
            raise ValueError(
                f"expressions have {SHORTEST} to {TOKENS[1]:,} tokens, and the longest {WIDTH} more than the shortest or further, so that "
                f"there are enough different ones; got {self.shortest} to {self.longest:,}"
            )
        if self.source == "official" and self._tokens != TOKENS:
            raise ValueError(
                f"official tables have expressions of {TOKENS[0]} to {TOKENS[1]:,} tokens; those of {self.shortest} to {self.longest:,} "
                "are generated (source=generated)"
            )

    @property
    def signature(self) -> Signature:
        """Each step is one of 18 tokens (15 symbols, padding, unknown, <eos>); there are ten classes."""
        return Signature(length=self._limit, vocab=len(SPECIAL) + len(SYMBOLS), d_output=10)

    @property
    def _tokens(self) -> tuple[int, int]:
        return self.shortest, self.longest

    @property
    def _limit(self) -> int:
        """Steps of the longest batch there can be, with the <eos>: those of the literature where the longest expressions are."""
        return -(-(self.longest + 1) // MULTIPLE) * MULTIPLE

    def load(self, *, download: bool = False, say: Say = silent) -> Prepared:
        """Generates the rows, or reads and evaluates the official tables, once. Neither needs the network. Raises DataError."""
        if self.source == "generated":
            return prepare(NAME, self._generated_key(), lambda: _generate(self.rows, self._tokens, say), needed=(self.rows + 4000) * 1100)
        official = tables(say)
        digests = _checksums(official)
        return prepare(NAME, self._official_key(digests), lambda: _read(official, digests, say), needed=sum(ROWS.values()) * 1100)

    def opened(self) -> Prepared | None:
        """Opens the prepared arrays; None where they are not there. Those of official tables are found only while the tables are there."""
        if self.source == "generated":
            return opened(NAME, self._generated_key())
        place = folder()
        if place is None or any(not (place / file).is_file() for file in FILES.values()):
            return None
        return opened(NAME, self._official_key(_checksums(tables())))

    def _generated_key(self) -> str:
        tokens = "" if self._tokens == TOKENS else f" {self.shortest} to {self.longest} tokens"
        return key_of(f"generated {READER_VERSION} {VERSION} {SEED} {self.rows}{tokens}")

    def _official_key(self, digests: Mapping[str, str]) -> str:
        return key_of(" ".join([f"official {READER_VERSION}", *(f"{part} {digest}" for part, digest in sorted(digests.items()))]))

    def plan(self) -> str:
        """Says what would be generated or read; nothing is ever fetched."""
        where = root() / "prepared"
        if self.source == "official":
            return (
                f"the three official tables, looked for in {folder() or root() / FOLDERS[0]} (nothing is downloaded), every row "
                f"evaluated, and 105 MB of prepared arrays in {where}; about a minute"
            )
        n = self.rows + ROWS["val"] + ROWS["test"]
        return (
            f"{n:,} expressions, generated here without a network, and {n * 1.05e-3:,.0f} MB of prepared arrays in {where}; about "
            f"{max(1, round(n / 8000))} s"
        )

    def statistics(self) -> list[Line]:
        """Compares every quantity of the reference with that of the rows, which are prepared where they are not yet.

        Raises DataError, and ValueError where the expressions are not as long as those of the reference.
        """
        if self._tokens != TOKENS:
            raise ValueError(f"the reference has expressions of {TOKENS[0]} to {TOKENS[1]:,} tokens, and these are shorter")
        prepared = self.load()
        drawn = prepared.manifest.get("draws")
        return statistics(decode(prepared), np.asarray(prepared.array("values")), None if drawn is None else Draws(**drawn))

    def build(self, *, batch_size: int, seed: int) -> SplitModule:
        """The data module; batches are {"x": (B, L) int64 ids, "lengths": (B,), "y": (B,)}, L a multiple of 64. Raises DataError."""
        from data.module import SplitModule

        prepared = self.load()
        rows = Ragged(prepared.array("tokens"), np.asarray(prepared.array("offsets")))
        values = prepared.array("values").astype(np.int64)
        whole = _cut(prepared.counts())
        splits = self.take({**whole, "train": whole["train"][: self.rows]}, values)

        def make(split: str, ids: Ids, epoch: int) -> dict[str, NDArray[Any]]:
            x, lengths = rows.padded(ids, multiple=MULTIPLE, limit=self._limit)
            return {"x": x, "lengths": lengths, "y": values[ids]}

        content = sha256(prepared.digests(), *(splits[part] for part in PARTS))
        return SplitModule(
            splits, len(values), make, batch_size=batch_size, seed=seed, content_hash=content, lengths=self.sorting(rows.lengths)
        )
