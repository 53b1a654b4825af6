"""Rows from outside the checkout: registered, trained by workers, recorded with the hash of their file; and every way they can be wrong."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import plugins
from benchmarks.registry import BENCHMARKS
from benchmarks.running import environment
from benchmarks.running.checkpoint import owner_of
from benchmarks.running.environment import Runtime
from benchmarks.running.record import Record, identity
from benchmarks.running.store import Store
from benchmarks.running.tally import Tally, remarks
from data.command import UsageError
from models import DISCRETIZATIONS, INITS, LINKS, VARIANTS
from reports.grid import request_grid
from reports.request import command
from tests.tiny import tiny

ROOT = Path(__file__).resolve().parent.parent
(EXAMPLE,) = re.findall(
    r"^## Without a fork.*?```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
)
"""The plugin that CONTRIBUTING.md shows."""


@pytest.fixture(autouse=True)
def no_trace(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tables and modules are afterwards as they were."""
    monkeypatch.setenv(plugins.VARIABLE, "")
    monkeypatch.setattr(plugins, "_loaded", {})
    monkeypatch.setattr(plugins, "_waiting", [])
    tables: list[dict[str, object]] = [VARIANTS, INITS, DISCRETIZATIONS, LINKS, BENCHMARKS]  # type: ignore[list-item]
    before = [dict(table) for table in tables]
    yield
    for table, rows in zip(tables, before, strict=True):
        table.clear()
        table.update(rows)
    for name in [name for name in sys.modules if name.startswith(f"{plugins.PARENT}.")]:
        del sys.modules[name]


def write(folder: Path, text: str, name: str = "mine.py") -> str:
    (folder / name).write_text("from benchmarks.plugins import register\n" + text)
    return str(folder / name)


INIT = """
import numpy as np
from models.choices.inits import Init
register(Init(name="mine", title="mine", source="here", frequency=lambda n, N: np.pi * n / 2))
"""


def test_rows_of_every_kind_stand_in_their_tables(tmp_path: Path) -> None:
    from ablations.registry import ABLATIONS

    text = """
import torch
from ablations.grid import Ablation, Factor
from benchmarks.benchmark import Benchmark
from benchmarks.quick import quick_rows
from data.images.digits import DigitsSpec
from models import S4DSpec, Variant
from models.choices.discretizations import generalized_bilinear
from models.choices.links import Link
register(generalized_bilinear(0.75, "three-quarters", "gbt 3/4"))
register(Link(name="square", f=torch.square, inverse=torch.sqrt))
register(Variant(name="s4d-mine", paper="S4D", mixer=S4DSpec(init="mine", discretization="three-quarters", A_link="square"), about="x",
                 citation="x"))
register(Benchmark(name="digits-mine", brief="x", title="Mine", kind="pictures", metric="accuracy", about="x",
                   rows={"quick": quick_rows(DigitsSpec(noise=8), "here", epochs=1, batch_size=64)}))
register(Ablation(name="mine", title="Mine", about="x", benchmark="digits-mine", factors=("init",), columns="init",
                  vary=(Factor(name="init", levels={i: {"mixer.init": i} for i in ("lin", "mine")}),)))
"""
    try:
        plugins.load([write(tmp_path, INIT + text)])
        assert "mine" in INITS
        assert {"three-quarters", "square"} <= {*DISCRETIZATIONS, *LINKS}
        assert BENCHMARKS["digits-mine"].recipe("s4d-mine", "quick").run.model.mixer == VARIANTS["s4d-mine"].mixer
        assert [list(cell.row.values()) for cell in ABLATIONS["mine"].cells()] == [["lin"], ["mine"]]
    finally:
        ABLATIONS.pop("mine", None)


def test_records_and_checkpoints_name_the_file_by_its_hash(tmp_path: Path) -> None:
    assert "plugins" not in environment.describe(Runtime())
    file = write(tmp_path, INIT)
    digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    plugins.load([file])
    plugins.load([file])
    assert environment.describe(Runtime())["plugins"] == {"mine.py": digest}
    assert owner_of("id", "data", Runtime())["plugin mine.py"] == digest
    assert plugins.flags() == ["--plugin", file]
    here = {"content": environment.code_content()}
    assert environment.other_code(here) == ""
    assert environment.other_code(here | {"plugins": {"mine.py": digest, "another.py": "0"}}) == ""
    for known in (here, {}):  # a record of before may not say its content
        assert environment.other_code(known | {"plugins": {"mine.py": "0"}}) == "another content of the plugin mine.py"
    spec, store = tiny(), Store.at(tmp_path / "runs")
    store.put(spec, Record(**identity(spec), status="ok", environment=here | {"plugins": {"mine.py": "0"}}))
    assert store.state(spec).other_code == "another content of the plugin mine.py"
    (line,) = remarks(Tally.of(store.roots[0]))
    assert line.startswith("1 of these records were made by other code (another content of the plugin mine.py); --rerun stale")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1 / 0\n", r"mine.py cannot be used: ZeroDivisionError: division by zero \(line 2\)"),
        ("register(\n", "SyntaxError"),
        ("import sys\nsys.exit(0)\n", r"mine.py cannot be used: it ends the program \(SystemExit: 0\)"),
        ("import no_such_package\n", "a plugin is one file"),
        ("x = 1\n", "registers nothing"),
        ("register(5)\n", r"register takes a row of one of these: .*Variant, Init, .*got 5 \(line 2\)"),
        (INIT.replace('name="mine"', 'name="lin"'), "there is an init 'lin' already"),
        (INIT.replace('name="mine"', 'name="../up"'), "letters, digits, dots and dashes"),
        (INIT + "1 / 0\n", "ZeroDivisionError"),
        (
            "from models import S4DSpec, Variant\nregister(Variant(name='s4', mixer=S4DSpec(), about='', citation=''))\n",
            "there is a variant 's4' already",
        ),
        (
            "from models import S4DSpec, Variant\nregister(Variant(name='z', mixer=S4DSpec(), about='', citation='', default=True))\n",
            "leave default out",
        ),
        ("from models import S4DSpec as Base\nclass S4DSpec(Base):\n    pass\n", "there is a spec class S4DSpec already"),
    ],
)
def test_a_file_that_is_wrong_is_one_paragraph_and_leaves_nothing(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        plugins.load([write(tmp_path, text)])
    assert "mine" not in INITS
    assert f"{plugins.PARENT}.mine" not in sys.modules
    assert plugins.flags() == []


def test_a_file_that_is_not_there_or_not_a_plugin_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        plugins.load([str(tmp_path / "none.py")])
    with pytest.raises(UsageError, match="whose name is a word"):
        plugins.load([write(tmp_path, INIT, "my-rows.py")])
    (tmp_path / "other").mkdir()
    plugins.load([write(tmp_path, INIT)])
    with pytest.raises(UsageError, match=r"two plugins are called mine\.py"):
        plugins.load([write(tmp_path / "other", INIT)])


def test_rows_are_registered_by_plugins_alone() -> None:
    with pytest.raises(RuntimeError, match="for a plugin file"):
        plugins.register(INITS["lin"])


def test_a_class_of_a_plugin_is_found_by_another_process(tmp_path: Path) -> None:
    text = """
from dataclasses import dataclass
from models import S4DSpec
@dataclass(frozen=True, kw_only=True)
class MySpec(S4DSpec):
    pass
"""
    plugins.load([write(tmp_path, text)])
    spec = sys.modules[f"{plugins.PARENT}.mine"].MySpec(d_state=8)
    program = "import pickle, sys; print(pickle.load(sys.stdin.buffer))"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps(spec), capture_output=True, cwd=tmp_path, env=env, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().startswith("MySpec(d_state=8")


@pytest.mark.slow
def test_the_example_of_the_documentation_is_trained_reported_and_scored_again(tmp_path: Path) -> None:
    file = tmp_path / "sqrt.py"
    file.write_text(EXAMPLE)
    env = {**os.environ, "SSM_RUNS": str(tmp_path / "runs"), "OMP_NUM_THREADS": "1"}

    def call(*words: str, code: int = 0) -> str:
        done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, cwd=ROOT, env=env, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    said = call("benchmarks", "digits", "--variant", "s4d-sqrt", "--seeds", "0", "--device", "cpu", "--plugin", str(file), "--predictions")
    assert f"--predictions --plugin {file}" in said
    (path,) = (tmp_path / "runs" / "digits").glob("*/record.json")
    record = json.loads(path.read_text())
    assert record["status"] == "ok"
    assert record["spec"]["model"]["mixer"]["init"] == "sqrt"
    assert record["environment"]["plugins"] == {"sqrt.py": hashlib.sha256(file.read_bytes()).hexdigest()}
    report = call("reports", "benchmark", "digits", "--variant", "s4d-sqrt,fir", "--seeds", "0", "--plugin", str(file))
    assert "s4d-sqrt" in report
    assert f"--variant fir --scale quick --seeds 0 --plugin {file}" in report
    assert "to the last digit" in call("benchmarks", "evaluate", record["id"], "--plugin", str(file))
    refused = call("benchmarks", "evaluate", record["id"], code=2)
    assert "unknown init 'sqrt'" in refused
    assert "the run was made with a plugin: give --plugin sqrt.py" in " ".join(refused.split())
    assert "unknown variant 's4d-sqrt'" in call("benchmarks", "digits", "--variant", "s4d-sqrt", code=2)
    assert "leave --plugin out" in call("reports", "benchmark", "digits", "--plugin", str(file), "--commit", code=2)


def test_the_commands_of_a_page_name_the_plugins(tmp_path: Path) -> None:
    file = write(tmp_path, INIT)
    plugins.load([file])
    request = request_grid("kernel", (0,))
    assert request.expected[0].command == f"python -m ablations kernel --seeds 0 --plugin {file}"
    assert command(request.words) == f"python -m reports grid kernel --seeds 0 --plugin {file}"
