"""Layers that convolve: the `Kernel` that a `KernelSpec` builds, and the `SSMLayer` around that.

A kernel has two faces: `forward(L)` gives the convolution kernel fast, `recurrence(L)` the plain quadruple (A, B, C, D) of the same system.
That the two agree is the central test of the project.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Inexact
from torch import Tensor, nn

from .choices.links import DT_LINKS, Link
from .chunked import chunked
from .convolution import causal_conv, circular_conv
from .engines import Form, Work
from .layer import Dropout, Layer, Mix, NoRecurrence, kernel_arrays, require_rate, require_sequence, swapped
from .parameters import OwnRates, at_least_single
from .recurrence import Recurrence
from .specs.kernel import StepSpec
from .specs.mixer import PLAIN, Around


class Kernel(OwnRates, ABC):
    """Maps parameters to a convolution kernel."""

    circular: ClassVar[bool] = False
    """The kernel is meant for circular convolution of its own length (HOPE's Algorithm 1); such a kernel is not causal."""
    has_recurrence: ClassVar[bool] = True
    dense: ClassVar[bool] = False
    """Whether A of the recurrence is a matrix per channel rather than its diagonal."""
    decays: ClassVar[bool] = True
    """No power of A grows, so that a recurrence may run in the precision of the input."""
    theta_dt: Tensor
    dt_link: Link

    prefix: bool = True
    """A longer kernel begins with the shorter one; False for kernels normalized over their length."""

    def __init__(self, d_model: int, directions: int) -> None:
        super().__init__()
        if d_model < 1 or directions not in (1, 2):
            raise ValueError(f"a kernel has d_model >= 1 channels and 1 or 2 directions, got {d_model} and {directions}")
        self.d_model, self.directions = d_model, directions

    @abstractmethod
    def forward(self, L: int, rate: float = 1.0) -> Float[Tensor, "J H {L}"]:
        """K (J, H, L), direction 0 causal, 1 for the reversed sequence. `rate` multiplies dt: 2 reads a sequence at half the rate."""

    @abstractmethod
    def recurrence(self, L: int, rate: float = 1.0) -> Recurrence:
        """The plain system of direction 0. L matters only to kernels normalized over their length. Raises NoRecurrence."""

    def add_dt(self, spec: StepSpec, *shape: int) -> None:
        """Store theta_dt of the given shape, dt log-uniform in [dt_min, dt_max]."""
        low, high = math.log(spec.dt_min), math.log(spec.dt_max)
        dt = torch.exp(torch.rand(*shape, dtype=torch.float64) * (high - low) + low)
        self.dt_link = DT_LINKS[spec.dt_link]
        self.add("theta_dt", self.dt_link.inverse(dt), train=spec.train_dt, lr=spec.lr_dt)

    @property
    def has_rate(self) -> bool:
        """Whether there are step sizes, so that `rate` may differ from 1."""
        return hasattr(self, "theta_dt")

    def dt(self, rate: float) -> Tensor:
        """The step sizes times `rate`, in double precision, of the shape they were stored in. Raises ValueError for an impossible rate."""
        require_rate(rate)
        return self.dt_link.f(self.theta_dt.double()) * rate


@dataclass(frozen=True)
class ConvolutionState:
    """What an `SSMLayer` carries from step to step and from piece to piece: the discretized system and its state x (B, H, N)."""

    recurrence: Recurrence
    x: Inexact[Tensor, "B H N"]
    length: int
    """The length that a kernel normalized over its length is for."""
    rate: float

    def detach(self) -> ConvolutionState:
        """The same state, from which no gradient flows back: where truncated training cuts a sequence."""
        return replace(self, recurrence=self.recurrence.detach(), x=self.x.detach())


class SSMLayer(Layer):
    """y = Mix(Dropout(GELU(K * u + D u))), the layer of S4, S4D, DSS and HOPE alike. (B, L, H) -> (B, L, H)."""

    def __init__(self, kernel: Kernel, d_state: int, around: Around = PLAIN) -> None:
        super().__init__()
        self.kernel, self.d_state = kernel, d_state
        self.D = nn.Parameter(torch.randn(kernel.d_model))
        self.dropout = Dropout(around.dropout, around.tied)
        self.mix = Mix(kernel.d_model, around.mixing)

    @property
    def causal(self) -> bool:
        return self.kernel.directions == 1 and not self.kernel.circular

    @property
    def has_rate(self) -> bool:
        return self.kernel.has_rate

    @property
    def system(self) -> Kernel:
        return self.kernel

    @property
    def engines(self) -> tuple[str, ...]:
        kernel = self.kernel
        return ("fft", "chunked") if self.causal and kernel.has_recurrence and kernel.prefix and kernel.decays else ("fft",)

    def forward(self, u: Float[Tensor, "B L H"], mask: Float[Tensor, "B L 1"] | None = None, rate: float = 1.0) -> Float[Tensor, "B L H"]:
        """Kernel and convolution run in float32 at least, also under autocast and with weights of half precision."""
        require_sequence(u)
        if mask is not None:
            if self.kernel.circular or not self.kernel.prefix:
                raise ValueError(
                    f"{type(self.kernel).__name__} depends on the length it is applied to, so a padded batch would differ from each "
                    "sequence alone; use a causal HOPE filter, or DSSSpec(length=...) for the softmax kernel"
                )
            u = u * mask
        B, L, H = u.shape
        form: Form = "dense" if self.kernel.dense else "diagonal"
        engine = self.pick_engine(Work(device=u.device.type, form=form, B=B, H=H, N=self.d_state, L=L))
        with torch.autocast(device_type=u.device.type, enabled=False):
            x = swapped(u.to(at_least_single(u.dtype)))
            y = self._apply_chunked(x, rate) if engine == "chunked" else self._apply_fft(x, rate)
        return self._after(y)

    def _apply_fft(self, x: Float[Tensor, "B H L"], rate: float) -> Float[Tensor, "B H L"]:
        conv = circular_conv if self.kernel.circular else causal_conv
        return conv(x, self.kernel(x.shape[-1], rate), self.D.to(x.dtype))

    def _apply_chunked(self, x: Float[Tensor, "B H L"], rate: float) -> Float[Tensor, "B H L"]:
        return chunked(self.kernel.recurrence(x.shape[-1], rate).with_skip(self.D), x)[0]

    def _after(self, y: Float[Tensor, "B H L"]) -> Float[Tensor, "B L H"]:
        y = self.dropout(nn.functional.gelu(y).to(self.D.dtype).transpose(1, 2))
        return self.mix.turned(y.transpose(1, 2))

    def init_state(self, batch: int, length: int, rate: float = 1.0) -> ConvolutionState:
        if self.kernel.directions == 2:
            raise NoRecurrence("a bidirectional layer needs the whole sequence and cannot be stepped; use bidirectional=False")
        if not self.kernel.prefix:
            raise NoRecurrence("a DSS-softmax kernel is normalized over its length; fix it with DSSSpec(length=...) to step through it")
        system = self.kernel.recurrence(length, rate)
        H, N = system.B.shape
        return ConvolutionState(system, torch.zeros(batch, H, N, dtype=system.A.dtype, device=system.A.device), length, rate)

    def stream(self, u: Float[Tensor, "B L H"], state: ConvolutionState) -> tuple[Float[Tensor, "B L H"], ConvolutionState]:
        require_sequence(u)
        system = self.kernel.recurrence(state.length, state.rate)  # the parameters may have been trained since the piece before
        with torch.autocast(device_type=u.device.type, enabled=False):
            x = swapped(u.to(at_least_single(u.dtype) if self.kernel.decays else torch.float64))
            y, after = chunked(system.with_skip(self.D), x, state.x)
        return self._after(y.to(at_least_single(u.dtype))), replace(state, recurrence=system, x=after)

    def step(self, u: Float[Tensor, "B H"], state: ConvolutionState) -> tuple[Float[Tensor, "B H"], ConvolutionState]:
        x, y = state.recurrence.step(state.x, u.to(state.recurrence.D.dtype))
        y = nn.functional.gelu(y.to(u.dtype) + self.D * u)
        return self.mix(y), replace(state, x=x)

    def state_space(self, length: int) -> dict[str, Tensor]:
        system = self.kernel.recurrence(length)
        return {"A": system.A, "B": system.B, "C": system.C, "D": system.D + self.D.to(system.D.dtype)}

    def arrays(self, length: int) -> dict[str, np.ndarray]:
        out = kernel_arrays(self.kernel(length))
        try:
            return out | self.kernel.recurrence(length).arrays()
        except NoRecurrence:  # never has one, or training moved a DSS-softmax mode out of its reach; no reason to lose the run
            return out
