"""Initial state matrices: HiPPO operators, their normal-plus-low-rank forms, and the diagonal spectra of S4D.

Every diagonal init is a list of modes lambda_n with one member of each conjugate pair stored, Im lambda >= 0 (the paper's sign), so a real
state size N gives N / 2 modes. All formulas take the full N. Arithmetic is float64 numpy, done once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .names import choose

Real = NDArray[np.float64]
Modes = NDArray[np.complex128]

# ------------------------------------------------------------------------------------------------- HiPPO operators


def legs(N: int) -> tuple[Real, Real]:
    """HiPPO-LegS: A_nk = -sqrt((2n+1)(2k+1)) for n > k, -(n+1) for n = k, 0 above; B_n = sqrt(2n+1) (2111.00396, eq. 2)."""
    root: Real = np.sqrt(2 * np.arange(N) + 1.0)
    return -np.tril(np.outer(root, root), -1) - np.diag(np.arange(N) + 1.0), root


def legs_low_rank(N: int) -> Real:
    """P_n = sqrt(n + 1/2): A + P P^T is normal, -1/2 I plus a skew-symmetric matrix (2111.00396, theorem 1)."""
    return np.sqrt(np.arange(N) + 0.5)


def fout(N: int) -> tuple[Real, Real]:
    """HiPPO-FouT: A = S - B B^T with S block-skew of frequencies pi k on the pairs (2k, 2k+1), B = (1, 0, sqrt2, 0, ...) (2206.12037)."""
    S = np.zeros((N, N))
    k = np.arange(N // 2)
    S[2 * k + 1, 2 * k], S[2 * k, 2 * k + 1] = np.pi * k, -np.pi * k
    B = np.zeros(N)
    B[0::2] = np.sqrt(2.0)
    B[0] = 1.0
    return S - np.outer(B, B), B


# ------------------------------------------------------------------------------------------------- diagonal and DPLR forms


@cache
def legs_modes(N: int) -> tuple[Modes, Real, Real]:
    """(Lambda, P, B) of LegS with A = V (Lambda - P P*) V*, N/2 modes, largest frequency first.

    Only the normal part A + P P^T is diagonalized, as a Hermitian problem: A itself has eigenvectors of condition 1e19 at N = 32.
    The free phase of each eigenvector is chosen so that V* B is real and positive, which makes the result independent of LAPACK and
    needs no clipping.
    """
    A, B = legs(N)
    P = legs_low_rank(N)
    frequency, V = np.linalg.eigh(-1j * (A + np.outer(P, P) + 0.5 * np.eye(N)))
    b = np.abs(V.conj().T @ B)[::-1][: N // 2]  # eigh sorts upwards: the upper half, reversed
    out = -0.5 + 1j * frequency[::-1][: N // 2], b / np.sqrt(2.0), b
    for array in out:  # kept for every channel that asks again
        array.setflags(write=False)
    return out


def fout_modes(N: int) -> tuple[Modes, Real, Real]:
    """(Lambda, P, B) of FouT: lambda_k = i pi k, P_k = B_k = 1, but 1/sqrt2 at k = 0, where the pair has frequency zero.

    Re lambda is exactly 0; a link that cannot hold 0 stores its floor instead (see links.FLOOR).
    """
    k = np.arange(N // 2)
    p: Real = np.where(k == 0, np.sqrt(0.5), 1.0)
    return (1j * np.pi * k).astype(np.complex128), p, p


@dataclass(frozen=True, kw_only=True)
class Init:
    """One initial spectrum: of `frequency`, `modes`, `random` and `parts` exactly one is given."""

    name: str
    title: str
    """The name that its paper gives it."""
    source: str
    """Where it is defined."""
    frequency: Callable[[Real, int], Real] | None = None
    """Im lambda as a formula of the (possibly non-integer) index n and of N, where there is one."""
    decay: Callable[[Real], Real] = lambda n: np.full_like(n, 0.5)
    """-Re lambda of index n."""
    modes: Callable[[int], tuple[Modes, Real, Real]] | None = None
    """(Lambda, P, B) where the spectrum comes from a matrix."""
    random: Callable[[Real, np.random.Generator], Real] | None = None
    """Im lambda drawn at random, one number per index n."""
    parts: tuple[str, ...] = ()
    """Other inits, each of which an equal share of the copies starts from."""
    real_only: bool = False
    low_rank: bool = False
    """P makes Lambda - P P* the HiPPO matrix itself, so that S4 can use it."""
    diagonal: bool = True
    """Lambda alone is an init too, so that S4D can use it."""

    def __post_init__(self) -> None:
        if sum(bool(given) for given in (self.frequency, self.modes, self.random, self.parts)) != 1:
            raise ValueError(f"init {self.name!r} is given by exactly one of frequency, modes, random and parts")


INITS: dict[str, Init] = {
    i.name: i
    for i in (
        Init(name="legs", title="S4D-LegS", source="2206.11893 sec. 4.2; 2111.00396 thm 1", modes=legs_modes, low_rank=True),
        Init(name="inv", title="S4D-Inv", source="2206.11893 eq. 9", frequency=lambda n, N: N / np.pi * (N / (2 * n + 1) - 1)),
        Init(name="lin", title="S4D-Lin", source="2206.11893 eq. 10", frequency=lambda n, N: np.pi * n),
        Init(name="inv2", title="S4D-Inv2", source="2206.11893 sec. 5.2", frequency=lambda n, N: N / np.pi * (N / (n + 1) - 1)),
        Init(name="quad", title="S4D-Quad", source="2206.11893 sec. 5.2", frequency=lambda n, N: (1 + 2 * n) ** 2 / np.pi),
        Init(
            name="real", title="S4D-Real", source="2206.11893 sec. 4.4", frequency=lambda n, N: 0 * n, decay=lambda n: n + 1, real_only=True
        ),
        Init(
            name="log",
            title="S4D real, log-spaced",
            source="this suite: time scales from that of the other inits to fifty times as long",
            frequency=lambda n, N: 0 * n,
            decay=lambda n: 0.5 * 50.0 ** (-n / max(1, len(n) - 1)),
            real_only=True,
        ),
        Init(
            name="rand",
            title="S4D-Rand",
            source="2206.11893 sec. 5.2; law of state-spaces/s4 v4",
            random=lambda n, rng: np.exp(rng.standard_normal(n.shape)),
        ),
        Init(name="fout", title="FouT", source="2206.12037", modes=fout_modes, low_rank=True, diagonal=False),
        Init(
            name="legs-fout",
            title="S4-(LegS/FouT)",
            source="2206.12037; 2206.11893 sec. 5.3",
            parts=("legs", "fout"),
            low_rank=True,
            diagonal=False,
        ),
    )
}


def require_shares(init: Init, copies: int | None) -> None:
    """Raises ValueError where an init of several parts cannot give each an equal share of so many copies; None is one per channel."""
    if init.parts and copies is not None and copies % len(init.parts):
        raise ValueError(
            f"init {init.name!r} starts equal shares of the copies from {' and '.join(init.parts)}, so n_ssm is a multiple of "
            f"{len(init.parts)}, or None for one copy per channel; got {copies}"
        )


def low_rank_copies(name: str, N: int, copies: int) -> tuple[Modes, Real, Real]:
    """(Lambda, P, B), each (copies, N/2), of the init `name`; where it has parts, the first share of the copies is of the first of them."""
    init = INITS[name]
    require_shares(init, copies)
    share = copies // max(1, len(init.parts))
    starts = [INITS[part].modes for part in init.parts or (name,) for _ in range(share)]
    Lambda, P, B = zip(*(modes(N) for modes in starts if modes is not None), strict=True)
    return np.stack(Lambda), np.stack(P), np.stack(B)


def names_of(keep: Callable[[Init], bool]) -> str:
    """The names of the inits that `keep` holds for, for an error message."""
    return ", ".join(init.name for init in INITS.values() if keep(init))


B_INITS: dict[str, Callable[[Real, np.random.Generator], Real]] = {
    "init": lambda B, rng: B,
    "ones": lambda B, rng: np.ones_like(B),
    "alternating": lambda B, rng: np.where(np.arange(len(B)) % 2 == 0, 1.0, -1.0),
    "normal": lambda B, rng: rng.standard_normal(B.shape),
}
"""Initial B from the B that belongs to the init: that B itself (ones, or V* B for LegS), ones, (-1)^n, or N(0, 1). The phase of B is free,
since K depends on B C only."""


def spectrum(
    name: str,
    N: int,
    rng: np.random.Generator,
    *,
    imag_scale: float = 1.0,
    random_imag: bool = False,
    random_real: bool = False,
) -> tuple[Modes, Real]:
    """(Lambda, B) of the init `name`: N/2 modes, with the perturbations of the S4D paper's study of inits (2206.11893 sec. 5.2).

    `random_imag` puts u ~ U[0, N/2) for the index n in the formula of the imaginary part; `random_real` draws -Re lambda ~ U[0, 1);
    `imag_scale` multiplies the imaginary part. Raises ValueError where the init has no such formula.
    """
    init = choose("init", name, INITS)
    n = np.arange(N // 2, dtype=np.float64)
    if random_imag and init.frequency is None:
        usable = names_of(lambda i: i.frequency is not None and not i.real_only)
        raise ValueError(f"random_imag draws the index of a formula; {init.title} ({init.source}) has none. Use one of: {usable}")
    B = np.ones(N // 2)
    if init.modes is not None:
        Lambda, _, B = init.modes(N)
        decay, frequency = -Lambda.real, Lambda.imag
    elif init.frequency is not None:
        index = rng.uniform(0, N / 2, size=n.shape) if random_imag else n
        decay, frequency = init.decay(n), init.frequency(index, N)
    elif init.random is not None:
        decay, frequency = init.decay(n), init.random(n, rng)
    else:
        raise ValueError(f"{init.title} has no spectrum of its own: it is made of {' and '.join(init.parts)}")
    if random_real:
        decay = rng.uniform(0, 1, size=n.shape)
    return -decay + 1j * imag_scale * frequency, B


def real_spectrum(name: str, N: int, rng: np.random.Generator) -> tuple[Real, Real]:
    """(lambda, B) of the real counterpart: N real modes lambda_n = -|lambda_n| over the init's list of N modes (that of real size 2N).

    A real mode takes one real dimension and a complex mode two, so N real modes stand against N/2 complex ones.
    """
    Lambda, B = spectrum(name, 2 * N, rng)
    return -np.abs(Lambda), B
