"""The gallery: what is drawn is what the loaders give, whatever is not here is named, and nothing heavy is imported to say so."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from benchmarks import cli
from data.base import DataError
from data.images.digits import DigitsSpec
from data.registry import SETS
from reports.datasets import bidmc, layout, pictures, samples, speech, tokens
from reports.datasets.__main__ import main
from reports.datasets.dataset import DataSet, Sheet
from reports.datasets.probes import Lanes
from reports.datasets.registry import DATASETS

# ---------------------------------------------------------------- from batches to pictures


def test_a_normalised_image_comes_back() -> None:
    pixels = np.arange(2 * 3 * 4 * 3).reshape(2, 3, 4, 3) % 7 / 6.0
    pixels[0, 0, 0], pixels[0, 0, 1] = 0, 1
    mean, std = np.array([0.5, 0.4, 0.3]), np.array([0.2, 0.3, 0.1])
    shown = pictures.tiles((pixels - mean) / std, 2, 4)
    assert shown.shape == (2, 3, 2, 2, 3)
    assert shown == pytest.approx(pixels.reshape(2, 3, 2, 2, 3))


def test_noise_does_not_stretch_the_image() -> None:
    x = np.concatenate([np.linspace(-1, 1, 4), [-9.0, 9.0, 0.0, 0.0]]).reshape(1, 1, 8, 1)
    shown = pictures.tiles(x, 2, 4)[0, 0]
    assert shown.shape == (4, 2)
    assert shown[:2].ravel() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert shown[2].tolist() == [0, 1]  # cut, not scaled


def test_the_first_samples_of_each_class() -> None:
    batches = list(samples.batches(DigitsSpec(), "train", 64))
    x, y = (np.concatenate([batch[name] for batch in batches]) for name in ("x", "y"))
    found = samples.of_each_class(DigitsSpec(), 10, 3)
    assert found.shape == (10, 3, 64, 1)
    for label in range(10):
        assert np.array_equal(found[label], x[y == label][:3])


def test_a_class_that_is_rarer_than_asked_for_leaves_empty_tiles() -> None:
    found = samples.of_each_class(DigitsSpec(), 10, 200)
    counts = np.bincount(np.concatenate([batch["y"] for batch in samples.batches(DigitsSpec(), "train", 64)]))
    assert [int(np.any(rows != 0, axis=(1, 2)).sum()) for rows in found] == counts.tolist()


def test_a_class_without_a_sample_has_empty_tiles_only() -> None:
    found = samples.of_each_class(DigitsSpec(), 11, 2)
    assert found.shape == (11, 2, 64, 1)
    assert np.any(found[:10], axis=(1, 2, 3)).all()
    assert not found[10].any()


def test_a_sheet_keeps_its_colours_unless_a_palette_is_asked_for() -> None:
    figure = Figure(figsize=(2, 2))
    figure.subplots().imshow(np.random.default_rng(0).random((40, 40, 3)))
    rgb = {palette: Image.open(BytesIO(layout.png(figure, palette=palette))).convert("RGB") for palette in (False, True)}
    assert rgb[True].getcolors(256) is not None
    assert rgb[False].getcolors(1000) is None


def test_tiles_are_parted_by_white_lines() -> None:
    image = pictures.mosaic(np.zeros((2, 3, 32, 32)))
    assert image.shape == (2 * 32 + 2, 3 * 32 + 2 * 2)
    assert (image[:32, :32] == 0).all()
    assert (image[32:34] == 1).all()


def test_letters() -> None:
    read = tokens.Letters("e \tx7☃").read
    words, kinds = read(np.array([3, 4, 5, 6, 7, 8, 1, 2, 0]))
    assert words == ("e", " ", "·", "x", "7", "·", "?", "∎", "")
    assert kinds.tolist() == [0, 1, 1, 0, 4, 2, 3, 3, 3]
    assert tokens.Letters(None).read(np.array([66, 33]))[0] == ("A", " ")  # bytes: id is byte and one


def test_the_spectrum_of_a_tone_is_at_its_frequency() -> None:
    wave = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    found = speech.spectrum(wave)
    assert found.shape == (201, 98)
    assert set(found.argmax(0).tolist()) == {25}  # bins of 40 Hz
    assert found.max() == 0


def test_the_share_of_each_class_is_of_its_part() -> None:
    ax = Figure().subplots()
    layout.balance(ax, {"train": {"a": 30, "b": 10}, "test": {"a": 0, "b": 5}})
    heights = [round(patch.get_height()) for patch in ax.patches]
    assert heights == [75, 25, 0, 100]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["train, 40", "test, 5"]


def test_a_probe_shows_its_target_only_where_it_is_scored() -> None:
    ax = Figure().subplots()
    mask = np.array([False, True, False, True])
    Lanes("p", np.array([5, 0, 0, 6]), np.array([1, 2, 3, 4]), mask, blank=0).draw_from(ax, 0)
    drawn = [(int(t.get_position()[0]), round(t.get_position()[1]), t.get_text()) for t in ax.texts]
    assert drawn == [(0, 0, "5"), (3, 0, "6"), (1, 1, "2"), (3, 1, "4")]


# ---------------------------------------------------------------- whole sheets


def inside(figure: Figure) -> bool:
    """Whether all that is drawn, text included, lies within the figure."""
    figure.draw_without_rendering()
    found = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    return bool(min(found.x0, found.y0) > -0.02 and found.x1 < width + 0.02 and found.y1 < height + 0.02)


def test_what_sticks_out_is_noticed() -> None:
    figure = Figure(figsize=(3, 2), layout="constrained")
    figure.subplots().set_title("short")
    assert inside(figure)
    figure.axes[0].set_title("a title that is far too long for a figure of three inches")
    assert not inside(figure)


RNG = np.random.default_rng(0)
COUNTS = {part: {"yes": 4, "no": 5} for part in ("train", "val", "test")}


@pytest.mark.parametrize("n", [3, 10])
@pytest.mark.parametrize("cepstra", [True, False])
def test_speech(n: int, cepstra: bool) -> None:
    clips = [speech.Clip("right", RNG.normal(size=16000), RNG.normal(size=(161, 20)) if cepstra else None) for _ in range(n)]
    half = {"16 kHz": clips[0].wave[:160], "8 kHz": clips[0].wave[:160:2]}
    figure = speech.draw(speech.Speech(clips, half, COUNTS))
    assert inside(figure)
    assert sum(ax.get_title(loc="left").strip() == "right" for ax in figure.axes) == n


def test_biosignals() -> None:
    windows = [bidmc.Window("RR 17.0 breaths/min", {"a": RNG.normal(size=4000), "b": RNG.normal(size=4000)}) for _ in range(2)]
    targets = {name: {part: RNG.normal(size=50) for part in COUNTS} for name in ("RR", "HR")}
    figure = bidmc.draw(bidmc.Biosignals(windows, targets))
    assert inside(figure)
    assert [ax.get_lines()[0].get_xdata()[-1] for ax in figure.axes[:4]] == [3999 / 125] * 4


def test_generated_expressions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from data.listops.spec import ListOpsSpec

    monkeypatch.setenv("SSM_DATA", str(tmp_path))
    spec = ListOpsSpec(rows=20)
    spec.load()
    drawn = replace(DATASETS["listops"], forms=lambda: [spec]).draw()
    assert drawn is not None
    figure = drawn[0].figure
    assert inside(figure)
    first = next(samples.batches(spec, "train", 1))
    written = [t.get_text() for t in figure.axes[0].texts[:48]]
    names = spec.load().manifest["vocabulary"]
    assert written == ["]" if names[i] == "X" else names[i].strip("[") for i in first["x"][0, :48]]
    assert {len(ax.get_images()) for ax in figure.axes} >= {10}  # a whole row each


@pytest.mark.skipif("SSM_TEST_DATA" not in os.environ, reason="SSM_TEST_DATA is not set: no real data sets")
@pytest.mark.parametrize("name", [name for name, dataset in DATASETS.items() if dataset.sheet is not None])
def test_sheets_of_what_is_prepared(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSM_DATA", os.environ["SSM_TEST_DATA"])
    drawn = DATASETS[name].draw()
    if drawn is None:
        pytest.skip(f"not prepared; {DATASETS[name].command}")
    assert inside(drawn[0].figure)


# ---------------------------------------------------------------- the command


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "no data"))
    return tmp_path / "out"


def fake(name: str, gather: Callable[[], Figure]) -> DataSet:
    sheet = Sheet(gather=gather, draw=lambda figure: figure, title="A <title>", alt='a "picture"', caption="x < y")
    return DataSet(name=name, sheet=sheet)


def line() -> Figure:
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1])
    return figure


def test_what_is_not_here_is_left_out_and_named(nothing: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(DATASETS, "digits", fake("digits", line))
    assert cli.guarded(lambda: main(["gallery", "--out", str(nothing)])) == cli.DONE
    said = capsys.readouterr().out
    page = (nothing / "index.html").read_text()
    for name in set(SETS) - {"pathx", "pathfinder64", "pathfinder256"}:
        assert f"make data-{name} gets it" in said
        assert f"<code>make data-{name}</code>" in page
    assert sorted(path.name for path in nothing.glob("*.png")) == ["digits.png", "probes.png"]
    assert "A &lt;title&gt;" in page
    assert "a &quot;picture&quot;" in page
    assert not (nothing.parent / "no data" / "prepared").exists()  # looking makes nothing


def test_the_same_bytes_twice(nothing: Path) -> None:
    first, second = DATASETS["probes"].draw(), DATASETS["probes"].draw()
    assert first is not None
    assert second is not None
    assert first[1] == second[1]
    assert first[1].startswith(b"\x89PNG")


def test_a_damaged_set_does_not_keep_the_others_from_being_drawn(
    nothing: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def damaged() -> Figure:
        raise DataError("colour.npy is cut short")

    monkeypatch.setitem(DATASETS, "cifar10", fake("cifar10", damaged))
    monkeypatch.setitem(DATASETS, "digits", fake("digits", line))
    assert cli.guarded(lambda: main(["gallery", "cifar10,digits", "--out", str(nothing)])) == cli.DATA
    assert "cifar10: colour.npy is cut short" in capsys.readouterr().err
    assert (nothing / "digits.png").exists()


@pytest.mark.parametrize("words", [["cifar"], ["--dat", "x"], ["--out", ""], ["digits", "imdb"]])
def test_bad_usage_is_one_paragraph(words: list[str], nothing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.guarded(lambda: main(["gallery", *words])) == cli.USAGE
    assert capsys.readouterr().err.startswith("error: ")
    assert not nothing.exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert cli.guarded(lambda: main(["gallery", "digits", "--out", str(tmp_path / "file" / "x")])) == cli.ENVIRONMENT
    assert "name another one with --out" in capsys.readouterr().err
