"""The table by which `models.engines` chooses, from the points that a session measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.speed.results import Results
from models.engines import Form, Measured

FORMS: Final[dict[str, Form]] = {"s4d-lin": "diagonal", "s4": "dense", "lru": "shared"}
"""How the rows that engines are measured with store their state."""


def points(results: Results, device: str) -> list[Measured]:
    """The measured points of a session, sorted."""
    out = []
    for case in results.found:
        if case.kind == "engine":
            assert case.engine is not None
            assert case.N is not None
            out.append(
                Measured(
                    device=device, form=FORMS[case.row], B=case.B, H=case.H, N=case.N, L=case.L, engine=case.engine, ms=results.get(case)
                )
            )
    return sorted(out, key=_order)


def merged(old: Sequence[Measured], new: Sequence[Measured]) -> list[Measured]:
    """The new points, and the old ones of devices, forms, sizes and engines that were not measured again."""
    again = {_key(m) for m in new}
    return sorted([*new, *(m for m in old if _key(m) not in again)], key=_order)


def _key(m: Measured) -> tuple[object, ...]:
    return (m.device, m.form, m.B, m.H, m.N, m.L, m.engine)


def _order(m: Measured) -> tuple[str, str, int, int, int, int, str]:
    return (m.device, m.form, m.L, m.H, m.B, m.N, m.engine)
