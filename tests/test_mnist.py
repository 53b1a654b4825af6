"""MNIST: tiny idx files in the official layout, and what may not be taken for them."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.base import DataError
from data.files.official import Official
from data.images import mnist
from data.images.mnist import FOLDER, MNISTSpec, Packed, bit_reversal
from data.module import SplitModule

TRAIN, TEST = 50, 20


def idx(array: np.ndarray) -> bytes:
    """An idx file of unsigned bytes."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()


def official(name: str, content: bytes, *urls: str) -> Official:
    return Official(name=f"{FOLDER}/{name}", bytes=len(content), digest=f"sha256:{hashlib.sha256(content).hexdigest()}", urls=urls)


class Miniature:
    """A release of 50 + 20 digits, known to `data.images.mnist` by its checksums; nothing of it is on disk yet."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        rng = np.random.default_rng(0)
        self.folder, self.monkeypatch = folder, monkeypatch
        self.arrays = {
            "train images": rng.integers(0, 256, (TRAIN, 28, 28)),
            "train labels": np.arange(TRAIN) % 10,
            "test images": rng.integers(0, 256, (TEST, 28, 28)),
            "test labels": np.arange(TEST) % 10,
        }
        self.declare()

    def declare(self, **changed: bytes) -> None:
        """Makes the present contents the official ones; `changed` (train_images=...) replaces whole files."""
        self.contents = {part: changed.get(part.replace(" ", "_"), idx(array)) for part, array in self.arrays.items()}
        release = {}
        for part, content in self.contents.items():
            name = mnist.RELEASE[part].idx.path().name
            gz = gzip.compress(content, mtime=0)
            release[part] = Packed(gz=official(f"{name}.gz", gz, "http://127.0.0.1:9/"), idx=official(name, content))
        self.monkeypatch.setattr(mnist, "RELEASE", release)

    def write(self, *, packed: bool = True) -> None:
        for part, content in self.contents.items():
            file = mnist.RELEASE[part].gz if packed else mnist.RELEASE[part].idx
            file.path().parent.mkdir(parents=True, exist_ok=True)
            file.path().write_bytes(gzip.compress(content, mtime=0) if packed else content)


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Miniature:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("data.files.official.PATIENCE", 0.2)
    return Miniature(tmp_path / "data", monkeypatch)


def build(**options: Any) -> SplitModule:
    return MNISTSpec(**options).build(batch_size=16, seed=0)


def train(module: SplitModule) -> tuple[torch.Tensor, torch.Tensor]:
    batches = list(module.train_dataloader())
    return torch.cat([b["x"] for b in batches]), torch.cat([b["y"] for b in batches])


@pytest.mark.parametrize("packed", [True, False])
def test_official_files_are_read_packed_or_not(mini: Miniature, packed: bool) -> None:
    mini.write(packed=packed)
    prepared = mnist.load()
    prepared.verify()
    np.testing.assert_array_equal(prepared.array("images")[:TRAIN], mini.arrays["train images"].reshape(TRAIN, 784))
    np.testing.assert_array_equal(prepared.array("labels")[TRAIN:], mini.arrays["test labels"])
    assert prepared.manifest["counts"] == {"train": 45, "val": 5, "test": 20}


def test_batches_are_what_the_signature_says(mini: Miniature) -> None:
    mini.write()
    module, signature = build(), MNISTSpec().signature
    x, y = train(module)
    assert tuple(x.shape) == (45, signature.length, signature.d_input) == (45, 784, 1)
    assert x.dtype == torch.float32
    assert y.dtype == torch.int64
    ids = module.order(0)
    np.testing.assert_array_equal(x[:, :, 0].numpy(), mini.arrays["train images"][ids].reshape(45, 784).astype(np.float32) / 255)
    np.testing.assert_array_equal(y, mini.arrays["train labels"][ids])
    assert build(train_subset=20, val_subset=3, test_subset=10).counts() == {"train": 20, "val": 3, "test": 10}


def test_permuted_pixels_are_the_same_pixels_in_bit_reversal_order(mini: Miniature) -> None:
    mini.write()
    x, permuted = train(build())[0], train(build(permuted=True))[0]
    torch.testing.assert_close(permuted, x[:, bit_reversal(784)], rtol=0, atol=0)
    assert not torch.equal(permuted, x)


def test_bit_reversal() -> None:
    assert bit_reversal(8).tolist() == [0, 4, 2, 6, 1, 5, 3, 7]
    assert bit_reversal(6).tolist() == [0, 4, 2, 1, 5, 3]
    assert bit_reversal(784)[:5].tolist() == [0, 512, 256, 768, 128]
    for n in (1, 2, 784, 1024):
        assert sorted(bit_reversal(n)) == list(range(n))


def test_missing_data_say_what_to_do(mini: Miniature) -> None:
    for download in (False, True):
        with pytest.raises(DataError) as caught:
            mnist.load(download=download)
        for part in (str(mini.folder / FOLDER / "train-images-idx3-ubyte.gz"), "http://127.0.0.1:9/", "sha256:"):
            assert part in str(caught.value)


def test_one_missing_file_is_named(mini: Miniature) -> None:
    mini.write()
    mnist.RELEASE["test labels"].gz.path().unlink()
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz is missing"):
        mnist.load()


@pytest.mark.parametrize("cut", [True, False])
def test_damaged_files_are_refused_by_their_checksum(mini: Miniature, cut: bool) -> None:
    mini.write()
    path = mnist.RELEASE["train images"].gz.path()
    content = path.read_bytes()
    path.write_bytes(content[:-100] if cut else content[:-1] + b"\0" if content[-1:] != b"\0" else content[:-1] + b"\1")
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is (cut short|not the official file)"):
        mnist.load()
    assert not list((mini.folder / "prepared").glob("mnist*"))


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("train_labels", idx(np.full(TRAIN, 10)), "image 0 has label 10; labels lie in 0..9"),
        ("train_labels", idx(np.zeros(TRAIN - 1)), "49 labels for 50 images"),
        ("train_images", idx(np.zeros((TRAIN, 27, 28))), "50 x 27 x 28"),
        ("train_images", idx(np.zeros((TRAIN, 28, 28)))[:-1], "announces 50 x 28 x 28 bytes and holds 39199"),
        ("test_images", b"\0\0\x0d" + idx(np.zeros((TEST, 28, 28)))[3:], "no idx file of bytes"),
        ("test_images", b"", "no idx file of bytes: it begins with nothing"),
        ("test_labels", b"\0\0\x08\x09", "no idx file"),
    ],
)
def test_files_of_other_content_are_refused(mini: Miniature, file: str, content: bytes, message: str) -> None:
    """Even under the right checksum."""
    mini.declare(**{file: content})
    mini.write()
    with pytest.raises(DataError, match=message):
        mnist.load()


def test_subsets_are_checked() -> None:
    with pytest.raises(ValueError, match="val_subset"):
        MNISTSpec(val_subset=-1)
