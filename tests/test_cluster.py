"""Runs on a Ray cluster: what is sent there, what comes back, and that the numbers are those of this machine."""

from __future__ import annotations

import io
import threading
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import benchmarks.running.launch as launching
from benchmarks import cli
from benchmarks.running.cluster import ClusterPool
from benchmarks.running.environment import EnvironmentProblem, Runtime
from benchmarks.running.jobs import require_fit_for_a_cluster
from benchmarks.running.launch import Outcome, launch
from benchmarks.running.order import Order, fill
from benchmarks.running.store import Store
from benchmarks.running.worker import Word
from benchmarks.spec import Job, RunSpec
from tests.same import what_counts
from tests.test_launch import go, until
from tests.tiny import tiny


def order(folder: Path, **changes: Any) -> Order:
    return replace(Order.of(Job("x", tiny(epochs=1)), Runtime(), folder, redo=False), **changes)


def test_an_order_is_the_job_again(tmp_path: Path) -> None:
    assert order(tmp_path).job() == Job("x", tiny(epochs=1))


@pytest.mark.parametrize("changes", [{"content": "0" * 12}, {"id": "0" * 12}, {"plugins": {"mine.py": "0"}}, {"spec": {"type": "RunSpec"}}])
def test_other_code_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(EnvironmentProblem, match="the same state"):
        order(tmp_path, **changes).job()


def what_counts_of(store: Store, specs: Sequence[RunSpec]) -> list[tuple[Any, ...]]:
    return [what_counts(store, spec.benchmark, spec.id) for spec in specs]


@pytest.mark.slow
def test_a_run_that_was_ordered_comes_back_whole(tmp_path: Path) -> None:
    spec, here = tiny(epochs=1), Store.at(tmp_path / "here")
    go([spec], here)
    words = list(fill(order(tmp_path / "there")))
    kinds = [kind for kind, _ in words if kind != "note"]
    assert kinds == ["epoch", "over", "result", "gone"]
    (record, arrays, weights, predictions, trace) = dict(words)["result"]
    assert trace == ""
    back = Store.at(tmp_path / "back")
    back.put(spec, record, arrays, weights=weights, predictions=predictions)
    assert what_counts_of(back, [spec]) == what_counts_of(here, [spec])
    assert list((tmp_path / "there" / spec.benchmark).iterdir()) == []
    assert [kind for kind, _ in fill(order(tmp_path / "there", content="0" * 12))] == ["refused", "gone"]


def test_without_ray_the_line_that_installs_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(EnvironmentProblem, match=r"pip install -e '\.\[ray\]'"):
        require_fit_for_a_cluster(cli.Launch(launcher="ray"))


def test_flags_that_say_nothing_on_a_cluster_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(cli.UsageError, match="leave it out"):
        require_fit_for_a_cluster(cli.Launch(launcher="ray", logger="csv"))
    monkeypatch.setenv("RAY_ADDRESS", "somewhere:6379")
    with pytest.raises(cli.UsageError, match="leave --workers out"):
        require_fit_for_a_cluster(cli.Launch(launcher="ray", workers=2))


class Unlucky:
    """A pool that loses every machine."""

    place = "nowhere"

    def __init__(self) -> None:
        self.begun: list[Job] = []

    def has_room(self) -> bool:
        return True

    def start(self, job: Job) -> Hashable:
        self.begun.append(job)
        return len(self.begun)

    def heard(self, seconds: float) -> Iterator[tuple[Hashable, Word]]:
        yield len(self.begun), ("lost", "its machine was lost")

    def environment(self) -> Mapping[str, Any]:
        return {}

    def close(self) -> None:
        pass


def test_a_run_whose_machine_is_lost_each_time_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool, out, spec = Unlucky(), io.StringIO(), tiny(epochs=1)
    monkeypatch.setattr(launching, "make_pool", lambda *arguments: pool)
    outcome = launch([Job("x", spec)], Runtime(), Store.at(tmp_path), launcher="ray", out=out)
    assert len(pool.begun) == launching.TRIES
    assert out.getvalue().count("it is made again") == launching.TRIES - 1
    assert [reason for _, reason in outcome.failed] == ["its machine was lost"]
    assert Store.at(tmp_path).status(spec) == "failed"


class Refusing(ClusterPool):
    """A pool whose cluster takes no run."""

    place = "nowhere"

    def send(self, order: Order) -> Hashable:
        raise OSError("the cluster takes no run")

    def words(self, seconds: float) -> Iterator[tuple[Hashable, Word]]:
        yield from ()

    def recall(self, run: Hashable) -> None:
        pass


def test_a_run_that_could_not_be_sent_is_free_for_others(tmp_path: Path) -> None:
    spec, store = tiny(epochs=1), Store.at(tmp_path)
    pool = Refusing(Runtime(), store, redo=False)
    with pytest.raises(OSError, match="takes no run") as held:  # and with it the frame that it was raised in
        pool.start(Job("x", spec))
    with store.lock(spec) as mine:
        assert mine, held


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_cluster_of_two_loses_one_and_gives_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="Ray is an extra: pip install -e '.[ray]'")
    from benchmarks.running.cluster import FOLDER
    from benchmarks.running.ray_pool import import_ray

    import_ray()
    from ray.cluster_utils import Cluster

    specs = [tiny(epochs=3, seed=seed) for seed in range(4)]
    here, there = Store.at(tmp_path / "here"), Store.at(tmp_path / "there")
    go(specs, here)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        out = io.StringIO()

        def lose_one() -> None:
            until(lambda: len(list((there.root / FOLDER).glob("*/*/.lock"))) >= 2, 300)
            cluster.remove_node(nodes[1], allow_graceful=False)

        killer = threading.Thread(target=lose_one)
        killer.start()
        jobs = [Job(f"seed {spec.seed}", spec) for spec in specs]
        outcome: Outcome = launch(jobs, Runtime(threads=1), there, launcher="ray", out=out)
        killer.join()
    finally:
        cluster.shutdown()
    text = out.getvalue()
    assert (len(outcome.finished), outcome.failed, outcome.exit_code) == (4, [], 0), text
    assert "2 at a time on cpu of 2 machines by Ray" in text
    assert "it is made again" in text
    assert what_counts_of(there, specs) == what_counts_of(here, specs)
