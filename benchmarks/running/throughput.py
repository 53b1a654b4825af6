"""Samples per second that the loaders feed, on one thread, for every benchmark whose data are prepared.

Run it as python -m benchmarks.running.throughput.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator

from benchmarks import cli
from benchmarks.registry import BENCHMARKS
from benchmarks.spec import RunSpec
from data.base import DataError
from data.subsets import SplitSpec

SECONDS = 0.2
"""How long each loader is watched, after one batch of warm-up."""


def samples_per_second(run: RunSpec) -> float:
    """Training samples made per second at the batch size of `run`. Raises DataError where the data are damaged."""
    loader = run.data.build(batch_size=run.batch_size, seed=run.seed).train_dataloader()
    next(iter(loader))
    made, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        for batch in loader:
            made += len(batch["y"])
            if time.perf_counter() - begun >= SECONDS:
                break
    return made / (time.perf_counter() - begun)


def rates() -> Iterator[tuple[str, float]]:
    """(benchmark, rate) at its smallest scale, as they are measured; those whose data are not prepared are left out: this prepares
    nothing."""
    import torch

    torch.set_num_threads(1)
    for name, benchmark in BENCHMARKS.items():
        run = benchmark.recipe("s4d-lin", benchmark.scales[0]).run
        try:
            if not isinstance(run.data, SplitSpec) or run.data.opened() is not None:
                yield name, samples_per_second(run)
        except DataError:
            continue


def main() -> int:
    """Prints a line of JSON for each, [name, rate]; the exit code."""
    for name, rate in rates():
        print(json.dumps([name, round(rate)]), flush=True)
    return cli.DONE


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
