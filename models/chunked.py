"""The engine `chunked`: a sequence in pieces of T steps, each a matrix product, with the state handed on from one to the next.

For x_{k+1} = A x_k + B u_k, y_k = C x_k + D u_k and a piece u_0 .. u_{T-1} that begins in the state s:

    y_t = sum_{j<=t} K_j u_{t-j} + C A^t s        K_0 = D, K_j = C A^{j-1} B: a lower-triangular Toeplitz matrix, and what is left of s
    s'  = A^T s + sum_t A^{T-1-t} B u_t           the state at the end

All pieces at once are three batched real products, T (T + 2 N) multiplications a piece, and between them a recurrence over the pieces, the
only place where time runs. Cost and memory are linear in the length, no transform is taken and no kernel of the whole length exists; a
state comes in and goes out, so that a sequence may come in parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float, Inexact
from torch import Tensor

from .engines import in_parts
from .functional import complex_of, exact_product, interleaved, powers, rounds_factors
from .recurrence import Recurrence, sequential
from .warped import toeplitz

PIECE: Final = {"cpu": 32, "cuda": 128}
"""Steps of a piece by device, a power of two: a longer one wastes half of a larger Toeplitz product, a shorter one hands on more states,
each a call of its own."""
MOST_PIECES: Final = 1024
"""Where a sequence has more, they are up to four times as long."""


def piece_length(L: int, device: torch.device) -> int:
    """T, a power of two; for a sequence shorter than a piece not much longer than it."""
    T = PIECE.get(device.type, PIECE["cuda"])
    for _ in range(2):
        T = 2 * T if L > MOST_PIECES * T else T
    return min(T, 1 << (L - 1).bit_length())


def chunked_direct(
    system: Recurrence, u: Float[Tensor, "B H L"], x: Inexact[Tensor, "B H N"]
) -> tuple[Float[Tensor, "B H L"], Inexact[Tensor, "B H N"]]:
    """(y, the state after the last step) by plain stepping. The oracle of `chunked`."""
    y = []
    for k in range(u.shape[-1]):
        x, y_k = system.step(x, u[..., k])
        y.append(y_k)
    return torch.stack(y, dim=-1), x


# ------------------------------------------------------------------------------------------------- one piece


@dataclass(frozen=True)
class Piece:
    """The products of one piece of T steps, real, for inputs and states in rows; a complex state as (Re x_1, Im x_1, Re x_2, ...)."""

    response: Float[Tensor, "H T T"]
    """u -> y."""
    entry: Float[Tensor, "H T R"]
    """u -> s'; its last r rows are those of a piece of r steps."""
    exit: Float[Tensor, "H R T"]
    """s -> y."""
    A: Inexact[Tensor, "H N"] | Inexact[Tensor, "H N N"]
    """A^T, s -> s'."""
    rest: Inexact[Tensor, "H N"] | Inexact[Tensor, "H N N"]
    """A^r, for the r steps of the last piece."""

    def as_states(self, rows: Float[Tensor, "*batch R"]) -> Inexact[Tensor, "*batch N"]:
        """Rows of numbers as states."""
        return complex_of(rows) if self.A.is_complex() else rows


def state_powers(A: Inexact[Tensor, "*shape"], v: Inexact[Tensor, "H N"], T: int) -> Inexact[Tensor, "H {T} N"]:
    """A^j v for j < T."""
    if A.ndim == 2:
        return powers(A, T).mT * v.unsqueeze(1)
    X, power = v.unsqueeze(1), A
    while X.shape[1] < T:
        X = torch.cat([X, X @ power.mT], dim=1)
        power = power @ power
    return X[:, :T]


def matrix_power(A: Inexact[Tensor, "*shape"], n: int) -> Inexact[Tensor, "*shape"]:
    """A^n, A diagonal (H, N) or dense (H, N, N)."""
    return A**n if A.ndim == 2 else torch.linalg.matrix_power(A, n)


def piece(system: Recurrence, T: int, r: int, dtype: torch.dtype) -> Piece:
    """The products in `dtype`; the powers they are made of in the precision of the system, which should be double."""
    A, B, C = system.A, system.B, system.C
    inputs = state_powers(A, B, T)  # (H, T, N): A^j B
    outputs = state_powers(A if A.ndim == 2 else A.mT, C, T)  # (A^T)^j C
    if A.is_complex():
        outputs = outputs.conj()  # Re(C A^t s) = sum Re Re - Im Im
    inputs, outputs = interleaved(inputs), interleaved(outputs)
    later = (outputs @ interleaved(B).unsqueeze(-1)).squeeze(-1)[:, : T - 1]
    K = torch.cat([system.D.unsqueeze(-1), later], dim=-1)
    return Piece(
        toeplitz(K).mT.to(dtype),
        inputs.flip(1).to(dtype),
        outputs.mT.to(dtype),
        matrix_power(A, T),
        matrix_power(A, r),
    )


# ------------------------------------------------------------------------------------------------- all pieces


def chunked(
    system: Recurrence, u: Float[Tensor, "B H L"], x: Inexact[Tensor, "B H N"] | None = None
) -> tuple[Float[Tensor, "B H L"], Inexact[Tensor, "B H N"]]:
    """(y, the state after the last step) of y_k = Re(C x_k) + D u_k from the state x (None: zero), in the precision of u.

    The system should come in double precision (it is small). What would need more memory than `engines.MEMORY_BUDGET` is done for some
    channels after the others.
    """
    B, _, L = u.shape
    T = piece_length(L, u.device)
    N = system.B.shape[-1] * (2 if system.B.is_complex() else 1)
    x = system.B.new_zeros(B, *system.B.shape) if x is None else x
    each = 4 * u.element_size() * B * L * (2 * T + 3 * N) // T

    def some(u: Tensor, x: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> tuple[Tensor, Tensor]:
        return _all_pieces(Recurrence(A, B, C, D), u, x, T)

    y, last = in_parts(some, each, (u, 1), (x, 1), (system.A, 0), (system.B, 0), (system.C, 0), (system.D, 0), out=(1, 1))
    return y, last


def _all_pieces(system: Recurrence, u: Tensor, x: Tensor, T: int) -> tuple[Tensor, Tensor]:
    """`chunked` without a budget. Rows of the products are pieces of sequences, by channel."""
    B, H, L = u.shape
    C = -(-L // T)
    r = L - (C - 1) * T  # steps of the last piece
    p = piece(system, T, r, u.dtype)
    padded = torch.nn.functional.pad(u, (0, T - r)) if r < T else u
    rows = padded.view(B, H, C, T).permute(1, 2, 0, 3).reshape(H, C * B, T)
    states = sequential(
        p.A, p.as_states(exact_product(rows[:, : (C - 1) * B], p.entry)).unflatten(1, (C - 1, B)), x.transpose(0, 1)
    )  # (H, C, B, N)
    inputs, exits = exact_product(rows, p.response), interleaved(states).flatten(1, 2)
    rounded = rounds_factors(u.device) and u.dtype == torch.float32
    y = inputs + exact_product(exits, p.exit) if rounded else torch.baddbmm(inputs, exits, p.exit)
    y = y.view(H, C, B, T).permute(2, 0, 1, 3).reshape(B, H, C * T)[..., :L]
    last = p.as_states(exact_product(rows[:, (C - 1) * B :, :r], p.entry[:, T - r :])).unsqueeze(1)
    after = sequential(p.rest, last, states[:, -1])[:, -1]
    return y, after.transpose(0, 1).to(x.dtype)
