"""Pathfinder as a data set: shards that survive kills, the layout of the release and what may not be taken for it, splits, batches."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from data import pathfinder, pathfinder_release
from data.base import DataError
from data.pathfinder import CARD, PathfinderSpec, split_of
from data.pathfinder_drawing import parameters
from data.pathfinder_shards import Shards, workers
from data.pathfinder_statistics import REFERENCE, Line, compare, statistics

ROOT = Path(__file__).resolve().parent.parent
REAL = os.environ.get("SSM_TEST_DATA")
N = 60
"""Images of the miniature release."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setitem(pathfinder.SIZES, 32, 40)
    return tmp_path / "data"


def spec(**options: Any) -> PathfinderSpec:
    return PathfinderSpec(**{"images": 100, "difficulty": "curv_baseline", **options})


def shards(seed: int = 3, size: int = 20) -> Shards:
    return Shards(p=parameters(32, "curv_baseline"), difficulty="curv_baseline", seed=seed, size=size)


def everything(s: Shards, images: int) -> np.ndarray:
    return np.concatenate([s.read(number).images for number in range(-(-images // s.size))])


# ---------------------------------------------------------------- shards


def test_shards_are_the_same_in_one_process_and_in_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    shards().fill(50, 1, said.append)
    alone = everything(shards(), 50)
    assert len(alone) == 60
    assert "drawing 60 images of 32 x 32 pixels in 1 process" in said[0]
    assert "60 of 60 images" in said[-1]
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "two"))
    shards().fill(50, 2, said.append)
    np.testing.assert_array_equal(everything(shards(), 50), alone)
    assert sorted(p.name for p in shards().folder.iterdir()) == [f"shard-0000{i}.npz" for i in range(3)]


def test_only_missing_shards_are_drawn_and_more_images_keep_the_first() -> None:
    s = shards()
    s.fill(60, 1)
    before = everything(s, 60)
    times = {number: s.path(number).stat().st_mtime_ns for number in range(3)}
    s.path(1).unlink()
    (s.folder / ".shard-00001.npz.123.tmp").write_bytes(b"half a shard of a run that was killed")
    assert s.missing(60) == [1]
    s.fill(80, 1)
    assert {number: s.path(number).stat().st_mtime_ns == t for number, t in times.items()} == {0: True, 1: False, 2: True}
    np.testing.assert_array_equal(everything(s, 60), before)
    assert not list(s.folder.glob(".*"))
    assert len(everything(s, 80)) == 80


def test_shards_of_other_seeds_parameters_and_sizes_lie_elsewhere() -> None:
    s = shards()
    others = [shards(seed=4), shards(size=10), replace(s, p=parameters(32)), replace(s, p=replace(s.p, continuity=1.5))]
    assert len({s.folder, *(other.folder for other in others)}) == 5
    s.fill(20, 1)
    other = shards(seed=4)
    other.fill(20, 1)
    assert (s.read(0).images != other.read(0).images).any(axis=1).all()


@pytest.mark.slow
def test_after_a_kill_the_rest_is_drawn_and_no_process_stays(folder: Path) -> None:
    code = (
        "from data.pathfinder_drawing import parameters\n"
        "from data.pathfinder_shards import Shards\n"
        "if __name__ == '__main__':\n"
        "    Shards(p=parameters(32, 'curv_baseline'), difficulty='curv_baseline', seed=3, size=50).fill(30_000, 2)\n"
    )
    script = folder.parent / "draw.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, str(script)], env=environment, stdout=subprocess.PIPE, cwd=ROOT)
    s = shards(size=50)
    try:
        deadline = time.monotonic() + 120
        while len(list(s.folder.glob("shard-*.npz"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.stdout is not None
    process.stdout.read()  # returns only when the last of its children has closed its end
    process.stdout.close()
    count = len(list(s.folder.glob("shard-*.npz")))
    assert 2 <= count < 600
    for path in s.folder.glob("shard-*.npz"):
        s.read(int(path.stem[-5:]))  # every shard that is there is whole
    wanted = (count + 1) * 50
    kept = {p.name: p.stat().st_mtime_ns for p in s.folder.glob("shard-*.npz")}
    s.fill(wanted, 1)
    assert s.missing(wanted) == []
    assert all((s.folder / name).stat().st_mtime_ns == t for name, t in kept.items())


@pytest.mark.parametrize("damage", ["cut", "bytes", "other"])
def test_a_damaged_shard_is_named(damage: str) -> None:
    s = shards()
    s.fill(20, 1)
    path = s.path(0)
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "bytes":
        path.write_bytes(content[:3000] + bytes(50) + content[3050:])
    else:
        np.savez(path, **{name: np.zeros(3) for name in ("images", "labels", "markers", "distractors")}, attempts=0)
    with pytest.raises(DataError, match=r"shard-00000\.npz .*[Rr]emove it"):
        s.read(0)


@pytest.mark.parametrize("end", ["raise SystemExit(3)", "import os; os.kill(os.getpid(), 9)", "import sys; sys.stdin.read(); 1 / 0"])
def test_a_worker_that_dies_is_an_error_that_says_so(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.pathfinder_shards.WORKER", end)
    with pytest.raises(DataError, match=r"was killed.*goes on"):
        shards().fill(60, 2)


def test_a_script_without_a_guard_may_draw_in_several_processes(folder: Path) -> None:
    """As in a notebook, or in what a shell pipes into Python."""
    code = (
        "from data.pathfinder_drawing import parameters\n"
        "from data.pathfinder_shards import Shards\n"
        "Shards(p=parameters(32, 'curv_baseline'), difficulty='curv_baseline', seed=3, size=20).fill(40, 2, print)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = subprocess.run([sys.executable, "-"], input=code, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "40 of 40 images" in found.stdout
    shards_here = shards()
    assert shards_here.missing(40) == []


def test_threads_limit_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert workers() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    assert workers() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "100000")
    assert workers() <= (os.cpu_count() or 1)


# ---------------------------------------------------------------- the generated set


def test_the_generated_set_is_prepared_once_and_says_what_it_is(folder: Path) -> None:
    s = spec()
    assert s.opened() is None
    assert "draws 120 images" in s.plan()
    assert str(folder) in s.plan()
    said: list[str] = []
    prepared = s.load(say=said.append)
    assert any("drawing 120 images" in text for text in said)
    assert s.opened() is not None
    assert prepared.manifest["counts"] == {"train": 80, "val": 10, "test": 10}
    assert sum(prepared.manifest["classes"]["train"].values()) == 80
    assert {"source", "licence", "version", "split", "in-order", "attempts per image"} <= set(prepared.manifest)
    assert [prepared.array(name).shape for name in ("images", "labels", "markers", "distractors")] == [
        (100, 1024),
        (100,),
        (100, 4),
        (100,),
    ]
    assert {prepared.array(name).dtype.name for name in ("images", "labels", "distractors")} == {"uint8"}
    prepared.verify()
    shutil.rmtree(folder / "generated")
    assert s.load().folder == prepared.folder  # the shards are not needed afterwards
    fewer = spec(images=50).load()
    np.testing.assert_array_equal(fewer.array("images"), prepared.array("images")[:50])
    assert fewer.folder != prepared.folder
    assert spec(split="in-order").load().folder == prepared.folder  # a split is no other set of images


def test_an_impossible_disk_is_refused_before_anything_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    import collections

    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 10, 1000))
    with pytest.raises(DataError, match="are needed"):
        spec().load()


@pytest.mark.parametrize("images", [10, 99, 100, 199_999, 200_000])
def test_random_splits_are_those_of_torch(images: int) -> None:
    parts = split_of(images, "random-42")
    tenth = int(images * 0.1)
    dataset: Any = range(images)
    expected = torch.utils.data.random_split(dataset, [images - 2 * tenth, tenth, tenth], generator=torch.Generator().manual_seed(42))
    for part, own in zip(expected, parts.values(), strict=True):
        np.testing.assert_array_equal(np.array(part.indices), own)


def test_splits_in_order_are_the_first_next_and_last() -> None:
    parts = split_of(104, "in-order")
    np.testing.assert_array_equal(parts["train"], np.arange(84))
    np.testing.assert_array_equal(parts["val"], np.arange(84, 94))
    np.testing.assert_array_equal(parts["test"], np.arange(94, 104))


@pytest.mark.parametrize(("scaling", "low", "high"), [("unit", 0, 1), ("centred", -1, 1)])
def test_pixels_are_scaled_row_by_row(scaling: Any, low: float, high: float) -> None:
    s = spec(scaling=scaling)
    assert (s.signature.length, s.signature.d_input, s.signature.vocab, s.signature.d_output) == (1024, 1, None, 2)
    module = s.build(batch_size=16, seed=0)
    batch = next(iter(module.test_dataloader()))
    prepared = s.load()
    ids = split_of(100, "random-42")["test"]
    assert batch["x"].shape == (10, 1024, 1)
    assert batch["x"].dtype == torch.float32
    assert (float(batch["x"].min()), float(batch["x"].max())) == (low, high)
    expected = low + (high - low) * prepared.array("images")[ids].astype(np.float64) / 255
    np.testing.assert_allclose(batch["x"][..., 0].numpy(), expected, atol=1e-6)
    np.testing.assert_array_equal(batch["y"].numpy(), prepared.array("labels")[ids])
    assert module.counts() == {"train": 80, "val": 10, "test": 10}
    assert s.build(batch_size=4, seed=1).content_hash() == module.content_hash()
    assert replace(s, split="in-order").build(batch_size=4, seed=1).content_hash() != module.content_hash()


def test_tokens_are_the_bytes() -> None:
    s = spec(tokens=True, split="in-order", train_subset=20)
    assert (s.signature.vocab, s.signature.d_input) == (256, None)
    module = s.build(batch_size=16, seed=0)
    batch = next(iter(module.val_dataloader()))
    assert batch["x"].dtype == torch.int64
    np.testing.assert_array_equal(batch["x"].numpy(), s.load().array("images")[80:90])
    assert module.counts()["train"] == 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 48}, "32, 64, 128, 256"),
        ({"difficulty": "hard"}, "curv_baseline, curv_contour_length_9, curv_contour_length_14"),
        ({"source": "offical"}, "generated, official"),
        ({"scaling": "half"}, "unit, centred"),
        ({"split": "random"}, "random-42, in-order"),
        ({"images": 9}, "10 to 200,000"),
        ({"images": 200_001}, "10 to 200,000"),
        ({"tokens": True, "scaling": "centred"}, "real numbers"),
        ({"train_subset": 0}, "train_subset"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PathfinderSpec(**options)


def test_the_card_states_what_is_not_known() -> None:
    text = " ".join(CARD.issues)
    for fact in ("not documented", "seed", "30 of 360", "54 %", "sample_172.png", "nothing is at hand to compare"):
        assert fact in text


# ---------------------------------------------------------------- the release


class Miniature:
    """A release of 60 images in two batches, batch 2 before batch 10."""

    def __init__(self, where: Path, subset: str = "curv_baseline") -> None:
        self.folder, self.rng = where / subset, np.random.default_rng(5)
        self.images = self.rng.integers(0, 256, (N, 32, 32), dtype=np.uint8)
        self.labels = np.arange(N) % 2
        self.lines: dict[str, list[str]] = {"2": [], "10": []}
        for i in range(N):
            batch, number = ("2", i) if i < N // 2 else ("10", i - N // 2)
            self.lines[batch].append(f"imgs/{batch} sample_{number}.png {number} {self.labels[i]} 1.0 6 2 2 0.5 1 1")
            path = self.folder / "imgs" / batch / f"sample_{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(self.images[i]).save(path)
        (self.folder / "metadata").mkdir()
        self.write()

    def write(self) -> None:
        for batch, lines in self.lines.items():
            (self.folder / "metadata" / f"{batch}.npy").write_text("".join(line + "\n" for line in lines))

    def png(self, number: int, batch: str = "2") -> Path:
        return self.folder / "imgs" / batch / f"sample_{number}.png"


@pytest.fixture(params=pathfinder_release.FOLDERS[:1])
def mini(folder: Path, request: pytest.FixtureRequest) -> Miniature:
    return Miniature(folder / request.param / "pathfinder32")


def official(**options: Any) -> PathfinderSpec:
    return spec(**{"source": "official", "images": N, **options})


def refused(message: str, **options: Any) -> None:
    with pytest.raises(DataError, match=message) as caught:
        official(**options).load()
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize("above", pathfinder_release.FOLDERS)
def test_official_images_are_read_in_order_of_their_batches(folder: Path, above: str) -> None:
    mini = Miniature(folder / above / "pathfinder32")
    prepared = official().load()
    np.testing.assert_array_equal(prepared.array("images"), mini.images.reshape(N, -1))
    np.testing.assert_array_equal(prepared.array("labels"), mini.labels)
    assert prepared.manifest["counts"] == {"train": 48, "val": 6, "test": 6}
    assert official().opened() is not None
    assert official(images=20).load().array("images").shape == (20, 1024)


def test_a_list_may_be_an_array_of_strings_but_is_never_unpickled(mini: Miniature, tmp_path: Path) -> None:
    table = [line.split() for line in mini.lines["10"]]
    path = mini.folder / "metadata" / "10.npy"
    for array in (np.array(table), np.array(table).astype("S")):
        np.save(path, array)
        np.testing.assert_array_equal(official().load().array("labels"), mini.labels)
    np.save(path, np.array(table, dtype=object), allow_pickle=True)
    refused(r"10\.npy is no array of strings")
    np.save(path, np.zeros((3, 4)))
    refused("float64")

    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {tmp_path / 'pwned'}",)

    path.write_bytes(pickle.dumps(Hostile()))
    refused(r"10\.npy")
    np.save(path, np.array([Hostile()], dtype=object), allow_pickle=True)
    refused(r"10\.npy")
    assert not (tmp_path / "pwned").exists()


def test_missing_data_say_what_to_do(folder: Path) -> None:
    refused("lra_release.gz.*source=generated")
    assert official().opened() is None
    assert str(folder) in official().plan()
    Miniature(folder / "pathfinder32")
    refused("curv_contour_length_14", difficulty="curv_contour_length_14")
    refused(r"60 images and 200,000 are asked for.*images=60", images=200_000)


def test_wrong_files_are_counted(mini: Miniature) -> None:
    mini.png(3).unlink()
    mini.png(4).unlink()
    refused(r"of 60 images .* 2 missing \(the first: imgs/2/sample_3\.png\)")
    mini.png(5).write_bytes(b"")
    mini.png(6).write_bytes(mini.png(7).read_bytes()[:200])
    Image.fromarray(np.zeros((32, 31), np.uint8)).save(mini.png(8))
    mini.png(9).write_bytes(b"GIF89a" + bytes(100))
    with pytest.raises(DataError) as caught:
        official().load()
    for words in (
        "2 missing",
        "1 not 32 x 32",
        "1 empty (the first: imgs/2/sample_5.png)",
        "2 unreadable (the first: imgs/2/sample_6.png)",
    ):
        assert words in str(caught.value)


def test_a_folder_of_a_batch_that_is_missing_is_counted(mini: Miniature) -> None:
    shutil.rmtree(mini.folder / "imgs" / "10")
    refused("30 missing")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("imgs/2 sample_99.png 99 1 1.0", "1 missing"),
        ("imgs/2 sample_1.png 1 2 1.0", "1 of 30 lines.*line 2: 'imgs/2 sample_1.png 1 2 1.0'"),
        ("imgs/2 sample_1.png 1 1.0 1.0", "line 2"),
        ("imgs/2 sample_1.png 1", "line 2"),
        ("", "line 2"),
        ("../../outside sample_1.png 1 1 1.0", "line 2"),
        ("imgs/2 ../sample_1.png 1 1 1.0", "line 2"),
        ("imgs/2 sample_2.png 1 1 1.0", "more than once, the first is imgs/2/sample_2.png"),
        ("imgs/2 sample_1.png é 1 1.0", r"2\.npy is neither plain text"),
    ],
)
def test_wrong_lines_are_named(mini: Miniature, line: str, message: str) -> None:
    mini.lines["2"][1] = line
    mini.write()
    refused(message)


def test_an_empty_list_and_no_list_are_refused(mini: Miniature) -> None:
    (mini.folder / "metadata" / "10.npy").write_text("")
    refused(r"10\.npy names no image")
    for path in (mini.folder / "metadata").iterdir():
        path.unlink()
    refused("no list of images")


def test_labels_that_no_fair_coins_give_are_refused(mini: Miniature) -> None:
    mini.lines = {batch: [line.replace(" 0 1.0", " 1 1.0") for line in lines] for batch, lines in mini.lines.items()}
    mini.write()
    refused("60 of 60 labels are 1")


def test_the_known_empty_file_is_left_out_and_noted(mini: Miniature, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"pathfinder32/curv_baseline/imgs/0/sample_172.png"} == pathfinder_release.KNOWN_EMPTY
    monkeypatch.setattr(pathfinder_release, "KNOWN_EMPTY", frozenset({"pathfinder32/curv_baseline/imgs/2/sample_7.png"}))
    mini.png(7).write_bytes(b"")
    prepared = official().load()
    assert prepared.array("images").shape == (N - 1, 1024)
    np.testing.assert_array_equal(prepared.array("images"), np.delete(mini.images, 7, axis=0).reshape(N - 1, -1))
    assert any("sample_7.png is empty" in note for note in prepared.manifest["notes"])
    (mini.folder / "imgs" / "2" / "Thumbs.db").write_bytes(b"x")
    assert any("1 files beside" in note for note in official(images=59).load().manifest["notes"])


def test_a_file_that_changes_is_another_set(mini: Miniature) -> None:
    before = official().load()
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(mini.png(0))
    after = official().load()
    assert before.folder != after.folder
    assert before.manifest["files"] != after.manifest["files"]


def test_huge_images_are_not_decoded(mini: Miniature) -> None:
    Image.new("1", (5000, 5000)).save(mini.png(0))
    refused("1 unreadable")


# ---------------------------------------------------------------- statistics


def generated(resolution: int, n: int, seed: int = 11) -> tuple[Any, ...]:
    from data.pathfinder_generator import generate

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
    from data.pathfinder_generator import generate

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
    line = Line("x", 1.0, 1.5, 0.1)
    assert (line.sigmas, line.agrees) == (pytest.approx(5), False)
    with pytest.raises(ValueError, match="no reference"):
        compare(64, "curv_contour_length_14", images, labels, markers, labels, 1.0)


def test_a_spec_compares_itself() -> None:
    lines = PathfinderSpec(images=100).statistics()
    assert len(lines) == len(REFERENCE[32])
    with pytest.raises(ValueError, match="no reference"):
        spec().statistics()


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
