"""From records to frames to tables: looked up by id, holes visible, marks earned, every format from the same cells."""

from __future__ import annotations

import csv
import io
import json
import math
import runpy
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from ablations.registry import ABLATIONS
from benchmarks.benchmark import Published
from benchmarks.registry import BENCHMARKS
from benchmarks.running.record import DamagedRecord
from benchmarks.running.store import Store
from reports import __main__ as command
from reports import committed, evidence
from reports.grid import report_grid
from reports.parts import frame
from reports.parts.judge import chance_of, describe_rows, explain, judge_variants
from reports.parts.metric import METRICS
from reports.parts.table import HOLE, TEXT_WIDTH, Table
from reports.sections.along import lines_along
from reports.sections.effects import find_effects, judge_equivalence, tabulate_effects
from reports.sections.ends import describe_ends, find_changes, tabulate_ends
from reports.sections.grid import judge_cells, tabulate_grid
from reports.sections.published import may_stand_beside, read_published, tabulate_published
from reports.sections.results import tabulate_results
from reports.sections.tuned import choose_rates, compose_tuned

made = runpy.run_path(str(Path(__file__).with_name("synthetic_records.py")))
ACCURACY = METRICS["accuracy"]
BEHIND = "behind the best"


def runs_of(tmp_path: Path, asked: list[frame.Expected]) -> pd.DataFrame:
    return frame.tidy(asked, Store.at(tmp_path))


def scored(tmp_path: Path, scores: dict[str, list[float | str]]) -> pd.DataFrame:
    """Runs with these scores by variant and seed; a word is a status, "missing" among them."""
    asked = []
    for variant, values in scores.items():
        for seed, value in enumerate(values):
            e = made["expected"]({"variant": variant}, seed)
            asked.append(e)
            if isinstance(value, float):
                made["write"](tmp_path, e, level=value, arrays=False)
            elif value != "missing":
                made["write"](tmp_path, e, status=value)
    return runs_of(tmp_path, asked)


def table_of(runs: pd.DataFrame) -> Table:
    return tabulate_results(judge_variants(runs, ACCURACY), name="t", title="A table", metric=ACCURACY)


def test_cells_are_mean_std_n_and_an_interval(tmp_path: Path) -> None:
    table = table_of(scored(tmp_path, {"s4": [0.8, 0.9, 1.0], "hope": [0.5]}))
    cells, numbers = table.cells.set_index("variant"), table.numbers.set_index("variant")
    assert cells.loc["s4", "test accuracy (%)"] == "90.00 ± 10.00 (3)"
    assert (round(100 * numbers.loc["s4", "low"], 2), round(100 * numbers.loc["s4", "high"], 2)) == (65.16, 114.84)
    assert cells.loc["hope", "test accuracy (%)"] == "50.00 (1)"
    assert math.isnan(numbers.loc["hope", "low"])
    assert cells.loc["s4", BEHIND] == "best"
    assert cells.loc["hope", BEHIND] == "30.00"  # on the one seed that both have, and so without an interval
    assert cells.loc["s4", "lr kernel / rest"] == "0.001,0.01 / 0.01"
    assert cells.loc["s4", "kernel"] == "2.3K"


def test_behind_the_best_is_paired_by_seed(tmp_path: Path) -> None:
    cells = table_of(scored(tmp_path, {"s4": [0.90, 0.80, 0.70], "hope": [0.89, 0.78, 0.67]})).cells.set_index("variant")
    assert cells.loc["hope", BEHIND] == "2.00 [−0.48, 4.48]"  # differences 1, 2, 3; the seeds' own 10 points are not in it


def test_runs_without_a_score_are_not_runs_without_a_record(tmp_path: Path) -> None:
    said = describe_rows(judge_variants(scored(tmp_path, {"s4": ["diverged"], "hope": ["failed"]}), ACCURACY), ACCURACY)
    assert "has a score yet" in said[0]
    assert said[1] == "Diverged: s4 (1 of 1)."


def test_no_row_is_marked_with_less_than_five_seeds(tmp_path: Path) -> None:
    rows = judge_variants(scored(tmp_path, {"s4": [0.95, 0.95, 0.96, 0.94], "hope": [0.2, 0.2, 0.2, 0.21]}), ACCURACY)
    assert [r.mark for r in rows.values()] == ["", ""]
    words = " ".join(describe_rows(rows, ACCURACY))
    assert words.startswith("Best mean test accuracy: s4, 95.00 ± 0.82 (4) %, 74.75 points ahead of hope (95 % interval ")
    assert "too few to call any row best" in words
    assert "takes five seeds" in explain(rows, ACCURACY)
    assert "Bold" not in explain(rows, ACCURACY)


def test_best_tied_and_worse_from_five_seeds(tmp_path: Path) -> None:
    scores: dict[str, list[float | str]] = {
        "s4": [0.90, 0.92, 0.94, 0.91, 0.93],
        "hope": [0.91, 0.91, 0.935, 0.91, 0.92],
        "lstm": [0.400, 0.421, 0.439, 0.41, 0.42],
        "dss-exp": [0.95, 0.1],
    }
    table = table_of(runs := scored(tmp_path, scores))
    marks = table.marks.set_index(table.cells["variant"])["test accuracy (%)"].to_dict()
    assert marks == {"s4": "best", "hope": "tied", "lstm": "", "dss-exp": ""}  # two seeds: not in the test
    words = " ".join(describe_rows(judge_variants(runs, ACCURACY), ACCURACY))
    assert "Of 2 rows 1 are shown to be behind it; not shown to be: hope." in words
    assert "Underlined" in table.caption


TEN = replace(ACCURACY, classes=10)


def test_chance_is_the_best_constant_on_the_test_set(tmp_path: Path) -> None:
    runs = scored(tmp_path, {"s4": [0.5325, 0.5325], "hope": [0.9, 0.9]}).assign(test_accuracy_constant=0.4675, tests=400.0)
    two = replace(ACCURACY, classes=2)
    rows = judge_variants(runs, two)
    assert {v: r.mark for v, r in rows.items()} == {"s4": "chance", "hope": ""}  # it answered the other class
    chance = chance_of(rows, two)
    assert chance is not None
    assert (chance.value, chance.exact, chance.learned) == (0.5325, True, 0.4675)
    measured = runs.assign(test_accuracy_best_constant=0.91)
    assert {r.mark for r in judge_variants(measured, two).values()} == {"chance"}
    assert describe_rows(judge_variants(measured, two), two)[0].startswith("No row beats a constant answer")


def test_of_many_classes_an_older_record_gives_a_bound(tmp_path: Path) -> None:
    runs = scored(tmp_path, {"s4": [0.11, 0.11], "hope": [0.14, 0.14]}).assign(tests=360.0)
    rows = judge_variants(runs, TEN)
    assert {v: r.mark for v, r in rows.items()} == {"s4": "chance", "hope": ""}  # 10 + 2.6 points for a test set of 360
    chance = chance_of(rows, TEN)
    assert chance is not None
    assert (chance.value, chance.exact, chance.learned) == (0.1, False, None)
    table = tabulate_results(rows, name="t", title="T", metric=TEN)
    assert "11.00 ± 0.00 (2)°" in table.text()
    assert "11.00 ± 0.00 (2) °" in table.markdown()
    assert '<td class="chance">' in table.html()
    assert "at least 10.00 %" in table.caption


def test_rows_with_the_scores_of_the_best_are_named_with_it(tmp_path: Path) -> None:
    runs = scored(tmp_path, {"s4": [1.0, 1.0], "hope": [1.0, 1.0], "s4d-lin": [1.0, 0.8]})
    rows = judge_variants(runs, ACCURACY)
    assert [v for v, r in rows.items() if r.equal] == ["hope"]
    said = describe_rows(rows, ACCURACY)[0]
    assert said.startswith(
        "Best mean test accuracy: s4, 100.00 ± 0.00 (2) %; hope has the same, seed for seed, 10.00 points ahead of s4d-lin ("
    )
    both = describe_rows({v: r for v, r in rows.items() if v != "s4d-lin"}, ACCURACY)[0]
    assert both.startswith("Best mean test accuracy: s4, 100.00 ± 0.00 (2) %; hope has the same, seed for seed. Two seeds")


def test_seeds_that_did_not_learn_are_named_where_the_mean_hides_them(tmp_path: Path) -> None:
    runs = scored(tmp_path, {"s4": [1.0, 0.11, 0.12], "hope": [0.9, 0.9, 0.8], "s4d-lin": [0.1, 0.1, 0.1]}).assign(tests=360.0)
    words = describe_rows(judge_variants(runs, TEN), TEN)[0]
    assert "No better than a constant answer: s4d-lin." in words
    assert words.endswith("Seeds that stayed at the constant answer, each by itself, where the mean did not: s4 2 of 3.")


def test_committed_evidence_stands_apart(tmp_path: Path) -> None:
    """Below what was run here, marked, compared with nothing, and without times of another machine."""
    runs = scored(tmp_path, {"hope-paper-rates": [0.99, 0.99], "s4": [0.8, 0.9], "hope": [0.7, 0.8]})
    old = runs["variant"] == "hope-paper-rates"
    runs = runs.assign(evidence=old, machine=["another, cpu, 1 thread" if e else "this, cpu, 1 thread" for e in old])
    table = table_of(runs)
    assert list(table.cells["variant"]) == ["s4", "hope", "hope-paper-rates †"]
    assert list(table.cells[BEHIND]) == ["best", "10.00 [10.00, 10.00]", HOLE]
    assert list(table.cells["s/epoch"])[1:] == ["0.64", HOLE]
    assert "made on another, cpu, 1 thread, 2000-01-01" in table.caption
    assert "Made on this, cpu, 1 thread, 2000-01-01." in table.caption
    assert describe_rows(judge_variants(runs, ACCURACY), ACCURACY)[0].startswith("Best mean test accuracy: s4")
    alone = table_of(runs.assign(evidence=True))  # where all of it is evidence, nothing is apart
    assert list(alone.cells["variant"]) == ["hope-paper-rates", "s4", "hope"]


def test_a_row_is_of_runs_made_here_or_of_evidence_and_never_of_both(tmp_path: Path) -> None:
    asked = [made["expected"]({"variant": v}, seed) for v in ("s4", "hope") for seed in (0, 1)]
    for e in asked:
        made["write"](tmp_path / "committed", e, level=0.9, arrays=False)
    made["write"](tmp_path / "runs", asked[0], level=0.8, arrays=False)
    store = Store((("runs", tmp_path / "runs"), (frame.EVIDENCE, tmp_path / "committed")))
    runs = frame.tidy(asked, store)
    assert list(runs["status"]) == ["ok", "missing", "ok", "ok"]
    assert list(runs["evidence"]) == [False, False, True, True]
    assert "not mixed" in runs["reason"][1]
    damaged = tmp_path / "runs" / asked[0].benchmark / asked[0].id / "record.json"
    damaged.write_text("{")
    runs = frame.tidy(asked, store)  # what was made here and cannot be used is not replaced by what was made elsewhere
    assert list(runs["status"]) == ["missing", "ok", "ok", "ok"]
    assert "is not JSON" in runs["reason"][0]


def test_one_lucky_seed_is_not_the_best(tmp_path: Path) -> None:
    rows = table_of(scored(tmp_path, {"s4": [0.8, 0.81, 0.8], "hope": [0.99, "diverged", "failed"]}))
    assert list(rows.cells[BEHIND]) == ["best", "−19.00"]  # on the seed they share it was ahead
    assert rows.cells["runs"][1] == "1/3, 1 div., 1 failed"


def test_equal_scores_on_every_seed_are_a_tie(tmp_path: Path) -> None:
    scores: list[float | str] = [0.8, 0.9, 0.85, 0.8, 0.9]
    assert sorted(table_of(scored(tmp_path, {"s4": scores, "hope": scores})).marks["test accuracy (%)"]) == ["best", "tied"]


def test_holes_have_commands(tmp_path: Path) -> None:
    runs = scored(tmp_path, {"s4": ["missing", "missing"], "hope": ["diverged", "diverged"]})
    assert list(runs["status"]) == ["missing", "missing", "diverged", "diverged"]
    assert runs["command"][1] == "python -m benchmarks synthetic --variant s4 --seeds 1"
    table = table_of(runs)
    assert list(table.cells["test accuracy (%)"]) == [HOLE] * 2
    assert list(table.cells["runs"]) == ["0/2, 2 missing", "0/2, 2 div."]


def test_records_are_found_by_id_in_the_run_store_first(tmp_path: Path) -> None:
    e = made["expected"]({"variant": "s4"}, 0)
    store = Store((("runs", tmp_path / "a"), ("reports/records", tmp_path / "b")))
    made["write"](tmp_path / "b", e, level=0.5)
    assert frame.tidy([e], store)["file"][0].startswith("reports/records/synthetic/")
    made["write"](tmp_path / "a", e, level=0.6)
    assert frame.tidy([e], store)["test_accuracy"][0] == 0.6
    assert frame.tidy([made["expected"]({"variant": "s4"}, 1)], store)["status"][0] == "missing"


def test_a_damaged_record_is_a_hole_that_says_why(tmp_path: Path) -> None:
    e = made["expected"]({"variant": "s4"}, 0)
    made["write"](tmp_path, e)
    path = tmp_path / e.benchmark / e.id / "record.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 5', 2))  # one of them in the spec: the id is no longer its hash
    run = runs_of(tmp_path, [e]).iloc[0]
    assert run["status"] == "missing"
    assert "hash" in run["reason"]


def test_foreign_arrays_are_refused(tmp_path: Path) -> None:
    e = made["expected"]({"variant": "s4"}, 0)
    made["write"](tmp_path, e)
    found = Store.at(tmp_path).find(e.benchmark, e.id)
    assert found is not None
    assert found.arrays()["layer0/end/memory"].shape == (5, 256)
    found.path.with_name("arrays.npz").write_bytes(b"something else")
    with pytest.raises(DamagedRecord, match="sha256"):
        found.arrays()


def test_mixed_data_and_orders_are_named(tmp_path: Path) -> None:
    asked = made["library_of"](tmp_path, ("s4", "hope"), (0,))
    assert frame.data_disagreements(runs_of(tmp_path, asked)) == []
    path = tmp_path / asked[0].benchmark / asked[0].id / "record.json"
    record = json.loads(path.read_text())
    record["data"] |= {"hash": "6" * 64, "order": "another"}
    path.write_text(json.dumps(record))
    data, order = frame.data_disagreements(runs_of(tmp_path, asked))
    assert "2 different data sets" in data
    assert "not paired" in order


def test_every_format_holds_the_same_cells_and_escapes_names(tmp_path: Path) -> None:
    name = "s4_<b>&|*50%$"
    table = table_of(scored(tmp_path, {name: [0.8, 0.9, 0.85, 0.8, 0.9], "hope": [0.1, 0.2, 0.15, 0.1, 0.2]}))
    text, markdown, html, latex = table.text(), table.markdown(), table.html(), table.latex()
    assert name in text
    assert "s4\\_\\<b\\>&\\|\\*50%$" in markdown
    assert "s4_&lt;b&gt;&amp;|*50%$" in html
    assert "<b>" not in html
    assert r"s4\_\textless{}b\textgreater{}\&\textbar{}*50\%\$" in latex
    assert r"\textbf{85.00 $\pm$ 5.00 (5)}" in latex
    assert "**85.00 ± 5.00 (5)**" in markdown
    assert '<td class="best">85.00 ± 5.00 (5)</td>' in html
    assert "85.00 ± 5.00 (5)*" in text
    rows = list(csv.DictReader(io.StringIO(table.csv())))
    assert rows[0]["variant"] == name
    assert float(rows[0]["mean"]) == pytest.approx(0.85)
    assert rows[0]["runs_ok"] == "5"


def test_text_fits_the_terminal(tmp_path: Path) -> None:
    asked = made["library_of"](tmp_path)
    text = table_of(runs_of(tmp_path, asked)).text()
    assert max(map(len, text.splitlines())) <= TEXT_WIDTH
    assert text.count("transformer") == 1
    made["write"](tmp_path, asked[0], status="diverged")
    asked += made["library_of"](tmp_path, ("a-variant-with-a-name-as-long-as-a-sentence",))
    text = table_of(runs_of(tmp_path, asked)).text()  # now in two blocks
    assert max(map(len, text.splitlines())) <= TEXT_WIDTH
    assert text.count("transformer") == 2


def printed(variant: str, value: float, std: float | None, status: str = "verified", zero_shot: str = "") -> Published:
    return Published(variant=variant, value=value, std=std, source="Table 5", status=status, zero_shot=zero_shot)


def test_a_wide_table_names_its_rows_again_where_it_goes_on() -> None:
    cells = pd.DataFrame([{"factor": f, "difference": d, "a" * 60: "1", "b" * 60: "2"} for f in ("x", "y") for d in ("p - q", "r - q")])
    table = Table(
        name="t", title="T", caption="c", cells=cells, marks=cells.map(lambda _: ""), numbers=cells, left=("factor", "difference")
    )  # fmt: skip
    text = table.text()
    assert text.count("x       p - q") == 2
    assert text.count("y       r - q") == 2
    alone = replace(table, cells=cells.assign(factor=list("stuv")))
    assert [alone.text().count(f"{f}       p - q") for f in "su"] == [1, 1]
    assert alone.text().count("\nt ") == 2


@pytest.mark.parametrize(
    ("benchmark", "first", "free"), [("scifar", "85.02 ± 0.24", "85.15 ± 0.13"), ("sc35", "89.93 ± 0.07", "90.19 ± 0.58")]
)
def test_a_grid_at_the_scale_of_printed_numbers_shows_them_beside_its_cells(tmp_path: Path, benchmark: str, first: str, free: str) -> None:
    """2206.11893, table of link and discretization: six cells on each of three benchmarks, for whichever init they were."""
    grid = ABLATIONS["discretization"].on(benchmark, "small", None)
    asked = [made["expected"](cell.row, 0, benchmark=benchmark, scale="small") for cell in grid.cells()]
    for e in asked:
        made["write"](tmp_path, e, level=0.8, arrays=False)
    sections = {s.name: s for s in report_grid(runs_of(tmp_path, asked), grid, make="x").sections}
    cells = sections["beside"].parts[0].cells
    assert len(cells) == 12
    assert cells.iloc[0].to_dict() == {
        "init": "lin", "discretization": "zoh", "link of Re(A)": "exp", "here (%)": "80.00 (1)", "published": first,
    }  # fmt: skip
    assert set(cells.loc[(cells["discretization"] == "zoh") & (cells["link of Re(A)"] == "none"), "published"]) == {free}
    quick = ABLATIONS["discretization"].on(benchmark, "quick", None)
    assert "beside" not in {s.name for s in report_grid(runs_of(tmp_path, asked), quick, make="x").sections}


def test_published_numbers_only_beside_official_data_at_paper_scale(tmp_path: Path) -> None:
    numbers = [
        printed("s4", 88.65, 0.23),
        printed("hope", 90.0, None),
        printed("s4", 1.0, None),
        printed("lstm", 1.0, None, status="recalled"),
        printed("s4d-lin", math.nan, None),
        printed("s4", 50.0, None, zero_shot="8khz"),
    ]
    assert read_published(numbers, ACCURACY) == {"s4": "88.65 ± 0.23", "hope": "90.00", "s4d-lin": "✗"}
    paper = made["expected"]({"variant": "s4"}, 0, scale="paper")
    made["write"](tmp_path, paper, source="official")
    literature = BENCHMARKS["scifar"].as_in_the_literature()
    assert may_stand_beside(runs_of(tmp_path, [paper]), literature)
    assert not may_stand_beside(runs_of(tmp_path, [paper]), BENCHMARKS["scifar"])
    quick = made["expected"]({"variant": "s4"}, 0)
    made["write"](tmp_path, quick, source="official")
    assert not may_stand_beside(runs_of(tmp_path, [quick]), literature)
    assert not may_stand_beside(runs_of(tmp_path, [paper]), literature.with_protocol({"source": "official"}))
    mini = made["expected"]({"variant": "hope"}, 0, scale="paper")
    made["write"](tmp_path, mini, source="mini")
    assert not may_stand_beside(runs_of(tmp_path, [paper, mini]), literature)
    apart = tabulate_published(numbers, name="p", title="Published", metric=ACCURACY, zero_shot={"8khz": "8 kHz"})
    assert list(apart.cells["published"]) == ["88.65 ± 0.23", "90.00", "1.00", "✗", "50.00"]
    assert list(apart.cells["row"])[-1] == "s4, 8 kHz"
    assert "did not learn" in apart.caption


def grid(tmp_path: Path) -> pd.DataFrame:
    """Two inits x two states x two discretizations with additive effects, and a reference row without a discretization."""
    asked = []
    for seed in range(3):
        for init in ("lin", "inv"):
            for disc in ("zoh", "bilinear"):
                for state in ("complex", "real"):
                    e = made["expected"]({"init": init, "discretization": disc, "state": state}, seed)
                    score = 0.8 + 0.01 * seed * (init == "lin") - 0.1 * (state == "real") - 0.05 * (init == "inv")
                    made["write"](tmp_path, e, level=score, arrays=False)
                    asked.append(e)
        e = made["expected"]({"init": "reference", "discretization": "-", "state": "real"}, seed)
        made["write"](tmp_path, e, level=0.9, arrays=False)
        asked.append(e)
    return runs_of(tmp_path, asked)


def test_grid_has_a_column_per_level_and_a_place_for_rows_without_one(tmp_path: Path) -> None:
    factors = ("init", "discretization", "state")
    cells = judge_cells(grid(tmp_path), factors, ACCURACY)
    table = tabulate_grid(cells, name="g", title="G", metric=ACCURACY, factors=factors, columns="discretization")
    assert list(table.cells.columns) == ["init", "state", "zoh", "bilinear", "no discretization"]
    assert list(table.cells["init"]) == ["lin", "lin", "inv", "inv", "reference"]
    assert table.cells["no discretization"][4] == "90.00 ± 0.00 (3)"
    assert table.cells["zoh"][4] == ""
    assert list(table.numbers["best"]) == [False] * 8 + [True]
    assert len(table.numbers) == 9


def test_effects_are_paired_differences_within_settings(tmp_path: Path) -> None:
    effects = find_effects(grid(tmp_path), metric=ACCURACY, factors=("init", "discretization", "state"))
    by_name = {e.contrast: e for e in effects}
    assert list(by_name) == ["inv − lin", "reference − lin", "zoh − bilinear", "complex − real"] or "reference − lin" not in by_name
    state = by_name["complex − real"]
    assert set(state.settings) == {"lin · zoh", "lin · bilinear", "inv · zoh", "inv · bilinear"}
    assert state.overall() == pytest.approx({0: 0.1, 1: 0.1, 2: 0.1})
    assert by_name["inv − lin"].overall() == pytest.approx({0: -0.05, 1: -0.06, 2: -0.07})
    table = tabulate_effects(effects, name="e", title="E", metric=ACCURACY)
    row = table.cells.set_index("difference").loc["inv − lin"]
    assert row["mean (points)"] == "−6.00"
    assert row["settings"] == "4"


def turning(tmp_path: Path) -> pd.DataFrame:
    """Two inits x two states, where complex is better with the one and worse with the other; a link that moves nothing."""
    asked = []
    for seed in range(3):
        for init, sign in (("lin", 1), ("inv", -1)):
            for state in ("complex", "real"):
                for link in ("exp", "relu"):
                    e = made["expected"]({"init": init, "state": state, "link": link}, seed)
                    score = 0.8 + sign * (0.02 + 0.001 * seed) * (state == "complex") + 0.0005 * seed * (link == "exp")
                    made["write"](tmp_path, e, level=score, arrays=False)
                    asked.append(e)
    return runs_of(tmp_path, asked)


def test_an_effect_that_turns_says_with_what(tmp_path: Path) -> None:
    effects = {e.factor: e for e in find_effects(turning(tmp_path), metric=ACCURACY, factors=("init", "state", "link"))}
    assert list(effects["state"].turns()) == ["init"]
    assert effects["state"].turns()["init"]["inv"] == pytest.approx({0: -0.02, 1: -0.021, 2: -0.022})
    assert effects["link"].turns() == {}
    table = tabulate_effects(list(effects.values()), name="e", title="E", metric=ACCURACY)
    assert list(table.cells["turns with"])[1:] == ["init: inv −2.10, lin +2.10", ""]
    assert "turns with:" in table.caption
    assert table.numbers["turns_with"][1] == table.cells["turns with"][1]


def test_equivalence_is_shown_open_or_exceeded(tmp_path: Path) -> None:
    effects = find_effects(turning(tmp_path), metric=ACCURACY, factors=("init", "state", "link"))
    assert [e.factor for e in effects] == ["init", "state", "link"]
    assert [word for word, _ in judge_equivalence(effects, 0.01)] == ["exceeded", "shown", "shown"]
    assert judge_equivalence(effects, 0.0006)[2][0] == "open"
    alone, together = (judge_equivalence(of, 0.01)[-1][1] for of in (effects[2:], effects))
    assert together == pytest.approx(2 * alone)  # Holm: of three p, that of state is smaller, that of init is one
    table = tabulate_effects(effects, name="e", title="E", metric=ACCURACY, margin=0.01)
    assert table.cells["within 1.00"][2].startswith("shown (0.0")
    assert "two one-sided" in table.caption
    assert "within 1.00" not in tabulate_effects(effects, name="e", title="E", metric=ACCURACY).cells


def test_the_share_of_diverged_runs_is_a_column(tmp_path: Path) -> None:
    asked = []
    for seed in range(3):
        for rate in ("x 1", "x 100"):
            e = made["expected"]({"link": "none", "rate": rate}, seed)
            made["write"](tmp_path, e, arrays=False, status="diverged" if rate == "x 100" and seed else "ok")
            asked.append(e)
    cells = judge_cells(runs_of(tmp_path, asked), ("link", "rate"), ACCURACY)
    table = tabulate_grid(cells, name="g", title="G", metric=ACCURACY, factors=("link", "rate"), columns="rate")
    assert list(table.cells.columns) == ["link", "x 1", "x 100", "diverged"]
    assert list(table.cells["diverged"]) == ["2 of 6, 33 %"]


def test_rates_are_chosen_on_validation_and_never_for_the_seeds_that_survive(tmp_path: Path) -> None:
    asked = []
    levels = {("s4", "x 1"): 0.8, ("s4", "x 3"): 0.9, ("hope", "x 1"): 0.85, ("hope", "x 3"): 0.95}
    for (row, rate), level in levels.items():
        for seed in range(3):
            e = made["expected"]({"variant": row, "learning rate": rate}, seed)
            lost = (row, rate, seed) == ("hope", "x 3", 2)
            made["write"](tmp_path, e, level=level + 0.001 * seed, arrays=False, status="diverged" if lost else "ok")
            asked.append(e)
    tuned = choose_rates(runs_of(tmp_path, asked), "variant", ["learning rate"], ACCURACY)
    assert {row: t.best for row, t in tuned.items()} == {"s4": ("x 3",), "hope": ("x 1",)}
    section = compose_tuned(tuned, ("x 1",), ["learning rate"], ACCURACY, name="n")
    (table,) = section.parts
    assert isinstance(table, Table)
    assert "best of 2 rates (%)" in table.cells
    rows = table.cells.set_index("row")
    assert rows.loc["s4", "gain"].startswith("+10.00 [")
    assert rows.loc["hope", "gain"] == "–"
    assert rows.loc["hope", "tried"] == "2 of 2"


def test_latex_is_what_pdflatex_reads(tmp_path: Path) -> None:
    """Compiled where pdfLaTeX is there; elsewhere every sign is one that it has."""
    name = "s4_<b>&|*50%$ ~^\\ “Ä” ω ≤ ✗ −1 † ° 語"
    tex = table_of(scored(tmp_path, {name: [0.8, 0.9], "hope": [0.1, 0.2]})).latex()
    assert tex.isascii()
    assert "$\\pm$" in tex
    for report_table in (
        p for words in committed.read(evidence.HERE)[:1] for p in command.request(words, Store(())).answer(Store(())).tables()
    ):
        assert report_table.latex().isascii()
    if compiler := shutil.which("pdflatex"):
        document = f"\\documentclass{{article}}\\usepackage{{booktabs}}\\begin{{document}}{tex}\\end{{document}}"
        (tmp_path / "t.tex").write_text(document, encoding="ascii")
        done = subprocess.run(
            [compiler, "-interaction=nonstopmode", "-halt-on-error", "t.tex"], cwd=tmp_path, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:]


def test_the_ends_of_an_ordered_factor_are_compared_line_by_line(tmp_path: Path) -> None:
    grid = ABLATIONS["noise-length"]
    level = {"s4": {"x 0.25": 0.9, "x 4": 0.5}, "hope": {"x 0.25": 0.8, "x 4": 0.7}, "s4d-lin": {"x 0.25": 0.95}}
    asked = []
    for row, levels in level.items():
        for noise, value in levels.items():
            for seed in (0, 1):
                e = made["expected"]({"row": row, "noise": noise}, seed)
                asked.append(e)
                made["write"](tmp_path, e, level=value + (0.02 if seed and noise == "x 4" else 0), arrays=False)
    changes = find_changes(lines_along(judge_cells(runs_of(tmp_path, asked), grid.factors, ACCURACY), grid), ACCURACY)
    assert [(c.key, round(c.difference.mean, 9), c.difference.n) for c in changes] == [(("hope",), -0.09, 2), (("s4",), -0.39, 2)]
    (line,) = describe_ends(changes, grid, ACCURACY)
    # t_1 = 12.706 times 2 / sqrt(2) / sqrt(2) points
    assert line.startswith(
        "From x 0.25 to x 4 (noise) the test accuracy of hope moves by −9.00 [−21.71, +3.71] points, that of s4 by −39.00"
    )
    cells = tabulate_ends(changes, grid, ACCURACY).cells
    assert cells.iloc[0].to_dict() == {"row": "hope", "change (points)": "−9.00", "95 % interval": "[−21.71, +3.71]", "n": "2"}
    assert find_changes({}, ACCURACY) == []
    assert describe_ends(changes[:1], grid, ACCURACY) == ()
