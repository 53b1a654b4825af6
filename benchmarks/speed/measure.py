"""Time and memory of the cases, in this process."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from typing import Literal

import torch

from benchmarks.speed.case import Case

Work = Callable[[], object]


class Unable(Exception):
    """This case cannot be measured here; the message says why."""


class Here:
    """Measures in this process. `builds` makes the work of a case; it may raise anything, which becomes `Unable`."""

    name = ""

    def __init__(self, device: Literal["cpu", "cuda"], builds: Callable[[Case, torch.device], Work]) -> None:
        self.device, self.builds = torch.device(device), builds
        self.ready: dict[Case, Work] = {}

    def prepare(self, case: Case) -> float:
        """Builds the case and runs it once to warm up; the most memory of that run, in MB. Raises Unable."""
        torch.manual_seed(0)
        try:
            work = self.builds(case, self.device)
            peak = peak_of(work, self.device)
        except Exception as error:
            self.give_back()  # what was prepared before stays
            sentence = next((line for line in str(error).splitlines() if line.strip()), "")
            raise Unable(f"{type(error).__name__}: {sentence}".rstrip(": ")) from error
        self.ready[case] = work
        return peak

    def time(self, case: Case) -> tuple[float, float]:
        """Seconds of one run of a prepared case: on the clock, and of the CPU."""
        work = self.ready[case]
        self.wait()
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        self.wait()
        return time.perf_counter() - wall, time.process_time() - cpu

    def wait(self) -> None:
        """Until the device has done all it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def drop(self) -> None:
        """Forgets what was prepared."""
        self.ready.clear()
        self.give_back()

    def give_back(self) -> None:
        """Memory that nothing uses any more."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def bandwidth(device: torch.device) -> float:
    """10^9 bytes a second that a copy of 256 MB reads and writes."""
    source = torch.ones(64 << 20, device=device)
    target = torch.empty_like(source)
    here = Here("cuda" if device.type == "cuda" else "cpu", lambda *_: lambda: target.copy_(source))
    case = Case(kind="forward", row="copy", L=1)
    here.prepare(case)
    return 2 * source.nbytes / min(here.time(case)[0] for _ in range(5)) / 1e9


def peak_of(work: Work, device: torch.device) -> float:
    """The most memory in tensors that one run holds at a time, over what was there before, in MB (10^6 bytes).

    On CUDA the allocator says so. On a CPU every allocation and release of torch's allocator is noted by its profiler and added up, which
    counts temporaries inside operations too, and no pages that an allocator keeps for the next time.
    """
    if device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        torch.cuda.synchronize()
        return (torch.cuda.max_memory_allocated() - before) / 1e6
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # it speaks of GPUs that are not there
    with torch.autograd.profiler.profile(profile_memory=True) as noted:
        work()
    assert noted.kineto_results is not None
    changes = sorted((e.start_ns(), e.nbytes()) for e in noted.kineto_results.events() if e.name() == "[memory]")
    held = peak = 0
    for _, change in changes:
        held += change
        peak = max(peak, held)
    return peak / 1e6
