"""python -m benchmarks.cuda check | pack | take: a card that is at hand for minutes, put to use with one command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import data.signals  # noqa: F401 the first of ours: what follows takes seconds
from benchmarks import cli
from benchmarks.running.environment import ROOT, choose_device, usable_cores

WORDS: Final = ("check", "pack", "take")
PACKED: Final = ROOT / ".pack" / "cifar10-grey.tar.xz"
"""Where `pack` writes to, and where `check` looks."""
OUT: Final = "cuda-check"
MINUTES: Final = {"cuda": 8, "cpu": 4}
RUNS_A_CARD: Final = 7
"""Side by side on a GPU, where the cores suffice: a run of the small scale spends most of its time in Python."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """check: device tests, bandwidth, speed, and runs with the time left, into one folder of at most eight files. pack: grey CIFAR-10 as
    one file that can be carried to a machine without a network. take: the records of such a folder into the run store of this checkout."""

    name: cli.Name = None
    """check, pack or take."""
    device: Annotated[str, cli.option("--device", cli.one_of("device", cli.DEVICES), "|".join(cli.DEVICES)), cli.SHOWN] = "cuda"
    """cpu is the dry run: a little of every step."""
    minutes: Annotated[int | None, cli.option("--minutes", cli.positive, "N"), cli.SHOWN] = None
    """For everything (default: 8; 4 for the dry run)."""
    folder: Annotated[str | None, cli.option("--folder", str, "DIR"), cli.SHOWN] = None
    """Where results go, or are taken from (default: cuda-check in $OUT, or in the run store)."""
    workers: Annotated[int | None, cli.option("--workers", cli.positive, "N"), cli.SHOWN] = None
    """Runs side by side (default: 7, where there are two cores for each)."""
    data: cli.Folder = None
    """The folder of all data sets (default: $SSM_DATA, or one in the user's cache)."""


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = cli.read(Options, argv, prog="python -m benchmarks.cuda")
    if options.data is not None:
        os.environ["SSM_DATA"] = options.data
    with cli.as_usage():
        word = cli.one_of("word", WORDS)(options.name or "")
    from benchmarks.running.store import run_root

    folder = Path(options.folder) if options.folder is not None else Path(os.environ.get("OUT") or run_root()) / OUT
    if word == "pack":
        from data.files.packed import pack
        from data.images.cifar import load

        prepared = load()
        PACKED.parent.mkdir(parents=True, exist_ok=True)
        pack(prepared, ("grey", "labels", "order"), PACKED)
        print(f"{PACKED.relative_to(ROOT)}: {PACKED.stat().st_size / 1e6:.1f} MB, all images in grey")
        return cli.DONE
    if word == "take":
        from benchmarks.cuda.parcel import take

        print("\n".join([*take(folder), "Their page: python -m reports grid image-short --seeds 0 --commit"]))
        return cli.DONE
    device = choose_device(options.device)
    from benchmarks.cuda.check import Check

    workers = options.workers or max(1, min(RUNS_A_CARD, usable_cores() // 2))
    check = Check(device, options.minutes or MINUTES[device], folder, PACKED if PACKED.is_file() else None, workers)
    passed = check.go()
    print(f"{folder}: {', '.join(sorted(p.name for p in folder.iterdir() if not p.name.startswith('.')))}")
    return cli.DONE if passed else cli.SOME_FAILED


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
