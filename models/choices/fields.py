"""The fields of a spec, checked when it is made: a number that came as text out of a file, or as the word "false", is not taken."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import fields
from typing import Any

KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "bool": ("True or False", lambda value: isinstance(value, bool)),
    "int": ("a whole number", lambda value: isinstance(value, numbers.Integral) and not isinstance(value, bool)),
    "float": ("a number", lambda value: isinstance(value, numbers.Real) and not isinstance(value, bool)),
    "None": ("None", lambda value: value is None),
    "str": ("a name", lambda value: isinstance(value, str)),
}


def require_types(spec: Any) -> None:
    """Raises ValueError that names the first field of a dataclass whose value is not of its type, for fields that are plain numbers, flags
    and names or None; fields of other types are left to the dataclass itself."""
    for f in fields(spec):
        kinds = [KINDS.get(name) for name in str(f.type).split(" | ")]
        value = getattr(spec, f.name)
        if None in kinds or any(is_kind(value) for _, is_kind in kinds):  # type: ignore[misc]
            continue
        wanted = " or ".join(words for words, _ in kinds)  # type: ignore[misc]
        yaml = "; it came as text, as YAML reads 1e-3 (write 1.0e-3)" if isinstance(value, str) else ""
        raise ValueError(f"{type(spec).__name__}.{f.name} is {wanted}, got {value!r}{yaml}")


def require_even(d_state: int) -> None:
    """Raises ValueError where d_state real dimensions are no whole number of complex modes."""
    if d_state % 2:
        raise ValueError(f"a complex mode with its conjugate takes two real state dimensions, so d_state must be even; got {d_state}")


def require_copies(n_ssm: int | None) -> None:
    """Raises ValueError unless n_ssm counts copies or is None."""
    if n_ssm is not None and n_ssm < 1:
        raise ValueError(f"n_ssm counts the copies of A and is at least 1, or None for one per channel; got {n_ssm}")
