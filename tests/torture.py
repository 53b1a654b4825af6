"""A grid of twelve runs is killed at random and started again until it is done, and must equal the same grid left in peace, bit for bit.

`make torture` kills processes of this machine (SIGKILL: the launcher, its whole process group, or one process of it at random);
`make torture LAUNCHER=ray` takes machines away from a local Ray cluster of two. No test collects this file: it takes minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.running.store import Store
from tests.same import what_counts

RUNS = 12
GRID = ["-m", "benchmarks", "digits", "--variant", "s4,s4d-lin,dss-softmax,hope", "--seeds", "0-2", "--set", "epochs=3", "--threads", "1"]
"""Four kernels, three seeds each, three epochs of digits without noise."""


@contextlib.contextmanager
def launched(root: Path, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A launch of the grid into `root`, in a process group of its own of which nothing is left at the end."""
    environment = os.environ | {"SSM_RUNS": str(root)}
    with open(root / "said.txt", "ab") as said:
        process = subprocess.Popen([sys.executable, *GRID, *more], env=environment, stdout=said, stderr=said, start_new_session=True)
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def below(pid: int) -> list[int]:
    """The processes that this one has started, and those that they have."""
    try:
        children = [int(c) for task in Path(f"/proc/{pid}/task").iterdir() for c in (task / "children").read_text().split()]
    except OSError:  # it has ended meanwhile
        return []
    return children + [grandchild for child in children for grandchild in below(child)]


def kill_one_of(process: subprocess.Popen[bytes], chance: random.Random) -> str:
    """Kills the launcher, its group, or one process below it; which."""
    what = chance.choice(("the launcher", "the group", "a process below it"))
    victims = below(process.pid)
    with contextlib.suppress(ProcessLookupError):
        if what == "the group":
            os.killpg(process.pid, signal.SIGKILL)
        elif what == "a process below it" and victims:
            os.kill(chance.choice(victims), signal.SIGKILL)
        else:
            process.kill()
            what = "the launcher"
    return what


def records(root: Path) -> list[tuple[str, str]]:
    """(benchmark, id) of each record."""
    return sorted((path.parent.parent.name, path.parent.name) for path in root.glob("*/*/record.json"))


def gave_up(root: Path, code: int) -> SystemExit:
    """The end of a campaign in which a launch failed by itself, with the last that it said: its folder goes."""
    said = (root / "said.txt").read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
    return SystemExit("\n".join([*said, f"a launch that nobody disturbed ended with code {code}; these were its last lines"]))


def in_peace(root: Path) -> tuple[float, float]:
    """Makes the grid undisturbed; the seconds that it took, and those of them before the first run began."""
    began = time.monotonic()
    with launched(root) as process:
        while process.poll() is None and not any(root.glob("*/*/.lock")):
            time.sleep(0.05)
        first = time.monotonic() - began
        if process.wait() != 0:
            raise gave_up(root, process.returncode)
    return time.monotonic() - began, first


def killed(root: Path, kills: int, seconds: float, first: float, chance: random.Random) -> None:
    """Makes the grid, which takes `seconds`, with `kills` kills and then in peace. They come close enough to each other to fall before its
    end, and far enough, in view of the seconds before the `first` run begins, for runs to be at work or done.

    A launcher that outlives the death of one of its processes goes on, as it would for a user."""
    left = kills
    while True:
        before = left
        with launched(root) as process:
            while left:
                try:
                    process.wait(timeout=chance.uniform(0, first + 2 * (seconds - first) / kills))
                    break
                except subprocess.TimeoutExpired:
                    left -= 1
                    print(f"kill {kills - left} of {kills}: {kill_one_of(process, chance)}, {len(records(root))} runs done", flush=True)
            code = process.wait()
        if code == 0:
            if left:
                print(f"the grid was done before {left} of the kills")
            return
        if left == before:
            raise gave_up(root, code)


def machines_lost(root: Path, kills: int, seconds: float, chance: random.Random) -> None:
    """Makes the grid on a local Ray cluster of two, one of which is lost and replaced `kills` times."""
    from benchmarks.running.ray_pool import import_ray

    import_ray()
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
        os.environ["RAY_ADDRESS"] = cluster.address
        with launched(root, "--launcher", "ray") as process:
            for kill in range(kills):
                try:
                    process.wait(timeout=seconds / 8 + chance.uniform(0, seconds / 4))
                    print(f"the grid was done before {kills - kill} of the kills")
                    break
                except subprocess.TimeoutExpired:
                    cluster.remove_node(nodes.pop(chance.randrange(2)), allow_graceful=False)
                    nodes.append(cluster.add_node(num_cpus=1))
                    print(f"kill {kill + 1} of {kills}: one of two machines, {len(records(root))} runs done", flush=True)
            if process.wait() != 0:
                raise gave_up(root, process.returncode)
    finally:
        cluster.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=10, help="how often something is killed (10)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and the victims (0)")
    parser.add_argument("--launcher", choices=("local", "ray"), default="local")
    args = parser.parse_args()
    chance = random.Random(args.seed)
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        peace, pieces = Path(folder) / "peace", Path(folder) / "pieces"
        peace.mkdir()
        pieces.mkdir()
        seconds, first = in_peace(peace)
        made = records(peace)
        print(f"{len(made)} runs in peace: {seconds:.0f} s", flush=True)
        assert len(made) == RUNS
        if args.launcher == "ray":
            machines_lost(pieces, args.kills, seconds, chance)
        else:
            killed(pieces, args.kills, seconds, first, chance)
        assert records(pieces) == made, "runs are missing, or there are more"
        for benchmark, run_id in made:
            assert what_counts(Store.at(pieces), benchmark, run_id) == what_counts(Store.at(peace), benchmark, run_id), run_id
        left_over = [p.name for p in pieces.glob("*/*/*") if p.suffix in (".ckpt", ".tmp")]
        assert not left_over, left_over
    print(f"{RUNS} of {RUNS} runs are equal bit for bit, arrays and weights too; no checkpoint and no half-written file is left")


if __name__ == "__main__":
    main()
