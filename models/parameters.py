"""Parameters with rates of their own: how a kernel stores a tensor, trained or frozen, and says at which rate it learns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class ParamGroup:
    """Parameters of one module with their learning rate and weight decay; None means the network's."""

    names: tuple[str, ...]
    lr: float | None
    weight_decay: float | None


def at_least_single(dtype: torch.dtype) -> torch.dtype:
    """The precision that kernels are given out in: that of the parameters, float32 where those are of half precision."""
    return torch.promote_types(dtype, torch.float32)


def store(module: nn.Module, name: str, value: Tensor, train: bool) -> None:
    """Keep `value` on `module` in the default precision and on the default device, as the modules of torch keep theirs: as a parameter
    where it is trained, as a buffer where it is frozen."""
    value = value.detach().to(device=torch.get_default_device(), dtype=torch.get_default_dtype()).clone()
    if train:
        module.register_parameter(name, nn.Parameter(value))
    else:
        module.register_buffer(name, value)


class OwnRates(nn.Module):
    """A module that names each of its trained parameters exactly once with its rate and decay, so that the optimizer need not know it.

    Subclasses store their tensors with `add`, or with `store` and `own`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[ParamGroup] = []

    def add(self, name: str, value: Tensor, *, train: bool = True, lr: float | None = None, decay: bool = False) -> None:
        """Store a tensor; where it is trained, open its parameter group at rate `lr` (None: the network's)."""
        store(self, name, value, train)
        if train:
            self.own(name, lr=lr, decay=decay)

    def own(self, *names: str, lr: float | None, decay: bool = False) -> None:
        """Open a parameter group for stored parameters. `decay` True leaves them to the network's weight decay."""
        self.groups.append(ParamGroup(names, lr, None if decay else 0.0))

    def param_groups(self) -> list[ParamGroup]:
        """The module's own trained parameters with rate and decay. Raises ValueError unless each is named exactly once."""
        trained = [name for name, _ in self.named_parameters()]
        named = [name for group in self.groups for name in group.names]
        if sorted(trained) != sorted(named):
            raise ValueError(f"{type(self).__name__} has parameters {sorted(trained)} but its groups name {sorted(named)}")
        return list(self.groups)


def complex_normal(*shape: int, std: float = 1.0) -> Float[Tensor, "*shape 2"]:
    """Circular complex normal numbers as real pairs, E|c|^2 = std^2 (so std / sqrt2 in each part)."""
    return torch.randn(*shape, 2) * (std / math.sqrt(2.0))


def as_complex(pair: Float[Tensor, "*shape 2"]) -> Tensor:
    """The complex128 tensor of a stored real pair."""
    return torch.view_as_complex(pair.double().contiguous())
