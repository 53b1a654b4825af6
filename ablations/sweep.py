"""A grid made from a line of text, as in "mixer.init=lin,inv mixer.real=false,true", over the recipe of any row of any benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ablations.grid import Ablation, Factor
from benchmarks.changes import changed, read_changes
from benchmarks.registry import select_benchmark, select_variants
from models.choices.names import UnknownName, choose

FEW: Final = 5
"""Levels that a factor may have to be the columns of a table."""


def split_sweep(text: str) -> dict[str, tuple[str, ...]]:
    """Reads "mixer.init=lin,inv optim.lr=0.01,0.003" as {"mixer.init": ("lin", "inv"), ...}. Raises ValueError."""
    out: dict[str, tuple[str, ...]] = {}
    for word in text.split():
        name, equals, values = word.partition("=")
        levels = tuple(dict.fromkeys(value for value in values.split(",") if value))
        if not equals or not name or not levels:
            raise ValueError(f"a sweep is written field=value,value with spaces between fields, as in mixer.init=lin,inv; got {word!r}")
        if name in out:
            raise ValueError(f"{name} is swept twice; write all of its values behind one =")
        out[name] = levels
    if not out:
        raise ValueError("a sweep is written field=value,value, as in mixer.init=lin,inv; got nothing")
    return out


def sweep(benchmark: str, scale: str | None, variants: Sequence[str], text: str, protocol: str | None = None) -> Ablation:
    """Every combination of the values in `text`, for each of `variants`. Raises ValueError that names the nearest field or value where no
    variant has it; what only some combinations refuse is a cell that is impossible."""
    selected = select_benchmark(benchmark, protocol=protocol)
    task = selected.benchmark
    size = choose(f"scale of {task.name}", scale or task.scales[0], {s: s for s in task.scales})
    rows = select_variants(variants, task, size)
    fields = split_sweep(text)
    runs = {row: task.recipe(row, size).run for row in rows}
    factors = [Factor(name="row", levels={row: {"variant": row} for row in rows})] if len(rows) > 1 else []
    for name, levels in fields.items():
        read = {level: _value(name, level, runs) for level in levels}
        factors.append(Factor(name=short(name, list(fields)), levels={level: {name: value} for level, value in read.items()}))
    names = [factor.name for factor in factors]
    columns = next((f.name for f in reversed(factors) if 1 < len(f.levels) <= FEW), names[-1])
    return Ablation(
        name=f"sweep-{'-'.join(names)}",
        title=f"Sweep of {', '.join(names)}",
        about=(
            f"{', '.join(rows)} with every combination of "
            + "; ".join(f"{name} = {', '.join(levels)}" for name, levels in fields.items())
            + ". All else is the recipe of each row."
        ),
        benchmark=task.name,
        scale=size,
        protocol=protocol or "",
        factors=tuple(names),
        columns=columns,
        vary=tuple(factors),
        base=rows[0],
        elsewhere=True,
        asked=("--variant", ",".join(rows), "--sweep", " ".join(f"{name}={','.join(levels)}" for name, levels in fields.items())),
    )


def short(name: str, names: Sequence[str]) -> str:
    """The last part of a dotted name, or all of it where another ends alike."""
    last = name.rpartition(".")[2]
    return name if sum(other.rpartition(".")[2] == last for other in names) > 1 else last


def _value(name: str, level: str, runs: Mapping[str, Any]) -> Any:
    """What a word stands for in the first of these runs that has the field and knows the word. Raises the ValueError of the first where
    none does."""
    problems: list[ValueError] = []
    for run in runs.values():
        try:
            value = read_changes(run, {name: level})[name]
        except ValueError as error:
            problems.append(error)
            continue
        try:
            changed(run, {name: value})
        except UnknownName as error:
            problems.append(error)
            continue
        except ValueError:  # of this combination only, or of this row: its cell says so
            pass
        return value
    raise problems[0]
