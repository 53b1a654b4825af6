"""Recipes and grids: what a row may differ in, fixed order, and cells that are the same run as a row of a benchmark."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ablations.grid import Ablation, Factor
from ablations.registry import ABLATIONS
from benchmarks.benchmark import Benchmark
from benchmarks.changes import changed, times
from benchmarks.registry import BENCHMARKS
from models import DEFAULT_VARIANTS, VARIANTS, S4DSpec, SequenceModel, StepSpec
from models.s4d import initial_modes
from tests.tiny import tiny


@pytest.mark.parametrize("benchmark", BENCHMARKS.values(), ids=list(BENCHMARKS))
def test_rows_of_a_benchmark_differ_in_their_mixer_only(benchmark: Benchmark) -> None:
    """At quick scale, and in direction where a mixer cannot look back; small and paper also differ in the setting of each row."""
    runs = {name: benchmark.recipe(name, "quick").run for name in VARIANTS if benchmark.has_recipe(name, "quick")}
    assert set(DEFAULT_VARIANTS) <= set(runs)
    first = next(iter(runs.values()))
    time_scales = set()
    for name, run in runs.items():
        assert (run.benchmark, run.scale) == (benchmark.name, "quick")
        assert run.model.bidirectional == (first.model.bidirectional and run.model.mixer.two_way), name
        assert replace(run, model=replace(run.model, mixer=first.model.mixer, bidirectional=first.model.bidirectional)) == first, name
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


def test_a_field_may_be_changed_by_a_factor() -> None:
    run = tiny()
    new = changed(run, {"optim.lr": times(3), "epochs": times(0.75), "model.pool_last": times(0.5), "mixer.lr_dt": times(10)})
    assert isinstance(new.model.mixer, StepSpec)
    assert (new.epochs, new.model.pool_last, new.model.mixer.lr_dt) == (2, 4, 1e-2)
    assert new.optim.lr == pytest.approx(0.03)
    assert times(3)(None) is None


def test_what_a_spec_refuses_is_left_out_with_its_reason() -> None:
    rule = Factor(name="rule", levels={name: {"mixer.discretization": name} for name in ("zoh", "forward-euler")})
    init = Factor(name="init", levels={**LEVELS, "fout": {"mixer.init": "fout"}})
    grid = tiny_grid(factors=("init", "rule"), vary=(init, rule))
    assert [tuple(cell.row.values()) for cell in grid.cells()] == [("lin", "zoh"), ("inv", "zoh")]
    reasons = {tuple(place.row.values()): place.reason for place in grid.impossible()}
    assert list(reasons) == [("lin", "forward-euler"), ("inv", "forward-euler"), ("fout", "zoh"), ("fout", "forward-euler")]
    assert "makes this init unstable" in reasons["inv", "forward-euler"]
    assert "without its low-rank term" in reasons["fout", "zoh"]
    with pytest.raises(ValueError, match="no cell of the n grid is possible on digits-noise: unknown field of S4DSpec 'h'"):
        tiny_grid(rows={("lin",): {"mixer.h": 1}}).cells()


@pytest.mark.parametrize("ablation", ABLATIONS.values(), ids=list(ABLATIONS))
def test_a_grid_as_its_file_has_it_is_whole(ablation: Ablation) -> None:
    assert not ablation.impossible()
    assert len(ablation.cells()) <= 40
    assert ablation.page == ablation.name
    assert ablation.words == (ablation.name,)


def test_a_grid_moves_to_another_benchmark_and_scale() -> None:
    init = ABLATIONS["init"]
    assert init.on("digits-noise") == init.on(None, "quick") == init
    moved = init.on("scifar", "small")
    assert (moved.page, moved.words) == ("init-scifar-small", ("init", "--bench", "scifar", "--scale", "small"))
    assert moved.cells()[0].spec.id == BENCHMARKS["scifar"].recipe("s4d-lin", "small").run.id
    assert [cell.row for cell in moved.cells()] == [cell.row for cell in init.cells()]
    assert init.on("scifar").page == "init-scifar"
    with pytest.raises(ValueError, match="did you mean 'scifar'"):
        init.on("scifarr")
    with pytest.raises(ValueError, match="scale of digits 'small'"):
        init.on("digits", "small")


def test_every_grid_can_be_had_on_every_benchmark_or_says_why_not() -> None:
    """Only what is of noise after the signal asks for a benchmark that has it."""
    for name, ablation in ABLATIONS.items():
        for benchmark in ("sc10-mfcc", "lra-listops", "copying", "bidmc-hr"):
            moved = ablation.on(benchmark)
            if name in ("readout", "noise-length"):
                with pytest.raises(ValueError, match=f"no cell of the {name} grid is possible on {benchmark}: .*(noise|read-out)"):
                    moved.cells()
            else:
                assert moved.cells()
                assert not moved.impossible()


def test_a_noise_grid_reads_where_the_noise_is() -> None:
    for benchmark, steps in (("digits-noise", 192), ("scifar-noise", 1024)):
        noise = [(c.spec.data.noise, c.spec.model.pool_last) for c in ABLATIONS["noise-length"].on(benchmark).cells()]  # type: ignore[attr-defined]
        assert noise[:4] == [(n, n) for n in (steps // 4, steps, 2 * steps, 4 * steps)]
        places = [c.spec.model.pool_last for c in ABLATIONS["readout"].on(benchmark).cells()]
        assert places[:3] == [steps, None, 1]


def test_depth_is_varied_at_equal_parameters() -> None:
    sizes = []
    for cell in ABLATIONS["block"].cells():
        if cell.row["besides"] in ("nothing", "half the layers", "twice the layers") and cell.row["directions"] == "one":
            model: SequenceModel = cell.spec.model.build(d_input=1, d_output=10)
            sizes.append((cell.row["besides"], cell.spec.model.n_layers, sum(p.numel() for p in model.parameters())))
    (_, _, usual), *_ = sizes
    assert [layers for _, layers, _ in sizes[-2:]] == [1, 4]
    assert all(abs(size / usual - 1) < 0.1 for _, _, size in sizes[-2:])


def test_every_row_tries_the_same_rates() -> None:
    cells = ABLATIONS["rates"].cells()
    assert {cell.row["row"] for cell in cells} == set(DEFAULT_VARIANTS)
    tries = [[tuple(c.row.values())[1:] for c in cells if c.row["row"] == row] for row in DEFAULT_VARIANTS]
    assert all(each == tries[0] for each in tries)
    hope = {tuple(c.row.values())[1:]: c.spec for c in cells if c.row["row"] == "hope"}
    assert hope["x 1", "x 1"].id == BENCHMARKS["digits-noise"].recipe("hope", "quick").run.id
    assert hope["x 1", "x 10"].model.mixer.lr_h == pytest.approx(0.01)  # type: ignore[attr-defined]
    assert hope["x 3", "x 1"].optim.lr == pytest.approx(0.03)


def test_real_modes_stand_beside_as_many_states_and_as_many_modes() -> None:
    specs = {tuple(cell.row.values()): cell.spec.model.mixer for cell in ABLATIONS["real-complex"].cells()}
    for N in (4, 16, 64, 256):
        states, modes = specs["real, log, N modes", str(N)], specs["real, log, N/2 modes", str(N)]
        assert (states.d_state, modes.d_state) == (N, N // 2)  # type: ignore[attr-defined]
        decays = -initial_modes(states, 1)[0][0]  # type: ignore[arg-type]
        assert len(decays) == N
        assert (decays[0], decays[-1]) == pytest.approx((0.5, 0.01))
