"""Record, what a run leaves behind: its format, and the checks that a file in this format has to pass."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from benchmarks.spec import RunSpec, canonical, every_field, spec_id

SCHEMA: Final = 2
"""Raised when a record gains fields, so that an older version of the suite leaves it alone instead of taking it for damaged."""
Status = Literal["ok", "diverged", "failed"]
STATUSES: Final = ("ok", "diverged", "failed")
FINISHED: Final = ("ok", "diverged")
"""The statuses of a result: a run that diverged is one, a run that failed is not."""


BESIDE: Final[Mapping[str, re.Pattern[str]]] = {
    "arrays": re.compile(r"arrays(-[0-9a-f]{12,64})?\.npz"),
    "weights": re.compile(r"model\.safetensors"),
    "predictions": re.compile(r"predictions-[0-9a-f]{16}\.npz"),
}
"""Fields that name a file, and what that file is called: it always lies beside its record. Arrays are without a hash in old records."""
SINCE: Final[Mapping[str, int]] = {"weights": 2, "predictions": 2}
"""The schema that a field came with; records of earlier ones do not have it, and are read as before."""


class DamagedRecord(Exception):
    """A record.json or file of arrays that is not what a store wrote. The message says which file and why."""


class NewerRecord(DamagedRecord):
    """A record of a schema that only a newer version of the suite reads: not damaged, and neither moved aside nor written over."""


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
    weights: Mapping[str, str] | None = None
    """File and sha256 of the trained network; none where the run ended without one, or was asked to keep none."""
    predictions: Mapping[str, str] | None = None
    """File and sha256 of what the network answers on the test set; none where that was not asked for."""
    schema: int = SCHEMA
    checksum: str | None = None
    """sha256 of everything above as it stands in the file, so that a number edited by hand is noticed; a record that was written before
    there was one carries none."""

    def to_json(self) -> str:
        """Strict JSON, where what is not finite is null: a line for each field, and one for each entry of a list."""
        return laid_out(self._content() | {"checksum": self.content_checksum()})

    def content_checksum(self) -> str:
        """What `checksum` has to be."""
        return _checksum(self._content())

    def _content(self) -> dict[str, Any]:
        """The fields of its schema, as they stand in the file."""
        return {name: _finite(value) for name, value in vars(self).items() if SINCE.get(name, 1) <= self.schema}

    @staticmethod
    def from_json(text: str) -> Record:
        """Raises NewerRecord for a newer schema, and DamagedRecord unless `text` is a whole record of this one whose fields are of their
        types, whose spec hashes to its id, and whose content is what its checksum says, where it carries one."""
        try:
            raw = json.loads(text)
            json.dumps(raw, allow_nan=False)
        except (ValueError, RecursionError) as error:
            raise DamagedRecord("is not JSON") from error
        schema = raw.get("schema") if isinstance(raw, dict) else None
        if type(schema) is int and schema > SCHEMA:
            raise NewerRecord(f"is of schema {schema}, newer than schema {SCHEMA} of this version of the suite")
        if type(schema) is not int or schema < 1:
            raise DamagedRecord(f"is not a record of a schema from 1 to {SCHEMA}")
        raw.setdefault("checksum", None)
        known = {name for name in _FIELDS if SINCE.get(name, 1) <= schema}
        if set(raw) != known:
            raise DamagedRecord(f"lacks or adds the fields {', '.join(sorted(set(raw) ^ known))}")
        for name, (fits, what) in _FIELDS.items():
            if name in known and not fits(raw[name]):
                raise DamagedRecord(f"has no {what} as its {name}")
        if raw["status"] not in STATUSES:
            raise DamagedRecord(f"has the unknown status {raw['status']!r}")
        if spec_id(raw["spec"]) != raw["id"]:
            raise DamagedRecord("has an id that is not the hash of its spec")
        stated = raw["checksum"]
        if stated is not None and stated != _checksum(raw):
            raise DamagedRecord("was edited after it was written: its content is not what its checksum says")
        return Record(**{**raw, "history": tuple(raw["history"]), "rates": tuple(raw["rates"])})


def laid_out(content: Mapping[str, Any]) -> str:
    """The lines of a record's file. No checksum depends on them."""

    def line(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)

    def lines(value: Any) -> str:
        return "[\n" + ",\n".join(map(line, value)) + "\n]" if isinstance(value, list) and value else line(value)

    return "{\n" + ",\n".join(f"{line(name)}: {lines(value)}" for name, value in content.items()) + "\n}\n"


def _checksum(content: Mapping[str, Any]) -> str:
    """sha256 of all fields but the checksum."""
    content = {name: value for name, value in content.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()).hexdigest()


def _number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _table(value: Any) -> bool:
    return isinstance(value, dict)


def _numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_number, value.values()))


def _group(value: Any) -> bool:
    """A row of `rates`: a group of the optimizer."""
    names = value.get("parameters", []) if isinstance(value, dict) else None
    return isinstance(names, list) and all(map(_text, names)) and all(_number(v) for k, v in value.items() if k != "parameters")


def _list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _file(called: re.Pattern[str]) -> Callable[[Any], bool]:
    """Nothing, or the name of a file that can only lie in the folder of its record, and its sha256."""

    def fits(value: Any) -> bool:
        if value is None:
            return True
        named = isinstance(value, dict) and set(value) == {"file", "sha256"} and all(map(_text, value.values()))
        return named and called.fullmatch(value["file"]) is not None

    return fits


_FIELDS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    **dict.fromkeys(("id", "benchmark", "scale", "status", "reason"), (_text, "text")),
    "seed": (lambda value: type(value) is int, "whole number"),
    **dict.fromkeys(("spec", "spec_full", "data", "environment"), (_table, "table")),
    **dict.fromkeys(("metrics", "cost"), (_numbers, "table of numbers")),
    "history": (_list_of(_numbers), "list of tables of numbers"),
    "rates": (_list_of(_group), "list of groups of parameters"),
    **{name: (_file(called), f"file of {name} beside it, with its sha256,") for name, called in BESIDE.items()},
    "schema": (lambda value: type(value) is int, "whole number"),
    "checksum": (lambda value: value is None or _text(value), "text"),
}
"""Every field of a record: whether a value fits it, and what does."""


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
