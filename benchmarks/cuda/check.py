"""The steps of a check under one clock. Whatever happens to one of them, the others come, and what is known is on disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from benchmarks.cuda import parcel
from benchmarks.running.environment import ROOT, Runtime, describe, usable_cores
from data.base import DataError

RESERVE: Final = 15.0
"""Seconds kept for the parcel."""
PATIENCE: Final = 12.0
"""Seconds between asking a step to end and ending it."""
EVERY: Final = 15.0
"""Seconds between two parcels while runs are made."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a check does: words for the commands of its steps, and the share of the time that each may take at the most."""

    tests: tuple[str, ...]
    tests_share: float
    speed: tuple[str, ...]
    speed_minutes: int
    runs: tuple[str, ...]
    """The module and its words."""
    sizes: tuple[tuple[int, int], ...]
    """(B, L) of the layers whose bandwidth is measured."""
    needs: str = ""
    """The data set that the runs need, where it has to be there."""


PLANS: Final[Mapping[str, Plan]] = {
    "cuda": Plan(
        tests=("-m", "gpu"),
        tests_share=0.3,
        speed=("--short",),
        speed_minutes=1,
        runs=("ablations", "image-short", "--seeds", "0", "--weights", "no"),
        sizes=((16, 1024), (4, 4096), (1, 65536)),
        needs="cifar10",
    ),
    # The dry run: a little of everything.
    "cpu": Plan(
        tests=("-m", "gpu", "-k", "samples or scan"),
        tests_share=0.4,
        speed=("--short", "--kind", "kernel", "--variant", "s4d-lin"),
        speed_minutes=1,
        runs=("benchmarks", "digits", "--variant", "s4d-lin", "--seeds", "0", "--weights", "no"),
        sizes=((2, 256),),
    ),
}


@dataclass
class Clock:
    """The time of a check."""

    allowed: float
    """Seconds."""
    begun: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds until the parcel has to be made."""
        return self.begun + self.allowed - RESERVE - time.monotonic()


def supervise(
    command: Sequence[str], log: Path, seconds: float, environment: Mapping[str, str], meanwhile: Callable[[], object] = lambda: None
) -> str:
    """Runs a command into a log for so many seconds at the most, calls `meanwhile` every now and then; how it ended. It does not outlive
    this call, also where the call is interrupted."""
    end = time.monotonic() + seconds
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        asked = False
        try:
            while True:
                try:
                    process.wait(timeout=max(0.1, min(EVERY, end - time.monotonic())))
                    break
                except subprocess.TimeoutExpired:
                    if time.monotonic() < end:
                        meanwhile()
                    elif not asked:
                        asked, end = True, time.monotonic() + PATIENCE
                        process.send_signal(signal.SIGINT)
                    else:
                        break
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    return f"ended by the clock, code {process.returncode}" if asked else f"code {process.returncode}"


def results_of_tests(file: Path) -> dict[str, Any]:
    """Counts, the names and first lines of what failed, and what tests found out, from pytest's report; empty where there is none."""
    try:
        suite = ElementTree.parse(file).getroot().find("testsuite")
    except (OSError, ElementTree.ParseError):
        return {}
    if suite is None:
        return {}
    count = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    failed, found, skipped = {}, {}, {}
    for case in suite.iter("testcase"):
        name = f"{str(case.get('classname')).rpartition('.')[2]}::{case.get('name')}"
        for bad in (*case.iter("failure"), *case.iter("error")):
            failed[name] = str(bad.get("message", "")).splitlines()[:1]
        for skip in case.iter("skipped"):
            skipped[name] = str(skip.get("message", "")).splitlines()[:1]
        properties = {p.get("name"): p.get("value") for p in case.iter("property")}
        if properties:
            found[name] = properties
    return {**count, "passed": count["tests"] - count["failures"] - count["errors"] - count["skipped"]} | {
        "failed": failed, "why_skipped": skipped, "found": found,
    }  # fmt: skip


class Check:
    """One check on one device; `summary` is what is known so far, and is written after every step."""

    def __init__(self, device: Literal["cpu", "cuda"], minutes: float, out: Path, packed: Path | None, workers: int) -> None:
        self.device: Literal["cpu", "cuda"] = device
        self.plan, self.clock = PLANS[device], Clock(60 * minutes)
        self.out, self.packed, self.workers = out.absolute(), packed, workers
        self.runs = out.absolute().parent / f".{out.name}-runs"
        self.environment = {**os.environ, "SSM_RUNS": str(self.runs), "PYTHONUNBUFFERED": "1"}
        self.summary: dict[str, Any] = {
            "environment": describe(Runtime(device=device, workers=workers)), "minutes": minutes, "cores": usable_cores(), "steps": {},
        }  # fmt: skip

    def step(self, name: str, work: Callable[[], str]) -> None:
        """Does one step where time is left, and notes how long it took and how it ended."""
        begun = time.monotonic()
        if self.clock.left < 5:
            ended = "left out: no time was left"
        else:
            try:
                ended = work()
            except Exception as error:  # noqa: BLE001 the other steps come all the same
                ended = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        self.summary["steps"][name] = {"seconds": round(time.monotonic() - begun, 1), "ended": ended}
        parcel.write_summary(self.out, self.summary)
        print(f"{name}: {ended}, {time.monotonic() - begun:.0f} s, {max(0.0, self.clock.left):.0f} s left", flush=True)

    def tests(self) -> str:
        """The tests marked gpu, in as many processes as pay."""
        file = self.out / "tests.xml"
        words = [
            *self.plan.tests, "-q", "--tb=short", "-W", "default", "-p", "no:benchmark", "-p", "no:cacheprovider",
            "-n", str(min(12, max(1, usable_cores() * 3 // 4))), "--dist=worksteal", "--durations=15", f"--junitxml={file}",
        ]  # fmt: skip
        environment = self.environment | {"SSM_TEST_DEVICE": self.device, "OMP_NUM_THREADS": "1"}
        limit = min(self.clock.left, self.plan.tests_share * self.clock.allowed)
        ended = supervise([sys.executable, "-m", "pytest", *words], self.out / "tests.log", limit, environment)
        self.summary["tests"] = results_of_tests(file)
        return ended

    def bandwidth(self) -> str:
        """The rate of a copy, and how near layers come to it."""
        from benchmarks.cuda.bandwidth import copy_rate, layer_rows

        rate = copy_rate(self.device)
        self.summary["bandwidth"] = {"copy_gb_s": rate / 1e9}
        self.summary["bandwidth"]["layers"] = layer_rows(self.device, rate, self.plan.sizes)
        return f"{rate / 1e9:.0f} GB/s"

    def speed(self) -> str:
        """The short table of speed."""
        words = [*self.plan.speed, "--device", self.device, "--minutes", str(self.plan.speed_minutes)]
        limit = min(self.clock.left, 60 * self.plan.speed_minutes + 30)
        ended = supervise([sys.executable, "-m", "benchmarks.speed", *words], self.out / "speed.log", limit, self.environment)
        for file in (self.runs / "speed").glob("*.json"):
            (self.out / parcel.SPEED).write_bytes(file.read_bytes())
        return ended

    def evidence(self) -> str:
        """Runs, several side by side, until the time is over; a run that is not finished by then is lost, and no other."""
        if self.packed is not None:
            from data.files.packed import unpack

            unpack(self.packed)
        if self.plan.needs:
            from data.registry import SETS

            if SETS[self.plan.needs].opened() is None:
                raise DataError(f"{self.plan.needs} is not here: python -m benchmarks.cuda pack makes what can be carried here")
        module, *words = self.plan.runs
        words += ["--device", self.device, "--workers", str(self.workers), "--threads", "1"]
        command = [sys.executable, "-m", module, *words]
        ended = supervise(command, self.out / "runs.log", self.clock.left, self.environment, self.parcel)
        return f"{ended}, {self.parcel()} records"

    def parcel(self) -> int:
        """Packs the records there are."""
        return parcel.pack_records(self.runs, self.out)

    def go(self) -> bool:
        """Every step; whether the tests passed."""
        self.out.mkdir(parents=True, exist_ok=True)
        for name, work in (("tests", self.tests), ("bandwidth", self.bandwidth), ("speed", self.speed), ("runs", self.evidence)):
            self.step(name, work)
        parcel.shorten_logs(self.out)
        tests = self.summary.get("tests") or {}
        return bool(tests.get("passed")) and not tests["failures"] and not tests["errors"]
