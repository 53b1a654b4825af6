"""Pathfinder images drawn one after another, step by step as the original does it: slow, obvious, and for comparison only.

Real numbers, whole canvases, a dilation wherever one is called for, every retry in its place. Nothing here is shared with the fast
generator but the table of parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from data.pathfinder.drawing import Parameters

Canvas = NDArray[np.float64]
Point = tuple[int, int]
S = 2


class Failure(Exception):
    """An attempt that ended."""


@dataclass
class Drawn:
    """One image and how it came about."""

    image: NDArray[np.uint8]
    label: int
    start: Point
    end: Point
    distractors: int
    attempts: int


def step(p: Point, angle: float, distance: float) -> Point:
    return math.ceil(p[0] + distance * np.sin(angle)), math.ceil(p[1] + distance * np.cos(angle))


def turned(angle: float) -> float:
    return angle + np.pi if angle < 0 else angle - np.pi


def inside(p: Point, size: int) -> bool:
    return 0 <= p[0] < size and 0 <= p[1] < size


def disc(radius: int) -> NDArray[np.bool_]:
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(y**2 + x**2 <= radius**2)


def dilate(a: NDArray[Any], kernel: NDArray[np.bool_], outside: float = 0.0) -> NDArray[Any]:
    """The maximum under the kernel, centred on each pixel; `outside` where the kernel holds no pixel at all."""
    h, w = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = np.pad(a.astype(float), ((h, h), (w, w)), constant_values=-np.inf)
    out = np.full(a.shape, -np.inf)
    for y, x in np.argwhere(kernel):
        out = np.maximum(out, padded[y : y + a.shape[0], x : x + a.shape[1]])
    return np.where(np.isinf(out), outside, out)


def resize(a: NDArray[Any], shape: Point) -> NDArray[np.uint8]:
    """What the old image routine did: bytes by the array's own minimum and maximum, then Lanczos."""
    low, high = a.min(), a.max()
    as_bytes = np.zeros(a.shape, np.uint8) if high == low else np.floor((a - low) * (255 / (high - low)) + 0.5).astype(np.uint8)
    return np.asarray(Image.fromarray(as_bytes).resize((shape[1], shape[0]), Image.Resampling.LANCZOS))


def dash(p: Parameters, margin: int, shape: Point, at: Point, angle: float, contrast: float = 1.0) -> tuple[Canvas, Canvas]:
    """(light, occupancy) on canvases of `shape`."""
    half = p.length + math.ceil(p.thickness) + margin
    side, centre = 2 * half * S + 1, half * S
    y, x = step((centre, centre), angle, p.length * S)
    big = Image.new("F", (side, side))
    ImageDraw.Draw(big).line([(centre, centre), (x, y)], fill=255, width=round(p.thickness * S))
    line = np.asarray(big)
    small = (2 * half + 1, 2 * half + 1)
    light = (resize(line, small) / 255 * contrast).astype(np.float32)
    mask = np.asarray(Image.fromarray(dilate(line, disc(margin * S)).astype(np.uint8)).resize(small, Image.Resampling.LANCZOS), dtype=float)
    out = []
    for patch in (light, (mask / 255).astype(np.float32)):
        canvas = np.zeros((shape[0] + 2 * half, shape[1] + 2 * half))
        if -half <= at[0] < shape[0] + half and -half <= at[1] < shape[1] + half:
            canvas[at[0] : at[0] + 2 * half + 1, at[1] : at[1] + 2 * half + 1] = patch
        out.append(canvas[half:-half, half:-half])
    return out[0], out[1]


def free_places(p: Parameters, margin: int, occupied: Canvas, angle: float) -> NDArray[np.int64]:
    """(n, 2)"""
    radius = p.length + margin
    _, mask = dash(p, margin, (2 * radius + 1,) * 2, (radius + 1, radius + 1), angle)
    dilated = dilate(occupied, mask.astype(int) == 1, outside=-1e300)
    if dilated.min() < 0:  # the original takes this for a broken mask
        return np.empty((0, 2), np.int64)
    return np.argwhere(dilated <= 0.3)


@dataclass
class Snake:
    canvas: Canvas
    last_mask: Canvas
    pivot: Point
    angle: float
    tail: Point
    tip: Point | None = None


def seed_at(p: Parameters, margin: int, tail: Point, angle: float, contrast: float) -> Snake | None:
    head = step(tail, angle, p.length)
    pivot = step(head, turned(angle), p.length + margin)
    if not (inside(head, p.size) and inside(pivot, p.size)):
        return None
    light, mask = dash(p, margin, (p.size, p.size), tail, angle, contrast)
    return Snake(light, mask, pivot, angle, tail)


def place_seed(p: Parameters, margin: int, occupied: Canvas, frame: int, contrast: float, rng: np.random.Generator) -> Snake:
    for _ in range(3):
        angle = int(rng.integers(-180, 180)) * np.pi / 180
        framed = occupied.copy()
        framed[:frame] = framed[p.size - frame :] = framed[:, :frame] = framed[:, p.size - frame :] = 1
        places = free_places(p, margin, framed, angle)
        if len(places) == 0:
            raise Failure
        y, x = places[rng.integers(len(places))].tolist()
        snake = seed_at(p, margin, (y, x), angle, contrast)
        if snake is not None:
            return snake
    raise Failure


def place_second(p: Parameters, margin: int, first: Point, contrast: float, rng: np.random.Generator) -> Snake:
    for _ in range(3):
        angle = int(rng.integers(-180, 180)) * np.pi / 180
        bearing = int(rng.integers(0, 360)) * np.pi / 180
        tail = round(first[0] + p.seed_distance * np.sin(bearing)), round(first[1] + p.seed_distance * np.cos(bearing))
        snake = seed_at(p, margin, tail, angle, contrast)
        if snake is not None:
            return snake
    raise Failure


def candidates(p: Parameters, margin: int, occupied: Canvas, snake: Snake) -> tuple[Point, list[Point], list[float], list[float]]:
    """(pivot, points, angles, weights)"""
    q, radius = step(snake.pivot, snake.angle, p.length + 2 * margin), p.length + margin
    points = set()
    for angle in np.arange(0, 360, 360 / (2 * np.pi * radius)) * np.pi / 180:
        y, x = q[0] + radius * np.sin(angle), q[1] + radius * np.cos(angle)
        if 0 <= y < p.size and 0 <= x < p.size:
            points.add((int(y), int(x)))
    ordered = sorted(points)
    dilated = dilate(occupied, disc(margin))
    angles = [math.atan2(y - q[0], x - q[1]) for y, x in ordered]
    turns = [min(abs(a - snake.angle), 2 * np.pi - abs(a - snake.angle)) for a in angles]
    weights = [math.cos(min(p.continuity * t, np.pi / 2)) ** 2 * (1 - dilated[point]) for t, point in zip(turns, ordered)]
    return q, ordered, angles, weights


def grow(p: Parameters, margin: int, occupied: Canvas, snake: Snake, contrast: float, rng: np.random.Generator) -> Canvas:
    """The occupancy after one more dash of the snake, which is changed."""
    q, points, angles, weights = candidates(p, margin, occupied, snake)
    if sum(weights) < 1e-4:
        raise Failure
    share = np.cumsum(np.array(weights) / sum(weights))
    for _ in range(3):
        choice = min(int(np.searchsorted(share, rng.random(), side="right")), len(points) - 1)
        light, mask = dash(p, margin, (p.size, p.size), points[choice], turned(angles[choice]), contrast)
        if (occupied + mask).max() < 1.8:
            occupied = np.maximum(occupied, snake.last_mask)
            snake.canvas = np.maximum(snake.canvas, light)
            snake.last_mask, snake.pivot, snake.angle, snake.tip = mask, q, angles[choice], points[choice]
            return occupied
    raise Failure


def two_snakes(p: Parameters, margin: int, rng: np.random.Generator) -> tuple[list[Snake], Canvas]:
    occupied = np.ones((p.size, p.size))
    occupied[p.padding : -p.padding, p.padding : -p.padding] = 0
    contrast = p.snake_contrast * p.dash_contrast
    first = place_seed(p, margin, occupied, 2 * p.seed_distance, contrast, rng)
    snakes = [first, place_second(p, margin, first.tail, contrast, rng)]
    for _ in range(p.dashes - 1):
        for snake in snakes:
            occupied = grow(p, margin, occupied, snake, contrast, rng)
    return snakes, np.maximum(occupied, snakes[1].last_mask)


def distractor(p: Parameters, margin: int, occupied: Canvas, rng: np.random.Generator) -> tuple[Snake, Canvas]:
    if (occupied <= 0.3).mean() < 0.01:
        raise Failure
    snake = place_seed(p, margin, occupied, 1, p.snake_contrast, rng)
    for _ in range(p.distractor_dashes - 1):
        occupied = grow(p, margin, occupied, snake, p.snake_contrast, rng)
    return snake, np.maximum(occupied, snake.last_mask)


def circle(p: Parameters, at: Point) -> Canvas:
    y, x = np.ogrid[0 : p.size * S, 0 : p.size * S]
    fine = ((y - at[0] * S) ** 2 + (x - at[1] * S) ** 2 <= (p.radius * S) ** 2).astype(float)
    return resize(fine, (p.size, p.size)) / 255


def stretched(image: Canvas) -> NDArray[np.uint8]:
    return np.floor((image - image.min()) * (255 / (image.max() - image.min())) + 0.5).astype(np.uint8)


def draw(p: Parameters, rng: np.random.Generator) -> Drawn:
    """One image."""
    label = int(rng.integers(2))
    margin = p.margins[rng.integers(len(p.margins))]
    attempts = 0
    while True:
        attempts += 1
        try:
            snakes, occupied = two_snakes(p, margin, rng)
            break
        except Failure:
            continue
    image, count = np.maximum(snakes[0].canvas, snakes[1].canvas), 0
    for _ in range(p.distractors):
        for _ in range(5):
            try:
                snake, occupied = distractor(p, margin, occupied, rng)
            except Failure:
                continue
            image, count = np.maximum(image, snake.canvas), count + 1
            break
    origin = int(rng.integers(2))
    start, end = snakes[origin].tail, snakes[origin if label else 1 - origin].tip
    assert end is not None
    image = np.maximum(image, np.maximum(circle(p, start), circle(p, end)))
    return Drawn(stretched(image), label, start, end, count, attempts)
