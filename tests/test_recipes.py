"""The table of recipes: which row a variant takes, what a row may say, and that a new variant needs no edit of any recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from benchmarks.benchmark import Benchmark
from benchmarks.published import PUBLISHED, TABLES
from benchmarks.published.table import AVERAGE
from benchmarks.recipe import ANY, ONE_WAY, Row
from benchmarks.registry import BENCHMARKS, FAMILIES
from benchmarks.spec import Scale
from data.images.digits import DigitsSpec
from models import VARIANTS, FIRSpec, Kernel, KernelSpec, LSTMSpec, MixerSpec, S4DSpec, StepSpec, Variant
from models.specs.mixer import rate

TABLE = [(b, scale) for b in BENCHMARKS.values() for scale in b.scales]


@dataclass(frozen=True, kw_only=True)
class NewSpec(StepSpec):
    """A parameterization that no recipe has heard of."""

    dt_convention = 2.0
    lr_theta: float | None = rate("kernel", 1e-3)

    def build(self, d_model: int, directions: int = 1) -> Kernel:
        return S4DSpec(d_state=self.d_state).build(d_model, directions)


@dataclass(frozen=True, kw_only=True)
class NewLayerSpec(LSTMSpec):
    """A layer without a kernel of its own, that no recipe has heard of."""


NEW: dict[str, MixerSpec] = {"kernel": NewSpec(), "taps": FIRSpec(d_state=7), "layer": NewLayerSpec()}


@pytest.mark.parametrize("kind", NEW)
def test_a_new_variant_has_a_recipe_everywhere(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file and its row in models/variants.py are all: every benchmark and scale takes it, and says whose setting it is."""
    new = NEW[kind]
    monkeypatch.setitem(VARIANTS, "new", Variant(name="new", mixer=new, about="new", citation="here", paper="a new paper"))
    for benchmark, scale in TABLE:
        recipe = benchmark.recipe("new", scale)
        mixer = recipe.run.model.mixer
        assert type(mixer) is type(new)
        assert recipe.run.model.bidirectional in (False, new.two_way)
        if scale == "paper":
            whose = "its time scales are those of the variant" if "noise" in benchmark.name else "that of S4"
            said = any(note.startswith(f"no published setting for this row: {whose}") for note in recipe.notes)
            assert said == ("noise" not in benchmark.name or isinstance(mixer, StepSpec))
        if scale != "paper" and isinstance(mixer, StepSpec):
            like = benchmark.recipe("s4d-lin", scale).run.model.mixer
            assert isinstance(like, StepSpec)
            assert (mixer.dt_min, mixer.dt_max) == (2 * like.dt_min, 2 * like.dt_max)
            assert mixer.lr_dt == like.lr_dt
        if benchmark.name.startswith("bidmc") and scale != "quick" and isinstance(mixer, KernelSpec):
            assert mixer.d_state == 256


def test_every_table_has_a_row_for_all_others_and_every_paper_in_it_has_a_variant() -> None:
    papers = {variant.paper for variant in VARIANTS.values()}
    assert papers >= {"S4", "DSS", "S4D", "HOPE", ANY}
    for benchmark, scale in TABLE:
        rows = benchmark.rows[scale]
        assert ANY in rows
        assert set(rows) <= papers
        for row in rows.values():
            assert set(row.only) <= set(row.notes)
            assert len(set(row.notes)) == len(row.notes)


@pytest.mark.parametrize(("benchmark", "scale"), TABLE, ids=lambda value: getattr(value, "name", value))
def test_a_variant_takes_the_row_of_its_paper(benchmark: Benchmark, scale: Scale) -> None:
    rows = benchmark.rows[scale]
    for name, variant in VARIANTS.items():
        if benchmark.has_recipe(name, scale):
            row, recipe = rows.get(variant.paper, rows[ANY]), benchmark.recipe(name, scale)
            assert (recipe.source, recipe.run.data, recipe.run.optim) == (row.source, row.data, row.setting.optim)
            assert [note for note in row.notes if note not in row.only] == [
                note for note in recipe.notes if note in row.notes and note not in row.only
            ]
            assert (ONE_WAY in recipe.notes) == (row.setting.model.bidirectional and not recipe.run.model.bidirectional)


def digits_with(change: Callable[[Row], Row]) -> Benchmark:
    digits = BENCHMARKS["digits"]
    return replace(digits, rows={"quick": {ANY: change(digits.rows["quick"][ANY])}})


def test_a_setting_reaches_every_option_of_the_network() -> None:
    def untied(row: Row) -> Row:
        return replace(row, setting=replace(row.setting, model=replace(row.setting.model, dropout=0.1, dropout_tied=False)))

    run = digits_with(untied).recipe("hope", "quick").run
    assert (run.model.dropout, run.model.dropout_tied, run.data) == (0.1, False, DigitsSpec())
    assert run.model.mixer == BENCHMARKS["digits"].recipe("hope", "quick").run.model.mixer


def test_a_sentence_can_be_about_some_variants_only() -> None:
    said = digits_with(lambda row: replace(row, notes=("a", "b"), only={"a": lambda variant: variant.paper == "S4"}))
    assert said.recipe("s4", "quick").notes[:2] == ("a", "b")
    assert said.recipe("hope", "quick").notes[0] == "b"


def test_a_variant_without_the_options_of_its_paper_is_told_so() -> None:
    wrong = digits_with(lambda row: replace(row, fields={"n_ssm": 2, "d_state": 8}))
    assert wrong.has_recipe("s4", "quick")
    with pytest.raises(TypeError, match=r"hope takes the settings of HOPE, which set n_ssm on digits; HOPESpec has no such option"):
        wrong.recipe("hope", "quick")


def test_published_numbers_are_of_benchmarks_that_there_are() -> None:
    """The names of benchmarks in printed tables are those of the registry, and the registry carries all of their numbers."""
    assert set(PUBLISHED) <= {*BENCHMARKS, AVERAGE}
    assert FAMILIES[AVERAGE].averages == PUBLISHED[AVERAGE] != ()
    for name, benchmark in BENCHMARKS.items():
        assert benchmark.published == PUBLISHED.get(name, ())
    filled = sum(number is not None for table in TABLES for numbers in table.rows.values() for number in numbers)
    assert sum(map(len, PUBLISHED.values())) == filled


def test_families_have_members_of_one_metric() -> None:
    for family in FAMILIES.values():
        assert len({BENCHMARKS[name].metric for name in family.members}) == 1
    assert FAMILIES["probes"].members[:4] == ("copying", "selective-copying", "induction", "mqar")
    assert "delay" not in FAMILIES["probes"].members
