"""A session of made-up numbers: every case of the full plan, each as long as it is expected to take."""

from __future__ import annotations

from typing import Any

from benchmarks.speed.anchor import ALLOCATIONS, PUBLISHED, Anchor
from benchmarks.speed.case import Case
from benchmarks.speed.plan import expected_mb, expected_seconds, full_plan
from benchmarks.speed.record import Session
from benchmarks.speed.results import Results
from benchmarks.speed.targets import targets


def numbers(case: Case) -> dict[str, Any]:
    """What a record keeps of a case, made up."""
    ms = 1e3 * expected_seconds(case)
    return {
        "case": case.to_json(),
        "ms": ms,
        "min": 0.9 * ms,
        "max": 1.2 * ms,
        "cpu_ms": 1.5 * ms,
        "runs": 5,
        "peak_mb": 1 + expected_mb(case),
    }


def session(device: str = "cpu", anchored: float = 1.0) -> Session:
    """A full session; `anchored` is the textbook's anchor over that of the public code."""
    rows = [numbers(case) for group in full_plan(device.split(" ")[0]) for case in group.cases]
    anchors = [Anchor(row=r, allocation=a, ratio=anchored * p, published=p, faster=20.0) for a in ALLOCATIONS for r, p in PUBLISHED.items()]
    return Session(
        plan="full",
        environment={"device": device, "date": "2026-11-26T12:00:00+00:00", "cpu": "a CPU", "threads": 2, "bandwidth_gb_s": 1000.0},
        anchors=[a.to_json() for a in anchors],
        results=rows,
        targets=[t.judge(Results.from_json(rows)).to_json() for t in targets(device.split(" ")[0])],
    )  # fmt: skip
