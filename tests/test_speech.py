"""Speech Commands: the official release in miniature, its splits, what is fitted on them, the two sampling rates, and real clips."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.base import DataError, StorageError
from data.files.official import Official
from data.module import SplitModule
from data.speech import mfcc, release
from data.speech.release import (
    FOLDERS,
    LISTS,
    MINI,
    TEN,
    WORDS,
    SpeechRelease,
    load_clips,
    mini_part,
    official_part,
    official_parts,
    opened_clips,
    reorder,
    speaker_of,
)
from data.speech.spec import SpeechSpec, stratified
from tests.test_wav import wav

REAL = Path(os.environ.get("SSM_TEST_DATA") or "/nonexistent")
TRAIN = ("62581901", "708a9569", "7ff085e1", "93ec8b84")
VAL = ("a69b9b3e", "439c84f4")
TEST = ("bb05582b", "97f4c236")
"""Speakers of the official release, by the part they lie in there."""


def clip(name: str, n: int = 16_000) -> np.ndarray:
    """A tone with a loudness of its own, and a little noise: cheap to compress and different for every clip."""
    rng = np.random.default_rng(int(hashlib.sha256(name.encode()).hexdigest()[:8], 16))
    tone = np.sin(np.arange(n) * rng.uniform(0.02, 0.4)) * rng.uniform(2000, 20_000)
    return (tone + rng.integers(-300, 300, n)).astype(np.int16)


class Miniature:
    """A release of all words: four clips of 25 words, and 20 of the ten, of which one in ten is short. Nothing of it is on disk yet."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        speakers = [*TRAIN[:2], VAL[0], TEST[0]], [*TRAIN, *TRAIN, *VAL, *VAL, *TEST, *TEST, *TRAIN]
        self.waves: dict[str, np.ndarray] = {}
        for word in sorted(WORDS):
            for number, speaker in enumerate(speakers[word in TEN]):
                name = f"{word}/{speaker}_nohash_{number}.wav"
                self.waves[name] = clip(name, 11_146 if number in (3, 13) else 16_000)
        self.contents = {name: wav(wave) for name, wave in self.waves.items()}
        for label, heard in zip(LISTS, (VAL, TEST), strict=True):
            self.contents[label] = "\n".join(n for n in reversed(self.waves) if speaker_of(n) in heard).encode()
        self.contents |= {"_background_noise_/tap.wav": wav(clip("tap", 50_000)), "LICENSE": b"CC BY 4.0", "README.md": b"read me"}
        self.declare()

    def declare(self) -> None:
        """Makes the present contents the official ones; the archive has them in an order of its own."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
            for name in sorted(self.contents, key=lambda n: hashlib.md5(n.encode()).digest()):
                info = tarfile.TarInfo(f"./{name}")
                info.size = len(self.contents[name])
                tar.addfile(info, io.BytesIO(self.contents[name]))
        self.packed = out.getvalue()
        archive = Official(
            name="speech_commands_v0.02.tar.gz",
            bytes=len(self.packed),
            digest=f"sha256:{hashlib.sha256(self.packed).hexdigest()}",
            urls=("http://127.0.0.1:9/speech_commands_v0.02.tar.gz",),
        )
        listed = [len(self.contents.get(label, b"").split()) for label in LISTS]
        whole = sum(len(w) == 16_000 for n, w in self.waves.items() if n.partition("/")[0] in TEN)
        small = SpeechRelease(archive=archive, clips=len(self.waves), listed=(listed[0], listed[1]), whole=whole)
        self.monkeypatch.setattr("data.speech.release.RELEASE", small)

    def pack(self, content: bytes | None = None) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "speech_commands_v0.02.tar.gz").write_bytes(self.packed if content is None else content)

    def unpack(self, place: str = FOLDERS[0]) -> Path:
        for name, content in self.contents.items():
            path = self.folder / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return self.folder / place


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Miniature:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("data.files.official.PATIENCE", 0.2)
    return Miniature(tmp_path / "data", monkeypatch)


def build(batch_size: int = 64, seed: int = 0, **options: Any) -> SplitModule:
    return SpeechSpec(**options).build(batch_size=batch_size, seed=seed)


def everything(loader: Any) -> tuple[torch.Tensor, torch.Tensor]:
    batches = list(loader)
    return torch.cat([b["x"] for b in batches]), torch.cat([b["y"] for b in batches])


def names_of(spec: SpeechSpec) -> list[str]:
    """In the order of the task's ids."""
    return [n.decode() for n in load_clips(spec.source).array("names")[np.array(spec.load().array("rows"))].tolist()]


# ---------------------------------------------------------------- carriers


def test_archive_and_folders_give_the_same_clips_sorted_by_name(mini: Miniature, tmp_path: Path) -> None:
    mini.pack()
    packed = load_clips("official")
    assert [n.decode() for n in packed.array("names").tolist()] == sorted(mini.waves)
    for i, name in enumerate(sorted(mini.waves)):
        wave, row = mini.waves[name], packed.array("samples")[i]
        assert packed.array("lengths")[i] == len(wave)
        np.testing.assert_array_equal(row[: len(wave)], wave)
        assert not row[len(wave) :].any()
        assert WORDS[packed.array("labels")[i]] == name.partition("/")[0]
    for place in FOLDERS:
        mini.folder = tmp_path / place.replace("/", "-")
        mini.monkeypatch.setenv("SSM_DATA", str(mini.folder))
        mini.unpack(place)
        unpacked = load_clips("official")
        assert unpacked.manifest["arrays"] == packed.manifest["arrays"]
        shutil.rmtree(mini.folder / place)
        assert opened_clips("official") is not None  # nothing but the cache is needed afterwards
    assert packed.manifest["files"] == {"speech_commands_v0.02.tar.gz": release.RELEASE.archive.digest}
    assert packed.manifest["shorter than 16,000 samples"] == sum(len(w) < 16_000 for w in mini.waves.values())
    packed.verify()


def test_rows_are_reordered_in_place() -> None:
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 50):
        for order in (rng.permutation(n), np.arange(n), np.roll(np.arange(n), 1)):
            rows = rng.integers(0, 99, (n, 3))
            expected = rows[order].copy()
            reorder(rows, order)
            np.testing.assert_array_equal(rows, expected)


def test_without_files_or_network_the_message_says_what_to_do(mini: Miniature) -> None:
    with pytest.raises(DataError) as caught:
        SpeechSpec().load(download=False)
    for part in (mini.folder / "speech_commands_v0.02.tar.gz", "http://127.0.0.1:9/", "sha256:", "make data-speech", "source=mini"):
        assert str(part) in str(caught.value)
    with pytest.raises(DataError, match="could not be downloaded"):
        SpeechSpec().load(download=True)
    with pytest.raises(DataError, match="has no clips"):
        SpeechSpec(source="mini").load()
    assert SpeechSpec().opened() is None
    assert SpeechSpec(source="mini").opened() is None
    for spec in (SpeechSpec(), SpeechSpec(source="mini"), SpeechSpec(features="mfcc", words=10)):
        assert str(mini.folder) in spec.plan()


@pytest.mark.parametrize("damage", ["cut", "bit", "foreign"])
def test_an_archive_that_is_not_the_official_one_is_refused(mini: Miniature, damage: str) -> None:
    content = mini.packed
    flipped = content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]
    mini.pack({"cut": content[: len(content) // 2], "bit": flipped, "foreign": b"something else"}[damage])
    with pytest.raises(DataError, match=r"speech_commands_v0\.02\.tar\.gz"):
        SpeechSpec().load()
    assert not list((mini.folder / "prepared").glob("speech*"))


def test_a_full_disk_is_told_before_anything_is_read(mini: Miniature) -> None:
    mini.pack()
    mini.monkeypatch.setattr("shutil.disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 1))  # type: ignore[attr-defined]
    with pytest.raises(StorageError, match="are needed"):
        SpeechSpec().load()


# ---------------------------------------------------------------- bad content


DAMAGED = {
    "cut": (wav(clip("x"))[:9000], "announces 32,000 bytes of sound, and 8,956 are there"),
    "stereo": (wav(clip("x"), channels=2), "stereo"),
    "8 kHz": (wav(clip("x"), rate=8000), "8,000 samples per second"),
    "empty": (b"", "is no wav file"),
    "no samples": (wav(clip("x", 0)), "holds no samples"),
    "too long": (wav(clip("x", 16_001)), "has 16,001 samples"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_clip_is_named_and_nothing_is_prepared(mini: Miniature, kind: str) -> None:
    """In every word, whether a task drops short clips or not: a damaged clip is never taken for a short one."""
    content, message = DAMAGED[kind]
    name = sorted(mini.waves)[40]
    mini.contents[name] = content
    mini.declare()
    mini.unpack()
    for spec in (SpeechSpec(), SpeechSpec(words=10), SpeechSpec(words=10, features="mfcc")):
        with pytest.raises(DataError, match=message) as caught:
            spec.load()
        assert name in str(caught.value)
    assert not list((mini.folder / "prepared").glob("speech*"))


def test_a_half_unpacked_folder_is_refused(mini: Miniature) -> None:
    folder = mini.unpack()
    (folder / sorted(mini.waves)[7]).unlink()
    with pytest.raises(DataError, match=f"has {len(mini.waves) - 1} clips instead of {len(mini.waves)}"):
        SpeechSpec().load()
    mini.unpack()
    (folder / "testing_list.txt").unlink()
    with pytest.raises(DataError, match=r"has no testing_list\.txt"):
        SpeechSpec().load()


def test_an_archive_of_another_number_of_clips_is_refused(mini: Miniature) -> None:
    mini.pack()
    for clips in (len(mini.waves) - 1, len(mini.waves) + 1):
        mini.monkeypatch.setattr("data.speech.release.RELEASE", replace(release.RELEASE, clips=clips))
        with pytest.raises(DataError, match=f"instead of {clips}"):
            SpeechSpec().load()


def test_a_clip_of_another_name_is_refused(mini: Miniature) -> None:
    folder = mini.unpack()
    (folder / sorted(mini.waves)[3]).rename(folder / "backward" / "recording 1.wav")
    with pytest.raises(DataError, match=r"recording 1\.wav.*not named as clips are"):
        SpeechSpec().load()


def test_lists_that_disagree_with_the_rule_are_refused(mini: Miniature) -> None:
    name = next(n for n in mini.waves if speaker_of(n) == TRAIN[0])
    other = mini.contents["testing_list.txt"].split()[0].decode()
    for label, old, new, message in (
        ("testing_list.txt", other, name, f"disagree on 2 clips; .*({name}|{other})"),
        ("testing_list.txt", other, "yes/00000000_nohash_0.wav", "lacks 1 clips.*00000000"),
        ("testing_list.txt", other, "yes/nobody", r"row 1: 'yes/nobody' is no name"),
        ("validation_list.txt", "", f"{name}\n", "the official list names"),
    ):
        broken = {**mini.contents, label: mini.contents[label].replace(old.encode(), new.encode(), 1)}
        names = sorted(mini.waves)
        with pytest.raises(DataError, match=message):
            official_parts(names, {key: broken[key] for key in LISTS}, mini.folder)


# ---------------------------------------------------------------- splits


def test_35_words_are_split_by_the_official_lists(mini: Miniature) -> None:
    mini.pack()
    spec = SpeechSpec()
    manifest, module = spec.load().manifest, build()
    listed = [mini.contents[label].decode().split() for label in LISTS]
    assert module.counts() == {"train": len(mini.waves) - sum(map(len, listed)), "val": len(listed[0]), "test": len(listed[1])}
    names, parts = names_of(spec), np.array(spec.load().array("parts"))
    assert {n for n, part in zip(names, parts, strict=True) if part == 1} == set(listed[0])
    assert {n for n, part in zip(names, parts, strict=True) if part == 2} == set(listed[1])
    assert manifest["speakers"] == {"train": 4, "val": 2, "test": 2, "in more than one part": 0}
    assert manifest["excluded"]["clips"] == 0
    assert manifest["counts"] == module.counts()
    assert sum(manifest["classes"]["test"].values()) == len(listed[1])
    _, y = everything(module.test_dataloader())
    assert [WORDS[i] for i in y] == [n.partition("/")[0] for n, part in zip(names, parts, strict=True) if part == 2]


def test_ten_words_are_split_at_random_in_proportion_and_short_clips_are_dropped(mini: Miniature) -> None:
    mini.pack()
    spec = SpeechSpec(words=10)
    names, manifest, module = names_of(spec), spec.load().manifest, build(words=10)
    assert names == [n for word in TEN for n in sorted(mini.waves) if n.startswith(f"{word}/") and len(mini.waves[n]) == 16_000]
    short = [n for n in sorted(mini.waves) if n.partition("/")[0] in TEN and len(mini.waves[n]) < 16_000]
    assert manifest["excluded"]["clips"] == len(short) == 20
    assert manifest["excluded"]["sha256 of the names"] == hashlib.sha256("\n".join(short).encode()).hexdigest()
    assert module.counts() == {"train": 125, "val": 27, "test": 28}
    assert set(manifest["classes"]["val"].values()) == {2, 3}
    heard = [{speaker_of(n) for n, p in zip(names, spec.load().array("parts"), strict=True) if p == part} for part in range(3)]
    assert manifest["speakers"]["in more than one part"] == len(heard[0] & heard[1] | heard[0] & heard[2] | heard[1] & heard[2]) > 0
    by_speaker = SpeechSpec(words=10, split="speakers")
    assert by_speaker.load().manifest["speakers"]["in more than one part"] == 0
    parts = np.array(by_speaker.load().array("parts"))
    assert [official_part(speaker_of(n)) for n in names_of(by_speaker)] == parts.tolist()
    assert build(words=10, split="speakers").content_hash() != module.content_hash()


def test_the_random_split_has_the_published_sizes() -> None:
    """On labels alone, the number of clips as in state-spaces/s4: 70 %, and the others halved."""
    from sklearn.model_selection import train_test_split

    labels = np.sort(np.arange(34_975) % 10)
    parts = stratified(labels)
    assert np.bincount(parts).tolist() == [24_482, 5_246, 5_247]
    # in the manner of the published code, which splits the arrays themselves
    train, others, _, strata = train_test_split(np.arange(34_975), labels, train_size=0.7, random_state=0, shuffle=True, stratify=labels)
    val, _ = train_test_split(others, train_size=0.5, random_state=1, shuffle=True, stratify=strata)
    assert set(np.flatnonzero(parts == 0)) == set(train)
    assert set(np.flatnonzero(parts == 1)) == set(val)


def test_a_folder_of_other_clips_is_not_taken_for_the_ten_words(mini: Miniature) -> None:
    name = next(n for n in mini.waves if n.startswith("yes/") and len(mini.waves[n]) == 16_000)
    mini.contents[name] = wav(clip(name, 15_000))
    mini.unpack()
    SpeechSpec().load()
    with pytest.raises(DataError, match="179 clips of the ten words have exactly 16,000 samples; in the official release 180 have"):
        SpeechSpec(words=10).load()


def test_mini_is_split_by_its_own_rule_and_checked_against_its_table(mini: Miniature) -> None:
    folder = mini.unpack(MINI)
    spec = SpeechSpec(source="mini", words=10)
    first = spec.load()
    assert np.array(first.array("parts")).tolist() == [mini_part(speaker_of(n)) for n in names_of(spec)]
    rows = [f"{n},{n.partition('/')[0]},{speaker_of(n)},{('train', 'val', 'test')[mini_part(speaker_of(n))]}" for n in mini.waves]
    table = folder / "mini_split.csv"
    table.write_text("file,word,speaker,mini_split\n" + "\n".join(rows) + "\n")
    shutil.rmtree(mini.folder / "prepared")
    spec.load()
    for bad in (rows[4].rpartition(",")[0] + ",nowhere", "yes/00000000_nohash_0.wav,yes,00000000,train"):
        table.write_text("\n".join(["file,word,speaker,mini_split", *rows[:4], bad]))
        shutil.rmtree(mini.folder / "prepared")
        with pytest.raises(DataError, match=r"mini_split\.csv, row 6"):
            spec.load()
    table.unlink()
    (folder / sorted(mini.waves)[0]).write_bytes(wav(clip("another")))
    assert spec.opened() is None  # other clips, other key
    assert spec.load().folder != first.folder


def test_choices_that_mean_nothing_are_refused() -> None:
    for options in (
        {"words": 12},
        {"features": "mel"},
        {"source": "maxi"},
        {"scaling": "none"},
        {"normalisation": "none"},
        {"resampling": "sinc"},
        {"sampling": 11_025},
        {"split": "random"},
    ):
        with pytest.raises(ValueError, match=f"{next(iter(options))} is one of: "):
            SpeechSpec(**options)
    for options in ({"split": "speakers"}, {"split": "speakers", "words": 10, "source": "mini"}):
        with pytest.raises(ValueError, match="split by speaker anyway"):
            SpeechSpec(**options)
    with pytest.raises(ValueError, match="for waves"):
        SpeechSpec(features="mfcc", normalisation="channel")
    with pytest.raises(ValueError, match="that of waves"):
        SpeechSpec(features="mfcc", sampling=8000)
    with pytest.raises(ValueError, match="test_subset"):
        SpeechSpec(test_subset=0)


# ---------------------------------------------------------------- what a batch holds


def padded(mini: Miniature, names: list[str]) -> np.ndarray:
    return np.stack([np.pad(mini.waves[n], (0, 16_000 - len(mini.waves[n]))) for n in names]).astype(np.float64)


@pytest.mark.parametrize("words", [10, 35])
@pytest.mark.parametrize("normalisation", ["per-step", "channel"])
@pytest.mark.parametrize("scaling", ["unit", "s4-quirk"])
def test_waves_are_normalised_as_the_published_code_does(mini: Miniature, words: Any, normalisation: Any, scaling: Any) -> None:
    """Mean and deviation of the training clips, zeros after short ones included, per place in time or over all; 1e-5 added."""
    mini.pack()
    spec = SpeechSpec(words=words, normalisation=normalisation, scaling=scaling)
    names, parts, module = names_of(spec), np.array(spec.load().array("parts")), spec.build(batch_size=64, seed=0)
    waves = torch.from_numpy(padded(mini, names)) / 2**15 / (2**15 if scaling == "s4-quirk" else 1)
    train = waves[torch.from_numpy(parts == 0)]
    axis: Any = 0 if normalisation == "per-step" else (0, 1)
    expected = (waves - train.mean(axis)) / (train.std(axis) + 1e-5)
    for part, loader in enumerate((None, module.val_dataloader(), module.test_dataloader())):
        if loader is not None:
            x, _ = everything(loader)
            assert x.shape == (int((parts == part).sum()), 16_000, 1)
            assert x.dtype == torch.float32
            torch.testing.assert_close(x[..., 0].double(), expected[torch.from_numpy(parts == part)], rtol=1e-4, atol=1e-5)
    x, _ = everything(module.train_dataloader())
    spread = float(x.std())
    if scaling == "unit":
        assert abs(spread - 1) < 0.01
    else:  # the second division makes the deviation comparable with the 1e-5 that is added to it
        assert 0.1 < spread < 0.9


def test_training_order_follows_the_seed_and_evaluation_does_not(mini: Miniature) -> None:
    mini.pack()
    a, b, c = build(seed=0), build(seed=1), build(seed=0, batch_size=7)
    assert sorted(a.order(0)) == sorted(b.order(0))
    assert a.order(0).tolist() == c.order(0).tolist() != b.order(0).tolist()
    torch.testing.assert_close(everything(a.test_dataloader())[0], everything(b.test_dataloader())[0], rtol=0, atol=0)
    small = build(train_subset=35, test_subset=10)
    assert small.counts() == {"train": 35, "val": a.counts()["val"], "test": 10}
    assert len(everything(small.zero_shot_dataloaders()["8khz"])[0]) == 10


def reference(waves: np.ndarray, rate: int, window: int) -> np.ndarray:
    """(B, frames, 20) from the definitions: periodic Hann window, power, 64 triangles on the HTK mel scale up to 8 kHz, log, DCT-II."""
    from scipy.fft import dct

    side = np.pad(waves, ((0, 0), (window // 2, window // 2)), mode="reflect")
    starts = np.arange(0, waves.shape[1] + 1, 100)
    frames = side[:, starts[:, None] + np.arange(window)] * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window))
    power = np.abs(np.fft.rfft(frames, axis=-1)) ** 2
    frequency = np.arange(window // 2 + 1) * rate / window
    top = 2595 * np.log10(1 + 8000 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, 66) / 2595) - 1)
    rise = (frequency[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    fall = (edges[2:] - frequency[:, None]) / np.diff(edges)[1:]
    energy = power @ np.maximum(0, np.minimum(rise, fall))
    return dct(np.log(energy + 1e-6), type=2, norm="ortho", axis=-1)[..., :20]


def test_coefficients_are_those_of_the_definition_and_normalised_each_by_itself(mini: Miniature) -> None:
    mini.pack()
    spec = SpeechSpec(words=10, features="mfcc")
    assert (spec.signature.length, spec.signature.d_input, spec.signature.d_output) == (161, 20, 10)
    names, parts, module = names_of(spec), np.array(spec.load().array("parts")), spec.build(batch_size=16, seed=0)
    waves = padded(mini, names) / 2**15
    expected = torch.from_numpy(reference(waves, 16_000, 200))
    assert expected.shape[1:] == (161, 20)
    train = expected[torch.from_numpy(parts == 0)]
    mean, std = train.mean((0, 1)), train.std((0, 1)) + 1e-5
    x, _ = everything(module.test_dataloader())
    torch.testing.assert_close(x.double(), ((expected - mean) / std)[torch.from_numpy(parts == 2)], rtol=0, atol=2e-2)
    half, _ = everything(module.zero_shot_dataloaders()["8khz"])
    expected = torch.from_numpy(reference(waves[parts == 2][:, ::2], 8000, 100))
    assert expected.shape[1:] == (81, 20)
    torch.testing.assert_close(half.double(), (expected - mean) / std, rtol=0, atol=2e-2)


def test_with_the_quirk_coefficients_lie_at_the_floor(mini: Miniature) -> None:
    mini.pack()
    features = [np.array(SpeechSpec(words=10, features="mfcc", scaling=s).load().array("features")) for s in ("unit", "s4-quirk")]
    floor = np.log(1e-6) * np.sqrt(64)  # the first coefficient of 64 empty bands
    assert abs(features[1][..., 0] - floor).max() < 1
    assert abs(features[0][..., 0] - floor).min() > 10


@pytest.mark.parametrize("resampling", ["decimated", "filtered"])
@pytest.mark.parametrize("normalisation", ["per-step", "channel"])
def test_the_8_khz_test_takes_every_second_sample_and_doubles_the_step(mini: Miniature, normalisation: Any, resampling: Any) -> None:
    """Or filters first: then a tone below 4 kHz stays what it is and what lies above is gone."""
    mini.pack()
    module = build(words=10, normalisation=normalisation, resampling=resampling)
    x, y = everything(module.test_dataloader())
    loader = module.zero_shot_dataloaders()["8khz"]
    half, labels = everything(loader)
    assert torch.equal(y, labels)
    assert half.shape == (len(y), 8000, 1)
    assert half.dtype == torch.float32
    assert all(float(b["rate"]) == 2 for b in loader)
    assert all("rate" not in b for b in module.test_dataloader())
    if resampling == "decimated":
        torch.testing.assert_close(half, x[:, ::2], rtol=0, atol=1e-5)
    else:
        difference = (half - x[:, ::2])[:, 100:-100]
        assert 0 < float(difference.std()) < 0.2  # noise above 4 kHz
    tones = torch.sin(torch.arange(16_000) * 2 * torch.pi * torch.tensor([[1000.0], [6000.0]]) / 16_000)
    low, high = mfcc.halved(tones, resampling)[:, 100:-100].std(1)
    assert abs(float(low) - 0.707) < 0.01
    assert abs(float(high) - (0.707 if resampling == "decimated" else 0)) < 0.01


@pytest.mark.parametrize("normalisation", ["per-step", "channel"])
def test_waves_of_a_lower_rate_are_filtered_and_tested_at_half_of_it(mini: Miniature, normalisation: Any) -> None:
    mini.pack()
    whole, low = (SpeechSpec(words=10, normalisation=normalisation, sampling=rate) for rate in (16_000, 2000))
    assert low.signature.length == 2000
    assert (whole.zero_shot, low.zero_shot) == (("8khz",), ("1khz",))
    module = low.build(batch_size=64, seed=0)
    x, _ = everything(module.test_dataloader())
    assert x.shape[1:] == (2000, 1)
    parts = np.array(low.load().array("parts"))
    waves = torch.from_numpy(padded(mini, names_of(low)))[torch.from_numpy(parts == 2)].float()
    gain, offset = whole._affine(whole.load())
    expected = mfcc.lowered(waves, 8) * torch.from_numpy(gain[::8]) - torch.from_numpy(offset[::8])
    torch.testing.assert_close(x[..., 0], expected, rtol=1e-4, atol=1e-5)
    assert list(module.zero_shot_dataloaders()) == ["1khz"]
    half, _ = everything(module.zero_shot_dataloaders()["1khz"])
    torch.testing.assert_close(half, x[:, ::2], rtol=0, atol=1e-5)
    tones = torch.sin(torch.arange(16_000) * 2 * torch.pi * torch.tensor([[300.0], [3000.0]]) / 16_000)
    kept, gone = mfcc.lowered(tones, 8)[:, 100:-100].std(1)
    assert abs(float(kept) - 0.707) < 0.01
    assert float(gone) < 0.01
    assert mfcc.lowered(tones, 1) is tones


# ---------------------------------------------------------------- real clips


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root in which the real clips lie; what is prepared goes into the test's own folder."""
    folder = REAL / MINI
    if not folder.is_dir():
        pytest.skip(f"set SSM_TEST_DATA to a folder with {MINI} in it")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / MINI).symlink_to(folder)
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    return folder


def test_the_rule_agrees_with_the_official_lists_on_every_name(real: Path) -> None:
    counts = []
    for part, label in enumerate(LISTS, start=1):
        names = (real / label).read_text().split()
        assert [n for n in names if official_part(speaker_of(n)) != part] == []
        counts.append(len(names))
    assert tuple(counts) == release.RELEASE.listed
    assert all(official_part(speaker) == 0 for speaker in TRAIN)


def test_the_mini_set_is_this_mini_set(real: Path) -> None:
    """Golden values: if they change, every number on the mini set changes, and SpeechSpec.version must be raised."""
    ten, all_words = SpeechSpec(source="mini", words=10), SpeechSpec(source="mini")
    assert ten.load().manifest["counts"] == {"train": 1992, "val": 266, "test": 342}
    assert ten.load().manifest["split"]["sha256"] == "c33d0f6a39f6e794abc9297ee1005a3bc73aa20238a8e9a5b439d9a71643e41c"
    assert list(ten.load().manifest["files"].values()) == ["sha256:969969a874f82b0d358703dc2d4a29f7a9923572d9003a13b101750ad94fa994"]
    assert all_words.load().manifest["counts"] == {"train": 2324, "val": 291, "test": 393}
    assert all_words.load().manifest["speakers"] == {"train": 175, "val": 20, "test": 26, "in more than one part": 0}
    assert set(all_words.load().manifest["classes"]["train"]) == set(WORDS)
    module = ten.build(batch_size=100, seed=0)
    x, _ = everything(module.train_dataloader())
    assert abs(float(x.std()) - 1) < 1e-3
    assert float(x.mean(0).abs().max()) < 1e-4
    assert float((x.std(0) - 1).abs().max()) < 5e-3
    from scipy.io import wavfile

    for i in (0, 1000, 3007):
        name = load_clips("mini").array("names")[i].decode()
        np.testing.assert_array_equal(load_clips("mini").array("samples")[i], wavfile.read(real / name)[1])


def test_coefficients_of_8_khz_clips_resemble_those_they_were_trained_on(real: Path) -> None:
    """More than those of a transform built for 8 kHz would, whose bands lie elsewhere: the reason for ours."""
    from torchaudio.transforms import MFCC

    samples = load_clips("mini").array("samples")[::30]
    waves = torch.from_numpy(samples.astype(np.float32)) / 2**15
    trained = mfcc.mfcc(waves)
    std = trained.std((0, 1))
    naive = MFCC(sample_rate=8000, n_mfcc=20, log_mels=True, melkwargs={"n_fft": 200, "n_mels": 64, "hop_length": 100})

    def distance(found: torch.Tensor) -> float:
        return float(((found - trained[:, ::2]) / std).square().mean().sqrt())

    half = mfcc.halved(waves, "decimated")
    other = naive(half).transpose(1, 2)
    assert distance(mfcc.mfcc_8khz(half)) < 0.7 * distance(other)
    assert distance(mfcc.mfcc_8khz(mfcc.halved(waves, "filtered"))) < distance(mfcc.mfcc_8khz(half))


def test_real_short_clips_are_filled_up_or_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips of v0.01, of which some are shorter than a second."""
    folder = REAL / "speech_commands_v0.01"
    if not folder.is_dir():
        pytest.skip("set SSM_TEST_DATA to a folder with speech_commands_v0.01 in it")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / MINI).symlink_to(folder)
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    clips = load_clips("mini")
    short = np.flatnonzero(clips.array("lengths") < 16_000)
    assert len(short) == 21
    assert len(clips.array("labels")) == 300
    for i in short.tolist():
        assert not clips.array("samples")[i, clips.array("lengths")[i] :].any()
        assert clips.array("samples")[i].any()
    assert sum(SpeechSpec(source="mini").load().manifest["counts"].values()) == 300
    ten = SpeechSpec(source="mini", words=10).load().manifest
    of_ten = [i for i in short.tolist() if WORDS[clips.array("labels")[i]] in TEN]
    assert ten["excluded"]["clips"] == len(of_ten) > 0
    assert sum(ten["counts"].values()) == 100 - len(of_ten)


# ---------------------------------------------------------------- folders that other systems wrote


def test_capital_letters_are_read_and_what_macos_puts_beside_is_passed_over(mini: Miniature, tmp_path: Path) -> None:
    expected = SpeechSpec(source="mini")
    mini.unpack(MINI)
    plain = load_clips("mini")
    folder = mini.folder / MINI
    (folder / "yes").rename(folder / "Yes")
    for path in sorted((folder / "no").iterdir())[:3]:
        path.rename(path.with_suffix(".WAV"))
    for path in [*(folder / "up").iterdir()]:
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\x16\7" + bytes(60))
    (folder / "._up").write_bytes(b"\0\5\x16\7")
    (folder / ".DS_Store").write_bytes(b"x")
    said: list[str] = []
    again = load_clips("mini", say=said.append)
    assert again.folder == plain.folder  # the same names and contents: the same key
    assert not [line for line in said if "left out" in line]
    assert expected.opened() is None
    (folder / "no" / "0000000a_nohash_0.WAV").write_bytes(wav(clip("a")))
    (folder / "no" / "0000000a_nohash_0.wav").write_bytes(wav(clip("b")))
    with pytest.raises(DataError, match=r"has no/0000000a_nohash_0\.wav twice, in different letters"):
        load_clips("mini")


def test_what_is_no_clip_is_counted_and_named(mini: Miniature) -> None:
    folder = mini.unpack(MINI)
    (folder / "maybe").mkdir()
    (folder / "yes" / "a.mp3").write_bytes(b"x")
    (folder / "more.zip").write_bytes(b"x")
    said: list[str] = []
    clips = load_clips("mini", say=said.append)
    assert f"{folder}: no clips of the 35 words, and left out, are 3 files or folders: maybe, more.zip, yes/a.mp3" in said
    assert clips.manifest["left out"] == ["maybe", "more.zip", "yes/a.mp3"]
    assert len(clips.array("labels")) == len(mini.waves)


def test_a_folder_in_a_folder_is_found_and_two_copies_are_told(mini: Miniature) -> None:
    inner = mini.unpack(f"{FOLDERS[1]}/{FOLDERS[1]}")
    assert release.unpacked() == [inner]
    outer = mini.unpack(FOLDERS[0])
    said: list[str] = []
    SpeechSpec().load(say=said.append)
    assert f"Speech Commands: there are 2 copies; {outer} is read, and not {inner}" in said


@pytest.mark.parametrize(("clips", "message"), [(1, "1 to train, 0 to validate and 0 to test"), (400, "")])
def test_too_few_clips_are_told_before_anything_is_trained(mini: Miniature, clips: int, message: str) -> None:
    folder = mini.folder / MINI
    (folder / "yes").mkdir(parents=True)
    speakers = [f"{i:08x}" for i in range(clips)] if clips > 1 else [next(s for i in range(99) if not mini_part(s := f"{i:08x}"))]
    for speaker in speakers[:60]:
        (folder / "yes" / f"{speaker}_nohash_0.wav").write_bytes(wav(clip(speaker)))
    spec = SpeechSpec(source="mini", words=10)
    if message:
        with pytest.raises(DataError, match=message):
            spec.prepare()
        return
    spec.prepare()
    with pytest.raises(DataError, match=r"Speech Commands.* has \d+ to train, .* here, and 320 to train, 1 to .*PROTOCOL"):
        replace(spec, train_subset=320).prepare()


@pytest.mark.parametrize("kind", ["pipe", "terabyte"])
def test_a_clip_that_never_ends_is_refused(mini: Miniature, kind: str) -> None:
    folder = mini.unpack(MINI)
    path = next((folder / "yes").iterdir())
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    else:
        with path.open("wb") as handle:
            handle.truncate(1 << 40)
    with pytest.raises(DataError, match="is a pipe and no file" if kind == "pipe" else "1,099,511,627,776 bytes"):
        SpeechSpec(source="mini").opened()
