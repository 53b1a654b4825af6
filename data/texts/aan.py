"""LRA Retrieval: do two papers of the ACL Anthology Network belong together, read character by character (arXiv:2011.04006)?

The pairs are in the release of Long Range Arena, three tab-separated files without a header: label (0.0 or 1.0), two ids, two texts.
No checksum was ever published, so what is prepared is known by the sha256 of the files found. A paper is in many pairs: each text is
stored once, pairs are two numbers.
"""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Final, Literal

import numpy as np

from data.base import DataError, Say, Signature, silent
from data.card import Card
from data.files.digests import file_digest, key_of, sha256
from data.files.prepared import Made, Prepared, opened, prepare
from data.files.root import root, writing
from data.ragged import Ragged
from data.subsets import PARTS, SplitSpec
from data.texts import towers
from data.texts.vocabulary import BYTE_IDS, Vocabulary, encode_bytes

if TYPE_CHECKING:
    from data.module import SplitModule

NAME: Final = "aan"
FOLDERS: Final = ("lra_release/lra_release/tsv_data", "lra_release/tsv_data", "tsv_data", "aan")
"""Of the data root: the release unpacked in two ways, its folder alone, and the name that state-spaces/s4 uses."""
FILES: Final = {"train": "new_aan_pairs.train.tsv", "val": "new_aan_pairs.eval.tsv", "test": "new_aan_pairs.test.tsv"}
ROWS: Final = {"train": 147_086, "val": 18_090, "test": 17_437}
"""As the literature gives them; nobody here could count."""
URL: Final = "https://storage.googleapis.com/long-range-arena/lra_release.gz"
SOURCE: Final = f"ACL Anthology Network (D. Radev et al.) as paired by Long Range Arena (Y. Tay et al.), {URL}"
LICENCE: Final = "none stated for the pairs; the code of Long Range Arena is under Apache 2.0"
READER_VERSION: Final = 1
DIGESTS: Final = "aan-files.json"
CLASSES: Final = ("apart", "together")
Tokens = Literal["characters", "bytes"]
Quoting = Literal["none", "csv"]

# ---------------------------------------------------------------- the files


def place() -> Path:
    """The folder with the three files. Raises DataError, which says what is missing and how to get it."""
    for name in FOLDERS:
        folder = root() / name
        missing = [file for file in FILES.values() if not (folder / file).is_file()]
        if not missing:
            return folder
        if len(missing) < len(FILES):
            raise DataError(f"{folder} has no {' and no '.join(missing)}; all three files of LRA Retrieval are needed. {how()}")
    raise DataError(f"LRA Retrieval (AAN) is not here. {how()}")


def how() -> str:
    """Where to get the files."""
    return (
        f"They are only to be had inside {URL} (about 7.7 GB, a tar.gz, no checksum published), which this program does not download for "
        f"them: take the folder lra_release/lra_release/tsv_data out of it and put {', '.join(FILES.values())} into "
        f"{root() / FOLDERS[2]}. A task of the same kind that needs no such download is retrieval-imdb (make retrieval-imdb)."
    )


def known() -> dict[str, str] | None:
    """File name -> "sha256:...", as far as that is remembered: of the files that lie there, or of those that did where none do now."""
    try:
        remembered = json.loads((root() / "prepared" / DIGESTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    try:
        marks = _marks(place())
    except DataError:
        marks = remembered["marks"]
    return dict(remembered["digests"]) if marks == remembered["marks"] else None


def _marks(folder: Path) -> list[list[int]]:
    """By what a changed file is noticed without reading it."""
    stats = [(folder / name).stat() for name in FILES.values()]
    return [[stat.st_size, stat.st_mtime_ns, stat.st_ino] for stat in stats]


def digests(say: Say = silent) -> dict[str, str]:
    """As `known`; where nothing is, the files are hashed and remembered. Raises DataError where they are not here."""
    if (found := known()) is not None:
        return found
    folder = place()
    marks, found = _marks(folder), {}
    for name in FILES.values():
        say(f"hashing {folder / name} ({(folder / name).stat().st_size / 1e6:,.0f} MB)")
        found[name] = file_digest(folder / name)
    memory = root() / "prepared" / DIGESTS
    with writing(memory.parent, 0):
        part = memory.with_name(f".{DIGESTS}.{os.getpid()}")
        part.write_text(json.dumps({"marks": marks, "digests": found}), encoding="utf-8")
        os.replace(part, memory)
    return found


Fields = list[bytes]


def plain(handle: BinaryIO) -> Iterator[Fields]:
    """Rows as Long Range Arena reads them: a line is a row, a tab ends a field, and a quotation mark is a character like any other."""
    for line in handle:
        yield line.removesuffix(b"\n").removesuffix(b"\r").split(b"\t")


def quoted(handle: BinaryIO) -> Iterator[Fields]:
    """Rows as state-spaces/s4 reads them: a field that begins with a quotation mark goes to the next one, over tabs and lines."""
    before = csv.field_size_limit(1 << 30)  # one stray mark can make a field of half the file
    try:
        with io.TextIOWrapper(handle, encoding="utf-8", errors="surrogateescape", newline="") as text:
            for row in csv.reader(text, delimiter="\t"):
                yield [field.encode("utf-8", "surrogateescape") for field in row]
    finally:
        csv.field_size_limit(before)


READERS: Final[dict[str, Callable[[BinaryIO], Iterator[Fields]]]] = {"none": plain, "csv": quoted}


def fault(row: Fields) -> str | None:
    """What is wrong with a row, if anything."""
    if len(row) != 5:
        return f"it has {len(row)} fields instead of 5"
    try:
        if float(row[0]) not in (0.0, 1.0):
            return f"its label is {row[0].decode(errors='replace')}, and labels are 0.0 and 1.0"
        for text in row[3:]:
            text.decode()
    except UnicodeDecodeError as error:
        return f"a text is not UTF-8 ({error.reason})"
    except ValueError:
        return f"its label {row[0][:40].decode(errors='replace')!r} is no number"
    return None


def rows(path: Path, quoting: Quoting, say: Say = silent) -> Iterator[tuple[int, bytes, bytes]]:
    """(label, text, text) of each row of one file. Raises DataError after the last one where rows were bad."""
    bad, first, row, said = 0, "", 0, time.monotonic()
    try:
        with path.open("rb") as handle:
            for row, found in enumerate(READERS[quoting](handle), start=1):
                if what := fault(found):
                    first = first or f"row {row} is damaged: {what}"
                    bad += 1
                else:
                    yield int(float(found[0])), found[3], found[4]
                if time.monotonic() - said > 2:
                    said = time.monotonic()
                    say(f"  {path.name}: {row:,} rows")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    except csv.Error as error:
        raise DataError(f"{path} is no CSV after row {row:,}: {error}. quoting=none reads it as Long Range Arena does") from error
    if bad:
        remedy = "Remove the file and get it again." if quoting == "none" else "quoting=none reads rows as Long Range Arena does."
        raise DataError(f"{path}: {first}; {bad:,} of {row:,} rows are bad. {remedy}")
    if not row:
        raise DataError(f"{path} is empty. Remove the file and get it again.")


# ---------------------------------------------------------------- the data set

CARD: Final = Card(
    name=NAME,
    title="LRA Retrieval (AAN)",
    what="Two papers of the ACL Anthology Network, read character by character by the same network; the question is whether they are "
    "related by citation.",
    size="147,086 / 18,090 / 17,437 pairs according to the literature, each text cut to 4,000 steps; the release is 7.7 GB.",
    licence=LICENCE,
    source="lra_release.gz of Long Range Arena, folder lra_release/lra_release/tsv_data: new_aan_pairs.train.tsv, .eval.tsv, .test.tsv",
    citation="Y. Tay et al., Long Range Arena, arXiv:2011.04006; D. R. Radev et al., The ACL Anthology Network Corpus, 2013",
    splits="The three files as they are. validation=given (ours, and the literature's) chooses on the eval file, validation=test on the "
    "test file. A paper is in pairs of several parts; how many pairs of texts are in two is counted in the manifest.",
    issues=(
        "nobody could check this reader against the real files, which were not at hand: it was written from how Long Range Arena and "
        "state-spaces/s4 read them, and tested on small files of that form",
        "quoting=none (ours) reads rows as Long Range Arena does; quoting=csv as state-spaces/s4, where a text that begins with a "
        "quotation mark loses it and may swallow what follows up to the next one",
        "state-spaces/s4 notes 98 ids, as printable ASCII and three special ones would give; a count that differs is refused with both "
        "numbers, and the field vocab takes the other",
        "characters: the vocabulary is counted over both texts of all training rows, without a least frequency, after cutting to 3,999; "
        "<eos> follows. bytes (LRA): cut to 4,000, nothing marks the end",
        "an empty text is kept: <eos> alone, or one step of padding in bytes; their number is in the manifest",
        "no checksum was published; what is prepared is keyed by the sha256 of the files found",
        "chance is 50 %",
    ),
)


@dataclass(frozen=True, kw_only=True)
class AANSpec(SplitSpec):
    """Two papers as token ids, each cut to `length` steps; the label is 1 where they belong together."""

    version: ClassVar[int] = 1
    task: ClassVar[tuple[str, ...]] = ("length",)
    card: ClassVar[Card] = CARD

    tokens: Tokens = "characters"
    """S4's characters with a counted vocabulary, or LRA's bytes."""
    length: int = 4000
    """Longest sequence of either text, <eos> included."""
    validation: Literal["given", "test"] = "given"
    """On what the checkpoint is chosen: the eval file, or the test set itself."""
    quoting: Quoting = "none"
    """How rows are read: as LRA does (ours), or with CSV quotation marks as state-spaces/s4 does."""
    vocab: int = 98
    """Ids of the characters: what state-spaces/s4 counted. Files with another number are refused; then give theirs. Bytes have 257."""
    source: Literal["official"] = "official"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_at_least(2, "length")
        if self.tokens == "bytes" and self.vocab != 98:
            raise ValueError("vocab is that of characters; bytes always have 257 ids")

    @property
    def signature(self) -> Signature:
        """Two towers of one token per step, two classes."""
        vocab = BYTE_IDS if self.tokens == "bytes" else self.vocab
        return Signature(length=self.length, vocab=vocab, d_output=2, two_towers=True)

    def load(self, *, download: bool = False, say: Say = silent) -> Prepared:
        """The texts as ids, and the pairs. There is nothing to download on its own: DataError says where the files are."""
        found = digests(say)
        ready = prepare(self._name(), self._key(found), lambda: self._made(found, say), needed=2_000_000_000)
        ids = ready.manifest["ids"]
        if ids != self.signature.vocab:
            raise DataError(
                f"the texts have {ids} ids with padding, unknown and end, and {self.signature.vocab} were announced (vocab). If the files "
                f"are the official ones, choose vocab={ids} (PROTOCOL=vocab={ids})."
            )
        return ready

    def opened(self) -> Prepared | None:
        """The prepared arrays, if they are there."""
        found = known()
        return None if found is None else opened(self._name(), self._key(found))

    def plan(self) -> str:
        """What is there, or what to get."""
        try:
            return f"the pairs that are in {place()}, and 0.1 to 1.5 GB of prepared arrays; a few minutes"
        except DataError:
            return f"nothing by itself; {', '.join(FILES.values())} have to be put into {root() / FOLDERS[2]} by hand"

    def _name(self) -> str:
        return f"{NAME}-{self.tokens}-{self.length}-{self.quoting}"

    def _key(self, found: dict[str, str]) -> str:
        choices = f"aan {READER_VERSION} {self.tokens} {self.length} {self.quoting}"
        return key_of(choices, *(found[name] for name in FILES.values()))

    def _made(self, found: dict[str, str], say: Say) -> Made:
        folder = place()
        texts: dict[bytes, int] = {}
        pairs: dict[str, list[tuple[int, int]]] = {part: [] for part in PARTS}
        labels: dict[str, list[int]] = {part: [] for part in PARTS}
        for part, name in FILES.items():
            say(f"reading {folder / name}")
            for label, *both in rows(folder / name, self.quoting, say):
                first, second = (texts.setdefault(self._cut(text), len(texts)) for text in both)
                pairs[part].append((first, second))
                labels[part].append(label)
        documents = list(texts)
        about: dict[str, Any] = {"ids": BYTE_IDS}
        if self.tokens == "bytes":
            ragged = encode_bytes(documents, cut=self.length)
        else:
            times = np.bincount(np.array(pairs["train"]).ravel(), minlength=len(documents))
            vocabulary = Vocabulary.counted(documents, cut=self.length - 1, times=times)
            ragged = vocabulary.encode(documents, cut=self.length - 1)
            about = {"ids": len(vocabulary), "vocabulary": vocabulary.characters}
        counts = {part: len(rows) for part, rows in labels.items()}
        if counts != ROWS:
            say(f"{counts} pairs were read; the literature has {ROWS}")
        empty = texts.get(b"", -1)
        facts = {
            "source": SOURCE,
            "licence": LICENCE,
            "counts": counts,
            "counts in the literature": ROWS,
            "classes": {part: dict(zip(CLASSES, np.bincount(found, minlength=2).tolist(), strict=True)) for part, found in labels.items()},
            "split": {"rule": "the three official files", "sha256": sha256(*towers.consecutive(counts).values())},
            "texts": len(documents),
            "empty texts": sum(empty in pair for found in pairs.values() for pair in found),
            "pairs in two parts": _shared(pairs),
            "files": found,
            **about,
        }
        arrays = {
            "values": ragged.values,
            "offsets": ragged.offsets,
            "pairs": np.concatenate([np.array(pairs[part], dtype=np.int32) for part in PARTS]),
            "labels": np.concatenate([np.array(labels[part], dtype=np.uint8) for part in PARTS]),
        }
        return Made(arrays=arrays, facts=facts)

    def _cut(self, text: bytes) -> bytes:
        """So much of a text as is used; what differs behind the cut is one text."""
        return text[: self.length] if self.tokens == "bytes" else text.decode()[: self.length - 1].encode()

    def build(self, *, batch_size: int, seed: int) -> SplitModule:
        """The data module; batches are {"x": (B, 2, L) int64, "y": (B,) int64, "lengths": (B, 2)}, L a multiple of 64. Raises DataError."""
        prepared = self.load()
        labels = prepared.array("labels").astype(np.int64)
        parts = towers.consecutive(prepared.manifest["counts"])
        if self.validation == "test":
            parts["val"] = parts["test"]
        splits = self.take(parts, labels)
        return towers.module(
            Ragged(np.asarray(prepared.array("values")), np.asarray(prepared.array("offsets"))),
            prepared.array("pairs").astype(np.int64),
            labels,
            splits,
            limit=self.length,
            batch_size=batch_size,
            seed=seed,
            content_hash=sha256(prepared.digests(), *(splits[part] for part in PARTS)),
            shared_validation=self.validation == "test",
        )


def _shared(pairs: dict[str, list[tuple[int, int]]]) -> int:
    """How many pairs of texts, in either order, are in more than one part."""
    seen = [{(min(pair), max(pair)) for pair in found} for found in pairs.values()]
    return len((seen[0] & seen[1]) | (seen[0] & seen[2]) | (seen[1] & seen[2]))
