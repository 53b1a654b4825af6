"""Three rows for scale, in the same block as every state space layer: a free convolution kernel, an LSTM and a Transformer."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .hope import h_std
from .kernel import Kernel
from .layer import Layer
from .parameters import at_least_single
from .recurrence import Recurrence
from .specs.baselines import FIRSpec


class FIRKernel(Kernel):
    """K itself is the parameter, with the variance of HOPE's h; zero beyond its last tap."""

    dense = True
    K: Tensor

    def __init__(self, spec: FIRSpec, d_model: int, directions: int) -> None:
        super().__init__(d_model, directions)
        self.add("K", torch.randn(directions, d_model, spec.d_state) * h_std(spec.d_state), lr=spec.lr_K)

    def forward(self, L: int, rate: float = 1.0) -> Float[Tensor, "J H {L}"]:
        """The taps, cut or padded with zeros to L. Taps count samples, so `rate` must be 1."""
        if rate != 1.0:
            raise ValueError("a free kernel has no step size, so it cannot change its sampling rate; rate must be 1")
        K = self.K.to(at_least_single(self.K.dtype))
        n = K.shape[-1]
        return K[..., :L] if n >= L else torch.cat([K, K.new_zeros(*K.shape[:-1], L - n)], dim=-1)

    def recurrence(self, L: int, rate: float = 1.0) -> Recurrence:
        """A shift register of the last d_state - 1 inputs."""
        n = max(self.K.shape[-1] - 1, 1)
        K = self.forward(n + 1, rate)[0].double()
        A = torch.diag(torch.ones(n - 1, dtype=K.dtype, device=K.device), -1).expand(self.d_model, n, n)
        B = torch.zeros_like(K[:, :n])
        B[:, 0] = 1
        return Recurrence(A, B, K[:, 1:], K[:, 0])


class LSTMLayer(Layer):
    """torch's LSTM followed by a linear map."""

    causal = True

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(d_model, d_model, batch_first=True)
        self.out = nn.Linear(d_model, d_model)

    def forward(self, u: Float[Tensor, "B L H"], mask: Float[Tensor, "B L 1"] | None = None, rate: float = 1.0) -> Float[Tensor, "B L H"]:
        """Padding follows the sequence, so a causal layer needs no mask."""
        self.require_rate_one(rate)
        return self.out(self.lstm(u)[0])


def rotate(x: Float[Tensor, "B heads L width"]) -> Float[Tensor, "B heads L width"]:
    """Rotary position embedding: pair (x_i, x_{i + w/2}) turned by t 10000^{-2i/w} at position t (2104.09864, eq. 34)."""
    L, half = x.shape[-2], x.shape[-1] // 2
    frequency = 10000.0 ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angle = torch.arange(L, device=x.device, dtype=torch.float32).unsqueeze(1) * frequency
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


class AttentionLayer(Layer):
    """The update of a Transformer layer: attention, then a feed-forward part on the sum; the block around it adds the residual."""

    causal = False

    def __init__(self, d_model: int, n_heads: int, expand: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)
        self.norm = nn.LayerNorm(d_model)
        self.ff = nn.Sequential(nn.Linear(d_model, expand * d_model), nn.GELU(), nn.Linear(expand * d_model, d_model))

    def forward(self, u: Float[Tensor, "B L H"], mask: Float[Tensor, "B L 1"] | None = None, rate: float = 1.0) -> Float[Tensor, "B L H"]:
        """Positions where mask = 0 are not attended to."""
        self.require_rate_one(rate)
        B, L, H = u.shape
        q, k, v = self.qkv(u).view(B, L, 3, self.n_heads, -1).permute(2, 0, 3, 1, 4)
        keep = None if mask is None else mask.view(B, 1, 1, L).bool()
        y = nn.functional.scaled_dot_product_attention(rotate(q), rotate(k), v, attn_mask=keep)
        y = self.out(y.transpose(1, 2).reshape(B, L, H))
        return y + self.ff(self.norm(u + y))
