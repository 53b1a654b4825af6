"""The pages on speed and on the parts of a training step, from made-up numbers; and how the parts are told apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cli
from benchmarks.running.environment import Runtime
from benchmarks.running.store import Store
from benchmarks.speed.case import Case
from benchmarks.speed.profile_record import Profile, read_profiles
from benchmarks.speed.record import Session
from benchmarks.speed.results import Results
from benchmarks.speed.shares import EVALUATES, PARTS, RANGE, sort_into_parts
from reports import committed, evidence
from reports.everything import report_everything
from reports.parts import frame
from reports.parts.figure import LARGE, save
from reports.parts.files import write
from reports.parts.report import Report
from reports.profile import request_profile
from reports.sections.profile import draw_shares
from reports.sections.speed import megabytes, ms, times
from reports.sections.speed_curves import draw_curves, line, swept
from reports.speed import NOTHING, report_speed, request_speed
from tests import made_up_speed
from tests.tiny import tiny


def report(*sessions: Session) -> Report:
    return report_speed(sessions, make="python -m reports speed")


def cells(page: Report, name: str) -> list[dict[str, str]]:
    (table,) = [t for t in page.tables() if t.name == name]
    return table.cells.to_dict("records")


# ------------------------------------------------------------------------------------------------- speed


def test_a_full_session_has_every_table_and_the_verdict_in_front() -> None:
    page = report(made_up_speed.session())
    assert [t.name.removeprefix("speed-") for t in page.tables()] == [
        "targets", "kernels", "memory", "convolutions", "layers-fp32", "steps", "steps-memory", "million", "recurrent", "engines",
    ]  # fmt: skip
    assert [p.name for p in page.plots()] == ["speed-curves"]
    assert " targets met. Not met: " in page.summary[0]
    assert page.warnings == ()
    judged = {row["target"]: row for row in cells(page, "speed-targets")}
    session = made_up_speed.session()
    found = next(t for t in session.targets if t["what"] == "S4 kernel, L = 1,024, faster")
    assert judged["S4 kernel, L = 1,024, faster"] == {
        "target": "S4 kernel, L = 1,024, faster", "asked": "≥ 15x", "found": f"{found['found']:.3g}x",
        "verdict": "met" if found["met"] else "not met",
    }  # fmt: skip


def test_a_cell_holds_the_time_and_the_ratio_of_its_record() -> None:
    session = made_up_speed.session()
    case = Case(kind="kernel", row="s4", L=1024)
    results = Results.from_json(session.results)
    row = next(r for r in cells(report(session), "speed-kernels") if r["row"] == "s4")
    assert row["L = 1,024"] == f"{ms(results.get(case))} ({times(results.ratio(case))})"
    assert "(" not in row["L = 65,536"], "no textbook code was run there"


def test_an_anchor_that_does_not_hold_is_a_warning() -> None:
    (slow,), (fast,) = (report(made_up_speed.session(anchored=by)).warnings for by in (1.3, 0.7))
    assert "is slower than the public code was" in slow
    assert "The ratios below flatter ours." in slow
    assert "The ratios below are low rather than high. Under that allocation" in fast
    assert "ours are faster by 20x" in fast
    assert not report(made_up_speed.session(anchored=1.2)).warnings


def test_devices_stand_on_one_page_under_names_of_their_own(tmp_path: Path) -> None:
    page = report(made_up_speed.session(), made_up_speed.session("cuda (a card)"))
    names = [part.name for section in page.sections for part in section.parts]
    assert len(names) == len(set(names))
    assert {name.split("-")[1] for name in names} == {"cpu", "cuda"}
    words = next(t.caption for t in page.tables() if t.name == "speed-cuda-layers-bf16")
    assert "at the 1,000 GB/s of a copy" in words
    write(page, tmp_path)
    text = (tmp_path / "index.html").read_text()
    assert "Runs and records" not in text
    assert " scale</p>" not in text


def test_an_older_commit_and_what_was_left_out_are_shown() -> None:
    timing = {"ms": 10.0, "min": 9.0, "max": 11.0, "cpu_ms": 10.0, "runs": 5, "peak_mb": 1.0}
    case = Case(kind="kernel", row="hope", L=256).to_json()
    base = Session(
        plan="base",
        environment={"device": "cpu", "base": "0123456789abcdef"},
        earlier=[{"case": case, "now": timing, "then": timing | {"ms": 25.0}, "ratio": 2.5}],
        left_out=[{"what": "step lru", "why": "then KeyError: 'lru'"}],
    )
    page = report(base)
    assert [row["then / now"] for row in cells(page, "speed-earlier")] == ["2.5x"]
    assert cells(page, "speed-earlier-left-out") == [{"what": "step lru", "why": "then KeyError: 'lru'"}]


def test_without_a_session_the_page_says_how_one_is_made(tmp_path: Path) -> None:
    page = request_speed().answer(Store.at(tmp_path))
    assert page.summary == (NOTHING,)
    write(page, tmp_path / "page")
    with pytest.raises(cli.UsageError, match="No session yet"):
        request_speed().documents(Store.at(tmp_path))


def test_the_index_of_everything_leads_to_it(tmp_path: Path) -> None:
    made_up_speed.session().write()
    everything = report_everything(Store())
    assert [r.name for r in everything.reports] == ["speed"]
    assert everything.records() == 0
    assert evidence.show_everything(everything) == cli.DONE
    assert 'href="speed/index.html"' in (tmp_path / "runs" / "reports" / "everything" / "index.html").read_text()


def test_a_committed_session_is_a_copy_and_its_report_is_rendered_from_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made_up_speed.session().write()
    monkeypatch.setattr(evidence, "HERE", tmp_path / "reports")
    monkeypatch.setattr(frame, "COMMITTED", tmp_path / "reports" / "records")
    (tmp_path / "reports").mkdir()
    (tmp_path / "README.md").write_text("")
    assert evidence.commit(request_speed(), []) == cli.DONE
    assert [p.name for p in (tmp_path / "reports" / "records" / "speed").iterdir()] == ["cpu-full.json"]
    assert committed.read(tmp_path / "reports") == [["speed"]]
    page = (tmp_path / "reports" / "README.md").read_text()
    assert "## speed" in page
    assert "**Speed**. On a CPU, cpu, 2 threads" in page
    assert "figures/speed-curves.svg" in page


def test_the_curves_are_light_repeat_and_hold_the_measured_times() -> None:
    results = Results.from_json(made_up_speed.session().results)
    drawn = save(draw_curves(results), "svg")
    assert len(drawn) < LARGE
    assert drawn == save(draw_curves(results), "svg")
    case = Case(kind="kernel", row="s4", L=1024)
    assert swept("s4", "N")[64.0] == swept("s4", "H")[128.0] == swept("s4", "L")[1024.0] == case
    assert (1024.0, results.get(case)) in line(results, "s4", "L", "ours")
    save(draw_curves(Results({})), "svg")


@pytest.mark.parametrize(
    ("value", "shown"), [(0.123, "0.12"), (12.34, "12.3"), (123.4, "123"), (1234.0, "1,234"), (12340.0, "12.3 s"), (float("nan"), "–")]
)
def test_milliseconds(value: float, shown: str) -> None:
    assert ms(value) == shown


def test_ratios_and_megabytes() -> None:
    assert [times(v) for v in (1.26, 9.94, 9.96, 43.2, float("nan"))] == ["1.3x", "9.9x", "10x", "43x", "–"]
    assert [megabytes(v) for v in (1.26, 12.6, 1234.5)] == ["1.3", "13", "1,234"]


# ------------------------------------------------------------------------------------------------- parts of a step


@dataclass
class Seen:
    """An event of the profiler."""

    name: str
    cpu_parent: Any = None
    sequence_nr: int = -1


def test_parts_are_found_by_range_by_name_and_by_what_is_differentiated() -> None:
    step, loader = Seen("[Strategy]SingleDeviceStrategy.training_step"), Seen("[_TrainingEpochLoop].train_dataloader_next")
    optimizer, backward = Seen("Optimizer.step#AdamW.step"), Seen("[Strategy]SingleDeviceStrategy.backward")
    kernel = Seen(f"{RANGE}kernel", step)
    of_kernel = Seen(f"{EVALUATES}BmmBackward0", backward, 7)
    of_gelu = Seen(f"{EVALUATES}GeluBackward0", backward, 9)
    events = [
        (Seen("aten::copy_", loader), 1.0),
        (Seen("aten::empty", kernel, 7), 2.0),
        (Seen("aten::bmm", kernel, 7), 4.0),
        (Seen("aten::_fft_r2c", step, 8), 8.0),
        (Seen("aten::gelu", step, 9), 16.0),
        (Seen("aten::bmm", of_kernel), 32.0),
        (Seen("aten::gelu_backward", of_gelu), 64.0),
        (Seen("aten::_fft_c2r", of_gelu), 128.0),
        (Seen("aten::addmm", step, 10), 256.0),
        (Seen("aten::_foreach_add_", Seen("run_training_batch", optimizer)), 512.0),
        (Seen("aten::_foreach_add_", optimizer), 1024.0),
        (Seen("python", None), 2048.0),
        (of_gelu, 4096.0),
    ]
    found = {part: own for part, own in sort_into_parts(events).items() if own}
    assert found == {
        "loader": 1.0, "kernel": 38.0, "transforms": 136.0, "element-wise": 16.0 + 64.0 + 512.0, "other products": 256.0,
        "optimizer": 1024.0, "rest": 2048.0 + 4096.0,
    }  # fmt: skip
    assert list(sort_into_parts([])) == list(PARTS)


def profile_of(variant: str, **changes: Any) -> Profile:
    parts = dict.fromkeys(PARTS, 0.0) | {"kernel": 0.06, "rest": 0.04}
    found = Profile(
        benchmark="digits-noise", scale="quick", variant=variant, batch=50, length=256, seconds=0.1, parts=parts,
        environment={"device": "cpu", "cpu": "a CPU", "threads": 2},
    )  # fmt: skip
    return replace(found, **changes)


def test_the_page_of_a_profile_has_a_line_and_a_bar_for_each_row(tmp_path: Path) -> None:
    for variant in ("hope", "s4"):
        profile_of(variant).write()
    page = request_profile("digits-noise").answer(Store())
    (table,) = page.tables()
    assert list(table.cells["row"]) == ["s4", "hope"], "in the order of the tables"
    assert list(table.cells.columns) == ["row", "step, ms", "kernel", "rest"]
    assert table.cells["kernel"].tolist() == ["60 (60 %)"] * 2
    assert "batch 50, 256 steps; on a CPU, cpu, 2 threads" in page.summary[0]
    write(page, tmp_path)
    assert list(request_profile("digits-noise").documents(Store())) == [
        "profiles/digits-noise/hope-quick-cpu.json", "profiles/digits-noise/s4-quick-cpu.json",
    ]  # fmt: skip


def test_without_a_profile_the_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(cli.UsageError, match=r"no profile of digits yet; `python -m benchmarks.speed.profile digits` makes one"):
        request_profile("digits").answer(Store.at(tmp_path))
    save(draw_shares({}), "svg")


def test_profiles_are_read_as_written_and_others_passed_over() -> None:
    path = profile_of("s4").write()
    (path.parent / "x.json").write_text("{}")
    (path.parent / "y.json").write_text(path.read_text().replace('"schema": 1', '"schema": 2'))
    assert read_profiles(path.parent) == [profile_of("s4")]


@pytest.mark.slow
def test_a_training_step_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.speed import profiled

    monkeypatch.setattr(profiled, "WARM", 1)
    monkeypatch.setattr(profiled, "STEPS", 2)
    found = profiled.profile(tiny(batch_size=128), "s4d-lin", Runtime())
    assert found.seconds > 0
    assert all(found.parts[part] > 0 for part in ("kernel", "transforms", "mixing", "element-wise", "norm", "optimizer", "loader", "rest"))
    assert sum(found.parts.values()) == pytest.approx(found.seconds, rel=0.2)
