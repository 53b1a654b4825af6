"""Recipes of the image benchmarks, and the two grids on noise-padded CIFAR-10. Nothing here opens a data set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ablations.noise import NOISE
from ablations.readout import READOUT
from ablations.registry import ABLATIONS
from benchmarks.registry import BENCHMARKS
from benchmarks.spec import RunSpec, Scale
from benchmarks.tasks import images
from benchmarks.tasks.images import READOUTS
from data.base import DataSpec
from data.images.cifar import CIFARSpec
from data.images.mnist import MNISTSpec
from models import VARIANTS, HOPESpec, S4DSpec

DATA: dict[str, DataSpec] = {
    "lra-image": CIFARSpec(color=False),
    "scifar": CIFARSpec(),
    "scifar-noise": CIFARSpec(noise=1024),
    "scifar-noise-gray": CIFARSpec(color=False, noise=1024),
    "smnist": MNISTSpec(),
    "psmnist": MNISTSpec(permuted=True),
}
PAIRS = [(name, scale) for name in DATA for scale in BENCHMARKS[name].scales]


def parameters(spec: RunSpec) -> int:
    s = spec.data.signature
    return sum(p.numel() for p in spec.model.build(d_input=s.d_input, d_output=s.d_output).parameters())


@pytest.mark.parametrize(("name", "scale"), PAIRS)
def test_every_variant_has_a_recipe_with_a_source_that_can_be_built(name: str, scale: Scale) -> None:
    for variant in VARIANTS:
        recipe = BENCHMARKS[name].recipe(variant, scale)
        assert (recipe.run.benchmark, recipe.run.scale, recipe.run.data.signature) == (name, scale, DATA[name].signature)
        assert recipe.source
        assert recipe.notes
        assert "/" not in recipe.run.data.source  # no path of a machine in what decides the identity
        if scale != "paper":
            parameters(recipe.run)


@pytest.mark.parametrize(("name", "scale"), [(n, s) for n, s in PAIRS if s != "paper"])
def test_rows_differ_in_their_mixer_and_direction_only(name: str, scale: Scale) -> None:
    runs = [BENCHMARKS[name].recipe(variant, scale).run for variant in VARIANTS]
    first = runs[0]
    assert {replace(r, model=replace(r.model, mixer=first.model.mixer, bidirectional=False)).id for r in runs} == {
        replace(first, model=replace(first.model, bidirectional=False)).id
    }


def test_quick_is_a_stated_part_of_the_data_and_the_others_are_all_of_it() -> None:
    for name, scale in PAIRS:
        recipe = BENCHMARKS[name].recipe("s4d-lin", scale)
        subset = recipe.run.data.train_subset
        assert (subset is not None) == (scale == "quick")
        if subset is not None:
            assert any(f"{subset:,} training" in note for note in recipe.notes)


def test_small_has_the_size_of_the_published_small_models() -> None:
    """state-spaces/s4's ablation network on colour has about 135.9K parameters."""
    assert parameters(BENCHMARKS["scifar"].recipe("s4d-lin", "small").run) == 135_946
    for name in DATA:
        assert 100_000 < parameters(BENCHMARKS[name].recipe("s4d-lin", "small").run) < 200_000


def test_the_noise_experiment_is_causal_and_read_from_the_noise() -> None:
    for name in ("scifar-noise", "scifar-noise-gray"):
        for scale in BENCHMARKS[name].scales:
            for variant in ("s4d-lin", "hope", "s4"):
                run = BENCHMARKS[name].recipe(variant, scale).run
                assert (run.model.bidirectional, run.model.pool_last, run.data.signature.length) == (False, 1024, 2048)
    s4d, hope = (BENCHMARKS["scifar-noise"].recipe(v, "paper").run.model.mixer for v in ("s4d-lin", "hope"))
    assert isinstance(s4d, S4DSpec)
    assert isinstance(hope, HOPESpec)
    assert (s4d.dt_min, s4d.dt_max, s4d.train_dt) == (0.1, 0.1, True)
    assert (hope.dt_min, hope.dt_max, hope.train_dt, hope.d_state) == (0.1, 0.1, False, 64)


def test_read_outs() -> None:
    benchmark = BENCHMARKS["scifar-noise"]
    runs = {name: benchmark.read_out(name).recipe("hope", "quick").run for name in READOUTS}
    assert [run.model.pool_last for run in runs.values()] == [1024, None, 1]
    assert runs["noise"] == benchmark.recipe("hope", "quick").run
    with pytest.raises(ValueError, match="did you mean 'last'"):
        benchmark.read_out("lsat")


def test_unknown_scales_and_variants_are_named() -> None:
    with pytest.raises(ValueError, match="smnist"):
        BENCHMARKS["smnist"].recipe("s4d-lin", "paper")
    with pytest.raises(ValueError, match="s4d-lin"):
        BENCHMARKS["scifar"].recipe("s4d_lin", "quick")


def test_published_numbers_are_verified_percentages_with_a_source() -> None:
    for benchmark in (BENCHMARKS[own.name] for own in images.BENCHMARKS):
        for number in benchmark.published:
            assert number.status.startswith("verified")
            assert number.source
            assert 10 < number.value < 100
        names = [number.variant for number in benchmark.published]
        assert len(names) == len(set(names)) or benchmark.name == "scifar"
        own = [name for name in names if name in VARIANTS]
        assert len(own) == len(set(own))


def test_cells_of_the_noise_grids() -> None:
    assert {NOISE.name, READOUT.name} <= set(ABLATIONS)
    cells = NOISE.cells()
    assert len(cells) == len(NOISE.rows) + len(NOISE.references) == 9
    assert len({cell.spec.id for cell in cells}) == 9
    recipe = BENCHMARKS["scifar-noise"].recipe
    common = {recipe(variant, "quick").run.id for variant in ("s4d-lin", "hope", "hope-paper-rates", "fir")}
    assert common <= {cell.spec.id for cell in cells}  # trained once for the benchmark and the grid
    assert len(READOUT.cells()) == 9
    assert len({cell.spec.id for cell in READOUT.cells()} - {cell.spec.id for cell in cells}) == 6


def test_a_benchmark_with_noise_is_read_out_where_it_is_told() -> None:
    """--readout gives the runs of the readout grid; a benchmark without noise has one read-out and says so."""
    grid = {tuple(cell.row.values()): cell.spec.id for cell in READOUT.cells()}
    benchmark = BENCHMARKS["scifar-noise"]
    for name in READOUTS:
        recipe = benchmark.read_out(name).recipe("s4d-lin", "quick")
        assert recipe.run.id == grid["S4D-Lin", name]
        assert recipe.notes[-1] == f"but read out from: {name}"
    with pytest.raises(ValueError, match="did you mean 'last'"):
        benchmark.read_out("lost")
    with pytest.raises(ValueError, match="has one read-out"):
        BENCHMARKS["lra-image"].read_out("all")
