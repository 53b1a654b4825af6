"""The generated Pathfinder set on disk: shards that many processes draw, each a function of its number, so that a kill costs one shard.

A shard is one compressed file of images, labels, discs and counts. It appears under its name in one step and only when it is complete;
what is there is not drawn again. How many processes draw, and in which order they finish, changes nothing.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from data.base import DataError, Say, silent
from data.files.digests import key_of
from data.files.progress import Progress, duration
from data.files.regular import opened_file
from data.files.root import root, writing
from data.pathfinder.drawing import Parameters, tables
from data.pathfinder.generator import GENERATOR_VERSION, Batch, generate

SIZES: Final = {32: 1000, 64: 500, 128: 500, 256: 250}
"""Images of a shard, by resolution."""
HEAD: Final = 64
"""Bytes for each image, beside its pixels, at most."""
PACKED: Final = 0.35
"""Bytes on disk per pixel, at most (at 32 pixels)."""


def workers() -> int:
    """Counts the processors this process may use, or gives $OMP_NUM_THREADS where that is less."""
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        usable = os.cpu_count() or 1
    threads = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(usable, int(threads))) if threads.isdigit() else usable


@dataclass(frozen=True, kw_only=True)
class Shards:
    """All the images that may be generated with these parameters and this seed, `size` to a shard."""

    p: Parameters
    difficulty: str
    seed: int
    size: int

    def key(self) -> str:
        """Makes the key from what decides the content: parameters, seed, versions, and the patches as this image library draws them."""
        return _key(self)

    @property
    def folder(self) -> Path:
        """Where the shards lie."""
        return root() / "generated" / f"pathfinder{self.p.size}-{self.difficulty}-{self.key()}"

    def path(self, number: int) -> Path:
        """The file of one shard."""
        return self.folder / f"shard-{number:05d}.npz"

    def missing(self, images: int) -> list[int]:
        """Lists the numbers of the shards that the first `images` images need and that are not there."""
        return [number for number in range(-(-images // self.size)) if not self.path(number).is_file()]

    def draw(self, number: int) -> int:
        """Draws one shard and puts it under its name; returns the number."""
        batch = generate(self.p, self.size, self.seed, number)
        arrays: dict[str, Any] = {f.name: np.asarray(getattr(batch, f.name)) for f in fields(Batch)}
        path = self.path(number)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as handle:
                np.savez_compressed(handle, **arrays)
                handle.flush()
                os.fsync(handle.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        return number

    def read(self, number: int) -> Batch:
        """Reads one shard. Raises DataError where the file is damaged."""
        path = self.path(number)
        try:
            with opened_file(path, 2 * self.size * (self.p.size**2 + HEAD)) as handle, np.load(handle, allow_pickle=False) as file:
                if sum(member.file_size for member in file.zip.infolist()) > 2 * self.size * (self.p.size**2 + HEAD):
                    raise ValueError("it announces more than a shard holds")
                arrays = {f.name: file[f.name] for f in fields(Batch)}
        except DataError:
            raise
        except Exception as error:  # a zip with lines of Python in it: their parsers raise what they like
            raise DataError(
                f"{path} is damaged ({error or type(error).__name__}). Remove it and run the same command again; it is then drawn again."
            ) from error
        wanted = {"images": (self.size, self.p.size**2), "labels": (self.size,), "markers": (self.size, 4), "distractors": (self.size,)}
        if any(arrays[name].shape != shape for name, shape in wanted.items()):
            raise DataError(f"{path} holds other arrays than a shard of {self.size} images. Remove it and run the same command again.")
        return Batch(**{**arrays, "attempts": int(arrays["attempts"])})

    def fill(self, images: int, processes: int, say: Say = silent) -> None:
        """Draws the shards that are missing for the first `images` images, in so many processes. Raises DataError, StorageError."""
        missing = self.missing(images)
        if not missing:
            return
        there, wanted = -(-images // self.size) - len(missing), len(missing) * self.size
        with writing(self.folder, int(wanted * self.p.size**2 * PACKED)):
            for left in self.folder.glob(".shard-*.tmp"):  # of a run that was killed; nobody else draws here, see files.prepared
                left.unlink(missing_ok=True)
            processes = min(processes, len(missing))
            say(
                f"drawing {wanted:,} images of {self.p.size} x {self.p.size} pixels in {processes} "
                f"process{'es' * (processes > 1)}" + f"; {there * self.size:,} are there" * (there > 0)
            )
            begun, progress = time.monotonic(), Progress("drawing", wanted, "images", say)
            for count, _ in enumerate(self._drawn(missing, processes), start=1):
                progress.at(count * self.size)
            say(f"drew {wanted:,} of {wanted:,} images in {duration(time.monotonic() - begun)}")

    def _drawn(self, missing: list[int], processes: int) -> Iterator[int]:
        """The numbers of the shards as they are done. Shards of one set cost the same, so each process has its share from the start."""
        if processes == 1:
            yield from map(self.draw, missing)
            return
        done: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        children = [self._child(missing[i::processes], done) for i in range(processes)]
        try:
            for _ in range(len(missing) + processes):
                number = done.get()
                if number is not None and number < 0:
                    raise OSError(-number, os.strerror(-number))  # a full disk, say: `writing` says where
                if number is not None:
                    yield number
                elif any(child.poll() for child in children):
                    raise DataError(
                        f"a process that drew images for {self.folder} has failed or was killed, perhaps for want of memory; the same "
                        "command goes on with the shards that are missing, and OMP_NUM_THREADS=1 draws them in one process"
                    )
        finally:
            for child in children:
                child.kill()
                child.wait()

    def _child(self, numbers: list[int], done: queue.SimpleQueue[int | None]) -> subprocess.Popen[str]:
        """A process that draws these shards, and a thread that passes on what it says, then None.

        A program of its own: a fork of a process with threads may hang, and a spawned one imports the caller's script once more.
        """
        child = subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert child.stdin is not None
        with contextlib.suppress(BrokenPipeError), child.stdin as pipe:
            json.dump({**asdict(self), "numbers": numbers}, pipe)

        def listen() -> None:
            assert child.stdout is not None
            with child.stdout as lines:
                for line in lines:
                    done.put(int(line))
            child.wait()
            done.put(None)

        threading.Thread(target=listen, daemon=True).start()
        return child


# The child is started by the interpreter alone, so it is told where the checkout is: the folder above `data`.
WORKER: Final = (
    f"import sys; sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r}); import data.pathfinder.shards as s; s.work()"
)


def work() -> None:
    """The other process: reads a task from its input, and says the number of each shard that is drawn, or minus that of an error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its children
    task = json.load(sys.stdin)
    p = Parameters(**{**task["p"], "margins": tuple(task["p"]["margins"])})
    shards = Shards(p=p, difficulty=task["difficulty"], seed=task["seed"], size=task["size"])
    for number in task["numbers"]:
        try:
            shards.draw(number)
        except OSError as error:
            number = -(error.errno or errno.EIO)
        try:
            print(number, flush=True)
            if number < 0:
                return
        except BrokenPipeError:  # nobody is there any more
            os._exit(1)


@functools.lru_cache(maxsize=16)
def _key(shards: Shards) -> str:
    patches = "".join(tables(shards.p, margin).digest() for margin in shards.p.margins)
    return key_of(f"generator {GENERATOR_VERSION} seed {shards.seed} shards of {shards.size} {shards.p}{patches}")
