"""The report on the profiles of a benchmark's training steps, made by `python -m benchmarks.speed.profile`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.benchmark import Benchmark
from benchmarks.cli import UsageError
from benchmarks.registry import BENCHMARKS
from benchmarks.running.store import Store
from benchmarks.speed.profile_record import FOLDER, Profile, read_profiles
from models import VARIANTS
from models.choices.names import choose
from reports.parts.frame import machine_of
from reports.parts.report import Report
from reports.request import Request, command
from reports.sections.profile import compose_profile


@dataclass(frozen=True, kw_only=True)
class ProfileRequest(Request):
    """The report on a benchmark's profiles, which are no records of runs."""

    benchmark: Benchmark

    def answer(self, store: Store) -> Report:
        folders = [root / FOLDER / self.benchmark.name for _, root in store.roots]
        found: dict[tuple[object, ...], Profile] = {}
        for p in (p for folder in reversed(folders) for p in read_profiles(folder)):  # the first root wins
            found[p.variant, p.scale, p.environment.get("device")] = p
        if not found:
            raise UsageError(
                f"no profile of {self.benchmark.name} yet; `python -m benchmarks.speed.profile {self.benchmark.name}` makes one"
            )
        return report_profile(list(found.values()), self.benchmark, name=self.name, make=command(self.words))

    def documents(self, store: Store) -> Mapping[str, Path]:
        place = f"{FOLDER}/{self.benchmark.name}"
        files = [path for _, root in reversed(store.roots) for path in sorted((root / place).glob("*.json"))]
        return {f"{place}/{path.name}": path for path in files}


def request_profile(name: str) -> ProfileRequest:
    """The report of a benchmark. Raises ValueError that names the nearest."""
    benchmark = choose("benchmark", name, BENCHMARKS)
    words = ("profile", name)
    empty = lambda _: report_profile((), benchmark, name=f"profile-{name}", make=command(words))
    return ProfileRequest(name=f"profile-{name}", words=words, expected=(), build=empty, benchmark=benchmark)


def report_profile(found: Sequence[Profile], benchmark: Benchmark, *, name: str, make: str) -> Report:
    """A page for the rows that were profiled, in the order of the tables."""
    order = list(VARIANTS)
    rows = sorted(found, key=lambda p: (str(p.environment.get("device")), order.index(p.variant) if p.variant in order else len(order)))
    scales = sorted({p.scale for p in rows})
    machines = dict.fromkeys(machine_of(p.environment) for p in rows)
    sizes = dict.fromkeys(f"batch {p.batch}, {p.length} steps" for p in rows)
    return Report(
        name=name, title=f"A training step of {benchmark.title}", scale=" and ".join(scales), about=benchmark.about,
        summary=(f"{'; '.join(sizes)}; on {'; '.join(machines)}.",) if rows else (), sections=(compose_profile(rows, name=name),),
        runs=pd.DataFrame(), labels=(), make=make,
        environment=pd.DataFrame([_environment(p) for p in rows]).drop_duplicates(ignore_index=True),
    )  # fmt: skip


def _environment(p: Profile) -> dict[str, str]:
    return {key: str(p.environment.get(key, "")) for key in ("code", "dirty", "python", "torch", "platform", "cpu", "device", "threads")}
