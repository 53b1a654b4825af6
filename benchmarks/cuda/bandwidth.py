"""How much memory a device moves a second, and the time below which no layer could come for that reason alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch

from models import DEFAULT_VARIANTS, VARIANTS

REPEATS: Final = 20
LAYERS: Final = ((16, 1024), (4, 4096), (1, 65536))
"""(B, L) at which layers of `WIDTH` channels are timed."""
WIDTH: Final = 128
COPIED: Final = {"cuda": 1 << 30, "cpu": 1 << 24}
"""Bytes of the copy: more than any cache of a card holds; on a CPU the figure only shows that the command works."""


def seconds(work: Callable[[], object], device: str, repeats: int = REPEATS) -> float:
    """The median over repeats, after three that do not count."""
    times = []
    for k in range(repeats + 3):
        if device == "cuda":
            torch.cuda.synchronize()
        begun = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - begun)
        if k < 3:
            times.clear()
    return sorted(times)[len(times) // 2]


def copy_rate(device: str) -> float:
    """Bytes read and written a second by a copy within the device."""
    source = torch.randn(COPIED[device] // 4, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / seconds(lambda: target.copy_(source), device)


def layer_bytes(B: int, L: int, H: int = WIDTH) -> int:
    """The fewest bytes that forward and backward of a layer in float32 can move: u, dy read, y, du written, each once."""
    return 4 * 4 * B * L * H


def layer_rows(device: str, rate: float, sizes: Sequence[tuple[int, int]] = LAYERS) -> list[dict[str, Any]]:
    """Forward and backward of a layer of every default row: milliseconds, and the share of them that moving `layer_bytes` would take."""
    out: list[dict[str, Any]] = []
    for B, L in sizes:
        for name in DEFAULT_VARIANTS:
            torch.manual_seed(0)
            layer = VARIANTS[name].mixer.build_layer(WIDTH).to(device)
            u = torch.randn(B, L, WIDTH, device=device, requires_grad=True)
            g = torch.randn(B, L, WIDTH, device=device)

            def work(layer: Any = layer, u: Any = u, g: Any = g) -> None:
                layer(u).backward(g)

            took = seconds(work, device, 5)
            out.append({"row": name, "B": B, "L": L, "H": WIDTH, "ms": 1e3 * took, "of_floor": layer_bytes(B, L) / rate / took})
    return out
