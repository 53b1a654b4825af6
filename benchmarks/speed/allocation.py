"""How the C library keeps memory: as for runs, for ours and for what it is compared with alike. It is read once, when a process begins."""

from __future__ import annotations

import os
import sys

from benchmarks.running.environment import ALLOCATION


def settle() -> None:
    """Begins the process again with `ALLOCATION`, unless it has that already, or what the user chose instead."""
    if any(name in os.environ for name in ALLOCATION):
        return
    os.environ.update(ALLOCATION)
    os.execv(sys.executable, sys.orig_argv)


def settled() -> dict[str, str]:
    """The environment of a process that is measured as runs are started."""
    return {**os.environ, **ALLOCATION}


def as_it_comes() -> dict[str, str]:
    """The environment of a program that knows nothing of this."""
    return {name: value for name, value in os.environ.items() if name not in ALLOCATION}
