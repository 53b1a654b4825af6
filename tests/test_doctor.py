"""The doctor names what is broken, survives it, and says 0 or 5."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import doctor

ROOT = Path(__file__).resolve().parent.parent


def fake(folder: Path, module: str, version: str, code: str, distribution: str | None = None) -> None:
    """A package that runs `code` on import, with metadata that state `version`; on PYTHONPATH it hides the real one."""
    (folder / module).mkdir(parents=True)
    (folder / module / "__init__.py").write_text(code)
    name = distribution or module
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def healthy(folder: Path) -> None:
    """Fakes of everything that is slow to import, all in order."""
    cuda = "class cuda:\n is_available = staticmethod(lambda: False)\n device_count = staticmethod(lambda: 0)\n"
    backends = "class backends:\n class mps:\n  is_available = staticmethod(lambda: False)\n"
    fake(folder, "torch", "2.14.1", cuda + backends + "class version:\n cuda = None\n")
    fake(folder, "pytorch_lightning", "2.6.6", "", "pytorch-lightning")
    for name, (module, _) in (doctor.ESSENTIAL | doctor.OPTIONAL).items():
        if name != "packaging" and not (folder / module).exists():  # that one the doctor uses itself
            least = [bound.version for bound in doctor.ranges().get(name, ()) if bound.operator == ">="]
            fake(folder, module, *least or ["1.0"], "", name)


def consult(folder: Path, **environment: str) -> tuple[int, str]:
    """The doctor in a process of its own, with `folder` in front of all installed packages."""
    env = {**os.environ, "PYTHONPATH": str(folder), "SSM_RUNS": str(folder), **environment}
    done = subprocess.run([sys.executable, "-m", "benchmarks.doctor"], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert all(line.startswith("looked at ") for line in done.stderr.splitlines()), done.stderr
    return done.returncode, done.stdout


def rewrite(folder: Path, module: str, code: str) -> None:
    (folder / module / "__init__.py").write_text(code)


def test_a_healthy_machine_is_usable(tmp_path: Path) -> None:
    healthy(tmp_path)
    code, out = consult(tmp_path)
    assert code == 0, out
    assert "problem " not in out
    assert "usable: problems 0" in out


def test_a_cpu_torch_beside_cuda_wheels_is_explained_once(tmp_path: Path) -> None:
    healthy(tmp_path)
    (tmp_path / "torch-2.14.1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.13.0+cpu\n")
    nms = "raise RuntimeError('operator torchvision::nms does not exist')"
    rewrite(tmp_path, "torchvision", nms)
    rewrite(tmp_path, "pytorch_lightning", "import torchvision")
    rewrite(tmp_path, "torchaudio", "raise OSError('libc10_cuda.so: cannot open shared object file')")
    code, out = consult(tmp_path)
    assert code == doctor.UNUSABLE
    first = out.splitlines()[0]
    assert first.startswith("problem wheels that do not fit together: torch 2.13.0+cpu")
    assert "a CPU build" in first
    assert "make setup" in first
    assert "pytorch-lightning fails with them" in first


def test_a_foreign_torchvision_alone_is_a_note(tmp_path: Path) -> None:
    healthy(tmp_path)
    rewrite(tmp_path, "torchvision", "raise RuntimeError('operator torchvision::nms does not exist')")
    code, out = consult(tmp_path)
    assert code == 0
    assert "note    wheels that do not fit together" in out


@pytest.mark.parametrize("error", ["ImportError('gone')", "OSError('no such library')", "RuntimeError('broken')", "SystemExit(3)"])
@pytest.mark.parametrize(("module", "usable"), [("torch", False), ("pytorch_lightning", False), ("datasets", True), ("beartype", True)])
def test_a_broken_import_is_a_line_of_the_report(tmp_path: Path, module: str, usable: bool, error: str) -> None:
    healthy(tmp_path)
    rewrite(tmp_path, module, f"raise {error}")
    code, out = consult(tmp_path)
    assert code == (0 if usable else doctor.UNUSABLE)
    line = next(line for line in out.splitlines() if "does not import" in line)
    assert line.startswith(("note" if usable else "problem").ljust(8) + module.replace("_", "-"))
    assert "  ->  " in line


def test_an_old_version_is_a_problem_and_a_missing_extra_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    names = doctor.ESSENTIAL | doctor.OPTIONAL
    trials = {name: doctor.Trial(present=True, version="") for name in names}
    trials["pytorch-lightning"] = doctor.Trial(present=True, version="2.5.0")
    trials["beartype"] = doctor.Trial(present=False, version="", error="not installed")
    found = [f for f in doctor.check_packages(trials) if f.level != "ok"]
    assert [(f.level, f.text.split()[0]) for f in found] == [("problem", "pytorch-lightning"), ("note", "beartype")]
    assert all(f.remedy for f in found)


def test_versions_compare_as_numbers() -> None:
    ranges = doctor.ranges()
    assert not doctor.out_of_range("2.13.0+cpu", ranges["torch"])
    assert not doctor.out_of_range("2.14.1", ranges["torch"])
    assert doctor.out_of_range("2.9.1", ranges["torch"])
    assert doctor.out_of_range("2.7.0", ranges["pytorch-lightning"])
    assert not doctor.out_of_range("2.6.10", ranges["pytorch-lightning"])
    assert not doctor.out_of_range("", ranges["torch"])


@pytest.mark.parametrize("code", ["raise ImportError('gone')", "raise OSError('no such file')", ""])
def test_without_packaging_the_doctor_still_works_and_says_so(tmp_path: Path, code: str) -> None:
    """Broken in two ways, and, the empty file, a stranger of the same name."""
    healthy(tmp_path)
    fake(tmp_path, "packaging", "25.0", code)
    exit_code, out = consult(tmp_path)
    assert exit_code == 0, out
    assert any(line.startswith("note    packaging") and "does not import" in line for line in out.splitlines())
    assert "ok      torch 2.14.1" in out


def test_every_dependency_is_known_to_the_doctor() -> None:
    tools = ("ruff", "mypy", "import-linter", "pytest-timeout")
    extras = ("tensorboard", "wandb", "mlflow-skinny", "sqlalchemy", "alembic", "ray", "submitit")
    known = {*doctor.ESSENTIAL, *doctor.OPTIONAL, *tools, *extras}
    assert set(doctor.ranges()) == known


def test_a_run_folder_that_cannot_be_made_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SSM_RUNS", str(tmp_path / "file" / "runs"))
    (finding,) = doctor.check_run_folder()
    assert finding.level == "problem"
    assert "SSM_RUNS" in finding.remedy


def test_a_full_disk_is_a_note_with_the_variable_that_moves_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ROOM", 1e9)
    (finding,) = doctor.check_run_folder()
    assert finding.level == "note"
    assert "SSM_RUNS" in finding.remedy


def test_the_run_folder_is_the_one_records_go_to(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.running.store import run_root

    assert doctor.check_run_folder()[0].text.endswith(str(run_root()))
    monkeypatch.delenv("SSM_RUNS")
    assert doctor.check_run_folder()[0].text.endswith(str(run_root()))


@pytest.mark.slow
def test_loaders_are_timed_where_the_data_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded digits always are; CIFAR-10 is left out of an empty data folder instead of failing."""
    monkeypatch.setenv("SSM_DATA", str(tmp_path))
    (found,) = doctor.check_loaders()
    assert found.level == "ok"
    assert re.search(r"digits [\d,]+, digits-noise [\d,]+", found.text)
    assert "cifar" not in found.text
