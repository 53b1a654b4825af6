"""State space layers in plain torch: every parameterization of the S4, DSS, S4D and HOPE papers, and LRU, behind one interface.

Symbols, as the papers use them and as every file here does:

    B H N L   batch, channels (d_model), state size (d_state), length          u x y   input, state, output of one channel
    A B C D   the continuous system x' = A x + B u, y = C x + D u              K       its convolution kernel, K_l = C A_bar^l B_bar
    Lambda    the diagonal of A; A = Lambda - P P* for S4                      P       the low-rank term
    dt        step size; A_bar, B_bar the discretized A, B; z = dt lambda      J       directions (1, or 2 when bidirectional)
    h         Markov parameters (HOPE)                                         W       C B of DSS
    gamma     scale of the input (LRU)                                         M       modes: N real ones, or N/2 complex ones

What fills a block of the network, from the general to the paper:

    layer            MixerSpec, the frozen choice with its options, and Layer, the module that it builds; Dropout, Mix
    kernel           KernelSpec and StepSpec, Kernel, and SSMLayer: the layers that convolve
    recurrence       Recurrence: the plain system of a kernel, its slow oracle and its step mode
    s4, s4d, dss, hope, lru    one file per paper
    baselines        a free kernel, an LSTM, a Transformer

What these are made of:

    functional       tensor functions, each fast one beside its oracle; krylov: kernels of a matrix that is not diagonal
    convolution      of a sequence with a kernel, by FFT, beside its oracle
    choices/         what a spec names, a row each: inits, initial spectra; discretizations, rules (A, B, dt) -> (A_bar, B_bar); links,
                     parameter -> Re(A), dt; and how names and fields are checked
    diagonal         Lambda as a trainable module
    parameters       storing a tensor with its rate

One of these alone, in a network of another make; the folder can be copied there under any name, since it imports nothing else of the suite:

    layers           S4(d_model), DSS, S4D, HOPE, LRU: a layer with its block's defaults, or with a spec of its own

Around them:

    network          ModelSpec, SequenceModel: encoder, residual blocks, pooling, decoder
    training/        schedules, the optimizer's parameter groups, the one LightningModule
    variants         the rows of every table
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .baselines import FIRSpec, LSTMSpec, TransformerSpec
from .choices.discretizations import DISCRETIZATIONS
from .choices.inits import INITS
from .choices.links import LINKS
from .dss import DSSSpec
from .hope import HOPESpec
from .kernel import Kernel, KernelSpec, SSMLayer, StepSpec
from .layer import Around, Layer, MixerSpec, NoRecurrence
from .layers import DSS, HOPE, LRU, S4, S4D
from .lru import LRUSpec
from .network import ModelSpec, SequenceModel
from .parameters import ParamGroup
from .recurrence import Recurrence
from .s4 import S4Spec
from .s4d import S4DSpec
from .training.optim import OptimSpec, param_groups
from .training.schedules import Constant, Cosine, MultiStep, Plateau, Schedule
from .variants import DEFAULT_VARIANTS, VARIANTS, Variant

if TYPE_CHECKING:
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


def __getattr__(name: str) -> Any:
    """SequenceTask on first use: pytorch_lightning takes seconds to import, and the layers do without it."""
    if name == "SequenceTask":
        from .training.task import SequenceTask

        return SequenceTask
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
