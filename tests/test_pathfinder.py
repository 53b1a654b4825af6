"""Pathfinder as a data set: shards that survive kills, splits, batches, options."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.base import DataError, StorageError
from data.pathfinder.drawing import parameters
from data.pathfinder.shards import PACKED, SIZES, WORKER, Shards, workers
from data.pathfinder.spec import CARD, PathfinderSpec, split_of

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setitem(SIZES, 32, 40)
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
        "from data.pathfinder.drawing import parameters\n"
        "from data.pathfinder.shards import Shards\n"
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


def test_a_worker_finds_the_suite_wherever_it_is_started(folder: Path, tmp_path: Path) -> None:
    """Its path to the checkout is made of where its file lies; no folder and no variable of the caller helps it."""
    s = shards()
    s.folder.mkdir(parents=True)
    task = json.dumps({**asdict(s), "numbers": [0]})
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", WORKER]
    done = subprocess.run(command, input=task, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
    assert s.path(0).is_file()


@pytest.mark.parametrize("end", ["raise SystemExit(3)", "import os; os.kill(os.getpid(), 9)", "import sys; sys.stdin.read(); 1 / 0"])
def test_a_worker_that_dies_is_an_error_that_says_so(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.pathfinder.shards.WORKER", end)
    with pytest.raises(DataError, match=r"was killed.*goes on"):
        shards().fill(60, 2)


def test_a_script_without_a_guard_may_draw_in_several_processes(folder: Path) -> None:
    """As in a notebook, or in what a shell pipes into Python."""
    code = (
        "from data.pathfinder.drawing import parameters\n"
        "from data.pathfinder.shards import Shards\n"
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


@pytest.mark.parametrize("side", [2, 8])
def test_a_coarser_picture_has_the_means_of_squares(side: Any) -> None:
    s = spec(averaged=side)
    n = 32 // side
    assert s.signature.length == n * n
    batch = next(iter(s.build(batch_size=16, seed=0).test_dataloader()))
    images = s.load().array("images")[split_of(100, "random-42")["test"]].astype(np.float64).reshape(-1, 32, 32) / 255
    expected = [
        [image[side * i : side * (i + 1), side * j : side * (j + 1)].mean() for i in range(n) for j in range(n)] for image in images
    ]
    np.testing.assert_allclose(batch["x"][..., 0].numpy(), expected, atol=1e-6)
    assert s.load().folder == spec().load().folder  # the same images


def test_parts_of_evaluation_have_both_answers_equally_often() -> None:
    module = spec(val_subset=8, test_subset=8).build(batch_size=16, seed=0)
    for loader in (module.val_dataloader(), module.test_dataloader()):
        assert int(next(iter(loader))["y"].sum()) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"averaged": 3}, "1, 2, 4, 8"),
        ({"averaged": 2, "tokens": True}, "single bytes"),
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


# ---------------------------------------------------------------- room


def test_what_is_needed_counts_shards_and_both_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """It said a third: the shards, the array in which they are put together, and the prepared copy lie side by side."""
    asked: list[int] = []
    monkeypatch.setattr("data.pathfinder.spec.prepare", lambda name, key, make, needed: asked.append(needed))
    spec().load()
    shards = 3 * 40 * 1024 * PACKED
    assert asked == [int(shards) + 2 * 100 * (1024 + 32)]
    assert f"{asked[0] / 1e6:,.0f} MB have to be free" in spec().plan()
    spec()._shards.fill(100, 1)
    spec().load()
    assert asked[1] == 2 * 100 * (1024 + 32)


def test_packed_shards_are_no_larger_than_said() -> None:
    s = shards(size=40)
    s.fill(40, 1)
    assert s.path(0).stat().st_size < 40 * 1024 * PACKED


@pytest.mark.parametrize("processes", [1, 2])
def test_a_disk_that_fills_while_shards_are_drawn_is_told_in_a_sentence(
    processes: int, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A file that may not grow stands for a disk that is full; the limit is inherited by the processes that draw."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        with pytest.raises(StorageError, match=r"cannot write to .*File too large"):
            shards().fill(50, processes)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    assert list(shards().folder.iterdir()) == []
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("damage", [lambda b: b[:-30], lambda b: b.replace(b"PK", b"QK"), lambda b: b"x" * len(b), lambda b: b""])
def test_a_shard_that_is_another_file_is_damage(damage: Any) -> None:
    s = shards()
    s.fill(20, 1)
    s.path(0).write_bytes(damage(s.path(0).read_bytes()))
    with pytest.raises(DataError, match=r"is damaged .*it is then drawn again"):
        s.read(0)


def test_a_shard_that_unpacks_to_more_is_refused() -> None:
    s = shards()
    s.fill(20, 1)
    np.savez_compressed(s.path(0), images=np.zeros(10_000_000, np.uint8))
    with pytest.raises(DataError, match="announces more than a shard holds"):
        s.read(0)
