"""Records of no recipe: runs with fields set by hand, or of a sweep; each named by the row whose recipe it is nearest to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from benchmarks.benchmark import Benchmark
from benchmarks.changes import label_changes
from benchmarks.rebuild import CannotRebuild
from benchmarks.running.store import StoredRecord
from benchmarks.spec import RunSpec, Scale, every_field
from models import VARIANTS
from reports.benchmark import report_benchmark
from reports.parts.frame import Expected
from reports.parts.report import Report
from reports.request import Request


def request_changed(benchmark: Benchmark, records: Sequence[StoredRecord]) -> Iterator[Request]:
    """A report for each scale of which there are such records: a row for each run, whatever its seed."""
    for scale in benchmark.scales:
        expected = []
        for stored in records:
            if stored.record.scale == scale and (label := name_run(stored, benchmark, scale)):
                record = stored.record
                expected.append(
                    Expected(
                        labels={"variant": label}, benchmark=benchmark.name, id=record.id, seed=record.seed, scale=scale,
                        command="", source="set by hand", about="a recipe with these fields changed",
                    )
                )  # fmt: skip
        if expected:
            name = f"{benchmark.name}-changed" + ("" if scale == benchmark.scales[0] else f"-{scale}")
            plain = replace(benchmark, title=f"{benchmark.title}, runs of no recipe", published=(), beside=False)
            expected.sort(key=lambda e: (e.labels["variant"], e.seed))
            build = partial(_report, benchmark=plain, scale=scale, name=name)
            yield Request(name=name, words=("everything",), expected=expected, build=build, arrays=False)


def _report(runs: pd.DataFrame, *, benchmark: Benchmark, scale: Scale, name: str) -> Report:
    return report_benchmark(runs, benchmark, scale, name=name, make="python -m reports everything")


def name_run(stored: StoredRecord, benchmark: Benchmark, scale: Scale) -> str:
    """The row that a run is nearest to, and what is changed: "s4d-lin [d_state 16]". Empty where its spec cannot be stated any more."""
    try:
        own = flat(every_field(RunSpec.from_record(stored.record.spec)))
    except CannotRebuild:
        return ""
    differences = {}
    for name in VARIANTS:
        if benchmark.has_recipe(name, scale):
            recipe = flat(every_field(benchmark.recipe(name, scale).run))
            differences[name] = {k: v for k, v in own.items() if recipe.get(k) != v} | dict.fromkeys(recipe.keys() - own.keys(), "–")
    if not differences:
        return ""
    nearest = min(differences, key=lambda name: len(differences[name]))
    texts = {name.removesuffix(".type"): value for name, value in differences[nearest].items() if value != "–"}
    return f"{nearest} {label_changes(texts)}" if texts else nearest


def flat(spec: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """The fields of a spec with every default written out, by dotted name, as SET would write them; without the seed and versions."""
    out: dict[str, str] = {}
    for name, value in spec.items():
        if isinstance(value, Mapping):
            out |= flat(value, f"{prefix}{name}.")
        elif name not in ("version", "seed") and (prefix or name != "type"):
            out[f"{prefix}{name}"] = _written(value)
    return out


def _written(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(map(_written, value)) or "none"
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
