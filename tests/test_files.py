"""Files of data sets: downloads over a bad line, checksums, preparing once. The server listens on loopback; nothing leaves the machine."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from data.base import DataError, StorageError
from data.files.digests import sha256
from data.files.official import Official, fetch, read, verify
from data.files.prepared import Made, opened, prepare
from data.files.root import root, scratch

CONTENT = bytes(np.random.default_rng(0).integers(0, 256, 300_000, dtype=np.uint8))
Answer = Callable[[BaseHTTPRequestHandler, int], None]
"""What the server does with the n-th request."""


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty data root, no proxy, and no long pauses."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("data.files.official.BACK_OFF", 0.01)
    monkeypatch.setattr("data.files.official.PATIENCE", 2.0)
    monkeypatch.setattr("data.files.official.TIMEOUT", 0.5)
    return tmp_path / "data"


class Server:
    """Answers with the given function, and remembers what was asked for."""

    def __init__(self, answer: Answer) -> None:
        self.ranges: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.ranges.append(self.headers.get("Range"))
                answer(self, len(outer.ranges))

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/set.tar.gz"


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Server]]:
    servers: list[Server] = []

    def start(answer: Answer) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.server.shutdown()
        server.server.server_close()


def send(handler: BaseHTTPRequestHandler, content: bytes, *, code: int = 200, announce: int | None = None, **headers: str) -> None:
    handler.send_response(code)
    handler.send_header("Content-Length", str(len(content) if announce is None else announce))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def whole(handler: BaseHTTPRequestHandler, n: int) -> None:
    """A server that can continue."""
    asked = handler.headers.get("Range")
    if asked is None:
        send(handler, CONTENT)
    else:
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        send(handler, CONTENT[start:], code=206, Content_Range=f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")


def official(*urls: str, content: bytes = CONTENT, algorithm: str = "sha256") -> Official:
    digest = f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
    return Official(name="set.tar.gz", bytes=len(content), digest=digest, urls=urls)


# ---------------------------------------------------------------- downloads


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_a_download_arrives_whole_and_is_not_repeated(serve: Callable[[Answer], Server], algorithm: str) -> None:
    server = serve(whole)
    file = official(server.url, algorithm=algorithm)
    assert fetch(file).read_bytes() == CONTENT
    assert fetch(file) == file.path()
    assert server.ranges == [None]
    assert [p.name for p in root().iterdir()] == ["set.tar.gz"]


def test_a_body_that_is_cut_is_continued_where_it_ended(serve: Callable[[Answer], Server]) -> None:
    def cut(handler: BaseHTTPRequestHandler, n: int) -> None:
        if n == 1:
            send(handler, CONTENT[:100_000], announce=len(CONTENT))
        else:
            whole(handler, n)

    server = serve(cut)
    assert fetch(official(server.url)).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-"]


def test_an_interrupted_download_is_continued_by_the_next_call(serve: Callable[[Answer], Server], place: Path) -> None:
    server = serve(whole)
    place.mkdir()
    (place / "set.tar.gz.part").write_bytes(CONTENT[:5000])
    assert fetch(official(server.url)).read_bytes() == CONTENT
    assert server.ranges == ["bytes=5000-"]


def test_a_server_that_cannot_continue_is_read_from_the_start(serve: Callable[[Answer], Server], place: Path) -> None:
    server = serve(lambda handler, n: send(handler, CONTENT))
    place.mkdir()
    (place / "set.tar.gz.part").write_bytes(b"x" * 5000)
    assert fetch(official(server.url)).read_bytes() == CONTENT


def test_server_errors_that_pass_are_waited_for(serve: Callable[[Answer], Server]) -> None:
    server = serve(lambda handler, n: send(handler, b"busy", code=500) if n <= 2 else whole(handler, n))
    assert fetch(official(server.url)).read_bytes() == CONTENT
    assert len(server.ranges) == 3


def test_a_file_that_is_not_there_is_not_asked_for_twice(serve: Callable[[Answer], Server]) -> None:
    server = serve(lambda handler, n: send(handler, b"", code=404))
    with pytest.raises(DataError, match="404"):
        fetch(official(server.url))
    assert len(server.ranges) == 1


def test_a_page_instead_of_the_archive_is_refused_before_it_is_kept(serve: Callable[[Answer], Server], place: Path) -> None:
    server = serve(lambda handler, n: send(handler, b"<html>log in</html>", Content_Type="text/html"))
    with pytest.raises(DataError, match="19 bytes of text/html instead of 300,000"):
        fetch(official(server.url))
    assert list(place.iterdir()) == []


def test_a_wrong_length_without_announcement_is_noticed(serve: Callable[[Answer], Server]) -> None:
    def long(handler: BaseHTTPRequestHandler, n: int) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(CONTENT + b"more")

    with pytest.raises(DataError, match="could not be downloaded"):
        fetch(official(serve(long).url))
    assert not official().path().exists()


def test_a_wrong_checksum_is_told_with_both_and_never_takes_the_name(serve: Callable[[Answer], Server], place: Path) -> None:
    other = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    server = serve(lambda handler, n: send(handler, other))
    with pytest.raises(DataError) as caught:
        fetch(official(server.url))
    for content in (CONTENT, other):
        assert hashlib.sha256(content).hexdigest() in str(caught.value)
    assert [p.name for p in place.iterdir()] == ["set.tar.gz.bad"]


def test_the_next_address_is_tried(serve: Callable[[Answer], Server]) -> None:
    bad, good = serve(lambda handler, n: send(handler, b"", code=404)), serve(whole)
    assert fetch(official(bad.url, good.url)).read_bytes() == CONTENT


def test_without_a_network_the_message_says_what_to_put_where(place: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(DataError) as caught:
        fetch(official("http://127.0.0.1:9/set.tar.gz"))
    assert time.monotonic() - begun < 5
    for part in ("http://127.0.0.1:9/set.tar.gz", official().digest, str(place / "set.tar.gz"), "300,000"):
        assert part in str(caught.value)


def test_a_silent_server_is_given_up(serve: Callable[[Answer], Server]) -> None:
    begun = time.monotonic()
    with pytest.raises(DataError, match="could not be downloaded"):
        fetch(official(serve(lambda handler, n: time.sleep(1)).url))
    assert time.monotonic() - begun < 6


def test_a_trickling_server_is_given_up(serve: Callable[[Answer], Server]) -> None:
    def trickle(handler: BaseHTTPRequestHandler, n: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        try:
            for _ in range(100):
                handler.wfile.write(b"x")
                time.sleep(0.05)
        except OSError:
            pass  # the client has gone

    begun = time.monotonic()
    with pytest.raises(DataError, match="fewer than"):
        fetch(official(serve(trickle).url))
    assert time.monotonic() - begun < 8


def test_too_little_space_is_noticed_before_anything_is_asked_for(serve: Callable[[Answer], Server]) -> None:
    server = serve(whole)
    huge = Official(name="set.tar.gz", bytes=10**18, digest="sha256:00", urls=(server.url,))
    with pytest.raises(StorageError, match=r"MB free and 1,000,000,000,000\.0 MB are needed"):
        fetch(huge)
    assert server.ranges == []


def test_a_file_in_place_of_the_data_root_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="SSM_DATA"):
        prepare("set", "0a1b2c", made)


# ---------------------------------------------------------------- the data root


def test_the_data_root_is_the_variable_or_a_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SSM_DATA", "été und spaces")
    assert root() == tmp_path / "été und spaces"
    monkeypatch.setenv("SSM_DATA", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("sys.platform", "linux")
    assert root() == tmp_path / "cache" / "ssm-suite"


def test_a_foreign_or_cut_file_is_refused(place: Path) -> None:
    place.mkdir()
    file = official()
    with pytest.raises(DataError, match="missing"):
        read(file)
    file.path().write_bytes(CONTENT[:7])
    with pytest.raises(DataError, match="cut short"):
        read(file)
    file.path().write_bytes(bytes(len(CONTENT)))
    for reader in (read, verify):
        with pytest.raises(DataError, match="not the official file"):
            reader(file)
    file.path().write_bytes(CONTENT)
    assert read(file) == CONTENT


# ---------------------------------------------------------------- preparing


def made() -> Made:
    return Made(arrays={"x": np.arange(12, dtype=np.uint8).reshape(3, 4), "y": np.array([1, 2])}, facts={"source": "here"})


SLOWLY = """
import os, time
import numpy as np
from data.files.prepared import Made, prepare
from data.files.root import root

def slowly():
    with (root() / "log").open("a") as log:
        log.write(f"{os.getpid()}\\n")
    time.sleep(1)
    return Made(arrays={"x": np.arange(12, dtype=np.uint8)})

print(prepare("set", "0a1b2c", slowly).array("x").sum())
"""


def in_another_process() -> subprocess.Popen[str]:
    here = Path(__file__).resolve().parent.parent
    return subprocess.Popen([sys.executable, "-c", SLOWLY], cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_what_is_prepared_is_memory_mapped_read_only_and_made_once(place: Path) -> None:
    calls = []
    for _ in range(2):
        prepared = prepare("set", "0a1b2c", lambda: calls.append(1) or made())
    assert calls == [1]
    x = prepared.array("x")
    assert isinstance(x, np.memmap)
    assert not x.flags.writeable
    np.testing.assert_array_equal(x, made().arrays["x"])
    prepared.verify()
    manifest = json.loads((place / "prepared" / "set-0a1b2c" / "manifest.json").read_text())
    assert manifest["source"] == "here"
    assert manifest["arrays"]["x"]["shape"] == [3, 4]


def test_a_folder_without_a_manifest_is_not_taken_for_complete(place: Path) -> None:
    folder = place / "prepared" / "set-0a1b2c"
    folder.mkdir(parents=True)
    np.save(folder / "x.npy", np.zeros(5))
    stale = place / "prepared" / ".set-0a1b2c.1.tmp"
    stale.mkdir()
    assert opened("set", "0a1b2c") is None
    np.testing.assert_array_equal(prepare("set", "0a1b2c", made).array("x"), made().arrays["x"])
    assert not stale.exists()


def test_nothing_is_left_where_making_fails(place: Path) -> None:
    def fail() -> Made:
        raise DataError("no such file")

    with pytest.raises(DataError, match="no such file"):
        prepare("set", "0a1b2c", fail)
    assert [p.name for p in (place / "prepared").iterdir()] == [".set.lock"]
    assert opened("set", "0a1b2c") is None


def test_leftovers_of_other_sets_and_finished_sets_are_left_alone(place: Path) -> None:
    """Another process may be making the set whose name begins alike."""
    folder = place / "prepared"
    kept = [
        folder / name for name in (".set-pairs-0a1b2c.7.tmp", ".settle-0a1b2c.7.tmp", ".se-0a1b2c.7.tmp", "set-ffffff", "set-pairs-0a1b2c")
    ]
    gone = [folder / name for name in (".set-0a1b2c.7.tmp", ".set-ffffff.8.tmp")]
    for path in (*kept, *gone):
        path.mkdir(parents=True)
    prepare("set", "0a1b2c", made)
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone)


def test_damage_is_found_and_the_remedy_named() -> None:
    prepared = prepare("set", "0a1b2c", made)
    file = prepared.folder / "x.npy"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"\xff")  # same size: only the thorough look sees it
    prepare("set", "0a1b2c", made)
    with pytest.raises(DataError, match=r"x\.npy was changed"):
        prepared.verify()
    file.write_bytes(content[:-1])
    with pytest.raises(DataError, match=r"has \d+ bytes instead.*Remove that folder"):
        prepare("set", "0a1b2c", made)
    file.unlink()
    with pytest.raises(DataError, match="is missing"):
        prepare("set", "0a1b2c", made)
    (prepared.folder / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        prepare("set", "0a1b2c", made)


def test_two_processes_prepare_once(place: Path) -> None:
    place.mkdir()
    said = [process.communicate(timeout=30) for process in [in_another_process() for _ in range(2)]]
    assert [out for out, _ in said] == ["66\n", "66\n"]
    assert len((place / "log").read_text().split()) == 1


def test_a_killed_preparation_is_taken_over(place: Path) -> None:
    place.mkdir()
    process = in_another_process()
    deadline = time.monotonic() + 30
    while not (place / "log").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=30)
    assert opened("set", "0a1b2c") is None
    prepare("set", "0a1b2c", made).verify()
    assert [p.name for p in (place / "prepared").glob(".*.tmp")] == []


# ---------------------------------------------------------------- arrays too large for memory


def resident(path: str = "/proc/self/status") -> int:
    """Bytes of memory of this process that belong to no file."""
    lines = dict(line.split(":", 1) for line in Path(path).read_text().splitlines() if ":" in line)
    return int(lines["RssAnon"].split()[0]) * 1024


def test_scratch_is_an_array_of_zeros_without_a_name(place: Path) -> None:
    array = scratch((3, 5), "int16")
    assert (array.shape, array.dtype, int(array.sum())) == ((3, 5), np.int16, 0)
    array[1] = np.arange(5)
    assert array[1].tolist() == [0, 1, 2, 3, 4]
    assert list(place.iterdir()) == []  # nobody has to remove it, even after a kill
    other = scratch((3, 5), "int16")
    assert int(other.sum()) == 0


def test_scratch_gives_its_place_and_its_file_back(place: Path) -> None:
    """Warnings are errors here, so a file that the collector has to close would be told."""
    for _ in range(300):  # more than a process may usually have open at four times this size
        array = scratch((1024,), "float32")
        array[:] = 1
        del array
    opened = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]
    assert not [name for name in opened if name.startswith(str(place))]


def test_scratch_is_refused_where_it_cannot_fit(place: Path) -> None:
    with pytest.raises(StorageError, match=r"needed"):
        scratch((1 << 40, 1 << 10), "uint8")
    assert list(place.iterdir()) == []


def test_scratch_where_the_data_root_is_a_file_is_told(place: Path) -> None:
    place.write_text("a file")
    with pytest.raises(StorageError, match="cannot write"):
        scratch((3,), "uint8")


def test_scratch_becomes_a_prepared_array(place: Path) -> None:
    array = scratch((4, 3), "float32")
    array[:] = np.arange(12).reshape(4, 3)
    prepared = prepare("set", "k", lambda: Made(arrays={"x": array}))
    prepared.verify()
    np.testing.assert_array_equal(prepared.array("x"), np.arange(12).reshape(4, 3))
    assert prepared.manifest["arrays"]["x"]["sha256"] == sha256(np.arange(12, dtype=np.float32).reshape(4, 3))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured through /proc")
def test_large_arrays_are_hashed_and_prepared_where_they_lie(place: Path) -> None:
    """24 MB through scratch, hash, preparation and verification, without a copy in memory."""
    array = scratch((24, 1 << 18), "float32")
    array[:] = 1.5
    before = resident()
    tracemalloc.start()
    try:
        sha256(array)
        prepare("large", "k", lambda: Made(arrays={"x": array})).verify()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 4 << 20
    assert resident() - before < 12 << 20


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=np.int64).reshape(2, 3, 4),
        np.arange(24, dtype=np.int16)[::2],
        np.arange(24.0).reshape(4, 6).T,
        np.zeros((0, 3), dtype=np.float32),
        np.array([True, False]),
        np.array(["ab", "c"]),
    ],
)
def test_the_hash_is_that_of_type_shape_and_bytes(array: np.ndarray, tmp_path: Path) -> None:
    """However they lie in memory, and in whatever byte order: by hand, so that it is the same in every version."""
    expected = hashlib.sha256(f"{array.dtype.newbyteorder('<').str}{array.shape}".encode() + array.tobytes()).hexdigest()
    assert sha256(array) == expected
    assert sha256(np.asfortranarray(array)) == expected
    assert sha256(array.astype(array.dtype.newbyteorder(">"))) == expected
    if array.ndim and array.size:
        np.save(tmp_path / "x.npy", array)
        assert sha256(np.load(tmp_path / "x.npy", mmap_mode="r")) == expected
        assert sha256(array, array) != expected
        assert sha256(array[:1], array[1:]) != expected


def test_the_hash_tells_shape_and_type_apart() -> None:
    zeros = [np.zeros(8, "u1"), np.zeros((2, 4), "u1"), np.zeros(1, "f8"), np.zeros(1, "i8"), np.zeros(2, "f4")]
    assert len({sha256(array) for array in zeros}) == len(zeros)
