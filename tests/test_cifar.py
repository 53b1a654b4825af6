"""CIFAR-10: the official layout in miniature, what may not be taken for it, and the real images where they are at hand."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.base import DataError
from data.files.digests import sha256
from data.files.official import Official
from data.images import cifar
from data.images.cifar import FOLDER, CIFARRelease, CIFARSpec, grey
from data.module import SplitModule

N = 40
"""Images per batch in the miniature."""
NAMES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")
OTHERS = Path(os.environ.get("SSM_DATA") or Path(__file__).resolve().parent.parent.parent / "shared" / "data")


def batch(seed: int, **changes: Any) -> bytes:
    """A batch with the keys, types and layout of the official ones."""
    rng = np.random.default_rng(seed)
    content = {
        "batch_label": f"batch {seed}",
        "labels": rng.permutation(np.arange(N) % 10).tolist(),
        "data": rng.integers(0, 256, (N, 3072), dtype=np.uint8),
        "filenames": [f"{i}.png" for i in range(N)],
    }
    return pickle.dumps({**content, **changes}, protocol=4)


def official(name: str, content: bytes) -> Official:
    return Official(name=name, bytes=len(content), digest=f"sha256:{hashlib.sha256(content).hexdigest()}")


def archive(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


class Miniature:
    """A release of 6 x 40 images, known to `data.images.cifar` by its checksums; nothing of it is on disk yet."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.contents = {f"{FOLDER}/{name}": batch(i) for i, name in enumerate(NAMES)}
        self.members = {f"{FOLDER}/readme.html": b"no", **self.contents}
        self.declare()

    def declare(self) -> None:
        """Makes the present contents the official ones."""
        self.packed = archive(self.members)
        release = CIFARRelease(
            archive=replace(official("cifar-10-python.tar.gz", self.packed), urls=("http://127.0.0.1:9/cifar-10-python.tar.gz",)),
            batches=tuple(official(name, content) for name, content in self.contents.items()),
            per_batch=N,
        )
        self.monkeypatch.setattr(cifar, "RELEASE", release)

    def pack(self, content: bytes | None = None) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "cifar-10-python.tar.gz").write_bytes(self.packed if content is None else content)

    def unpack(self, *names: str) -> None:
        for name in names or NAMES:
            path = self.folder / FOLDER / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.contents[f"{FOLDER}/{name}"])


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Miniature:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("data.files.official.PATIENCE", 0.2)
    return Miniature(tmp_path / "data", monkeypatch)


def build(seed: int = 0, batch_size: int = 16, **options: Any) -> SplitModule:
    return CIFARSpec(**options).build(batch_size=batch_size, seed=seed)


def epoch(module: SplitModule, part: str = "train", number: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    loader = getattr(module, f"{part}_dataloader")()
    loader.sampler.set_epoch(number)
    batches = list(loader)
    return torch.cat([b["x"] for b in batches]), torch.cat([b["y"] for b in batches])


# ---------------------------------------------------------------- the good case


def test_archive_and_folder_give_the_same_arrays(mini: Miniature, tmp_path: Path) -> None:
    mini.pack()
    packed = cifar.load()
    mini.folder = tmp_path / "other"
    mini.monkeypatch.setenv("SSM_DATA", str(mini.folder))
    mini.unpack()
    unpacked = cifar.load()
    assert packed.folder != unpacked.folder
    assert packed.manifest == unpacked.manifest
    assert packed.manifest["counts"] == {"train": 180, "val": 20, "test": 40}
    assert sum(packed.manifest["classes"]["train"].values()) == 180
    packed.verify()
    assert not any((tmp_path / name).exists() for name in ("outside", "data/outside"))


def test_nothing_but_the_cache_is_needed_afterwards(mini: Miniature) -> None:
    mini.pack()
    cifar.load()
    (mini.folder / "cifar-10-python.tar.gz").unlink()
    cifar.load()


def test_pixels_are_row_major_and_channels_last(mini: Miniature) -> None:
    mini.unpack()
    prepared = cifar.load()
    raw = pickle.loads(mini.contents[f"{FOLDER}/data_batch_2"])
    colour = prepared.array("colour")
    assert colour.shape == (6 * N, 1024, 3)
    for channel in range(3):
        np.testing.assert_array_equal(colour[N + 3, :, channel], raw["data"][3, 1024 * channel : 1024 * (channel + 1)])
    np.testing.assert_array_equal(prepared.array("labels")[N : 2 * N], raw["labels"])


def test_grey_is_that_of_pil() -> None:
    image = pytest.importorskip("PIL.Image")
    images = np.random.default_rng(1).integers(0, 256, (3, 1024, 3), dtype=np.uint8)
    expected = [np.asarray(image.fromarray(x.reshape(32, 32, 3)).convert("L")).reshape(-1) for x in images]
    np.testing.assert_array_equal(grey(images), expected)


@pytest.mark.parametrize(("color", "noise"), [(True, 0), (False, 0), (True, 24), (False, 24)])
def test_batches_are_what_the_signature_says(mini: Miniature, color: bool, noise: int) -> None:
    mini.unpack()
    spec = CIFARSpec(color=color, noise=noise)
    x, y = epoch(build(color=color, noise=noise))
    assert tuple(x.shape) == (180, spec.signature.length, spec.signature.d_input) == (180, 1024 + noise, 3 if color else 1)
    assert x.dtype == torch.float32
    assert y.dtype == torch.int64
    assert x.is_contiguous()
    if noise:
        tail = x[:, 1024:]
        assert 0 <= float(tail.min()) < float(tail.max()) < 1
        assert abs(float(tail.mean()) - 0.5) < 0.02
        assert len(tail.unique()) > 0.99 * tail.numel()


@pytest.mark.parametrize("noise", [0, 1])
def test_colours_are_normalised_as_the_published_code_does(mini: Miniature, noise: int) -> None:
    """Without noise as state-spaces/s4, with it as the authors' script."""
    mini.unpack()
    module, prepared = build(noise=noise), cifar.load()
    x, _ = epoch(module)
    pixels = torch.from_numpy(np.array(prepared.array("colour")[module.order(0)])).float() / 255
    mean, std = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2023, 0.1994, 0.2010] if noise else [0.247, 0.243, 0.261])
    torch.testing.assert_close(x[:, :1024], (pixels - mean) / std, rtol=0, atol=1e-6)


def test_training_noise_follows_seed_epoch_and_image_and_evaluation_noise_is_fixed(mini: Miniature) -> None:
    mini.unpack()
    module = build(noise=8)
    first, again, later = epoch(module)[0], epoch(build(noise=8, batch_size=7))[0], epoch(module, number=1)[0]
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert float(torch.isin(later[:, 1024:], first[:, 1024:]).float().mean()) < 0.01  # two of 2^24 values may meet
    for part in ("val", "test"):
        a, b = epoch(build(noise=8), part)[0], epoch(build(noise=8, seed=3, batch_size=9), part)[0]
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_the_split_is_that_of_the_literature(mini: Miniature) -> None:
    mini.unpack()
    dataset: torch.utils.data.TensorDataset = torch.utils.data.TensorDataset(torch.arange(5 * N))
    train, val = torch.utils.data.random_split(dataset, [180, 20], generator=torch.Generator().manual_seed(42))
    module = build()
    assert sorted(module.order(0)) == sorted(train.indices)
    assert epoch(module, "val")[1].tolist() == cifar.load().array("labels")[list(val.indices)].tolist()
    assert module.counts() == {"train": 180, "val": 20, "test": 40}


def test_subsets_are_fixed_balanced_nested_and_counted(mini: Miniature) -> None:
    mini.unpack()
    small, large = build(train_subset=20, val_subset=10, test_subset=30), build(train_subset=50, seed=7)
    assert small.counts() == {"train": 20, "val": 10, "test": 30}
    assert set(small.order(0)) < set(large.order(0)) < set(build().order(0))
    assert set(np.bincount(epoch(small)[1], minlength=10)) == {2}
    assert len({m.content_hash() for m in (small, large, build())}) == 3
    assert build().content_hash() == build(seed=5).content_hash()
    with pytest.raises(ValueError, match="between 1 and 180"):
        build(train_subset=181)
    with pytest.raises(ValueError, match="train_subset"):
        CIFARSpec(train_subset=0)
    with pytest.raises(ValueError, match="noise"):
        CIFARSpec(noise=-1)


# ---------------------------------------------------------------- bad input


def test_missing_data_say_what_to_do(mini: Miniature) -> None:
    for download in (False, True):
        with pytest.raises(DataError) as caught:
            cifar.load(download=download)
        for part in (str(mini.folder / "cifar-10-python.tar.gz"), "http://127.0.0.1:9/", "sha256:"):
            assert part in str(caught.value)


@pytest.mark.parametrize("damage", ["cut", "bit", "foreign"])
def test_an_archive_that_is_not_the_official_one_is_refused(mini: Miniature, damage: str) -> None:
    content = mini.packed
    flipped = content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]
    mini.pack({"cut": content[: len(content) // 2], "bit": flipped, "foreign": gzip.compress(b"something else")}[damage])
    with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz"):
        cifar.load()
    assert not list((mini.folder / "prepared").glob("cifar10*"))


def test_a_half_unpacked_folder_is_refused(mini: Miniature) -> None:
    mini.unpack(*NAMES[:3])
    with pytest.raises(DataError, match=r"half unpacked: data_batch_4, data_batch_5, test_batch missing"):
        cifar.load()
    mini.unpack()
    path = mini.folder / FOLDER / "data_batch_4"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match="data_batch_4 is cut short"):
        cifar.load()


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


@pytest.mark.parametrize("known", [False, True])
def test_a_hostile_pickle_is_never_run(mini: Miniature, tmp_path: Path, known: bool) -> None:
    """With another checksum it is not even opened; and if its checksum were the official one, its call would be refused."""
    mini.contents[f"{FOLDER}/data_batch_1"] = batch(0, data=Hostile(f"touch {tmp_path / 'pwned'}"))
    if known:
        mini.declare()
    mini.unpack()
    with pytest.raises(DataError, match=r"posix\.system" if known else r"not the official file|a different one|cut short"):
        cifar.load()
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": np.zeros((N, 3071), np.uint8)}, r"uint8 \(40, 3071\) instead of 40 x 3072"),
        ({"data": np.zeros((N, 3072), np.float32)}, "float32"),
        ({"data": [1, 2]}, "list instead of"),
        ({"labels": [0] * (N - 1) + [10]}, "image 39 has label 10; labels lie in 0..9"),
        ({"labels": [-1] + [0] * (N - 1)}, "image 0 has label -1"),
        ({"labels": [0] * (N - 1)}, r"labels int64 \(39,\)"),
        ({"labels": ["cat"] * N}, "labels <U3"),
    ],
)
def test_batches_of_other_content_are_refused(mini: Miniature, changes: dict[str, Any], message: str) -> None:
    """Even under the right checksum."""
    mini.contents[f"{FOLDER}/data_batch_3"] = batch(2, **changes)
    mini.declare()
    mini.unpack()
    with pytest.raises(DataError, match=message) as caught:
        cifar.load()
    assert "data_batch_3" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps([1, 2]), pickle.dumps({"data": 1}), batch(0)[:-50]])
def test_what_is_no_batch_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match="data_batch_1 is no CIFAR-10 batch"):
        cifar.parse(content, "data_batch_1", N)


def test_an_archive_with_other_members_is_refused(mini: Miniature) -> None:
    """The archive has its checksum, and its members do not: it would take a wrong table."""
    mini.members[f"{FOLDER}/data_batch_2"] = mini.contents[f"{FOLDER}/data_batch_1"]
    mini.packed = archive(mini.members)
    release = replace(cifar.RELEASE, archive=official("cifar-10-python.tar.gz", mini.packed))
    mini.monkeypatch.setattr(cifar, "RELEASE", release)
    mini.pack()
    with pytest.raises(DataError, match="official file"):
        cifar.load()
    del mini.members[f"{FOLDER}/data_batch_2"]
    mini.packed = archive(mini.members)
    mini.monkeypatch.setattr(cifar, "RELEASE", replace(release, archive=official("cifar-10-python.tar.gz", mini.packed)))
    mini.pack()
    with pytest.raises(DataError, match=f"has no {FOLDER}/data_batch_2"):
        cifar.load()


@pytest.mark.parametrize("name", ["../outside", "/absolute"])
def test_a_member_that_leaves_the_folder_is_refused_and_written_nowhere(mini: Miniature, name: str, tmp_path: Path) -> None:
    mini.members = {name: b"no", **mini.members}
    mini.declare()
    mini.pack()
    with pytest.raises(DataError, match="which no official archive has"):
        cifar.load()
    assert not any((tmp_path / place).exists() for place in ("outside", "data/outside"))
    assert not list((mini.folder / "prepared").glob("cifar10*"))


# ---------------------------------------------------------------- the real images


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real images, prepared or official; skips where there are none. What is not prepared yet is prepared in their folder."""
    if not any((OTHERS / name).exists() for name in ("prepared", FOLDER, "cifar-10-python.tar.gz")):
        pytest.skip("CIFAR-10 is not at hand: set SSM_DATA to a folder with the official archive or the unpacked folder")
    monkeypatch.setenv("SSM_DATA", str(OTHERS))


@pytest.mark.usefixtures("real")
def test_the_data_are_these_data() -> None:
    """Golden values: if they change, every number changes, and CIFARSpec.version must be raised."""
    prepared = cifar.load()
    assert prepared.manifest["counts"] == {"train": 45_000, "val": 5_000, "test": 10_000}
    assert set(prepared.manifest["classes"]["test"].values()) == {1000}
    assert prepared.manifest["split"]["sha256"] == "6d4a67055c3bfa85bc4f78c41ee8288e75f528e036b304dff819373d611b4517"
    labels = np.array(prepared.array("labels"))
    assert labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert labels[50_000:50_005].tolist() == [3, 8, 8, 0, 6]
    assert prepared.array("colour")[0, 0].tolist() == [59, 62, 63]
    module = build(train_subset=1000, val_subset=100, test_subset=100, batch_size=50)
    x, y = epoch(module)
    assert set(np.bincount(y)) == {100}
    assert float(x.abs().max()) < 2.2
    assert abs(float(x.mean())) < 0.05
    assert abs(float(x.std()) - 1) < 0.05
    assert len(sha256(x.numpy())) == 64


@pytest.mark.parametrize("above", ["cifar-10-batches-py", "cifar-10-python"])
def test_a_folder_in_a_folder_is_read(mini: Miniature, above: str) -> None:
    mini.unpack()
    expected = CIFARSpec().load().folder.name
    shutil.rmtree(mini.folder / "prepared")
    (mini.folder / FOLDER).rename(mini.folder / "inner")
    (mini.folder / above).mkdir()
    (mini.folder / "inner").rename(mini.folder / above / FOLDER)
    assert CIFARSpec().load().folder.name == expected
    assert not (mini.folder / "cifar-10-python.tar.gz").exists()
