"""The table of all benchmarks: a row for each and for each protocol with runs, from the registry and the records alone."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

from benchmarks.registry import BENCHMARKS, select_benchmark
from benchmarks.running.store import Store
from benchmarks.spec import RunSpec, canonical, every_field
from reports.overview import describe_task, tabulate_benchmarks
from reports.parts.frame import Expected
from reports.readme import write_map, write_page

made = runpy.run_path(str(Path(__file__).with_name("synthetic_records.py")))


def put(folder: Path, spec: RunSpec, accuracy: float, constant: float) -> None:
    """A record of `spec` with this score, and with the spec that it was made with."""
    e = Expected(labels={"variant": "x"}, benchmark=spec.benchmark, id=spec.id, seed=spec.seed, scale=spec.scale, command="")
    made["write"](folder, e, level=accuracy, arrays=False)
    path = folder / spec.benchmark / spec.id / "record.json"
    record = json.loads(path.read_text())
    record["metrics"] |= {"test_accuracy": accuracy, "test_accuracy_best_constant": constant}
    record["cost"]["wall_seconds"] = 90.0
    record |= {"spec": canonical(spec), "spec_full": every_field(spec)}
    path.write_text(json.dumps(record))


def test_without_records_every_benchmark_has_its_task_and_a_reason_where_nothing_learns() -> None:
    table = tabulate_benchmarks(Store(()))
    assert list(table.cells["benchmark"]) == list(BENCHMARKS)
    cells = table.cells.set_index("benchmark")
    assert cells.loc["lra-listops", "task at quick scale"].startswith("at most 200 tokens; 256 steps; ")
    for name, benchmark in BENCHMARKS.items():
        assert cells.loc[name, "behind it"] == (benchmark.recipe("s4d-lin", "quick").idle or "no run yet")


def test_a_row_says_what_a_run_takes_which_row_is_best_and_what_is_behind_it(tmp_path: Path) -> None:
    digits, copying = BENCHMARKS["digits"], BENCHMARKS["copying"]
    for variant, scores in {"s4": (0.9, 0.91), "hope": (0.5, 0.51), "s4d-lin": (0.91, 0.90)}.items():
        for seed, score in enumerate(scores):
            put(tmp_path, digits.recipe(variant, "quick").with_seed(seed), score, 0.1)
    put(tmp_path, copying.recipe("s4", "quick").with_seed(0), 0.12, 0.125)
    cells = tabulate_benchmarks(Store.at(tmp_path)).cells.set_index("benchmark")
    assert cells.loc["digits", "minutes"] == "1.5"
    assert cells.loc["digits", "best row"].startswith("s4, 90.50 ± 0.71 (2) %")
    assert cells.loc["digits", "constant answer"] == "10.00"
    assert cells.loc["digits", "behind it"] == "1 of 2: hope (40.00)"
    assert list(cells.loc["copying"])[2:] == ["–", "12.50", "no row beats the constant answer"]


def test_the_task_is_said_in_words() -> None:
    assert describe_task(BENCHMARKS["digits"].recipe("s4", "quick")) == "64 steps; 16 epochs in batches of 32"
    assert describe_task(BENCHMARKS["induction"].recipe("s4", "quick")) == "32 steps; 4 epochs in batches of 32"


def test_it_stands_on_the_page_and_between_its_markers(tmp_path: Path) -> None:
    table, readme = tabulate_benchmarks(Store(())), tmp_path / "README.md"
    readme.write_text("before\n<!-- benchmarks -->\nof yesterday\n<!-- end benchmarks -->\nafter\n")
    assert write_map(table, readme)
    text = readme.read_text()
    assert "of yesterday" not in text
    assert "| lra-listops | at most 200 tokens;" in text
    assert text.endswith("<!-- end benchmarks -->\nafter\n")
    readme.write_text("nothing")
    assert not write_map(table, readme)
    write_page([], readme, overview=table)
    assert "## Which benchmark" in readme.read_text()


def test_a_protocol_with_which_nothing_learns_says_why() -> None:
    as_it_is, apart = (select_benchmark("bidmc-spo2", protocol=p).benchmark.recipe("s4d-lin", "quick") for p in (None, "split=patient"))
    assert as_it_is.idle == ""
    assert apart.idle.startswith("no row beats the mean on other patients")
    assert apart.idle in apart.notes
    assert select_benchmark("bidmc-hr", protocol="split=patient").benchmark.recipe("s4d-lin", "quick").idle == ""
