"""The fast Pathfinder generator beside the plain one: patches, places and probabilities exactly, whole images replayed step by step."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np
import pytest

from data.pathfinder.drawing import COLLISION, DEGREES, FREE, Parameters, Resolution, Tables, dash, marker, parameters, tables, to_bytes
from data.pathfinder.generator import Board, Snakes, distractors, generate, long_snakes, paint, pivot, seeded, short_seeds
from tests import pathfinder_oracle as oracle

RESOLUTIONS: tuple[Resolution, ...] = (32, 64, 128, 256)
EASY = parameters(32, "curv_baseline")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def one_of_each() -> list[tuple[Parameters, int]]:
    return [(parameters(resolution), margin) for resolution in RESOLUTIONS for margin in parameters(resolution).margins]


# ---------------------------------------------------------------- parameters


def test_the_parameters_are_the_published_ones() -> None:
    p = parameters(128)
    assert (p.size, p.padding, p.seed_distance, p.radius, p.length, p.thickness, p.margins) == (128, 1, 20, 3, 5, 1.5, (2, 3))
    assert (p.continuity, p.dashes, p.distractors, p.distractor_dashes, p.snake_contrast, p.dash_contrast) == (1.8, 14, 8, 4, 0.9, 1.0)
    assert [parameters(r).distractors for r in RESOLUTIONS] == [5, 5, 8, 7]
    assert parameters(256).padding == 22
    assert (EASY.dashes, EASY.distractor_dashes, EASY.distractors) == (6, 2, 5)
    with pytest.raises(ValueError, match="32, 64, 128, 256"):
        parameters(48)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="curv_contour_length_9"):
        parameters(32, "hard")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="whole number of fine pixels"):
        replace(p, thickness=0.7)
    with pytest.raises(ValueError, match="seed_distance"):
        replace(p, seed_distance=6)


# ---------------------------------------------------------------- patches and tables, exactly


@pytest.mark.parametrize(("p", "margin"), one_of_each())
def test_patches_of_dashes_are_those_of_the_oracle(p: Parameters, margin: int) -> None:
    for degree in (*range(-180, 180, 23), -90, 0, 90):
        light, occupied = dash(p, margin, degree * pi / 180)
        half = len(light) // 2
        expected = oracle.dash(p, margin, (2 * half + 1,) * 2, (half, half), degree * pi / 180)
        np.testing.assert_array_equal((light / 255).astype(np.float32), expected[0])
        np.testing.assert_array_equal((occupied / 255).astype(np.float32), expected[1])
        assert light.max() > 100
        assert (occupied >= light).mean() > 0.7  # the mask lies around the light


@pytest.mark.parametrize("p", [parameters(r) for r in RESOLUTIONS])
def test_discs_are_those_of_the_oracle_everywhere(p: Parameters) -> None:
    edge = (0, 1, 2, 3, 5, 9, 12, p.size // 2 - 1, p.size - 13, p.size - 10, p.size - 5, p.size - 2, p.size - 1)
    for y, x in [(y, x) for y in edge for x in edge if p.size < 100 or y == x or y + x == p.size - 1]:
        patch, top, left = marker(p, y, x)
        whole = np.zeros((p.size, p.size))
        whole[top : top + patch.shape[0], left : left + patch.shape[1]] = patch / 255
        np.testing.assert_array_equal(whole, oracle.circle(p, (y, x)))


def test_bytes_are_stretched_with_halves_rounded_up() -> None:
    image = np.array([[0.0, 1.0], [0.5, 0.25]])
    np.testing.assert_array_equal(to_bytes(image), [[0, 255], [128, 64]])
    np.testing.assert_array_equal(to_bytes(image), oracle.stretched(image))
    np.testing.assert_array_equal(to_bytes(image * 3 - 1), oracle.stretched(image * 3 - 1))


@pytest.mark.parametrize(("p", "margin"), one_of_each())
def test_the_border_may_count_as_full(p: Parameters, margin: int) -> None:
    """What Tables takes for granted: a dash that collides beyond the image collides with the frame as well."""
    from scipy.ndimage import label

    for degree in range(-180, 180, 7):
        _, occupied = dash(p, margin, degree * pi / 180)
        _, parts = label(occupied >= COLLISION - 255, np.ones((3, 3)))
        half = len(occupied) // 2
        assert parts == 1
        assert occupied[half, half] >= COLLISION - 255


@pytest.mark.parametrize(("resolution", "directions"), [(32, 30), (64, 95), (128, 354)])
def test_first_seeds_find_the_places_of_the_oracle(resolution: Resolution, directions: int) -> None:
    """Also the fault of the original that leaves most directions none at all."""
    p = parameters(resolution)
    t = tables(p, p.margins[0])
    assert np.count_nonzero(t.first_counts) == directions
    canvas = np.ones((p.size, p.size))
    frame = 2 * p.seed_distance
    canvas[frame:-frame, frame:-frame] = 0
    for number in range(0, DEGREES, {32: 1, 64: 2, 128: 29}[resolution]):
        own = t.first[t.first_starts[number] : t.first_starts[number] + t.first_counts[number]]
        np.testing.assert_array_equal(own, oracle.free_places(p, t.margin, canvas, (number - 180) * pi / 180))


@pytest.mark.parametrize("resolution", [32, 128])
def test_places_on_a_crowded_canvas_are_those_of_the_oracle(resolution: Resolution) -> None:
    p = parameters(resolution)
    t = tables(p, p.margins[0])
    occupied = np.where(rng(1).random((p.size, p.size)) < 0.1, rng(2).integers(0, 256, (p.size, p.size)), 0) / 255
    occupied[[0, -1]] = occupied[:, [0, -1]] = 1
    found = 0
    for number in range(0, DEGREES, 19):
        own = t.available(np.rint(occupied * 255) <= FREE, number)
        np.testing.assert_array_equal(own, oracle.free_places(p, t.margin, occupied, (number - 180) * pi / 180))
        found += len(own)
    assert found > 0


# ---------------------------------------------------------------- probabilities of one step


def crowded(p: Parameters, t: Tables, n: int) -> tuple[Board, np.ndarray, tuple[int, tuple[int, int]]]:
    """n equal boards with two dashes, the same as real numbers, and a dash (number, tail) that grows towards them."""
    board = Board(t, n, t.occupied)
    occupied = np.ones((p.size, p.size))
    occupied[p.padding : -p.padding, p.padding : -p.padding] = 0
    middle = p.size // 2
    below, aside = {32: (1, 0), 64: (3, 1), 128: (5, 0)}[p.size]
    near, far = (middle + below, middle + aside), (middle - p.length, middle + p.length)
    for number, place in ((180 + 90, near), (180 - 90, far)):  # one down from the pivot, one up among the candidates
        board.paint(np.arange(n), np.full(n, number), np.tile(place, (n, 1)))
        occupied = np.maximum(occupied, oracle.dash(p, t.margin, (p.size,) * 2, place, (number - 180) * pi / 180)[1])
    return board, occupied, (180 + 10, (middle, middle - p.length - t.margin))


@pytest.mark.parametrize("resolution", [32, 64, 128])
def test_a_dash_goes_on_as_often_in_each_way_as_the_oracle_says(resolution: Resolution) -> None:
    n = 12_000 if resolution < 128 else 4_000
    p = parameters(resolution)
    t = tables(p, p.margins[0])
    board, occupied, (number, tail) = crowded(p, t, n)
    numbers, tails = np.full(n, number), np.tile(tail, (n, 1))
    behind, _ = pivot(t, numbers, tails)
    success, new, where, turn = board.grow(np.arange(n), numbers, behind, rng(3))

    snake = oracle.seed_at(p, t.margin, tail, (number - 180) * pi / 180, 1.0)
    assert snake is not None
    assert tuple(behind[0]) == snake.pivot
    q, points, angles, weights = oracle.candidates(p, t.margin, occupied, snake)
    assert (turn == q).all()
    share = np.array(weights) / sum(weights)
    clear = np.array(
        [(occupied + oracle.dash(p, t.margin, (p.size,) * 2, point, oracle.turned(a))[1]).max() < 1.8 for point, a in zip(points, angles)]
    )
    blocked = float(share[~clear].sum())
    expected = np.where(clear, share, 0) * (1 + blocked + blocked**2)
    assert 0.05 < blocked < 0.95  # or the dashes in the way test nothing
    assert len(np.unique(np.round(share, 6))) > 4
    assert abs(success.mean() - expected.sum()) < 5 * np.sqrt(expected.sum() * (1 - expected.sum()) / n)
    for point, angle, probability in zip(points, angles, expected):
        drawn = success & (where == point).all(axis=1)
        assert abs(drawn.mean() - probability) <= 5 * np.sqrt(probability * (1 - probability) / n)
        np.testing.assert_allclose(t.angles[new[drawn]], angle, atol=1e-12)


def test_a_dash_that_faces_a_wall_or_the_outside_fails() -> None:
    p = parameters(32)
    t = tables(p, 1)
    board = Board(t, 3, t.occupied)
    corners = np.array([[2, 2], [2, 29], [15, 1]])
    numbers = np.array([180 - 135, 180 - 45, 180 + 180 - 1])  # up and left, up and right, left
    success, *_ = board.grow(np.arange(3), numbers, corners, rng())
    assert not success.any()


def test_seeds_are_uniform_over_directions_and_places() -> None:
    p = parameters(32)
    t = tables(p, 1)
    n = 30_000
    numbers, tails, attempts = seeded(t, n, rng(4))
    legal = np.flatnonzero(t.first_counts)
    assert set(np.unique(numbers[:, 0])) == set(legal)
    assert abs(attempts / n - DEGREES / len(legal)) < 5 * DEGREES / len(legal) / np.sqrt(n)
    counts = np.bincount(numbers[:, 0], minlength=DEGREES)[legal]
    assert np.abs(counts - n / len(legal)).max() < 5 * np.sqrt(n / len(legal))
    one = legal[np.argmax(t.first_counts[legal])]
    own = tails[numbers[:, 0] == one, 0]
    _, counts = np.unique(own, axis=0, return_counts=True)
    assert len(counts) == t.first_counts[one] > 1
    assert np.abs(counts - len(own) / len(counts)).max() < 5 * np.sqrt(len(own) / len(counts))
    distance = np.hypot(*(tails[:, 1] - tails[:, 0]).T)
    assert abs(distance - p.seed_distance).max() <= np.sqrt(0.5)
    assert abs((tails[:, 1] - tails[:, 0]).mean(axis=0)).max() < 5 * p.seed_distance / np.sqrt(2 * n) + 0.02
    assert len(np.unique(numbers[:, 1])) == DEGREES


def test_no_distractor_begins_where_hardly_anything_is_free() -> None:
    t = tables(parameters(128), 2)
    board = Board(t, 2, t.occupied)
    image = t.image(board.occupied[0])
    image[10:, :] = 255
    assert 0.01 < (image <= FREE).mean() < 0.1
    success, *_ = short_seeds(t, board, np.arange(2), rng())
    assert success[1]
    image[2:, :] = 255
    assert (image <= FREE).mean() < 0.01
    assert not short_seeds(t, board, np.arange(1), rng())[0].any()


# ---------------------------------------------------------------- whole images


def replay(p: Parameters, t: Tables, numbers: np.ndarray, points: np.ndarray, state: list[np.ndarray], contrast: float) -> np.ndarray:
    """The light of snakes that take turns, after every step was checked to be one the oracle can take. state[0] is the occupancy."""
    snakes = []
    for number, point in zip(numbers[:, 0].tolist(), points[:, 0].tolist()):
        snake = oracle.seed_at(p, t.margin, tuple(point), (number - 180) * pi / 180, contrast)
        assert snake is not None
        snakes.append(snake)
    for k in range(1, numbers.shape[1]):
        for snake, number, point in zip(snakes, numbers[:, k].tolist(), map(tuple, points[:, k].tolist())):
            q, places, angles, weights = oracle.candidates(p, t.margin, state[0], snake)
            choice = places.index(point)
            assert weights[choice] > 0
            assert abs(t.angles[number] - angles[choice]) < 1e-12
            light, mask = oracle.dash(p, t.margin, (p.size,) * 2, point, oracle.turned(angles[choice]), contrast)
            assert (state[0] + mask).max() < 1.8
            state[0] = np.maximum(state[0], snake.last_mask)
            snake.canvas = np.maximum(snake.canvas, light)
            snake.last_mask, snake.pivot, snake.angle = mask, q, angles[choice]
    state[0] = np.maximum(state[0], snakes[-1].last_mask)
    return np.max([snake.canvas for snake in snakes], axis=0)


@pytest.mark.parametrize(("resolution", "margin", "n"), [(32, 1, 12), (64, 1, 2), (128, 2, 3), (128, 3, 3), (256, 3, 1)])
def test_every_step_of_an_image_is_legal_and_its_bytes_are_the_oracles(resolution: Resolution, margin: int, n: int) -> None:
    p = parameters(resolution, "curv_contour_length_9" if resolution == 64 else "curv_contour_length_14")
    t = tables(p, margin)
    snakes, _ = long_snakes(t, n, 512 if resolution < 128 else 128, rng(5))
    short, drawn = distractors(t, snakes, rng(6))
    markers = np.concatenate([snakes.points[:, 0, 0], snakes.points[:, 1, -1]], axis=1).astype(np.int16)
    both = np.ones((n, 2), dtype=bool)
    layers = [(snakes, both, p.snake_contrast * p.dash_contrast), (short, drawn, p.snake_contrast)]
    images = paint(p, t, layers, markers)
    for i in range(n):
        occupied = np.ones((p.size, p.size))
        occupied[p.padding : -p.padding, p.padding : -p.padding] = 0
        state = [occupied]
        image = replay(p, t, snakes.numbers[i], snakes.points[i], state, p.snake_contrast * p.dash_contrast)
        for d in np.flatnonzero(drawn[i]):
            number, tail = int(short.numbers[i, d, 0]), short.points[i, d, 0].tolist()
            assert tail in oracle.free_places(p, margin, state[0], (number - 180) * pi / 180).tolist()
            image = np.maximum(image, replay(p, t, short.numbers[i, d : d + 1], short.points[i, d : d + 1], state, p.snake_contrast))
        for at in (markers[i, :2], markers[i, 2:]):
            image = np.maximum(image, oracle.circle(p, tuple(at.tolist())))
        np.testing.assert_array_equal(images[i], oracle.stretched(image))


def test_the_number_of_attempts_in_lockstep_changes_nothing_but_the_draws() -> None:
    """Few slots are close to one attempt after another; a lockstep that favours some attempts would show."""
    from scipy.stats import ks_2samp

    n, t = 1500, tables(EASY, 1)
    (few, tried), (many, tried_many) = (long_snakes(t, n, slots, rng(slots)) for slots in (24, 2048))
    assert abs(tried - tried_many) / n < 5 * np.sqrt(2) * tried / n / np.sqrt(n)
    for function in (_reach, lambda s: s.points[:, 0, -1, 0], lambda s: s.numbers[:, 1, 0], lambda s: s.points[:, 0, 0, 1]):
        assert ks_2samp(function(few), function(many)).pvalue > 1e-4
    with pytest.raises(AssertionError):  # the comparison can fail: images of short reach are not the others
        assert ks_2samp(np.sort(_reach(few))[: n * 4 // 5], _reach(many)).pvalue > 1e-4


def _reach(s: Snakes) -> np.ndarray:
    return np.hypot(*(s.points[:, 0, -1] - s.points[:, 0, 0]).T)


def test_images_are_drawn_as_often_as_by_the_oracle() -> None:
    """Attempts, distractors and reach of the easiest images, one after another and in lockstep."""
    n, m = 25, 1500
    plain = [oracle.draw(EASY, r) for r in [rng(7)] for _ in range(n)]
    fast = generate(EASY, m, 8)
    per_image = fast.attempts / m
    assert abs(np.mean([d.attempts for d in plain]) - per_image) < 5 * per_image / np.sqrt(n)
    for own, other in (
        (fast.distractors.astype(float), [d.distractors for d in plain]),
        (np.hypot(fast.markers[:, 0] - fast.markers[:, 2], fast.markers[:, 1] - fast.markers[:, 3]), [
            float(np.hypot(d.start[0] - d.end[0], d.start[1] - d.end[1])) for d in plain
        ]),
        (fast.images.mean(axis=1), [d.image.mean() for d in plain]),
    ):  # fmt: skip
        assert abs(own.mean() - np.mean(other)) < 5 * own.std() * np.sqrt(1 / n + 1 / m)


def test_a_batch_is_a_function_of_its_key_and_coins_are_fair() -> None:
    n = 600
    one, again, other = generate(EASY, n, 1, 2), generate(EASY, n, 1, 2), generate(EASY, n, 1, 3)
    np.testing.assert_array_equal(one.images, again.images)
    np.testing.assert_array_equal(one.markers, again.markers)
    assert one.attempts == again.attempts
    assert (one.images != other.images).any(axis=1).all()
    assert one.images.shape == (n, 1024)
    assert set(np.unique(one.labels)) == {0, 1}
    assert abs(one.labels.mean() - 0.5) < 5 / np.sqrt(4 * n)
    assert (one.images.max(axis=1) == 255).all()
    assert (one.images.min(axis=1) == 0).all()
    assert len(np.unique(one.images, axis=0)) == n


def test_the_label_says_whose_end_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def kept(*arguments: object) -> tuple[Snakes, int]:
        made.append(long_snakes(*arguments))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr("data.pathfinder.generator.long_snakes", kept)
    batch = generate(EASY, 200, 9)
    ((snakes, _),) = made
    for i in range(200):
        start, end = batch.markers[i, :2].tolist(), batch.markers[i, 2:].tolist()
        tails, tips = snakes.points[i, :, 0].tolist(), snakes.points[i, :, -1].tolist()
        joined = [start == tails[k] and end == tips[k] for k in (0, 1)]
        crossed = [start == tails[k] and end == tips[1 - k] for k in (0, 1)]
        assert any(joined if batch.labels[i] else crossed)
