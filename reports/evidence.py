"""What is done with a report: `show` renders it from the records there are; `commit` makes records part of the checkout first."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pandas as pd

from benchmarks import cli
from benchmarks.registry import BENCHMARKS
from benchmarks.running.environment import EnvironmentProblem
from benchmarks.running.store import Store, run_root, write_atomically
from models import DEFAULT_VARIANTS
from reports import frame, readme
from reports.frame import Expected
from reports.render import write, write_tables_and_figures

if TYPE_CHECKING:
    from benchmarks.spec import Scale
    from reports.page import Report

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, kw_only=True)
class Request:
    """A report that was asked for: the runs it wants, and how it is built from what was found of them."""

    expected: Sequence[Expected]
    build: Callable[[pd.DataFrame], Report]
    """From `frame.tidy(expected, store)`."""
    arrays: bool = True
    """Whether the report draws kernels, so that arrays are committed too."""


def show(request: Request, formats: Sequence[str] = ()) -> int:
    """Builds a report from the records there are, prints its tables and writes its page; the exit code."""
    report = request.build(frame.tidy(request.expected, frame.everywhere()))
    print("\n\n".join(table.text() for table in report.tables()))
    return show_page(report, formats)


def show_page(report: Report, formats: Sequence[str] = ()) -> int:
    """Writes the page into the run store and says what is missing. Holes are no error; the exit code."""
    missing = report.runs[report.runs["status"].isin(["missing", "failed"])] if len(report.runs) else report.runs
    if len(missing):
        print(f"\n{len(missing)} of {len(report.runs)} runs have no finished record. To make them:")
        print("\n".join(f"  {command}" for command in dict.fromkeys(missing["command"])))
    folder = run_root() / "reports" / report.name
    try:
        page = write(report, folder, formats)
    except OSError as error:
        raise EnvironmentProblem(
            f"the report cannot be written to {folder} ({error.strerror or error}). Make the folder writable, free some space, or point "
            "the environment variable SSM_RUNS at another folder."
        ) from error
    print(f"\n{page}")
    return cli.DONE


def arrays_wanted(expected: Sequence[Expected]) -> set[str]:
    """Ids of the runs whose arrays are committed too: seed 0 of the default rows of each benchmark asked for."""
    recipes = [
        BENCHMARKS[e.benchmark].recipe(v, cast("Scale", e.scale))
        for e in {(e.benchmark, e.scale): e for e in expected}.values()
        for v in DEFAULT_VARIANTS
    ]
    return {recipe.with_seed(0).id for recipe in recipes}


def commit(request: Request) -> int:
    """Copies the records of a report into reports/records, arrays for seed 0 of the default rows only, and renders from the copy."""
    with_arrays = arrays_wanted(request.expected) if request.arrays else set()
    copied = dirty = 0
    for _, run in frame.tidy(request.expected, Store()).iterrows():
        found = run["found"]
        if found is None or run["status"] == "failed":
            continue
        target = frame.COMMITTED / run["benchmark"] / run["id"]
        target.mkdir(parents=True, exist_ok=True)
        found.arrays()  # verified before it is evidence
        write_atomically(target / "record.json", found.path.read_bytes())
        arrays = found.path.with_name("arrays.npz")
        if run["id"] in with_arrays and arrays.is_file():
            shutil.copyfile(arrays, target / "arrays.npz")
        copied, dirty = copied + 1, dirty + int(run["dirty"])
    report = request.build(frame.tidy(request.expected, frame.committed()))
    files = write_tables_and_figures(report, HERE / "tables", HERE / "figures")
    in_readme = readme.write(report, HERE.parent / "README.md")
    holes = int(report.runs["status"].isin(["missing", "failed"]).sum())
    print(f"{copied} records copied into reports/records, {len(files)} files rendered from there into reports/tables and reports/figures")
    print("the README shows them" if in_readme else f"the README has no markers <!-- results: {report.name} -->, so it is as it was")
    if holes:
        print(f"note: {holes} of {len(report.runs)} runs have no committed record and show as holes", file=sys.stderr)
    if dirty:
        print(f"note: {dirty} records were made by code with uncommitted changes (environment.dirty)", file=sys.stderr)
    return cli.DONE
