"""Figures: the numbers in them, the same bytes twice, and something sensible when there is little or nothing to draw."""

from __future__ import annotations

import math
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from benchmarks.registry import BENCHMARKS
from benchmarks.running.store import Store
from models import VARIANTS, S4Spec
from reports.benchmark import report_benchmark
from reports.parts import frame, style
from reports.parts.figure import save
from reports.parts.fingerprints import is_legs_of_s4, read_fingerprints
from reports.parts.judge import judge
from reports.parts.metric import METRICS
from reports.parts.report import Plot
from reports.sections.effects import draw_effects
from reports.sections.grid import Arrangement, draw_grid
from reports.sections.inside import compose_inside, signal_lags, time_constants

made = runpy.run_path(str(Path(__file__).with_name("synthetic_records.py")))
ACCURACY = METRICS["accuracy"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    root = tmp_path_factory.mktemp("store")
    return frame.tidy(made["library_of"](root, ("s4", "s4d-lin", "hope", "lstm")), Store.at(root))


@pytest.fixture(scope="module")
def drawn(runs: pd.DataFrame) -> dict[str, Figure]:
    return figures(runs)


def figures(runs: pd.DataFrame) -> dict[str, Figure]:
    report = report_benchmark(runs, BENCHMARKS["digits-noise"], "quick", name="x", make="python -m reports quickstart")
    return {p.name: p.figure for p in report.plots()}


def test_time_constants() -> None:
    tau, omega, lost = time_constants(np.array([math.exp(-0.1), 0.5j, -0.5, 1.0, 0.0]))
    assert tau == pytest.approx([10, 1 / math.log(2), 1 / math.log(2)])
    assert omega == pytest.approx([0, math.pi / 2, math.pi])
    assert lost == 2


def test_the_lags_of_the_signal_are_those_before_the_noise() -> None:
    assert signal_lags(BENCHMARKS["digits-noise"], "quick") == (192, 255)
    assert signal_lags(BENCHMARKS["digits-noise"].read_out("last"), "quick") == (192, 255)
    assert signal_lags(BENCHMARKS["digits"], "quick") is None


def test_the_same_bytes_twice(runs: pd.DataFrame, drawn: dict[str, Figure]) -> None:
    first, second = drawn, figures(runs)
    assert set(first) == {"x-accuracy", "x-curves", "x-memory", "x-eigenvalues", "x-hankel", "x-kernels"}
    for name in first:
        svg = save(first[name], "svg")
        assert svg == save(second[name], "svg")
        assert b"<dc:date>" not in svg
    assert save(first["x-memory"], "png") == save(second["x-memory"], "png")


def test_every_seed_is_a_dot(runs: pd.DataFrame, drawn: dict[str, Figure]) -> None:
    ax = drawn["x-accuracy"].axes[0]
    dots = [line for line in ax.get_lines() if line.get_linestyle() == "None" and len(line.get_xdata()) == 3]
    assert len(dots) == 4
    shown = sorted(round(float(x), 6) for line in dots for x in line.get_xdata())
    assert shown == sorted(round(100 * x, 6) for x in runs["test_accuracy"])


def test_poles_of_hope_are_seen(drawn: dict[str, Figure]) -> None:
    axes = {ax.get_title(loc="left"): ax for ax in drawn["x-eigenvalues"].axes}
    assert set(axes) == {"s4", "s4d-lin", "hope"}
    assert any("real" in t.get_text() for t in axes["hope"].texts)
    assert not axes["s4"].texts


def test_eigenvalues_that_rounding_moves_are_not_drawn(runs: pd.DataFrame) -> None:
    """The bilinear rule keeps the real eigenvalues of LegS real; in float64 most of them are found far from the axis, so that a panel of
    S4-LegS would show rounding."""
    torch.manual_seed(0)
    found = S4Spec().build(2).recurrence(16).eigenvalues()
    assert (found.imag.abs() > 0.01).double().mean() > 0.5

    spec_of = lambda v: BENCHMARKS["digits-noise"].recipe(v, "quick").with_seed(0)
    stored = {v: frame.committed_records().find("digits-noise", spec_of(v).id) for v in ("s4", "s4d-legs", "hope")}
    assert {v: is_legs_of_s4(s.record.spec_full) for v, s in stored.items() if s} == {"s4": True, "s4d-legs": False, "hope": False}

    shown = read_fingerprints(runs)
    assert shown.ill_conditioned == frozenset()
    for ill in (frozenset[str](), frozenset({"s4"})):
        section = compose_inside(replace(shown, ill_conditioned=ill), ["s4", "hope"], BENCHMARKS["digits-noise"], "quick", name="x")
        assert section is not None
        plot = next(p for p in section.parts if p.name == "x-eigenvalues")
        assert isinstance(plot, Plot)
        assert ("s4" in {ax.get_title(loc="left") for ax in plot.figure.axes}) == (not ill)


def test_no_text_overlaps_another(drawn: dict[str, Figure]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    for name, figure in drawn.items():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        for ax in figure.axes:
            (left, right), (low, high) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
            ticks = [t for t in ax.get_xticklabels() if left <= t.get_position()[0] <= right]
            ticks += [t for t in ax.get_yticklabels() if low <= t.get_position()[1] <= high]  # those beyond the axis are not drawn
            texts = [t for t in [*ticks, *ax.texts] if t.get_text() and t.get_visible()]
            boxes = [t.get_window_extent(canvas.get_renderer()) for t in texts]
            inside = [b for b in boxes if b.width > 0]
            clashes = [(a, b) for i, a in enumerate(inside) for b in inside[i + 1 :] if a.shrunk(0.9, 0.9).overlaps(b.shrunk(0.9, 0.9))]
            assert not clashes, name


@pytest.mark.parametrize("status", ["missing", "diverged", "failed"])
def test_without_a_finished_run_figures_say_so(tmp_path: Path, status: str) -> None:
    asked = [made["expected"]({"variant": v}, 0) for v in ("s4", "hope")]
    for e in asked if status != "missing" else []:
        made["write"](tmp_path, e, status=status)
    for name, figure in figures(frame.tidy(asked, Store.at(tmp_path))).items():
        assert save(figure, "svg")
        assert (status == "diverged" and name == "x-curves") or any("yet" in t.get_text() for ax in figure.axes for t in ax.texts)


def test_looks_are_fixed_and_distinct() -> None:
    default = [style.look(v) for v, variant in VARIANTS.items() if variant.default]
    assert len({s.color for s in default}) == len(default)
    assert len({(s.color, s.marker, s.dash) for s in map(style.look, VARIANTS)}) == len(VARIANTS)
    assert style.look("s4d-real") == style.look("s4d-real")
    assert style.look("s4d-real").color == style.look("s4d-legs").color


def test_effects_and_grid_with_holes(tmp_path: Path) -> None:
    row = judge({"a": pd.DataFrame({"seed": [0], "status": ["missing"], "test_accuracy": [math.nan]})}, ACCURACY)["a"]
    arrangement = Arrangement(crossed={("complex", "lin", "zoh"): row}, references={}, panels="state", colors="discretization")
    assert save(draw_grid(arrangement, metric=ACCURACY), "svg")
    assert save(draw_effects({"state: complex − real": {"lin": {0: 0.1}, "inv": {}}}, metric=ACCURACY), "svg")
    assert save(draw_effects({}, metric=ACCURACY), "svg")
