"""Every addition that CONTRIBUTING.md shows applies to the suite, in as many files as it says, and works."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("models", "data", "benchmarks", "ablations", "reports")
SECTIONS = re.findall(
    r"^## ([^\n]*?): (\d+) files?[^\n]*\n(?:(?!^## ).)*?```diff\n(.*?)```",
    (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    flags=re.DOTALL | re.MULTILINE,
)
"""(what is added, how many files that takes, the diff)"""
SMALL = """
import json, math, sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from ablations.registry import ABLATIONS
from benchmarks.registry import BENCHMARKS, FAMILIES
from benchmarks.running.environment import Runtime
from benchmarks.running.run import run
from benchmarks.running.store import Store
from benchmarks.spec import RunSpec, canonical
from data.images.digits import DigitsSpec
from models import DISCRETIZATIONS, INITS, VARIANTS, ModelSpec, OptimSpec, S4DSpec
from models.specs.schedules import Exponential
from reports.datasets.page import cards
from reports.parts.figure import save
from reports.sections.training import compose_training, draw_loss

torch.set_num_threads(1)
QUICK = BENCHMARKS["digits-noise"].recipe("s4d-lin", "quick").run
SMALL = {"data": DigitsSpec(noise=8), "batch_size": 256}

def trained(spec, **changes):
    "The record of one epoch of a network of one layer, which says the same of its run when it is read again."
    model = replace(spec.model, n_layers=1, d_model=4, mixer=spec.model.mixer.with_states(4))
    if "data" in changes:
        model = replace(model, pool_last=8)
    spec = replace(spec, model=model, epochs=1, **changes)
    record = run(spec, Runtime(), Store())
    assert RunSpec.from_record(record.spec) == spec
    return {"status": record.status, **{k: v for k, v in record.metrics.items() if k.startswith("test_")}, "history": record.history}

def of(mixer):
    return trained(replace(QUICK, model=replace(QUICK.model, mixer=mixer)), **SMALL)

def largest_difference(mixer):
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    kernel = mixer.with_states(4).build(3)
    torch.set_default_dtype(torch.float32)
    return float((kernel(20)[0] - kernel.recurrence(20).kernel(20)).abs().max())

out = {"init": of(S4DSpec(init="sqrt")), "title": INITS["sqrt"].title}
out["kernel"], out["layer"] = of(VARIANTS["ema"].mixer), of(VARIANTS["gru"].mixer)
out["rows"] = [v for v in VARIANTS if BENCHMARKS["digits"].has_recipe(v, "quick")]
out["differences"] = [largest_difference(S4DSpec(discretization="pade")), largest_difference(VARIANTS["ema"].mixer)]
out["order"] = DISCRETIZATIONS["pade"].order
cells = ABLATIONS["steps"].cells()
out["grid"] = [trained(cells[0].spec, **SMALL), trained(cells[-1].spec, **SMALL)]
out["cells"] = [list(cell.row.values()) for cell in cells]
out["task"] = trained(BENCHMARKS["majority"].recipe("s4d-lin", "quick").run)
probe = BENCHMARKS["first"].recipe("s4d-lin", "quick").run
batch = next(iter(probe.data.build(batch_size=8, seed=0).test_dataloader()))
asked = batch["mask"].nonzero()
out["probe"] = [batch["y"][i, t].item() == batch["x"][i, 0].item() for i, t in asked.tolist()]
out["probes"], out["cards"] = FAMILIES["probes"].members, [card.name for card, _ in cards()]
history = pd.DataFrame([{"variant": "s4d-lin", "seed": 0, **point} for point in out["kernel"]["history"]])
out["figures"] = [part.name for part in compose_training(pd.DataFrame(), BENCHMARKS["digits"], "quick", name="digits").parts]
out["svg"] = len(save(draw_loss(history), "svg"))
optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
plan = Exponential().build(optimizer, 10, "val_accuracy", True)
optimizer.step()
plan["scheduler"].step()
out["schedule"] = [plan["interval"], optimizer.param_groups[0]["lr"]]
spec = replace(QUICK, optim=OptimSpec(schedule=Exponential(gamma=0.5)))
out["rebuilt"] = RunSpec.from_record(canonical(spec)) == spec
print(json.dumps(out))
"""
"""Uses each addition; what it prints is judged by the tests below."""

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git, which applies the diffs, is not installed")


def call(*command: str, cwd: Path, given: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a program in a copy, which git is not to take for a part of any checkout around it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "GIT_")) and k != "MFLAGS"}
    env |= {"GIT_CEILING_DIRECTORIES": str(cwd.parent), **environment}
    return subprocess.run(command, cwd=cwd, env=env, input=given, capture_output=True, text=True, timeout=280, check=False)


def copy_to(folder: Path) -> Path:
    """The sources and the Makefile, without what has been measured."""
    for name in PACKAGES:
        measured = ("records", "tables", "figures", "data") if name == "reports" else ()
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", *measured))
    shutil.copyfile(ROOT / "Makefile", folder / "Makefile")
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to which nothing is added."""
    return copy_to(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to which everything is added."""
    folder = copy_to(tmp_path_factory.mktemp("extended"))
    for _, _, diff in SECTIONS:
        done = call("git", "apply", "-", cwd=folder, given=diff)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def used(extended: Path) -> dict[str, Any]:
    """What became of using the additions, in one process, since most of the time is importing."""
    done = call(sys.executable, "-c", SMALL, cwd=extended, SSM_RUNS=str(extended / "runs"), OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_kind_of_addition_is_shown() -> None:
    shown = [what for what, _, _ in SECTIONS]
    assert len(shown) == 9
    assert (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").count("```diff\n") == len(shown)


@pytest.mark.parametrize(("files", "diff"), [pytest.param(n, diff, id=what) for what, n, diff in SECTIONS])
def test_a_diff_applies_by_itself_and_touches_as_many_files_as_is_said(plain: Path, files: str, diff: str) -> None:
    done = call("git", "apply", "--check", "--numstat", "-", cwd=plain, given=diff)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == int(files)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_lists_what_was_added(extended: Path) -> None:
    listed = {line.split()[0] for line in call("make", "help", cwd=extended).stdout.splitlines() if line.startswith("  ")}
    assert {"first", "majority", "ablate-steps"} <= listed


def is_scored(record: dict[str, Any]) -> bool:
    return record["status"] == "ok" and 0 <= record["test_accuracy"] <= 1


@pytest.mark.slow
def test_what_fills_a_block_is_trained(used: dict[str, Any]) -> None:
    """An init, a kernel and a layer, each for an epoch; the last two are rows of every benchmark."""
    assert all(is_scored(used[name]) for name in ("init", "kernel", "layer"))
    assert used["title"] == "S4D-Sqrt"
    assert {"ema", "gru"} <= set(used["rows"])


@pytest.mark.slow
def test_kernels_and_recurrences_agree(used: dict[str, Any]) -> None:
    assert max(used["differences"]) < 1e-12
    assert used["order"] == 4


@pytest.mark.slow
def test_a_grid_is_run(used: dict[str, Any]) -> None:
    assert used["cells"] == [["0.001", "yes"], ["0.001", "no"], ["0.1", "yes"], ["0.1", "no"]]
    assert all(is_scored(record) for record in used["grid"])
    assert used["grid"][0]["test_loss"] != used["grid"][1]["test_loss"]


@pytest.mark.slow
def test_tasks_are_registered_and_run(used: dict[str, Any]) -> None:
    assert is_scored(used["task"])
    assert "first" in used["probes"]
    assert "first" in used["cards"]
    assert used["probe"] == [True] * 8


@pytest.mark.slow
def test_a_figure_is_drawn(used: dict[str, Any]) -> None:
    assert used["figures"] == ["digits-curves", "digits-loss"]
    assert used["svg"] > 1000


@pytest.mark.slow
def test_a_schedule_is_stepped_and_read_again(used: dict[str, Any]) -> None:
    assert used["schedule"] == ["epoch", 0.9]
    assert used["rebuilt"]
