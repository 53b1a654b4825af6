"""Servers that mean no good, or are broken: every download ends in time, in a file or in one printable sentence."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from data.base import DataError
from data.files.official import Official, fetch

CONTENT = bytes(np.random.default_rng(0).integers(0, 256, 400_000, dtype=np.uint8))
Talk = Callable[[socket.socket, bytes, int], None]
"""What the server does with a connection, its request, and its number."""


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("data.files.official.BACK_OFF", 0.01)
    monkeypatch.setattr("data.files.official.PATIENCE", 1.0)
    monkeypatch.setattr("data.files.official.TIMEOUT", 0.5)
    return tmp_path / "data"


@pytest.fixture
def serve() -> Iterator[Callable[[Talk], str]]:
    listening: list[socket.socket] = []

    def start(talk: Talk) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def one(connection: socket.socket, number: int) -> None:
            with connection, suppress(OSError):
                talk(connection, connection.recv(10_000), number)

        def accept() -> None:
            number = 0
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    number += 1
                    threading.Thread(target=one, args=(connection, number), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/set.tar.gz"

    yield start
    for server in listening:
        server.close()


def official(url: str) -> Official:
    return Official(name="set.tar.gz", bytes=len(CONTENT), digest=f"sha256:{hashlib.sha256(CONTENT).hexdigest()}", urls=(url,))


def not_had(url: str, match: str, *, within: float) -> str:
    begun = time.monotonic()
    with pytest.raises(DataError, match=match) as caught:
        fetch(official(url))
    assert time.monotonic() - begun < within
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000
    assert not official(url).path().exists()
    return str(caught.value)


def head(length: int = len(CONTENT)) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()


# ---------------------------------------------------------------- servers that never end


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"])
def test_headers_and_lengths_that_dribble_are_given_up(serve: Callable[[Talk], str], beginning: bytes) -> None:
    """Each byte comes within the time limit of a socket."""

    def dribble(connection: socket.socket, request: bytes, number: int) -> None:
        connection.sendall(beginning)
        while True:
            connection.sendall(b"1")
            time.sleep(0.1)

    not_had(serve(dribble), r"no whole answer in 1 s|fewer than 65536 bytes in 1 s", within=6)


def test_a_steady_but_endless_body_has_an_end(serve: Callable[[Talk], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.files.official.MINIMUM", 100)
    monkeypatch.setattr("data.files.official.SLOWEST", 200_000)  # 2 s for this file, and one to begin

    def steady(connection: socket.socket, request: bytes, number: int) -> None:
        connection.sendall(head())
        while True:
            connection.sendall(bytes(200))
            time.sleep(0.05)

    said = not_had(serve(steady), r"after \d+ s [\d,]+ of 400,000 bytes are here", within=8)
    assert "the same command goes on" in said


def test_a_server_that_always_begins_anew_and_never_has_the_rest_is_given_up(serve: Callable[[Talk], str]) -> None:
    """Each attempt brings 200,000 bytes, and none of them is new."""

    def half(connection: socket.socket, request: bytes, number: int) -> None:
        if number % 2 and b"Range" in request:
            connection.sendall(b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n")
        else:
            connection.sendall(head() + CONTENT[:200_000])

    not_had(serve(half), "could not be downloaded", within=8)


def test_a_server_that_ends_early_but_goes_on_is_heard_to_the_end(serve: Callable[[Talk], str]) -> None:
    def piece(connection: socket.socket, request: bytes, number: int) -> None:
        start = int(request.partition(b"bytes=")[2].partition(b"-")[0] or 0)
        code = f"206 Partial Content\r\nContent-Range: bytes {start}-399999/400000" if start else "200 OK"
        length = len(CONTENT) - start
        connection.sendall(f"HTTP/1.1 {code}\r\nContent-Length: {length}\r\n\r\n".encode() + CONTENT[start : start + 100_000])

    assert fetch(official(serve(piece))).read_bytes() == CONTENT


# ---------------------------------------------------------------- answers that are none


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0\0\0\0\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:port/\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://" + b"a" * 70 + b".example/\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/x\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /set.tar.gz\r\n\r\n",
        b"HTTP/1.1 302 Found\r\n\r\n",
        b"HTTP/1.1 404 \x1b[2J\x1b]0;mine\x07" + b"x" * 50_000 + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/\x1b[31mhtml\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes \xff\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
def test_a_malformed_answer_is_one_printable_sentence(serve: Callable[[Talk], str], answer: bytes, place: Path) -> None:
    not_had(serve(lambda connection, request, number: connection.sendall(answer)), "could not be downloaded", within=8)
    assert {path.name for path in place.iterdir()} <= {"set.tar.gz.part", "set.tar.gz.bad"}
