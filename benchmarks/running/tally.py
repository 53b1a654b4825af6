"""How many runs are done, by what they are of: own records apart from committed ones, read once and not run by run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.running.environment import other_code
from benchmarks.running.record import FINISHED, DamagedRecord
from benchmarks.running.store import COMMITTED, EVIDENCE, Root, Store
from benchmarks.spec import RunSpec, canonical


def of_all_seeds(spec: Mapping[str, Any]) -> str:
    """A canonical spec without its seed: what runs that differ in nothing else have in common."""
    return json.dumps({name: value for name, value in spec.items() if name != "seed"}, sort_keys=True)


@dataclass(frozen=True)
class Tally:
    """The finished records of one root, by `of_all_seeds` of their spec; and what a list has to say of the others."""

    counts: Counter[str] = field(default_factory=Counter)
    benchmarks: Counter[str] = field(default_factory=Counter)
    other_code: Counter[str] = field(default_factory=Counter)
    """Records by the code that made them, where that is known and is not the code here."""
    troubles: tuple[DamagedRecord, ...] = ()

    @staticmethod
    def of(root: Root) -> Tally:
        """Every record of a root. What cannot be used is named in `troubles` and stops nothing."""
        tally, troubles = Tally(), []
        for found in Store((root,)).look():
            if isinstance(found, DamagedRecord):
                troubles.append(found)
                continue
            record = found.record
            if record.status in FINISHED:
                tally.counts[of_all_seeds(record.spec)] += 1
                tally.benchmarks[record.benchmark] += 1
                if code := other_code(record.environment):
                    tally.other_code[code] += 1
        return Tally(tally.counts, tally.benchmarks, tally.other_code, tuple(troubles))

    def done(self, run: RunSpec) -> int:
        """How many seeds of a run are done."""
        return self.counts[of_all_seeds(canonical(run))]


def tallies() -> tuple[Tally, Tally]:
    """(own runs, committed evidence)."""
    folders: tuple[Root, ...] = (*Store().roots, (EVIDENCE, COMMITTED))
    own, committed = (Tally.of(root) for root in folders)
    return own, committed


def remarks(own: Tally) -> Sequence[str]:
    """Lines below a list: records of other code, and records that cannot be used."""
    lines = []
    if own.other_code:
        lines.append(stale_line(sum(own.other_code.values()), list(own.other_code)))
    lines += [f"not counted: {trouble}" for trouble in own.troubles[:5]]
    if len(own.troubles) > 5:
        lines.append(f"not counted: {len(own.troubles) - 5} more records that cannot be used")
    return lines


def stale_line(number: int, codes: Sequence[str]) -> str:
    """What is said of records that other code made."""
    return f"{number} of these records were made by other code ({', '.join(sorted(set(codes)))}); --rerun stale makes them again"
