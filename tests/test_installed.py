"""The suite installed beside a project that has packages of the same names: laid out as the wheel is, and used from the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmarks.running.pool import _server_environment
from ssm_suite import COMMANDS, PACKAGES

ROOT = Path(__file__).resolve().parent.parent
WHEEL = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a `models` and a `data` of its own; the suite lies in the folder `site` beside it."""
    folder = tmp_path_factory.mktemp("installed")
    places = {name: WHEEL["sources"].get(name, name) for name in WHEEL["only-include"]}
    for name, place in [*places.items(), *WHEEL["force-include"].items()]:
        measured = ("records", "tables", "figures", "data") if name == "reports" else ()
        shutil.copytree(ROOT / name, folder / "site" / place, ignore=shutil.ignore_patterns("__pycache__", *measured), dirs_exist_ok=True)
    for name in ("models", "data"):
        (folder / "project" / name).mkdir(parents=True)
        (folder / "project" / name / "__init__.py").write_text("MINE = True\n")
    return folder / "project"


def call(project: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(project.parent / "site"), "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run([sys.executable, *words], cwd=project, env=env, capture_output=True, text=True, check=False)


def test_two_names_are_installed_and_no_others(project: Path) -> None:
    assert sorted(path.name for path in (project.parent / "site").iterdir()) == ["ssm_layers", "ssm_suite"]
    assert set(PACKAGES) == set(WHEEL["sources"])
    assert set(COMMANDS) == {name for name in PACKAGES if (ROOT / name / "__main__.py").is_file()}


def test_a_project_keeps_its_own_packages_and_has_the_layers(project: Path) -> None:
    program = """
import models, data, ssm_layers, ssm_suite
assert models.MINE and data.MINE and ssm_layers.S4D.__module__ == "ssm_layers.layers"
try:
    ssm_suite.on_path()
except ImportError as error:
    print(error)
"""
    done = call(project, "-c", program)
    assert done.returncode == 0, done.stderr
    assert "has imported another package 'models'; run the suite as `python -m ssm_suite ...`" in done.stdout


def test_commands_run_with_the_packages_of_the_suite(project: Path) -> None:
    done = call(project, "-m", "ssm_suite", "benchmarks", "digits-nois")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'digits-noise'?" in done.stderr
    assert call(project, "-m", "ssm_suite", "nothing").returncode == 2


def test_the_packages_are_had_in_a_process_without_others_of_their_names(project: Path) -> None:
    done = call(project, "-c", "import ssm_suite; ssm_suite.on_path(); import data.command, benchmarks.spec as s; print(s.__file__)")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == project.parent / "site" / "ssm_suite" / "benchmarks" / "spec.py"


def test_workers_do_not_take_packages_of_the_folder_they_are_started_in(project: Path) -> None:
    with _server_environment(1):
        environment = {name: os.environ[name] for name in ("PYTHONPATH", "PYTHONSAFEPATH")}
    done = call(project, "-c", "import data; print(data.__file__)", **environment)
    assert Path(done.stdout.strip()) == ROOT / "data" / "__init__.py"
