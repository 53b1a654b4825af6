"""Where a number was made: code version, library versions, device, memory. Recorded beside the number, never part of its identity."""

from __future__ import annotations

import ast
import ctypes
import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from benchmarks import plugins

ROOT: Final = Path(__file__).resolve().parents[2]
DECIDING: Final = ("models", "data", "benchmarks")
"""The packages whose code can change a number."""
SOURCES: Final = (
    "models/**/*.py",
    "data/**/*.py",
    *(f"benchmarks/running/{name}.py" for name in ("run", "callbacks", "checkpoint", "weights")),
)
"""The files that decide what number a spec gives. Recipes are not among them: one that changes makes another spec, with another id."""
APART: Final = ("__main__", "card", "command", "comparison", "progress", "statistics", "signals")
"""Names of files among them that only describe, show or compare."""
LIBRARIES: Final = ("torch", "pytorch-lightning", "numpy", "scipy", "scikit-learn")


GROUP: Final = ("SLURM_", "TORCHELASTIC_", "JSM_NAMESPACE_", "OMPI_", "PMI_", "PMIX_", "PL_TRAINER_")
RANKS: Final = ("RANK", "LOCAL_RANK", "GROUP_RANK", "NODE_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""Variables that a scheduler or a starter of process groups sets, and defaults of Lightning's Trainer: no run reads any of them."""


ALLOCATION: Final[Mapping[str, str]] = {
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**33),
    "MALLOC_TOP_PAD_": str(2**28),
}
"""What makes glibc keep the memory of a tensor for the next one. Left alone it maps each that is larger than 128 KB anew, which the kernel
clears: a quarter of a small step. Read once, when a process starts."""


class EnvironmentProblem(Exception):
    """The machine cannot do what was asked: no such device, a folder that cannot be written. One paragraph with the remedy."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """How a run is executed, as opposed to what it computes."""

    device: Literal["cpu", "cuda"] = "cpu"
    threads: int = 1
    """CPU threads of this run."""
    workers: int = 1
    """Runs side by side on this machine; recorded because it moves timings."""
    logger: Literal["none", "tensorboard", "wandb", "csv", "mlflow"] = "none"
    """Who else is told of the losses, see `benchmarks.running.loggers`."""
    engine: str = "auto"
    """How layers are computed, see `models.engines`; auto is the choice by table."""
    weights: bool = True
    """Whether the trained network is kept beside the record."""
    predictions: bool = False
    """Whether what it answers on the test set is kept too."""


def of_a_group(variable: str) -> bool:
    """Whether an environment variable speaks of a group of processes, of which a run is never one, or of Lightning's defaults."""
    return variable in RANKS or variable.startswith(GROUP)


def usable_cores() -> int:
    """CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def at_process_start(threads: int) -> dict[str, str]:
    """The variables that a process which trains has to be started with: the path of the checkout (its parent's sys.path is not handed on),
    the number of threads, which numerical libraries read when they are imported, and `ALLOCATION` where the user has not settled it."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    counts = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    # PYTHONSAFEPATH: a `models` or `data` of the folder it is started in is another project's
    return {
        "PYTHONPATH": path,
        "PYTHONSAFEPATH": "1",
        **counts,
        **{name: os.environ.get(name, value) for name, value in ALLOCATION.items()},
    }


def allocation() -> str | None:
    """How memory is allocated in this process: with the thresholds that it was started with, or by those of glibc; None elsewhere."""
    try:
        started_with = Path("/proc/self/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None
    if platform.libc_ver()[0] != "glibc":
        return None
    return " ".join(sorted(word for word in started_with if word.partition("=")[0] in ALLOCATION)) or "glibc's own"


def choose_device(wanted: str) -> Literal["cpu", "cuda"]:
    """`wanted` is auto, cpu or cuda. auto takes the GPU where there is one; cuda where there is none is an error, never a fallback."""
    import torch

    if wanted == "cpu":
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    if wanted == "auto":
        return "cpu"
    build = "this PyTorch is a CPU build" if torch.version.cuda is None else "PyTorch finds no usable NVIDIA GPU"
    raise EnvironmentProblem(f"--device cuda: {build}. Use --device cpu, or see `python -m benchmarks.doctor`.")


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@cache
def code_version() -> tuple[str, bool]:
    """(commit, whether a source file that decides numbers differs from it); without git, (hash of those files, False)."""
    top, commit = _git("rev-parse", "--show-toplevel"), _git("rev-parse", "HEAD")
    if top is not None and commit and Path(top).resolve() == ROOT:
        changed = _git("status", "--porcelain", "--untracked-files=all", "--", *(f"{package}/*.py" for package in DECIDING))
        return commit, changed != ""
    digest = hashlib.sha256()
    for file in sorted(f for package in DECIDING for f in (ROOT / package).rglob("*.py")):
        digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return f"sources-{digest.hexdigest()[:12]}", False


@cache
def code_content() -> str:
    """The first 12 hex digits of a sha256 over the source files that decide what number a spec gives, whatever git says of them.

    Comment lines, docstrings and empty lines are left out: a sentence that is put better makes no number stale.
    """
    digest = hashlib.sha256()
    for file in sorted({f for pattern in SOURCES for f in ROOT.glob(pattern) if f.stem not in APART}):
        digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + _statements(file.read_text(encoding="utf-8")).encode() + b"\0")
    return digest.hexdigest()[:12]


def _statements(source: str) -> str:
    """The lines of a source file without docstrings, comment lines and empty lines."""
    lines = source.splitlines()
    tree = ast.parse(source)
    inside: list[ast.stmt] = list(tree.body)
    while inside:
        statement = inside.pop()
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            inside += statement.body
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str):
            first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
            lines[first:last] = [""] * (last - first)
    quoted: set[int] = set()  # lines inside a text of several lines, where # and nothing are letters like others
    if any(quote in line for quote in ('"' * 3, "'" * 3) for line in lines):
        for node in ast.walk(tree):
            if isinstance(node, (ast.Constant, ast.JoinedStr)):
                quoted.update(range(node.lineno - 1, node.end_lineno or node.lineno) if node.end_lineno != node.lineno else ())
    words = (line for i, line in enumerate(lines) if i in quoted or (line.strip() and not line.lstrip().startswith("#")))
    return "\n".join(line.rstrip() for line in words if line)


def other_code(environment: Mapping[str, Any]) -> str:
    """The code that a record with this environment block says it was made by, where that is not the code here: its content, or else the
    plugins that are loaded here with another content. Empty for the code here, and for a record that does not say."""
    content = environment.get("content")
    if content not in (None, code_content()):
        return str(content)
    names = plugins.differing(environment.get("plugins", {}))
    return f"another content of the plugin {' and of '.join(names)}" if names else ""


@cache
def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


@cache
def _library(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _matmul_precision() -> str:
    """What torch may round float32 factors to before it multiplies them: "highest" is nothing, "high" TF32, "medium" bfloat16."""
    import torch

    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:  # set by the newer switches of single backends
        return f"cuda {torch.backends.cuda.matmul.fp32_precision}, cpu {torch.backends.mkldnn.matmul.fp32_precision}"  # type: ignore[attr-defined]


def describe(runtime: Runtime) -> dict[str, Any]:
    """The environment block of a record. Plain values, no paths of this machine."""
    device = "cpu"
    if runtime.device == "cuda":
        import torch

        device = f"cuda ({torch.cuda.get_device_name()})"
    commit, dirty = code_version()
    return {
        "code": commit,
        "dirty": dirty,
        "content": code_content(),
        **({"plugins": plugins.hashes()} if plugins.hashes() else {}),
        "python": platform.python_version(),
        **{name.replace("-", "_"): _library(name) for name in LIBRARIES},
        "platform": platform.platform(),
        "cpu": _cpu(),
        "device": device,
        "matmul": _matmul_precision(),
        "allocation": allocation(),
        "threads": runtime.threads,
        "workers": runtime.workers,
        "engine": runtime.engine,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


class PeakMemory:
    """Megabytes between `start` and the peak before `stop`: resident memory without program files on CPU, allocated tensors on CUDA."""

    def __init__(self, device: Literal["cpu", "cuda"]) -> None:
        self.device, self.base = device, 0.0

    def start(self) -> None:
        """Remember where memory stands, and reset the peak where the system allows it."""
        if self.device == "cuda":
            import torch

            torch.cuda.init()
            torch.cuda.reset_peak_memory_stats()
            self.base = torch.cuda.memory_allocated() / 1e6
            return
        _give_back()
        try:
            Path("/proc/self/clear_refs").write_text("5")
            self.base = _proc_status("RssAnon")
        except OSError:
            self.base = _lifetime_peak()

    def stop(self) -> float:
        """Peak minus start, in MB (10^6 bytes)."""
        if self.device == "cuda":
            import torch

            return torch.cuda.max_memory_allocated() / 1e6 - self.base
        try:
            # pages of program files are mapped as they are first used, in a forked process all anew: not the run's memory
            peak = _proc_status("VmHWM") - _proc_status("RssFile") - _proc_status("RssShmem")
        except OSError:
            peak = _lifetime_peak()
        return max(0.0, peak - self.base)


def _give_back() -> None:
    """Gives the system the memory that was freed and is kept for later, which is not in use and would be counted as if it were."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def _proc_status(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError(f"/proc/self/status has no {field}")


def _lifetime_peak() -> float:
    """Highest resident memory of this process so far, in MB; kilobytes on Linux, bytes on macOS."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
