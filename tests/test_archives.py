"""Archives from strangers: what is hostile, cut or damaged is refused with its name, and nothing of it ever reaches the disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.base import DataError
from data.files import archives
from data.files.archives import members

Entry = tuple[str, bytes] | tarfile.TarInfo
PACK: dict[str, Callable[[bytes], bytes]] = {"tar": bytes, "tar.gz": gzip.compress, "tar.xz": lzma.compress, "tar.bz2": bz2.compress}
RANDOM = np.random.default_rng(0).integers(0, 256, 40_000, dtype=np.uint8).tobytes()


def tar(entries: Iterable[Entry], format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for entry in entries:
            info, content = (entry, b"") if isinstance(entry, tarfile.TarInfo) else (tarfile.TarInfo(entry[0]), entry[1])
            if content:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def odd(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder of the archive, several levels down, so that a name that climbs would land in a place the tests look at."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    return folder


def read(place: Path, content: bytes, *, suffix: str = "tar.gz", wanted: Callable[[str], bool] = lambda _: True, **limits: int) -> Any:
    """What comes out of an archive of this content; and whatever happens, no other file appears."""
    path = place / f"set.{suffix}"
    path.write_bytes(content)
    top = place.parent.parent
    before = {p: p.lstat().st_mtime_ns for p in top.rglob("*") if not p.is_dir()}
    try:
        return list(members(path, wanted, **{"max_bytes": 1 << 20, "max_members": 100, **limits}))
    finally:
        assert {p: p.lstat().st_mtime_ns for p in top.rglob("*") if not p.is_dir()} == before


def refused(place: Path, content: bytes, match: str, **options: Any) -> str:
    with pytest.raises(DataError, match=match) as caught:
        read(place, content, **options)
    text = str(caught.value)
    assert str(place / f"set.{options.get('suffix', 'tar.gz')}") in text
    assert "\n" not in text
    assert text.isprintable()
    return text


# ---------------------------------------------------------------- the good case


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_files_come_in_order_with_plain_names(place: Path, suffix: str, format: int) -> None:
    long = "/".join(["deep" * 10] * 4) + "/x.txt"
    entries: list[Entry] = [odd("./set", tarfile.DIRTYPE), ("./set/b.txt", b"two"), ("set/a.txt", RANDOM), ("set/empty", b""), (long, b"9")]
    found = read(place, PACK[suffix](tar(entries, format)), suffix=suffix)
    assert found == [("set/b.txt", b"two"), ("set/a.txt", RANDOM), ("set/empty", b""), (long, b"9")]


def test_only_what_is_wanted_is_given(place: Path) -> None:
    asked: list[str] = []

    def wanted(name: str) -> bool:
        asked.append(name)
        return name.endswith(".txt")

    content = gzip.compress(tar([("./a.txt", b"1"), ("b.wav", RANDOM), ("c.txt", b"3")]))
    assert read(place, content, wanted=wanted, max_bytes=1) == [("a.txt", b"1"), ("c.txt", b"3")]
    assert asked == ["a.txt", "b.wav", "c.txt"]


def test_the_suffix_says_nothing(place: Path) -> None:
    assert read(place, lzma.compress(tar([("a", b"1")])), suffix="tgz") == [("a", b"1")]


def test_reading_is_streamed(place: Path) -> None:
    """Two dozen members of a megabyte: never many in memory at once; and the first is there before the end has been read."""
    path = place / "set.tar.gz"
    big = bytes(1 << 20)
    path.write_bytes(gzip.compress(tar((f"{i}", big) for i in range(24)), 1))
    tracemalloc.start()
    try:
        count = sum(1 for _ in members(path, lambda _: True, max_bytes=1 << 20, max_members=24))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 24
    assert peak < 6 << 20
    path.write_bytes(gzip.compress(tar([("first", b"1"), ("second", RANDOM)]))[:-2000])
    assert next(members(path, lambda _: True, max_bytes=1 << 20, max_members=9)) == ("first", b"1")


# ---------------------------------------------------------------- hostile entries

HOSTILE_NAMES = [
    "../x", "a/../../x", "a/..", "..", "/x", "/etc/passwd", ".//x", "./../x", "..\\x", "a\\..\\x", "new\nline", "tab\tin",
    "\x1b[2Jx", "nul\x7f", "right\u202eto-left", "\udcff-not-utf8", "line\u2028end",
]  # fmt: skip


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_refused_whether_wanted_or_not(place: Path, name: str, wanted: bool) -> None:
    """GNU format: the bytes of the name stand in the header as they are."""
    content = gzip.compress(tar([("good", b"1"), (name, b"2")], tarfile.GNU_FORMAT))
    text = refused(place, content, "which no official archive has", wanted=lambda n: wanted or n == "good")
    assert repr(name) in text


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_longer_than_a_file_system_has_are_only_names(place: Path, format: int) -> None:
    long = "n" * 4000
    content = gzip.compress(tar([(long, b"1"), ("a", b"2")], format))
    assert read(place, content) == [(long, b"1"), ("a", b"2")]
    assert read(place, content, wanted=lambda n: n == "a") == [("a", b"2")]


ODD = {
    "symlink out": odd("x", tarfile.SYMTYPE, "../../outside"),
    "absolute symlink": odd("x", tarfile.SYMTYPE, "/etc/passwd"),
    "hardlink out": odd("x", tarfile.LNKTYPE, "../../outside"),
    "hardlink to a member": odd("x", tarfile.LNKTYPE, "good"),
    "character device": odd("x", tarfile.CHRTYPE),
    "block device": odd("x", tarfile.BLKTYPE),
    "fifo": odd("x", tarfile.FIFOTYPE),
    "unknown kind": odd("x", b"?"),
}


@pytest.mark.parametrize("kind", ODD)
def test_links_and_devices_are_refused_where_a_file_is_wanted(place: Path, kind: str) -> None:
    (place.parent.parent / "outside").write_text("secret")
    content = gzip.compress(tar([("good", b"1"), ODD[kind], ("last", b"3")]))
    if kind == "unknown kind":  # POSIX reads it as a file, and so does the standard library: it is one without content, in no way a link
        assert read(place, content, wanted=lambda n: n != "x") == [("good", b"1"), ("last", b"3")]
        return
    assert "x is a link or a device" in refused(place, content, "it was not read")
    assert read(place, content, wanted=lambda n: n != "x") == [("good", b"1"), ("last", b"3")]


def test_a_member_behind_a_link_is_no_way_out(place: Path) -> None:
    """The classic: a link to a folder outside, then a file through it. Nothing is unpacked, so it is a name like others."""
    content = gzip.compress(tar([odd("door", tarfile.SYMTYPE, "../.."), ("door/x", b"1")]))
    assert read(place, content, wanted=lambda n: n == "door/x") == [("door/x", b"1")]
    assert not (place.parent.parent / "x").exists()


@pytest.mark.parametrize("second", ["a", "./a"])
def test_a_name_that_comes_twice_is_refused(place: Path, second: str) -> None:
    content = gzip.compress(tar([("a", b"1"), ("b", b"2"), (second, b"3")]))
    refused(place, content, "has a twice")
    assert read(place, content, wanted=lambda n: n == "b") == [("b", b"2")]


def test_the_count_of_entries_has_a_limit(place: Path) -> None:
    """Folders and unwanted entries count too."""
    entries: list[Entry] = [odd(f"d{i}", tarfile.DIRTYPE) for i in range(5)] + [(f"{i}", b"") for i in range(5)]
    content = gzip.compress(tar(entries))
    assert len(read(place, content, max_members=10)) == 5
    refused(place, content, "more than the 9 entries", max_members=9)
    refused(place, content, "more than the 9 entries", max_members=9, wanted=lambda _: False)


def test_a_million_members_are_given_up_at_the_limit(place: Path) -> None:
    """Found at the limit and not after all of them: what would come next is not even readable."""
    one = tar([("x", b"")])[:512]
    content = gzip.compress(one * 1001, 1)
    refused(place, content, "more than the 1,000 entries", max_members=1000, wanted=lambda _: False)


def announcing(size: int, kind: bytes = tarfile.REGTYPE, name: str = "bomb") -> bytes:
    """A header that announces `size` bytes, alone."""
    info = odd(name, kind)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def peak_of(place: Path, content: bytes, match: str, **options: Any) -> int:
    tracemalloc.start()
    try:
        refused(place, content, match, **options)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [(1 << 20) + 1, 1 << 33, 1 << 62])
def test_a_bomb_is_refused_by_what_it_announces(place: Path, size: int) -> None:
    """Its zeros are there, too: they are not read."""
    content = gzip.compress(announcing(size) + bytes(16 << 20), 1)
    assert peak_of(place, content, rf"bomb announces {size:,} bytes; the official file has no more than 1,048,576") < 4 << 20


def test_a_size_in_an_attribute_is_the_size(place: Path) -> None:
    info = tarfile.TarInfo("bomb")
    info.pax_headers = {"size": str(1 << 40)}
    refused(place, gzip.compress(tar([info])), "bomb announces 1,099,511,627,776 bytes")


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, b"X"])
def test_an_extended_header_is_no_way_to_fill_the_memory(place: Path, kind: bytes) -> None:
    content = gzip.compress(announcing(1 << 24, kind, "././@LongLink") + bytes(1 << 24) + tar([("a", b"1")]), 1)
    assert peak_of(place, content, "extended header of 16,777,216 bytes") < 4 << 20


@pytest.mark.parametrize("size", [1 << 45, 1 << 62])
def test_an_unwanted_member_that_announces_more_than_there_is_ends_the_reading(place: Path, size: int) -> None:
    """To skip it block by block at the end of the file would take years."""
    refused(place, gzip.compress(announcing(size) + bytes(1 << 16)), "cut short", wanted=lambda _: False)


@pytest.mark.parametrize("low", [b"\xff\x00", b"\xf0\x00"])
def test_a_negative_size_is_refused(place: Path, low: bytes) -> None:
    """-256, which rounds up to no block at all, and -4096, which leads back: some versions of tarfile would read in a circle."""
    head = bytearray(announcing(0))
    head[124:136] = b"\xff" * 10 + low
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    content = gzip.compress(tar([("a", RANDOM)])[:-10240] + bytes(head) + bytes(1024))
    refused(place, content, "announces -")
    if low[0] == 0xF0:
        refused(place, content, "damaged or cut short", wanted=lambda _: False)


def test_sparse_members_are_refused(place: Path) -> None:
    """A gigabyte of nothing in a few bytes; and a map that never ends."""
    info = tarfile.TarInfo("x")
    info.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(1 << 19), "GNU.sparse.name": "x"}
    refused(place, gzip.compress(tar([info])), "x is a link or a device")
    info = tarfile.TarInfo("x")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    info.size = 512
    endless = tarfile.TarInfo.tobuf(info, tarfile.PAX_FORMAT) + b"9" * 512
    refused(place, gzip.compress(endless), "damaged or cut short")


def test_a_chain_of_headers_without_end_is_refused(place: Path) -> None:
    chain = announcing(0, tarfile.XHDTYPE) * 3000
    refused(place, gzip.compress(chain + tar([("a", b"1")])), "damaged or cut short")


# ---------------------------------------------------------------- cut and damaged archives

ENTRIES: list[Entry] = [("one", RANDOM[:3000]), ("two", RANDOM[:20_000]), ("three", b"3" * 1024)]


@pytest.mark.parametrize("suffix", PACK)
def test_an_archive_that_is_cut_anywhere_is_noticed(place: Path, suffix: str) -> None:
    """Also where the cut falls between two members, which tarfile alone takes for the end."""
    whole = PACK[suffix](tar(ENTRIES))
    plain = [0, 1, 511, 512, 600, 512 + 3072, 512 + 3072 + 100, 2 * 512 + 3072, 3 * 512 + 3072 + 20_480 + 1024]
    cuts = plain if suffix == "tar" else [0, 1, 3, 10, 30, len(whole) // 2, len(whole) - 9, len(whole) - 5, len(whole) - 1]
    for cut in cuts:
        refused(place, whole[:cut], "damaged or cut short", suffix=suffix)
    assert len(read(place, whole, suffix=suffix)) == 3


def test_the_member_before_the_cut_is_named(place: Path) -> None:
    """Here between two and three: without the end mark nobody could tell."""
    cut = 2 * 512 + 3072 + 20_480
    assert "cut short after two" in refused(place, tar(ENTRIES)[:cut], "no end mark", suffix="tar")
    assert "cut short after two" in refused(place, gzip.compress(tar(ENTRIES)[:cut]), "no end mark")


def test_a_damaged_header_is_not_the_end(place: Path) -> None:
    content = bytearray(tar(ENTRIES))
    content[512 + 3072 + 5] ^= 1  # in the name of two
    assert "after one" in refused(place, bytes(content), "damaged header", suffix="tar")
    refused(place, gzip.compress(bytes(content)), "damaged header")


@pytest.mark.parametrize("suffix", ["tar.gz", "tar.xz", "tar.bz2"])
def test_a_flipped_bit_of_what_is_compressed_is_noticed(place: Path, suffix: str) -> None:
    """gzip stores random bytes as they are: a bit flipped there leaves a valid stream, and only the checksum at its end tells."""
    whole = bytearray(PACK[suffix](tar(ENTRIES)))
    for place_of_bit in (len(whole) // 4, len(whole) // 2, 3 * len(whole) // 4):
        damaged = bytearray(whole)
        damaged[place_of_bit] ^= 4
        refused(place, bytes(damaged), "damaged or cut short", suffix=suffix)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"garbage",
        RANDOM,
        b"<!DOCTYPE html><html></html>",
        gzip.compress(b"", mtime=0),
        gzip.compress(RANDOM, mtime=0),
        b"\x1f\x8b",
        b"BZh",
    ],
    ids=["empty", "zero", "word", "random", "page", "gzip of nothing", "gzip of random", "start of gzip", "start of bzip2"],
)
def test_garbage_is_refused(place: Path, content: bytes) -> None:
    refused(place, content, "damaged or cut short")


def test_an_archive_without_members_is_empty(place: Path) -> None:
    assert read(place, gzip.compress(tar([]))) == []


def test_zeros_without_end_after_the_end_are_given_up(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "PADDING", 1 << 20)
    assert read(place, gzip.compress(tar([("a", b"1")]) + bytes(1 << 19))) == [("a", b"1")]
    refused(place, gzip.compress(tar([("a", b"1")]) + bytes(1 << 22)), "goes on for more than 1,048,576 bytes")


def test_a_missing_archive_is_told(place: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.tar\.gz"):
        list(members(place / "nothing.tar.gz", lambda _: True, max_bytes=1, max_members=1))


def test_an_error_of_the_reader_passes_through(place: Path) -> None:
    """What the caller does with a member is not the archive's fault."""
    path = place / "set.tar"
    path.write_bytes(tar(ENTRIES))

    def failing() -> None:
        for _ in members(path, lambda _: True, max_bytes=1 << 20, max_members=9):
            raise OSError("mine")

    with pytest.raises(OSError, match="mine"):
        failing()


def test_random_damage_never_ends_in_anything_but_an_archive_or_a_paragraph(place: Path) -> None:
    """Bytes of headers and attributes changed at random: DataError or members, no other error, no endless loop, no file."""
    attributes = tarfile.TarInfo("attributes")
    attributes.pax_headers = {"size": "0", "GNU.sparse.map": "0,1,5,2", "path": "attributes/x", "mtime": "1.5", "comment": "é"}
    base = {
        format: tar([attributes, ("l" * 200, b"1"), ("a", b"23"), odd("s", tarfile.SYMTYPE, "m" * 300)], format)
        for format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
    }
    rng = np.random.default_rng(int(os.environ.get("SSM_TEST_FUZZ_SEED", "0")))
    path, outcomes = place / "set.tar", {"whole": 0, "refused": 0}
    for round in range(int(os.environ.get("SSM_TEST_FUZZ_ROUNDS", "300"))):
        content = bytearray(base[tarfile.GNU_FORMAT if round % 2 else tarfile.PAX_FORMAT])
        for position in rng.integers(0, len(content) - 1024, rng.integers(1, 6)):
            content[position] = rng.integers(256)
        for start in range(0, len(content), 512):  # right again the checksums of what looks like a header, to get past them
            if content[start + 257 : start + 262] == b"ustar":
                content[start + 148 : start + 156] = b" " * 8
                content[start + 148 : start + 156] = b"%06o\0 " % sum(content[start : start + 512])
        path.write_bytes(content)
        try:
            list(members(path, lambda name: not name.startswith(("attributes", "s")), max_bytes=1 << 20, max_members=100))
            outcomes["whole"] += 1
        except DataError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 20, outcomes
    assert [p.name for p in place.iterdir()] == ["set.tar"]


@pytest.mark.parametrize("suffix", PACK)
def test_an_archive_behind_the_end_of_another_is_not_left_out_in_silence(place: Path, suffix: str) -> None:
    first, second = tar([("a", b"1")]), tar([("b", b"2")])
    refused(place, PACK[suffix](first + second), "something after its end", suffix=suffix)
    refused(place, PACK[suffix](first) + PACK[suffix](second), "something after its end", suffix=suffix)
    assert read(place, PACK[suffix](first + bytes(50_000)), suffix=suffix) == [("a", b"1")]
