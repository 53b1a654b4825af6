"""The IMDB review release, from any of its three carriers into the same arrays: reviews in canonical order, and their films.

Carriers, in the order in which they are looked for: the official archive, its unpacked folder, and the parquet files of the Hugging Face
data set "imdb" (read by the `datasets` library). Parquet has neither file names nor films, so reviews are ordered by what all three have:
part (train, test), class (negative, positive), then the bytes of the text. The content is known by its sha256 in that order; it was taken
of 50,000 files whose text bytes add up to the sizes that Hugging Face states for its copy, 33,132,823 and 32,350,685.
"""

from __future__ import annotations

import glob
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise, product
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data.base import DataError, Say
from data.files.archives import members
from data.files.digests import key_of, sha256
from data.files.official import Official, Release, by_hand, fetch, verify
from data.files.progress import Progress
from data.files.regular import content_of, opened_file
from data.files.root import places, root
from data.ragged import Ragged

FOLDER: Final = "aclImdb"
FOLDERS: Final = (FOLDER, f"aclImdb_v1/{FOLDER}", "aclImdb_v1")
"""Where the unpacked folder may be: programs with windows put it into one that is called like the archive, or like itself."""
PARQUET: Final = ("imdb", "stanfordnlp/imdb", "stanfordnlp___imdb")
"""Folders of the data root in which parquet files named train*.parquet and test*.parquet are looked for, at any depth."""
OFFICIAL_PARTS: Final = ("train", "test")
CLASSES: Final = ("neg", "pos")
GROUPS: Final = tuple(product(range(2), range(2)))
"""(part, class) in canonical order."""
LARGEST: Final = 1 << 20
"""Bytes of the largest file wanted, with room: the film lists have 612,500."""
LARGEST_PARQUET: Final = 1 << 27
"""Bytes of the largest parquet file, as it is and unpacked; the real ones have about 21 and 33 million."""
MOST_ROWS: Final = 50_000
"""Rows of a parquet file, at most: those of the unlabelled reviews, which is the largest."""
FEW: Final = 16
"""Rows that are unpacked together."""
ENTRIES: Final = 110_000
"""Entries of the official archive, with room: 100,000 reviews, half of them unlabelled, and a few lists."""

REVIEW: Final = re.compile(rf"{FOLDER}/(train|test)/(neg|pos)/(\d{{1,6}})_(\d{{1,2}})\.(?:txt|TXT)")
FILMS: Final = re.compile(rf"{FOLDER}/(train|test)/urls_(neg|pos)\.txt")
FILM: Final = re.compile(r"https?://www\.imdb\.com/title/tt(\d+)(/.*)?")

Review = tuple[int, int, bytes, int]
"""(part, class, text, number in the film list; -1 where there is none)."""


@dataclass(frozen=True, kw_only=True)
class IMDBRelease(Release):
    """The archive, and the counts, sizes and checksum of the reviews by which every carrier is checked."""

    per_class: int
    """Reviews in each part and class."""
    text_bytes: tuple[int, int]
    """Bytes of text of the training and of the test reviews."""
    content: str
    """sha256 of the arrays of `Reviews` in canonical order."""
    reached: tuple[int, ...]
    """For each character, the shortest cut at which the training reviews have it 15 times; so the vocabulary at a cut is known unopened."""


# fmt: off
REACHED: Final = (
    *[1] * 44, *[2] * 16, *[3] * 3, *[4] * 3, *[5] * 5, *[6] * 3, 7, 10, 12, 12, 14, 21, 22, 28, 29, 38, 48, 54, 57, 57, 61, 63, 118,
    155, 163, 170, 180, 181, 207, 267, 269, 321, 327, 334, 341, 358, 372, 411, 417, 421, 436, 511, 545, 785, 811, 813, 854, 930, 954,
    1134, 1135, 1138, 1277, 1283, 1459, 1675, 1789, 1962, 2247, 2395, 2404, 2840, 3311, 4416, 4418,
)
# fmt: on
"""Counted on the official training reviews: 133 characters occur 15 times or more."""

RELEASE: IMDBRelease = IMDBRelease(
    archive=Official(
        name="aclImdb_v1.tar.gz",
        bytes=84_125_825,
        digest="md5:7c2ac02c03563afcf9b574c7e56c153a",
        urls=("https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",),
    ),
    per_class=12_500,
    text_bytes=(33_132_823, 32_350_685),
    content="09c15a449892e60a6d0008b7bfd5f9c9ab7e9649d8da6192881b5867d641778e",
    reached=REACHED,
)


@dataclass
class Carried:
    """The reviews and the film lists that a carrier has."""

    carrier: str
    """Path, for messages."""
    remedy: str
    """What helps where the content is not the released one."""
    reviews: list[Review] = field(default_factory=list)
    films: dict[tuple[int, int], bytes] = field(default_factory=dict)
    """The film lists by (part, class); none in parquet."""

    def add(self, name: str, content: bytes) -> None:
        """Takes one file of the official layout; others are passed over."""
        if match := REVIEW.fullmatch(name):
            part, label, number, _ = match.groups()
            self.review(OFFICIAL_PARTS.index(part), CLASSES.index(label), content, int(number), name)
        elif match := FILMS.fullmatch(name):
            self.films[OFFICIAL_PARTS.index(match[1]), CLASSES.index(match[2])] = content

    def review(self, part: int, label: int, text: bytes, number: int, name: str) -> None:
        """Takes one review. Raises DataError for an empty one, and for one that is not UTF-8."""
        if not text:
            raise DataError(f"{self.carrier}: {name} is an empty review; the release has none")
        try:
            text.decode()
        except UnicodeDecodeError as error:
            raise DataError(f"{self.carrier}: {name} is not UTF-8: {error.reason} at byte {error.start}") from error
        self.reviews.append((part, label, text, number))


# ---------------------------------------------------------------- carriers


def find(download: bool, say: Say) -> Carried:
    """Reads the reviews in canonical order, complete and unchanged, from the first carrier that is there. Raises DataError."""
    if RELEASE.archive.path().exists():
        carried = from_archive(say)
    elif folder := unpacked():
        carried = from_folder(folder, say)
    elif files := parquet_files():
        carried = from_parquet(files, say)
    elif download:
        fetch(RELEASE.archive, say)
        carried = from_archive(say)
    else:
        raise DataError(
            "IMDB is not here. Run make data-imdb (python -m data imdb), which downloads it. Without a network: "
            f"{by_hand(RELEASE.archive)} The unpacked folder {FOLDER}, or a folder {PARQUET[0]} with the parquet files of Hugging Face's "
            "stanfordnlp/imdb, in the same place will do as well."
        )
    for part, label in GROUPS:
        n = sum(review[:2] == (part, label) for review in carried.reviews)
        if n != RELEASE.per_class:
            raise DataError(
                f"{carried.carrier} has {n:,} reviews in {OFFICIAL_PARTS[part]}/{CLASSES[label]} instead of {RELEASE.per_class:,}. "
                f"{carried.remedy}"
            )
    for part, expected in enumerate(RELEASE.text_bytes):
        size = sum(len(review[2]) for review in carried.reviews if review[0] == part)
        if size != expected:
            raise DataError(
                f"{carried.carrier} has {size:,} bytes of text in {OFFICIAL_PARTS[part]} instead of {expected:,}; it was changed. "
                f"{carried.remedy}"
            )
    carried.reviews.sort()
    return carried


def from_archive(say: Say) -> Carried:
    """Reads the official archive, streamed after its checksum has passed."""
    archive = RELEASE.archive
    say(f"checking and reading {archive.path()} (about half a minute)")
    verify(archive)
    carried = Carried(str(archive.path()), "Its checksum is right, so this is an error of this program: please report it.")
    for name, content in members(archive.path(), _wanted, max_bytes=LARGEST, max_members=ENTRIES):
        carried.add(name, content)
    return carried


def _wanted(name: str) -> bool:
    return REVIEW.fullmatch(name) is not None or FILMS.fullmatch(name) is not None


def unpacked() -> Path | None:
    """Finds the unpacked folder; one that has neither part only where there is no other."""
    found = places(FOLDERS, lambda folder: any((folder / part).is_dir() for part in OFFICIAL_PARTS))
    return next(iter([*found, *places(FOLDERS[:1], Path.exists)]), None)


def from_folder(folder: Path, say: Say) -> Carried:
    """Reads the unpacked archive; files that are not of the release are passed over."""
    say(f"reading {folder} ({4 * RELEASE.per_class:,} files)")
    carried = Carried(str(folder), f"Unpack {RELEASE.archive.name} again into an empty folder; {by_hand(RELEASE.archive)}")
    progress = Progress("reading", 4 * RELEASE.per_class, "reviews", say)
    for path in _official(folder):
        name = f"{FOLDER}/{path.relative_to(folder).as_posix()}"
        carried.add(name, content_of(path, LARGEST))
        progress.at(len(carried.reviews))
    return carried


def _official(folder: Path) -> Iterator[Path]:
    for part, label in product(OFFICIAL_PARTS, CLASSES):
        for inner in (folder / part / label, folder / part):
            names = os.listdir(inner) if inner.is_dir() else []
            yield from (inner / name for name in names if _wanted(f"{FOLDER}/{inner.relative_to(folder).as_posix()}/{name}"))


def parquet_files() -> dict[str, list[Path]]:
    """Finds part -> its parquet files, in the first folder that has any."""
    for name in PARQUET:
        files = {part: sorted((root() / name).rglob(f"{part}*.parquet")) for part in OFFICIAL_PARTS}
        if any(files.values()):
            return files
    return {}


def from_parquet(files: dict[str, list[Path]], say: Say) -> Carried:
    """Out of Hugging Face's copy: columns "text" and "label" (0 negative, 1 positive), read without its cache and without the network."""
    place = next(path.parent for paths in files.values() for path in paths)
    say(f"reading the parquet files in {place} (a quarter of a minute)")
    names = ", ".join(path.name for paths in files.values() for path in paths)
    carried = Carried(str(place), f"Read were {names}: remove what is no part of stanfordnlp/imdb, get what is missing or cut short.")
    for part, paths in enumerate(files.values()):
        if not paths:
            raise DataError(f"{place} has no {OFFICIAL_PARTS[part]}*.parquet; both parts of the data set are needed")
        for path in paths:
            _read_parquet(path, part, carried)
    return carried


def _read_parquet(path: Path, part: int, carried: Carried) -> None:
    bad: list[int] = []
    row = 0
    for batch in _batches(path):
        for text, label in zip(batch["text"], batch["label"], strict=True):
            row += 1
            if type(label) is not int or label not in (0, 1) or not isinstance(text, str) or len(text) > LARGEST:
                bad.append(row)
                continue
            carried.review(part, label, text.encode(), -1, f"row {row} of {path.name}")
    if bad:
        raise DataError(f"{path}: row {bad[0]} is no text with a label 0 or 1; that holds for {len(bad):,} of {row:,} rows")


def _batches(path: Path) -> Iterator[dict[str, list[Any]]]:
    import datasets

    if "::" in str(path):
        raise DataError(
            f'{path} has "::" in its name, by which the library that reads parquet files means another thing: move the data root'
        )
    _require_small(path)
    with tempfile.TemporaryDirectory() as nothing:
        try:
            rows = datasets.load_dataset(
                "parquet",
                data_files=[glob.escape(str(path))],  # a bracket in a folder's name is a bracket
                split="train",
                streaming=True,
                cache_dir=nothing,
                batch_size=FEW,
            )
            for batch in rows.iter(batch_size=1000):
                if missing := {"text", "label"} - set(batch):
                    raise DataError(f"{path} has no column {' and '.join(sorted(missing))}; it has {', '.join(batch)}")
                yield batch
        except DataError:
            raise
        except Exception as error:  # pyarrow, fsspec and datasets raise what they like for a damaged file
            raise DataError(f"{path} is no readable parquet file ({type(error).__name__}: {error}). Remove it and get it again.") from error


def _require_small(path: Path) -> None:
    """Raises DataError for a file that announces more than the release, packed or not: a few bytes can stand for any number of rows."""
    import pyarrow.parquet

    with opened_file(path, LARGEST_PARQUET) as handle:
        try:
            with pyarrow.parquet.ParquetFile(handle) as file:
                about = file.metadata
                size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
        except Exception as error:  # pyarrow raises what it likes for a damaged file
            raise DataError(f"{path} is no readable parquet file ({type(error).__name__}: {error}). Remove it and get it again.") from error
        if about.num_rows > MOST_ROWS or size > LARGEST_PARQUET:
            raise DataError(
                f"{path} announces {about.num_rows:,} rows and {size:,} bytes; no file of the release has more than {MOST_ROWS:,} and "
                f"{LARGEST_PARQUET:,}: it is another one"
            )


# ---------------------------------------------------------------- arrays


@dataclass(frozen=True)
class Reviews:
    """All reviews in canonical order: training negative, training positive, test negative, test positive."""

    texts: Ragged
    """UTF-8 bytes, uint8."""
    labels: NDArray[np.uint8]
    """0 negative, 1 positive."""

    def strings(self) -> list[bytes]:
        """Gives the texts one by one."""
        flat, ends = self.texts.values.tobytes(), self.texts.offsets.tolist()
        return [flat[a:b] for a, b in pairwise(ends)]


def reviews_of(carried: Carried) -> Reviews:
    """Makes arrays of the reviews. Raises DataError unless they are the released content."""
    texts = Ragged.from_rows([np.frombuffer(review[2], dtype=np.uint8) for review in carried.reviews], np.uint8)
    labels = np.array([review[1] for review in carried.reviews], dtype=np.uint8)
    content = sha256(texts.values, texts.offsets, labels)
    if content != RELEASE.content:
        raise DataError(
            f"{carried.carrier} is not the released content, although counts and sizes agree: sha256 {content} instead of "
            f"{RELEASE.content}. {carried.remedy}"
        )
    return Reviews(texts, labels)


def films_of(carried: Carried) -> NDArray[np.int64]:
    """(n,) IMDb number of the film of each review, in canonical order. Raises DataError where the carrier does not say."""
    if len(carried.films) < len(GROUPS):
        missing = [f"{OFFICIAL_PARTS[part]}/urls_{CLASSES[label]}.txt" for part, label in GROUPS if (part, label) not in carried.films]
        raise DataError(
            f"{carried.carrier} has no {', '.join(missing)}, so the film of a review is not known. The official archive and its unpacked "
            f"folder have these lists, Hugging Face's parquet files do not. {by_hand(RELEASE.archive)}"
        )
    tables = {group: _films(content, carried.carrier, group) for group, content in carried.films.items()}
    films = np.empty(len(carried.reviews), dtype=np.int64)
    for i, (part, label, _, number) in enumerate(carried.reviews):
        if number >= len(tables[part, label]):
            raise DataError(f"{carried.carrier}: {OFFICIAL_PARTS[part]}/urls_{CLASSES[label]}.txt has no line {number + 1}")
        films[i] = tables[part, label][number]
    return films


def _films(content: bytes, carrier: str, group: tuple[int, int]) -> list[int]:
    out = []
    for row, line in enumerate(content.decode("ascii", errors="replace").splitlines(), start=1):
        match = FILM.fullmatch(line.strip())
        if match is None:
            name = f"{OFFICIAL_PARTS[group[0]]}/urls_{CLASSES[group[1]]}.txt"
            raise DataError(f"{carrier}: line {row} of {name} is no address of a film: {line[:80]!r}")
        out.append(int(match[1]))
    return out


def key(*choices: object) -> str:
    """Makes the key of what is prepared from the released content with these choices."""
    return key_of(f"imdb {RELEASE.content}", *choices)
