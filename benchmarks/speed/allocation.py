"""How the C library keeps memory: settled once, before the process begins, for ours and for what it is compared with alike."""

from __future__ import annotations

import os
import sys
from typing import Final

SETTLED: Final = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "8589934592", "MALLOC_TOP_PAD_": "268435456"}
"""What glibc reads when a process begins: large tensors come from memory that the process keeps, instead of pages that are mapped and
cleared anew for each. Other C libraries read none of it."""


def settle() -> None:
    """Begins the process again with these variables, unless it has them, or others that the user chose."""
    if any(name in os.environ for name in SETTLED):
        return
    os.environ.update(SETTLED)
    os.execv(sys.executable, sys.orig_argv)


def unsettled() -> dict[str, str]:
    """The environment without them: what a program has that knows nothing of this."""
    return {name: value for name, value in os.environ.items() if name not in SETTLED}


def described() -> dict[str, str]:
    """Those that this process began with."""
    return {name: os.environ[name] for name in SETTLED if name in os.environ}
