"""IMDB: the official layout in miniature in each of its carriers, what may not be taken for it, and the real reviews where they are."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.base import DataError
from data.files.digests import sha256
from data.files.official import Official
from data.module import SplitModule
from data.ragged import Ragged
from data.sampling import permutation
from data.texts import imdb, imdb_release
from data.texts.imdb import IMDBSpec, films, hold_out, ids_at
from data.texts.imdb_release import GROUPS, RELEASE, IMDBRelease

N = 40
"""Reviews per part and class in the miniature."""
MEMBER = "aclImdb/{}/{}/{}_{}.txt"
PARTS, CLASSES = ("train", "test"), ("neg", "pos")


def texts_of(part: int, label: int) -> list[str]:
    """Different lengths and characters, some of them rare; a copy within the training part and one between the parts."""
    rng = np.random.default_rng(10 * part + label)
    letters = list("aabbcdefgh <br/>é") + ["\U0001f600", "ß"]
    out = ["".join(rng.choice(letters, rng.integers(5, 60))) + f"{part}{label}{i}" for i in range(N)]
    if (part, label) == (0, 0):
        out[7] = out[30]
    if (part, label) == (1, 1):
        out[3] = "twice"
    if (part, label) == (0, 1):
        out[5] = "twice"
    return out


def reached(texts: list[str]) -> tuple[int, ...]:
    """The slow way: the size of the vocabulary at every cut."""
    out: list[int] = []
    for cut in range(1, max(map(len, texts)) + 1):
        counts = Counter(c for t in texts for c in t[:cut])
        out += [cut] * (sum(n >= 15 for n in counts.values()) - len(out))
    return tuple(out)


class Miniature:
    """A release of 4 x 40 reviews, known to `data.texts.imdb_release` by its checksums; nothing of it is on disk yet."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.texts = {group: texts_of(*group) for group in GROUPS}
        self.members: dict[str, bytes] = {"aclImdb/README": b"read me", "aclImdb/train/unsup/0_0.txt": b"\xff unlabelled"}
        for (part, label), texts in self.texts.items():
            for i in np.random.default_rng(1).permutation(N).tolist():  # archives come in any order
                self.members[MEMBER.format(PARTS[part], CLASSES[label], i, 10 * label)] = texts[i].encode()
            urls = [f"http://www.imdb.com/title/tt{1000 * part + i % 8:07d}/usercomments" for i in range(N)]
            self.members[f"aclImdb/{PARTS[part]}/urls_{CLASSES[label]}.txt"] = "\n".join(urls).encode() + b"\n"
        self.declare()

    def declare(self) -> None:
        """Makes the present texts the official ones."""
        ordered = [(label, text) for (_, label), texts in self.texts.items() for text in sorted(t.encode() for t in texts)]
        rows = Ragged.from_rows([np.frombuffer(text, np.uint8) for _, text in ordered], np.uint8)
        self.packed = self.pack_bytes()
        release = IMDBRelease(
            archive=Official(
                name="aclImdb_v1.tar.gz",
                bytes=len(self.packed),
                digest=f"md5:{hashlib.md5(self.packed).hexdigest()}",
                urls=("http://127.0.0.1:9/aclImdb_v1.tar.gz",),
            ),
            per_class=N,
            text_bytes=tuple(sum(len(t.encode()) for label in (0, 1) for t in self.texts[part, label]) for part in (0, 1)),  # type: ignore[arg-type]
            content=sha256(rows.values, rows.offsets, np.array([label for label, _ in ordered], np.uint8)),
            reached=reached([t for label in (0, 1) for t in self.texts[0, label]]),
        )
        self.monkeypatch.setattr(imdb_release, "RELEASE", release)

    def pack_bytes(self) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            for name, content in self.members.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        return out.getvalue()

    def pack(self, content: bytes | None = None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "aclImdb_v1.tar.gz").write_bytes(self.packed if content is None else content)

    def unpack(self) -> None:
        for name, content in self.members.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def parquet(self, folder: str = "imdb/plain_text", **changes: Any) -> None:
        """The files of Hugging Face: shuffled, as their order means nothing to us, and the training part in two."""
        for part, name in enumerate(PARTS):
            rows = [(t, label) for label in (0, 1) for t in self.texts[part, label]]
            rows = [rows[i] for i in np.random.default_rng(2).permutation(len(rows))]
            shards = [rows[:30], rows[30:]] if part == 0 else [rows]
            for i, shard in enumerate(shards):
                columns = {"text": [t for t, _ in shard], "label": [label for _, label in shard], **(changes if part == 0 else {})}
                self.table(f"{folder}/{name}-{i:05d}-of-{len(shards):05d}.parquet", {k: v for k, v in columns.items() if v is not None})

    def table(self, name: str, columns: dict[str, Any]) -> None:
        import pyarrow
        import pyarrow.parquet

        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.table(columns), path)


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Miniature:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("data.files.official.PATIENCE", 0.2)
    return Miniature(tmp_path / "data", monkeypatch)


def build(seed: int = 0, batch_size: int = 16, **options: Any) -> SplitModule:
    return IMDBSpec(**options).build(batch_size=batch_size, seed=seed)


def ids(module: SplitModule, part: str) -> list[int]:
    return sorted(module._splits[part].tolist())


# ---------------------------------------------------------------- the good case


@pytest.mark.parametrize("options", [{}, {"length": 20}, {"tokens": "bytes", "length": 30}])
def test_archive_folder_and_parquet_give_the_same_arrays(mini: Miniature, tmp_path: Path, options: dict[str, Any]) -> None:
    found = []
    for carrier in (mini.pack, mini.unpack, mini.parquet):
        mini.folder = tmp_path / carrier.__name__
        mini.monkeypatch.setenv("SSM_DATA", str(mini.folder))
        carrier()
        found.append(IMDBSpec(**options).load())
        found[-1].verify()
    assert len({p.folder for p in found}) == 3
    assert found[0].folder.name == found[1].folder.name == found[2].folder.name
    assert found[0].manifest == found[1].manifest == found[2].manifest
    assert found[0].manifest["counts"] == {"train": 72, "val": 8, "test": 80}


def test_ids_are_those_of_the_texts_in_canonical_order(mini: Miniature) -> None:
    mini.unpack()
    prepared = IMDBSpec(length=20).load()
    rows, letters = Ragged(prepared.array("values"), prepared.array("offsets")), prepared.manifest["vocabulary"]
    expected = [text for texts in mini.texts.values() for text in sorted(t.encode() for t in texts)]
    for i, text in enumerate(expected):
        known = [letters.find(c) for c in text.decode()[:19]]
        assert rows.row(i).tolist() == [*(place + 3 if place >= 0 else 1 for place in known), 2]
    assert prepared.array("labels").tolist() == [0] * N + [1] * N + [0] * N + [1] * N
    as_bytes = IMDBSpec(tokens="bytes", length=20).load()
    rows = Ragged(as_bytes.array("values"), as_bytes.array("offsets"))
    assert [rows.row(i).tolist() for i in range(4 * N)] == [[b + 1 for b in text[:20]] for text in expected]


@pytest.mark.parametrize("length", [2, 3, 10, 20, 61, 1000])
def test_the_announced_vocabulary_is_the_counted_one(mini: Miniature, length: int) -> None:
    mini.unpack()
    spec = IMDBSpec(length=length)
    assert spec.load().manifest["ids"] == spec.signature.vocab


def test_another_vocabulary_than_announced_is_refused(mini: Miniature) -> None:
    mini.unpack()
    release = imdb_release.RELEASE
    mini.monkeypatch.setattr(imdb_release, "RELEASE", replace(release, reached=release.reached[:-1]))
    with pytest.raises(DataError, match=rf"have {len(release.reached) + 3} ids .* and {len(release.reached) + 2} were announced"):
        IMDBSpec().load()


@pytest.mark.parametrize(("options", "widest"), [({"length": 50}, 50), ({"length": 62}, 62), ({}, 64), ({"tokens": "bytes"}, 128)])
def test_batches_are_padded_to_a_multiple_of_64_and_no_longer_than_asked(mini: Miniature, options: dict[str, Any], widest: int) -> None:
    mini.unpack()
    batch = next(iter(build(**options).test_dataloader()))
    assert batch["x"].dtype == torch.int64
    assert batch["x"].shape == (16, widest)
    after = torch.arange(widest) >= batch["lengths"][:, None]
    assert torch.equal(batch["x"] == 0, after)


def test_the_first_training_batch_holds_like_lengths_and_an_epoch_holds_everything_once(mini: Miniature) -> None:
    mini.unpack()
    module = build(batch_size=8)
    batches = list(module.train_dataloader())
    spread = [int(b["lengths"].max() - b["lengths"].min()) for b in batches]
    everything = torch.cat([b["lengths"] for b in batches])
    assert max(spread) < int(everything.max() - everything.min()) / 2
    assert len(everything) == 72
    assert sorted(module.order(1).tolist()) == ids(module, "train")
    shuffled = build(batch_size=8, batches="shuffled")
    assert shuffled.order(1).tolist() == np.array(ids(module, "train"))[permutation(0, 1, 72)].tolist()
    assert shuffled.content_hash() == module.content_hash()


# ---------------------------------------------------------------- splits


def test_held_out_reviews_are_a_tenth_of_each_class_and_no_text_is_on_both_sides(mini: Miniature) -> None:
    mini.unpack()
    module = build()
    train, val = ids(module, "train"), ids(module, "val")
    assert not set(train) & set(val)
    assert set(train) | set(val) == set(range(2 * N))
    prepared = imdb.load()
    texts = imdb_release.Reviews(Ragged(prepared.array("values"), prepared.array("offsets")), prepared.array("labels")).strings()
    assert not {texts[i] for i in train} & {texts[i] for i in val}
    assert np.bincount(prepared.array("labels")[val]).tolist() == [4, 4]
    assert prepared.manifest["duplicates"] == {
        "copies within train": 1,
        "copies within test": 0,
        "test reviews that are also in train": 1,
    }


def test_copies_stay_together_whatever_the_order() -> None:
    rng = np.random.default_rng(0)
    texts = [f"{i // 3}".encode() for i in range(300)]  # every text three times
    labels = np.repeat(np.array([0, 1], np.uint8), 150)
    held_out = hold_out(texts, labels)
    assert np.bincount(labels[held_out]).tolist() == [15, 15]
    assert {i // 3 for i in held_out.tolist()} == {i // 3 for i in held_out.tolist() if (held_out // 3 == i // 3).sum() == 3}
    assert not np.array_equal(held_out, hold_out([str(x).encode() for x in rng.permutation(300)], labels))


def test_validation_on_the_test_set_has_to_be_asked_for_and_trains_on_everything(mini: Miniature) -> None:
    mini.unpack()
    module = build(validation="test")
    assert ids(module, "train") == list(range(2 * N))
    assert ids(module, "val") == ids(module, "test") == list(range(2 * N, 4 * N))
    assert module.content_hash() != build().content_hash()


@pytest.mark.parametrize(
    ("train", "val", "test", "shared"),
    [([0, 1], [2, 3], [2, 3], False), ([0, 1], [1], [2], True), ([0, 2], [1], [2], True), ([0, 1], [1, 2], [1, 2], True)],
)
def test_no_other_parts_may_have_samples_in_common(train: list[int], val: list[int], test: list[int], shared: bool) -> None:
    parts = {"train": np.array(train), "val": np.array(val), "test": np.array(test)}
    with pytest.raises(ValueError, match="two parts"):
        SplitModule(parts, 4, lambda *_: {}, batch_size=1, seed=0, content_hash="", shared_validation=shared)


def test_subsets_are_balanced_and_the_vocabulary_stays(mini: Miniature) -> None:
    mini.unpack()
    spec = IMDBSpec(train_subset=20, val_subset=4, test_subset=10)
    module = spec.build(batch_size=4, seed=0)
    assert module.counts() == {"train": 20, "val": 4, "test": 10}
    assert torch.cat([b["y"] for b in module.test_dataloader()]).sum() == 5
    assert spec.signature == IMDBSpec().signature


@pytest.mark.parametrize(
    ("options", "message"),
    [({"tokens": "byte"}, "characters, bytes"), ({"validation": "held"}, "held-out, test"), ({"length": 1}, "2 or more")],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        IMDBSpec(**options)


# ---------------------------------------------------------------- films


def test_each_review_knows_its_film(mini: Miniature, tmp_path: Path) -> None:
    mini.unpack()
    film = films().array("film")
    rows = [(part, label, t.encode(), i) for (part, label), texts in mini.texts.items() for i, t in enumerate(texts)]
    assert film.tolist() == [1000 * part + i % 8 for part, _, _, i in sorted(rows)]
    mini.folder = tmp_path / "packed"
    mini.monkeypatch.setenv("SSM_DATA", str(mini.folder))
    mini.pack()
    assert films().array("film").tolist() == film.tolist()


def test_parquet_has_no_films_and_says_what_has(mini: Miniature) -> None:
    mini.parquet()
    with pytest.raises(DataError, match=r"no train/urls_neg\.txt, train/urls_pos\.txt, .*aclImdb_v1\.tar\.gz"):
        films()


def test_damaged_film_lists_are_told_by_their_line(mini: Miniature) -> None:
    mini.unpack()
    path = mini.folder / "aclImdb/test/urls_pos.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:4], "http://example.org/", *lines[5:]]))
    with pytest.raises(DataError, match=r"line 5 of test/urls_pos\.txt is no address of a film: 'http://example\.org/'"):
        films()
    path.write_text("\n".join(lines[:-1]))
    with pytest.raises(DataError, match=r"test/urls_pos\.txt has no line 40"):
        films()


# ---------------------------------------------------------------- bad input


def test_nothing_there_says_what_to_put_where(mini: Miniature) -> None:
    with pytest.raises(DataError) as caught:
        IMDBSpec().load()
    for part in ("make data-imdb", "http://127.0.0.1:9/aclImdb_v1.tar.gz", str(mini.folder), "md5:", "parquet", "aclImdb"):
        assert part in str(caught.value)
    with pytest.raises(DataError, match="could not be downloaded"):
        IMDBSpec().load(download=True)
    assert IMDBSpec().opened() is None
    assert IMDBSpec().plan().startswith("aclImdb_v1.tar.gz")


def test_nothing_but_the_cache_is_needed_afterwards(mini: Miniature) -> None:
    mini.pack()
    assert IMDBSpec().load().folder == IMDBSpec().opened().folder  # type: ignore[union-attr]
    (mini.folder / "aclImdb_v1.tar.gz").unlink()
    IMDBSpec().load()
    IMDBSpec(length=30).load()  # another choice is made from the prepared reviews


def test_a_cut_archive_is_told(mini: Miniature) -> None:
    mini.pack(mini.packed[:-200])
    with pytest.raises(DataError, match="cut short"):
        IMDBSpec().load()
    release = imdb_release.RELEASE  # even if its checksum were right
    short = replace(release.archive, bytes=len(mini.packed) - 200, digest=f"md5:{hashlib.md5(mini.packed[:-200]).hexdigest()}")
    mini.monkeypatch.setattr(imdb_release, "RELEASE", replace(release, archive=short))
    with pytest.raises(DataError, match="damaged or cut short"):
        IMDBSpec().load()
    assert IMDBSpec().opened() is None


def test_a_foreign_archive_is_refused_before_it_is_opened(mini: Miniature) -> None:
    mini.pack(mini.packed[:-1] + b"\xff")
    with pytest.raises(DataError, match="not the official file: its checksum is md5:"):
        IMDBSpec().load()


def test_missing_reviews_are_counted(mini: Miniature) -> None:
    mini.unpack()
    (mini.folder / MEMBER.format("test", "neg", 3, 0)).unlink()
    with pytest.raises(DataError, match="39 reviews in test/neg instead of 40"):
        IMDBSpec().load()
    shutil.rmtree(mini.folder / "aclImdb/train/pos")
    with pytest.raises(DataError, match="0 reviews in train/pos instead of 40"):
        IMDBSpec().load()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"aclImdb/train/pos/9_10\.txt is an empty review"),
        (b"caf\xe9 and more", r"aclImdb/train/pos/9_10\.txt is not UTF-8: .* at byte 3"),
        (b"\xed\xa0\x80", r"9_10\.txt is not UTF-8"),  # a lone surrogate
        (b"another length", "bytes of text in train instead of"),
        (bytes(1 << 21), "no file of the release has more"),
    ],
)
def test_a_damaged_review_is_named(mini: Miniature, content: bytes, message: str) -> None:
    mini.unpack()
    (mini.folder / MEMBER.format("train", "pos", 9, 10)).write_bytes(content)
    with pytest.raises(DataError, match=message):
        IMDBSpec().load()


def test_a_changed_letter_is_noticed_by_the_content(mini: Miniature) -> None:
    mini.unpack()
    path = mini.folder / MEMBER.format("train", "pos", 9, 10)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(DataError, match="not the released content, although counts and sizes agree"):
        IMDBSpec().load()


def test_foreign_files_in_the_folder_are_passed_over(mini: Miniature) -> None:
    mini.unpack()
    for name in (".DS_Store", "0_3 (copy).txt", "a_b.txt"):
        (mini.folder / "aclImdb/train/neg" / name).write_bytes(b"\xff")
    assert IMDBSpec().load().manifest["counts"]["train"] == 72


def test_damaged_parquet_is_told(mini: Miniature) -> None:
    mini.parquet()
    path = mini.folder / "imdb/plain_text/test-00000-of-00001.parquet"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"test-00000-of-00001\.parquet is no readable parquet file"):
        IMDBSpec().load()
    path.unlink()
    with pytest.raises(DataError, match=r"has no test\*\.parquet"):
        IMDBSpec().load()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"review": ["a", "b"], "label": [0, 1]}, r"x\.parquet has no column text; it has label, review|it has review, label"),
        ({"text": ["a", "b"], "label": ["neg", "pos"]}, r"row 1 is no text with a label 0 or 1; that holds for 2 of 2 rows"),
        ({"text": ["a", "b", None], "label": [0, -1, 1]}, r"row 2 is no text .* for 2 of 3 rows"),
        ({"text": ["a", "b"], "label": [0.0, 1.0]}, r"row 1 .* 2 of 2 rows"),
        ({"text": ["a", ""], "label": [0, 1]}, r"row 2 of train-x\.parquet is an empty review"),
    ],
)
def test_parquet_of_another_form_is_told_by_its_row(mini: Miniature, columns: dict[str, Any], message: str) -> None:
    mini.table("imdb/train-x.parquet", columns)
    mini.table("imdb/test-x.parquet", columns)
    with pytest.raises(DataError, match=message):
        IMDBSpec().load()


# ---------------------------------------------------------------- the real reviews


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root that the tests of the real reviews share, so that these are read once."""
    given = os.environ.get("SSM_TEST_DATA")
    if not given or not (Path(given) / "aclImdb").is_dir():
        pytest.skip("SSM_TEST_DATA names no folder with aclImdb")
    folder = tmp_path_factory.mktemp("real")
    (folder / "aclImdb").symlink_to(Path(given).absolute() / "aclImdb")
    return folder


@pytest.fixture
def real(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSM_DATA", str(place))


@pytest.mark.usefixtures("real")
def test_the_real_reviews_have_the_published_counts() -> None:
    assert RELEASE.text_bytes == (33_132_823, 32_350_685)
    prepared = IMDBSpec().load()
    manifest = prepared.manifest
    assert manifest["counts"] == {"train": 22_500, "val": 2_500, "test": 25_000}
    assert manifest["classes"]["train"] == {"neg": 11_250, "pos": 11_250}
    assert manifest["characters"] == {
        "train": {"mean": 1325.1, "median": 979.0, "max": 13_704},
        "test": {"mean": 1293.8, "median": 962.0, "max": 12_988},
    }
    assert manifest["duplicates"] == {
        "copies within train": 96,
        "copies within test": 199,
        "test reviews that are also in train": 123,
    }
    assert np.diff(prepared.array("offsets")).max() == 4096
    assert [ids_at(length) for length in (2048, 4000, 4096, 14_000)] == [129, 134, 134, 136]
    assert manifest["ids"] == 134
    assert IMDBSpec(length=2048).load().manifest["ids"] == 129
    whole = IMDBSpec(length=14_000).load()
    assert whole.manifest["ids"] == 136
    assert (np.diff(whole.array("offsets"))[:25_000] - 1 > 4095).sum() == 727


@pytest.mark.usefixtures("real")
def test_the_real_batches() -> None:
    batch = next(iter(build().test_dataloader()))
    assert batch["x"].shape == (16, 4096)
    assert int(batch["x"].max()) < 134
    assert bool((batch["x"][batch["lengths"] == 4096, -1] == 2).all())


# ---------------------------------------------------------------- folders that other systems wrote, and parquet that is none


@pytest.mark.parametrize("above", ["aclImdb", "aclImdb_v1"])
def test_a_folder_in_a_folder_is_read(mini: Miniature, above: str) -> None:
    mini.unpack()
    expected = IMDBSpec().load().folder.name
    shutil.rmtree(mini.folder / "prepared")
    (mini.folder / "aclImdb").rename(mini.folder / "inner")
    (mini.folder / above).mkdir()
    (mini.folder / "inner").rename(mini.folder / above / "aclImdb")
    assert str(mini.folder) in IMDBSpec().plan()
    assert "aclImdb_v1.tar.gz" not in IMDBSpec().plan()
    assert IMDBSpec().load().folder.name == expected


def test_advice_fits_the_carrier(mini: Miniature) -> None:
    """Nobody is told to remove data that only lack a file."""
    mini.unpack()
    next((mini.folder / "aclImdb/test/pos").iterdir()).unlink()
    with pytest.raises(DataError, match=r"instead of \d+\. Unpack aclImdb_v1\.tar\.gz again into an empty folder") as caught:
        IMDBSpec().load()
    assert "Remove it" not in str(caught.value)


def test_brackets_in_a_folder_are_brackets(mini: Miniature, tmp_path: Path) -> None:
    mini.folder = tmp_path / "a [x] *b? {c,d}"
    mini.monkeypatch.setenv("SSM_DATA", str(mini.folder))
    mini.parquet()
    IMDBSpec().load().verify()
    mini.folder.rename(tmp_path / "a::b")
    mini.monkeypatch.setenv("SSM_DATA", str(tmp_path / "a::b"))
    shutil.rmtree(tmp_path / "a::b" / "prepared")
    with pytest.raises(DataError, match='has "::" in its name'):
        IMDBSpec().load()


def test_a_parquet_bomb_is_refused_before_it_goes_off(mini: Miniature) -> None:
    """A megabyte that stands for a million rows, and 30 kB that stand for 300 MB."""
    mini.parquet()
    for columns in (
        {"text": ["a"] * 1_000_000, "label": [0] * 1_000_000},
        {"text": [str(i) * 3_000_000 for i in range(100)], "label": [0] * 100},
    ):
        mini.table("imdb/plain_text/test-00000-of-00001.parquet", columns)
        with pytest.raises(DataError, match=r"announces [\d,]+ rows and [\d,]+ bytes; no file of the release has more"):
            IMDBSpec().load()
    with (mini.folder / "imdb/plain_text/test-00000-of-00001.parquet").open("wb") as handle:
        handle.truncate(1 << 40)
    with pytest.raises(DataError, match="1,099,511,627,776 bytes"):
        IMDBSpec().load()
