"""python -m data NAME: downloads where there is a network, checks, and prepares a data set once; prints its manifest."""

from __future__ import annotations

import argparse
import difflib
import importlib
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from data.base import DataError, StorageError
from data.files import opened, root

SETS: Final = {"cifar10": "data.cifar", "mnist": "data.mnist"}
"""Name -> module with `load`, `key` and `NAME`."""

EPILOG: Final = "exit codes: 0 done, 2 bad usage, 3 data missing or damaged, 4 interrupted (the same command continues), 5 folder or disk"


class _Usage(Exception):
    pass


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Usage(f"{message} (see {self.prog} --help)")


def parser() -> argparse.ArgumentParser:
    """The flags."""
    p = _Parser(prog="python -m data", description="Get, check and prepare a data set.", epilog=EPILOG, allow_abbrev=False)
    p.add_argument("name", nargs="?", metavar="NAME", help=f"one of: {', '.join(SETS)}")
    p.add_argument("--data", metavar="DIR", help="the folder of all data sets (default: $SSM_DATA, or one in the user's cache)")
    p.add_argument("--verify", action="store_true", help="also check every prepared byte against the manifest")
    p.add_argument("--status", action="store_true", help="say what is there, and change nothing")
    return p


def status(module: Any) -> str:
    """One line on what is there."""
    prepared = opened(module.NAME, module.key())
    return f"{module.NAME}: " + ("not prepared" if prepared is None else f"prepared, {prepared.folder}")


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = parser().parse_args(argv)
    if options.data is not None:
        if not options.data:
            raise _Usage("--data is empty; give a folder")
        os.environ["SSM_DATA"] = options.data
    if options.name is not None and options.name not in SETS:
        near = difflib.get_close_matches(options.name, SETS, n=1)
        raise _Usage(f"unknown data set {options.name!r}{f'; did you mean {near[0]!r}?' if near else ''} One of: {', '.join(SETS)}")
    names = [options.name] if options.name else list(SETS)
    if options.status:
        print(f"data root: {root()}")
        for name in names:
            print(status(importlib.import_module(SETS[name])))
        return 0
    if options.name is None:
        raise _Usage(f"name a data set: {', '.join(SETS)} (or --status)")
    module = importlib.import_module(SETS[options.name])
    prepared = module.load(download=True, say=lambda text: print(text, file=sys.stderr, flush=True))
    if options.verify:
        prepared.verify()
    print(json.dumps(prepared.manifest, indent=1))
    print(f"{prepared.folder}: " + ("every array has its checksum" if options.verify else "complete"), file=sys.stderr)
    return 0


def guarded(argv: Sequence[str] | None = None) -> int:
    """`main`, with what it raises by design as one paragraph on stderr."""
    try:
        return main(argv)
    except _Usage as error:
        code, text = 2, str(error)
    except StorageError as error:
        code, text = 5, str(error)
    except DataError as error:
        code, text = 3, str(error)
    except KeyboardInterrupt:
        code, text = 4, "interrupted; the same command continues"
    print(f"error: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(guarded())
