"""RunSpec, everything that can change a number, and its identity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache, cached_property
from types import UnionType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from benchmarks.rebuild import rebuild
from data.base import DataSpec
from models import ModelSpec, OptimSpec

Scale = Literal["quick", "small", "paper"]
SCALES: tuple[Scale, ...] = ("quick", "small", "paper")


@cache
def declared(kind: type) -> dict[str, Any]:
    """The types that a class declares for its fields, by name."""
    return get_type_hints(kind)


def as_declared(value: Any, hint: Any) -> Any:
    """`value` in the type that a field declares, where that changes nothing but the type: 0 and False as 0.0, a list as a tuple, -0.0 as
    0.0. Whatever does not fit is returned as it is: to refuse it is the business of the spec.
    """
    if isinstance(value, (tuple, list)) and get_origin(hint) is tuple:
        items = get_args(hint)
        kinds = (items[0],) * len(value) if items[1:] == (...,) else items
        return tuple(as_declared(v, kind) for v, kind in zip(value, kinds, strict=False)) if len(kinds) == len(value) else value
    if get_origin(hint) in (Union, UnionType):
        fitting = (as_declared(value, kind) for kind in get_args(hint))
        return next((v for v, kind in zip(fitting, get_args(hint), strict=True) if type(v) is (get_origin(kind) or kind)), value)
    if not isinstance(value, (bool, int, float)):
        return value
    if get_origin(hint) is Literal:
        return next((word for word in get_args(hint) if word == value), value)
    if hint not in (bool, int, float) or value != value or (hint is not float and abs(value) == float("inf")) or hint(value) != value:
        return value
    return hint(value) + 0.0 if hint is float else hint(value)


def canonical(value: Any) -> Any:
    """`value` as JSON with sorted meaning: a dataclass becomes its type name, its version and its non-default fields.

    A new option with a default therefore orphans no record; what a default means is guarded by the `version` of its class. What compares
    equal is written alike, in the type that its field declares (`as_declared`). Written by hand and not by cattrs, which reads it back
    (`benchmarks.rebuild`): an id hangs on every byte, and what is no plain value is refused.
    """
    if is_dataclass(value) and not isinstance(value, type):
        out: dict[str, Any] = {"type": type(value).__name__, "version": getattr(type(value), "version", 1)}
        for f in fields(value):
            v = as_declared(getattr(value, f.name), declared(type(value))[f.name])
            default = f.default_factory() if f.default_factory is not MISSING else f.default
            if default is MISSING or v != default:
                out[f.name] = canonical(v)
        return out
    if isinstance(value, (tuple, list)):
        return [canonical(v) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a spec holds plain values, tuples and dataclasses; found {type(value).__name__}")


def every_field(value: Any) -> Any:
    """`value` as JSON like `canonical`, with the defaults written out."""
    if is_dataclass(value) and not isinstance(value, type):
        head = {"type": type(value).__name__, "version": getattr(type(value), "version", 1)}
        hints = declared(type(value))
        return head | {f.name: every_field(as_declared(getattr(value, f.name), hints[f.name])) for f in fields(value)}
    return [every_field(v) for v in value] if isinstance(value, (tuple, list)) else value


def spec_id(spec: Mapping[str, Any]) -> str:
    """The first 12 hex digits of the sha256 of a canonical spec, written as JSON with sorted keys and without spaces."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One training run. Two runs with equal specs are the same run; `id` is the hash of all of it."""

    version: ClassVar[int] = 1

    benchmark: str
    """Name of the benchmark, which is also the folder of its records."""
    scale: Scale
    data: DataSpec
    model: ModelSpec
    optim: OptimSpec
    epochs: int
    batch_size: int
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    seed: int = 0
    """Seeds weights, order of the data and training noise; paired across variants."""

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(f"epochs and batch_size are at least 1, got {self.epochs} and {self.batch_size}")
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"a seed is an integer in [0, 2^31), got {self.seed}")

    @cached_property
    def id(self) -> str:
        """The identity of the run, `spec_id` of its canonical form."""
        return spec_id(canonical(self))

    @staticmethod
    def from_record(spec: Mapping[str, Any]) -> RunSpec:
        """The run whose record holds `spec` (its field of that name, or `spec_full`), with the same id.

        Raises CannotRebuild where a class in it is not known here, or is of another version.
        """
        return rebuild(spec, RunSpec)


@dataclass(frozen=True)
class Job:
    """A run and what the asker calls it, e.g. "s4d-lin, seed 0"."""

    label: str
    spec: RunSpec
