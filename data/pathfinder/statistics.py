"""The statistics of generated Pathfinder images beside those of images that the program of 2019 drew: 1,000 at 32 pixels, 240 at 128.

Every quantity is a function of a few numbers per image, so its sampling error is measured by drawing the images again with replacement.
The reference has the same error, scaled to its number of images; what is told apart is told in standard deviations of the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data.comparison import DEVIATIONS, Line
from data.pathfinder.drawing import Difficulty, Resolution

Floats = NDArray[np.float64]

RESAMPLED: Final = 60
"""Sets of images drawn with replacement."""
AT_MOST: Final = 4000
"""Images that are drawn again; the error of more is scaled."""
CHUNK: Final = 1000
SOURCE: Final = (
    "1,000 images at 32 pixels (seed 1) and 240 at 128 (seed 3) drawn by drewlinsley/pathfinder @ ab9c130c with the parameters of Long "
    "Range Arena's builders, its old image routines re-created"
)
REFERENCE_IMAGES: Final[dict[Resolution, int]] = {32: 1000, 128: 240}

# Quantity -> value as printed; its last digit tells how it was rounded.
REFERENCE: Final[dict[Resolution, dict[str, str]]] = {
    32: {
        "mean pixel": "20.2",
        "std of pixels": "51.1",
        "image mean, 1 %": "17.0",
        "image mean, 5 %": "17.7",
        "image mean, 25 %": "18.5",
        "image mean, 50 %": "19.9",
        "image mean, 75 %": "21.3",
        "image mean, 95 %": "24.1",
        "image mean, 99 %": "26.0",
        "pixels > 0": "0.342",
        "pixels > 127": "0.085",
        "pixels >= 250": "0.0030",
        "pixels = 1": "0.055",
        "pixels = 2": "0.043",
        "pixels = 3": "0.040",
        "pixels = 4": "0.023",
        "pixels = 5": "0.013",
        "pixels = 139": "0.0044",
        "disc centres = 221": "0.30",
        "disc centres = 255": "0.33",
        "start disc, std": "3.6",
        "start disc, least": "7",
        "start disc, greatest": "23",
        "end disc, std": "8.9",
        "end disc, least": "2",
        "end disc, greatest": "29",
        "distance, mean": "13.4",
        "distance, std": "5.1",
        "distance, 5 %": "4.2",
        "distance, 25 %": "9.8",
        "distance, 50 %": "13.5",
        "distance, 75 %": "17.0",
        "distance, 95 %": "21.6",
        "distance, label 0": "13.1",
        "distance, label 1": "13.7",
        "brightness, label 0": "20.18",
        "brightness, label 1": "20.21",
        "end disc within 2 px of the border": "0.28",
        "end disc within 3 px of the border": "0.43",
        "distractors: 0": "0.25",
        "distractors: 1": "0.41",
        "distractors: 2": "0.26",
        "distractors: 3": "0.07",
        "distractors: 4": "0.01",
        "attempts per image": "326",
        "shortcut: distance": "0.540",
        "shortcut: brightness": "0.498",
    },
    128: {
        "mean pixel": "7.90",
        "std of pixels": "35.6",
        "image mean, 1 %": "7.0",
        "image mean, 5 %": "7.3",
        "image mean, 25 %": "7.7",
        "image mean, 50 %": "7.9",
        "image mean, 75 %": "8.1",
        "image mean, 95 %": "8.4",
        "image mean, 99 %": "8.5",
        "pixels > 0": "0.137",
        "pixels > 127": "0.030",
        "pixels >= 250": "0.0021",
        "pixels = 1": "0.024",
        "pixels = 3": "0.022",
        "pixels = 2": "0.018",
        "pixels = 229": "0.005",
        "disc centres = 254": "1.000",
        "start disc, std": "16",
        "start disc, least": "23",
        "start disc, greatest": "103",
        "end disc, std": "40",
        "end disc, least": "3",
        "end disc, greatest": "124",
        "distance, mean": "75.6",
        "distance, std": "17.8",
        "distance, 5 %": "46",
        "distance, 25 %": "64",
        "distance, 50 %": "76",
        "distance, 75 %": "88",
        "distance, 95 %": "105",
        "distance, label 0": "74.6",
        "distance, label 1": "76.5",
        "brightness, label 0": "7.89",
        "brightness, label 1": "7.90",
        "end disc within 2 px of the border": "0.000",
        "end disc within 3 px of the border": "0.125",
        "distractors: 6": "0.02",
        "distractors: 7": "0.25",
        "distractors: 8": "0.73",
        "attempts per image": "3e2",
        "shortcut: distance": "0.540",
        "shortcut: brightness": "0.525",
    },
}
"""Measured on the images of SOURCE, difficulty curv_contour_length_14. A shortcut is what one number says of the label, see `_area`."""


@dataclass(frozen=True)
class _Images:
    """All that the quantities need of each image."""

    sums: Floats
    squares: Floats
    values: Floats
    """(n, 256) pixels of each value."""
    labels: NDArray[np.uint8]
    markers: Floats
    centres: NDArray[np.uint8]
    """(n, 2) brightness at the two discs."""
    distractors: NDArray[np.uint8]
    size: int

    def of(self, ids: NDArray[np.int64]) -> _Images:
        return replace(self, **{f.name: getattr(self, f.name)[ids] for f in fields(self) if f.name != "size"})


def _counted(images: NDArray[np.uint8], labels: NDArray[Any], markers: NDArray[Any], distractors: NDArray[Any]) -> _Images:
    n, pixels = images.shape
    size = round(pixels**0.5)
    values = np.empty((n, 256))
    for start in range(0, n, CHUNK):
        part = np.asarray(images[start : start + CHUNK], dtype=np.int64)
        offset = 256 * np.arange(len(part))[:, None]
        values[start : start + CHUNK] = np.bincount((part + offset).ravel(), minlength=256 * len(part)).reshape(-1, 256)
    places = np.asarray(markers, dtype=np.int64)
    centres = np.stack([images[np.arange(n), places[:, i] * size + places[:, i + 1]] for i in (0, 2)], axis=1)
    level = np.arange(256.0)
    return _Images(
        values @ level, values @ level**2, values, np.asarray(labels), places.astype(float), centres, np.asarray(distractors), size
    )


def _quantities(x: _Images) -> Iterator[tuple[str, float]]:
    pixels = x.size**2
    mean = float(x.sums.mean() / pixels)
    yield "mean pixel", mean
    yield "std of pixels", float(np.sqrt(x.squares.mean() / pixels - mean**2))
    own = x.sums / pixels
    for percent, value in zip((1, 5, 25, 50, 75, 95, 99), np.percentile(own, (1, 5, 25, 50, 75, 95, 99)).tolist()):
        yield f"image mean, {percent} %", value
    shares = x.values.mean(axis=0) / pixels
    yield "pixels > 0", float(shares[1:].sum())
    yield "pixels > 127", float(shares[128:].sum())
    yield "pixels >= 250", float(shares[250:].sum())
    for value in range(1, 256):
        yield f"pixels = {value}", float(shares[value])
    centres = np.bincount(x.centres.ravel(), minlength=256) / x.centres.size
    for value in range(1, 256):
        yield f"disc centres = {value}", float(centres[value])
    for name, place in (("start", x.markers[:, :2]), ("end", x.markers[:, 2:])):
        yield f"{name} disc, std", float(place.std(axis=0).mean())
        yield f"{name} disc, least", float(place.min())
        yield f"{name} disc, greatest", float(place.max())
    distance = np.hypot(x.markers[:, 0] - x.markers[:, 2], x.markers[:, 1] - x.markers[:, 3])
    yield "distance, mean", float(distance.mean())
    yield "distance, std", float(distance.std())
    for percent, value in zip((5, 25, 50, 75, 95), np.percentile(distance, (5, 25, 50, 75, 95)).tolist()):
        yield f"distance, {percent} %", value
    for label in (0, 1):
        yield f"distance, label {label}", float(distance[x.labels == label].mean())
        yield f"brightness, label {label}", float(own[x.labels == label].mean())
    border = np.minimum(x.markers[:, 2:], x.size - 1 - x.markers[:, 2:]).min(axis=1)
    for reach in (2, 3):
        yield f"end disc within {reach} px of the border", float((border <= reach).mean())
    for count in range(9):
        yield f"distractors: {count}", float((x.distractors == count).mean())
    yield "shortcut: distance", _area(distance, x.labels)
    yield "shortcut: brightness", _area(own, x.labels)


def _area(values: Floats, labels: NDArray[Any]) -> float:
    """The chance that an image of label 1 has the larger value of a pair (area under the ROC curve): 0.5 says nothing of the label."""
    ones = int(np.count_nonzero(labels))
    if ones in (0, len(labels)):
        return 0.5
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[labels == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(labels) - ones)))


def statistics(
    images: NDArray[np.uint8], labels: NDArray[Any], markers: NDArray[Any], distractors: NDArray[Any]
) -> dict[str, tuple[float, float]]:
    """Measures every quantity: name -> (value, its standard error).

    The images are (n, size^2), their labels (n,), the places of their discs (n, 4) and the numbers of their distractors (n,).
    """
    x = _counted(images, labels, markers, distractors)
    n = len(labels)
    rng = np.random.default_rng(0)
    drawn = x if n <= AT_MOST else x.of(rng.choice(n, AT_MOST, replace=False))
    m = len(drawn.labels)
    again = np.array([[value for _, value in _quantities(drawn.of(rng.integers(0, m, m)))] for _ in range(RESAMPLED)])
    errors = again.std(axis=0, ddof=1) * np.sqrt(m / n)
    return {name: (value, float(error)) for (name, value), error in zip(_quantities(x), errors, strict=True)}


def compare(
    resolution: Resolution,
    difficulty: Difficulty,
    images: NDArray[np.uint8],
    labels: NDArray[Any],
    markers: NDArray[Any],
    distractors: NDArray[Any],
    attempts: float,
) -> list[Line]:
    """Compares these images with the table of REFERENCE. Raises ValueError where there is none for them."""
    if resolution not in REFERENCE or difficulty != "curv_contour_length_14":
        known = ", ".join(map(str, REFERENCE))
        raise ValueError(f"there is no reference for {difficulty} at {resolution} pixels, only for curv_contour_length_14 at {known}")
    n = len(labels)
    ours = statistics(images, labels, markers, distractors)
    ours["attempts per image"] = attempts, attempts / np.sqrt(n)  # each is a fair game of chance, so their number is geometric
    return list(_lines(ours, REFERENCE[resolution], n, REFERENCE_IMAGES[resolution], resolution))


def _lines(ours: Mapping[str, tuple[float, float]], reference: Mapping[str, str], n: int, of: int, size: int) -> Iterator[Line]:
    for quantity, printed in reference.items():
        value, error = ours[quantity]
        both = error * np.sqrt(1 + n / of)
        if quantity.endswith(("least", "greatest")):
            both = size / 50  # no error is known for an extreme
        elif quantity.startswith(("pixels =", "disc centres =", "distractors:")) or "within" in quantity:
            expected = float(printed)  # what is rare may not have occurred at all
            both = max(both, np.sqrt(expected * (1 - expected) * (1 / n + 1 / of))) if not quantity.startswith("pixels") else both
        yield Line(quantity, float(printed), value, DEVIATIONS * float(np.hypot(both, _rounding(printed))))


def _rounding(printed: str) -> float:
    """The standard deviation of what rounding to the last printed digit took away."""
    if "e" in printed:
        return float(10 ** int(printed.partition("e")[2])) / np.sqrt(12)
    return float(10.0 ** -len(printed.partition(".")[2])) / np.sqrt(12)
