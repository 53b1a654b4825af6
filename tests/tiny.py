"""A run of a second: what the tests of the running side train."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.spec import RunSpec
from data.images.digits import DigitsSpec
from models import Constant, KernelSpec, ModelSpec, OptimSpec, S4DSpec


def tiny(*, mixer: KernelSpec | None = None, **changes: Any) -> RunSpec:
    """One layer of 4 channels and 4 states on digits with 8 steps of noise, 2 epochs."""
    spec = RunSpec(
        benchmark="digits-noise",
        scale="quick",
        data=DigitsSpec(noise=8),
        model=ModelSpec(mixer=mixer or S4DSpec(d_state=4), d_model=4, n_layers=1, pool_last=8),
        optim=OptimSpec(lr=1e-2, schedule=Constant()),
        epochs=2,
        batch_size=256,
    )
    return replace(spec, **changes)
