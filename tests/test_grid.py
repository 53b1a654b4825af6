"""Recipes and grids: what a row may differ in, fixed order, and cells that are the same run as a row of a benchmark."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ablations.grid import Ablation, Factor
from ablations.registry import ABLATIONS
from benchmarks.benchmark import Benchmark
from benchmarks.changes import changed
from benchmarks.registry import BENCHMARKS
from models import DEFAULT_VARIANTS, VARIANTS, S4DSpec, StepSpec
from tests.tiny import tiny


@pytest.mark.parametrize("benchmark", BENCHMARKS.values(), ids=list(BENCHMARKS))
def test_rows_of_a_benchmark_differ_in_their_mixer_only(benchmark: Benchmark) -> None:
    """At quick scale; small and paper also differ in direction, and in the setting of each row."""
    runs = {name: benchmark.recipe(name, "quick").run for name in VARIANTS if benchmark.has_recipe(name, "quick")}
    assert set(DEFAULT_VARIANTS) <= set(runs)
    first = next(iter(runs.values()))
    time_scales = set()
    for name, run in runs.items():
        assert (run.benchmark, run.scale) == (benchmark.name, "quick")
        assert replace(run, model=replace(run.model, mixer=first.model.mixer)) == first, name
        if isinstance(run.model.mixer, StepSpec):
            convention = type(run.model.mixer).dt_convention
            time_scales.add((round(run.model.mixer.dt_min / convention, 9), round(run.model.mixer.dt_max / convention, 9)))
    assert time_scales == {(1e-4, 0.1) if first.data.signature.length >= 128**2 and first.data.signature.d_output == 2 else (1e-3, 0.1)}
    assert len({run.id for run in runs.values()}) == len(runs)


def test_what_a_benchmark_does_not_have_is_refused() -> None:
    for benchmark in BENCHMARKS.values():
        with pytest.raises(ValueError, match="did you mean 'hope'"):
            benchmark.recipe("hopee", "quick")
        with pytest.raises(ValueError, match="scale"):
            benchmark.recipe("hope", "large")


@pytest.mark.parametrize("ablation", ABLATIONS.values(), ids=list(ABLATIONS))
def test_every_cell_is_a_run_of_its_own_in_a_fixed_order(ablation: Ablation) -> None:
    cells = ablation.cells()
    assert cells == ablation.cells()
    assert len({cell.spec.id for cell in cells}) == len(cells)
    assert {cell.spec.seed for cell in cells} == {0}
    specs = ablation.specs((0, 5))
    assert [spec.id for spec in specs[: len(cells)]] == [cell.spec.id for cell in cells]
    assert [spec.id for spec in specs[len(cells) :]] == [replace(cell.spec, seed=5).id for cell in cells]


def test_core_shares_its_runs_with_the_benchmark() -> None:
    ids = {tuple(cell.row.values()): cell.spec.id for cell in ABLATIONS["core"].cells()}
    for variant in ("s4d-lin", "s4d-inv", "s4d-legs", "s4d-rand"):
        expected = BENCHMARKS["digits-noise"].recipe(variant, "quick").run.id
        assert ids["S4D", variant.removeprefix("s4d-"), "zoh", "complex", "common"] == expected
    assert ids["HOPE", "random h", "bilinear", "real", "common"] == BENCHMARKS["digits-noise"].recipe("hope", "quick").run.id


def test_core_names_what_its_specs_are() -> None:
    for cell in ABLATIONS["core"].cells():
        mixer = cell.spec.model.mixer
        if isinstance(mixer, S4DSpec):
            assert (cell.row["init"], cell.row["discretization"]) == (mixer.init, mixer.discretization)
            assert cell.row["state"] == ("real" if mixer.real else "complex")
        assert mixer.d_state == 64  # type: ignore[union-attr]


def tiny_grid(**changes: Any) -> Ablation:
    """A grid on the digits with one factor."""
    made = Ablation(name="n", title="t", about="a", benchmark="digits-noise", factors=("init",), columns="init")
    return replace(made, **changes)


LEVELS = {"lin": {"mixer.init": "lin"}, "inv": {"mixer.init": "inv"}}


def test_vary_runs_the_last_factor_fastest() -> None:
    a = Factor(name="a", levels={"1": {"mixer.d_state": 2}, "2": {"mixer.d_state": 4, "optim.lr": 0.5}})
    b = Factor(name="b", levels={"x": {"mixer.init": "lin"}, "y": {"mixer.init": "inv"}})
    cells = tiny_grid(factors=("b", "a"), columns="a", vary=(a, b)).cells()
    assert [cell.row for cell in cells] == [{"b": y, "a": x} for x in "12" for y in "xy"]
    mixers = [cell.spec.model.mixer for cell in cells]
    assert [(m.d_state, m.init) for m in mixers] == [(2, "lin"), (2, "inv"), (4, "lin"), (4, "inv")]  # type: ignore[attr-defined]
    assert [cell.spec.optim.lr for cell in cells] == [0.01, 0.01, 0.5, 0.5]


def test_rows_stand_after_the_crossed_cells_and_references_last() -> None:
    vary = (Factor(name="init", levels=LEVELS),)
    cells = tiny_grid(vary=vary, rows={("legs",): {"mixer.init": "legs"}}, references={("hope",): {"variant": "hope"}}).cells()
    assert [tuple(cell.row.values()) for cell in cells] == [("lin",), ("inv",), ("legs",), ("hope",)]
    assert [cell.reference for cell in cells] == [False, False, False, True]
    recipe = BENCHMARKS["digits-noise"].recipe
    assert [cell.spec.id for cell in cells] == [recipe(name, "quick").run.id for name in ("s4d-lin", "s4d-inv", "s4d-legs", "hope")]


def test_a_grid_that_contradicts_itself_is_refused() -> None:
    vary = (Factor(name="init", levels=LEVELS),)
    assert len(tiny_grid(vary=vary).cells()) == 2
    with pytest.raises(ValueError, match="twice"):
        tiny_grid(vary=vary, rows={("lin",): {}}).cells()
    with pytest.raises(ValueError, match="instead of"):
        tiny_grid(vary=vary, factors=("b",)).cells()
    with pytest.raises(ValueError, match="instead of"):
        tiny_grid(rows={("lin", "zoh"): {}}).cells()
    with pytest.raises(ValueError, match="did you mean 'init'"):
        tiny_grid(rows={("lin",): {"mixer.innit": "lin"}}).cells()


def test_grids_declare_what_their_reports_draw() -> None:
    for ablation in ABLATIONS.values():
        assert ablation.columns in ablation.factors
        assert not ablation.apart or ablation.apart in ablation.factors


def test_fields_change_by_dotted_name_and_all_at_once() -> None:
    run = tiny()
    new = changed(run, {"mixer.dt_min": 0.5, "mixer.dt_max": 0.6, "model.n_layers": 2, "epochs": 3, "data.noise": 4})
    mixer = new.model.mixer
    assert isinstance(mixer, S4DSpec)
    assert (mixer.dt_min, mixer.dt_max, new.model.n_layers, new.epochs, new.data) == (0.5, 0.6, 2, 3, replace(run.data, noise=4))  # type: ignore[call-arg]
    assert changed(run, {}) == run
    assert changed(run, {"mixer.d_state": mixer.d_state}) == run
    with pytest.raises(ValueError, match="did you mean 'epochs'"):
        changed(run, {"epoch": 3})
    with pytest.raises(ValueError, match="plain value"):
        changed(run, {"epochs.more": 3})
    with pytest.raises(ValueError, match="one of the two"):
        changed(run, {"mixer": mixer, "mixer.d_state": 8})
    with pytest.raises(ValueError, match="dt_min <= dt_max"):
        changed(run, {"mixer.dt_min": 0.5, "mixer.dt_max": 0.4})
