"""One request to a stranger's server, which may answer anything, at any pace: whatever it does ends in time and as `Broken`.

The time limits of sockets are for one piece of an answer each, so a server that sends a byte now and then keeps them for ever. Here a
clock runs beside the connection and closes it.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any


class Broken(Exception):
    """The connection ended before the answer did, or the answer is none; the message says how."""


class _Clock:
    """Shuts the sockets that it was told of when a moment has come; the moment may be moved."""

    def __init__(self, seconds: float, what: str) -> None:
        self.moment, self.what, self.late = time.monotonic() + seconds, what, False
        self.sockets: list[socket.socket] = []
        self.over = threading.Event()
        self.lock = threading.Lock()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self.over.wait(max(0.0, self.moment - time.monotonic())):
            if time.monotonic() >= self.moment:
                with self.lock:
                    self.late = True
                    for sock in self.sockets:
                        _shut(sock)
                return

    def watch(self, sock: socket.socket) -> None:
        """Keeps a second handle of the connection: with TLS the first one is taken over by another object."""
        with self.lock:
            self.sockets.append(sock.dup())
            if self.late:
                _shut(self.sockets[-1])

    def stop(self) -> None:
        self.over.set()
        with self.lock:
            while self.sockets:
                self.sockets.pop().close()


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        sock.shutdown(socket.SHUT_RDWR)


class Request:
    """An answer to read: its status, its headers, its bytes. Use it in a `with`; raises URLError (HTTPError) and Broken alone."""

    def __init__(self, url: str, start: int, *, timeout: float, patience: float) -> None:
        """Asks for what comes after the first `start` bytes; connection, redirects and headers may take `patience` seconds in all."""
        self.clock = _Clock(patience, f"no whole answer in {patience:.0f} s")
        headers = {"User-Agent": "ssm-suite", **({"Range": f"bytes={start}-"} if start else {})}
        try:
            with self._guarded():
                self.answer = _opener(self.clock).open(urllib.request.Request(url, headers=headers), timeout=timeout)
        except BaseException:
            self.clock.stop()
            raise
        self.status: int = self.answer.status
        self.kind: str = self.answer.headers.get_content_type()

    def __enter__(self) -> Request:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.clock.stop()
        with contextlib.suppress(Exception):  # it may be shut already
            self.answer.close()

    def header(self, name: str) -> str:
        """The header of this name, or nothing."""
        return str(self.answer.headers.get(name, ""))

    def wait_until(self, moment: float, what: str) -> None:
        """Moves the moment at which the connection is closed; `what` is then the reason."""
        self.clock.moment, self.clock.what = moment, what

    def read(self, most: int) -> bytes:
        """Up to `most` bytes, none at the end."""
        with self._guarded():
            block: bytes = self.answer.read1(most)
            if not block and self.clock.late:
                raise TimeoutError
        return block

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except urllib.error.URLError as error:
            if self.clock.late:
                raise Broken(self.clock.what) from error
            raise
        except Exception as error:  # malformed lines, lengths, addresses of redirects: each has an exception of its own
            raise Broken(self.clock.what if self.clock.late else error or type(error).__name__) from error


def _watched(kind: Callable[..., Any], clock: _Clock) -> Callable[..., Any]:
    """Makes connections of this kind whose sockets the clock can shut, from the first word on."""

    def made(*args: Any, **options: Any) -> Any:
        connection = kind(*args, **options)
        create = connection._create_connection

        def created(*where: Any, **how: Any) -> socket.socket:
            sock: socket.socket = create(*where, **how)
            clock.watch(sock)
            return sock

        connection._create_connection = created
        return connection

    return made


def _opener(clock: _Clock) -> urllib.request.OpenerDirector:
    """Speaks http and https only, wherever a redirect points, and shows every connection to the clock."""

    class Plain(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(_watched(http.client.HTTPConnection, clock), req)

    class Secure(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(_watched(http.client.HTTPSConnection, clock), req)

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        Plain(),
        Secure(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
