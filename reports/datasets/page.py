"""The committed page in Markdown, a pure function of the record and of the cards: sizes, splits and licences, cards, sheets, notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from benchmarks.tasks.probes import PROBES
from data.registry import SETS
from reports.datasets import generators
from reports.datasets.registry import DATASETS
from reports.datasets.words import about, answer, choices, counted, shape, summary, table

if TYPE_CHECKING:
    from data.card import Card
    from data.probes.base import ProbeSpec
    from data.subsets import SplitSpec
    from reports.datasets.record import Record

PAGE: Final = "README.md"


def page(record: Record) -> str:
    """The whole page."""
    out = [
        "# The data sets",
        "What the networks of this suite are trained and tested on: sizes, splits and licences; a data card each; the generators beside "
        "what they stand in for; and contact sheets of what a network is given. Numbers are those of `statistics.json` beside this page, "
        "written by `python -m reports.datasets measure` from the data sets on one machine, and nothing else; the page is rendered from it "
        "by `python -m reports.datasets page`.",
        "## Sizes, splits and licences",
        overview(record),
        "n.m.: not measured, because the set was not on the machine; its card states the published size. Largest class: the share of test "
        "samples that always answering the commonest class gets right; for regression, the RMSE of always answering the mean of the "
        "training targets.",
        "## Generators beside their references",
        *generators.sections(record),
        "## Data cards",
    ]
    for card, names in cards():
        out += card_section(card, names, record)
    for name in (dataset.name for dataset in DATASETS.values() if dataset.forms is None):
        if name in record["sheets"]:
            out += [f"### {name}: contact sheet", _sheet(name, record["sheets"][name])]
    out += ["## Who has looked at the sheets", looked_table(record)]
    return "\n\n".join(out) + "\n"


# ---------------------------------------------------------------- one line for each set


def overview(record: Record) -> str:
    """The table of all sets and probes."""
    head = ("set", "input", "answer", "train / val / test", "source", "largest class or chance", "split", "licence")
    measured = record["sets"]
    rows = [_measured(name, spec, measured[name]) if name in measured else _unmeasured(name, spec) for name, spec in SETS.items()]
    return table(head, [*rows, *(_probe(kind()) for kind in PROBES)], left=len(head))


def _unmeasured(name: str, spec: SplitSpec) -> list[str]:
    return [_link(name, spec.card), *about(spec.signature), "n.m.", "n.m.", "n.m.", "see the card", spec.card.licence]


def _measured(name: str, spec: SplitSpec, found: Mapping[str, Any]) -> list[str]:
    counts, rule, constant = summary(found)
    signature, chosen = found["signature"], found["choices"]
    target = f" ({chosen['target']})" if "target" in chosen else ""
    usual = {field: value for field, value in asdict(spec).items() if field != "source"}
    unusual = (f"{field}={value}" for field, value in chosen.items() if field in usual and usual[field] != value)
    source = ", ".join([chosen.get("source", "–"), *unusual])
    licence = found.get("licence", spec.card.licence)
    return [_link(name, spec.card), shape(signature), answer(signature) + target, counts, source, constant, rule, licence]


def _probe(spec: ProbeSpec) -> list[str]:
    parts = f"{spec.n_train:,} an epoch / {spec.n_val:,} / {spec.n_test:,}"
    chance = f"{spec.chance:.3f} RMSE" if spec.signature.regression else f"{spec.chance:.2%}"
    return [_link(spec.name, spec.card), *about(spec.signature), parts, "synthetic", chance, "drawn by seed", "that of this suite"]


def _link(name: str, card: Card) -> str:
    return f"[{name}](#{anchor(card)})"


def anchor(card: Card) -> str:
    """Where a card stands on the page."""
    return f"card-{card.name}"


# ---------------------------------------------------------------- cards


def cards() -> list[tuple[Card, tuple[str, ...]]]:
    """Every card with the names of the sets that share it; sets that need no file last."""
    found: dict[str, tuple[Card, tuple[str, ...]]] = {}
    for name, card in [*((name, spec.card) for name, spec in SETS.items()), *((kind.name, kind.card) for kind in PROBES)]:
        found[card.name] = card, (*found.get(card.name, (card, ()))[1], name)
    return list(found.values())


def card_section(card: Card, names: Sequence[str], record: Record) -> list[str]:
    """A card, what was counted of each of its sets, and their contact sheets."""
    out = [f'<a id="{anchor(card)}"></a>\n\n### {card.title}', card.what]
    fields = (("size", card.size), ("splits", card.splits), ("source", card.source), ("licence", card.licence), ("cite", card.citation))
    out.append("\n".join(f"- **{head}**: {text}" for head, text in fields))
    if card.issues:
        out.append("Known issues and choices:\n\n" + "\n".join(f"- {issue}" for issue in card.issues))
    for name in names:
        found = record["sets"].get(name)
        if found is not None:
            out.append(
                f"{name}, counted on {found['date']} (prepared arrays `{found['key']}`, {found['bytes'] / 1e6:,.1f} MB; "
                f"{choices(found['choices'])}{'; version ' + found['version'] if 'version' in found else ''}):"
            )
            out += counted(found)
    missing = [name for name in names if name in SETS and name not in record["sets"]]
    if missing:
        out.append(f"Not counted, because not on the machine: {', '.join(f'{name} (`make data-{name}`)' for name in missing)}.")
    return out + [_sheet(name, record["sheets"][name]) for name in names if name in record["sheets"]]


def _sheet(name: str, sheet: Mapping[str, str]) -> str:
    return f"![{sheet['alt']}]({name}.png)\n\n*{sheet['title']}. {sheet['caption']}*"


# ---------------------------------------------------------------- notes


def looked_table(record: Record) -> str:
    """Which sheets somebody has looked at since they were drawn."""
    rows = []
    for name, sheet in record["sheets"].items():
        note = record["looked"].get(name)
        if note is None:
            rows.append([name, "not yet", ""])
        elif note["sha256"] != sheet["sha256"]:
            rows.append([name, f"drawn again since {note['date']}", note["seen"]])
        else:
            rows.append([name, note["date"], note["seen"]])
    if not rows:
        return "There is no sheet yet: `python -m reports.datasets measure`."
    return table(["sheet", "looked at", "what was seen"], rows, left=3)
