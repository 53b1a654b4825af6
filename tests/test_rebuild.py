"""A record gives back its run: for every recipe, every cell of a grid and every committed record the equal RunSpec with the same id."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest

from ablations.registry import ABLATIONS
from benchmarks.changes import changed as substituted
from benchmarks.rebuild import CannotRebuild, spec_classes
from benchmarks.registry import BENCHMARKS
from benchmarks.running.environment import ROOT
from benchmarks.running.record import Record
from benchmarks.spec import RunSpec, as_declared, canonical, every_field, spec_id
from models import VARIANTS
from tests.tiny import tiny


def recipes() -> Iterator[RunSpec]:
    """Every recipe at every scale, and every way to read it out."""
    for benchmark in BENCHMARKS.values():
        for view in (benchmark, *(benchmark.read_out(name) for name in benchmark.readouts)):
            for scale in benchmark.scales:
                for variant in VARIANTS:
                    try:
                        yield view.recipe(variant, scale).with_seed(3)
                    except ValueError:
                        continue


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def test_every_recipe_and_every_cell_comes_back_from_its_json() -> None:
    runs = {run.id: run for run in recipes()}
    runs |= {run.id: run for grid in ABLATIONS.values() for run in grid.specs((0, 1))}
    assert len(runs) > 600
    for id, run in runs.items():
        for text in (canonical(run), every_field(run)):
            again = RunSpec.from_record(through_json(text))
            assert again == run
            assert again.id == id


COMMITTED = sorted((ROOT / "reports" / "records").glob("*/*/record.json"))


def test_every_committed_record_comes_back() -> None:
    assert COMMITTED
    for path in COMMITTED:
        record = Record.from_json(path.read_text(encoding="utf-8"))
        run = RunSpec.from_record(record.spec)
        assert run.id == record.id, path
        assert canonical(run) == record.spec
        assert RunSpec.from_record(record.spec_full) == run
        assert (run.benchmark, run.scale, run.seed) == (record.benchmark, record.scale, record.seed)


def test_the_table_holds_what_recipes_and_records_name() -> None:
    def named(value: Any) -> set[str]:
        own = {value["type"]} if isinstance(value, dict) and "type" in value else set()
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return own.union(*map(named, parts))

    assert set().union(*(named(canonical(run)) for run in recipes())) <= {*spec_classes(), "RunSpec"}


def changed(*place: str, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(raw: dict[str, Any]) -> None:
        for key in place[:-1]:
            raw = raw[key]
        raw[place[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed("model", "mixer", "version", to=99), ["S4DSpec is of version", "99", "model.mixer"]),
        (changed("model", "mixer", "type", to="S5Spec"), ["no spec class 'S5Spec'", "model.mixer"]),
        (changed("model", "mixer", "type", to="OptimSpec"), ["no spec class 'OptimSpec'", "model.mixer"]),
        (changed("model", "mixer", "colour", to="red"), ["extra fields", "colour", "model.mixer"]),
        (changed("model", "mixer", "d_state", to=3), ["even", "model.mixer"]),
        (changed("model", "mixer", to=None), ["names its type", "model.mixer"]),
        (changed("model", "n_layers", to="two"), ["expected int, found 'two'", "model.n_layers"]),
        (changed("epochs", to=1.0), ["expected int, found 1.0", "epochs"]),
        (changed("seed", to=True), ["expected int, found True", "seed"]),
        (changed("scale", to="huge"), ["huge", "scale"]),
        (lambda raw: raw.pop("epochs"), ["required field missing", "epochs"]),
    ],
)
def test_what_cannot_be_rebuilt_is_named(change: Callable[[dict[str, Any]], Any], words: list[str]) -> None:
    raw = through_json(canonical(tiny()))
    change(raw)
    with pytest.raises(CannotRebuild) as caught:
        RunSpec.from_record(raw)
    for word in words:
        assert word in str(caught.value)


def test_a_whole_number_where_a_fraction_may_stand_is_that_fraction() -> None:
    raw = through_json(canonical(tiny()))
    raw["optim"]["lr"] = 1
    whole = spec_id(canonical(RunSpec.from_record(raw)))
    raw["optim"]["lr"] = 1.0
    assert whole == spec_id(raw)


@pytest.mark.parametrize(
    ("place", "values"),
    [
        ("optim.lr", [1, 1.0]),
        ("optim.weight_decay", [0, 0.0, -0.0]),
        ("data.noise", [8, 8.0]),
        ("data.noise", [0, 0.0, False]),
        ("epochs", [2, 2.0]),
        ("batch_size", [1, True]),
        ("seed", [0, 0.0, False]),
    ],
)
def test_what_compares_equal_has_one_id(place: str, values: list[Any]) -> None:
    runs = [substituted(tiny(), {place: v}) for v in values]
    assert all(run == runs[0] for run in runs)
    assert len({run.id for run in runs}) == 1
    assert len({json.dumps([canonical(run), every_field(run)]) for run in runs}) == 1


@pytest.mark.parametrize(
    ("hint", "values"),
    [
        (float, [0, 0.0, -0.0, False]),
        (float | None, [1, 1.0, True]),
        (int, [3, 3.0]),
        (int | None, [1, 1.0, True]),
        (bool, [True, 1, 1.0]),
        (Literal[1, 2], [1, True, 1.0]),
        (tuple[float, ...], [(1, 0.5), [1.0, 0.5], [True, 0.5]]),
        (tuple[float, float] | None, [(1, 0.5), [1.0, 0.5]]),
        (tuple[int, float], [(1.0, 1), [True, 1.0]]),
        (tuple[str, ...], [("a", "b"), ["a", "b"]]),
    ],
)
def test_equal_values_are_written_alike_in_the_type_of_their_field(hint: Any, values: list[Any]) -> None:
    """The models' specs refuse most of these; those of the data and of a run take them."""
    written = [as_declared(v, hint) for v in values]
    assert {repr(v) for v in written} == {repr(written[0])}
    assert json.dumps(written[0]) == json.dumps(as_declared(written[0], hint))


@pytest.mark.parametrize(("hint", "value"), [(int, 1.5), (bool, 2), (int, float("inf")), (float, "1e-3"), (int | None, None), (int, "1")])
def test_what_does_not_fit_a_field_stays_what_it_is(hint: Any, value: Any) -> None:
    assert as_declared(value, hint) is value


def test_what_differs_has_different_ids() -> None:
    runs = [substituted(tiny(), {"optim.weight_decay": v}) for v in (0, 1, 0.5, 2)]
    runs += [substituted(tiny(), {"model.pool_last": v}) for v in (None, 1)]
    assert len({run.id for run in runs}) == len(runs)
