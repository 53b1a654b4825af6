"""State space layers in plain torch: every parameterization of the S4, DSS, S4D and HOPE papers, and LRU, behind one interface.

Symbols, as the papers use them and as every file here does:

    B H N L   batch, channels (d_model), state size (d_state), length          u x y   input, state, output of one channel
    A B C D   the continuous system x' = A x + B u, y = C x + D u              K       its convolution kernel, K_l = C A_bar^l B_bar
    Lambda    the diagonal of A; A = Lambda - P P* for S4                      P       the low-rank term
    dt        step size; A_bar, B_bar the discretized A, B; z = dt lambda      J       directions (1, or 2 when bidirectional)
    h         Markov parameters (HOPE)                                         W       C B of DSS
    gamma     scale of the input (LRU)                                         M       modes: N real ones, or N/2 complex ones

What fills a block of the network, from the general to the paper:

    specs/           MixerSpec and its kin, the frozen choices with their options, a file per paper as below; nothing there imports torch
                     before it builds the module that it names
    layer            Layer, what a MixerSpec builds; Dropout, Mix
    kernel           Kernel, and SSMLayer: the layers that convolve
    recurrence       Recurrence: the plain system of a kernel, its slow oracle and its step mode
    s4, s4d, dss, hope, lru    one file per paper
    baselines        a free kernel, an LSTM, a Transformer

What these are made of:

    functional       tensor functions, each fast one beside its oracle
    vandermonde      the kernel of a diagonal A; krylov: of another matrix; warped: of HOPE, a series in its all-pass
    engines          the ways to apply a kernel to a sequence, and which is chosen where: convolution by FFT, or chunked, by products and a
                     state between them
    choices/         what a spec names, a row each: inits, initial spectra; discretizations, rules (A, B, dt) -> (A_bar, B_bar); links,
                     parameter -> Re(A), dt; and how names and fields are checked
    diagonal         Lambda as a trainable module
    parameters       storing a tensor with its rate

One of these alone, in a network of another make; the folder can be copied there under any name, since it imports nothing else of the suite:

    layers           S4(d_model), DSS, S4D, HOPE, LRU: a layer with its block's defaults, or with a spec of its own

Around them:

    network          SequenceModel: encoder, residual blocks, pooling, decoder
    training/        the optimizer's parameter groups, the one LightningModule; the schedules are in specs/
    variants         the rows of every table
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .choices.discretizations import DISCRETIZATIONS
from .choices.inits import INITS
from .choices.links import LINKS
from .specs.baselines import FIRSpec, LSTMSpec, TransformerSpec
from .specs.dss import DSSSpec
from .specs.hope import HOPESpec
from .specs.kernel import KernelSpec, StepSpec
from .specs.lru import LRUSpec
from .specs.mixer import Around, MixerSpec
from .specs.network import ModelSpec
from .specs.optim import OptimSpec
from .specs.s4 import S4Spec
from .specs.s4d import S4DSpec
from .specs.schedules import Constant, Cosine, MultiStep, Plateau, Schedule
from .variants import DEFAULT_VARIANTS, VARIANTS, Variant

if TYPE_CHECKING:
    from .kernel import Kernel, SSMLayer
    from .layer import Layer, NoRecurrence
    from .layers import DSS, HOPE, LRU, S4, S4D
    from .network import SequenceModel
    from .parameters import ParamGroup
    from .recurrence import Recurrence
    from .training.optim import param_groups
    from .training.task import SequenceTask

__all__ = [
    "Around",
    "S4D",
    "S4",
    "LRU",
    "HOPE",
    "DSS",
    "DEFAULT_VARIANTS",
    "DISCRETIZATIONS",
    "INITS",
    "LINKS",
    "VARIANTS",
    "Constant",
    "Cosine",
    "DSSSpec",
    "FIRSpec",
    "HOPESpec",
    "Kernel",
    "KernelSpec",
    "LRUSpec",
    "LSTMSpec",
    "Layer",
    "MixerSpec",
    "ModelSpec",
    "MultiStep",
    "NoRecurrence",
    "OptimSpec",
    "ParamGroup",
    "Plateau",
    "Recurrence",
    "S4DSpec",
    "S4Spec",
    "SSMLayer",
    "Schedule",
    "SequenceModel",
    "SequenceTask",
    "StepSpec",
    "TransformerSpec",
    "Variant",
    "param_groups",
]


_BUILT = {
    "kernel": ("Kernel", "SSMLayer"),
    "layer": ("Layer", "NoRecurrence"),
    "layers": ("S4", "S4D", "DSS", "HOPE", "LRU"),
    "network": ("SequenceModel",),
    "parameters": ("ParamGroup",),
    "recurrence": ("Recurrence",),
    "training.optim": ("param_groups",),
    "training.task": ("SequenceTask",),
}
"""Module -> what of it is imported on first use: torch takes seconds to import, pytorch_lightning more, and names do without either."""


def __getattr__(name: str) -> Any:
    for module, names in _BUILT.items():
        if name in names:
            return getattr(importlib.import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
