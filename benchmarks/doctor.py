"""Says what of this machine does not fit the suite, one line per finding with its remedy: `python -m benchmarks.doctor`.

Only the standard library is imported at the top, and nothing newer than Python 3.10. Every other package is tried in another process,
because a broken wheel (an OSError for a missing CUDA library, an operator that does not exist) must become a line of the report and not its
end; packaging, which compares versions, is then used where it works.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("models", "data", "benchmarks", "ablations", "reports")
UNUSABLE = 5
ROOM = 0.5
"""GB of free space under which the report says so."""

# Distribution name -> (import name, what needs it). Without an essential one nothing can be trained or reported.
ESSENTIAL = {
    "torch": ("torch", "every benchmark"),
    "pytorch-lightning": ("pytorch_lightning", "every training run"),
    "numpy": ("numpy", "every benchmark"),
    "scipy": ("scipy", "statistics and the theory figures"),
    "pandas": ("pandas", "every table"),
    "matplotlib": ("matplotlib", "every figure"),
    "scikit-learn": ("sklearn", "the digits benchmarks"),
    "jinja2": ("jinja2", "the HTML report"),
    "jaxtyping": ("jaxtyping", "the models, whose signatures it writes"),
    "tyro": ("tyro", "every command line but this one"),
    "rich": ("rich", "what a launch shows while it works"),
    "cattrs": ("cattrs", "reading a record back as the run it is of"),
    "safetensors": ("safetensors", "the weights that a run keeps"),
}
OPTIONAL = {
    "packaging": ("packaging", "comparing the versions below with those that are supported"),
    "torchvision": ("torchvision", "nothing here, but Lightning's metrics fail with one that does not match torch"),
    "torchaudio": ("torchaudio", "sc10-mfcc, and the filtered 8 kHz test of speech"),
    "datasets": ("datasets", "IMDB from parquet files"),
    "pillow": ("PIL", "Pathfinder, drawn or read"),
    "pytest": ("pytest", "make test"),
    "pytest-xdist": ("xdist", "make test"),
    "hypothesis": ("hypothesis", "make test"),
    "beartype": ("beartype", "the check of tensor shapes during the tests"),
}
TRIO = ("torch", "torchvision", "torchaudio")
# What the loader says when the three come from different builds.
FOREIGN_BUILD = re.compile(r"torchvision::|libc10|libtorch|libcu\w+\.so|undefined symbol|different CUDA versions")
DEV = ("pytest", "pytest-xdist", "hypothesis", "beartype")

TORCH_REPORT = """
import json, torch
cuda = torch.cuda.is_available()
print(json.dumps({
    "devices": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if cuda else [],
    "mps": bool(torch.backends.mps.is_available()),
    "cuda_build": torch.version.cuda,
}))
"""


PATIENCE = 120
"""Seconds that one import may take."""
MARK = "\x1e"
"""Begins the lines of the process that imports, among what packages print of themselves."""
IMPORTING = f"""
import contextlib, importlib, io, json, sys
for name, module, code in json.loads(sys.argv[1]):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        importlib.import_module(module)
        exec(code)
    print({MARK!r} + json.dumps(printed.getvalue().strip()), flush=True)
"""


FURTHER = {"torch": TORCH_REPORT, "packaging": "import packaging.requirements, packaging.version"}
"""What is tried beyond the import."""


@dataclass(frozen=True)
class Finding:
    """One line: `problem` (the suite is unusable until it is mended), `note` (something does not work), or `ok`."""

    level: Literal["ok", "note", "problem"]
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.level:<8}{self.text}" + (f"  ->  {self.remedy}" if self.remedy else "")


@dataclass(frozen=True)
class Trial:
    """What came of importing one package in a process of its own."""

    present: bool
    version: str
    error: str = ""
    output: str = ""


def tell(what: str) -> None:
    """One line on stderr as the examination goes; the findings, problems first, are its result."""
    print(f"looked at {what}", file=sys.stderr, flush=True)


def attempts(wanted: dict[str, tuple[str, str]]) -> dict[str, Trial]:
    """Imports modules, each a distribution -> (module, code to run after its import), one after the other in a process that does nothing
    else; what fails ends that process, and those after it are tried in a new one. The last line of what was said is the error."""
    trials: dict[str, Trial] = {}
    for name, (module, _) in wanted.items():
        if importlib.util.find_spec(module) is None:
            trials[name] = Trial(present=False, version=_version(name), error="not installed")
            tell(f"{name}: not installed")
    while left := [(name, module, code) for name, (module, code) in wanted.items() if name not in trials]:
        trials |= _import_until_one_fails(left)
    return trials


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _import_until_one_fails(left: list[tuple[str, str, str]]) -> dict[str, Trial]:
    """The trials of these (distribution, module, code) up to the first that fails, itself included."""
    trials: dict[str, Trial] = {}
    with tempfile.TemporaryFile("w+", errors="replace") as stderr:
        command = [sys.executable, "-W", "ignore", "-c", IMPORTING, json.dumps(left)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, errors="replace", cwd=ROOT)
        assert child.stdout is not None
        for name, _, _ in left:
            alarm = threading.Timer(PATIENCE, child.kill)
            alarm.start()
            line = next((line for line in child.stdout if line.startswith(MARK)), "")
            late = not alarm.is_alive()
            alarm.cancel()
            if line:
                trials[name] = Trial(present=True, version=_version(name), output=json.loads(line.removeprefix(MARK)))
                tell(f"{name} {trials[name].version}")
                continue
            child.kill()
            code = child.wait()
            stderr.seek(0)
            said = stderr.read().strip().splitlines()
            error = said[-1].strip() if said else f"its import ended the process with code {code}"
            error = f"its import did not end within {PATIENCE} seconds" if late else error
            trials[name] = Trial(present=True, version=_version(name), error=error)
            tell(f"{name} {trials[name].version}: does not import")
            break
        child.stdout.close()
        child.wait()
    return trials


def ranges() -> dict[str, SpecifierSet]:
    """Distribution name -> the versions of it that pyproject.toml allows."""
    import tomllib  # not in the Python that is too old, which the report has to name

    from packaging.requirements import Requirement  # the report has to start without it

    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    stated = [*project["dependencies"], *(line for lines in project["optional-dependencies"].values() for line in lines)]
    return {requirement.name.lower(): requirement.specifier for requirement in map(Requirement, stated)}


def out_of_range(version: str, allowed: SpecifierSet) -> bool:
    """Whether a version is not allowed; one that is not written as a version is left alone."""
    from packaging.version import InvalidVersion, Version

    try:
        return not allowed.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def pinned() -> str:
    """The matching set of torch, torchvision and torchaudio, as constraints.txt pins it."""
    pins = dict(re.findall(r"^(torch|torchvision|torchaudio)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    return ", ".join(f"{name} {pins[name]}" for name in TRIO if name in pins)


def check_python() -> Finding:
    """The interpreter."""
    version = platform.python_version()
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        return Finding("problem", f"Python {version} is outside 3.11 to 3.13", "make setup PYTHON=python3.12 (or 3.11, 3.13)")
    return Finding("ok", f"Python {version} at {sys.executable}")


def check_checkout() -> list[Finding]:
    """That the five packages come from this checkout and not from a stranger of the same name."""
    out = []
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        origin = spec.origin if spec else None
        if origin is None or not Path(origin).resolve().is_relative_to(ROOT):
            text = f"'import {name}' leads to {origin or 'nothing'}, which is not in this checkout"
            out.append(Finding("problem", text, "run from the root of the checkout, and take the stranger off PYTHONPATH"))
    return out


def explain_foreign(trials: dict[str, Trial]) -> Finding | None:
    """One finding for wheels of different builds, the fault whose error messages explain it worst."""
    bad = [name for name in TRIO if trials[name].present and trials[name].error and FOREIGN_BUILD.search(trials[name].error)]
    breaks_lightning = FOREIGN_BUILD.search(trials["pytorch-lightning"].error) is not None
    if not bad and not breaks_lightning:
        return None
    built = ", ".join(f"{name} {trials[name].version or '(unknown version)'}" for name in TRIO if trials[name].present)
    cpu = "+cpu" in trials["torch"].version
    why = "; the first is a CPU build, the others were built for CUDA" if cpu else ", which were not built for each other"
    also = "; pytorch-lightning fails with them: its metrics import torchvision wherever it is installed" if breaks_lightning else ""
    remedy = (
        f"remove the environment and run make setup, which installs a matching set ({pinned()}); or uninstall torchvision and torchaudio: "
        "the digits benchmarks run without them"
    )
    torch_is_fine = not trials["torch"].error and not breaks_lightning
    return Finding("note" if torch_is_fine else "problem", f"wheels that do not fit together: {built}{why}{also}", remedy)


def check_packages(trials: dict[str, Trial]) -> list[Finding]:
    """Version, range and import of every package the suite names."""
    out: list[Finding] = []
    allowed = {} if trials["packaging"].error else ranges()
    foreign = explain_foreign(trials)
    if foreign:
        out.append(foreign)
    for name, (_, use) in (ESSENTIAL | OPTIONAL).items():
        trial, essential = trials[name], name in ESSENTIAL
        level: Literal["note", "problem"] = "problem" if essential else "note"
        what = "-e '.[dev]'" if name in DEV else name
        install = "make setup" if essential else f"python -m pip install {what} -c constraints.txt"
        if not trial.present:
            out.append(Finding(level, f"{name} is not installed; needed for {use}", install))
        elif trial.error:
            explained = foreign and FOREIGN_BUILD.search(trial.error)
            remedy = "see the wheels above" if explained else f"python -m pip install --force-reinstall {name} -c constraints.txt"
            out.append(Finding(level, f"{name} {trial.version} does not import ({trial.error}); needed for {use}", remedy))
        elif name in allowed and out_of_range(trial.version, allowed[name]):
            out.append(Finding(level, f"{name} {trial.version} is outside the supported range {allowed[name]}", "make setup"))
        else:
            out.append(Finding("ok", f"{name} {trial.version}"))
    return out


def check_devices(torch: Trial) -> list[Finding]:
    """Where training can run."""
    if not torch.output:
        return []
    seen = json.loads(torch.output.splitlines()[-1])
    out = []
    if seen["devices"]:
        out.append(Finding("ok", f"devices: cpu, cuda ({', '.join(seen['devices'])}; torch built for CUDA {seen['cuda_build']})"))
    elif shutil.which("nvidia-smi") and not seen["cuda_build"]:
        text = "there is an NVIDIA driver, but torch is a CPU build"
        out.append(Finding("note", text, "install a CUDA build of torch, then DEVICE=cuda"))
    elif shutil.which("nvidia-smi"):
        remedy = f"a driver for CUDA {seen['cuda_build']} or newer, and see that nvidia-smi lists a device"
        out.append(Finding("note", "there is an NVIDIA driver, but torch finds no device it can use", remedy))
    else:
        out.append(Finding("ok", "devices: cpu" + (", mps" if seen["mps"] else "") + " (DEVICE=cpu; the quick scale is made for it)"))
    return out


def check_cores() -> list[Finding]:
    """How many runs go side by side, and whether a container allows less than it shows."""
    from benchmarks.running.environment import usable_cores

    cores = usable_cores()
    quota = Path("/sys/fs/cgroup/cpu.max")
    if quota.is_file():
        limit, period = quota.read_text().split()
        allowed = cores if limit == "max" else max(1, int(limit) // int(period))
        if allowed < cores:
            return [Finding("note", f"{cores} cores show, but this container may use {allowed} of them", f"WORKERS={allowed}")]
    return [Finding("ok", f"{cores} usable cores: as many runs side by side, one thread each (WORKERS, THREADS)")]


def check_run_folder() -> list[Finding]:
    """That records can be written, and that they will fit."""
    move = "set SSM_RUNS to a folder that can be written"
    try:
        folder = Path(os.environ.get("SSM_RUNS") or ROOT / "runs").expanduser()
    except RuntimeError:
        return [Finding("problem", f"SSM_RUNS={os.environ['SSM_RUNS']}: there is no such user, or no home", move)]
    there = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not there.is_dir():
        return [Finding("problem", f"the folder of records, {folder}, cannot be made: {there} is a file", move)]
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return [Finding("problem", f"the folder of records, {folder}, cannot be written ({error.strerror})", move)]
    free = shutil.disk_usage(there).free / 1e9
    if free < ROOM:
        return [Finding("note", f"{free:.1f} GB free for records in {folder}", "make room, or set SSM_RUNS to a folder on a larger disk")]
    return [Finding("ok", f"{free:.0f} GB free for records in {folder}")]


def check_loaders() -> list[Finding]:
    """How many samples per second the loaders make, for the data that are here; a training step should take longer than its batch."""
    command = [sys.executable, "-m", "benchmarks.running.throughput"]
    rates = {}
    with (
        tempfile.TemporaryFile("w+") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=ROOT) as child,
    ):
        assert child.stdout is not None
        for line in child.stdout:
            name, rate = json.loads(line)
            rates[name] = rate
            tell(f"the loader of {name}")
        if child.wait():
            stderr.seek(0)
            return [Finding("note", f"the loaders could not be timed: {(stderr.read().strip() or 'no reason given').splitlines()[-1]}")]
    words = ", ".join(f"{name} {rate:,}" for name, rate in rates.items())
    return [Finding("ok", f"loaders, training samples per second on one thread: {words}")]


def examine() -> list[Finding]:
    """Every finding of this machine, problems first; with a Python that is too old or too new, only that."""
    python = check_python()
    if python.level == "problem":
        return [python]
    with ThreadPoolExecutor(1) as pool:
        loaders = pool.submit(check_loaders)  # takes as long as the imports, and says nothing where there are problems
        trials = attempts({name: (module, FURTHER.get(name, "")) for name, (module, _) in (ESSENTIAL | OPTIONAL).items()})
        findings = [
            python,
            *check_checkout(),
            *check_packages(trials),
            *check_devices(trials["torch"]),
            *check_cores(),
            *check_run_folder(),
        ]
        if not any(f.level == "problem" for f in findings):
            findings += loaders.result()
    return sorted(findings, key=lambda f: ("problem", "note", "ok").index(f.level))


def main(argv: list[str]) -> int:
    if argv:
        print(__doc__)
        return 0 if argv in (["-h"], ["--help"]) else 2
    findings = examine()
    for finding in findings:
        print(finding)
    problems, notes = (sum(f.level == level for f in findings) for level in ("problem", "note"))
    verdict = "unusable until the problems are mended" if problems else "usable"
    print(f"\n{verdict}: problems {problems}, notes {notes}")
    return UNUSABLE if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
