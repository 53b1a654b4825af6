"""Tests at another sampling rate: scored with the chosen weights and scaled steps, null where there is no step, a column in the table."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import benchmarks.running.run as running
from benchmarks.benchmark import Benchmark, Published
from benchmarks.recipe import ANY
from benchmarks.registry import BENCHMARKS
from benchmarks.running.environment import Runtime
from benchmarks.running.record import Record
from benchmarks.running.run import run
from benchmarks.running.store import Store
from benchmarks.spec import RunSpec
from data.base import DataSpec, Signature
from data.module import SplitModule
from data.sampling import Ids
from models import VARIANTS, Constant, FIRSpec, HOPESpec, KernelSpec, LSTMSpec, ModelSpec, OptimSpec, S4DSpec, SequenceTask, StepSpec
from reports.benchmark import report_benchmark
from reports.parts import frame
from reports.parts.frame import Expected
from reports.parts.judge import judge_variants
from reports.parts.metric import METRICS
from reports.parts.table import Table
from reports.sections.published import read_published, tabulate_published
from reports.sections.results import tabulate_results
from tests.tiny import tiny

L = 32
SPLITS = {"train": np.arange(96), "val": np.arange(96, 128), "test": np.arange(128, 192)}
FAST = np.random.default_rng(0).integers(0, 2, 192)
"""The label: whether the tone is the higher one."""
PHASE = np.random.default_rng(1).random(192)


def tone(ids: Ids, step: int) -> NDArray[np.float32]:
    """(B, L / step, 1)"""
    t = np.arange(0, L, step)
    x = np.sin(2 * np.pi * (t[None, :] * np.where(FAST[ids], 0.11, 0.07)[:, None] + PHASE[ids, None]))
    return x[:, :, None].astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class ToneSpec(DataSpec):
    """Two tones; tested also at half and at a quarter of the sampling rate."""

    version: ClassVar[int] = 1
    regression: bool = False
    slow: bool = True

    @property
    def signature(self) -> Signature:
        return Signature(length=L, d_input=1, d_output=1 if self.regression else 2, regression=self.regression)

    @property
    def zero_shot(self) -> tuple[str, ...]:
        return ("8khz", "4khz") if self.slow else ()

    def build(self, *, batch_size: int, seed: int) -> SplitModule:
        y = FAST.astype(np.float32 if self.regression else np.int64)

        def every(step: int) -> Any:
            further = {} if step == 1 else {"rate": np.array(step, dtype=np.float32)}
            return lambda split, ids, epoch: {"x": tone(ids, step), "y": y[ids], **further}

        slow = {"8khz": every(2), "4khz": every(4)} if self.slow else {}
        return SplitModule(SPLITS, 192, every(1), batch_size=batch_size, seed=seed, content_hash="tones", zero_shot=slow)


def spec(mixer: KernelSpec | LSTMSpec | None = None, *, epochs: int = 3, seed: int = 0, **data: bool) -> RunSpec:
    return RunSpec(
        benchmark="tones", scale="quick", data=ToneSpec(**data), epochs=epochs, batch_size=24, seed=seed,
        model=ModelSpec(mixer=mixer or S4DSpec(d_state=8), d_model=8, n_layers=1), optim=OptimSpec(lr=2e-2, schedule=Constant()),
    )  # fmt: skip


def once(wanted: RunSpec, folder: Path) -> Record:
    before = torch.get_num_threads()
    try:
        return run(wanted, Runtime(), Store.at(folder))
    finally:
        torch.set_num_threads(before)


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, torch.Tensor]]:
    """The weights as they are after the run's tests."""
    out: list[dict[str, torch.Tensor]] = []
    real = running.zero_shot

    def spy(trainer: Any, task: SequenceTask, module: SplitModule) -> dict[str, float]:
        found = real(trainer, task, module)
        out.append({name: tensor.clone() for name, tensor in task.model.state_dict().items()})
        return found

    monkeypatch.setattr(running, "zero_shot", spy)
    return out


@pytest.mark.parametrize("regression", [False, True])
@pytest.mark.parametrize("mixer", [S4DSpec(d_state=8), HOPESpec(d_state=8)])
def test_the_number_is_that_of_the_chosen_weights_at_scaled_steps(
    tmp_path: Path, caught: list[dict[str, torch.Tensor]], mixer: KernelSpec, regression: bool
) -> None:
    wanted = spec(mixer, regression=regression)
    record = once(wanted, tmp_path)
    assert record.status == "ok", record.reason
    metric = "rmse" if regression else "accuracy"
    assert {f"test_{metric}_8khz", f"test_{metric}_4khz"} < set(record.metrics)
    model = wanted.model.build(d_input=1, d_output=1 if regression else 2)
    model.load_state_dict(caught[0])
    y = torch.from_numpy(FAST[SPLITS["test"]])
    found: dict[tuple[int, float], float] = {}
    with torch.no_grad():
        for step, rate in ((1, 1.0), (2, 2.0), (4, 4.0), (2, 1.0)):
            output = model.eval()(torch.from_numpy(tone(SPLITS["test"], step)), rate=rate)
            score = (output.squeeze(-1) - y).square().mean().sqrt() if regression else (output.argmax(-1) == y).float().mean()
            found[step, rate] = float(score)
    assert record.metrics[f"test_{metric}"] == pytest.approx(found[1, 1.0], abs=1e-6)
    assert record.metrics[f"test_{metric}_8khz"] == pytest.approx(found[2, 2.0], abs=1e-6)
    assert record.metrics[f"test_{metric}_4khz"] == pytest.approx(found[4, 4.0], abs=1e-6)
    if regression:  # without the rate it would be another number
        assert abs(found[2, 1.0] - found[2, 2.0]) > 1e-4
    assert Store.at(tmp_path).get(wanted) == record


def test_zero_shot_tests_change_no_other_number(tmp_path: Path) -> None:
    """They come after the test: nothing is chosen by them."""
    with_, without = once(spec(), tmp_path), once(spec(slow=False), tmp_path)
    assert without.metrics == {k: v for k, v in with_.metrics.items() if "khz" not in k}
    assert [row["val_loss"] for row in with_.history] == [row["val_loss"] for row in without.history]


@pytest.mark.parametrize("mixer", [LSTMSpec(), FIRSpec(d_state=8), VARIANTS["transformer"].mixer])
def test_a_layer_without_a_step_has_null(tmp_path: Path, mixer: Any) -> None:
    record = once(spec(mixer, epochs=1), tmp_path)
    assert record.status == "ok", record.reason
    assert record.metrics["test_accuracy"] is not None
    assert (record.metrics["test_accuracy_8khz"], record.metrics["test_accuracy_4khz"]) == (None, None)


def test_a_run_that_diverged_has_null(tmp_path: Path) -> None:
    record = once(replace(spec(epochs=1), optim=OptimSpec(lr=1e30, schedule=Constant())), tmp_path)
    assert record.status == "diverged"
    assert "test_accuracy_8khz" in record.metrics
    assert set(record.metrics.values()) == {None}


def test_other_data_have_no_such_number(tmp_path: Path) -> None:
    assert not [key for key in once(tiny(epochs=1), tmp_path).metrics if "khz" in key]


@pytest.mark.parametrize("name", VARIANTS)
def test_which_rows_have_a_step(name: str) -> None:
    """has_rate says beforehand what another rate does: it works, or is refused."""
    torch.manual_seed(0)
    model = ModelSpec(mixer=VARIANTS[name].mixer, d_model=8, n_layers=1).build(d_input=1, d_output=2)
    able = all(layer.has_rate for layer in model.layers)
    assert able or not isinstance(VARIANTS[name].mixer, StepSpec)
    assert not (able and name in ("fir", "lstm", "transformer", "lru"))
    task = SequenceTask(model, OptimSpec(lr=1e-3), total_steps=1)
    batch = {"x": torch.randn(2, 16, 1), "y": torch.tensor([0, 1])}

    def loss(**further: torch.Tensor) -> float:
        with torch.no_grad():
            task.mean("val", "loss").reset()
            task.validation_step({**batch, **further}, 0)
            return float(task.mean("val", "loss").compute())

    plain = loss()
    assert loss(rate=torch.tensor(1.0)) == plain
    if able:
        assert math.isfinite(loss(rate=torch.tensor(2.0)))
        assert loss(rate=torch.tensor(2.0)) != plain
    else:
        with pytest.raises(ValueError, match="rate must be 1"):
            loss(rate=torch.tensor(2.0))


# ---------------------------------------------------------------- in the tables

ACCURACY = METRICS["accuracy"]
NAMES = {"8khz": "8 kHz", "4khz": "4 kHz"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tones")


@pytest.fixture(scope="module")
def runs(folder: Path) -> Any:
    """The runs of three rows: two seeds of one, one seed of a layer without a step, and one that nobody has run."""
    specs = [("s4d", spec(epochs=1)), ("s4d", spec(epochs=1, seed=1)), ("lstm", spec(LSTMSpec(), epochs=1)), ("hope", spec(HOPESpec()))]
    for _, wanted in specs[:3]:
        once(wanted, folder)
    expected = [Expected(labels={"variant": v}, benchmark="tones", id=s.id, seed=s.seed, scale="quick", command="x") for v, s in specs]
    return frame.tidy(expected, Store.at(folder))


def test_the_table_has_a_column_for_each(runs: Any, folder: Path) -> None:
    table = tabulate_results(judge_variants(runs, ACCURACY), name="t", title="Tones", metric=ACCURACY, zero_shot=NAMES)
    columns = list(table.cells.columns)
    assert columns[:5] == ["variant", "test accuracy (%)", "behind the best", "8 kHz (%)", "4 kHz (%)"]
    cells = table.cells.set_index("variant")
    for test, word in NAMES.items():
        key, column = f"test_accuracy_{test}", f"{word} (%)"
        scores = [100 * Store.at(folder).find("tones", id).record.metrics[key] for id in runs["id"][:2]]  # type: ignore[union-attr]
        assert cells.loc["s4d", column] == f"{np.mean(scores):.2f} ± {np.std(scores, ddof=1):.2f} (2)"
        assert cells.loc["lstm", column] == cells.loc["hope", column] == "–"
        numbers = table.numbers.set_index("variant")
        assert numbers.loc["s4d", f"{key}_mean"] == pytest.approx(np.mean(scores) / 100)
        assert numbers.loc["s4d", f"{key}_n"] == 2
        assert numbers.loc["lstm", f"{key}_n"] == 0
    assert "8 kHz, 4 kHz: the same trained weights" in table.caption
    assert "A dash: the layer has no step size" in table.caption
    assert set(table.marks["8 kHz (%)"]) == {""}  # only the ordinary test is judged
    text = table.text()
    assert "8 kHz (%)" in text


def test_a_benchmark_without_further_tests_has_no_column(runs: Any) -> None:
    table = tabulate_results(judge_variants(runs, ACCURACY), name="t", title="Tones", metric=ACCURACY)
    assert not [column for column in table.cells.columns if "kHz" in column]
    assert "kHz" not in table.caption


def test_a_table_before_any_run_has_its_columns(tmp_path: Path) -> None:
    expected = [Expected(labels={"variant": "s4d"}, benchmark="tones", id="0" * 12, seed=0, scale="quick", command="x")]
    for asked in (expected, []):
        runs = frame.tidy(asked, Store.at(tmp_path))
        table = tabulate_results(judge_variants(runs, ACCURACY), name="t", title="Tones", metric=ACCURACY, zero_shot=NAMES)
        assert {"8 kHz (%)", "4 kHz (%)"} <= set(table.cells.columns)


def test_the_report_shows_the_column_and_published_failures_as_a_cross(runs: Any) -> None:
    published = [
        Published(variant="s4d", value=91.1, std=0.5, source="Table 6", status="verified", zero_shot="8khz"),
        Published(variant="s4d", value=94.2, std=None, source="Table 6", status="verified"),
        Published(variant="lstm", value=math.nan, std=None, source="Table 6", status="verified"),
        Published(variant="lstm", value=math.nan, std=None, source="Table 6", status="verified", zero_shot="8khz"),
        Published(variant="hope", value=1.0, std=None, source="Table 6", status="recalled", zero_shot="8khz"),
    ]
    rows = {"quick": {ANY: replace(BENCHMARKS["digits"].rows["quick"][ANY], data=ToneSpec())}}
    tones = Benchmark(
        name="tones",
        brief="x",
        title="Tones",
        kind="signals",
        metric="accuracy",
        about="x",
        rows=rows,
        published=tuple(published),
        zero_shot=NAMES,
    )
    report = report_benchmark(runs, tones, "quick", name="tones", make="x")
    found = {part.name: part for section in report.sections for part in section.parts if isinstance(part, Table)}
    assert "8 kHz (%)" in found["tones-results"].cells.columns
    reference = found["tones-published"]
    assert list(reference.cells["row"]) == ["s4d, 8 kHz", "s4d", "lstm", "lstm, 8 kHz"]
    assert list(reference.cells["published"]) == ["91.10 ± 0.50", "94.20", "✗", "✗"]
    assert "✗: did not learn" in reference.caption
    assert read_published(published, ACCURACY) == {"s4d": "94.20", "lstm": "✗"}
    without = tabulate_published(published[:2], name="p", title="p", metric=ACCURACY, zero_shot=NAMES)
    assert "✗" not in without.caption


@pytest.mark.parametrize("name", BENCHMARKS)
def test_published_tests_are_tests_of_their_benchmark(name: str) -> None:
    benchmark = BENCHMARKS[name]
    assert {p.zero_shot for p in benchmark.published} <= {"", *benchmark.zero_shot}
    assert all(p.variant and p.source for p in benchmark.published)
    assert len(set(benchmark.zero_shot.values())) == len(benchmark.zero_shot)
