"""Pathfinder in the layout of its release: what is read, and everything that may not be taken for it."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from data.base import DataError
from data.pathfinder.release import FOLDERS, KNOWN_EMPTY, _image, find
from data.pathfinder.spec import PathfinderSpec

N = 60
"""Images of the miniature release."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


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


@pytest.fixture(params=FOLDERS[:1])
def mini(folder: Path, request: pytest.FixtureRequest) -> Miniature:
    return Miniature(folder / request.param / "pathfinder32")


def official(**options: Any) -> PathfinderSpec:
    return PathfinderSpec(**{"source": "official", "images": N, "difficulty": "curv_baseline", **options})


def refused(message: str, **options: Any) -> None:
    with pytest.raises(DataError, match=message) as caught:
        official(**options).load()
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize("above", FOLDERS)
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
    assert {"pathfinder32/curv_baseline/imgs/0/sample_172.png"} == KNOWN_EMPTY
    monkeypatch.setattr("data.pathfinder.release.KNOWN_EMPTY", frozenset({"pathfinder32/curv_baseline/imgs/2/sample_7.png"}))
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


def test_images_are_read_as_they_are_or_refused(mini: Miniature) -> None:
    """16 bits cut to 8, colours mixed to grey or transparency dropped would change the task in silence."""
    same = official().load().array("images")
    grey = mini.images[0]
    for mode in ("RGB", "RGBA", "P"):
        Image.fromarray(grey).convert(mode).save(mini.png(0))
        np.testing.assert_array_equal(official().load().array("images"), same)
    Image.fromarray(np.stack([grey, grey, grey ^ 1], axis=-1)).save(mini.png(0))
    Image.fromarray(np.stack([grey, grey, grey, np.full_like(grey, 254)], axis=-1)).save(mini.png(1))
    Image.fromarray(grey.astype(np.uint16) << 8).save(mini.png(2))
    with pytest.raises(DataError) as caught:
        official().load()
    assert "2 in colour or transparent (the first: imgs/2/sample_0.png)" in str(caught.value)
    assert "1 of more than 8 bits (the first: imgs/2/sample_2.png)" in str(caught.value)


def test_no_flipped_bit_of_an_image_comes_through_as_another_image(mini: Miniature) -> None:
    """Pillow decodes a PNG without its checksums, so that one flip in eighteen gave another picture."""
    path, expected = mini.png(0), mini.images[0]
    content = path.read_bytes()
    came = 0
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        image = _image(path)[1]
        if not isinstance(image, str):
            came += 1
            np.testing.assert_array_equal(image, expected)
    assert came <= 64  # in the last chunk, which is empty


def test_a_pipe_or_a_huge_file_among_the_images_is_no_image(mini: Miniature) -> None:
    mini.png(0).unlink()
    os.mkfifo(mini.png(0))
    with mini.png(1).open("wb") as handle:
        handle.truncate(1 << 40)
    refused(r"1 missing \(the first: imgs/2/sample_0\.png\); 1 of more than 1,048,576 bytes \(the first: imgs/2/sample_1\.png\)")


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<U12', 'fortran_order': False, 'shape': (6, 11, ",
        b"{'descr': '<U12', 'fortran_order': False, 'shape': (6, 10**9), }",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (6, 11), }",
        b"(" * 100,
        b"\xff" * 60,
    ],
)
def test_a_list_with_a_damaged_header_is_refused(mini: Miniature, header: bytes) -> None:
    path = mini.folder / "metadata" / "2.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00v\x00" + header.ljust(117) + b"\n")
    refused(r"2\.npy is no array of strings")


def test_a_byte_order_mark_before_a_list_is_no_harm(mini: Miniature) -> None:
    same = official().load()
    path = mini.folder / "metadata" / "2.npy"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    np.testing.assert_array_equal(official().load().array("images"), same.array("images"))


def test_the_outer_copy_of_the_release_comes_last_and_two_copies_are_told(mini: Miniature, folder: Path) -> None:
    """lra_release.gz has pathfinder128 twice, and what differs gives chance."""
    assert find(32, "curv_baseline") == mini.folder
    outer, plain = folder / "lra_release", folder / "pathfinder"
    shutil.copytree(mini.folder.parent, outer / "pathfinder32")
    shutil.move(mini.folder.parent, plain / "pathfinder32")
    said: list[str] = []
    assert find(32, "curv_baseline", said.append) == plain / "pathfinder32" / "curv_baseline"
    kept, left = (above / "pathfinder32" / "curv_baseline" for above in (plain, outer))
    assert said == [f"Pathfinder at 32 pixels: there are 2 copies; {kept} is read, and not {left}"]
    shutil.rmtree(plain)
    shutil.move(outer / "pathfinder32", folder / "pathfinder32" / "pathfinder32")
    assert find(32, "curv_baseline") == folder / "pathfinder32" / "pathfinder32" / "curv_baseline"
