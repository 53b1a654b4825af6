"""python -m benchmarks.speed: how fast every row is, beside the textbook algorithms; the record goes into the run store."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import data.signals  # noqa: F401 the first of ours: what follows takes seconds
from benchmarks import cli
from benchmarks.running.environment import choose_device, usable_cores
from benchmarks.speed import allocation
from benchmarks.speed.case import KINDS


@dataclass(frozen=True, kw_only=True)
class Options:
    """Measure kernels, convolutions, layers, training steps and step mode of every row beside the textbook algorithms in plain torch."""

    device: Annotated[str, cli.option("--device", cli.one_of("device", cli.DEVICES), "|".join(cli.DEVICES)), cli.SHOWN] = "auto"
    """Where to measure; auto takes the GPU where there is one."""
    threads: Annotated[int | None, cli.option("--threads", cli.positive, "N"), cli.SHOWN] = None
    """CPU threads (default: one for each core)."""
    minutes: Annotated[int, cli.option("--minutes", cli.positive, "N"), cli.SHOWN] = 15
    """What does not fit into them is left out, the dearest first, and named."""
    variant: cli.Variants = ("all",)
    """Rows, separated by commas; all are the default rows, both forms of HOPE, and LRU."""
    kind: Annotated[tuple[str, ...], cli.option("--kind", cli.some_of("kind of work", KINDS), ",".join(KINDS)), cli.SHOWN] = KINDS
    """Kinds of work, separated by commas."""
    short: Annotated[bool, cli.SHOWN] = False
    """One or two sizes of each kind of work: a minute or two."""
    write_engines: Annotated[bool, cli.SHOWN] = False
    """Write models/engines.csv, by which layers choose how they are computed, from what this session finds of engines."""
    base: Annotated[str | None, cli.option("--base", str, "COMMIT"), cli.SHOWN] = None
    """Measure the code of this commit beside that of the working tree, instead of the textbook's."""


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = cli.read(Options, argv, prog="python -m benchmarks.speed")
    allocation.settle()
    from benchmarks.speed.base import compare_with
    from benchmarks.speed.command import measure_all
    from benchmarks.speed.plan import choose_groups
    from benchmarks.speed.sizes import ROWS
    from models.choices.names import choose

    with cli.as_usage():
        rows = ROWS if "all" in options.variant else tuple(choose("variant", name, {row: row for row in ROWS}) for name in options.variant)
    device, threads = choose_device(options.device), options.threads or usable_cores()
    groups = choose_groups(device, rows, options.kind, short=options.short)
    if options.base is not None:
        if options.write_engines:
            raise cli.UsageError("--write-engines is for what this tree measures of itself; --base compares it with another")
        return compare_with(options.base, groups, device, threads, options.minutes)
    return measure_all(groups, device, threads, options.minutes, write_engines=options.write_engines)


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
