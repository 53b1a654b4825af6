"""What is done with a report: `show` renders it from the records there are; `commit` makes records part of the checkout first."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from benchmarks import cli
from benchmarks.registry import BENCHMARKS
from benchmarks.running.beside import StoredRecord
from benchmarks.running.environment import EnvironmentProblem
from benchmarks.running.record import DamagedRecord
from benchmarks.running.store import Store, run_root, write_atomically
from models import DEFAULT_VARIANTS
from reports import committed, readme
from reports.everything import Everything, find_strays
from reports.overview import Overview, compose_overview
from reports.parts import frame
from reports.parts.files import write, write_tables, write_tables_and_figures
from reports.parts.frame import Expected
from reports.parts.page import render_index
from reports.parts.pages import write_pages
from reports.parts.report import Report
from reports.parts.table import TEXT_WIDTH
from reports.request import Request

HERE = Path(__file__).resolve().parent


def show(report: Report, formats: Sequence[str] = ()) -> int:
    """Prints the tables of a report and what they say, and writes its page; the exit code."""
    said = (textwrap.fill(paragraph, TEXT_WIDTH) for paragraph in report.summary)
    print("\n\n".join([*(table.text() for table in report.tables()), *said]))
    return show_page(report, formats)


def show_page(report: Report, formats: Sequence[str] = ()) -> int:
    """Writes the page into the run store and says what is missing. Holes are no error; the exit code."""
    missing = report.missing()
    if len(missing):
        unused = dict.fromkeys(reason for reason in missing.loc[missing["status"] == "missing", "reason"] if reason)
        for reason in unused:
            print(f"\nnot counted: {reason}")
        print(f"\n{len(missing)} of {len(report.runs)} runs have no finished record. To make them:")
        print("\n".join(f"  {command}" for command in dict.fromkeys(missing["command"])))
    folder = run_root() / "reports" / report.name
    try:
        page = write(report, folder, formats)
    except OSError as error:
        raise unwritable(folder, error) from error
    print(f"\n{page}")
    return cli.DONE


def show_everything(all_of_it: Everything, formats: Sequence[str] = ()) -> int:
    """Writes a page for each report and an index of them into the run store; the exit code."""
    folder = run_root() / "reports" / "everything"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for report in write_pages(all_of_it.reports, folder, formats, index="../index.html"):
            print(f"{report.name}: {report.heading}", flush=True)
        pages = [(report, f"{report.name}/index.html") for report in all_of_it.reports]
        overview = compose_overview(frame.all_records())
        index = render_index(pages, overview.picture, strays=all_of_it.strays, empty=all_of_it.empty, records=all_of_it.records())
        write_atomically(folder / "index.html", index.encode())
    except OSError as error:
        raise unwritable(folder, error) from error
    if len(all_of_it.strays):
        print(f"\n{len(all_of_it.strays)} records are of no recipe any more; the index names them.")
    print(f"\n{folder / 'index.html'}")
    return cli.DONE


def unwritable(folder: Path, error: OSError) -> EnvironmentProblem:
    """What is said where a report has no place."""
    return EnvironmentProblem(
        f"the report cannot be written to {folder} ({error.strerror or error}). Make the folder writable, free some space, or point "
        "the environment variable SSM_RUNS at another folder."
    )


WITH_ARRAYS = ("digits-noise", "delay")
"""Benchmarks whose committed reports show the inside of kernels: one of a class, one of a signal. Arrays are nearly all of what the
evidence weighs."""


def arrays_wanted(expected: Sequence[Expected]) -> set[str]:
    """Ids of the runs whose arrays are committed too: seed 0 of the default rows, of benchmarks with arrays."""
    asked = {(e.benchmark, e.scale): e for e in expected if e.benchmark in WITH_ARRAYS}
    recipes = [BENCHMARKS[e.benchmark].recipe(v, e.scale) for e in asked.values() for v in DEFAULT_VARIANTS]
    return {recipe.with_seed(0).id for recipe in recipes}


def commit(request: Request, others: Sequence[Request]) -> int:
    """Copies the records of a report into reports/records and renders from the copy, with what the other committed reports say; the
    exit code."""
    copied, kept, dirty = copy_records(request)
    if dirty:
        print(f"note: {dirty} records were made by code with uncommitted changes (environment.dirty)", file=sys.stderr)
    print(f"{copied} records copied into reports/records" + (f"; {kept} of the same code stay as they are" if kept else ""))
    requests = committed.with_report(others, request)
    committed.write(requests, HERE)
    return render_committed(requests, fresh=(request.name,))


def copy_records(request: Request) -> tuple[int, int, int]:
    """Copies what the run store has of a report, and the arrays that `arrays_wanted` names; a committed record that the same code made
    stays. Returns how many are copied, how many stay, and how many of the copied are of code with uncommitted changes."""
    with_arrays = arrays_wanted(request.expected) if request.arrays else set()
    copied = kept = dirty = 0
    for _, run in frame.tidy(request.expected, Store()).iterrows():
        found = run["found"]
        if found is None or run["status"] == "failed":
            continue
        if _stands(found, run["benchmark"], run["id"], arrays=run["id"] in with_arrays):
            kept += 1
            continue
        target = frame.COMMITTED / run["benchmark"] / run["id"]
        target.mkdir(parents=True, exist_ok=True)
        found.arrays()  # verified before it is evidence
        write_atomically(target / "record.json", found.path.read_bytes())
        for old in target.glob("arrays*.npz"):
            old.unlink()
        arrays = found.arrays_path
        if run["id"] in with_arrays and arrays is not None and arrays.is_file():
            shutil.copyfile(arrays, target / arrays.name)
        copied, dirty = copied + 1, dirty + int(run["dirty"])
    for place, path in request.documents(frame.all_records()).items():
        (frame.COMMITTED / place).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(frame.COMMITTED / place, path.read_bytes())
        copied += 1
    return copied, kept, dirty


def _stands(found: StoredRecord, benchmark: str, id: str, *, arrays: bool) -> bool:
    """Whether the run is evidence already: a good record of it is committed, made by the code that made the one in the run store, and
    its arrays are there where they are wanted."""
    try:
        committed = frame.committed_records().find(benchmark, id)
        if committed is not None and arrays:
            committed.require_arrays()
    except DamagedRecord:
        return False
    code = lambda stored: stored.record.environment.get("content", "")
    return committed is not None and code(committed) == code(found) != ""


def render_committed(requests: Sequence[Request], fresh: Sequence[str] | None = None) -> int:
    """Renders committed reports from the committed records alone: their tables and figures (those named `fresh`, else all), the page
    reports/README.md, and what README.md shows of them; the exit code."""
    store = frame.committed_records()
    reports = [request.answer(store) for request in requests]
    for report in reports:
        if fresh is not None and report.name not in fresh:
            continue
        files = write_tables_and_figures(report, HERE / "tables", HERE / "figures")
        in_front = readme.write_block(report, HERE.parent / "README.md")
        print(
            f"{report.name}: {len(files)} files in reports/tables and reports/figures" + (", and a block in README.md" if in_front else "")
        )
        if holes := len(report.missing()):
            print(f"note: {holes} of {len(report.runs)} runs have no committed record and show as holes", file=sys.stderr)
    for name in readme.find_repeated(reports):
        (HERE / "figures" / name).unlink(missing_ok=True)
    overview = compose_overview(store)
    if fresh is None:
        _sweep(reports, overview)
    write_atomically(HERE / "figures" / overview.picture.file, overview.picture.drawn[1])
    write_tables((overview.scores,), HERE / "tables")
    readme.write_map(overview, HERE.parent / "README.md")
    write_committed_page(reports, store, overview, HERE / "README.md")
    print("reports/README.md shows every committed report")
    return cli.DONE


def write_committed_page(reports: Sequence[Report], store: Store, overview: Overview, path: Path) -> None:
    """One page of these reports, with the picture and the table of everything and the records in `store` that none of them shows."""
    readme.write_page(reports, path, find_strays(reports, frame.find_all(store)), overview)


def _sweep(reports: Sequence[Report], overview: Overview) -> None:
    """Removes tables and figures that no report has any more."""
    tables = [overview.scores, *(table for report in reports for table in report.tables())]
    shown = {f"{table.name}.{kind}" for table in tables for kind in ("txt", "md")}
    shown |= {overview.picture.file, *(plot.file for report in reports for plot in report.plots())}
    for path in (p for part in ("tables", "figures") for p in (HERE / part).glob("*") if p.name not in shown):
        path.unlink()
        print(f"{path.name}: removed, no report shows it")
