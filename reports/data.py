"""python -m reports.data: the data sets on one committed page: sizes, splits and licences, data cards, generators beside their references.

The page is a pure function of reports/data/statistics.json and of the cards in the code. `--measure` writes that record: what the manifests
of the data sets that are here say, their contact sheets, and the statistics of the generators, for which it draws what is not here yet (a
few minutes). A set that is not here keeps what was measured of it before. `--looked NAME --seen TEXT` notes that somebody has looked at a
sheet; the note holds for that picture only.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import cli

if TYPE_CHECKING:
    from data.base import Signature
    from data.card import Card
    from data.files.official import Prepared
    from data.subsets import SplitSpec

FOLDER: Final = Path(__file__).resolve().parent / "data"
RECORD: Final = "statistics.json"
PAGE: Final = "README.md"
SCHEMA: Final = 1
MANY: Final = 12
"""More classes than this are given by their smallest and largest."""
Record = dict[str, Any]

# ---------------------------------------------------------------- the record


def empty() -> Record:
    """A record of nothing."""
    return {"schema": SCHEMA, "sets": {}, "statistics": {}, "sheets": {}, "looked": {}}


def read(folder: Path) -> Record:
    """The record in a folder, or an empty one. Raises EnvironmentProblem where it is damaged."""
    from benchmarks.running.environment import EnvironmentProblem

    path = folder / RECORD
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return empty()
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(f"{path} cannot be read ({error}). Restore it from git, or remove it and measure again.") from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA or set(found) != set(empty()):
        raise EnvironmentProblem(f"{path} is not a record of schema {SCHEMA}. Restore it from git, or remove it and measure again.")
    return found


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Every file whole or not at all. Raises EnvironmentProblem where the folder cannot be written."""
    from benchmarks.running.environment import EnvironmentProblem
    from benchmarks.running.store import write_atomically

    try:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / name, content)
    except OSError as error:
        raise EnvironmentProblem(
            f"the page cannot be written to {folder} ({error.strerror or error}). Make the folder writable, free some space, or name "
            "another one with --out."
        ) from error


def as_json(record: Record) -> bytes:
    """The bytes of a record, names in one order, so that what did not change does not move."""
    ordered = {part: dict(sorted(found.items())) if isinstance(found, dict) else found for part, found in record.items()}
    return (json.dumps(ordered, indent=1, ensure_ascii=False) + "\n").encode()


# ---------------------------------------------------------------- measuring


def today() -> str:
    """The date, UTC."""
    return datetime.now(UTC).date().isoformat()


FACTS: Final = ("source", "licence", "version", "counts", "classes", "split", "splits", "speakers", "excluded", "duplicates", "films")
"""What is copied from a manifest."""


def facts_of(spec: SplitSpec, prepared: Prepared) -> Record:
    """What the page says of a prepared set."""
    found: Record = {name: prepared.manifest[name] for name in FACTS if name in prepared.manifest}
    found["key"] = prepared.manifest["key"]
    found["bytes"] = sum(entry["bytes"] for entry in prepared.manifest["arrays"].values())
    found["signature"] = asdict(spec.signature)
    found["choices"] = {name: value for name, value in asdict(spec).items() if value is not None}
    found["date"] = today()
    return found


def _listops() -> Any:
    from data.listops.spec import ListOpsSpec

    return ListOpsSpec()


def _pathfinder() -> Any:
    from data.pathfinder.spec import PathfinderSpec

    return PathfinderSpec(images=20_000)


def _pathx() -> Any:
    from data.pathfinder.spec import PathfinderSpec

    return PathfinderSpec(resolution=128, images=2_000)


GENERATED: Final[dict[str, Callable[[], Any]]] = {"listops": _listops, "pathfinder": _pathfinder, "pathx": _pathx}
"""What the statistics of each generator are measured on: enough for the error of the reference to be the larger one."""


def measured(spec: Any) -> Record:
    """The statistics of a generator beside its reference, and how they were obtained. Draws the samples where they are not here."""
    import numpy as np

    if spec.opened() is None:
        print(spec.plan(), flush=True)
    manifest = spec.load(say=lambda text: print(text, flush=True)).manifest
    return {
        "version": manifest["version"],
        "n": sum(manifest["counts"].values()),
        "date": today(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "lines": [_line(line) for line in spec.statistics()],
    }


def _line(line: Any) -> list[Any]:
    """[quantity, reference, ours, tolerance, agrees]."""
    return [line.quantity, *map(_rounded, (line.reference, line.ours, line.tolerance)), bool(line.agrees)]


def _rounded(value: float) -> float:
    """Six digits: enough to see a change, few enough to be the same on the next machine."""
    return float(f"{float(value):.6g}")


def measure(folder: Path, names: Sequence[str]) -> Record:
    """The record with everything that is here measured anew, the sheets written beside it."""
    from reports import gallery

    record = read(folder)
    for name in names:
        if name in gallery.KNOWN:
            _measure_set(record, name)
    for name in names:
        if name in GENERATED:
            record["statistics"][name] = found = measured(GENERATED[name]())
            print(f"{name:<12} {len(found['lines'])} statistics of {found['n']:,} samples", flush=True)
    for name in names:
        if name in gallery.SHEETS:
            _measure_sheet(record, name, folder)
    return record


def _measure_set(record: Record, name: str) -> None:
    from reports import gallery

    try:
        spec, prepared = gallery.here(name)
    except gallery.NotHere as command:
        print(f"{name:<12} not here, as it was in the record; {command} gets it", flush=True)
        return
    record["sets"][name] = facts_of(spec, prepared)
    print(f"{name:<12} {prepared.folder}", flush=True)


def _measure_sheet(record: Record, name: str, folder: Path) -> None:
    from reports import gallery

    try:
        plot, content = gallery.sheet(name)
    except gallery.NotHere:
        return
    write(folder, {f"{name}.png": content})
    digest = hashlib.sha256(content).hexdigest()
    record["sheets"][name] = {"title": plot.title, "alt": plot.alt, "caption": plot.caption, "sha256": digest, "date": today()}
    print(f"{name:<12} {folder / f'{name}.png'}, {len(content) / 1e3:.0f} KB", flush=True)


def looked(folder: Path, name: str, seen: str) -> Record:
    """The record with a note on the sheet `name` as it is now. Raises UsageError where there is none."""
    record = read(folder)
    if name not in record["sheets"]:
        raise cli.UsageError(f"there is no sheet {name!r} in {folder / RECORD}; one of: {', '.join(record['sheets']) or 'none'}")
    record["looked"][name] = {"sha256": record["sheets"][name]["sha256"], "date": today(), "seen": seen}
    return record


# ---------------------------------------------------------------- the page


def page(record: Record) -> str:
    """The whole page in Markdown: a pure function of the record and of the cards."""
    out = [
        "# The data sets",
        "What the networks of this suite are trained and tested on: sizes, splits and licences; a data card each; the generators beside "
        "what they stand in for; and contact sheets of what a network is given. Numbers are those of `statistics.json` beside this page, "
        "written by `python -m reports.data --measure` from the data sets on one machine, and nothing else; the page is rendered from it "
        "by `python -m reports.data`.",
        "## Sizes, splits and licences",
        overview(record),
        "n.m.: not measured, because the set was not on the machine; its card states the published size. Largest class: the share of test "
        "samples that always answering the commonest class gets right; for regression, the RMSE of always answering the mean of the "
        "training targets.",
        "## Generators beside their references",
        *statistics_sections(record),
        "## Data cards",
    ]
    for card, names in cards():
        out += card_section(card, names, record)
    for name in ("probes", "digits"):
        if name in record["sheets"]:
            out += [f"### {name}: contact sheet", _sheet(name, record["sheets"][name])]
    out += ["## Who has looked at the sheets", looked_table(record)]
    return "\n\n".join(out) + "\n"


def cards() -> list[tuple[Card, tuple[str, ...]]]:
    """Every card with the sets that share it; sets that need no file last."""
    from data.probes.probes import PROBES
    from data.registry import SETS

    found: dict[str, tuple[Card, tuple[str, ...]]] = {}
    for name, card in [*((name, spec.card) for name, spec in SETS.items()), *((kind.name, kind.card) for kind in PROBES)]:
        found[card.name] = card, (*found.get(card.name, (card, ()))[1], name)
    return list(found.values())


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(head: Sequence[str], rows: Sequence[Sequence[object]], left: int = 1) -> str:
    """A pipe table whose first `left` columns are words."""
    rule = ["---" if i < left else "---:" for i in range(len(head))]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in (head, rule, *rows))


def shape(signature: Signature | Mapping[str, Any]) -> str:
    """What goes in, e.g. "1,024 x 3" or "up to 2,048 tokens of 18"."""
    s = asdict(signature) if not isinstance(signature, Mapping) else dict(signature)
    two = "2 times " if s["two_towers"] else ""
    return f"{two}{s['length']:,} steps of {s['vocab']:,} ids" if s["vocab"] else f"{two}{s['length']:,} x {s['d_input']}"


def answer(signature: Signature | Mapping[str, Any]) -> str:
    """What is asked, e.g. "10 classes"."""
    s = asdict(signature) if not isinstance(signature, Mapping) else dict(signature)
    what = "a number" if s["regression"] else f"{s['d_output']:,} classes"
    return f"{what} at each step" if s["per_step"] else what


def overview(record: Record) -> str:
    """One line for each set."""
    from data.probes.probes import PROBES
    from data.registry import SETS

    rows: list[list[str]] = []
    for name, spec in SETS.items():
        found = record["sets"].get(name)
        about = [f"[{name}](#{anchor(spec.card)})", shape(spec.signature), answer(spec.signature)]
        if found is None:
            rows.append([*about, "n.m.", "n.m.", "n.m.", "see the card", spec.card.licence])
            continue
        counts, rule, largest = summary_of(found)
        choices = found["choices"]
        about[1:] = [shape(found["signature"]), answer(found["signature"]) + (f" ({choices['target']})" if "target" in choices else "")]
        usual = {field: value for field, value in asdict(spec).items() if field != "source"}
        source = ", ".join([choices.get("source", "–"), *(f"{k}={v}" for k, v in choices.items() if k in usual and usual[k] != v)])
        rows.append([*about, counts, source, largest, rule, found.get("licence", spec.card.licence)])
    for kind in PROBES:
        probe = kind()
        sizes = f"{probe.n_train:,} an epoch / {probe.n_val:,} / {probe.n_test:,}"
        chance = f"{probe.chance:.3f} RMSE" if probe.signature.regression else f"{probe.chance:.2%}"
        rows.append([
            f"[{kind.name}](#{anchor(kind.card)})", shape(probe.signature), answer(probe.signature), sizes, "synthetic", chance,
            "drawn by seed", "that of this suite",
        ])  # fmt: skip
    head = ("set", "input", "answer", "train / val / test", "source", "largest class or chance", "split", "licence")
    return table(head, rows, left=len(head))


def summary_of(found: Mapping[str, Any]) -> tuple[str, str, str]:
    """(counts, split rule, largest class of the test part) of a measured set."""
    if "counts" in found:
        counts = " / ".join(f"{n:,}" for n in found["counts"].values())
        classes = found.get("classes", {}).get("test")
        largest = f"{max(classes.values()) / sum(classes.values()):.1%}" if classes else ""
        return counts, found.get("split", {}).get("rule", ""), largest
    chosen = _own_split(found)
    counts = " / ".join(f"{n:,}" for n in chosen["counts"].values())
    return counts, chosen["rule"], f"RMSE {chosen['chance']['test']:.2f}"


def _own_split(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a set with several targets and splits, that of its own choices."""
    choices = found["choices"]
    own: Mapping[str, Any] = found["splits"][f"{choices['target']}, {choices['split']}"]
    return own


def anchor(card: Card) -> str:
    """Where a card stands on the page."""
    return f"card-{card.name}"


def card_section(card: Card, names: Sequence[str], record: Record) -> list[str]:
    """A card, what was counted of each of its sets, and the contact sheets."""
    from data.registry import SETS

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
                f"{_choices(found['choices'])}{'; version ' + found['version'] if 'version' in found else ''}):"
            )
            out += _counted(found)
    missing = [name for name in names if name in SETS and name not in record["sets"]]
    if missing:
        out.append(f"Not counted, because not on the machine: {', '.join(f'{name} (`make data-{name}`)' for name in missing)}.")
    for name in names:
        sheet = record["sheets"].get(name)
        if sheet is not None:
            out.append(_sheet(name, sheet))
    return out


def _sheet(name: str, sheet: Mapping[str, str]) -> str:
    return f"![{sheet['alt']}]({name}.png)\n\n*{sheet['title']}. {sheet['caption']}*"


def _choices(choices: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in choices.items())


def _counted(found: Mapping[str, Any]) -> list[str]:
    """Tables of the classes of every part, or of the targets."""
    out = []
    if "classes" in found:
        names = list(next(iter(found["classes"].values())))
        if len(names) <= MANY:
            rows = [[part, sum(c.values()), *c.values()] for part, c in found["classes"].items()]
            out.append(table(["part", "all", *names], [[r[0], *(f"{n:,}" for n in r[1:])] for r in rows]))
        else:
            rows = []
            for part, c in found["classes"].items():
                low, high = (f(c.items(), key=lambda pair: pair[1]) for f in (min, max))
                rows.append([part, f"{sum(c.values()):,}", str(len(c)), f"{low[0]}, {low[1]:,}", f"{high[0]}, {high[1]:,}"])
            out.append(table(["part", "all", "classes", "fewest", "most"], rows))
    if "splits" in found:
        rows = []
        for split, own in found["splits"].items():
            for part in own["counts"]:
                numbers = (f"{own[key][part]:.2f}" for key in ("mean", "std", "chance"))
                rows.append([split, part, f"{own['counts'][part]:,}", *numbers])
        out.append(table(["target, split", "part", "windows", "mean", "std", "RMSE of the training mean"], rows, left=2))
    extra = [f"{name}: {_words(found[name])}" for name in ("speakers", "excluded", "duplicates", "films") if name in found]
    if extra:
        out.append("; ".join(extra) + ".")
    return out


def _words(value: Mapping[str, Any]) -> str:
    """Key and value of everything but checksums."""
    return ", ".join(f"{k} {v:,}" if isinstance(v, int) else f"{k} {v}" for k, v in value.items() if not k.startswith("sha256"))


# ---------------------------------------------------------------- statistics


def statistics_sections(record: Record) -> list[str]:
    """For each generator: how it was measured, the verdict, the figure, all lines."""
    if not record["statistics"]:
        return ["Nothing has been measured yet: `python -m reports.data --measure`."]
    out = [
        "Reference: statistics of what the original programs draw (of ListOps 20,000 accepted trees of Long Range Arena's program; of "
        "Pathfinder 1,000 images at 32 pixels and 240 at 128 of the program of 2019). Tolerance: four standard deviations of the "
        "difference that the sampling of both sides leaves, and the rounding of the printed reference. One fair comparison in "
        "15,000 falls outside."
    ]
    for name, found in record["statistics"].items():
        lines = found["lines"]
        off = [line for line in lines if not line[4]]
        verdict = f"**{len(lines) - len(off)} of {len(lines)} quantities lie within the tolerance.**"
        farthest = max(lines, key=lambda line: abs(line[2] - line[1]) / line[3])
        verdict += f" Farthest: {farthest[0]}, {abs(farthest[2] - farthest[1]) / farthest[3]:.2f} of its tolerance."
        if off:
            verdict += " Outside: " + "; ".join(f"{q} ({_number(ours)} against {_number(ref)})" for q, ref, ours, _, _ in off) + "."
        out += [
            f"### {name}",
            f"{found['n']:,} samples, {found['version']}; measured on {found['date']} with Python {found['python']} and numpy "
            f"{found['numpy']}. {verdict}",
        ]
        if panels(name, found):
            out.append(
                f"![Reference and measured values side by side]({name}-statistics.png)\n\n*Pale bars: the reference. Dots: ours, with the "
                "tolerance around them; a dot whose stroke does not reach the end of its bar disagrees.*"
            )
        rows = [[q, _number(ref), _number(ours), _number(tol), "yes" if ok else "**no**"] for q, ref, ours, tol, ok in lines]
        lists = table(["quantity", "reference", "ours", "tolerance", "agrees"], rows)
        out.append(f"<details><summary>All {len(lines)} quantities</summary>\n\n{lists}\n\n</details>")
    return out


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


PANELS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "listops": (
        ("share of rows, length ", "length, tokens from"),
        ("share of operators at depth ", "operators, by depth"),
        ("share of roots with ", "root operators, by arguments"),
        ("share of rows with value ", "rows, by value"),
    ),
    "pathfinder": (
        ("distance, ", "distance of the discs, pixels"),
        ("distractors: ", "images, by distractors drawn"),
        ("image mean, ", "mean of an image, quantiles"),
        ("pixels ", "share of pixels"),
    ),
}
"""Beginnings of the quantities of each panel and its heading; pathx has those of pathfinder."""


def panels(name: str, found: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, float, float, float]]]]:
    """What is worth a picture of a generator: headings, each with (label, reference, ours, tolerance)."""
    out = []
    for start, title in PANELS.get(name, PANELS["pathfinder"]):
        chosen = [(_short(q.removeprefix(start)), ref, ours, tol) for q, ref, ours, tol, _ in found["lines"] if q.startswith(start)]
        if chosen:
            out.append((title, chosen))
    return out


def figures(record: Record) -> dict[str, bytes]:
    """NAME-statistics.png for each generator with something to draw."""
    from reports.gallery import compact
    from reports.plots import save
    from reports.sheets import references

    found = {name: panels(name, measured) for name, measured in record["statistics"].items()}
    return {f"{name}-statistics.png": compact(save(references(drawn), "png"), palette=False) for name, drawn in found.items() if drawn}


def _short(label: str) -> str:
    """A label that fits under a bar."""
    return label.split(" to ")[0].removesuffix(" arguments").removeprefix("= ").strip()


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
        return "There is no sheet yet: `python -m reports.data --measure`."
    return table(["sheet", "looked at", "what was seen"], rows, left=3)


# ---------------------------------------------------------------- the command


def parser() -> cli.Parser:
    """The flags."""
    p = cli.Parser("python -m reports.data", inspect.getdoc(sys.modules[__name__]) or "")
    p.add_argument("--measure", nargs="?", type=cli.words, const=("all",), default=None, metavar="NAME,...",
                   help="measure these sets, or all that are here, before rendering")  # fmt: skip
    p.add_argument("--looked", default=None, metavar="NAME", help="note that somebody has looked at this sheet")
    p.add_argument("--seen", default=None, metavar="TEXT", help="what was seen")
    p.add_argument("--data", type=cli.folder, default=None, metavar="DIR", help="data sets (default: $SSM_DATA, or the user's cache)")
    p.add_argument("--out", type=cli.folder, default=None, metavar="DIR", help="the folder of record and page (default: reports/data)")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = parser().parse(argv)
    if (options.looked is None) != (options.seen is None):
        raise cli.UsageError("--looked NAME and --seen TEXT belong together")
    if options.looked is not None and options.measure is not None:
        raise cli.UsageError("measure first, look, and then note with --looked")
    if options.data is not None:
        os.environ["SSM_DATA"] = options.data
    folder = Path(options.out) if options.out is not None else FOLDER
    if options.looked is not None:
        record = looked(folder, options.looked, options.seen)
    elif options.measure is not None:
        record = measure(folder, _names(options.measure))
    else:
        record = read(folder)
    content = as_json(record)
    record = json.loads(content)  # what is printed is what is kept
    write(folder, {**figures(record), RECORD: content, PAGE: page(record).encode()})
    print(folder / PAGE)
    return cli.DONE


def _names(wanted: Sequence[str]) -> tuple[str, ...]:
    from models.names import unknown
    from reports import gallery

    known = tuple(dict.fromkeys((*gallery.KNOWN, *gallery.SHEETS)))
    if tuple(wanted) == ("all",):
        return known
    for name in wanted:
        if name not in known:
            raise cli.UsageError(unknown("data set", name, known))
    return tuple(wanted)


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
