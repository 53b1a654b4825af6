"""The same cases by the code of an older commit of this suite, run in turn with those of the working tree."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from benchmarks import cli
from benchmarks.running.environment import ROOT
from benchmarks.speed import allocation
from benchmarks.speed.case import OURS, Case, Timing
from benchmarks.speed.command import begin, limit_of, tell
from benchmarks.speed.plan import Group
from benchmarks.speed.session import Clock, run_groups
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
    clock, session = Clock(60 * minutes), begin("base", device, threads, minutes)
    session.environment = {**session.environment, "base": _git("rev-parse", "--verify", "--end-of-options", f"{commit}^{{commit}}")}

    def seen(group: Group, by_measurer: Sequence[Mapping[Case, Timing]]) -> None:
        now, then = by_measurer
        for case in (c for c in now if c in then):
            pair = measured_pair(case, now[case], then[case])
            session.earlier.append(pair)
            tell(f"    {case.row:<14} now {pair['now']['ms']:.4g} ms, then {pair['then']['ms']:.4g} ms: {pair['ratio']:.2f}x")
        session.write()

    ours = [replace(g, cases=tuple(c for c in g.cases if c.by == OURS)) for g in groups]
    environment = allocation.settled()
    with (
        older_tree(commit) as tree,
        Elsewhere("now", ROOT, device, threads, environment) as now,
        Elsewhere("then", tree, device, threads, environment) as then,
    ):
        left_out = run_groups([g for g in ours if g.cases], [now, then], clock, seen=seen, say=tell, limit_mb=limit_of(device))
    session.left_out = [vars(hole) for hole in left_out]
    tell(f"\n{session.write()}")
    return cli.DONE
