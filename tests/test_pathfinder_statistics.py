"""The statistics of generated Pathfinder images beside the reference, and beside the images of the original program themselves."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.comparison import Line
from data.pathfinder.drawing import parameters
from data.pathfinder.shards import SIZES
from data.pathfinder.spec import PathfinderSpec
from data.pathfinder.statistics import REFERENCE, compare, statistics

REAL = os.environ.get("SSM_TEST_DATA")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setitem(SIZES, 32, 40)
    return tmp_path / "data"


def generated(resolution: int, n: int, seed: int = 11) -> tuple[Any, ...]:
    from data.pathfinder.generator import generate

    p = parameters(resolution)  # type: ignore[arg-type]
    batch = generate(p, n, seed)
    return batch.images, batch.labels, batch.markers, batch.distractors, batch.attempts / n


@pytest.mark.parametrize(("resolution", "n"), [(32, 1500), (128, 100)])
def test_statistics_are_those_of_the_reference(resolution: Any, n: int) -> None:
    lines = compare(resolution, "curv_contour_length_14", *generated(resolution, n))
    assert [line.quantity for line in lines] == list(REFERENCE[resolution])
    off = {line.quantity: line.sigmas for line in lines if abs(line.sigmas) > 5}
    assert not off
    assert np.mean([abs(line.sigmas) > 2.5 for line in lines]) < 0.2
    shortcuts = {line.quantity: line.ours for line in lines if line.quantity.startswith("shortcut")}
    assert all(abs(area - 0.5) < 0.05 + 5 * 0.3 / np.sqrt(n) for area in shortcuts.values())


def test_other_parameters_would_show() -> None:
    """The comparison can fail: with distractors of the wrong contrast or another continuity most quantities are far off."""
    from data.pathfinder.generator import generate

    for wrong, least in (({"snake_contrast": 1.0, "dash_contrast": 1.5}, 8), ({"continuity": 0.7}, 2), ({"distractors": 10}, 2)):
        batch = generate(replace(parameters(32), **wrong), 600, 12)
        found = (batch.images, batch.labels, batch.markers, batch.distractors, batch.attempts / 600)
        assert sum(not line.agrees for line in compare(32, "curv_contour_length_14", *found)) >= least


def test_statistics_of_a_set_that_is_easy_to_count() -> None:
    images = np.zeros((100, 1024), np.uint8)
    images[:, 0], images[:50, 1023] = 255, 51
    labels = np.repeat([1, 0], 50)
    markers = np.tile([0, 0, 31, 31], (100, 1))
    markers[:50] = [0, 0, 3, 4]
    found = statistics(images, labels, markers, np.arange(100) % 4)
    expected = {
        "mean pixel": (255 + 25.5) / 1024, "pixels > 0": 1.5 / 1024, "pixels >= 250": 1 / 1024, "distance, label 1": 5.0,
        "distance, label 0": np.hypot(31, 31), "distractors: 3": 0.25, "end disc within 3 px of the border": 1.0,
        "end disc within 2 px of the border": 0.5, "shortcut: distance": 0.0, "shortcut: brightness": 1.0, "disc centres = 255": 0.5,
        "start disc, greatest": 0.0, "brightness, label 1": 306 / 1024,
    }  # fmt: skip
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value), name
    assert found["distractors: 3"][1] == pytest.approx(np.sqrt(0.25 * 0.75 / 100), rel=0.4)
    line = Line("x", 1.0, 1.5, 0.4)
    assert (line.sigmas, line.agrees) == (pytest.approx(5), False)
    with pytest.raises(ValueError, match="no reference"):
        compare(64, "curv_contour_length_14", images, labels, markers, labels, 1.0)


def test_a_spec_compares_itself() -> None:
    lines = PathfinderSpec(images=100).statistics()
    assert len(lines) == len(REFERENCE[32])
    with pytest.raises(ValueError, match="no reference"):
        PathfinderSpec(images=40, difficulty="curv_baseline").statistics()


# ---------------------------------------------------------------- the reference images


@pytest.mark.skipif(REAL is None, reason="set SSM_TEST_DATA to a folder with pathfinder32/ and pathfinder128/ of the original program")
@pytest.mark.parametrize(("resolution", "n", "of"), [(32, 1500, 1000), (128, 100, 240)])
def test_generated_images_are_like_those_of_the_original_program(
    resolution: Any, n: int, of: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scipy.stats import ks_2samp

    assert REAL is not None
    folder.mkdir(parents=True)
    (folder / f"pathfinder{resolution}").symlink_to(Path(REAL) / f"pathfinder{resolution}")
    prepared = PathfinderSpec(resolution=resolution, source="official", images=of).load()
    theirs, labels = prepared.array("images"), prepared.array("labels")
    table = np.loadtxt(folder / f"pathfinder{resolution}/curv_contour_length_14/markers.csv", delimiter=",", skiprows=1)
    images, own_labels, markers, _, _ = generated(resolution, n)

    def distance(m: np.ndarray) -> np.ndarray:
        return np.hypot(*(m[:, :2].astype(float) - m[:, 2:]).T)

    pairs = {
        "brightness": (images.mean(axis=1), theirs.mean(axis=1)),
        "contrast": (images.std(axis=1), theirs.std(axis=1)),
        "lit": ((images > 0).mean(axis=1), (theirs > 0).mean(axis=1)),
        "bright": ((images > 127).mean(axis=1), (theirs > 127).mean(axis=1)),
        "distance": (distance(markers), distance(table[:, 1:])),
        **{f"distance {k}": (distance(markers[own_labels == k]), distance(table[labels == k, 1:])) for k in (0, 1)},
        **{f"place {k}": (markers[:, k], table[:, 1 + k]) for k in range(4)},
    }
    assert {name: p for name, (a, b) in pairs.items() if (p := ks_2samp(a, b).pvalue) < 1e-4} == {}
    # not a single value of a pixel that the other program cannot draw, but for what is too rare to be seen
    found, theirs_too = (np.bincount(np.asarray(x).ravel(), minlength=256) / x.size for x in (images, theirs))
    assert found[theirs_too == 0].sum() < 1e-4
    assert theirs_too[found == 0].sum() < 1e-4
    np.testing.assert_allclose(found, theirs_too, atol=2e-3, rtol=0.2)
