"""Record, what a run leaves behind: its format, and the checks that a file in this format has to pass."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

from benchmarks.spec import RunSpec, canonical, every_field, spec_id

SCHEMA: Final = 1
Status = Literal["ok", "diverged", "failed"]
STATUSES: Final = ("ok", "diverged", "failed")
FINISHED: Final = ("ok", "diverged")
"""The statuses of a result: a run that diverged is one, a run that failed is not."""


class DamagedRecord(Exception):
    """A record.json or arrays.npz that is not what a store wrote. The message says which file and why."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """Everything known about one finished run; `to_json` is its file. A run that diverged is a result, one that failed is not."""

    id: str
    benchmark: str
    scale: str
    seed: int
    spec: Mapping[str, Any]
    """canonical(spec): what the id is the hash of."""
    spec_full: Mapping[str, Any]
    """The same with every default written out, for people."""
    status: Status
    reason: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Mapping[str, Any], ...] = ()
    rates: tuple[Mapping[str, Any], ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, str] | None = None
    schema: int = SCHEMA

    def to_json(self) -> str:
        """Strict JSON: what is not finite is null."""
        return json.dumps(_finite({f.name: getattr(self, f.name) for f in fields(self)}), indent=1, allow_nan=False) + "\n"

    @staticmethod
    def from_json(text: str) -> Record:
        """Raises DamagedRecord unless `text` is a whole record of this schema whose spec hashes to its id."""
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise DamagedRecord("is not JSON") from error
        if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
            raise DamagedRecord(f"is not a record of schema {SCHEMA}")
        if set(raw) != {f.name for f in fields(Record)}:
            odd = sorted(set(raw) ^ {f.name for f in fields(Record)})
            raise DamagedRecord(f"lacks or adds the fields {', '.join(odd)}")
        if raw["status"] not in STATUSES:
            raise DamagedRecord(f"has the unknown status {raw['status']!r}")
        if spec_id(raw["spec"]) != raw["id"]:
            raise DamagedRecord("has an id that is not the hash of its spec")
        return Record(**{**raw, "history": tuple(raw["history"]), "rates": tuple(raw["rates"])})


def failed(spec: RunSpec, reason: str, environment: Mapping[str, Any]) -> Record:
    """The record of a run that ended with an error: no number in it."""
    return Record(**identity(spec), status="failed", reason=reason, environment=environment)


def identity(spec: RunSpec) -> dict[str, Any]:
    """The fields of a record that its spec decides."""
    return {
        "id": spec.id,
        "benchmark": spec.benchmark,
        "scale": spec.scale,
        "seed": spec.seed,
        "spec": canonical(spec),
        "spec_full": every_field(spec),
    }


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
