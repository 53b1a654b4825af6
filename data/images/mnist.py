"""MNIST read pixel by pixel: sequential MNIST, and permuted sequential MNIST in the bit-reversal order of state-spaces/s4.

70,000 handwritten digits of 28 x 28 pixels (Y. LeCun, C. Cortes, C. Burges). The official files are in the idx format: a big-endian header
(two zero bytes, 8 for unsigned bytes, the number of axes, the length of each), then the bytes.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from data.base import PARTS, DataError, Say, Signature, silent
from data.card import Card
from data.files.digests import sha256
from data.files.official import Official, by_hand, fetch, read, require_content
from data.files.prepared import Made, Prepared, key_of_files, opened, prepare
from data.files.root import root
from data.images.split import ImageSpec, split_facts
from data.sampling import Ids

if TYPE_CHECKING:
    from data.module import SplitModule

NAME: Final = "mnist"
FOLDER: Final = "MNIST/raw"
"""Where torchvision keeps them too."""
SIDE: Final = 28
PIXELS: Final = SIDE * SIDE
SOURCE: Final = "MNIST, Yann LeCun, Corinna Cortes and Christopher Burges, http://yann.lecun.com/exdb/mnist/"
LICENCE: Final = "no licence stated by the publishers; made from NIST Special Databases 1 and 3"
MIRRORS: Final = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")


@dataclass(frozen=True, kw_only=True)
class Packed:
    """One official file twice: as released (.gz), and what is in it."""

    gz: Official
    idx: Official


def _packed(name: str, gz: tuple[int, str], idx: tuple[int, str]) -> Packed:
    return Packed(
        gz=Official(
            name=f"{FOLDER}/{name}.gz", bytes=gz[0], digest=f"sha256:{gz[1]}", urls=tuple(f"{mirror}{name}.gz" for mirror in MIRRORS)
        ),
        idx=Official(name=f"{FOLDER}/{name}", bytes=idx[0], digest=f"sha256:{idx[1]}"),
    )


RELEASE: dict[str, Packed] = {
    "train images": _packed(
        "train-images-idx3-ubyte",
        (9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        (47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    ),
    "train labels": _packed(
        "train-labels-idx1-ubyte",
        (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        (60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    ),
    "test images": _packed(
        "t10k-images-idx3-ubyte",
        (1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        (7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    ),
    "test labels": _packed(
        "t10k-labels-idx1-ubyte",
        (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        (10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ),
}
READER_VERSION: Final = 1

# ---------------------------------------------------------------- reading the release


def content_of(file: Packed, download: bool, say: Say) -> bytes:
    """The checked content of the unpacked file, from the .gz or from the unpacked file itself."""
    if not file.gz.path().exists():
        if file.idx.path().exists():
            return read(file.idx)
        if not download:
            raise DataError(
                f"MNIST is not here: {file.gz.path()} is missing. Run make data-mnist (python -m data mnist), which downloads it. Without "
                f"a network: {by_hand(file.gz)} Likewise {', '.join(f.gz.path().name for f in RELEASE.values())}; unpacked will do."
            )
        fetch(file.gz, say)
    try:
        content = gzip.decompress(read(file.gz))
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file.gz.path()} cannot be unpacked: {error}") from error
    require_content(content, file.idx)
    return content


def parse(content: bytes, name: str) -> NDArray[np.uint8]:
    """The array in an idx file of unsigned bytes. Raises DataError where header and length do not agree."""
    axes = content[3] if len(content) >= 4 and content[:3] == b"\0\0\x08" else 0
    if not axes or len(content) < 4 + 4 * axes:
        raise DataError(f"{name} is no idx file of bytes: it begins with {content[:4].hex() or 'nothing'}")
    shape = tuple(np.frombuffer(content, dtype=">u4", count=axes, offset=4).tolist())
    body = np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes)
    if len(body) != np.prod(shape, dtype=object):
        raise DataError(f"{name} announces {' x '.join(map(str, shape))} bytes and holds {len(body)}")
    return body.reshape(shape)


def _part(part: str, download: bool, say: Say) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    files = RELEASE[f"{part} images"], RELEASE[f"{part} labels"]
    images, labels = (parse(content_of(file, download, say), file.idx.path().name) for file in files)
    names = [file.idx.path().name for file in files]
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        raise DataError(f"{names[0]} holds {' x '.join(map(str, images.shape))} bytes instead of images of {SIDE} x {SIDE}")
    if labels.shape != images.shape[:1]:
        raise DataError(f"{names[1]} holds {' x '.join(map(str, labels.shape))} labels for {len(images)} images")
    if labels.max(initial=0) > 9:
        bad = int(np.flatnonzero(labels > 9)[0])
        raise DataError(f"{names[1]}: image {bad} has label {labels[bad]}; labels lie in 0..9")
    return images.reshape(-1, PIXELS), labels


def make(download: bool, say: Say) -> Made:
    """Makes the arrays: images (training, then test) as rows of 784 bytes, labels, and the split."""
    parts = [_part(part, download, say) for part in ("train", "test")]
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order, facts = split_facts(len(parts[0][1]), labels, tuple(map(str, range(10))))
    files = {file.idx.path().name: file.idx.digest for file in RELEASE.values()}
    arrays = {"images": images, "labels": labels, "order": order}
    return Made(arrays=arrays, facts={"source": SOURCE, "licence": LICENCE, "files": files, **facts})


def key() -> str:
    """Makes the key of the prepared folder from what decides its content."""
    return key_of_files(READER_VERSION, *(file.idx for file in RELEASE.values()))


def load(*, download: bool = False, say: Say = silent) -> Prepared:
    """Opens the prepared arrays, made from the official files where they are not there; downloads only where asked. Raises DataError."""
    return prepare(NAME, key(), lambda: make(download, say), needed=2 * sum(file.idx.bytes for file in RELEASE.values()))


# ---------------------------------------------------------------- the data set


def bit_reversal(n: int) -> Ids:
    """(n,) The numbers below n in the order of their reversed binary digits: step i reads pixel bit_reversal(n)[i] (state-spaces/s4)."""
    bits = max(1, (n - 1).bit_length())
    reversed_ = np.zeros(1 << bits, dtype=np.int64)
    for bit in range(bits):
        reversed_ |= ((np.arange(1 << bits) >> bit) & 1) << (bits - 1 - bit)
    return reversed_[reversed_ < n]


CARD: Final = Card(
    name=NAME,
    title="MNIST",
    what="A handwritten digit of 28 x 28 grey pixels, read row by row or in bit-reversal order as 784 steps; the question is which digit.",
    size="70,000 images: 54,000 to train, 6,000 to validate, 10,000 to test; 12 MB to download, 56 MB prepared.",
    licence=LICENCE,
    source="Yann LeCun, Corinna Cortes and Christopher Burges: four .gz files of idx arrays, or the same files unpacked",
    citation="Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Gradient-Based Learning Applied to Document Recognition, 1998",
    splits="The official test set; the official training set cut 90/10 by torch's permutation of seed 42, as in state-spaces/s4.",
    issues=(
        "pixels divided by 255 and no further normalised, as in state-spaces/s4",
        "there is no agreed permutation: bit reversal is that of state-spaces/s4, other work uses random ones",
        "chance is 10 %, the largest class 11.4 %",
    ),
)


@dataclass(frozen=True, kw_only=True)
class MNISTSpec(ImageSpec):
    """784 pixels, one per step, divided by 255 and no further normalised (as in state-spaces/s4); the label is the digit.

    54,000 images to train on, 6,000 to validate, 10,000 to test.
    """

    version: ClassVar[int] = 1
    task: ClassVar[tuple[str, ...]] = ("permuted",)
    card: ClassVar[Card] = CARD

    permuted: bool = False
    """Pixels in bit-reversal order instead of row-major, the permutation of state-spaces/s4; other work uses random ones."""

    @property
    def signature(self) -> Signature:
        """Each step is one real number; there are ten classes."""
        return Signature(length=PIXELS, d_input=1, d_output=10)

    def load(self, *, download: bool = False, say: Say = silent) -> Prepared:
        """Opens the prepared arrays; the first time, reads and checks the official files."""
        return load(download=download, say=say)

    def opened(self) -> Prepared | None:
        """Opens the prepared arrays; None where they are not there."""
        return opened(NAME, key())

    def plan(self) -> str:
        """Says which four files would be fetched."""
        packed = sum(file.gz.bytes for file in RELEASE.values())
        return f"{len(RELEASE)} files ({packed / 1e6:,.0f} MB) into {root() / FOLDER}, and 56 MB of prepared arrays"

    def build(self, *, batch_size: int, seed: int) -> SplitModule:
        """The data module; batches are {"x": (B, 784, 1) float32, "y": (B,) int64}. Raises DataError."""
        from data.module import SplitModule

        prepared = load()
        images, labels = prepared.array("images"), prepared.array("labels").astype(np.int64)
        splits = self.splits(prepared.array("order"), labels)
        pixels = bit_reversal(PIXELS) if self.permuted else slice(None)

        def make(split: str, ids: Ids, epoch: int) -> dict[str, NDArray[Any]]:
            x = images[ids][:, pixels].astype(np.float32)  # bytes until here
            x /= 255
            return {"x": x[:, :, None], "y": labels[ids]}

        content = sha256(prepared.digests(), *(splits[name] for name in PARTS))
        return SplitModule(splits, len(labels), make, batch_size=batch_size, seed=seed, content_hash=content)
