"""What every parameterization is: a frozen `KernelSpec` with only the options that act on it, and a `Kernel` with two faces.

`forward(L)` gives the convolution kernel fast; `recurrence(L)` gives the plain quadruple (A, B, C, D) of the same system. That the two
agree is the central test of the project.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import torch
from jaxtyping import Float, Inexact
from torch import Tensor, nn

from models import functional
from models.links import DT_LINKS
from models.mixer import MixerSpec, rate
from models.names import choose


class NoRecurrence(ValueError):
    """This kernel (or network) cannot be run step by step; the message says why."""


@dataclass(frozen=True)
class Recurrence:
    """x_{k+1} = A x_k + B u_k,  y_k = Re(C x_k) + D u_k, one system per channel; hence K_0 = D and K_l = Re(C A^{l-1} B).

    A is (H, N, N), or (H, N) where it is diagonal; B, C are (H, N); D is (H,). The factor 2 of a stored conjugate pair sits in C and D.
    This D is the first tap of the kernel, not the skip connection of the layer.
    """

    A: Inexact[Tensor, "H N"] | Inexact[Tensor, "H N N"]
    B: Inexact[Tensor, "H N"]
    C: Inexact[Tensor, "H N"]
    D: Float[Tensor, " H"]

    @property
    def diagonal(self) -> bool:
        """Whether A is stored as its diagonal."""
        return self.A.ndim == 2

    def step(self, x: Inexact[Tensor, "B H N"], u: Float[Tensor, "B H"]) -> tuple[Inexact[Tensor, "B H N"], Float[Tensor, "B H"]]:
        """One step of the state and the output at that step. O(N) per channel where A is diagonal, else O(N^2)."""
        y = torch.einsum("hn,bhn->bh", self.C, x).real + self.D * u
        Ax = self.A * x if self.diagonal else torch.einsum("hmn,bhn->bhm", self.A, x)
        return Ax + self.B * u.unsqueeze(-1), y

    def kernel(self, L: int) -> Float[Tensor, "H {L}"]:
        """K by plain stepping: the slow oracle of every `Kernel.forward`."""
        A = self.A if not self.diagonal else torch.diag_embed(self.A)
        later = functional.krylov_direct(A, self.B, self.C.unsqueeze(0), L - 1)[0] if L > 1 else self.D.new_zeros(self.D.shape[0], 0)
        return torch.cat([self.D.unsqueeze(-1), later], dim=-1)

    def real(self) -> Recurrence:
        """The same system with dense real matrices: a complex state becomes (Re x, Im x)."""
        A = torch.diag_embed(self.A) if self.diagonal else self.A
        if not A.is_complex():
            return Recurrence(A, self.B, self.C, self.D)
        return Recurrence(functional.real_matrix(A), functional.real_vector(self.B), functional.real_vector(self.C.conj()), self.D)

    def eigenvalues(self) -> Inexact[Tensor, "H N"]:
        """The discrete eigenvalues, one member of each stored pair where A is diagonal, all of them where it is dense."""
        return self.A if self.diagonal else torch.linalg.eigvals(self.A.double())

    def hankel_singular_values(self) -> Float[Tensor, "H R"]:
        """Relative Hankel singular values of the real form, falling, float64."""
        real = self.real()
        return functional.hankel_singular_values(real.A, real.B, real.C)


@dataclass(frozen=True)
class ParamGroup:
    """Parameters of a kernel with their learning rate and weight decay; None means the network's."""

    names: tuple[str, ...]
    lr: float | None
    weight_decay: float | None


@dataclass(frozen=True, kw_only=True)
class KernelSpec(MixerSpec):
    """A parameterization that is a convolution kernel, with its options."""

    d_state: int = 64
    """Real state dimensions per channel: a complex mode with implied conjugate counts 2, a real mode 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.d_state < 1:
            raise ValueError(f"d_state counts real state dimensions and is at least 1, got {self.d_state}")

    @abstractmethod
    def build(self, d_model: int, directions: int = 1) -> Kernel:
        """The trainable kernel of `d_model` channels; `directions` = 2 adds a C for the reversed direction."""

    @property
    def two_way(self) -> bool:
        return True

    def with_states(self, d_state: int) -> Self:
        return replace(self, d_state=d_state)


@dataclass(frozen=True, kw_only=True)
class StepSpec(KernelSpec):
    """What the parameterizations of a continuous system share: a step size dt per channel, log-uniform in [dt_min, dt_max]."""

    dt_convention: ClassVar[float] = 1.0
    """This dt over S4's dt for the same time scale."""

    dt_min: float = 1e-3
    """Smallest initial step; 1 / dt is the time scale in samples."""
    dt_max: float = 1e-1
    dt_link: str = "exp"
    """dt = exp(theta) or softplus(theta)."""
    train_dt: bool = True
    lr_dt: float | None = rate("dt", 1e-3)
    """Learning rate of dt; None is the network's. Never decayed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        choose("link of dt", self.dt_link, DT_LINKS)
        if not 0 < self.dt_min <= self.dt_max:
            raise ValueError(f"step sizes need 0 < dt_min <= dt_max, got {self.dt_min:g} and {self.dt_max:g}")

    def with_time_scale(self, dt_min: float, dt_max: float) -> Self:
        return replace(self, dt_min=dt_min * self.dt_convention, dt_max=dt_max * self.dt_convention)


def even(d_state: int) -> int:
    """The number of complex modes of `d_state` real dimensions. Raises ValueError where d_state is odd."""
    if d_state % 2:
        raise ValueError(f"a complex mode with its conjugate takes two real state dimensions, so d_state must be even; got {d_state}")
    return d_state // 2


def copies(n_ssm: int | None) -> None:
    """Raises ValueError unless n_ssm counts copies or is None."""
    if n_ssm is not None and n_ssm < 1:
        raise ValueError(f"n_ssm counts the copies of A and is at least 1, or None for one per channel; got {n_ssm}")


def store(module: nn.Module, name: str, value: Tensor, train: bool) -> None:
    """Keep `value` on `module` in the default precision: as a parameter where it is trained, as a buffer where it is frozen."""
    value = value.detach().to(torch.get_default_dtype()).clone()
    if train:
        module.register_parameter(name, nn.Parameter(value))
    else:
        module.register_buffer(name, value)


def complex_normal(*shape: int, std: float = 1.0) -> Float[Tensor, "*shape 2"]:
    """Circular complex normal numbers as real pairs, E|c|^2 = std^2 (so std / sqrt2 in each part)."""
    return torch.randn(*shape, 2) * (std / math.sqrt(2.0))


def as_complex(pair: Float[Tensor, "*shape 2"]) -> Tensor:
    """The complex128 tensor of a stored real pair."""
    return torch.view_as_complex(pair.double().contiguous())


class Kernel(nn.Module, ABC):
    """Maps parameters to a convolution kernel.

    Subclasses register their own parameters with `store` and name each of them exactly once in `groups`.
    """

    circular: ClassVar[bool] = False
    """The kernel is meant for circular convolution of its own length (HOPE's Algorithm 1); such a kernel is not causal."""
    has_recurrence: ClassVar[bool] = True
    theta_dt: Tensor
    dt_link: Callable[[Tensor], Tensor]

    prefix: bool = True
    """A longer kernel begins with the shorter one; False for kernels normalized over their length."""

    def __init__(self, d_model: int, directions: int) -> None:
        super().__init__()
        if d_model < 1 or directions not in (1, 2):
            raise ValueError(f"a kernel has d_model >= 1 channels and 1 or 2 directions, got {d_model} and {directions}")
        self.d_model, self.directions = d_model, directions
        self.groups: list[ParamGroup] = []

    @abstractmethod
    def forward(self, L: int, rate: float = 1.0) -> Float[Tensor, "J H {L}"]:
        """K (J, H, L), direction 0 causal, 1 for the reversed sequence. `rate` multiplies dt: 2 reads a sequence at half the rate."""

    @abstractmethod
    def recurrence(self, L: int, rate: float = 1.0) -> Recurrence:
        """The plain system of direction 0. L matters only to kernels normalized over their length. Raises NoRecurrence."""

    def param_groups(self) -> list[ParamGroup]:
        """The kernel's own trained parameters with rate and decay. Raises ValueError unless each is named exactly once."""
        own = [name for name, _ in self.named_parameters()]
        named = [name for group in self.groups for name in group.names]
        if sorted(own) != sorted(named):
            raise ValueError(f"{type(self).__name__} has parameters {sorted(own)} but its groups name {sorted(named)}")
        return list(self.groups)

    def add(self, name: str, value: Tensor, *, train: bool = True, lr: float | None = None, decay: bool = False) -> None:
        """Store a tensor; where it is trained at a rate of its own or without decay, open its parameter group."""
        store(self, name, value, train)
        if train:
            self.own(name, lr=lr, decay=decay)

    def own(self, *names: str, lr: float | None, decay: bool = False) -> None:
        """Open a parameter group for stored parameters. `decay` True leaves them to the network's weight decay."""
        self.groups.append(ParamGroup(names, lr, None if decay else 0.0))

    def add_dt(self, spec: StepSpec, *shape: int) -> None:
        """Store theta_dt of the given shape, dt log-uniform in [dt_min, dt_max]."""
        low, high = math.log(spec.dt_min), math.log(spec.dt_max)
        dt = torch.exp(torch.rand(*shape, dtype=torch.float64) * (high - low) + low)
        link = DT_LINKS[spec.dt_link]
        self.dt_link = link.f
        self.add("theta_dt", link.inverse(dt), train=spec.train_dt, lr=spec.lr_dt)

    @property
    def has_rate(self) -> bool:
        """Whether there are step sizes, so that `rate` may differ from 1."""
        return hasattr(self, "theta_dt")

    def dt(self, rate: float) -> Tensor:
        """The step sizes times `rate`, in double precision, of the shape they were stored in."""
        return self.dt_link(self.theta_dt.double()) * rate
