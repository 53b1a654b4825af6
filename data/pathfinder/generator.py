"""Draws Pathfinder images as the program of 2019 does, some hundred times faster: thousands of attempts grow in lockstep.

Two long snakes grow from two seeds, a dash of one and a dash of the other in turn. Hundreds of attempts end in a dead end or a collision
for each one that does not, so the attempts are what is made fast: their occupancy is kept, their light is drawn only if they succeed.
Every attempt that succeeds takes the same number of steps, so taking successes in the order in which they are complete is taking them in
the order in which they were begun, and the choice is as blind as that of one attempt after another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data.pathfinder.drawing import (
    DEGREES,
    FREE,
    REDRAWS,
    Bytes,
    Parameters,
    Pixels,
    Points,
    Tables,
    degrees,
    marker,
    opposite,
    step,
    tables,
    to_bytes,
)
from data.sampling import philox_key

GENERATOR_VERSION: Final = 1
STREAM: Final = 0x9A7F
"""First integer of the keys of these random numbers."""
TRIES: Final = 5
"""How often one distractor is tried before it is left out."""
SCARCE: Final = 0.01
"""Share of free pixels below which no distractor is begun."""
HOPELESS: Final = 1e-4
"""Sum of the weights of all candidates below which there is no way on."""
SLOTS: Final = {32: 4096, 64: 2048, 128: 1024, 256: 256}
"""Attempts in lockstep. They share random numbers, so these belong to GENERATOR_VERSION."""


@dataclass(frozen=True)
class Snakes:
    """Dashes of n images: their numbers (n, snakes, dashes) and their centres (n, snakes, dashes, 2)."""

    numbers: NDArray[np.int64]
    points: Points


@dataclass(frozen=True)
class Batch:
    """Images and all that is known about them: labels, discs, distractors, attempts."""

    images: Bytes
    """(n, size * size) in row-major order."""
    labels: Bytes
    """(n,) 1 where both discs sit on one snake."""
    markers: NDArray[np.int16]
    """(n, 4) y, x of the start disc, y, x of the end disc."""
    distractors: Bytes
    """(n,) how many were drawn."""
    attempts: int
    """Pairs of snakes that were tried."""


def whole(random: NDArray[np.float64], n: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Turns numbers uniform on [0, 1) into whole numbers uniform on 0 .. n - 1."""
    return (random * n).astype(np.int64)


class Board:
    """The occupancy of many images at once: bytes on canvases with a border (see Tables)."""

    def __init__(self, t: Tables, n: int, pixels: Pixels) -> None:
        self.t, self.pixels = t, pixels
        self.occupied = np.tile(t.blank.ravel(), (n, 1))
        self.near = np.tile(t.blank_near.ravel(), (n, 1))

    def clear(self, slots: NDArray[np.int64]) -> None:
        """Clears everything but the frame."""
        self.occupied[slots] = self.t.blank.ravel()
        self.near[slots] = self.t.blank_near.ravel()

    def _places(self, slots: NDArray[np.int64], points: Points) -> NDArray[np.int64]:
        t = self.t
        return slots * t.stride**2 + (points[:, 0] + t.border) * t.stride + points[:, 1] + t.border

    def paint(self, slots: NDArray[np.int64], numbers: NDArray[np.int64], points: Points) -> None:
        """Takes the maximum with one dash each. A slot may not come twice."""
        origin = self._places(slots, points)[:, None]
        for canvas, pixels in ((self.occupied, self.pixels), (self.near, self.t.near)):
            flat, places = canvas.reshape(-1), origin + pixels.places[numbers]
            flat[places] = np.maximum(flat[places], pixels.values[numbers])

    def grow(
        self, slots: NDArray[np.int64], numbers: NDArray[np.int64], pivots: Points, rng: np.random.Generator
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64], Points, Points]:
        """(success, numbers, points, pivots) of the dashes that follow dashes `numbers` at `pivots`; nothing is painted."""
        t = self.t
        turn = step(pivots, t.angles[numbers], t.p.length + 2 * t.margin)
        reach = t.radius - t.margin  # further out, every candidate touches the frame
        there = self._places(slots, np.clip(turn, -reach, t.p.size - 1 + reach))[:, None]
        seen = self.near.reshape(-1)[there + (t.candidates[:, 0] * t.stride + t.candidates[:, 1])]
        weights = t.weights[numbers] * (255 - seen)
        steps = np.cumsum(weights, axis=1)
        total = steps[:, -1]
        choice = np.zeros(len(slots), dtype=np.int64)
        success = np.zeros(len(slots), dtype=bool)
        open_ = np.flatnonzero(total >= 255 * HOPELESS)
        for _ in range(REDRAWS):
            if len(open_) == 0:
                break
            level = rng.random(len(open_)) * total[open_]
            choice[open_] = (steps[open_] <= level[:, None]).sum(axis=1).clip(max=len(t.candidates) - 1)
            drawn = DEGREES + choice[open_]
            places = self._places(slots[open_], turn[open_] + t.candidates[choice[open_]])[:, None] + t.core.places[drawn]
            clear = (self.occupied.reshape(-1)[places] < t.limit[drawn]).all(axis=1)
            success[open_[clear]] = True
            open_ = open_[~clear]
        return success, DEGREES + choice, turn + t.candidates[choice], turn


def seeded(t: Tables, n: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], Points, int]:
    """(numbers (n, 2), tails (n, 2, 2), attempts): two seeds each, the second at a set distance from the first, in any direction.

    An attempt whose first direction finds no place fails at once, and the next begins. Seeds cannot leave the image (see Parameters).
    """
    counts, starts = t.first_counts, t.first_starts
    numbers, attempts = np.empty((n, 2), dtype=np.int64), n
    open_ = np.arange(n)
    while len(open_):
        numbers[open_, 0] = whole(rng.random(len(open_)), DEGREES)
        open_ = open_[counts[numbers[open_, 0]] == 0]
        attempts += len(open_)
    numbers[:, 1] = whole(rng.random(n), DEGREES)
    tails = np.empty((n, 2, 2), dtype=np.int64)
    tails[:, 0] = t.first[starts[numbers[:, 0]] + whole(rng.random(n), counts[numbers[:, 0]])]
    bearing = degrees(whole(rng.random(n), DEGREES))
    tails[:, 1] = np.rint(tails[:, 0] + t.p.seed_distance * np.stack([np.sin(bearing), np.cos(bearing)], axis=-1))
    return numbers, tails, attempts


def pivot(t: Tables, numbers: NDArray[np.int64], tails: Points) -> tuple[Points, Points]:
    """Places first dashes: (the pivot behind the tail, the head)."""
    heads = step(tails, t.angles[numbers], t.p.length)
    return step(heads, opposite(t.angles[numbers]), t.radius), heads


def long_snakes(t: Tables, n: int, slots: int, rng: np.random.Generator) -> tuple[Snakes, int]:
    """The two snakes of n images, and the number of attempts that they took: those begun no later than the last of them."""
    p = t.p
    growths = 2 * (p.dashes - 1)
    board = Board(t, slots, t.core)
    numbers = np.zeros((slots, 2, p.dashes), dtype=np.int64)
    points = np.zeros((slots, 2, p.dashes, 2), dtype=np.int64)
    pivots = np.zeros((slots, 2, 2), dtype=np.int64)
    age = np.zeros(slots, dtype=np.int64)
    done: list[tuple[NDArray[np.int64], Points]] = []
    begun: list[int] = []
    complete = 0
    fresh = np.arange(slots)
    every = np.arange(slots)
    while True:
        numbers[fresh, :, 0], points[fresh, :, 0], attempts = seeded(t, len(fresh), rng)
        for snake in range(2):
            pivots[fresh, snake], _ = pivot(t, numbers[fresh, snake, 0], points[fresh, snake, 0])
        age[fresh] = 0
        begun.append(attempts)

        turns, last = age % 2, age // 2
        success, new, where, behind = board.grow(every, numbers[every, turns, last], pivots[every, turns], rng)
        good = np.flatnonzero(success)
        whose, k = turns[good], last[good]
        board.paint(good, numbers[good, whose, k], points[good, whose, k])
        numbers[good, whose, k + 1], points[good, whose, k + 1] = new[good], where[good]
        pivots[good, whose] = behind[good]
        age[good] += 1

        full = np.flatnonzero(success & (age == growths))
        if len(full):
            done.append((numbers[full], points[full]))
            complete += len(full)
            if complete >= n:
                break
        success[full] = False
        fresh = np.flatnonzero(~success)
        board.clear(fresh)
    tried = sum(begun[: len(begun) - growths + 1]) * n / complete  # some were complete at once with the last one, and are left out
    return Snakes(*(np.concatenate(arrays)[:n] for arrays in zip(*done, strict=True))), round(tried)


def distractors(t: Tables, snakes: Snakes, rng: np.random.Generator) -> tuple[Snakes, NDArray[np.bool_]]:
    """The short snakes of n images, and which of them found a place (n, asked for)."""
    p, n = t.p, len(snakes.numbers)
    board = Board(t, n, t.occupied)
    every = np.arange(n)
    for snake in range(2):
        for k in range(p.dashes - 1 + snake):  # the last dash of the first snake is no obstacle
            board.paint(every, snakes.numbers[:, snake, k], snakes.points[:, snake, k])
    numbers = np.zeros((n, p.distractors, p.distractor_dashes), dtype=np.int64)
    points = np.zeros((n, p.distractors, p.distractor_dashes, 2), dtype=np.int64)
    drawn = np.zeros((n, p.distractors), dtype=bool)
    for d in range(p.distractors):
        open_ = every
        for _ in range(TRIES):
            before = board.occupied[open_], board.near[open_]
            alive, numbers[open_, d, 0], points[open_, d, 0], pivots = short_seeds(t, board, open_, rng)
            for k in range(1, p.distractor_dashes):
                here = open_[alive]
                success, new, where, pivots[alive] = board.grow(here, numbers[here, d, k - 1], pivots[alive], rng)
                good = here[success]
                board.paint(good, numbers[good, d, k - 1], points[good, d, k - 1])
                numbers[good, d, k], points[good, d, k] = new[success], where[success]
                alive[alive] = success
            good = open_[alive]
            board.paint(good, numbers[good, d, -1], points[good, d, -1])
            drawn[good, d] = True
            open_ = open_[~alive]
            board.occupied[open_], board.near[open_] = (rows[~alive] for rows in before)
    return Snakes(numbers, points), drawn


def short_seeds(
    t: Tables, board: Board, slots: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.int64], Points, Points]:
    """(success, numbers, tails, pivots) of the first dashes of a distractor in each slot."""
    n = len(slots)
    random = rng.random((n, REDRAWS, 2))
    directions = whole(random[..., 0], DEGREES)
    success, numbers = np.zeros(n, dtype=bool), np.zeros(n, dtype=np.int64)
    tails, pivots = np.zeros((n, 2), dtype=np.int64), np.zeros((n, 2), dtype=np.int64)
    for i, slot in enumerate(slots.tolist()):
        free = t.image(board.occupied[slot]) <= FREE
        if np.count_nonzero(free) < SCARCE * free.size:
            continue
        for draw in range(REDRAWS):
            places = t.available(free, directions[i, draw])
            if len(places) == 0:
                break
            number, tail = directions[i, draw : draw + 1], places[whole(random[i, draw, 1:], len(places))]
            behind, head = pivot(t, number, tail)
            if all(((point >= 0) & (point < t.p.size)).all() for point in (behind, head)):
                success[i], numbers[i], tails[i], pivots[i] = True, number[0], tail[0], behind[0]
                break
    return success, numbers, tails, pivots


def paint(p: Parameters, t: Tables, layers: list[tuple[Snakes, NDArray[np.bool_], float]], markers: NDArray[np.int16]) -> Bytes:
    """(n, size, size) Light of the snakes that are drawn, with their contrasts, and the discs on top, as bytes."""
    half = t.light.shape[-1] // 2
    # single precision as in the original: with contrasts of 1.5 and 2 many values lie half-way between two bytes
    lights = [(t.light / 255 * contrast).astype(np.float32) for _, _, contrast in layers]
    out = np.empty((len(markers), p.size, p.size), dtype=np.uint8)
    for i, discs in enumerate(markers.tolist()):
        canvas = np.zeros((p.size + 2 * half,) * 2)
        for (snakes, drawn, _), light in zip(layers, lights, strict=True):
            numbers, points = snakes.numbers[i, drawn[i]].ravel().tolist(), snakes.points[i, drawn[i]].reshape(-1, 2).tolist()
            for number, (y, x) in zip(numbers, points, strict=True):
                part = canvas[y : y + 2 * half + 1, x : x + 2 * half + 1]
                np.maximum(part, light[number], out=part)
        image = canvas[half : half + p.size, half : half + p.size]
        for y, x in (discs[:2], discs[2:]):
            patch, top, left = marker(p, y, x)
            part = image[top : top + patch.shape[0], left : left + patch.shape[1]]
            np.maximum(part, patch / 255, out=part)
        out[i] = to_bytes(image)
    return out


def generate(p: Parameters, n: int, *key: int) -> Batch:
    """Draws n images: a function of the parameters, n and the integers `key` only."""

    def stream(*use: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=philox_key(STREAM, GENERATOR_VERSION, p.size, p.dashes, *key, *use)))

    rng = stream(0)
    labels, origin = (whole(rng.random(n), 2) for _ in range(2))
    margins = np.array(p.margins)[whole(rng.random(n), len(p.margins))]
    images = np.empty((n, p.size, p.size), dtype=np.uint8)
    markers, counts, attempts = np.empty((n, 4), dtype=np.int16), np.zeros(n, dtype=np.uint8), 0
    for margin in p.margins:
        ids = np.flatnonzero(margins == margin)
        if len(ids) == 0:
            continue
        t, rng = tables(p, margin), stream(1, margin)
        snakes, tried = long_snakes(t, len(ids), SLOTS[p.size], rng)
        short, drawn = distractors(t, snakes, rng)
        end = np.where(labels[ids] == 1, origin[ids], 1 - origin[ids])
        row = np.arange(len(ids))
        markers[ids] = np.concatenate([snakes.points[row, origin[ids], 0], snakes.points[row, end, -1]], axis=1)
        layers = [
            (snakes, np.ones((len(ids), 2), dtype=bool), p.snake_contrast * p.dash_contrast),
            (short, drawn, p.snake_contrast),
        ]
        images[ids], counts[ids] = paint(p, t, layers, markers[ids]), drawn.sum(axis=1)
        attempts += tried
    return Batch(images.reshape(n, -1), labels.astype(np.uint8), markers, counts, attempts)
