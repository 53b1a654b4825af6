"""One option changed from a command line, a sweep without a file, rates to try, and a plan: what is read, and what it is called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ablations.sweep import sweep
from benchmarks import cli
from benchmarks.changes import label_changes, read_changes, split_changes
from benchmarks.registry import BENCHMARKS, select_benchmark
from benchmarks.running.environment import Runtime, describe
from benchmarks.running.estimate import describe_plan
from benchmarks.running.record import Record
from benchmarks.running.store import Store
from benchmarks.spec import Job, RunSpec, canonical, every_field
from benchmarks.tuning import COMMON, TRIES, TUNE
from models import Constant
from reports.benchmark import request_benchmark
from reports.everything import report_everything
from tests.tiny import tiny

S4D_LIN = BENCHMARKS["digits"].recipe("s4d-lin", "quick").run


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("mixer.d_state", "16", 16),
        ("optim.lr", "3e-3", 0.003),
        ("optim.lr", "1", 1.0),
        ("mixer.real", "true", True),
        ("mixer.n_ssm", "none", None),
        ("mixer.n_ssm", "4", 4),
        ("mixer.init", "legs", "legs"),
        ("model.norm", "batch", "batch"),
        ("model.dropout_sites", "activation+residual", ("activation", "residual")),
        ("model.dropout_sites", "none", ()),
        ("optim.schedule", "constant", Constant()),
        ("optim.schedule.warmup_steps", "7", 7),
        ("precision", "bf16-mixed", "bf16-mixed"),
    ],
)
def test_a_word_is_read_as_its_field_declares(name: str, text: str, value: object) -> None:
    read = read_changes(S4D_LIN, {name: text})[name]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("mixer.d_state", "16.5", "mixer.d_state is a whole number, got '16.5'"),
        ("mixer.n_ssm", "x", "is a whole number, got 'x', or none"),
        ("mixer.real", "maybe", "mixer.real is true or false"),
        ("optim.schedule", "cosin", "did you mean 'cosine'.* one of: constant, cosine, plateau, multistep"),
        ("optim.schedule", "multistep", "cannot be had by its name alone"),
        ("model.mixing", "gul", "did you mean 'glu'"),
        ("scale", "small", "use --scale"),
        ("epochs.more", "1", "plain value"),
        ("mixer.dstate", "4", "did you mean 'd_state'"),
        ("d_state", "16", "a field of a part of a run: write mixer.d_state"),
    ],
)
def test_a_word_that_does_not_fit_says_what_would(name: str, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_changes(S4D_LIN, {name: text})


def test_a_label_names_what_was_changed() -> None:
    assert label_changes(split_changes("mixer.d_state=16,optim.lr=0.003")) == "[d_state 16, lr 0.003]"
    assert label_changes({"optim.lr": "1", "model.lr": "2"}) == "[optim.lr 1, model.lr 2]"
    assert cli.gathered("--set", ["digits", "--set", "a=1", "--seeds", "0", "--set=b=2"]) == ["digits", "--seeds", "0", "--set=a=1,b=2"]


def test_the_id_follows_a_change_and_reports_find_it(tmp_path: Path) -> None:
    selected = select_benchmark("digits", changes="mixer.d_state=16,optim.lr=0.003")
    run = selected.benchmark.recipe("s4d-lin", "quick").run
    assert run.id != S4D_LIN.id
    assert (run.model.mixer.d_state, run.optim.lr) == (16, 0.003)  # type: ignore[attr-defined]
    assert selected.named("s4d-lin") == "s4d-lin [d_state 16, lr 0.003]"
    assert selected.options == ("--set", "mixer.d_state=16,optim.lr=0.003")
    store = Store.at(tmp_path)
    asked = request_benchmark("digits", (0,), ("s4d-lin",), None, store, changes="mixer.d_state=16,optim.lr=0.003")
    assert [(e.labels["variant"], e.id) for e in asked.expected] == [("s4d-lin [d_state 16, lr 0.003]", run.id)]
    put(store, S4D_LIN)
    put(store, run)
    asked = request_benchmark("digits", (0,), ("s4d-lin",), None, store, changes="mixer.d_state=16,optim.lr=0.003")
    assert [e.labels["variant"] for e in asked.expected] == ["s4d-lin [d_state 16, lr 0.003]", "s4d-lin"]
    assert "--set mixer.d_state=16,optim.lr=0.003" in asked.answer(store).make


def test_records_of_no_recipe_have_a_report_that_names_them(tmp_path: Path) -> None:
    store = Store.at(tmp_path)
    put(store, S4D_LIN)
    mixer = replace(S4D_LIN.model.mixer, d_state=16)  # type: ignore[call-arg]
    put(store, replace(S4D_LIN, model=replace(S4D_LIN.model, mixer=mixer), seed=3))
    found = report_everything(store)
    names = {report.name: list(report.runs["variant"]) for report in found.reports}
    assert names["digits-changed"] == ["s4d-lin [d_state 16]"]
    assert "s4d-lin" in names["digits"]
    assert len(found.strays) == 0


def test_every_row_tries_the_same_rates_and_is_shown_at_its_best(tmp_path: Path) -> None:
    store = Store.at(tmp_path)
    asked = request_benchmark("digits", (0,), ("s4d-lin", "hope"), None, store, tune="rates")
    assert len(asked.expected) == 2 * len(TRIES) == 2 * len(TUNE["rates"])
    assert asked.expected[0].id == S4D_LIN.id
    assert COMMON in TRIES
    report = asked.answer(store)
    assert "best of 4 rates" in report.title
    assert report.make.endswith("--tune rates")
    assert [section.name for section in report.sections][:2] == ["tuned", "along"]


def test_a_sweep_is_every_combination_that_can_be() -> None:
    grid = sweep("lra-image", None, ("s4d-lin",), "mixer.init=lin,fout mixer.discretization=zoh,bilinear mixer.real=false,true")
    assert grid.factors == ("init", "discretization", "real")
    assert [tuple(cell.row.values()) for cell in grid.cells()] == [
        ("lin", rule, real) for rule in ("zoh", "bilinear") for real in ("false", "true")
    ]
    assert {place.row["init"] for place in grid.impossible()} == {"fout"}
    assert grid.cells()[0].spec.id == BENCHMARKS["lra-image"].recipe("s4d-lin", "quick").run.id
    assert grid.words[-1] == "mixer.init=lin,fout mixer.discretization=zoh,bilinear mixer.real=false,true"


def test_a_sweep_over_rows_leaves_out_what_one_of_them_does_not_have() -> None:
    grid = sweep("digits", None, ("s4d-lin", "hope"), "mixer.init=lin,inv optim.lr=0.01,0.003")
    assert grid.factors == ("row", "init", "lr")
    assert {cell.row["row"] for cell in grid.cells()} == {"s4d-lin"}
    assert all("HOPESpec" in place.reason for place in grid.impossible())
    with pytest.raises(ValueError, match="did you mean 'lin'"):
        sweep("digits", None, ("s4d-lin", "hope"), "mixer.init=lni")
    with pytest.raises(ValueError, match="swept twice"):
        sweep("digits", None, ("s4d-lin",), "epochs=1 epochs=2")


def put(store: Store, spec: RunSpec, *, seconds: float = 60.0) -> None:
    """A record of `spec`, made here."""
    record = Record(
        id=spec.id, benchmark=spec.benchmark, scale=spec.scale, seed=spec.seed, spec=canonical(spec), spec_full=every_field(spec),
        status="ok", metrics={"test_accuracy": 0.9, "val_accuracy": 0.9}, cost={"wall_seconds": seconds, "peak_memory_mb": 50.0},
        environment=describe(Runtime()),
    )  # fmt: skip
    store.put(spec, record)


def test_a_plan_says_what_is_done_and_how_long_the_rest_takes(tmp_path: Path) -> None:
    store, runtime = Store.at(tmp_path), Runtime(workers=2)
    jobs = [Job(f"seed {seed}", tiny(seed=seed)) for seed in range(5)]
    put(store, tiny(seed=0))
    plan = describe_plan(jobs, runtime, store, "python -m benchmarks digits").splitlines()
    assert plan[:3] == ["cells    1, 5 runs with all seeds", "done     1", "to do    4, 2 at a time on cpu"]
    assert plan[3] == "time     about 2:00 (cells: 1 by records of this machine)"
    assert plan[4].startswith("memory   about 50 MB")
    assert plan[5:] == ["command  $ python -m benchmarks digits", "Nothing was started."]


@pytest.mark.parametrize("rerun", ["missing", "failed", "stale", "all"])
def test_a_plan_leaves_a_record_of_a_newer_version_alone_as_a_launch_does(tmp_path: Path, rerun: str) -> None:
    store = Store.at(tmp_path)
    put(store, tiny())
    path = store.folder(tiny()) / "record.json"
    path.write_text(path.read_text().replace('"schema": 2', '"schema": 3'))
    job = Job("tiny", tiny())
    plan = describe_plan([job, job], Runtime(), store, "x", rerun=rerun).splitlines()
    assert plan[:3] == ["cells    1, 1 runs with all seeds", "done     0", "to do    0, 1 at a time on cpu"]
    assert plan[3].startswith("left     1 with records of a newer version")


@pytest.mark.slow
def test_a_plan_without_records_makes_a_short_trial_and_starts_nothing(tmp_path: Path) -> None:
    store = Store.at(tmp_path)
    plan = describe_plan([Job("tiny", tiny())], Runtime(), store, "x")
    assert "(cells: 1 by short trials)" in plan
    assert not list(tmp_path.rglob("record.json"))
