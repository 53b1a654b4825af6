"""Cells and sentences of the page: pipe tables, and what a signature, a choice or a count is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from data.base import Signature

MANY: Final = 12
"""More classes than this are given by their smallest and largest."""
Values = Mapping[str, Any]


def table(head: Sequence[str], rows: Sequence[Sequence[object]], left: int = 1) -> str:
    """A pipe table whose first `left` columns are words."""
    rule = ["---" if i < left else "---:" for i in range(len(head))]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in (head, rule, *rows))


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def number(value: float) -> str:
    """Four digits, or whole where it is a thousand and more."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def shape(signature: Values) -> str:
    """What goes in, e.g. "1,024 x 3", "2,048 steps of 18 ids" or "2 times 4,000 steps of 98 ids"."""
    s = signature
    two = "2 times " if s["two_towers"] else ""
    return f"{two}{s['length']:,} steps of {s['vocab']:,} ids" if s["vocab"] else f"{two}{s['length']:,} x {s['d_input']}"


def answer(signature: Values) -> str:
    """What is asked, e.g. "10 classes" or "a number at each step"."""
    what = "a number" if signature["regression"] else f"{signature['d_output']:,} classes"
    return f"{what} at each step" if signature["per_step"] else what


def about(signature: Signature) -> tuple[str, str]:
    """Shape and answer of a signature that is not in the record."""
    fields = asdict(signature)
    return shape(fields), answer(fields)


def choices(chosen: Values) -> str:
    """The fields of a spec, e.g. "source=mini, words=35"."""
    return ", ".join(f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in chosen.items())


def facts(value: Values) -> str:
    """Keys and values of a part of a manifest, without checksums, e.g. "train 40, val 8"."""
    return ", ".join(f"{k} {v:,}" if isinstance(v, int) else f"{k} {v}" for k, v in value.items() if not k.startswith("sha256"))


def summary(found: Values) -> tuple[str, str, str]:
    """Counts, rule of the split, and what a constant answer reaches on the test part of a measured set."""
    if "counts" in found:
        classes = found.get("classes", {}).get("test")
        largest = f"{max(classes.values()) / sum(classes.values()):.1%}" if classes else ""
        return sizes(found["counts"]), found.get("split", {}).get("rule", ""), largest
    chosen = found["splits"][f"{found['choices']['target']}, {found['choices']['split']}"]
    return sizes(chosen["counts"]), chosen["rule"], f"RMSE {chosen['chance']['test']:.2f}"


def sizes(counts: Mapping[str, int]) -> str:
    """Samples of the parts, e.g. "45,000 / 5,000 / 10,000"."""
    return " / ".join(f"{n:,}" for n in counts.values())


def counted(found: Values) -> list[str]:
    """Tables of the classes or the targets of every part, and a sentence of what else was counted."""
    out = []
    if "classes" in found:
        out.append(_classes(found["classes"]))
    if "splits" in found:
        out.append(_targets(found["splits"]))
    extra = [f"{name}: {facts(found[name])}" for name in ("speakers", "excluded", "duplicates", "films") if name in found]
    if extra:
        out.append("; ".join(extra) + ".")
    return out


def _classes(classes: Mapping[str, Mapping[str, int]]) -> str:
    names = list(next(iter(classes.values())))
    if len(names) <= MANY:
        rows = [[part, *(f"{n:,}" for n in (sum(c.values()), *c.values()))] for part, c in classes.items()]
        return table(["part", "all", *names], rows)
    rows = []
    for part, c in classes.items():
        low, high = (choose(c.items(), key=lambda pair: pair[1]) for choose in (min, max))
        rows.append([part, f"{sum(c.values()):,}", str(len(c)), f"{low[0]}, {low[1]:,}", f"{high[0]}, {high[1]:,}"])
    return table(["part", "all", "classes", "fewest", "most"], rows)


def _targets(splits: Mapping[str, Values]) -> str:
    rows = []
    for split, own in splits.items():
        for part in own["counts"]:
            rows.append([split, part, f"{own['counts'][part]:,}", *(f"{own[key][part]:.2f}" for key in ("mean", "std", "chance"))])
    return table(["target, split", "part", "windows", "mean", "std", "RMSE of the training mean"], rows, left=2)
