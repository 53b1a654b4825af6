"""Whether there is a network of a run, asked before it is begun."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from benchmarks.spec import RunSpec


def require_buildable(run: RunSpec) -> None:
    """Raises ValueError where there is no network of this run: its init is unstable, say, or its heads do not divide its width."""
    if trouble := _trouble(replace(run, seed=0, model=replace(run.model, n_layers=1))):  # whose layers are all alike
        raise ValueError(trouble)


@cache
def _trouble(run: RunSpec) -> str:
    import torch  # in the function: names and lists of grids do without it

    from benchmarks.running.weights import build_network

    with torch.random.fork_rng(devices=[]):
        try:
            build_network(run)
        except ValueError as error:
            return str(error)
    return ""
