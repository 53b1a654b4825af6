"""A process that measures for another: `Elsewhere` asks, `python -m benchmarks.speed.worker DEVICE THREADS` answers, in lines of JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from benchmarks.speed.case import Case


class Elsewhere:
    """Measures in a process of its own, with the packages that lie in `tree`; to be used as a context."""

    def __init__(self, name: str, tree: Path, device: str, threads: int, environment: Mapping[str, str]) -> None:
        self.name = name
        command = [sys.executable, "-m", "benchmarks.speed.worker", device, str(threads)]
        self.said = tempfile.TemporaryFile()  # noqa: SIM115 as long as the process; of a pipe that nobody reads it would wait for a reader
        self.process = subprocess.Popen(
            command, cwd=tree, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.said.close()

    def prepare(self, case: Case) -> float:
        """As `Here.prepare`."""
        return float(self._ask(do="prepare", case=case.to_json())["peak_mb"])

    def time(self, case: Case) -> tuple[float, float]:
        """As `Here.time`."""
        answer = self._ask(do="time", case=case.to_json())
        return float(answer["wall"]), float(answer["cpu"])

    def drop(self) -> None:
        """As `Here.drop`."""
        self._ask(do="drop")

    def _ask(self, **words: Any) -> Mapping[str, Any]:
        from benchmarks.speed.measure import Unable  # torch

        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(words) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.process.communicate()
            self.said.seek(0)
            why = self.said.read().decode(errors="replace").strip().splitlines()
            raise Unable(f"the process that measures has ended: {why[-1] if why else f'code {self.process.returncode}'}")
        answer: Mapping[str, Any] = json.loads(line)
        if "unable" in answer:
            raise Unable(re.sub(r" ?\(?/[^ )]+\)?", "", answer["unable"]))  # no folder of this machine
        return answer


def main() -> int:
    """Answers until nobody asks; the exit code."""
    import torch

    from benchmarks.speed.measure import Here, Unable
    from benchmarks.speed.work import build

    device, threads = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(threads)
    here = Here("cuda" if device == "cuda" else "cpu", build)
    out, sys.stdout = sys.stdout, sys.stderr  # what others print is no answer
    for line in sys.stdin:
        words = json.loads(line)
        answer: dict[str, Any] = {}
        try:
            if words["do"] == "prepare":
                answer = {"peak_mb": here.prepare(Case.from_json(words["case"]))}
            elif words["do"] == "time":
                answer = dict(zip(("wall", "cpu"), here.time(Case.from_json(words["case"])), strict=True))
            else:
                here.drop()
        except Unable as error:
            answer = {"unable": str(error)}
        print(json.dumps(answer), file=out, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
