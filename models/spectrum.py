"""Lambda as a trainable module: the spectrum that S4, S4D and DSS share."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Inexact
from torch import Tensor, nn

from models.links import FLOOR, LINKS
from models.names import choose
from models.parameters import store


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
        target = torch.from_numpy(-np.real(Lambda)).double()
        if link != "none":
            target = target.clamp(min=FLOOR)
        if float(target.max()) >= self.link.upper:
            raise ValueError(
                f"the link {link!r} keeps -Re(lambda) below {self.link.upper:g} and cannot hold this init, whose largest is "
                f"{float(target.max()):g}; use A_link='exp', 'relu', 'softplus' or 'none', or another init"
            )
        n_ssm = Lambda.shape[0]
        if d_model % n_ssm:
            raise ValueError(f"n_ssm copies of A are shared round-robin, so n_ssm must divide d_model; got {n_ssm} and {d_model}")
        self.copies = d_model // n_ssm
        store(self, "re", self.link.inverse(target), train)
        if np.iscomplexobj(Lambda):
            store(self, "im", torch.from_numpy(np.imag(Lambda).copy()), train)
        else:
            self.register_parameter("im", None)

    def forward(self) -> Inexact[Tensor, "H M"]:
        real = -self.link.f(self.re.double())
        Lambda = real if self.im is None else torch.complex(real, self.im.double())
        return Lambda.repeat(self.copies, 1)  # channel h uses copy h mod n_ssm
