"""The command lines: every mistake is one paragraph that names the nearest right word, with the promised exit code."""

from __future__ import annotations

import os
import signal
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


FLAGS = ("--scale", "--protocol", "--data", "--seeds", "--variant", "--rerun", "--device", "--workers", "--logger", "--readout")
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
    (benchmarks_main, ["nosuch", "--list"], ["--list does not use 'nosuch'"]),
    (benchmarks_main, ["--list", "--seeds", "0"], ["--list does not use --seeds"]),
    (ablations_main, ["core", "--list"], ["--list does not use 'core'"]),
    (ablations_main, ["--list", "--bench", "digits"], ["--list does not use --bench"]),
    (benchmarks_main, ["digits", "--variants=hope"], ["option '--variants'", "did you mean '--variant'"]),
    (benchmarks_main, ["digits", "--rerun="], ["choice for --rerun: ''"]),
    (benchmarks_main, ["digits", "--device", "gpu"], ["device 'gpu'", "did you mean 'cuda'?"]),
    (benchmarks_main, ["digits", "--device", "GPU"], ["did you mean 'cuda'?"]),
    (benchmarks_main, ["digits", "--device", "CPU"], ["did you mean 'cpu'?"]),
    (benchmarks_main, ["digits", "--engine", "chunk"], ["engine 'chunk'", "did you mean 'chunked'"]),
    (benchmarks_main, ["digits", "--variant", "s4,dss-softmax", "--engine", "chunked"], ["cannot use the engine chunked: it can use fft"]),
    (benchmarks_main, ["digits", "--rerun", "yes"], ["did you mean 'all'?"]),
    (benchmarks_main, ["digits", "--rerun", "stael"], ["did you mean 'stale'?"]),
    (benchmarks_main, ["digits", "--seeds", "4-0"], ["--seeds", "upwards", "'4-0'"]),
    (benchmarks_main, ["digits", "--seeds", "0-"], ["--seeds", "0-4"]),
    (benchmarks_main, ["digits", "--seeds", "0-1000000000"], ["--seeds", "1000 at the most"]),
    (benchmarks_main, ["digits", "--seeds", "0-2147483648"], ["--seeds"]),
    (benchmarks_main, ["digits", "--seeds", "2147483640-2147483650"], ["2147483647"]),
    (benchmarks_main, ["digits", "--seeds", "²"], ["--seeds", "integers"]),
    (benchmarks_main, ["digits", "--protocol", "x=y"], ["no choices of protocol"]),
    (benchmarks_main, ["digits", "--data", "~nosuchuser/data"], ["--data", "no such user"]),
    *((benchmarks_main, ["delay", f"{flag}={word}"], [flag, repr(word)]) for flag in FLAGS for word in ("--", "--scale", "--x=1")),
    (benchmarks_main, ["digits", "--rerun", "faild"], ["did you mean 'failed'"]),
    (benchmarks_main, ["digits", "--workers", "0"], ["--workers", "1 or more"]),
    (benchmarks_main, ["digits", "--threads", "two"], ["--threads", "whole number"]),
    (benchmarks_main, ["digits", "--logger", "tensorbord"], ["logger 'tensorbord'", "did you mean 'tensorboard'"]),
    (benchmarks_main, ["digits", "--data", ""], ["--data", "folder"]),
    (ablations_main, ["cor"], ["ablation 'cor'", "did you mean 'core'"]),
    (ablations_main, [], ["name a grid", "core"]),
    (ablations_main, ["core", "--variant", "hope"], ["option '--variant'"]),
    (ablations_main, ["core", "--report"], ["option '--report'"]),
    (ablations_main, ["core", "--bench", "sc10-mfc"], ["benchmark 'sc10-mfc'", "did you mean 'sc10-mfcc'"]),
    (ablations_main, ["core", "--bench", "digits", "--scale", "small"], ["scale of digits 'small'"]),
    (ablations_main, ["readout", "--bench", "lra-text"], ["no cell of the readout grid is possible on lra-text", "one read-out"]),
    (ablations_main, ["--sweep", "mixer.init=lin"], ["--bench"]),
    (ablations_main, ["core", "--sweep", "mixer.init=lin", "--bench", "digits"], ["no other grid"]),
    (ablations_main, ["--bench", "digits", "--sweep", "mixer.init=lni"], ["init 'lni'", "did you mean 'lin'"]),
    (ablations_main, ["--bench", "digits", "--sweep", "mixer.innit=lin"], ["'innit'", "did you mean 'init'"]),
    (ablations_main, ["--bench", "digits", "--sweep", "lin"], ["field=value"]),
    (benchmarks_main, ["digits", "--set", "mixer.d_sate=16"], ["field of", "'d_sate'", "did you mean 'd_state'"]),
    (benchmarks_main, ["digits", "--variant", "s4d-lin", "--set", "mixer.d_state=7"], ["d_state must be even; got 7"]),
    (benchmarks_main, ["digits", "--variant", "s4d-lin", "--set", "mixer.d_state=a"], ["mixer.d_state is a whole number, got 'a'"]),
    (benchmarks_main, ["digits", "--variant", "s4d-lin", "--set", "mixer.init=legz"], ["init 'legz'", "did you mean 'legs'"]),
    (benchmarks_main, ["digits", "--set", "model.norm=batsh"], ["model.norm 'batsh'", "did you mean 'batch'", "layer, batch"]),
    (benchmarks_main, ["digits", "--variant", "fir,transformer", "--set", "model.d_model=30"], ["transformer", "rotary heads"]),
    (benchmarks_main, ["digits", "--variant", "fir,transformer", "--set", "model.d_model=30", "--plan"], ["transformer", "rotary heads"]),
    (benchmarks_main, ["mqar", "--variant", "fir", "--set", "model.pool_last=3", "--plan"], ["does not pool"]),
    (benchmarks_main, ["digits", "--variant", "lstm", "--set", "mixer.d_state=8"], ["unknown field of LSTMSpec 'd_state'; there is none"]),
    (benchmarks_main, ["digits", "--set", "seed=3"], ["use --seeds"]),
    (benchmarks_main, ["digits", "--set", "epochs"], ["field=value"]),
    (benchmarks_main, ["digits", "--set", "epochs=2", "--set", "epochs=3"], ["epochs is set twice"]),
    (benchmarks_main, ["digits", "--tune", "rate"], ["--tune", "did you mean 'rates'"]),
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
    assert "--engine" not in capsys.readouterr().out
    assert call(benchmarks_main, "digits", *options, "--variant", "s4d-lin", "--engine", "chunked") == 0
    assert seen[2][0] == Runtime(threads=1, workers=2, engine="chunked")
    assert capsys.readouterr().out.splitlines()[0].endswith("--engine chunked")
    assert call(benchmarks_main, "digits", *options) == 0
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
    assert parse(["digits", "--rerun", "stale"]).rerun == "stale"
    assert parse(["digits", "--seeds", "3,1,3"]).seeds == (3, 1)
    assert parse(["digits", "--seeds", "0-4"]).seeds == (0, 1, 2, 3, 4)
    assert parse(["digits", "--seeds=7,0-2,1,5-5"]).seeds == (7, 0, 1, 2, 5)


def test_what_is_read_as_text_are_the_names_there_are() -> None:
    """A misspelt name is answered from the sources, before torch is imported; so each has to be found there."""
    from ablations.registry import ABLATIONS

    for name in registry.BENCHMARKS:
        cli.require_named("benchmark", name, "benchmarks/tasks/*.py")
    for name in ABLATIONS:
        ablations_main.require_grid(name)
    with pytest.raises(cli.UsageError) as refused:
        ablations_main.require_grid("no such grid")
    assert sorted(str(refused.value).partition("one of: ")[2].split(", ")) == sorted(ABLATIONS)
    cli.require_variants([*VARIANTS, "default", "all"])


@pytest.mark.parametrize(
    ("package", "argv"), [("benchmarks", ["digts"]), ("benchmarks", ["digits", "--variant", "s4dlin"]), ("ablations", ["cor"])]
)
def test_a_misspelt_name_is_answered_without_torch(package: str, argv: list[str], tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('not to be imported here')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-m", package, *argv], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "did you mean" in done.stderr


SILENT = [sys.executable, "-m", "benchmarks", "digits", "--variant", "fir", "--seeds", "0", "--device", "cpu", "--workers", "1"]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["reader gone", "no stderr", "nothing open"])
def test_work_goes_on_where_nobody_reads_of_it(how: str, own_runs: Path) -> None:
    """`2>&1 | head -1`, `2>&-`, and no stdin, stdout and stderr at all: the code says 0 only where the record is there."""
    redirected = {"reader gone": "2>&1 | head -1", "no stderr": ">/dev/null 2>&-", "nothing open": "<&- >&- 2>&-"}[how]
    script = f'"$@" {redirected}; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", script, "bash", *SILENT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, len(list(own_runs.glob("digits/*/record.json")))) == (0, 1), done.stderr


def test_output_that_cannot_be_written_is_no_success() -> None:
    code = "import sys; from benchmarks import cli; sys.exit(cli.guarded(lambda: print('x') or 0))"
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == cli.ENVIRONMENT
    assert done.stderr.count("\n") == 1
    assert "cannot be written" in done.stderr
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=full, stderr=full, text=True, check=False)
    assert done.returncode == cli.ENVIRONMENT


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_letters_that_a_terminal_has_not_are_replaced(encoding: str) -> None:
    code = "import sys; from benchmarks import cli; sys.exit(cli.guarded(lambda: print('0.5 \u00b1 0.1 \u2265 \U0001d4d4') or 0))"
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"0.5 ")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("package", ["benchmarks", "ablations"])
def test_a_signal_while_the_libraries_load_is_a_line_and_code_4(name: str, package: str, tmp_path: Path) -> None:
    (tmp_path / "tyro.py").write_text("import time; print('loading', flush=True); time.sleep(60)")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", package, "--list"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        process.send_signal(getattr(signal, name))
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (cli.INTERRUPTED, "error: interrupted; the same command continues\n")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_before_anything_is_scheduled_is_a_line_and_code_4(name: str) -> None:
    code = "import sys, time; from benchmarks import cli; sys.exit(cli.guarded(lambda: print('x', flush=True) or time.sleep(60) or 0))"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "x\n"
        process.send_signal(getattr(signal, name))
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (cli.INTERRUPTED, "error: interrupted; the same command continues\n")


@pytest.mark.parametrize("columns", [60, 100])
def test_lists_fit_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for module in (benchmarks_main, ablations_main):
        assert call(module, "--list") == 0
        assert max(map(len, capsys.readouterr().out.splitlines())) <= columns


def test_a_list_counts_own_runs_apart_and_names_what_it_cannot_count(own_runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dataclasses import replace

    from benchmarks.running.record import Record, identity
    from benchmarks.running.store import COMMITTED, Store

    recipe = registry.BENCHMARKS["digits"].recipe("fir", "quick")
    for seed, content in ((0, None), (77, "0123456789ab"), (78, "0123456789ab")):
        run = recipe.with_seed(seed)
        Store().put(run, Record(**identity(run), status="ok", environment={} if content is None else {"content": content}))
    broken = replace(recipe.run, seed=5)
    Store().put(broken, Record(**identity(broken), status="ok"))
    path = Store().folder(broken) / "record.json"
    path.write_text(path.read_text().replace('"history": []', '"history": null'))
    assert call(benchmarks_main, "--list") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f"digits 3 + {len(list(COMMITTED.glob('digits/*/record.json')))} Sequential digits" in out
    assert "fir 3+0" in out
    assert "2 of these records were made by other code (0123456789ab); --rerun stale makes them again" in out
    assert f"not counted: {path} cannot be used" in out


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


def test_names_and_specs_need_no_torch() -> None:
    code = "import sys, benchmarks.registry as b, ablations.registry, reports.everything\n"
    code += "[b.BENCHMARKS['digits'].recipe(v, 'quick').run.id for v in b.select_variants(['default'])]\n"
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_misspelt_report_is_answered_before_anything_that_draws_is_imported() -> None:
    code = "import sys\nfrom reports.__main__ import main\n"
    code += "try: main(['benchmark', 'digts'])\nexcept Exception as error: print(error)\n"
    code += "sys.exit(any(name in sys.modules for name in ('torch', 'pandas', 'matplotlib')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "did you mean 'digits'?" in done.stdout


def test_the_two_floors_say_the_same_of_an_unknown_word() -> None:
    from data.command import nearest
    from models.choices.names import unknown

    for word in ("digts", "", "nothing like it"):
        assert nearest("benchmark", word, ["digits", "delay"]) == unknown("benchmark", word, ["digits", "delay"])


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
    assert "$ python -m reports benchmark digits --variant fir --scale quick --seeds 0" in out  # the next command
    assert str(own_runs / "reports" / "digits") in out
    assert len(list(own_runs.glob("digits/*/record.json"))) == 1
    assert call(benchmarks_main, *argv) == 0
    assert "(1 before, 0 now)" in capsys.readouterr().out
    assert call(benchmarks_main, "--list") == 0
    listed = capsys.readouterr().out
    assert any(line.split() == ["digits", "fir", "1+0"] for line in listed.splitlines())


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


@pytest.mark.parametrize("text", ["0", "0,1,2", "0,1,2,3,4", "0-5", "0-999", "13,0-9,11,12", "7,6,5"])
def test_seeds_are_written_as_they_are_read(text: str) -> None:
    assert cli.in_words(cli.seeds(text)) == text
