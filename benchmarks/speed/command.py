"""The command itself: anchors, then the plan, with a record that grows with every group, and what the terminal is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch

from benchmarks import cli
from benchmarks.running.environment import ROOT, Runtime, describe
from benchmarks.speed import allocation
from benchmarks.speed.anchor import ALLOCATIONS, CASES, Anchor, anchors
from benchmarks.speed.case import OURS, Case, Timing
from benchmarks.speed.engines import merged, points
from benchmarks.speed.measure import Here, bandwidth
from benchmarks.speed.plan import Group, full_plan
from benchmarks.speed.public import installed
from benchmarks.speed.record import Session
from benchmarks.speed.results import Results, textbook
from benchmarks.speed.session import MEMORY, Clock, free_memory_mb, load, measure_in_turn, run_groups
from benchmarks.speed.targets import targets
from benchmarks.speed.work import build
from benchmarks.speed.worker import Elsewhere
from models.engines import TABLE, table, write_table


def tell(text: str) -> None:
    """A line for whoever watches."""
    print(text, flush=True)


def begin(plan: Literal["full", "part", "base"], device: str, threads: int, minutes: int) -> Session:
    """A session without numbers."""
    free = free_memory_mb()
    here = describe(Runtime(device="cuda" if device == "cuda" else "cpu", threads=threads))
    return Session(
        plan=plan,
        environment=here | {"load_at_start": load(), "minutes": minutes, "packages": installed()}
        | {"bandwidth_gb_s": round(bandwidth(torch.device(device)), 1)}
        | {"free_memory_gb": None if free is None else round(free / 1e3, 1)}
    )  # fmt: skip


def limit_of(device: str) -> float | None:
    """The most memory that a case may be expected to take, in MB."""
    if device == "cuda":
        return MEMORY * torch.cuda.mem_get_info()[0] / 1e6
    free = free_memory_mb()
    return None if free is None else MEMORY * free


def check_anchors(threads: int) -> list[Anchor]:
    """The ratios of the textbook code on this machine's CPU, under both ways to hand out memory."""
    found = []
    for words, environment in zip(ALLOCATIONS, (allocation.as_it_comes(), allocation.settled()), strict=True):
        with Elsewhere("anchor", ROOT, "cpu", threads, environment) as measurer:
            measured = measure_in_turn([(measurer, case) for case in CASES])
        if not measured.unable:
            found += anchors({CASES[i]: t.median for i, t in measured.timings.items()}, words)
        tell("\n".join(f"anchor: {a.words}" for a in found[-2:]) if not measured.unable else f"no anchor: {measured.unable}")
    return found


def row(case: Case, timing: Timing) -> Mapping[str, Any]:
    """What a record keeps of a case."""
    return {"case": case.to_json(), **timing.to_json()}


def in_lines(timings: Mapping[Case, Timing], results: Results) -> str:
    """A group for the terminal: time, spread, memory, and the ratio to the textbook, where that was measured."""
    lines = []
    for case, timing in timings.items():
        ratio, cpu, memory = (results.ratio(case, what) for what in ("ms", "cpu_ms", "peak_mb"))
        known = case.by == OURS and textbook(case) in results.found
        beside = f"  {ratio:6.1f}x  (cpu {cpu:.1f}x)  memory 1/{memory:.0f}" if known else ""
        per = timing.to_json()
        lines.append(
            f"    {case.row:<14} {case.by:<9} {per['ms']:>9.4g} ms ({per['min']:.4g} to {per['max']:.4g}, cpu {per['cpu_ms']:.4g})"
            f" {per['peak_mb']:>8.4g} MB{beside}"
        )
    return "\n".join(lines)


def measure_all(groups: Sequence[Group], device: Literal["cpu", "cuda"], threads: int, minutes: int, *, write_engines: bool) -> int:
    """Measures these groups on a device and writes the record, and on request the table of engines; the exit code."""
    torch.set_num_threads(threads)
    clock = Clock(60 * minutes)
    session = begin("full" if tuple(groups) == full_plan(device) else "part", device, threads, minutes)
    tell(f"{session.environment['cpu']}, {session.environment['device']}, {threads} threads, load {session.environment['load_at_start']}")
    session.anchors = [anchor.to_json() for anchor in check_anchors(threads)]

    def seen(group: Group, by_measurer: Sequence[Mapping[Case, Timing]]) -> None:
        (timings,) = by_measurer
        session.results += [row(case, timing) for case, timing in timings.items()]
        tell(in_lines(timings, Results.from_json(session.results)))
        session.write()

    left_out = run_groups(groups, [Here(device, build)], clock, seen=seen, say=tell, limit_mb=limit_of(device))
    session.left_out = [vars(hole) for hole in left_out]
    verdicts = [t.judge(Results.from_json(session.results)) for t in targets(device)]
    session.targets = [v.to_json() for v in verdicts]
    session.environment = {**session.environment, "load_at_end": load(), "seconds": round(clock.gone)}
    path = session.write()
    for v in verdicts:
        if v.found is not None:
            sign = ">=" if v.sense == "at least" else "<="
            tell(f"{'met    ' if v.met else 'NOT met'} {v.what}: {v.found:.3g} {v.unit} ({sign} {v.wanted:g})")
    if unknown := sum(v.found is None for v in verdicts):
        tell(f"{unknown} targets were not measured")
    if write_engines:
        found = points(Results.from_json(session.results), device)
        write_table(merged(table(), found))
        tell(f"{len(found)} points of engines written into models/{TABLE.name}")
    tell(f"\n{path}\nThe page: python -m reports speed")
    return cli.DONE
