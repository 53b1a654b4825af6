"""Pathfinder and Path-X (arXiv:2011.04006; the task: arXiv:1805.08315): does one dashed curve join the two discs, pixel by pixel?

`source="generated"` draws the images as the program of 2019 does that drew those of Long Range Arena; `source="official"` reads the
released PNG files. Both end in the same arrays: images as rows of bytes in row-major order, and labels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from data.base import PARTS, DataError, Say, Signature, silent
from data.card import Card
from data.comparison import Line
from data.files.digests import key_of, sha256
from data.files.prepared import Made, Prepared, opened, prepare
from data.files.progress import duration
from data.files.root import root, scratch
from data.pathfinder import release
from data.pathfinder.drawing import Difficulty, Resolution, parameters
from data.pathfinder.generator import GENERATOR_VERSION
from data.pathfinder.shards import PACKED, SIZES, Shards, workers
from data.pathfinder.statistics import compare
from data.sampling import Ids, torch_permutation
from data.subsets import SplitSpec

if TYPE_CHECKING:
    from data.module import SplitModule

NAME: Final = "pathfinder"
READER_VERSION: Final = 1
"""Raised when the arrays made from the same images change."""
SEED: Final = 2011_04006
"""The seed of the generated set: there is one such set, as there is one release."""
IMAGES: Final = release.RELEASED
RATES: Final[dict[Resolution, float]] = {32: 900, 64: 40, 128: 40, 256: 120}
"""Images a second that one core of 2 GHz draws, about."""
SPLIT_SEED: Final = 42
"""The seed of torch.utils.data.random_split in state-spaces/s4."""
Split = Literal["random-42", "in-order"]
RULES: Final[dict[Split, str]] = {
    "random-42": f"torch.randperm of seed {SPLIT_SEED}: 80 % train, then 10 % val, then 10 % test, the last two rounded down",
    "in-order": "the first 80 % train, the next 10 % val, the last 10 % test",
}

CARD: Final = Card(
    name=NAME,
    title="Pathfinder, Path-X and their larger kin (Long Range Arena)",
    what="A grey image of two long dashed curves, a few short ones, and two discs, one pixel per step; the question is whether the discs "
    "mark the two ends of one long curve (1) or ends of different ones (0). Both long curves are always there. 32 x 32 pixels is "
    "Pathfinder, 128 x 128 is Path-X; 64 and 256 were released beside them.",
    size="200,000 images of each resolution and difficulty: 160,000 to train, 20,000 to validate, 20,000 to test. Prepared 0.2, 0.8, 3.3 "
    "and 13 GB at 32, 64, 128 and 256 pixels; the shards they are generated in have a tenth to a third of that and may be removed "
    "afterwards.",
    licence="generated here: that of this suite; the program of 2019: MIT; the release of Long Range Arena: Apache-2.0",
    source="drawn here as drewlinsley/pathfinder does in its state of 2019, with the parameters printed in google-research/"
    "long-range-arena; or Google Research's lra_release.gz (about 7.7 GB, no checksum published): lra_release/lra_release/pathfinder32 and "
    "so on, DIFFICULTY/imgs/BATCH/sample_I.png and DIFFICULTY/metadata/BATCH.npy",
    citation="D. Linsley et al., Learning long-range spatial dependencies with horizontal gated recurrent units, arXiv:1805.08315; as long "
    "sequences: Y. Tay et al., Long Range Arena, arXiv:2011.04006",
    splits="split=random-42 (state-spaces/s4 and those after it): a permutation of torch's generator, 80/10/10. split=in-order (LRA): 80, "
    "10 and 10 % in the order of the lists; LRA's own order is that of its TFDS build, which need not be the same.",
    issues=(
        "chance is 50 %; both labels are fair coins. The distance of the discs gives a little away, in the original as here: at 32 pixels "
        "it is 0.6 pixels longer for label 1, which is worth 54 % of right answers; brightness gives nothing",
        "the released images were drawn without a seed, so the generated set has their distribution and not their pixels; published "
        "numbers stand beside the official source only",
        "the distribution is checked against 1,000 and 240 images that the program of 2019 itself drew at 32 and 128 pixels; at 64 and 256 "
        "nothing is at hand to compare with",
        "a fault of the original is kept, since it shaped the released images: its search for a free place fails outright in directions in "
        "which a dash could lie beyond the border altogether. At 32 pixels this leaves 30 of 360 directions for first dashes (and few "
        "distractors), at 64 pixels 95, at 128 pixels all or all but 6, at 256 pixels all of them",
        "lines are drawn by Pillow's line primitive and Lanczos filter; their form may differ by single pixels between versions, so the "
        "key of a generated set contains the patches, and the version that drew the release is not known",
        "the parameters are those printed in LRA's builders, which print 14 dashes for every difficulty; for curv_baseline and "
        "curv_contour_length_9 we take 6 and 9 dashes from the original wrapper, a third of that for distractors, and as many distractors "
        "as for 14. Whether the release did so is not documented; the literature uses curv_contour_length_14 only",
        "whether 5 or 10 distractors were asked for at 32 pixels is not documented either; 5 here, of which 1.2 are placed",
        "one file of the release is empty (pathfinder32/curv_baseline/imgs/0/sample_172.png) and left out, as everywhere",
        "scaling=centred gives values in [-1, 1], as all code behind published numbers does (state-spaces/s4 up to v3, DSS, S5, HOPE); "
        "scaling=unit gives [0, 1], the configuration of state-spaces/s4 since v4 (March 2023), after its papers; tokens=true gives the "
        "bytes as ids (LRA)",
    ),
)


def split_of(n: int, rule: Split) -> dict[str, Ids]:
    """Cuts the ids of n images into the three parts."""
    tenth = n // 10
    order = torch_permutation(SPLIT_SEED, n) if rule == "random-42" else np.arange(n, dtype=np.int64)
    return {"train": order[: n - 2 * tenth], "val": order[n - 2 * tenth : n - tenth], "test": order[n - tenth :]}


def _facts(labels: NDArray[np.uint8]) -> dict[str, Any]:
    """What the manifest says of the parts; classes and checksum of the default rule first."""
    rules: dict[str, Any] = {}
    for rule in get_args(Split):
        parts = split_of(len(labels), rule)
        rules[rule] = {
            "classes": {part: dict(zip("01", np.bincount(labels[ids], minlength=2).tolist())) for part, ids in parts.items()},
            "split": {"rule": RULES[rule], "sha256": sha256(*parts.values())},
        }
    counts = {part: len(ids) for part, ids in split_of(len(labels), "in-order").items()}
    return {"counts": counts, **rules["random-42"], "in-order": rules["in-order"], "licence": CARD.licence}


def block_means(images: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """(B, L) images in row-major order -> (B, L / side^2): the means over squares of `side` x `side` pixels, in the same order."""
    if side == 1:
        return images
    n = math.isqrt(images.shape[1]) // side
    return images.reshape(-1, n, side, n, side).mean(axis=(2, 4)).reshape(-1, n * n)


@dataclass(frozen=True, kw_only=True)
class PathfinderSpec(SplitSpec):
    """The pixels of an image in row-major order, one per step; the label is whether one curve joins the two discs."""

    version: ClassVar[int] = 1
    task: ClassVar[tuple[str, ...]] = ("resolution", "averaged")
    card: ClassVar[Card] = CARD

    resolution: Resolution = 32
    """Side of the images: 32 is Pathfinder, 128 is Path-X."""
    difficulty: Difficulty = "curv_contour_length_14"
    """Folder of the release; the literature uses the default alone."""
    source: Literal["generated", "official"] = "generated"
    """Where the images come from; published numbers stand beside official ones only."""
    images: int = IMAGES
    """Only the first so many, before they are split."""
    scaling: Literal["unit", "centred"] = "unit"
    """Values in [0, 1] or in [-1, 1]."""
    split: Split = "random-42"
    """Which rule cuts the images into parts: the card tells both."""
    tokens: bool = False
    """Whether pixels are given as ids 0 .. 255 instead of real numbers."""
    averaged: Literal[1, 2, 4, 8] = 1
    """Side of the squares of pixels of which one step has the mean: with 2 or more a coarser picture, and a shorter sequence."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 10 <= self.images <= IMAGES:
            raise ValueError(f"images is a number of images, 10 to {IMAGES:,}, so that no part is empty; got {self.images}")
        if self.tokens and self.scaling != "unit":
            raise ValueError("scaling is for real numbers; with tokens=true the bytes are ids as they are")
        if self.tokens and self.averaged > 1:
            raise ValueError("tokens=true gives single bytes as ids, and means of several are none")

    @property
    def signature(self) -> Signature:
        """Each step is one real number, or one of 256 ids; there are two classes."""
        length = (self.resolution // self.averaged) ** 2
        return Signature(length=length, vocab=256, d_output=2) if self.tokens else Signature(length=length, d_input=1, d_output=2)

    # ------------------------------------------------------------ prepared arrays

    @property
    def _name(self) -> str:
        return f"{NAME}{self.resolution}-{self.source}"

    @property
    def _shards(self) -> Shards:
        p = parameters(self.resolution, self.difficulty)
        return Shards(p=p, difficulty=self.difficulty, seed=SEED, size=SIZES[self.resolution])

    def _key(self) -> str | None:
        """Makes the key of the prepared arrays; None where official files are asked for and not there."""
        if self.source == "generated":
            content = self._shards.key()
        else:
            folder = release.find(self.resolution, self.difficulty)
            if folder is None:
                return None
            content = release.fingerprint(folder)
        return key_of(f"reader {READER_VERSION} {self.source} {self.resolution} {self.difficulty} first {self.images} of {content}")

    def load(self, *, download: bool = False, say: Say = silent) -> Prepared:
        """Draws the images, or reads the official ones, once. Neither needs the network. Raises DataError."""
        key = self._key()
        if key is None:
            raise DataError(
                f"the official images of Pathfinder are not here: {root() / release.FOLDERS[0] / f'pathfinder{self.resolution}'} with "
                f"{self.difficulty}/imgs and {self.difficulty}/metadata is missing. They are in lra_release.gz of "
                "https://github.com/google-research/long-range-arena (about 7.7 GB, nothing is downloaded for you): unpack it in "
                f"{root()}. Or use source=generated: make data-pathfinder draws images of the same distribution."
            )
        make = self._generate if self.source == "generated" else self._read
        return prepare(self._name, key, lambda: make(say), needed=self._needed())

    def _needed(self) -> int:
        """Bytes: the shards that are still to be drawn, and the images twice, once where they are put together and once prepared."""
        shards = self._shards
        drawn = len(shards.missing(self.images)) * shards.size * self.resolution**2 * PACKED if self.source == "generated" else 0
        return int(drawn) + 2 * self.images * (self.resolution**2 + 32)

    def opened(self) -> Prepared | None:
        """Opens the prepared arrays; None where they are not there. Those of official images are found only while these are there."""
        key = self._key()
        return None if key is None else opened(self._name, key)

    def _generate(self, say: Say) -> Made:
        shards, n = self._shards, self.images
        shards.fill(n, workers(), say)
        arrays: dict[str, NDArray[Any]] = {
            "images": scratch((n, self.resolution**2), "uint8"),
            "labels": np.empty(n, dtype=np.uint8),
            "markers": np.empty((n, 4), dtype=np.int16),
            "distractors": np.empty(n, dtype=np.uint8),
        }
        attempts = 0
        numbers = range(-(-n // shards.size))
        for number in numbers:
            batch, start = shards.read(number), number * shards.size
            for name, array in arrays.items():
                array[start : start + shards.size] = getattr(batch, name)[: n - start]
            attempts += batch.attempts
        labels = arrays["labels"]
        release.require_balance(labels, str(shards.folder))
        return Made(
            arrays=arrays,
            facts={
                "source": "drawn here as the program of drewlinsley/pathfinder did in 2019, with the parameters of Long Range Arena",
                "version": f"generator {GENERATOR_VERSION}, seed {SEED}, {shards.folder.name}",
                "attempts per image": round(attempts / (len(numbers) * shards.size), 1),
                **_facts(labels),
            },
        )

    def _read(self, say: Say) -> Made:
        folder = release.find(self.resolution, self.difficulty, say)
        assert folder is not None
        say(f"reading the images in {folder}")
        images = release.read(folder, self.resolution, self.images, say)
        return Made(
            arrays={"images": images.pixels, "labels": images.labels},
            facts={
                "source": "Long Range Arena, Google Research, https://github.com/google-research/long-range-arena",
                "version": f"reader {READER_VERSION}",
                "files": {"images in the order of their lists": f"sha256:{images.digest}"},
                "notes": list(images.notes),
                **_facts(images.labels),
            },
        )

    def plan(self) -> str:
        """Says what would be drawn or read; nothing is ever fetched."""
        pixels = self.images * self.resolution**2
        where = root()
        if self.source == "official":
            return (
                f"reads {self.images:,} official PNG files, which must be in {where / release.FOLDERS[0]} (nothing is downloaded), and "
                f"prepares {pixels / 1e6:,.0f} MB in {where / 'prepared'}; {self._needed() / 1e6:,.0f} MB have to be free meanwhile; about "
                f"{duration(self.images / 5000 + 1)}"
            )
        shards, processes = self._shards, workers()
        missing = len(shards.missing(self.images)) * shards.size
        seconds = missing / RATES[self.resolution] / min(processes, max(1, missing // shards.size)) + pixels / 1e8 + 1
        return (
            f"draws {missing:,} images ({self.images - min(missing, self.images):,} are there) in up to {processes} processes, at most "
            f"{missing * self.resolution**2 * PACKED / 1e6:,.0f} MB in {shards.folder}, and prepares {pixels / 1e6:,.0f} MB in "
            f"{where / 'prepared'}, for which {self._needed() / 1e6:,.0f} MB have to be free; about "
            f"{duration(seconds)}, no network, and an interruption costs a shard of {shards.size} images"
        )

    def statistics(self) -> list[Line]:
        """Compares every quantity of the reference with that of the prepared images. Raises DataError, ValueError (no reference)."""
        prepared = self.load()
        if self.source == "official":
            raise ValueError("the reference counts discs and distractors, which official images do not name: source=generated has them")
        names = ("images", "labels", "markers", "distractors")
        images, labels, markers, distractors = (prepared.array(name) for name in names)
        return compare(self.resolution, self.difficulty, images, labels, markers, distractors, prepared.manifest["attempts per image"])

    # ------------------------------------------------------------ batches

    def build(self, *, batch_size: int, seed: int) -> SplitModule:
        """The data module; batches are {"x": (B, L, 1) float32, or (B, L) int64 ids, "y": (B,) int64}. Raises DataError."""
        from data.module import SplitModule

        prepared = self.load()
        images, labels = prepared.array("images"), prepared.array("labels").astype(np.int64)
        splits = self.take(split_of(len(labels), self.split), labels)

        def make(split: str, ids: Ids, epoch: int) -> dict[str, NDArray[Any]]:
            y = labels[ids]
            if self.tokens:
                return {"x": images[ids].astype(np.int64), "y": y}
            x = block_means(images[ids].astype(np.float32), self.averaged)  # bytes until here
            x /= 255
            if self.scaling == "centred":
                x -= 0.5
                x /= 0.5
            return {"x": x[:, :, None], "y": y}

        content = sha256(prepared.digests(), *(splits[part] for part in PARTS))
        return SplitModule(splits, len(labels), make, batch_size=batch_size, seed=seed, content_hash=content)
