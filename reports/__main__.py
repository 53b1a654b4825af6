"""python -m reports quickstart | benchmark NAME | family NAME | grid NAME | everything: renders what the records hold, trains nothing.

What needs tables or figures is imported after parsing, so that --help and a misspelt option answer at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks import cli
from reports import FORMATS

if TYPE_CHECKING:
    from reports.request import Request

OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "name": {"nargs": "?", "metavar": "NAME", "help": "which one"},
    "--seeds": {"type": cli.seeds, "default": (0, 1, 2), "metavar": "0,1,2", "help": "seeds asked for (default 0,1,2)"},
    "--variant": {"type": cli.words, "default": ("default",), "metavar": "A,B", "help": "rows; or default, or all"},
    "--scale": {"default": None, "metavar": "quick|small|paper", "help": "size of the experiments (default: the smallest there is)"},
    "--readout": {"default": None, "metavar": "noise|all|last", "help": "where the class is read, for signals followed by noise"},
    "--protocol": {"default": None, "metavar": "FIELD=VALUE,...", "help": "the runs with these choices of protocol"},
    "--format": {
        "type": cli.some_of("format", FORMATS),
        "default": (),
        "metavar": ",".join(FORMATS),
        "help": "of tables and figures, written besides the usual ones",
    },
}


@dataclass(frozen=True)
class Kind:
    """One kind of report: what it shows, which of OPTIONS it has, what --commit does, and how it is asked for."""

    about: str
    options: tuple[str, ...]
    request: Callable[[argparse.Namespace, Store], Request] | None
    commit: str = "copy the records into reports/records; render from there into reports/tables, reports/figures and reports/README.md"


def _quickstart(options: argparse.Namespace, store: Store) -> Request:
    from reports.benchmark import request_quickstart

    return request_quickstart(options.seeds, options.variant, store)


def _benchmark(options: argparse.Namespace, store: Store) -> Request:
    from benchmarks.registry import BENCHMARKS, FAMILIES
    from reports.benchmark import request_benchmark

    if options.name in FAMILIES and options.readout is None:
        return _family(options, store)
    return request_benchmark(
        _named("benchmark", options.name, BENCHMARKS), options.seeds, options.variant, options.scale, store,
        readout=options.readout, protocol=options.protocol,
    )  # fmt: skip


def _family(options: argparse.Namespace, store: Store) -> Request:
    from benchmarks.registry import FAMILIES
    from reports.family import request_family

    name = _named("family", options.name, FAMILIES)
    return request_family(name, options.seeds, options.variant, options.scale, store, protocol=options.protocol)


def _grid(options: argparse.Namespace, store: Store) -> Request:
    from ablations.registry import ABLATIONS
    from reports.grid import request_grid

    return request_grid(_named("grid", options.name, ABLATIONS), options.seeds)


def _named(kind: str, name: str | None, known: Mapping[str, object]) -> str:
    if name is None:
        raise ValueError(f"{kind} of what name? one of: {', '.join(known)}")
    return name


KINDS: Final[Mapping[str, Kind]] = {
    "quickstart": Kind("noise-padded digits, the default rows", ("--seeds", "--variant", "--format"), _quickstart),
    "benchmark": Kind(
        "a row per variant of the benchmark NAME (of a family of them: side by side)",
        ("name", "--seeds", "--variant", "--scale", "--readout", "--protocol", "--format"),
        _benchmark,
    ),
    "family": Kind(
        "several benchmarks side by side, NAME: lra, lra-kin, speech, biosignals, probes",
        ("name", "--seeds", "--variant", "--scale", "--protocol", "--format"),
        _family,
    ),
    "grid": Kind("the cells of the ablation grid NAME, and what each factor moves", ("name", "--seeds", "--format"), _grid),
    "everything": Kind(
        "every benchmark and every grid that has a record, on one page",
        ("--format",),
        None,
        "write every committed report and reports/README.md again, from the committed records alone; nothing is copied",
    ),
}


def parse(words: Sequence[str]) -> tuple[str, argparse.Namespace]:
    """The kind of report and its options. Raises UsageError that names the nearest word."""
    from models.names import choose

    overview = cli.Parser(
        "python -m reports",
        "Render tables, figures and one HTML page from the records there are; a missing run is a hole with the command that fills it.\n\n"
        + "\n".join(f"  {name:<11} {kind.about}" for name, kind in KINDS.items())
        + "\n\npython -m reports KIND --help lists its options.",
    )
    overview.add_argument("kind", metavar="|".join(KINDS), help="what to render")
    asked = overview.parse(words[:1]).kind
    with cli.as_usage():
        kind = choose("report", asked, KINDS)
    p = cli.Parser(f"python -m reports {asked}", f"{kind.about[0].upper()}{kind.about[1:]}.")
    for option in kind.options:
        p.add_argument(option, **OPTIONS[option])
    p.add_argument("--commit", action="store_true", help=kind.commit)
    if "name" not in kind.options and len(words) > 1 and not words[1].startswith("-"):
        raise cli.UsageError(f"{asked} is a report of its own and takes no name; got {words[1]!r}")
    options = p.parse(words[1:])
    if options.commit and options.format:
        raise cli.UsageError(f"--format is for the page in the run store; --commit writes text, Markdown, SVG and PNG; got both {words}")
    return asked, options


def request(words: Sequence[str], store: Store) -> Request:
    """The report that these words ask for; `store` says which rows have a second line. Raises UsageError."""
    asked, options = parse(words)
    make = KINDS[asked].request
    assert make is not None, f"{asked} is made of other reports"
    with cli.as_usage():
        return make(options, store)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    words = sys.argv[1:] if argv is None else argv
    asked, options = parse(words)
    from reports import committed, evidence
    from reports.everything import report_everything
    from reports.parts.frame import all_records, committed_records

    if options.commit:
        known = [request(line, committed_records()) for line in committed.read(evidence.HERE)]
        return evidence.render_committed(known) if asked == "everything" else evidence.commit(request(words, all_records()), known)
    if asked == "everything":
        return evidence.show_page(report_everything(all_records()), options.format)
    return evidence.show(request(words, all_records()).answer(all_records()), options.format)


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
