"""Reads Pathfinder images in the layout of Long Range Arena's release: a folder of PNG files per batch, and a list of them with labels.

`pathfinderRES/SUBSET/imgs/BATCH/sample_I.png` and `pathfinderRES/SUBSET/metadata/BATCH.npy`. The lists of the release are plain text
despite their name, fields between blanks; the program that draws the images writes an array of strings. Both are read, and nothing is ever
unpickled. Every line that cannot be used is counted, and any at all is an error: images that are silently left out would change the task.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from data.base import DataError, Say, silent
from data.files.progress import Progress
from data.files.regular import MARK, content_of, opened_file, reading
from data.files.root import places, scratch, tell_choice
from data.pathfinder.drawing import Bytes

if TYPE_CHECKING:
    from PIL.Image import Image

FOLDERS: Final = ("lra_release/lra_release", "", "pathfinder", "lra_release")
"""Under the data root, where the folder of a resolution may be, in the order in which it is looked for. The release has some of them twice,
and what its outer copies hold is not what the literature reads: they come last."""
KNOWN_EMPTY: Final = frozenset({"pathfinder32/curv_baseline/imgs/0/sample_172.png"})
"""Files of the release that hold nothing; every reader leaves them out."""
RELEASED: Final = 200_000
"""Images of each resolution and difficulty."""
FIELDS: Final = 4
"""Fields of a line up to the label: folder, file, number, label."""
PLACE: Final = re.compile(r"imgs/\d+", re.ASCII)
FILE: Final = re.compile(r"sample_\d+\.png", re.ASCII)
LARGEST_LIST: Final = 1 << 28
SIGMAS: Final = 6
"""Standard deviations of fair coins that the balance of the labels may be off."""
LARGEST_IMAGE: Final = 1 << 20
"""Bytes of the largest image that is read; 256 x 256 grey pixels take 65,536 where nothing is compressed."""


@dataclass(frozen=True)
class Row:
    """One line of a list: an image and its label."""

    file: str
    """imgs/BATCH/sample_I.png"""
    label: int


def find(resolution: int, difficulty: str, say: Say = silent) -> Path | None:
    """Finds the folder of a difficulty in the data root, or None; says so where there are several."""
    above = [f"{place}/pathfinder{resolution}".lstrip("/") for place in FOLDERS]
    found = [place / difficulty for place in places(above, lambda folder: (folder / difficulty / "metadata").is_dir())]
    tell_choice(found, f"Pathfinder at {resolution} pixels", say)
    return next(iter(found), None)


def lists(folder: Path) -> list[Path]:
    """Finds the lists, in order of their batches. Raises DataError where there is none."""
    paths = sorted((p for p in (folder / "metadata").glob("*.npy") if p.stem.isascii() and p.stem.isdigit()), key=lambda p: int(p.stem))
    if not paths:
        raise DataError(f"{folder / 'metadata'} holds no list of images (0.npy, 1.npy, ...): unpack the release again")
    return paths


def fingerprint(folder: Path) -> str:
    """Hashes what is in the folder: the content of the lists, and names and sizes of all images, without opening these."""
    digest = hashlib.sha256()
    for path in lists(folder):
        digest.update(f"{path.name} {hashlib.sha256(content_of(path, LARGEST_LIST)).hexdigest()}\n".encode())
        for batch in sorted({row.file.rpartition("/")[0] for row in rows(path)}):
            digest.update(f"{batch} {sorted(_sizes(folder / batch).items())}\n".encode())
    return digest.hexdigest()


def _sizes(folder: Path) -> dict[str, int]:
    """File -> bytes; nothing where there is no such folder."""
    if not folder.exists():
        return {}
    with reading(folder), os.scandir(folder) as entries:
        return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}


def rows(path: Path) -> list[Row]:
    """Reads one list. Raises DataError that counts the lines that are wrong and shows the first."""
    content = content_of(path, LARGEST_LIST)
    if content.startswith(b"\x93NUMPY"):
        try:
            array = np.load(io.BytesIO(content), allow_pickle=False)
        except Exception as error:  # the header is a line of Python, and its parser raises what it likes
            raise DataError(f"{path} is no array of strings ({error}); a list is plain text or such an array") from error
        if array.ndim != 2 or array.dtype.kind not in "US":
            raise DataError(f"{path} holds {array.dtype} {array.shape}; a list is an array of strings, a row for each image")
        table = (np.char.decode(array, "ascii", "replace") if array.dtype.kind == "S" else array).tolist()
    else:
        try:
            table = [line.split() for line in content.removeprefix(MARK).decode("ascii").splitlines()]
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path} is neither plain text nor an array of strings: byte {error.start} is {content[error.start]}"
            ) from error
    bad = [i for i, row in enumerate(table) if not _legal(row)]
    if bad:
        shown = " ".join(table[bad[0]])[:120]
        raise DataError(
            f"{path}: {len(bad)} of {len(table)} lines are no 'imgs/BATCH sample_I.png I LABEL ...' with label 0 or 1; the first is line "
            f"{bad[0] + 1}: {shown!r}"
        )
    if not table:
        raise DataError(f"{path} names no image")
    return [Row(f"{row[0]}/{row[1]}", int(row[3])) for row in table]


def _legal(row: list[str]) -> bool:
    return len(row) >= FIELDS and bool(PLACE.fullmatch(row[0]) and FILE.fullmatch(row[1])) and row[3] in ("0", "1")


@dataclass(frozen=True)
class Images:
    """The images that were read, with their labels and what a manifest says of them."""

    pixels: Bytes
    """(n, size * size)"""
    labels: Bytes
    digest: str
    """sha256 over the files of the images, in order."""
    notes: tuple[str, ...]


def read(folder: Path, resolution: int, images: int, say: Say = silent) -> Images:
    """Reads the first `images` images, in the order of the lists. Raises DataError with counts of everything that is wrong."""
    named = [row for path in lists(folder) for row in rows(path)]
    twice = [name for name, n in Counter(row.file for row in named).items() if n > 1]
    if twice:
        raise DataError(f"{folder}: {len(twice)} images are in the lists more than once, the first is {twice[0]}")
    if len(named) < images:
        raise DataError(
            f"{folder} names {len(named):,} images and {images:,} are asked for (the release has {RELEASED:,}): unpack all of it, or ask "
            f"for images={len(named)}"
        )
    short = f"{folder.parent.name}/{folder.name}"
    wanted = [row for row in named[:images] if f"{short}/{row.file}" not in KNOWN_EMPTY]
    notes = [f"{name} is empty in the release and left out" for name in sorted(KNOWN_EMPTY) if name.startswith(f"{short}/")]
    there = {batch: _sizes(folder / batch) for batch in sorted({row.file.rpartition("/")[0] for row in named})}
    unnamed = sum(map(len, there.values())) - sum(Path(row.file).name in there[row.file.rpartition("/")[0]] for row in named)
    if unnamed:
        notes.append(f"{unnamed} files beside the images are in no list and left out")
    pixels, digest, wrong = scratch((len(wanted), resolution**2), "uint8"), hashlib.sha256(), _Wrong(len(wanted))
    progress = Progress("reading", len(wanted), "images", say)
    for i, row in enumerate(wanted):
        batch, _, name = row.file.rpartition("/")
        if name not in there[batch]:
            wrong.add("missing", row.file)
        elif there[batch][name] == 0:
            wrong.add("empty", row.file)
        else:
            content, image = _image(folder / row.file)
            digest.update(content)
            if isinstance(image, str):
                wrong.add(image, row.file)
            elif image.shape != (resolution, resolution):
                wrong.add(f"not {resolution} x {resolution} pixels", row.file)
            else:
                pixels[i] = image.ravel()
        progress.at(i + 1)
    wrong.require_none(folder)
    labels = np.array([row.label for row in wanted], dtype=np.uint8)
    require_balance(labels, str(folder))
    return Images(pixels, labels, digest.hexdigest(), tuple(notes))


def _image(path: Path) -> tuple[bytes, Bytes | str]:
    """The content of a file, and the grey image in it, or what is wrong with it."""
    from PIL import Image

    with opened_file(path) as handle:
        content = handle.read(LARGEST_IMAGE + 1)
    if len(content) > LARGEST_IMAGE:
        return b"", f"of more than {LARGEST_IMAGE:,} bytes"
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if max(image.size) > 4096:
                return content, "unreadable"
            image.verify()  # the checksums of all parts, which decoding passes over
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            return content, grey(image)
    except Exception:  # noqa: BLE001 of a PNG that is none Pillow raises what it likes
        return b"", "unreadable"


def grey(image: Image) -> Bytes | str:
    """The grey levels of an image (height, width) as they are, or why it has none: nothing is scaled, cut off or mixed."""
    if image.mode in ("L", "1"):
        return np.asarray(image.convert("L"))
    if image.mode in ("P", "RGB", "RGBA", "LA"):
        red, green, blue, opacity = np.moveaxis(np.asarray(image.convert("RGBA")), -1, 0)
        if (red == green).all() and (red == blue).all() and (opacity == 255).all():
            return np.ascontiguousarray(red)
        return "in colour or transparent"
    return "of more than 8 bits" if image.mode.startswith("I") else f"of mode {image.mode}"


class _Wrong:
    """Counts, and names the first, of the images that cannot be used, by what is wrong with them."""

    def __init__(self, n: int) -> None:
        self.n, self.files = n, dict[str, list[str]]()

    def add(self, kind: str, file: str) -> None:
        self.files.setdefault(kind, []).append(file)

    def require_none(self, folder: Path) -> None:
        if self.files:
            kinds = "; ".join(f"{len(files):,} {kind} (the first: {files[0]})" for kind, files in self.files.items())
            raise DataError(f"{folder}: of {self.n:,} images that its lists name, {kinds}. Unpack the release again.")


def require_balance(labels: NDArray[np.uint8], where: str) -> None:
    """Raises DataError where fair coins would hardly give these labels."""
    n, ones = len(labels), int(labels.sum())
    if abs(ones - n / 2) > SIGMAS * np.sqrt(n) / 2:
        raise DataError(f"{where}: {ones:,} of {n:,} labels are 1; each label is a fair coin, so something is wrong with this set")
