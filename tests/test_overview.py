"""The table of all benchmarks: a row for each and for each protocol with runs, from the registry and the records alone."""

from __future__ import annotations

import json
import math
import runpy
from pathlib import Path

from benchmarks.benchmark import KINDS
from benchmarks.registry import BENCHMARKS, select_benchmark
from benchmarks.running.store import Store
from benchmarks.spec import RunSpec, canonical, every_field
from reports.overview import compose_overview, describe_task, tabulate_benchmarks
from reports.parts.frame import Expected
from reports.readme import write_map, write_page
from reports.sections.matrix import Line, mean_shares
from reports.standings import find_standings

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
    table = tabulate_benchmarks(find_standings(Store(())))
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
    cells = tabulate_benchmarks(find_standings(Store.at(tmp_path))).cells.set_index("benchmark")
    assert cells.loc["digits", "minutes"] == "1.5"
    assert cells.loc["digits", "best row"].startswith("s4, 90.50 ± 0.71 (2) %")
    assert cells.loc["digits", "constant answer"] == "10.00"
    assert cells.loc["digits", "behind it"] == "1 of 2: hope (40.00)"
    assert list(cells.loc["copying"])[2:] == ["–", "12.50", "no row beats the constant answer"]


def test_the_task_is_said_in_words() -> None:
    assert describe_task(BENCHMARKS["digits"].recipe("s4", "quick")) == "64 steps; 16 epochs in batches of 32"
    assert describe_task(BENCHMARKS["induction"].recipe("s4", "quick")) == "32 steps; 12 epochs in batches of 32"


def test_it_stands_on_the_page_and_between_its_markers(tmp_path: Path) -> None:
    overview, readme = compose_overview(Store(())), tmp_path / "README.md"
    markers = "<!-- rows -->\n<!-- end rows -->\n"
    readme.write_text(f"before\n{markers}<!-- benchmarks -->\nof yesterday\n<!-- end benchmarks -->\nafter\n")
    assert write_map(overview, readme)
    text = readme.read_text()
    assert "of yesterday" not in text
    assert "| lra-listops | at most 200 tokens;" in text
    assert "](reports/figures/rows-by-task.svg)" in text
    assert text.endswith("<!-- end benchmarks -->\nafter\n")
    readme.write_text("nothing")
    assert not write_map(overview, readme)
    write_page([], readme, overview=overview)
    assert "## Which row, which benchmark" in readme.read_text()
    assert "](figures/rows-by-task.svg)" in readme.read_text()


def test_a_cell_is_a_mean_its_mark_and_its_share_of_what_can_be_learned(tmp_path: Path) -> None:
    digits, copying = BENCHMARKS["digits"], BENCHMARKS["copying"]
    for variant, scores in {"s4": (0.9, 0.91), "hope": (0.5, 0.51), "s4d-lin": (0.91, 0.89), "dss-exp": (0.1, 0.1)}.items():
        for seed, score in enumerate(scores):
            put(tmp_path, digits.recipe(variant, "quick").with_seed(seed), score, 0.1)
    put(tmp_path, copying.recipe("s4", "quick").with_seed(0), 0.12, 0.125)
    standings = {s.name: s for s in find_standings(Store.at(tmp_path))}
    line = Line("digits", "", "pictures", standings["digits"].rows, standings["digits"].metric)
    cells = {v: (line.text(r), round(line.share(r.summary.mean), 3)) for v, r in line.rows.items()}
    assert cells == {"s4": ("90.5", 1.0), "hope": ("50.5▾", 0.503), "s4d-lin": ("90.0", 0.994), "dss-exp": ("10.0°", 0.0)}
    nothing = Line("copying", "", "memory", standings["copying"].rows, standings["copying"].metric)
    assert [nothing.text(r) for r in nothing.rows.values()] == ["12.0°"]
    assert math.isnan(nothing.share(0.12))
    overview = compose_overview(Store.at(tmp_path))
    texts = [t.get_text() for t in overview.picture.figure.axes[0].texts]
    assert texts[:4] == ["s4", "dss-exp", "s4d-lin", "hope"]
    assert [t for t in texts if t in KINDS.values()] == ["pictures, pixel by pixel", "memory, over noise or a gap"]
    assert overview.scores.pipes().splitlines()[2:] == [
        "| pictures, pixel by pixel: mean share | 100 ± 1 | 0 ± 0▾ | 99 ± 2 | 50 ± 1▾ |",
        "| digits | **90.5** | 10.0° | 90.0 | 50.5▾ |",
        "| memory, over noise or a gap: mean share |  |  |  |  |",
        "| copying, one seed | 12.0° | – | – | – |",
    ]


def test_the_mean_share_of_a_kind_is_over_what_any_row_learns_and_every_row_has_run(tmp_path: Path) -> None:
    scores = {"digits": {"s4": 0.9, "hope": 0.5, "hope-paper-rates": 0.7}, "copying": {"s4": 0.3, "hope": 0.6}, "mqar": {"s4": 0.9}}
    for name, of_rows in scores.items():
        for variant, score in of_rows.items():
            put(tmp_path, BENCHMARKS[name].recipe(variant, "quick").with_seed(0), score, 0.1)
    for variant in ("s4", "hope"):  # on which neither learns
        put(tmp_path, BENCHMARKS["induction"].recipe(variant, "quick").with_seed(0), 0.1, 0.1)
    standings = [s for s in find_standings(Store.at(tmp_path)) if s.rows]
    lines = [Line(s.name, "", "one kind", s.rows, s.metric) for s in standings]
    shares = lambda of: {v: round(share.summary.mean, 3) for v, share in mean_shares(of, ["s4", "hope", "hope-paper-rates"]).items()}
    assert shares(lines) == {"s4": 0.7, "hope": 0.75}
    assert shares(lines[:1]) == {"s4": 1.0, "hope": 0.5, "hope-paper-rates": 0.75}
    assert shares([line for line in lines if line.label == "mqar"]) == shares([]) == {}
    for variant, score in {"s4": 0.5, "hope": 0.4}.items():  # of two seeds: the others do not count any more
        put(tmp_path, BENCHMARKS["copying"].recipe(variant, "quick").with_seed(1), score, 0.1)
    standings = [s for s in find_standings(Store.at(tmp_path)) if s.rows]
    again = mean_shares([Line(s.name, "", "one kind", s.rows, s.metric) for s in standings], ["s4", "hope", "hope-paper-rates"])
    assert {v: (round(share.summary.mean, 3), share.summary.n) for v, share in again.items()} == {"s4": (0.75, 2), "hope": (1.0, 2)}
    assert [share.show() for share in again.values()] == ["75 ± 35", "100 ± 35"]
    behind = again["s4"].behind
    assert again["hope"].behind is None
    assert behind is not None
    assert not behind.above_zero  # 0.5 of one seed and nothing of the other


def test_an_error_is_better_when_it_is_less(tmp_path: Path) -> None:
    delay = BENCHMARKS["delay"]
    for variant, score in {"s4": 0.2, "hope": 0.45}.items():
        spec = delay.recipe(variant, "quick").with_seed(0)
        put(tmp_path, spec, 0.0, 0.0)
        path = tmp_path / "delay" / spec.id / "record.json"
        record = json.loads(path.read_text())
        record["metrics"] = {"test_rmse": score, "test_rmse_best_constant": 0.7}
        path.write_text(json.dumps(record))
    standing = next(s for s in find_standings(Store.at(tmp_path)) if s.name == "delay")
    line = Line("delay", "", "memory", standing.rows, standing.metric)
    assert {v: (line.text(r), round(line.share(r.summary.mean), 3)) for v, r in line.rows.items()} == {
        "s4": ("0.200", 1.0),
        "hope": ("0.450", 0.5),
    }


def test_a_protocol_with_which_nothing_learns_says_why() -> None:
    as_it_is, apart = (select_benchmark("bidmc-spo2", protocol=p).benchmark.recipe("s4d-lin", "quick") for p in (None, "split=patient"))
    assert as_it_is.idle == ""
    assert apart.idle.startswith("no row beats the mean on other patients")
    assert apart.idle in apart.notes
    assert select_benchmark("bidmc-hr", protocol="split=patient").benchmark.recipe("s4d-lin", "quick").idle == ""
