"""python -m reports quickstart | benchmark NAME: renders what the records hold, trains nothing. Grids: see python -m ablations."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmarks import cli
from reports import FORMATS

if TYPE_CHECKING:
    import pandas as pd

    from benchmarks.spec import Benchmark, Scale
    from reports.evidence import Request
    from reports.page import Report

QUICKSTART = "digits-noise"
"""The benchmark of the quickstart: no download, minutes on two cores."""


def parser() -> cli.Parser:
    """The flags; names are looked up after parsing, so that --help needs no tables."""
    p = cli.Parser(
        "python -m reports",
        "Render tables, figures and one HTML page from the records there are; a missing run is a hole with the command that fills it.\n\n"
        "  quickstart        noise-padded digits, the default rows\n"
        "  benchmark NAME    any benchmark\n\n"
        "Grids are rendered by python -m ablations NAME --report.",
    )
    p.add_argument("kind", metavar="quickstart|benchmark", help="what to render")
    p.add_argument("name", nargs="?", metavar="NAME", help="which benchmark")
    p.add_argument("--seeds", type=cli.seeds, default=(0, 1, 2), metavar="0,1,2", help="seeds asked for (default 0,1,2)")
    p.add_argument("--variant", type=cli.words, default=("default",), metavar="A,B", help="rows of a benchmark; or default, or all")
    p.add_argument("--scale", default=None, metavar="quick|small|paper", help="scale of a benchmark (default: its smallest)")
    p.add_argument("--readout", default=None, metavar="noise|all|last", help="where the class is read, for signals followed by noise")
    p.add_argument("--format", type=cli.some_of("format", FORMATS), default=(), metavar=",".join(FORMATS), help="written besides")
    p.add_argument(
        "--commit",
        action="store_true",
        help="copy the records into reports/records and render from the copy into reports/tables and reports/figures",
    )
    return p


def benchmark_name(kind: str, name: str | None) -> str:
    """The benchmark that `kind` and `name` ask for. Raises ValueError that names the nearest."""
    from benchmarks.registry import BENCHMARKS
    from models.names import choose

    if choose("report", kind, {k: k for k in ("quickstart", "benchmark")}) == "quickstart":
        if name is not None:
            raise ValueError(f"quickstart is a report of its own and takes no name; got {name!r}")
        return QUICKSTART
    if name is None:
        raise ValueError(f"benchmark of what? one of: {', '.join(BENCHMARKS)}")
    return choose("benchmark", name, BENCHMARKS).name


def request(
    kind: str, name: str | None, seeds: tuple[int, ...], variants: tuple[str, ...], scale: str | None, readout: str | None = None
) -> Request:
    """The runs of a benchmark, row by row, and its report. Raises ValueError that names the nearest valid name."""
    from benchmarks.__main__ import variants as named
    from benchmarks.registry import BENCHMARKS
    from benchmarks.spec import SCALES
    from models import VARIANTS
    from models.names import choose
    from reports.evidence import Request
    from reports.frame import Expected
    from reports.render import benchmark_report
    from reports.tables import METRICS

    benchmark = BENCHMARKS[benchmark_name(kind, name)]
    benchmark = benchmark if readout is None else benchmark.read_out(readout)
    suffix = "" if readout is None else f" --readout {readout}"
    size = benchmark.scales[0] if scale is None else choose("scale", scale, {s: s for s in SCALES})
    recipes = {v: benchmark.recipe(v, size) for v in with_second_lines(benchmark, size, named(variants), seeds)}
    listed = ",".join(map(str, seeds))
    expected = [
        Expected(
            labels={"variant": v}, benchmark=benchmark.name, id=recipe.with_seed(seed).id, seed=seed, scale=size,
            command=f"python -m benchmarks {benchmark.name} --variant {v} --scale {size} --seeds {listed}{suffix}",
            about=f"{VARIANTS[v].about} ({VARIANTS[v].citation})", source=recipe.source, notes=recipe.notes,
        )
        for v, recipe in recipes.items() for seed in seeds
    ]  # fmt: skip
    words = ["python -m reports", kind, *([name] if name else [])]
    words += [f"--seeds {listed}"] if seeds != (0, 1, 2) else []
    words += [f"--variant {','.join(variants)}"] if variants != ("default",) else []
    words += [f"--scale {scale}"] if scale else []
    words += [suffix.strip()] if suffix else []
    folder = "quickstart" if kind == "quickstart" else benchmark.name
    data = next(iter(recipes.values())).run.data
    noise = getattr(data, "noise", 0)  # of the data sets only the noise-padded ones have it: how far back the signal lies

    def build(runs: pd.DataFrame) -> Report:
        return benchmark_report(
            runs, name=folder + (f"-{readout}" if readout else ""), title=benchmark.title, about=benchmark.about,
            metric=METRICS[benchmark.metric], scale=size, make=" ".join(words), published=benchmark.published,
            lags=(noise, data.signature.length - 1) if noise else None,
        )  # fmt: skip

    return Request(expected=expected, build=build)


def with_second_lines(benchmark: Benchmark, scale: Scale, rows: Sequence[str], seeds: Sequence[int]) -> list[str]:
    """`rows`, each followed by the same parameterization at its own paper's learning rates where somebody has run that."""
    from models import VARIANTS
    from reports.frame import Found, Library

    library, out = Library(), []
    for row in rows:
        out.append(row)
        for second in (name for name, v in VARIANTS.items() if v.second_line_of == row and name not in rows):
            ids = (benchmark.recipe(second, scale).with_seed(seed).id for seed in seeds)
            if any(isinstance(library.find(benchmark.name, id), Found) for id in ids):
                out.append(second)
    return out


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = parser().parse(argv)
    with cli.as_usage():
        asked = request(options.kind, options.name, options.seeds, options.variant, options.scale, options.readout)
    from reports.evidence import commit, show

    return commit(asked) if options.commit else show(asked, options.format)


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
