"""The command lines: every mistake is one paragraph that names the nearest right word, with the promised exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

import ablations.__main__ as ablations_main
import benchmarks.__main__ as benchmarks_main
from benchmarks import cli, registry
from benchmarks.running.environment import ROOT, Runtime
from benchmarks.running.launch import Outcome
from models import DEFAULT_VARIANTS, VARIANTS


def call(module: object, *argv: str) -> int:
    return cli.guarded(lambda: module.main(list(argv)))  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def own_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSM_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


BAD = [
    (benchmarks_main, ["digits-nois"], ["benchmark 'digits-nois'", "did you mean 'digits-noise'"]),
    (benchmarks_main, [], ["name a benchmark", "digits-noise"]),
    (benchmarks_main, ["digits", "--variant", "s4d-lim"], ["variant 's4d-lim'", "did you mean 's4d-lin'"]),
    (benchmarks_main, ["digits", "--variant", "hope,s5"], ["variant 's5'"]),
    (benchmarks_main, ["digits", "--variant", ","], ["--variant", "at least one"]),
    (benchmarks_main, ["digits", "--scale", "quik"], ["scale 'quik'", "did you mean 'quick'"]),
    (benchmarks_main, ["digits", "--scale", "paper"], ["scale of digits 'paper'"]),
    (benchmarks_main, ["digits", "--sedes", "0"], ["option '--sedes'", "did you mean '--seeds'"]),
    (benchmarks_main, ["digits", "--seeds", "0,x"], ["--seeds", "integers"]),
    (benchmarks_main, ["digits", "--seeds", "-1"], ["--seeds"]),
    (benchmarks_main, ["digits", "--seeds=-1"], ["--seeds", "2147483647"]),
    (benchmarks_main, ["digits", "--seeds", "0", "1"], ["unexpected word '1'", "commas"]),
    (benchmarks_main, ["digits", "--seeds"], ["--seeds", "expected one argument"]),
    (benchmarks_main, ["digits", "--seeds", "--list"], ["--seeds", "expected one argument"]),
    (benchmarks_main, ["digits", "--list=yes"], ["unexpected word 'yes'"]),
    (benchmarks_main, ["digits", "--no-list"], ["option '--no-list'", "did you mean '--list'"]),
    (benchmarks_main, ["digits", "--variants=hope"], ["option '--variants'", "did you mean '--variant'"]),
    (benchmarks_main, ["digits", "--rerun="], ["choice for --rerun: ''"]),
    (benchmarks_main, ["digits", "--device", "gpu"], ["device 'gpu'", "cuda"]),
    (benchmarks_main, ["digits", "--rerun", "faild"], ["did you mean 'failed'"]),
    (benchmarks_main, ["digits", "--workers", "0"], ["--workers", "1 or more"]),
    (benchmarks_main, ["digits", "--threads", "two"], ["--threads", "whole number"]),
    (benchmarks_main, ["digits", "--logger", "tensorbord"], ["logger 'tensorbord'", "did you mean 'tensorboard'"]),
    (benchmarks_main, ["digits", "--data", ""], ["--data", "folder"]),
    (ablations_main, ["cor"], ["ablation 'cor'", "did you mean 'core'"]),
    (ablations_main, [], ["name a grid", "core"]),
    (ablations_main, ["core", "--variant", "hope"], ["option '--variant'"]),
    (ablations_main, ["core", "--report"], ["option '--report'"]),
]


@pytest.mark.parametrize(("module", "argv", "words"), BAD, ids=[" ".join(argv) or "nothing" for _, argv, _ in BAD])
def test_a_mistake_is_one_paragraph_and_exit_2(
    module: object, argv: list[str], words: list[str], capsys: pytest.CaptureFixture[str], own_runs: Path
) -> None:
    assert call(module, *argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    for word in words:
        assert word in err
    assert not own_runs.exists()


def test_no_gpu_is_said_and_never_replaced_by_the_cpu(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, own_runs: Path
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert call(benchmarks_main, "digits", "--device", "cuda") == 5
    assert "--device cpu" in capsys.readouterr().err
    assert not own_runs.exists()


def test_a_logger_that_is_not_installed_is_exit_5(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, own_runs: Path
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert call(ablations_main, "core", "--logger", "wandb") == 5
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "--logger wandb" in err
    assert "pip install -e '.[wandb]'" in err
    assert not own_runs.exists()


def test_data_and_logger_reach_the_launch_and_the_printed_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = []

    def launch(jobs: object, runtime: object, *rest: object, **options: object) -> Outcome:
        seen.append((runtime, os.environ["SSM_DATA"]))
        return Outcome(asked=1, already=1)

    monkeypatch.setattr("benchmarks.running.jobs.launch", launch)
    monkeypatch.setattr("benchmarks.running.loggers.check", lambda name: None)
    monkeypatch.setenv("SSM_DATA", "elsewhere")
    options = ["--device", "cpu", "--threads", "1", "--workers", "2"]
    assert call(benchmarks_main, "digits", *options, "--data", "a b", "--logger", "wandb") == 0
    assert seen == [(Runtime(threads=1, workers=2, logger="wandb"), "a b")]
    assert capsys.readouterr().out.splitlines()[0].endswith("--logger wandb --data 'a b'")
    assert call(benchmarks_main, "digits", *options) == 0
    assert seen[1][0] == Runtime(threads=1, workers=2)
    assert "--data" not in capsys.readouterr().out


@pytest.mark.slow
def test_the_workers_look_for_data_where_they_are_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "smnist", "--variant", "fir", "--seeds", "0", "--device", "cpu", "--data"]
    environment = {**os.environ, "SSM_RUNS": str(tmp_path / "runs"), "SSM_DATA": str(tmp_path / "not-here")}
    done = subprocess.run([*command, str(tmp_path / "here")], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert str(tmp_path / "here") in done.stderr
    assert "not-here" not in done.stderr
    (tmp_path / "file").write_text("")
    done = subprocess.run([*command, str(tmp_path / "file")], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 5, done.stderr
    assert str(tmp_path / "file") in done.stderr


def test_an_unwritable_run_folder_is_exit_5(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SSM_RUNS", str(tmp_path / "file" / "runs"))
    assert call(benchmarks_main, "digits", "--variant", "fir", "--seeds", "0", "--device", "cpu") == 5
    err = capsys.readouterr().err
    assert "cannot be written" in err
    assert err.count("\n") == 1


def test_words_for_variants() -> None:
    assert registry.select_variants(["default"]) == DEFAULT_VARIANTS
    assert set(registry.select_variants(["all"])) == set(VARIANTS)
    assert registry.select_variants(["hope", "default", "hope"])[0] == "hope"
    assert len(registry.select_variants(["hope", "default"])) == len(DEFAULT_VARIANTS)


def test_rerun_without_a_word_means_all() -> None:
    parse = benchmarks_main.parse
    assert parse(["digits"]).rerun == "missing"
    assert parse(["digits", "--rerun"]).rerun == "all"
    assert parse(["digits", "--rerun=failed"]).rerun == "failed"
    assert parse(["digits", "--rerun", "--workers", "2"]).rerun == "all"
    assert parse(["--rerun", "failed", "digits"]) == parse(["digits", "--rerun=failed"])
    assert parse(["digits", "--seeds", "3,1,3"]).seeds == (3, 1)


LIGHT = """
import sys
from {package}.__main__ import main
try:
    main(["{flag}"])
except SystemExit:
    pass
heavy = [name for name in {forbidden!r} if name in sys.modules]
sys.exit(f"imports {{heavy}}" if heavy else 0)
"""


def test_options_are_the_fields_of_a_frozen_value() -> None:
    options = benchmarks_main.parse(["--seeds", "4", "--scale=quick", "lra-image", "--variant", "hope,s4"])
    assert options == benchmarks_main.Options(seeds=(4,), scale="quick", name="lra-image", variant=("hope", "s4"))
    with pytest.raises(FrozenInstanceError):
        options.scale = "paper"  # type: ignore[misc]


def test_help_lists_every_flag_with_its_default_in_plain_text() -> None:
    for package, flags in (("benchmarks", vars(benchmarks_main.Options())), ("ablations", vars(ablations_main.Options()))):
        done = subprocess.run([sys.executable, "-m", package, "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert "\x1b" not in done.stdout
        assert "exit codes: 0 all done" in " ".join(done.stdout.split())
        for name in flags:
            assert f"--{name}" in done.stdout or name == "name"
        assert "(default: 0,1,2)" in done.stdout
        assert "None" not in done.stdout


@pytest.mark.parametrize("package", ["benchmarks", "ablations"])
@pytest.mark.parametrize(("flag", "forbidden"), [("--help", ["torch", "numpy"]), ("--list", ["pytorch_lightning", "sklearn"])])
def test_help_and_listing_import_nothing_heavy(package: str, flag: str, forbidden: list[str]) -> None:
    code = LIGHT.format(package=package, flag=flag, forbidden=forbidden)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "digits" in done.stdout or "core" in done.stdout or flag == "--help"


@pytest.mark.slow
def test_a_benchmark_runs_from_the_command_line(
    own_runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of the path but the length of training: the recipe is cut to one epoch."""
    from dataclasses import replace

    from benchmarks import registry
    from benchmarks.recipe import Recipe

    digits = registry.BENCHMARKS["digits"]

    def cut(full: Recipe) -> Recipe:
        return replace(full, run=replace(full.run, epochs=1))

    monkeypatch.setitem(registry.BENCHMARKS, "digits", replace(digits, changes=(cut,)))
    argv = ("digits", "--variant", "fir", "--seeds", "0", "--device", "cpu", "--workers", "1")
    assert call(benchmarks_main, *argv) == 0
    out = capsys.readouterr().out
    assert "$ python -m benchmarks digits --variant fir --scale quick --seeds 0 --device cpu --workers 1 --threads 1" in out
    assert "1 of 1 runs are done (0 before, 1 now)" in out
    assert len(list(own_runs.glob("digits/*/record.json"))) == 1
    assert call(benchmarks_main, *argv) == 0
    assert "(1 before, 0 now)" in capsys.readouterr().out
    assert call(benchmarks_main, "--list") == 0
    listed = capsys.readouterr().out
    assert any(line.split()[:3] == ["fir", "1", "0"] for line in listed.splitlines())  # digits, digits-noise


def test_a_reader_that_stops_early_is_no_error() -> None:
    """`python -m benchmarks --list | head -1` ends without a traceback."""
    code = "import sys; from benchmarks import cli; sys.exit(cli.guarded(lambda: print('x\\n' * 100_000) or 0))"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == cli.DONE
