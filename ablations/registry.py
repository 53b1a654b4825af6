"""ABLATIONS: every grid of the suite by name."""

from __future__ import annotations

from typing import Final

from ablations.core import CORE
from ablations.grid import Ablation
from ablations.noise import NOISE, READOUT

ABLATIONS: Final[dict[str, Ablation]] = {ablation.name: ablation for ablation in (CORE, NOISE, READOUT)}
