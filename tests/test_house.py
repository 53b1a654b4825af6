"""The frame: packages, Makefile, README and the import contract say the same as the code."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("models", "data", "benchmarks", "ablations", "reports")
MAKEFILE = (ROOT / "Makefile").read_text()
NAMED_FOR_MAKE = ("benchmarks/tasks", "ablations", "data/registry.py")
"""Where the Makefile reads the names of benchmarks, grids and data sets from."""

needs_git = pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="not a git checkout")
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def call(*command: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"} | environment
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


@cache
def lists() -> dict[str, list[str]]:
    """The lists of targets as make has worked them out, by the name of their variable; PHONY are all targets."""
    base = call("make", "--print-data-base", "--question", "help").stdout
    found = dict(re.findall(r"^(BENCHMARKS|ABLATIONS|DATASETS) := (.*)$", base, re.MULTILINE))
    found |= dict(re.findall(r"^\.(PHONY): (.*)$", base, re.MULTILINE))
    return {name: words.split() for name, words in found.items()}


def makefile_alone(folder: Path) -> None:
    """The Makefile, and as much of a checkout as it reads."""
    (folder / "Makefile").write_text(MAKEFILE)
    for name in NAMED_FOR_MAKE:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def tracked() -> list[Path]:
    """The text files that git tracks."""
    names = call("git", "ls-files", "-z").stdout.split("\0")
    return [ROOT / name for name in names if name and Path(name).suffix not in {".npz", ".png", ".pdf", ".gz"} and (ROOT / name).is_file()]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_resolves_inside_the_checkout(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None, f"{name}/__init__.py is missing"
    assert Path(spec.origin).resolve() == ROOT / name / "__init__.py"


@needs_make
def test_make_targets_are_the_registered_benchmarks_grids_and_data_sets() -> None:
    from ablations.registry import ABLATIONS
    from benchmarks.registry import BENCHMARKS
    from data.registry import SETS

    assert sorted(lists()["BENCHMARKS"]) == sorted(BENCHMARKS)
    assert sorted(lists()["ABLATIONS"]) == sorted(f"ablate-{name}" for name in ABLATIONS)
    assert lists()["DATASETS"] == [f"data-{name}" for name in SETS]
    assert {*lists()["BENCHMARKS"], *lists()["ABLATIONS"], *lists()["DATASETS"]} <= set(lists()["PHONY"])


@needs_make
def test_what_make_says_of_a_benchmark_or_grid_is_what_the_code_says() -> None:
    from ablations.registry import ABLATIONS
    from benchmarks.registry import BENCHMARKS

    shown = {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in call("make").stdout.splitlines() if line.startswith("  ")}
    assert {name: shown[name] for name in BENCHMARKS} == {name: benchmark.brief for name, benchmark in BENCHMARKS.items()}
    assert {name: shown[f"ablate-{name}"] for name in ABLATIONS} == {name: grid.title for name, grid in ABLATIONS.items()}


@needs_make
@pytest.mark.parametrize(
    ("target", "variables", "first"),
    [
        ("scifar", ["DATA=a b", "LOGGER=tensorboard"], ["-m", "benchmarks", "scifar", "--logger=tensorboard", "--data=a b"]),
        ("digits", ["ENGINE=chunked"], ["-m", "benchmarks", "digits", "--engine=chunked"]),
        ("ablate-noise", ["DATA=$(x)"], ["-m", "ablations", "noise", "--seeds=0,1,2", "--data=$(x)"]),
        ("data-mnist", ["DATA=a;b"], ["-m", "data", "mnist", "--data=a;b"]),
        ("data-status", ["DATA="], ["-m", "data", "--status"]),
    ],
)
def test_data_and_logger_reach_the_program(tmp_path: Path, target: str, variables: list[str], first: list[str]) -> None:
    makefile_alone(tmp_path)
    stand_in = tmp_path / "python"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >> seen\n')
    stand_in.chmod(0o755)
    done = call("make", target, "VENV=none", f"PYTHON={stand_in}", *variables, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "seen").read_text().splitlines()[: len(first)] == first


@needs_make
def test_plain_make_lists_every_target() -> None:
    done = call("make")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("  ")]
    assert set(lists()["PHONY"]) <= {words[0] for words in lines}
    assert all(len(words) > 1 for words in lines), "every target says what it is"


@needs_make
def test_listing_needs_no_python(tmp_path: Path) -> None:
    makefile_alone(tmp_path)
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "awk", "cut", "printf"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    done = call(str(shutil.which("make")), cwd=tmp_path, PATH=str(tools))
    assert done.returncode == 0, done.stderr
    assert done.stdout == call("make").stdout


@needs_make
@pytest.mark.parametrize(
    "value",
    ["; touch pwned", "$(shell touch pwned)", "`touch pwned`", '";touch pwned;"', "';touch pwned;'", "a b", "../../etc"],
)
@pytest.mark.parametrize("how", ["argument", "environment"])
def test_values_of_make_variables_arrive_whole_and_run_nothing(tmp_path: Path, value: str, how: str) -> None:
    """A stand-in for python writes down its arguments; the recipes run it in an otherwise empty folder."""
    makefile_alone(tmp_path)
    stand_in = tmp_path / "python"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >> seen\n')
    stand_in.chmod(0o755)
    given, environment = ([f"VARIANT={value}"], {}) if how == "argument" else ([], {"VARIANT": value})
    done = call("make", "digits", "VENV=none", f"PYTHON={stand_in}", *given, cwd=tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    trained, reported = ["-m", "benchmarks", "digits", f"--variant={value}"], ["-m", "reports", "benchmark", "digits", f"--variant={value}"]
    assert (tmp_path / "seen").read_text().splitlines() == trained + reported
    assert not (tmp_path / "pwned").exists()


@needs_make
def test_an_empty_make_variable_leaves_the_default(tmp_path: Path) -> None:
    makefile_alone(tmp_path)
    done = call("make", "digits", "VENV=none", "PYTHON=echo", "VARIANT=", "SEEDS=", "RERUN=", cwd=tmp_path)
    trained, reported = "-m benchmarks digits", "-m reports benchmark digits"
    assert done.stdout.splitlines() == [trained, f"$ echo {reported}", reported], "what trains prints its command itself"


@needs_make
@pytest.mark.parametrize(("code", "programs"), [(0, ["benchmarks", "reports"]), (1, ["benchmarks", "reports"]), (2, ["benchmarks"])])
def test_the_report_of_the_other_runs_is_made_when_some_fail(tmp_path: Path, code: int, programs: list[str]) -> None:
    makefile_alone(tmp_path)
    stand_in = tmp_path / "python"
    stand_in.write_text(f"#!/bin/sh\necho $2 >> seen\n[ $2 != benchmarks ] || exit {code}\n")
    stand_in.chmod(0o755)
    done = call("make", "quickstart", "VENV=none", f"PYTHON={stand_in}", cwd=tmp_path)
    assert (done.returncode == 0) == (code == 0)
    assert (tmp_path / "seen").read_text().split() == programs


@needs_make
@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (["plan", "digits", "SET=mixer.d_state=4"], ["benchmarks digits --set=mixer.d_state=4 --plan"]),
        (["plan", "quickstart"], ["benchmarks digits-noise --variant=default,hope-paper-rates --seeds=0,1,2 --plan"]),
        (["plan", "ablate-init", "BENCH=scifar"], ["ablations init --bench=scifar --seeds=0,1,2 --plan"]),
        (
            ["ablate", "BENCH=digits", "SWEEP=mixer.init=lin,inv mixer.real=false,true", "SEEDS=0"],
            [
                f"{part} --bench=digits --sweep=mixer.init=lin,inv mixer.real=false,true --seeds=0"
                for part in ("ablations", "reports sweep")
            ],
        ),
        (
            ["ablate-core", "SCALE=small", "BENCH=scifar"],
            [f"{p} core --bench=scifar --scale=small --seeds=0,1,2" for p in ("ablations", "reports grid")],
        ),
        (["digits", "TUNE=rates"], ["benchmarks digits --tune=rates", "reports benchmark digits --tune=rates"]),
        (["compare", "BENCH=digits", "SET=epochs=2"], ["reports benchmark digits --set=epochs=2"]),
    ],
)
def test_make_hands_on_what_is_varied_and_planned(tmp_path: Path, words: list[str], seen: list[str]) -> None:
    makefile_alone(tmp_path)
    stand_in = tmp_path / "python"
    stand_in.write_text('#!/bin/sh\nshift\necho "$@" >> seen\n')
    stand_in.chmod(0o755)
    done = call("make", *words, "VENV=none", f"PYTHON={stand_in}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "seen").read_text().splitlines() == seen


@needs_make
@pytest.mark.parametrize(("words", "says"), [(["plan"], "plan what?"), (["plan", "compare"], "got compare")])
def test_a_plan_is_of_something_that_trains(tmp_path: Path, words: list[str], says: str) -> None:
    makefile_alone(tmp_path)
    done = call("make", *words, "VENV=none", "PYTHON=false", cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr


@needs_make
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["digits", "VARAINT=s4"], "digits does not use VARAINT; did you mean VARIANT?"),
        (["ablate-core", "READOUT=last"], "ablate-core does not use READOUT."),
        (["ablate-core", "SWEEP=mixer.init=lin"], "ablate-core does not use SWEEP;"),
        (["plan", "digits", "SWEEP=mixer.init=lin"], "plan does not use SWEEP;"),
        (["data-mnist", "SEEDS=0"], "data-mnist does not use SEEDS."),
        (["report", "FROMAT=csv"], "report does not use FROMAT; did you mean FORMAT?"),
        (["test", "WORKERS=2"], "test does not use WORKERS."),
        (["digits", "SEEDS=0", "x;>pwned=1"], "digits does not use x;>pwned."),
        (["digits", "SEEDS=0", "x';>pwned=1"], "digits does not use x';>pwned."),
    ],
)
def test_a_variable_that_a_target_does_not_use_is_an_error(tmp_path: Path, words: list[str], says: str) -> None:
    makefile_alone(tmp_path)
    done = call("make", *words, "VENV=none", "PYTHON=false", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr
    assert " It uses: " in done.stderr
    assert not (tmp_path / "pwned").exists()


@needs_git
def test_tracked_files_name_no_machine_and_no_package_index() -> None:
    folders = r"(?<![\w.])/(?:work|tmp|root|opt|mnt|home/\w+|Users/\w+)/[\w.]"
    addresses = "index" + r"[-_]url|find" + r"-links|files\.python" + r"hosted|download\.pytorch\." + "org"
    foreign = re.compile(f"{folders}|{addresses}")
    found = [f"{path.relative_to(ROOT)}: {m.group()}" for path in tracked() for m in foreign.finditer(path.read_text(errors="replace"))]
    assert found == []


@needs_git
def test_git_ignores_no_source_file() -> None:
    names = [str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*") if "__pycache__" not in path.parts]
    names += ["data/new_task.py", "reports/records/digits/0123456789ab/record.json"]
    assert call("git", "check-ignore", "--no-index", *names).stdout == ""


@pytest.mark.parametrize("command", ["benchmarks --help", "benchmarks --list", "ablations --help", "ablations --list", "reports --help"])
def test_help_and_lists_do_without_lightning(command: str, tmp_path: Path) -> None:
    """The import costs five seconds, and listing must also work where Lightning is broken."""
    (tmp_path / "pytorch_lightning.py").write_text("raise ImportError('not to be imported here')")
    done = call(sys.executable, "-m", *command.split(), PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_imports_point_one_way() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    if not program.exists():
        pytest.skip("import-linter is not installed")
    done = call(str(program), "--no-logo", "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr


def test_readme_names_only_make_targets_that_exist() -> None:
    named = set()
    for code in re.findall(r"`(make[^`\n]*)`|^(make .*)$", (ROOT / "README.md").read_text(), re.MULTILINE):
        named |= {word for word in shlex.split(code[0] or code[1])[1:] if "=" not in word}
    assert named <= set(lists()["PHONY"])
    assert {"quickstart", "test"} <= named


def test_constraints_pin_every_dependency() -> None:
    from benchmarks.doctor import ranges

    pins = re.findall(r"^([a-z0-9-]+)==\S+", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert set(ranges()) <= set(pins)
    assert len(pins) == len(set(pins))


def test_the_layers_are_installed_under_a_name_of_their_own() -> None:
    """A project with a `models` of its own imports `ssm_layers`: the same folder, which imports itself relatively."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        wheel = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"models": "ssm_layers"}
    absolute = re.compile(r"^\s*(?:from|import) (?:models|data|benchmarks|ablations|reports)\b", re.MULTILINE)
    assert [path for path in (ROOT / "models").rglob("*.py") if absolute.search(path.read_text(encoding="utf-8"))] == []
