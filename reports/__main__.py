"""python -m reports quickstart | benchmark NAME: renders what the records hold, trains nothing. Grids: see python -m ablations."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks import cli
from reports import FORMATS


def parser() -> cli.Parser:
    """The flags; names are looked up after parsing, so that --help needs no tables."""
    p = cli.Parser(
        "python -m reports",
        "Render tables, figures and one HTML page from the records there are; a missing run is a hole with the command that fills it.\n\n"
        "  quickstart        noise-padded digits, the default rows\n"
        "  benchmark NAME    any benchmark, or a family of them side by side: lra, lra-kin, speech, biosignals, probes\n\n"
        "Grids are rendered by python -m ablations NAME --report.",
    )
    p.add_argument("kind", metavar="quickstart|benchmark", help="what to render")
    p.add_argument("name", nargs="?", metavar="NAME", help="which benchmark or family")
    p.add_argument("--seeds", type=cli.seeds, default=(0, 1, 2), metavar="0,1,2", help="seeds asked for (default 0,1,2)")
    p.add_argument("--variant", type=cli.words, default=("default",), metavar="A,B", help="rows of a benchmark; or default, or all")
    p.add_argument("--scale", default=None, metavar="quick|small|paper", help="scale of a benchmark (default: its smallest)")
    p.add_argument("--readout", default=None, metavar="noise|all|last", help="where the class is read, for signals followed by noise")
    p.add_argument("--protocol", default=None, metavar="FIELD=VALUE,...", help="the runs with these choices of protocol")
    p.add_argument("--format", type=cli.some_of("format", FORMATS), default=(), metavar=",".join(FORMATS), help="written besides")
    p.add_argument(
        "--commit",
        action="store_true",
        help="copy the records into reports/records and render from the copy into reports/tables and reports/figures",
    )
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = parser().parse(argv)
    from benchmarks.registry import FAMILIES
    from reports import benchmark, family

    with cli.as_usage():
        if options.kind == "benchmark" and options.name in FAMILIES and options.readout is None:
            asked = family.request(options.name, options.seeds, options.variant, options.scale, options.protocol)
        else:
            asked = benchmark.request(
                options.kind,
                options.name,
                options.seeds,
                options.variant,
                options.scale,
                readout=options.readout,
                protocol=options.protocol,
            )
    from reports.evidence import commit, show

    return commit(asked) if options.commit else show(asked, options.format)


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
