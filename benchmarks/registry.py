"""BENCHMARKS: every benchmark of the suite by name, collected from the files that define them."""

from __future__ import annotations

from typing import Final

from benchmarks import images, pixels
from benchmarks.spec import Benchmark

BENCHMARKS: Final[dict[str, Benchmark]] = {benchmark.name: benchmark for benchmark in (*pixels.BENCHMARKS, *images.BENCHMARKS)}
