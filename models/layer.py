"""SSMLayer: kernel -> convolution -> skip -> GELU -> dropout -> mixing; and the same layer one step at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Inexact
from torch import Tensor, nn

from models.functional import causal_conv, circular_conv
from models.kernel import Kernel, NoRecurrence, Recurrence

Mixing = Literal["glu", "linear"]


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


@dataclass(frozen=True)
class LayerState:
    """What a layer carries from step to step: the discretized system and its state x (B, H, N)."""

    recurrence: Recurrence
    x: Inexact[Tensor, "B H N"]


class SSMLayer(nn.Module):
    """y = Mix(Dropout(GELU(K * u + D u))), the layer of S4, S4D, DSS and HOPE alike. (B, L, H) -> (B, L, H)."""

    def __init__(self, kernel: Kernel, *, mixing: Mixing, dropout: float, tied: bool) -> None:
        super().__init__()
        self.kernel = kernel
        self.D = nn.Parameter(torch.randn(kernel.d_model))
        self.dropout = Dropout(dropout, tied)
        self.mix = Mix(kernel.d_model, mixing)

    @property
    def causal(self) -> bool:
        """Whether y_t depends on u_0 .. u_t only."""
        return self.kernel.directions == 1 and not self.kernel.circular

    def forward(self, u: Float[Tensor, "B L H"], mask: Float[Tensor, "B L 1"] | None = None, rate: float = 1.0) -> Float[Tensor, "B L H"]:
        """`mask` is 1 on valid steps, 0 on the padding after them. Kernel and FFT run in float32 at least, also under autocast."""
        if mask is not None:
            if self.kernel.circular or not self.kernel.prefix:
                raise ValueError(
                    f"{type(self.kernel).__name__} depends on the length it is applied to, so a padded batch would differ from each "
                    "sequence alone; use a causal HOPE filter, or DSSSpec(length=...) for the softmax kernel"
                )
            u = u * mask
        x = u.transpose(1, 2)
        with torch.autocast(device_type=u.device.type, enabled=False):
            x = x.to(torch.promote_types(x.dtype, torch.float32)).contiguous()
            K = self.kernel(x.shape[-1], rate)
            conv = circular_conv if self.kernel.circular else causal_conv
            y = conv(x, K) + self.D.unsqueeze(-1) * x
        y = nn.functional.gelu(y).transpose(1, 2)
        return self.mix(self.dropout(y))

    def init_state(self, batch: int, length: int, rate: float = 1.0) -> LayerState:
        """The zero state. `length` matters only to kernels normalized over their length. Raises NoRecurrence."""
        if self.kernel.directions == 2:
            raise NoRecurrence("a bidirectional layer needs the whole sequence and cannot be stepped; use bidirectional=False")
        if not self.kernel.prefix:
            raise NoRecurrence("a DSS-softmax kernel is normalized over its length; fix it with DSSSpec(length=...) to step through it")
        system = self.kernel.recurrence(length, rate)
        H, N = system.B.shape
        return LayerState(system, torch.zeros(batch, H, N, dtype=system.A.dtype, device=system.A.device))

    def step(self, u: Float[Tensor, "B H"], state: LayerState) -> tuple[Float[Tensor, "B H"], LayerState]:
        """One step in evaluation mode: equals `forward` at that position."""
        x, y = state.recurrence.step(state.x, u.to(state.recurrence.D.dtype))
        y = nn.functional.gelu(y.to(u.dtype) + self.D * u)
        return self.mix(y), LayerState(state.recurrence, x)
