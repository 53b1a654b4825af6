"""CIFAR-10 read pixel by pixel: sequential CIFAR-10 in colour, LRA Image in grey, and both followed by noise (arXiv 2405.13975, exp. II).

60,000 photographs of 32 x 32 pixels in ten classes (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009). The
official batches are pickles. They are read here and not by torchvision, because torchvision unpickles without limits, and from files it
opens again after any check of ours; here the bytes whose checksum passed are the bytes that are read, by an unpickler that can build
arrays and nothing else, straight from the archive without unpacking it.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from data.base import PARTS, DataError, Say, Signature, silent
from data.card import Card
from data.files.archives import members
from data.files.digests import sha256
from data.files.official import Official, Release, by_hand, fetch, read, require_content, verify
from data.files.prepared import Made, Prepared, key_of_files, opened, prepare
from data.files.root import places, root
from data.images.split import ImageSpec, split_facts
from data.sampling import EVERY_EVALUATION, Ids, uniform_noise

if TYPE_CHECKING:
    from data.module import SplitModule

NAME: Final = "cifar10"
FOLDER: Final = "cifar-10-batches-py"
FOLDERS: Final = (FOLDER, f"cifar-10-python/{FOLDER}")
PIXELS: Final = 32 * 32
CLASSES: Final = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SOURCE: Final = "CIFAR-10, Alex Krizhevsky, Vinod Nair and Geoffrey Hinton, https://www.cs.toronto.edu/~kriz/cifar.html"
LICENCE: Final = "no formal licence; the publishers ask to cite A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009"


@dataclass(frozen=True, kw_only=True)
class CIFARRelease(Release):
    """The archive, the batches in it, and how many images each holds."""

    batches: tuple[Official, ...]
    """data_batch_1 .. 5, then test_batch."""
    per_batch: int


def _batch(name: str, size: int, digest: str) -> Official:
    return Official(name=f"{FOLDER}/{name}", bytes=size, digest=f"sha256:{digest}")


# Only md5 sums of the batches are published (torchvision has them); these sha256 were taken of files with exactly those md5 sums.
RELEASE: CIFARRelease = CIFARRelease(
    archive=Official(
        name="cifar-10-python.tar.gz",
        bytes=170_498_071,
        digest="sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        urls=("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",),
    ),
    batches=(
        _batch("data_batch_1", 31_035_704, "54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd"),
        _batch("data_batch_2", 31_035_320, "766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8"),
        _batch("data_batch_3", 31_035_999, "0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9"),
        _batch("data_batch_4", 31_035_696, "3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b"),
        _batch("data_batch_5", 31_035_623, "d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154"),
        _batch("test_batch", 31_035_526, "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831"),
    ),
    per_batch=10_000,
)
READER_VERSION: Final = 1
LARGEST: Final = 1 << 25
"""Bytes of the largest member wanted, with room: a batch has 31 million."""
ENTRIES: Final = 20
"""Entries of the official archive, with room: a folder and eight files."""

# ---------------------------------------------------------------- reading the release


class _ArraysOnly(pickle.Unpickler):
    """Can name nothing but what numpy needs to rebuild an array; under both names that numpy's module has had."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if (module, name) in (("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")):
            return np.empty(0).__reduce__()[0]
        raise DataError(f"it asks for {module}.{name}, which no image needs; nothing of it was run")


def parse(content: bytes, name: str, n: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(images (n, 1024, 3), labels (n,)) of one batch. Raises DataError for anything but `n` images of ten classes."""
    try:
        batch = _ArraysOnly(io.BytesIO(content), encoding="latin1").load()
        images, labels = batch["data"], np.asarray(batch["labels"])
    except DataError as error:
        raise DataError(f"{name} is no CIFAR-10 batch: {error}") from error
    except Exception as error:  # a damaged pickle can raise anything
        raise DataError(f"{name} is no CIFAR-10 batch: {type(error).__name__}: {error}") from error
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape != (n, 3 * PIXELS):
        what = f"{images.dtype} {images.shape}" if isinstance(images, np.ndarray) else type(images).__name__
        raise DataError(f"{name} holds {what} instead of {n} x {3 * PIXELS} bytes")
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise DataError(f"{name} has labels {labels.dtype} {labels.shape} instead of {n} integers")
    if labels.min() < 0 or labels.max() >= len(CLASSES):
        bad = int(np.flatnonzero((labels < 0) | (labels >= len(CLASSES)))[0])
        raise DataError(f"{name}: image {bad} has label {labels[bad]}; labels lie in 0..{len(CLASSES) - 1}")
    return np.ascontiguousarray(images.reshape(n, 3, PIXELS).transpose(0, 2, 1)), labels.astype(np.uint8)


def from_archive() -> Iterator[bytes]:
    """Reads the six batches from the official archive, in order, each after its checksum has passed; nothing is unpacked to disk."""
    archive = RELEASE.archive
    verify(archive)
    wanted = {batch.name: batch for batch in RELEASE.batches}
    contents: dict[str, bytes] = {}
    for name, content in members(archive.path(), wanted.__contains__, max_bytes=LARGEST, max_members=ENTRIES):
        require_content(content, wanted[name])
        contents[name] = content
    if missing := [name for name in wanted if name not in contents]:
        raise DataError(f"{archive.path()} has no {', '.join(missing)}")
    yield from (contents[name] for name in wanted)


def unpacked() -> Path | None:
    """Finds the unpacked folder, or None; programs with windows put it into one that is called like the archive, or like itself."""
    return next(iter([*places(FOLDERS, lambda folder: (folder / "test_batch").is_file()), *places((FOLDER,), Path.is_dir)]), None)


def from_folder() -> Iterator[bytes]:
    """Reads the six batches from the unpacked official folder, in order."""
    folder = unpacked() or root() / FOLDER
    names = [Path(batch.name).name for batch in RELEASE.batches]
    if missing := [name for name in names if not (folder / name).is_file()]:
        raise DataError(
            f"{folder} is only half unpacked: {', '.join(missing)} missing. Unpack the official archive again, or remove the "
            "folder and run make data-cifar10"
        )
    place = folder.relative_to(root()).as_posix()
    yield from (read(replace(batch, name=f"{place}/{name}")) for batch, name in zip(RELEASE.batches, names, strict=True))


def grey(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(n, 1024) ITU-R 601 luma of (n, 1024, 3) in PIL's integers, which torchvision's Grayscale uses."""
    r, g, b = (images[..., i].astype(np.uint32) for i in range(3))
    return ((19595 * r + 38470 * g + 7471 * b + 32768) >> 16).astype(np.uint8)


def make(download: bool, say: Say) -> Made:
    """Makes the arrays: images in official order (five training batches, then the test batch) in colour and grey, labels, and the split."""
    if not RELEASE.archive.path().exists() and unpacked() is None:
        if not download:
            raise DataError(
                f"CIFAR-10 is not here. Run make data-cifar10 (python -m data cifar10), which downloads it. Without a network: "
                f"{by_hand(RELEASE.archive)} The unpacked folder {FOLDER} in the same place will do as well."
            )
        fetch(RELEASE.archive, say)
    contents = from_archive() if RELEASE.archive.path().exists() else from_folder()
    n = RELEASE.per_batch
    parts = [parse(content, batch.path().name, n) for content, batch in zip(contents, RELEASE.batches, strict=True)]
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order, facts = split_facts((len(RELEASE.batches) - 1) * n, labels, CLASSES)
    arrays = {"colour": images, "grey": np.concatenate([grey(part) for part, _ in parts]), "labels": labels, "order": order}
    files = {batch.path().name: batch.digest for batch in RELEASE.batches}
    return Made(arrays=arrays, facts={"source": SOURCE, "licence": LICENCE, "files": files, **facts})


def key() -> str:
    """Makes the key of the prepared folder from what decides its content."""
    return key_of_files(READER_VERSION, *RELEASE.batches)


def load(*, download: bool = False, say: Say = silent) -> Prepared:
    """Opens the prepared arrays, made from the archive or the unpacked folder where they are not there; downloads only where asked."""
    images = len(RELEASE.batches) * RELEASE.per_batch
    return prepare(NAME, key(), lambda: make(download, say), needed=images * (4 * PIXELS + 16))


# ---------------------------------------------------------------- the data set

Constants = tuple[tuple[float, ...], tuple[float, ...]]
GREY: Final[Constants] = ((122.6 / 255,), (61.0 / 255,))
"""Mean and standard deviation of the grey pixels in state-spaces/s4."""
COLOUR: Final[Constants] = ((0.4914, 0.4822, 0.4465), (0.247, 0.243, 0.261))
"""Means and standard deviations of the three channels in state-spaces/s4."""
COLOUR_NOISE: Final[Constants] = ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
"""Those of the authors' script of the noise experiment; its standard deviations are means over images of the deviation within one."""


CARD: Final = Card(
    name=NAME,
    title="CIFAR-10",
    what="A photograph of 32 x 32 pixels, in colour or grey, read row by row as 1,024 steps; the question is which of ten things it shows.",
    size="60,000 images: 45,000 to train, 5,000 to validate, 10,000 to test; 170 MB to download, 250 MB prepared.",
    licence=LICENCE,
    source="Alex Krizhevsky, University of Toronto: cifar-10-python.tar.gz, or its unpacked folder cifar-10-batches-py",
    citation="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009; as a sequence: arXiv:2011.04006 (grey)",
    splits="The official test set; the official training set cut 90/10 by torch's permutation of seed 42, as in state-spaces/s4. LRA takes "
    "the last 10 % of the training set instead.",
    issues=(
        "a few hundred test images have a near copy in the training set (arXiv:1902.00423)",
        "grey is PIL's luma, as in state-spaces/s4; LRA's is TensorFlow's, which differs by one level in some pixels",
        "pixels are real numbers, normalised; LRA's token ids 0..255 are the protocol choice tokens=true",
        "chance is 10 %",
    ),
)


@dataclass(frozen=True, kw_only=True)
class CIFARSpec(ImageSpec):
    """1024 pixels in row-major order, one per step, then `noise` steps i.i.d. uniform on [0, 1) in every channel; the label is the class.

    Pixels are normalised with the constants of the code that made the published numbers: state-spaces/s4 without noise, the HOPE authors'
    script with it. The noise is left as it is drawn, as there; training noise is fresh in every epoch, evaluation noise is fixed (the
    script draws it anew at every access). 45,000 images to train on and 5,000 to validate, the literature's split, and 10,000 to test.
    """

    version: ClassVar[int] = 1
    task: ClassVar[tuple[str, ...]] = ("color", "noise")
    card: ClassVar[Card] = CARD

    color: bool = True
    """Three channels; False is one, the grey of LRA Image."""
    noise: int = 0
    """Noise steps after the image."""
    tokens: bool = False
    """Grey levels as token ids 0..255, the form of LRA (arXiv 2011.04006); otherwise real numbers, the form of S4 and its successors."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_at_least(0, "noise")
        if self.tokens and (self.color or self.noise):
            raise ValueError("tokens are grey levels of the image alone: color must be False and noise 0")

    @property
    def signature(self) -> Signature:
        """Each step is three real numbers, or one, or one of 256 tokens; there are ten classes."""
        if self.tokens:
            return Signature(length=PIXELS, vocab=256, d_output=len(CLASSES))
        return Signature(length=PIXELS + self.noise, d_input=3 if self.color else 1, d_output=len(CLASSES))

    def load(self, *, download: bool = False, say: Say = silent) -> Prepared:
        """Opens the prepared arrays; the first time, reads and checks the official files."""
        return load(download=download, say=say)

    def opened(self) -> Prepared | None:
        """Opens the prepared arrays; None where they are not there."""
        return opened(NAME, key())

    def plan(self) -> str:
        """Says which archive would be fetched."""
        return f"{RELEASE.archive.name} ({RELEASE.archive.bytes / 1e6:,.0f} MB) into {root()}, and 250 MB of prepared arrays"

    def build(self, *, batch_size: int, seed: int) -> SplitModule:
        """The data module; batches are {"x": (B, 1024 + noise, channels) float32, "y": (B,) int64}. Raises DataError."""
        from data.module import SplitModule

        prepared = load()
        channels = self.signature.d_input or 0
        images = prepared.array("colour" if self.color else "grey")
        labels = prepared.array("labels").astype(np.int64)
        splits = self.splits(prepared.array("order"), labels)
        mean, std = (np.array(c, dtype=np.float32) for c in (GREY if not self.color else COLOUR_NOISE if self.noise else COLOUR))

        def make(split: str, ids: Ids, epoch: int) -> dict[str, NDArray[Any]]:
            if self.tokens:
                return {"x": images[ids].astype(np.int64), "y": labels[ids]}
            x = np.empty((len(ids), PIXELS + self.noise, channels), dtype=np.float32)
            pixels = x[:, :PIXELS]
            pixels[:] = images[ids].reshape(len(ids), PIXELS, channels)  # bytes until here
            pixels /= 255
            pixels -= mean
            pixels /= std
            if self.noise:
                stream = (seed, epoch) if split == "train" else (PARTS.index(split), EVERY_EVALUATION)
                x[:, PIXELS:] = uniform_noise(stream, ids, (self.noise, channels))
            return {"x": x, "y": labels[ids]}

        content = sha256(prepared.digests(), *(splits[name] for name in PARTS))
        return SplitModule(splits, len(labels), make, batch_size=batch_size, seed=seed, content_hash=content)
