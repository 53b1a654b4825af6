"""From the first moment of a command on: Ctrl-C, SIGTERM and SIGHUP end it with a line and code 4, also while its libraries are loading.

A __main__ imports this module before any other of the suite; `data.command.guarded` then takes over. Only the standard library is used.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 4
OURS = ("models", "data", "benchmarks", "ablations", "reports")


def _end(number: int, frame: FrameType | None) -> None:
    """Nothing was begun: there is nothing to clean up."""
    try:
        os.write(2, b"error: interrupted; the same command continues\n")
    finally:
        os._exit(INTERRUPTED)


def _is_command() -> bool:
    """Whether this process is `python -m` one of our packages; their workers, and whoever imports us, keep their own signals."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return spec is not None and spec.name.partition(".")[0] in OURS


if _is_command():
    for _name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, _name) and signal.getsignal(getattr(signal, _name)) is not signal.SIG_IGN:
            signal.signal(getattr(signal, _name), _end)
