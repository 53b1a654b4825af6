"""The one way in for files of others: regular files of a bounded size, whatever lies under the name; and where sets are looked for."""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data import command
from data.base import DataError, StorageError, printable
from data.bidmc.tsfile import cases
from data.files.archives import members
from data.files.digests import file_digest
from data.files.official import Official, read, verify
from data.files.prepared import Made, opened, prepare
from data.files.regular import content_of, opened_file, skip_mark
from data.files.root import places, reserve, root, scratch, tell_choice
from data.listops.release import read_tsv
from data.texts.aan_release import rows

HERE = Path(__file__).resolve().parent.parent
OFFICIAL = Official(name="set.bin", bytes=10, digest="sha256:00")


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("SSM_DATA", str(tmp_path))
    return tmp_path


def strange(path: Path, kind: str) -> None:
    """Puts something under this name that is no file, or one that never ends."""
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    elif kind == "a folder":
        path.mkdir()
    else:
        with path.open("wb") as handle:
            handle.truncate(1 << 40)


READERS = {
    "set.bin": [lambda p: content_of(p, 100), lambda p: file_digest(p, most=100), lambda p: read(OFFICIAL), lambda p: verify(OFFICIAL)],
    "set.ts": [lambda p: list(cases(p, channels=1, length=3))],
    "set.tsv": [read_tsv, lambda p: list(rows(p, "none")), lambda p: list(rows(p, "csv"))],
    "set.tar": [lambda p: list(members(p, lambda name: True, max_bytes=10, max_members=10))],
}


@pytest.mark.parametrize("kind", ["a pipe", "a device", "a folder", "a terabyte"])
@pytest.mark.parametrize(("name", "number"), [(name, i) for name, readers in READERS.items() for i in range(len(readers))])
def test_what_is_no_file_or_never_ends_is_refused_by_every_reader(place: Path, kind: str, name: str, number: int) -> None:
    path = place / name
    strange(path, kind)
    with pytest.raises(DataError, match=kind if kind != "a terabyte" else "bytes|no end mark|damaged") as caught:
        READERS[name][number](path)
    assert str(path) in str(caught.value)


def test_a_file_is_read_whole_and_a_mark_before_it_passed_over(place: Path) -> None:
    path = place / "x"
    path.write_bytes(b"\xef\xbb\xbfabc")
    assert content_of(path, 6) == b"\xef\xbb\xbfabc"
    with opened_file(path) as handle:
        skip_mark(handle)
        assert handle.read() == b"abc"
    path.write_bytes(b"abc")
    with opened_file(path) as handle:
        skip_mark(handle)
        assert handle.read() == b"abc"
    with pytest.raises(DataError, match="has 3 bytes; no file of the release has more than 2"):
        content_of(path, 2)
    with pytest.raises(DataError, match="cannot be read: No such file"):
        content_of(place / "y", 2)


# ---------------------------------------------------------------- what strangers write


def test_a_message_is_one_printable_paragraph() -> None:
    error = DataError("a file named \x1b[31m\n\u202e\udcff, and é")
    assert str(error) == "a file named \\x1b[31m\\n\\u202e\\udcff, and é"
    assert str(error).isprintable()
    assert str(pickle.loads(pickle.dumps(StorageError("a\tb")))) == "a\\tb"
    assert printable(Path("/a b/ü")) == "/a b/ü"


# ---------------------------------------------------------------- where sets are


def test_a_home_is_a_home_and_an_unknown_user_is_told(
    monkeypatch: pytest.MonkeyPatch, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("SSM_DATA", "~/sets")
    assert root() == place / "sets"
    assert command.folder("~/sets") == str(place / "sets")
    monkeypatch.setenv("SSM_DATA", "~nosuchuser/sets")
    with pytest.raises(StorageError, match="'~nosuchuser/sets' is no place for data sets: no home folder is known for '~nosuchuser'"):
        root()
    with pytest.raises(ValueError, match="no home folder is known for '~nosuchuser'"):
        command.folder("~nosuchuser/sets")
    from data.__main__ import guarded

    assert guarded(["--status"]) == command.ENVIRONMENT
    assert guarded(["--status", "--data", "~nosuchuser/sets"]) == command.USAGE
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["error", "error"]


def test_places_are_found_in_order_and_one_level_down(place: Path) -> None:
    for name in ("b/b", "c", "a [x]*"):
        (place / name / "train").mkdir(parents=True)

    def holds(folder: Path) -> bool:
        return (folder / "train").is_dir()

    assert places(("a [x]*", "a", "b", "c"), holds) == [place / "a [x]*", place / "c", place / "b" / "b"]
    assert places(("c", "b"), holds) == [place / "c", place / "b" / "b"]
    assert places(("", "a"), holds) == []
    (place / "d").symlink_to(place / "c")
    assert places(("c", "d"), holds) == [place / "c"]  # the same folder twice is no choice
    said: list[str] = []
    tell_choice([place / "c"], "Set", said.append)
    tell_choice([place / "c", place / "b"], "Set", said.append)
    assert said == [f"Set: there are 2 copies; {place / 'c'} is read, and not {place / 'b'}"]


# ---------------------------------------------------------------- room


def test_scratch_has_its_room_from_the_start(place: Path) -> None:
    """A file with holes is a mapping that may die of SIGBUS later."""
    with (place / "x").open("w+b") as handle:
        reserve(handle, 1 << 20)
        handle.flush()
        assert os.fstat(handle.fileno()).st_blocks * 512 >= 1 << 20
        reserve(handle, 0)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_while_room_is_taken_is_told(monkeypatch: pytest.MonkeyPatch, place: Path, code: int) -> None:
    def full(*_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StorageError, match=r"cannot write to .*MB are needed.*Set SSM_DATA"):
        scratch((1000, 10), "float32")
    assert list(place.iterdir()) == []


def test_a_file_system_that_cannot_promise_room_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(os, "posix_fallocate", unknown)
    assert scratch((3, 4), "int16").shape == (3, 4)


def test_a_disk_that_fills_while_arrays_are_written_is_told(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StorageError, match=r"cannot write to .*: No space left on device \(7\.0 MB are needed\)"):
        prepare("set", "k", made, needed=7_000_000)
    assert [path.name for path in (place / "prepared").iterdir()] == [".set.lock"]


# ---------------------------------------------------------------- damage in what was prepared


def made() -> Made:
    return Made(arrays={"a": np.arange(6)}, facts={"counts": {"train": 4, "val": 1, "test": 1}})


@pytest.mark.parametrize(
    "text",
    [
        *("5", "[]", "null", '{"schema": 1}', '"x"', "[" * 100_000),
        '{"schema": 1, "key": "k", "arrays": []}',
        '{"schema": 1, "key": "k", "arrays": {"a": 5}}',
        '{"schema": 1, "key": "k", "arrays": {"a": {"file": "../a.npy", "bytes": 1, "dtype": "i8", "shape": [6], "sha256": ""}}}',
    ],
)
def test_a_manifest_that_is_another_json_is_damage(text: str) -> None:
    folder = prepare("set", "k", made).folder
    (folder / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=r"of another kind|cannot be read"):
        opened("set", "k")


def test_a_manifest_of_a_newer_version_is_not_called_damaged() -> None:
    file = prepare("set", "k", made).folder / "manifest.json"
    file.write_text(file.read_text().replace('"schema": 1', '"schema": 2'))
    with pytest.raises(DataError, match="newer version of this suite") as caught:
        opened("set", "k")
    assert "Remove" not in str(caught.value)


def test_facts_that_are_missing_are_damage() -> None:
    prepared = prepare("set", "k", made)
    assert prepared.counts() == {"train": 4, "val": 1, "test": 1}
    with pytest.raises(DataError, match="does not say 'vocabulary'"):
        prepared.manifest["vocabulary"]
    with pytest.raises(DataError, match="names no array 'b'"):
        prepared.array("b")
    for counts in ({"train": 4}, 5, {"train": 4, "val": "1", "test": 1}, {"train": -4, "val": 1, "test": 1}):
        other = prepare("other", str(counts)[:6], lambda counts=counts: Made(arrays={}, facts={"counts": counts}))
        with pytest.raises(DataError, match="how many samples"):
            other.counts()


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b.replace(b"}", b" ", 1),
        lambda b: b.replace(b"'descr'", b"'xescr'", 1),
        lambda b: b.replace(b"(6,)", b"(6,\0", 1),
        lambda b: b.replace(b"{", b"(", 1),
        lambda b: b.replace(b"<i8", b"|O8", 1),
        lambda b: bytes(len(b)),
        lambda b: b"PK\5\6" + bytes(18) + bytes(len(b) - 22),
    ],
)
def test_an_array_that_is_another_file_is_damage(damage: object) -> None:
    prepared = prepare("set", "k", made)
    file = prepared.folder / "a.npy"
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    with pytest.raises(DataError, match=r"are damaged: a\.npy"):
        opened("set", "k").array("a")  # type: ignore[union-attr]


# ---------------------------------------------------------------- output that nobody reads


@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        (">/dev/full", 5, "error: the output cannot be written (No space left on device). Free some space there, or make it writable."),
        (">/dev/full 2>/dev/full", 5, ""),
        ("2>&-", 0, ""),
        ("| head -c 1 >/dev/null", 0, ""),
    ],
)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written_ends_in_one_line(place: Path, redirection: str, code: int, said: str) -> None:
    line = f"set -o pipefail; {sys.executable} -m data --card {redirection}"
    done = subprocess.run(["bash", "-c", line], cwd=HERE, env={**os.environ}, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.strip()) == (code, said)


def test_who_reads_the_progress_may_go_away_and_the_data_are_made_all_the_same(place: Path) -> None:
    line = f"{sys.executable} -m data listops --protocol rows=20 2>&1 >/dev/null | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], cwd=HERE, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((place / "prepared").glob("listops-*/manifest.json"))) == 1


def test_a_terminal_without_unicode_shows_the_card(place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "data", "imdb", "--status", "--data", str(place / "été")],
        cwd=HERE, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "?t?" in done.stdout
