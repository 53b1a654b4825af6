"""Speed: the textbook code has our numbers, each kind of work can be measured, and what is made of measured times, with made-up ones."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import cli
from benchmarks.speed import plan, textbook
from benchmarks.speed.anchor import CASES, CONVOLUTION, PUBLISHED, Anchor, anchors, kernel_of
from benchmarks.speed.base import older_tree
from benchmarks.speed.case import KINDS, OURS, TEXTBOOK, Case, Timing
from benchmarks.speed.command import measure_all
from benchmarks.speed.engines import merged, points
from benchmarks.speed.measure import Here, Unable, peak_of
from benchmarks.speed.plan import Group, choose_groups, full_plan, short_plan
from benchmarks.speed.public import PACKAGES, beside
from benchmarks.speed.record import DamagedSession, Session, newest, read
from benchmarks.speed.results import Results, floor_bytes
from benchmarks.speed.results import textbook as textbook_of
from benchmarks.speed.session import MOST_RUNS, RUNS, Clock, measure_in_turn, run_groups
from benchmarks.speed.sizes import COMPARED, ROWS
from benchmarks.speed.targets import slope, targets, worst
from benchmarks.speed.work import build
from benchmarks.speed.worker import Elsewhere
from models import VARIANTS, ModelSpec
from models.engines import Measured
from tests import made_up_speed

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


# ------------------------------------------------------------------------------------------------- the textbook code


@pytest.mark.parametrize("L", [64, 101])
@pytest.mark.parametrize("row", [row for row in textbook.KERNELS if row != "hope"])
def test_the_textbook_kernel_is_ours_in_value(row: str, L: int) -> None:
    """Of HOPE the circular one: its authors published no other."""
    torch.manual_seed(0)
    ours = VARIANTS[row].mixer.build_layer(8).kernel
    other = textbook.KERNELS[row].of(ours, L)
    with torch.no_grad():
        found = torch.fft.ifft(other(L)).real if other.of_spectrum else other(L)
        torch.testing.assert_close(found, ours(L)[0], rtol=0, atol=2e-5 * float(ours(L).abs().max()))


@pytest.mark.parametrize("row", [row for row in ROWS if row != "hope"])
def test_the_textbook_network_gives_our_answers(row: str) -> None:
    torch.manual_seed(0)
    ours = ModelSpec(mixer=VARIANTS[row].mixer, d_model=8, n_layers=2).build(d_output=10, d_input=1)
    other = textbook.Network.of(row, ours, 65, 0.0)
    x = torch.randn(3, 65, 1)
    with torch.no_grad():
        torch.testing.assert_close(other(x), ours(x), rtol=1e-4, atol=2e-5)


def test_the_textbook_scan_is_ours_in_value_and_gradient() -> None:
    from models.functional import scan

    torch.manual_seed(0)
    for L in (1, 2, 7, 64):
        a = torch.complex(0.9 * torch.rand(5), torch.rand(5) / 3).requires_grad_()
        v = torch.randn(2, L, 5, dtype=torch.complex64, requires_grad=True)
        grads = []
        for f in (textbook.scan, scan):
            y = f(a, v)
            grads.append((y, *torch.autograd.grad(y.abs().square().sum(), (a, v), allow_unused=L == 1, materialize_grads=L == 1)))
        torch.testing.assert_close(grads[0], grads[1], rtol=1e-4, atol=1e-4)


def test_every_row_has_textbook_code_of_the_same_algorithm() -> None:
    assert set(ROWS) - {"lru"} == set(textbook.KERNELS)
    for row, stands_for in COMPARED.items():
        assert textbook.KERNELS[row] is textbook.KERNELS[stands_for]


# ------------------------------------------------------------------------------------------------- measuring


SMALL = [
    Case(kind="convolution", row="fft", B=2, L=16, H=4),
    Case(kind="scan", row="scan", B=2, L=16, H=4),
    *(Case(kind="kernel", row=row, L=16, H=4, N=4) for row in plan.WITH_KERNEL),
    *(Case(kind="layer", row=row, B=2, L=16, H=4, N=4) for row in ("s4d-lin", "lru")),
    Case(kind="layer", row="hope", B=1, L=16, H=4, N=4, precision="bf16"),
    Case(kind="step", row="s4", B=2, L=16, H=4, N=4, layers=2),
    Case(kind="forward", row="dss-exp", L=16, H=4, N=4),
]


@pytest.mark.parametrize("by", [OURS, TEXTBOOK])
@pytest.mark.parametrize("case", SMALL, ids=str)
def test_a_small_case_of_every_kind_is_timed(case: Case, by: str) -> None:
    here = Here("cpu", build)
    case = replace(case, by=by)
    assert here.prepare(case) > 0
    assert all(seconds > 0 for seconds in here.time(case))


@pytest.mark.parametrize("row", [row for row in ROWS if row != "hope-circular"])
def test_step_mode_of_every_row_is_timed(row: str) -> None:
    here = Here("cpu", build)
    case = Case(kind="recurrent", row=row, B=2, L=16, H=4, N=4, layers=2)
    here.prepare(case)
    assert here.time(case)[0] > 0


@pytest.mark.parametrize(("row", "engine"), [(row, engine) for row, able in plan.ENGINES_OF.items() for engine in able])
def test_every_engine_is_timed_or_says_why_not(row: str, engine: str) -> None:
    here = Here("cpu", build)
    case = Case(kind="engine", row=row, B=2, L=16, H=4, N=4, engine=engine)
    here.prepare(case)
    assert here.time(case)[0] > 0


def test_what_cannot_be_built_says_why() -> None:
    here = Here("cpu", build)
    with pytest.raises(Unable, match=r"NoRecurrence: .*no recurrence"):
        here.prepare(Case(kind="recurrent", row="hope-circular", L=16, H=4, N=4))
    assert here.ready == {}


def test_a_measurer_elsewhere_is_not_stopped_by_its_warnings_and_its_last_line_says_why_it_ended(tmp_path: Path) -> None:
    """More warnings than a pipe takes, 64 kB, and then an answer; at the next question it dies."""
    worker = tmp_path / "benchmarks" / "speed" / "worker.py"
    worker.parent.mkdir(parents=True)
    for folder in (worker.parent, worker.parent.parent):
        (folder / "__init__.py").touch()
    worker.write_text(
        "import signal, sys\n"
        "signal.alarm(20)\n"
        "sys.stdin.readline()\n"
        "sys.stderr.write('a warning\\n' * 20_000)\n"
        'print(\'{"wall": 2.0, "cpu": 1.0}\', flush=True)\n'
        "sys.stdin.readline()\n"
        "sys.exit('the reason')\n"
    )
    with Elsewhere("then", tmp_path, "cpu", 1, {}) as measurer:
        assert measurer.time(SMALL[0]) == (2.0, 1.0)
        with pytest.raises(Unable, match=r"has ended: the reason$"):
            measurer.drop()


def test_what_cannot_be_built_costs_nothing_that_was_prepared() -> None:
    """A row that an older commit does not have, in the middle of a group."""

    def builds(case: Case, device: torch.device) -> Callable[[], object]:
        if case.row == "lru":
            raise KeyError("lru")
        return lambda: torch.ones(2)

    here, known = Here("cpu", builds), Case(kind="kernel", row="s4", L=8)
    here.prepare(known)
    with pytest.raises(Unable, match="KeyError: 'lru'"):
        here.prepare(replace(known, row="lru"))
    assert here.time(known)[0] > 0
    here.drop()
    assert not here.ready


def test_memory_counts_what_is_held_at_a_time() -> None:
    def work() -> None:
        a = torch.ones(1000, 1000)  # 4 MB
        b = a + a
        del a
        _ = b + b  # 8 MB, as before

    assert peak_of(work, CPU) == pytest.approx(8.0, abs=0.1)


class FakeMeasurer:
    """Takes `seconds` for everything; cannot do rows that are named."""

    def __init__(self, name: str = "", seconds: float = 1.0, cannot: tuple[str, ...] = ()) -> None:
        self.name, self.seconds, self.cannot = name, seconds, cannot
        self.order: list[str] = []

    def prepare(self, case: Case) -> float:
        if case.row in self.cannot:
            raise Unable("not here")
        return 5.0

    def time(self, case: Case) -> tuple[float, float]:
        self.order.append(case.row)
        return self.seconds, 2 * self.seconds

    def drop(self) -> None:
        self.order.append("dropped")


A, B = Case(kind="kernel", row="s4d-lin", L=16), Case(kind="kernel", row="hope", L=16)


def test_cases_of_a_group_take_turns_and_short_ones_run_more_often() -> None:
    slow = FakeMeasurer()
    found = measure_in_turn([(slow, A), (slow, B)])
    assert slow.order == ["s4d-lin", "hope"] * RUNS + ["dropped"]
    assert found.timings[1] == Timing(wall=(1.0,) * RUNS, cpu=(2.0,) * RUNS, peak_mb=5.0)
    assert len(measure_in_turn([(FakeMeasurer(seconds=0.001), A)]).timings[0].wall) == MOST_RUNS


def test_what_one_measurer_cannot_do_the_other_does() -> None:
    now, then = FakeMeasurer("now"), FakeMeasurer("then", cannot=("hope",))
    seen: list[Any] = []
    clock = Clock(1e9, now=lambda: 0.0)
    holes = run_groups([Group("kernels", (A, B))], [now, then], clock, seen=lambda _, t: seen.append(t), say=lambda _: None, limit_mb=None)
    assert [set(by) for by in seen[0]] == [{A, B}, {A}]
    assert [(hole.what, hole.why) for hole in holes] == [(str(B), "then not here")]


def test_the_clock_leaves_out_what_would_not_end_in_time_and_names_it() -> None:
    time = iter(range(0, 10000, 10))
    clock = Clock(200.0, now=lambda: float(next(time)))
    groups = [Group(f"group {i}", (A,)) for i in range(40)]
    said: list[str] = []
    holes = run_groups(groups, [FakeMeasurer()], clock, seen=lambda *_: None, say=said.append, limit_mb=None)
    assert 0 < len(holes) < len(groups)
    assert all("the 3.33333 minutes were nearly over" in hole.why for hole in holes)
    assert len(said) == len(groups)


def test_what_needs_too_much_memory_is_left_out() -> None:
    large = Case(kind="kernel", row="s4", L=1 << 20, by=TEXTBOOK)
    measurer, clock = FakeMeasurer(), Clock(1e9, now=lambda: 0.0)
    holes = run_groups([Group("x", (A, large))], [measurer], clock, seen=lambda *_: None, say=lambda _: None, limit_mb=4000.0)
    assert [hole.what for hole in holes] == [str(large)]
    assert "GB" in holes[0].why
    assert set(measurer.order) == {"s4d-lin", "dropped"}


def test_the_pace_of_the_clock_follows_what_things_took() -> None:
    clock = Clock(1000.0, now=lambda: 0.0)
    assert clock.pace == 1.0
    clock.done(expected=90.0, took=290.0)
    assert clock.pace == 3.0
    assert clock.fits(333.0)
    assert not clock.fits(334.0)


# ------------------------------------------------------------------------------------------------- plans


def test_the_full_plan_holds_what_every_target_asks_for() -> None:
    for device in ("cpu", "cuda"):
        rows = made_up_speed.session(device).results
        assert [t.what for t in targets(device) if t.judge(Results.from_json(rows)).found is None] == []


def test_the_plan_begins_with_what_is_cheap_and_ends_with_what_no_target_needs() -> None:
    for groups in (full_plan("cpu"), short_plan("cpu")):
        costs = [(g.last, g.seconds) for g in groups]
        assert costs == sorted(costs)
        assert len({case for g in groups for case in g.cases}) == sum(len(g.cases) for g in groups)
    assert sum(g.seconds for g in full_plan("cpu") if not g.last) < 15 * 60
    assert sum(g.seconds for g in short_plan("cpu")) < 90


def test_the_full_plan_has_every_kind_of_work_every_row_and_every_length() -> None:
    cases = [case for g in full_plan("cuda") for case in g.cases]
    assert {case.kind for case in cases} == set(KINDS)
    assert {case.row for case in cases if case.kind == "layer"} == set(ROWS)
    assert {case.L for case in cases if case.kind == "kernel"} >= {256, 1024, 4096, 16384, 65536}
    assert {case.precision for case in cases if case.kind == "layer"} == {"fp32", "bf16"}


def test_rows_and_kinds_can_be_chosen_with_the_code_they_are_compared_with() -> None:
    groups = choose_groups("cpu", ["hope"], ["kernel"], short=True)
    cases = {(case.row, case.by) for g in groups for case in g.cases}
    assert cases == {("hope", OURS), ("hope-circular", TEXTBOOK)}


def test_packages_stand_beside_ours_where_they_can() -> None:
    scan, layer = Case(kind="scan", row="scan", L=256), Case(kind="layer", row="s4", L=256)
    other = Case(kind="layer", row="hope", L=256)
    assert beside([scan, layer, other], "cuda", list(PACKAGES)) == [replace(scan, by="accelerated-scan"), replace(layer, by="lrnnx")]
    assert beside([scan], "cpu", ["accelerated-scan"]) == []


# ------------------------------------------------------------------------------------------------- anchor and targets


def times(**ms: float) -> dict[Case, float]:
    textbook_ms = {CONVOLUTION: ms["conv"], kernel_of("s4d-lin"): ms["s4d"], kernel_of("s4"): ms["s4"]}
    return textbook_ms | {replace(case, by=OURS): value / 10 for case, value in textbook_ms.items()}


def test_the_anchor_holds_for_the_public_code_and_within_a_quarter() -> None:
    assert [a.holds for a in anchors(times(conv=49, s4d=187, s4=534), "as it comes")] == [True, True]
    assert [a.holds for a in anchors(times(conv=49, s4d=187 * 1.24, s4=534 * 0.76), "as it comes")] == [True, True]
    assert [a.holds for a in anchors(times(conv=49, s4d=187 * 1.26, s4=534 * 0.74), "as it comes")] == [False, False]
    assert [a.faster for a in anchors(times(conv=49, s4d=187, s4=534), "settled")] == pytest.approx([10.0, 10.0])
    assert {case.by for case in CASES} == {OURS, TEXTBOOK}


def test_the_anchor_says_in_which_direction_it_fails() -> None:
    slow, fast = (
        Anchor(row="s4", allocation="settled", ratio=r * PUBLISHED["s4"], published=PUBLISHED["s4"], faster=10.0) for r in (2.0, 0.5)
    )
    assert "too slow" in slow.words
    assert "faster" in fast.words
    assert slow.to_json()["holds"] is False


def test_a_ratio_is_the_textbooks_time_over_ours() -> None:
    ours = Case(kind="kernel", row="hope", L=2048)
    rows = [
        {"case": ours.to_json(), "ms": 10.0, "peak_mb": 3.0},
        {"case": replace(ours, row="hope-circular", by=TEXTBOOK).to_json(), "ms": 250.0, "peak_mb": None},
    ]
    results = Results.from_json(rows)
    assert textbook_of(ours) == Case(kind="kernel", row="hope-circular", L=2048, by=TEXTBOOK)
    assert results.ratio(ours) == 25.0
    assert math.isnan(results.ratio(ours, "peak_mb"))
    judged = {t.what: t.judge(results) for t in targets("cpu")}
    assert judged["HOPE, causal kernel, L = 2,048, faster"].met is True
    assert judged["HOPE, circular spectrum, L = 2,048, faster"].met is None
    assert judged["HOPE, causal kernel, L = 2,048, faster"].to_json()["found"] == 25.0


def test_a_target_at_most_is_met_from_below() -> None:
    rows = [made_up_speed.numbers(replace(plan.MILLION, row=row)) | {"peak_mb": 3999.0} for row in plan.EACH]
    memory = next(t for t in targets("cpu") if t.unit == "MB")
    assert memory.judge(Results.from_json(rows)).met is True
    rows[0]["peak_mb"] = 4001.0
    assert memory.judge(Results.from_json(rows)).met is False
    assert memory.judge(Results.from_json(rows[1:])).met is None


def test_slope_and_worst() -> None:
    assert slope([(1.0, 3.0), (2.0, 12.0), (4.0, 48.0)]) == pytest.approx(2.0)
    assert math.isnan(slope([(1.0, 3.0)]))
    assert math.isnan(slope([]))
    assert worst([1.0, 3.0]) == 3.0
    assert math.isnan(worst([1.0, math.nan]))


def test_bf16_moves_half_of_the_activations() -> None:
    case = Case(kind="layer", row="s4d-lin", B=16, L=1024)
    kernel = 2 * 128 * 1024 * 4
    assert floor_bytes(case) - kernel == 2 * (floor_bytes(replace(case, precision="bf16")) - kernel)


# ------------------------------------------------------------------------------------------------- records


def test_a_session_is_read_as_it_was_written(tmp_path: Path) -> None:
    session = made_up_speed.session()
    path = session.write(tmp_path)
    assert read(path) == session
    assert json.loads(path.read_text())["schema"] == 1
    assert path.stat().st_size < 200_000


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"plan": "full", "environment": {}, "schema": 7}', '{"plan": "full", "what": 1}'])
def test_a_file_that_is_no_session_is_refused_and_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DamagedSession):
        read(tmp_path / "x.json")
    assert newest([tmp_path, tmp_path / "missing"]) == []


def test_the_newest_full_session_of_a_device_is_shown(tmp_path: Path) -> None:
    def at(date: str, session_plan: Any, device: str = "cpu") -> Session:
        session = Session(plan=session_plan, environment={"device": device, "date": date})
        session.write(tmp_path)
        return session

    at("2026-01-01T00:00:00", "full")
    wanted = at("2026-01-02T00:00:00", "full")
    at("2026-01-03T00:00:00", "part")
    base, other = at("2026-01-04T00:00:00", "base"), at("2026-01-01T00:00:00", "part", "cuda (a card)")
    assert [session for _, session in newest([tmp_path])] == [wanted, base, other]


def test_points_of_engines_replace_those_measured_again() -> None:
    case = Case(kind="engine", row="s4d-lin", B=2, H=4, N=8, L=16, engine="fft")
    results = Results.from_json([made_up_speed.numbers(case) | {"ms": 2.0}, made_up_speed.numbers(A)])
    new = points(results, "cpu")
    point: dict[str, Any] = {"form": "diagonal", "B": 2, "H": 4, "N": 8, "L": 16}
    assert new == [Measured(device="cpu", engine="fft", ms=2.0, **point)]
    others = [Measured(device="cuda", engine="fft", ms=1.0, **point), Measured(device="cpu", engine="chunked", ms=3.0, **point)]
    assert set(merged([Measured(device="cpu", engine="fft", ms=9.0, **point), *others], new)) == {*new, *others}


# ------------------------------------------------------------------------------------------------- the commands


def test_a_session_of_one_case_is_recorded_with_all_it_was_measured_under(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("benchmarks.speed.command.check_anchors", lambda threads: anchors(times(conv=49, s4d=187, s4=534), "as it comes"))
    monkeypatch.setattr("benchmarks.speed.command.bandwidth", lambda device: 10.0)
    case = Case(kind="kernel", row="s4d-lin", L=1024, H=8)
    assert measure_all([Group("one", (case, replace(case, by=TEXTBOOK)))], "cpu", 1, 5, write_engines=False) == cli.DONE
    (path,) = (tmp_path / "runs" / "speed").glob("*.json")
    session = read(path)
    assert session.plan == "part"
    assert {Case.from_json(row["case"]).by for row in session.results} == {OURS, TEXTBOOK}
    assert {"code", "content", "cpu", "device", "threads", "allocation", "load_at_start", "load_at_end", "packages"} <= set(
        session.environment
    )
    assert all(anchor["holds"] for anchor in session.anchors)
    assert "x  (cpu" in capsys.readouterr().out


def test_the_table_of_engines_is_written_on_request_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.speed.command.check_anchors", lambda threads: [])
    monkeypatch.setattr("benchmarks.speed.command.bandwidth", lambda device: 10.0)
    written: list[list[Measured]] = []
    monkeypatch.setattr("benchmarks.speed.command.write_table", written.append)
    groups = [Group("engines", (Case(kind="engine", row="s4d-lin", L=16, H=4, N=4, engine="fft"),))]
    measure_all(groups, "cpu", 1, 5, write_engines=False)
    assert written == []
    measure_all(groups, "cpu", 1, 5, write_engines=True)
    assert [(m.device, m.form, m.L, m.engine) for m in written[0] if m.H == 4] == [("cpu", "diagonal", 16, "fft")]
    assert len(written[0]) > 1, "what was not measured again is kept"


def test_a_word_that_names_no_commit_is_bad_usage() -> None:
    with pytest.raises(cli.UsageError, match="git rev-parse says"), older_tree("no-such-commit"):
        pass
