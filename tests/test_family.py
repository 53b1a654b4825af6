"""Families side by side: every member a column, zero-shot tests too, each column judged by itself; published numbers likewise."""

from __future__ import annotations

import json
import math
import runpy
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.benchmark import Published
from benchmarks.registry import BENCHMARKS, FAMILIES
from benchmarks.running.store import Store
from benchmarks.spec import Scale
from reports.benchmark import request_benchmark
from reports.family import report_family, request_family
from reports.parts import frame
from reports.parts.frame import all_records
from reports.parts.metric import METRICS
from reports.parts.report import Report

made = runpy.run_path(str(Path(__file__).with_name("synthetic_records.py")))


def test_members_exist_share_a_metric_and_name_no_benchmark() -> None:
    for name, (_, members, _) in FAMILIES.items():
        assert name not in BENCHMARKS
        assert len({BENCHMARKS[m].metric for m in members}) == 1


@pytest.mark.parametrize("name", FAMILIES)
def test_the_runs_asked_for_are_those_of_the_benchmarks(name: str) -> None:
    asked = request_family(name, (0, 3), ("s4d-lin", "hope"), None, all_records())  # with second lines where there are runs
    expected = {BENCHMARKS[m].recipe(v, "quick").with_seed(s).id for m in FAMILIES[name][1] for v in ("s4d-lin", "hope") for s in (0, 3)}
    assert {e.id for e in asked.expected if not e.labels["variant"].endswith("-paper-rates")} == expected
    assert all(e.command.startswith(f"python -m benchmarks {e.benchmark} --variant {e.labels['variant']}") for e in asked.expected)


def test_a_protocol_reaches_every_member() -> None:
    plain, mini = (request_family("speech", (0,), ("hope",), None, all_records(), protocol=p) for p in (None, "source=mini"))
    assert not {e.id for e in plain.expected} & {e.id for e in mini.expected}
    assert all(e.command.endswith("--protocol source=mini") for e in mini.expected)
    with pytest.raises(ValueError, match="'split'"):
        request_family("speech", (0,), ("hope",), None, all_records(), protocol="splt=usual")
    with pytest.raises(ValueError, match="family 'larr'; did you mean 'lra'"):
        request_family("larr", (0,), ("hope",), None, all_records())


def report_of(tmp_path: Path, scores: dict[str, dict[str, list[dict[str, float]]]], scale: Scale = "small") -> Report:
    """A report of two members whose records hold these metrics: member -> variant -> one dict per seed."""
    members = [
        replace(
            BENCHMARKS["sc10"],
            published=(
                Published(variant="s4", value=97.0, std=0.1, source="a", status="verified (x)"),
                Published(variant="s4", value=90.0, std=None, source="a", status="verified (x)", zero_shot="8khz"),
                Published(variant="lstm", value=math.nan, std=None, source="b", status="verified (x)"),
                Published(variant="rumour", value=99.0, std=None, source="c", status="recalled"),
            ),
        ),
        replace(BENCHMARKS["sc35"], published=()),
    ]
    expected = []
    for member, rows in scores.items():
        for variant, seeds in rows.items():
            for seed, metrics in enumerate(seeds):
                e = made["expected"]({"variant": variant}, seed, benchmark=member)
                made["write"](tmp_path, e, level=metrics["test_accuracy"], arrays=False)
                path = tmp_path / member / e.id / "record.json"
                record = json.loads(path.read_text())
                record["metrics"] |= metrics
                path.write_text(json.dumps(record))
                expected.append(e)
    runs = frame.tidy(expected, Store.at(tmp_path))
    return report_family(runs, members, scale, name="family-x", title="Two", make="make it")


def test_columns_rows_and_the_constant_answer(tmp_path: Path) -> None:
    def run(accuracy: float, **further: float) -> dict[str, float]:
        return {"test_accuracy": accuracy, "test_accuracy_constant": 0.1, **further}

    report = report_of(
        tmp_path,
        {
            "sc10": {"s4d-lin": [run(0.9, test_accuracy_8khz=0.5)] * 2, "hope": [run(0.8, test_accuracy_8khz=0.7)] * 2},
            "sc35": {"s4d-lin": [run(0.3), run(0.3)], "hope": [run(0.4), run(0.4)]},
        },
    )
    results, published = report.tables()
    assert list(results.cells.columns) == ["variant", "sc10", "sc10, 8 kHz", "sc35", "sc35, 8 kHz", "mean share (%)"]
    assert list(results.cells["variant"]) == ["s4d-lin", "hope", "constant answer"]
    assert [text.split(" ±")[0] for text in results.cells["sc10, 8 kHz"]][:2] == ["50.00", "70.00"]
    assert list(results.cells["sc35"])[-1] == "≥ 10.00"  # the commonest label of training: another constant may score more
    ahead = results.numbers[results.numbers["behind"].isna()]
    best = {column: ahead.set_index("benchmark").loc[column, "variant"] for column in ("sc10", "sc10, 8 kHz", "sc35")}
    assert best == {"sc10": "s4d-lin", "sc10, 8 kHz": "hope", "sc35": "hope"}
    assert list(published.cells["row"]) == ["s4", "lstm"]  # in the order printed, and only what was verified
    assert list(published.cells["sc10"]) == ["97.00 ± 0.10", "✗"]
    assert list(published.cells["sc10, 8 kHz"]) == ["90.00", "–"]
    assert METRICS["accuracy"].unit in results.caption
    shares, plot = report.plots()
    texts = [text.get_text() for text in shares.figure.axes[0].texts]
    assert [t for t in texts if t] == [
        *("s4d-lin", "hope", "mean share", "83 ± 0▾", "94 ± 0"),
        *("sc10", "90.0", "80.0▾", "sc10", "8 kHz", "50.0▾", "70.0", "sc35", "30.0▾", "40.0"),
    ]
    _, average, leading = report.summary
    assert average == (  # at the rate of training: the test at another one is of the same weights
        "Mean share of the way from the constant answer to the best row here, in %: hope 94 ± 0, s4d-lin 83 ± 0▾; "
        "▾: shown to be behind the first."
    )
    assert list(results.cells["mean share (%)"]) == ["83 ± 0▾", "94 ± 0", ""]
    assert "interval of the difference: sc10: s4d-lin, 90.00 ± 0.00 (2) %, before hope (10.00). sc10, 8 kHz: hope, 70.00" in leading
    shown = [ax for ax in plot.figure.axes if ax.axison]
    assert [ax.get_title(loc="left") for ax in shown] == ["sc10", "sc10, 8 kHz", "sc35"]  # the fourth panel stays empty
    for ax in shown:
        assert any(line.get_linestyle() == ":" and set(line.get_xdata()) == {10.0} for line in ax.lines)
        assert ax.get_xlim()[0] < 10.0 < ax.get_xlim()[1]


def test_a_row_without_a_run_takes_the_mean_share_from_no_other(tmp_path: Path) -> None:
    run = {"test_accuracy": 0.9, "test_accuracy_constant": 0.1}
    of_task = {"s4d-lin": [run], "hope": [run | {"test_accuracy": 0.5}], "s4": []}
    report = report_of(tmp_path, {"sc10": of_task, "sc35": of_task})
    runs = pd.concat([report.runs, report.runs.iloc[:1].assign(variant="s4", status="missing", found=None)])
    asked = report_family(runs, [BENCHMARKS["sc10"], BENCHMARKS["sc35"]], "small", name="x", title="Two", make="make it")
    assert list(asked.tables()[0].cells["mean share (%)"]) == ["100", "50", "", ""]
    shown = [text.get_text() for text in asked.plots()[0].figure.axes[0].texts]
    assert "50" in shown


def test_a_smaller_task_says_so_and_has_no_published_number_beside_it(tmp_path: Path) -> None:
    run = {"test_accuracy": 0.9, "test_accuracy_constant": 0.1, "test_accuracy_1khz": 0.5}
    report = report_of(tmp_path, {"sc10": {"s4d-lin": [run]}, "sc35": {"s4d-lin": [run]}}, "quick")
    (results,) = report.tables()
    heads = [f"{name}, waves at 2 kHz{test}" for name in ("sc10", "sc35") for test in ("", ", 1 kHz")]
    assert list(results.cells.columns) == ["variant", *heads, "mean share (%)"]
    assert "sc10: Speech Commands, 10 words, waves at 2 kHz." in report.about
    alone = request_benchmark("sc10", (0,), ("s4d-lin",), "quick", Store(())).answer(Store(()))
    assert alone.title == "Speech Commands, 10 words, waves at 2 kHz"
    assert [s.name for s in alone.sections if s.name == "published"] == []
    whole = request_benchmark("sc10", (0,), ("s4d-lin",), "small", Store(())).answer(Store(()))
    assert whole.title == "Speech Commands, 10 words"
    assert [s.name for s in whole.sections if s.name == "published"] == ["published"]
