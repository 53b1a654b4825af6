"""Recipes and grids: what a row may differ in, fixed order, and cells that are the same run as a row of a benchmark."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ablations.grid import Ablation, Cell, Factor, vary
from ablations.registry import ABLATIONS
from benchmarks.benchmark import Benchmark
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


def test_vary_runs_the_last_factor_fastest() -> None:
    a = Factor(name="a", levels={"1": {"d_state": 2}, "2": {"d_state": 4}})
    b = Factor(name="b", levels={"x": {"init": "lin"}, "y": {"init": "inv"}})
    out = vary(S4DSpec(), a, b)
    assert [tuple(row.values()) for row, _ in out] == [("1", "x"), ("1", "y"), ("2", "x"), ("2", "y")]
    assert [(spec.d_state, spec.init) for _, spec in out] == [(2, "lin"), (2, "inv"), (4, "lin"), (4, "inv")]


def test_a_grid_that_contradicts_itself_is_refused() -> None:
    def ablation(*rows: dict[str, str]) -> Ablation:
        return Ablation(name="n", title="t", about="a", factors=("a",), make=lambda: [Cell(row=row, spec=tiny()) for row in rows])

    assert len(ablation({"a": "1"}, {"a": "2"}).cells()) == 2
    with pytest.raises(ValueError, match="twice"):
        ablation({"a": "1"}, {"a": "1"}).cells()
    with pytest.raises(ValueError, match="instead of"):
        ablation({"b": "1"}).cells()
