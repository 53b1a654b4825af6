"""What the kernels with modes share: Lambda as a trainable module (S4, S4D, DSS), and the recurrence of a diagonal A_bar (S4D, DSS)."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Inexact
from torch import Tensor, nn

from .choices.links import LINKS, Link
from .choices.names import choose
from .parameters import store
from .recurrence import Recurrence


def seeded() -> np.random.Generator:
    """A numpy generator seeded from torch's on the CPU, so that one seed decides every init."""
    return np.random.default_rng(int(torch.randint(2**62, (), device="cpu").item()))


def held(Lambda: np.ndarray, link: Link) -> Inexact[Tensor, "n_ssm M"]:
    """Lambda as the link can hold it, -Re(lambda) at its floor or above; in double precision and on the CPU. Raises ValueError where it is
    too large for the link."""
    decay = torch.from_numpy(-np.real(Lambda)).double().clamp(min=link.lower)
    largest = float(decay.max())
    if largest >= link.upper:
        able = ", ".join(f"'{other.name}'" for other in LINKS.values() if largest < other.upper)
        raise ValueError(
            f"the link {link.name!r} keeps -Re(lambda) below {link.upper:g} and cannot hold this init, whose largest is {largest:g}; use "
            f"A_link={able}, or another init"
        )
    return torch.complex(-decay, torch.from_numpy(np.imag(Lambda).astype(np.float64))) if np.iscomplexobj(Lambda) else -decay


class Spectrum(nn.Module):
    """Lambda (n_ssm, M), stored as a link parameter of the real part and a plain imaginary part, shared round-robin over H channels.

    `forward()` gives Lambda (H, M) in double precision (real where `imag` is None): it is small, and the phases of its powers are not.
    """

    re: Tensor
    im: Tensor | None

    def __init__(self, Lambda: np.ndarray, link: str, d_model: int, train: bool) -> None:
        """Lambda (n_ssm, M), real or complex. Raises ValueError where the link cannot hold it, or n_ssm does not divide d_model."""
        super().__init__()
        self.link = choose("link of Re(A)", link, LINKS)
        start = held(Lambda, self.link)
        n_ssm = Lambda.shape[0]
        if d_model % n_ssm:
            raise ValueError(f"n_ssm copies of A are shared round-robin, so n_ssm must divide d_model; got {n_ssm} and {d_model}")
        self.copies = d_model // n_ssm
        store(self, "re", self.link.inverse(-start.real), train)
        if start.is_complex():
            store(self, "im", start.imag, train)
        else:
            self.register_parameter("im", None)

    def forward(self) -> Inexact[Tensor, "H M"]:
        real = -self.link.f(self.re.double())
        Lambda = real if self.im is None else torch.complex(real, self.im.double())
        return Lambda.repeat(self.copies, 1)  # channel h uses copy h mod n_ssm


def diagonal_recurrence(A_bar: Inexact[Tensor, "H M"], W: Inexact[Tensor, "J H M"]) -> Recurrence:
    """The system whose kernel is K_l = Re sum_n W_n A_bar_n^l, direction 0: B = 1 and C = W A_bar, so that K_0 = D = Re sum_n W_n."""
    return Recurrence(A_bar, torch.ones_like(A_bar), W[0] * A_bar, W[0].sum(-1).real)
