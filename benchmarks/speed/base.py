"""The same cases by the code of an older commit of this suite, run in turn with those of the working tree."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from benchmarks import cli
from benchmarks.running.environment import ROOT
from benchmarks.speed import allocation
from benchmarks.speed.case import OURS, Case, Timing
from benchmarks.speed.command import begin, tell
from benchmarks.speed.plan import Group
from benchmarks.speed.session import Clock, measure_in_turn
from benchmarks.speed.worker import Elsewhere


def _git(*words: str) -> str:
    """What git says. Raises UsageError with its last line."""
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    except OSError as error:
        raise cli.UsageError(f"an older commit is had from git, which cannot be started ({error.strerror})") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise cli.UsageError(f"git {words[0]} says: {said[-1] if said else 'nothing'}")
    return done.stdout.strip()


@contextmanager
def older_tree(commit: str) -> Iterator[Path]:
    """The files of a commit in a folder of their own, with today's measuring code laid over them; the folder is removed in the end.
    Raises UsageError for a word that names no commit."""
    found = _git("rev-parse", "--verify", "--end-of-options", f"{commit}^{{commit}}")
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _git("worktree", "add", "--detach", str(tree), found)
        try:
            here = Path(__file__).resolve().parent
            shutil.copytree(here, tree / "benchmarks" / here.name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def measured_pair(case: Case, now: Timing, then: Timing) -> Mapping[str, Any]:
    """What a record keeps of a case by both; a ratio of more than 1 is faster now."""
    return {"case": case.to_json(), "now": now.to_json(), "then": then.to_json(), "ratio": float(f"{then.median / now.median:.4g}")}


def compare_with(commit: str, groups: Sequence[Group], device: Literal["cpu", "cuda"], threads: int, minutes: int) -> int:
    """Measures our cases of these groups by the working tree and by a commit, a process for each; the exit code."""
    clock, session = Clock(60 * minutes), begin(device, threads, minutes)
    environment = allocation.unsettled() | allocation.SETTLED
    session.environment = {**session.environment, "base": _git("rev-parse", "--end-of-options", commit)}
    with (
        older_tree(commit) as tree,
        Elsewhere(ROOT, device, threads, environment) as now,
        Elsewhere(tree, device, threads, environment) as then,
    ):
        for group in groups:
            cases = [case for case in group.cases if case.by == OURS]
            if not cases or not clock.fits(2 * sum(6 * 0.1 for _ in cases)):
                continue
            begun = clock.now()
            measured = measure_in_turn([(who, case) for case in cases for who in (now, then)])
            tell(f"[{clock.gone / 60:.1f} min] {group.title}: {clock.now() - begun:.0f} s")
            for i, case in enumerate(cases):
                why = measured.unable.get(2 * i) or measured.unable.get(2 * i + 1)
                if why:
                    session.left_out.append({"what": str(case), "why": ("then: " if 2 * i in measured.timings else "now: ") + why})
                    tell(f"    {case.row:<14} cannot be compared: {session.left_out[-1]['why']}")
                    continue
                pair = measured_pair(case, measured.timings[2 * i], measured.timings[2 * i + 1])
                session.earlier.append(pair)
                tell(f"    {case.row:<14} now {pair['now']['ms']:.4g} ms, then {pair['then']['ms']:.4g} ms: {pair['ratio']:.2f}x")
            session.write()
    tell(f"\n{session.write()}")
    return cli.DONE
