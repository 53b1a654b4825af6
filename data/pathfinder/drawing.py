"""What a Pathfinder image is made of: the published parameters, and dashes, occupancy and discs as small patches of bytes.

D. Linsley, J. Kim, V. Veerabadran, C. Windolf and T. Serre, "Learning long-range spatial dependencies with horizontal gated recurrent
units" (arXiv:1805.08315), whose program of 2019 drew the images of Long Range Arena (arXiv:2011.04006). That program used image routines
which have since gone from their libraries; what they did is done here with Pillow's line primitive and its Lanczos filter on bytes.

Points are (y, x); a direction is an angle whose (sine, cosine) is the step along (y, x). A dash is drawn on a grid `SCALE` times finer
and shrunk. Its patch depends on its direction only, and only finitely many directions occur: the 360 whole degrees of a first dash, and
those of the few points around a pivot where a later one can end. So every patch is drawn once.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from math import ceil, pi
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Points = NDArray[np.int64]
Resolution = Literal[32, 64, 128, 256]
Difficulty = Literal["curv_baseline", "curv_contour_length_9", "curv_contour_length_14"]

SCALE: Final = 2
"""Pixels of the fine grid per pixel."""
DEGREES: Final = 360
REDRAWS: Final = 3
"""Draws of one dash before it is given up."""
COLLISION: Final = 459
"""Two occupancies that add up to 1.8 (of 1, here of 255) collide."""
FREE: Final = 76
"""A pixel is free up to an occupancy of 0.3, here 76.5 of 255."""


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """The numbers that decide how images of one resolution and difficulty are drawn. Lengths are in pixels."""

    size: int
    """Side of the image."""
    padding: int
    """Width of the frame that nothing may touch."""
    seed_distance: int
    """Between the starts of the two long snakes."""
    radius: float
    """Radius of the marker discs."""
    length: int
    """Length of a dash."""
    thickness: float
    margins: tuple[int, ...]
    """Free space around a dash; one of these for each image."""
    continuity: float
    """Weight of a turn by angle a is cos^2(min(continuity |a|, pi/2))."""
    dashes: int
    """Dashes of a long snake."""
    distractors: int
    """Short snakes that are tried."""
    distractor_dashes: int
    snake_contrast: float
    dash_contrast: float

    def __post_init__(self) -> None:
        if self.thickness * SCALE != int(self.thickness * SCALE):
            raise ValueError(f"a dash is a whole number of fine pixels thick, got {self.thickness} pixels of {SCALE} each")
        if self.seed_distance < self.length + 2:
            raise ValueError("the seeds could leave the image, and their redrawing is left out: seed_distance is at least length + 2")


DASHES: Final[dict[Difficulty, int]] = {"curv_baseline": 6, "curv_contour_length_9": 9, "curv_contour_length_14": 14}
"""Dashes of a long snake. A distractor has a third as many."""

_RESOLUTIONS: Final[dict[Resolution, dict[str, float]]] = {
    32: {"padding": 1, "seed_distance": 7, "radius": 1.5, "length": 2, "thickness": 0.5, "continuity": 1.0, "distractors": 20 // 4},
    64: {"padding": 1, "seed_distance": 12, "radius": 2.5, "length": 5, "thickness": 1, "continuity": 1.8, "distractors": 22 // 4},
    128: {"padding": 1, "seed_distance": 20, "radius": 3, "length": 5, "thickness": 1.5, "continuity": 1.8, "distractors": 35 // 4},
    256: {"padding": 22, "seed_distance": 27, "radius": 5, "length": 5, "thickness": 2, "continuity": 1.8, "distractors": 30 // 4},
}
_MARGINS: Final[dict[Resolution, tuple[int, ...]]] = {32: (1,), 64: (1,), 128: (2, 3), 256: (3,)}
_CONTRASTS: Final[dict[Resolution, tuple[float, float]]] = {32: (2.0, 0.75), 64: (0.8, 1.0), 128: (0.9, 1.0), 256: (1.0, 1.0)}
"""(of snakes, of dashes)."""


def parameters(resolution: Resolution, difficulty: Difficulty = "curv_contour_length_14") -> Parameters:
    """The numbers printed in Long Range Arena's builders (google-research/long-range-arena, lra_benchmarks/data/pathfinder.py)."""
    if resolution not in get_args(Resolution):
        raise ValueError(f"no Pathfinder images of {resolution} pixels; one of: {', '.join(map(str, get_args(Resolution)))}")
    if difficulty not in DASHES:
        raise ValueError(f"unknown difficulty {difficulty!r}; one of: {', '.join(DASHES)}")
    numbers, dashes, (snake, dash) = _RESOLUTIONS[resolution], DASHES[difficulty], _CONTRASTS[resolution]
    return Parameters(
        size=resolution,
        padding=int(numbers["padding"]),
        seed_distance=int(numbers["seed_distance"]),
        radius=numbers["radius"],
        length=int(numbers["length"]),
        thickness=numbers["thickness"],
        margins=_MARGINS[resolution],
        continuity=numbers["continuity"],
        dashes=dashes,
        distractors=int(numbers["distractors"]),
        distractor_dashes=dashes // 3,
        snake_contrast=snake,
        dash_contrast=dash,
    )


# ---------------------------------------------------------------- geometry


def step(points: Points, angles: NDArray[np.float64], distance: float) -> Points:
    """(n, 2) `distance` along `angles` from `points`, both coordinates rounded up.

    The sum is taken before rounding: at right angles the sine of a float is a little above or below 0, and which of the two counts.
    """
    return np.ceil(points + distance * np.stack([np.sin(angles), np.cos(angles)], axis=-1)).astype(np.int64)


def opposite(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turns angles round, into [-pi, pi)."""
    return np.where(angles < 0, angles + pi, angles - pi)


def degrees(whole: NDArray[np.int64] | int) -> NDArray[np.float64]:
    """Converts degrees to radians."""
    return np.asarray(whole * pi / 180)


def disc(radius: int) -> Points:
    """Gives the offsets (n, 2) that lie within `radius`."""
    reach = np.arange(-radius, radius + 1)
    y, x = np.meshgrid(reach, reach, indexing="ij")
    return np.argwhere(y**2 + x**2 <= radius**2) - radius


def dilate(image: Bytes, offsets: Points) -> Bytes:
    """(..., H, W) The maximum over the pixels at `offsets` from each; beyond the border there is nothing."""
    reach = int(np.abs(offsets).max(initial=0))
    height, width = image.shape[-2:]
    around = np.pad(image, [(0, 0)] * (image.ndim - 2) + [(reach, reach)] * 2)
    out = np.zeros_like(image)
    for y, x in offsets + reach:
        np.maximum(out, around[..., y : y + height, x : x + width], out=out)
    return out


def shrink(fine: Bytes, shape: tuple[int, int]) -> Bytes:
    """Shrinks patches by the Lanczos filter on bytes, which clips and rounds."""
    from PIL import Image

    return np.asarray(Image.fromarray(fine).resize(shape[::-1], Image.Resampling.LANCZOS))


def candidates(radius: int) -> Points:
    """(K, 2) Offsets of the pixels on a circle, one point per pixel of arc, each once and in order."""
    angles = degrees(1) * np.arange(0, 360, 360 / (2 * pi * radius))
    return np.unique(np.floor(radius * np.stack([np.sin(angles), np.cos(angles)], axis=-1)).astype(np.int64), axis=0)


# ---------------------------------------------------------------- patches


def dash(p: Parameters, margin: int, angle: float) -> tuple[Bytes, Bytes]:
    """(light, occupancy), each (2h + 1, 2h + 1), of the dash that leaves the centre at `angle`; h = length + ceil(thickness) + margin."""
    from PIL import Image, ImageDraw

    half = p.length + ceil(p.thickness) + margin
    centre, side = half * SCALE, 2 * half * SCALE + 1
    (y, x), *_ = step(np.array([[centre, centre]]), np.array([angle]), p.length * SCALE).tolist()
    image = Image.new("L", (side, side))
    ImageDraw.Draw(image).line([(centre, centre), (x, y)], fill=255, width=round(p.thickness * SCALE))
    line = np.asarray(image)
    return shrink(line, (2 * half + 1,) * 2), shrink(dilate(line, disc(margin * SCALE)), (2 * half + 1,) * 2)


def marker(p: Parameters, y: int, x: int) -> tuple[Bytes, int, int]:
    """(patch, top, left): the disc around a pixel, its patch cut off at the borders of the image.

    The filter renormalises at a border, so a border of the patch lies either on one of the image or beyond the filter's reach.
    """
    reach = ceil(p.radius) + 7  # the filter reaches 3 pixels: as far as the disc has an effect, and as far as a border has one
    top, left = max(0, y - reach), max(0, x - reach)
    bottom, right = min(p.size, y + reach + 1), min(p.size, x + reach + 1)
    fine_y, fine_x = np.ogrid[SCALE * (top - y) : SCALE * (bottom - y), SCALE * (left - x) : SCALE * (right - x)]
    fine = np.where(fine_y**2 + fine_x**2 <= (p.radius * SCALE) ** 2, 255, 0).astype(np.uint8)
    return shrink(fine, (bottom - top, right - left)), top, left


def to_bytes(image: NDArray[np.float64]) -> Bytes:
    """The image stretched from its own minimum and maximum to 0 and 255, halves rounded up."""
    low, high = image.min(), image.max()
    return np.floor((image - low) * (255 / (high - low)) + 0.5).astype(np.uint8)


@dataclass(frozen=True)
class Pixels:
    """The pixels of many patches, as places and values of one length: short rows repeat their first pixel, which changes no maximum."""

    places: NDArray[np.int64]
    """(patches, n) relative to the centre, in a flat canvas."""
    values: Bytes

    @classmethod
    def of(cls, patches: Bytes, stride: int, least: int = 1) -> Pixels:
        """Collects the pixels of at least `least` in patches (n, side, side)."""
        half = patches.shape[-1] // 2
        rows = [np.argwhere(patch >= least) for patch in patches]
        width = max(map(len, rows))
        filled = [np.concatenate([row, np.repeat(row[:1], width - len(row), axis=0)]) for row in rows]
        y, x = np.moveaxis(np.stack(filled), -1, 0)
        values = patches[np.arange(len(patches))[:, None], y, x]
        return cls((y - half) * stride + (x - half), values)


class Tables:
    """Everything that can be known before the first image of one margin is drawn.

    A dash has a number: below 360 it is the first of a snake, in direction number - 180 degrees; 360 + k is one that ends at candidate k of
    its pivot. Canvases are flat and have a border of `border` pixels, wide enough that no look-up leaves it. The border counts as full: a
    candidate or a dash that reaches it touches the frame as well, and that is full in any case.
    """

    def __init__(self, p: Parameters, margin: int) -> None:
        self.p, self.margin, self.radius = p, margin, p.length + margin
        self.border = 2 * self.radius
        self.stride = p.size + 2 * self.border
        self.candidates = candidates(self.radius)
        ends = np.arctan2(self.candidates[:, 0], self.candidates[:, 1])
        self.angles = np.concatenate([degrees(np.arange(DEGREES) - 180), ends])
        drawn = np.concatenate([self.angles[:DEGREES], opposite(ends)])  # from the tail forwards, from the end backwards
        self.light, occupied = (np.stack(patches) for patches in zip(*(dash(p, margin, a) for a in drawn.tolist()), strict=True))
        self.occupied = Pixels.of(occupied, self.stride)
        self.core = Pixels.of(occupied, self.stride, least=COLLISION - 255)
        """The only pixels that can collide."""
        self.limit = COLLISION - self.core.values.astype(np.int16)
        """Occupancies from which on they do."""
        self.near = Pixels.of(dilate(np.pad(occupied, ((0, 0), (margin, margin), (margin, margin))), disc(margin)), self.stride)
        """Occupancy as the candidates see it, dilated by the margin."""
        turns = np.abs(ends[None] - self.angles[:, None])
        turns = np.minimum(p.continuity * np.minimum(turns, 2 * pi - turns), pi / 2)
        self.weights = np.cos(turns) ** 2
        """(dash before, candidate)."""
        self.blank = np.full((self.stride, self.stride), 255, dtype=np.uint8)
        self.blank[self._inside(p.padding)] = 0
        self.blank_near = dilate(self.blank, disc(margin))
        self.kernels = [self._kernel(patch) for patch in occupied[:DEGREES]]
        first = [self._first(number) for number in range(DEGREES)]
        self.first = np.concatenate(first)
        """(n, 2) The tails that the first seed of an image can have, direction after direction."""
        self.first_counts = np.array([len(found) for found in first])
        self.first_starts = np.cumsum(self.first_counts) - self.first_counts

    def _inside(self, frame: int) -> tuple[slice, slice]:
        """The image without a frame."""
        return (slice(self.border + frame, self.stride - self.border - frame),) * 2

    def image(self, canvas: Bytes) -> Bytes:
        """Cuts the image (size, size) out of a flat canvas."""
        return canvas.reshape(self.stride, self.stride)[self._inside(0)]

    def _kernel(self, patch: Bytes) -> Points:
        """(n, 2) Where a first dash needs free pixels, relative to its tail: the full pixels of its patch, drawn one pixel off the tail."""
        offsets = np.argwhere(patch == 255) - patch.shape[0] // 2 + 1
        return offsets[np.abs(offsets).max(axis=1, initial=0) <= self.radius]

    def _first(self, number: int) -> Points:
        """(n, 2) The tails that the first seed of an image can have in this direction."""
        free = np.zeros((self.p.size,) * 2, dtype=bool)
        inner = max(2 * self.p.seed_distance, self.p.padding)
        free[inner:-inner, inner:-inner] = True
        return self.available(free, number)

    def available(self, free: NDArray[np.bool_], number: int) -> Points:
        """(n, 2) The tails for which the pixels that a first dash needs are free; those beyond the border are not asked for.

        Except that there is none at all where for some tail *all* of them lie beyond the border. In the program of 2019 the maximum over no
        pixel is a number below every other, which it takes for a broken mask. With the short and thin dashes of 32 pixels this leaves 30
        of the 360 directions, and it is why so few distractors are found there; at 128 pixels it hardly happens, at 256 never.
        """
        kernel = self.kernels[number]
        corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])  # where more of it lies beyond than anywhere else
        if any((kernel * corner > 0).any(axis=1).all() for corner in corners):
            return np.empty((0, 2), dtype=np.int64)
        height, width = free.shape
        out = np.ones_like(free)
        for y, x in kernel.tolist():
            out[max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)] &= free[
                max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)
            ]
        return np.argwhere(out)

    def digest(self) -> str:
        """sha256 of the patches: two versions of the image library that draw differently make different data."""
        return hashlib.sha256(b"".join(a.tobytes() for a in (self.light, self.occupied.places, self.occupied.values))).hexdigest()


@functools.lru_cache(maxsize=8)
def tables(p: Parameters, margin: int) -> Tables:
    """Gives the tables of these parameters and this margin, made once per process."""
    return Tables(p, margin)
