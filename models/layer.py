"""What fills a block of the network: `Layer`, the module that a `MixerSpec` builds.

A convolution with a kernel, a recurrence whose channels share one state, an LSTM and attention are all layers: the network asks each the
same questions and knows none of them by name.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from .choices.names import choose
from .engines import AUTO, ENGINES, Work, fastest
from .parameters import OwnRates
from .specs.mixer import Mixing


class NoRecurrence(ValueError):
    """This kernel, layer or network cannot be run step by step; the message says why."""


def require_sequence(u: Float[Tensor, "*shape"]) -> None:
    """Raises ValueError unless u is (B, L, H) with at least one sequence and one step."""
    if u.ndim != 3 or 0 in u.shape[:2]:
        raise ValueError(f"a layer takes (batch, steps, features) with at least one sequence and one step; got shape {tuple(u.shape)}")


def require_rate(rate: float) -> None:
    """Raises ValueError unless a factor on the step sizes can be."""
    if not 0 < rate < math.inf:
        raise ValueError(f"rate multiplies the step sizes, so it is positive and finite; got {rate:g}")


LayerState = Any
"""What a layer carries from step to step and from piece to piece; only the layer itself looks inside. `detach()` gives the same state
without its past."""


class Layer(nn.Module, ABC):
    """A map of sequences, (B, L, H) -> (B, L, H), that fills a block."""

    engine: str = AUTO
    """The engine that was asked for; auto is the choice by table, see `models.engines`."""

    def __init__(self) -> None:
        super().__init__()
        self.engines_used: set[str] = set()
        """The engines that have computed this layer so far."""

    @property
    @abstractmethod
    def causal(self) -> bool:
        """Whether y_t depends on u_0 .. u_t only."""

    @property
    def has_rate(self) -> bool:
        """Whether there are step sizes, so that `rate` may differ from 1."""
        return False

    @property
    def system(self) -> OwnRates | None:
        """The linear system inside, whose parameters have rates of their own; None where the layer is not built around one.

        It is held as `kernel`: by that name the optimizer groups of a record tell its parameters from the rest.
        """
        return None

    @abstractmethod
    def forward(self, u: Float[Tensor, "B L H"], mask: Float[Tensor, "B L 1"] | None = None, rate: float = 1.0) -> Float[Tensor, "B L H"]:
        """`mask` is 1 on valid steps, 0 on the padding after them, which has no influence on the valid ones. `rate` multiplies the step
        sizes: 2 reads a sequence at half its sampling rate. Raises ValueError where the layer cannot do what is asked."""

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that can compute this layer, first the one for sizes that nobody measured; none where there is only one way."""
        return ()

    def require_engine(self, engine: str) -> None:
        """Raises ValueError unless this engine, or auto, can compute the layer."""
        choose("engine", engine, dict.fromkeys((AUTO, *ENGINES), True))
        if engine != AUTO and engine not in self.engines:
            able = f"it can use {' or '.join(self.engines)}" if self.engines else "there is only one way to compute it"
            raise ValueError(f"{type(self).__name__} cannot use the engine {engine}: {able}; with engine=auto it uses what it can")

    def use_engine(self, engine: str) -> None:
        """Compute with this engine from now on; auto is the choice by table. Raises ValueError where the layer cannot use it."""
        self.require_engine(engine)
        self.engine = engine

    def pick_engine(self, work: Work) -> str:
        """The engine for this work, remembered in `engines_used`. A program that is traced is for other sizes too: it gets the first."""
        automatic = self.engines[0] if torch.compiler.is_compiling() else fastest(work, self.engines)
        engine = automatic if self.engine == AUTO else self.engine
        self.engines_used.add(engine)
        return engine

    def require_rate_one(self, rate: float) -> None:
        """Raises ValueError unless rate is 1: for layers without a step size."""
        if rate != 1.0:
            raise ValueError(f"{type(self).__name__} has no step size, so it cannot change its sampling rate; rate must be 1")

    def init_state(self, batch: int, length: int, rate: float = 1.0) -> LayerState:
        """The state before the first step. `length` matters only to kernels normalized over their length. Raises NoRecurrence."""
        raise NoRecurrence(f"{type(self).__name__} has no step mode in this suite; every state space layer has")

    def stream(self, u: Float[Tensor, "B L H"], state: LayerState) -> tuple[Float[Tensor, "B L H"], LayerState]:
        """A piece of any length of a sequence that comes in pieces: what `forward` gives at those positions, and the state after them.

        Gradients flow from piece to piece through the state; `state.detach()` cuts them, which is truncated training.
        """
        raise NotImplementedError(f"{type(self).__name__} has no state to stream with: its init_state says why")

    def step(self, u: Float[Tensor, "B H"], state: LayerState) -> tuple[Float[Tensor, "B H"], LayerState]:
        """One step in evaluation mode, equal to `forward` at that position, and the next state."""
        raise NotImplementedError(f"{type(self).__name__} has no step mode: its init_state says why")

    def state_space(self, length: int) -> dict[str, Tensor]:
        """A, B, C, D of x_{k+1} = A x_k + B u_k, y_k = Re(C x_k) + D u_k from the input of the layer to its activation, the skip included.

        One system per channel, as in `Recurrence`, or one of all channels. `length` matters only to kernels normalized over their length;
        of two directions it is the causal one. Raises NoRecurrence, with the reason.
        """
        raise NoRecurrence(f"{type(self).__name__} is no linear system, so that there are no A, B, C, D")

    def arrays(self, length: int) -> dict[str, np.ndarray]:
        """What a record keeps of the layer's linear system at this length; nothing where there is none.

        "kernel" (J, 8, L) of at most 8 channels and "memory" (5, L), see `kernel_arrays`; where the system has a recurrence "eigenvalues"
        (S, N) of A_bar and "hsv" (S, N), relative Hankel singular values, falling, for each of its S systems: one per channel, or one.
        """
        return {}


CHANNELS = 8
"""Kernels that a record keeps of a layer."""


def kernel_arrays(K: Float[Tensor, "J H L"]) -> dict[str, np.ndarray]:
    """ "kernel" (J, 8, L), a sample of the channels, and "memory" (5, L): min, quartiles and max over all channels of |K(t)| of
    direction 0."""
    k = K.double().cpu().numpy()
    channels = np.unique(np.linspace(0, k.shape[1] - 1, CHANNELS).round().astype(int))
    return {
        "kernel": k[:, channels].astype(np.float32),
        "memory": np.quantile(np.abs(k[0]), [0, 0.25, 0.5, 0.75, 1], axis=0).astype(np.float32),
    }


# ------------------------------------------------------------------------------------------------- parts that layers share


class _Swapped(torch.autograd.Function):
    """x.transpose(1, 2), laid out anew, and its derivatives too: element-wise work on tensors of two layouts is several times slower."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        if x.device.type != "cpu" or torch.compiler.is_compiling():  # a traced program leaves the size of its batch open
            return x.transpose(1, 2).contiguous()
        y = x.new_empty(x.shape[0], x.shape[2], x.shape[1])
        for b in range(x.shape[0]):  # one by one: a CPU turns matrices in tiles, and three axes element by element
            y[b].copy_(x[b].contiguous().t())
        return y

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Tensor:  # type: ignore[override]
        return _Swapped.apply(dy)

    @staticmethod
    def jvp(ctx: Any, dx: Tensor) -> Tensor:
        return _Swapped.apply(dx)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int], x: Tensor) -> tuple[Tensor, int]:
        """More sequences."""
        return _Swapped.apply(x.movedim(in_dims[0], 0).flatten(0, 1)).unflatten(0, (info.batch_size, -1)), 0


def swapped(x: Float[Tensor, "B a b"]) -> Float[Tensor, "B b a"]:
    """x with its last two axes in the other order, in memory too."""
    return _Swapped.apply(x)


class Dropout(nn.Module):
    """Dropout of (B, L, H); tied draws one mask per sequence and feature, the same at every step (feature dropout)."""

    def __init__(self, p: float, tied: bool) -> None:
        super().__init__()
        self.p, self.tied = p, tied

    def forward(self, x: Float[Tensor, "B L H"]) -> Float[Tensor, "B L H"]:
        if not self.training or self.p == 0:
            return x
        if not self.tied:
            return nn.functional.dropout(x, self.p)
        keep = torch.empty(x.shape[0], 1, x.shape[2], device=x.device, dtype=x.dtype).bernoulli_(1 - self.p)
        return x * (keep / (1 - self.p))


class Mix(nn.Module):
    """Position-wise mixing of channels: H -> 2H and a gated linear unit, or H -> H."""

    def __init__(self, d_model: int, mixing: Mixing) -> None:
        super().__init__()
        self.gated = mixing == "glu"
        self.linear = nn.Linear(d_model, (2 if self.gated else 1) * d_model)

    def forward(self, x: Float[Tensor, "*batch H"]) -> Float[Tensor, "*batch H"]:
        y = self.linear(x)
        return nn.functional.glu(y, dim=-1) if self.gated else y

    def turned(self, x: Float[Tensor, "B H L"]) -> Float[Tensor, "B L H"]:
        """The same of a sequence laid out as convolutions are, which is turned once, after the gate has halved it."""
        B = x.shape[0]
        W, b = self.linear.weight, self.linear.bias
        y = torch.baddbmm(b.unsqueeze(-1).expand(B, -1, 1), W.expand(B, -1, -1), x)
        return swapped(nn.functional.glu(y, dim=1) if self.gated else y)
