"""Probes of memory and capacity: small tasks made afresh in every epoch, each in a file of its own.

To add one: a file with a subclass of `ProbeSpec`, whose docstrings in `base` say what it has to define, and its row here. Its recipe is
one more row in benchmarks/tasks/probes.py.
"""

from __future__ import annotations

from typing import Final

from data.probes.base import ProbeSpec
from data.probes.copying import CopyingSpec
from data.probes.delay import DelaySpec
from data.probes.induction import InductionSpec
from data.probes.mqar import MQARSpec
from data.probes.selective_copying import SelectiveCopyingSpec

PROBES: Final[tuple[type[ProbeSpec], ...]] = (DelaySpec, CopyingSpec, SelectiveCopyingSpec, InductionSpec, MQARSpec)
