"""python -m reports quickstart | benchmark NAME | ablation NAME | commit NAME: renders what the records hold; trains nothing."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from benchmarks import cli

if TYPE_CHECKING:
    from benchmarks.spec import RunSpec, Scale
    from reports.frame import Expected, Library
    from reports.page import Report

QUICKSTART = "digits-noise"
"""The benchmark of the quickstart: no download, minutes on two cores."""
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, kw_only=True)
class Request:
    """A report that can be asked for: its name, the runs it wants, and whether it is a grid."""

    kind: str
    name: str
    seeds: tuple[int, ...]
    variants: tuple[str, ...] = ("default",)
    scale: str | None = None

    @property
    def folder(self) -> str:
        return "quickstart" if self.kind == "quickstart" else self.name

    @property
    def command(self) -> str:
        """The line that makes this page again."""
        words = ["python -m reports", self.kind] + ([self.name] if self.kind != "quickstart" else [])
        words += [f"--seeds {','.join(map(str, self.seeds))}"] if self.seeds != (0, 1, 2) else []
        words += [f"--variant {','.join(self.variants)}"] if self.variants != ("default",) else []
        return " ".join(words + ([f"--scale {self.scale}"] if self.scale else []))


def parser() -> cli.Parser:
    """The flags; names are looked up after parsing, so that --help needs no tables."""
    p = cli.Parser(
        "python -m reports",
        "Render tables, figures and one HTML page from the records there are; a missing run is a hole with the command that fills it.\n\n"
        "  quickstart        noise-padded digits, the default rows\n"
        "  benchmark NAME    any benchmark\n"
        "  ablation NAME     any grid\n"
        "  commit NAME       copy the records behind quickstart, a benchmark or a grid into reports/records, and render from the copy\n"
        "                    into reports/tables and reports/figures",
    )
    p.add_argument("kind", metavar="quickstart|benchmark|ablation|commit", help="what to render")
    p.add_argument("name", nargs="?", metavar="NAME", help="which benchmark or grid")
    p.add_argument("--seeds", type=cli.seeds, default=(0, 1, 2), metavar="0,1,2", help="seeds asked for (default 0,1,2)")
    p.add_argument("--variant", type=cli.words, default=("default",), metavar="A,B", help="rows of a benchmark; or default, or all")
    p.add_argument("--scale", default=None, metavar="quick|small|paper", help="scale of a benchmark (default: its smallest)")
    return p


def request(kind: str, name: str | None, seeds: tuple[int, ...], variants: tuple[str, ...], scale: str | None) -> Request:
    """What was asked for, names checked. Raises ValueError that names the nearest."""
    from ablations.registry import ABLATIONS
    from benchmarks.registry import BENCHMARKS
    from models.names import choose

    kind = choose("report", kind, {k: k for k in ("quickstart", "benchmark", "ablation", "commit")})
    if kind == "quickstart":
        if name is not None:
            raise ValueError(f"quickstart is a report of its own and takes no name; got {name!r}")
        return Request(kind=kind, name=QUICKSTART, seeds=seeds, variants=variants, scale=scale)
    known = {"benchmark": list(BENCHMARKS), "ablation": list(ABLATIONS)}
    names = {"quickstart": "quickstart", **dict.fromkeys(BENCHMARKS, "benchmark"), **dict.fromkeys(ABLATIONS, "ablation")}
    offered = list(names) if kind == "commit" else known[kind]
    if name is None:
        raise ValueError(f"{kind} of what? one of: {', '.join(offered)}")
    choose(kind if kind != "commit" else "report", name, dict.fromkeys(offered))
    kind = names[name] if kind == "commit" else kind
    if kind == "ablation" and (variants != ("default",) or scale is not None):
        raise ValueError("a grid fixes its own rows and scale: --variant and --scale are for benchmarks")
    return Request(kind=kind, name=QUICKSTART if kind == "quickstart" else name, seeds=seeds, variants=variants, scale=scale)


def expected(r: Request) -> list[Expected]:
    """The runs a report asks for, row by row."""
    from ablations.registry import ABLATIONS
    from benchmarks.__main__ import variants
    from benchmarks.registry import BENCHMARKS
    from models import VARIANTS
    from reports.frame import Expected

    seeds = ",".join(map(str, r.seeds))
    if r.kind == "ablation":
        return [
            Expected(
                labels=cell.row, benchmark=spec.benchmark, id=spec.id, seed=seed, scale=spec.scale,
                command=f"python -m ablations {r.name} --seeds {seeds}", source=f"the grid {r.name}, from the recipe of {spec.benchmark}",
            )
            for cell in ABLATIONS[r.name].cells() for seed in r.seeds for spec in [_with_seed(cell.spec, seed)]
        ]  # fmt: skip
    benchmark = BENCHMARKS[r.name]
    scale = _scale(r)
    return [
        Expected(
            labels={"variant": v}, benchmark=benchmark.name, id=recipe.with_seed(seed).id, seed=seed, scale=scale,
            command=f"python -m benchmarks {benchmark.name} --variant {v} --scale {scale} --seeds {seeds}",
            about=f"{VARIANTS[v].about} ({VARIANTS[v].citation})", source=recipe.source, notes=recipe.notes,
        )
        for v in variants(r.variants) for recipe in [benchmark.recipe(v, scale)] for seed in r.seeds
    ]  # fmt: skip


def _with_seed(spec: RunSpec, seed: int) -> RunSpec:
    return replace(spec, seed=seed)


def _scale(r: Request) -> Scale:
    from benchmarks.registry import BENCHMARKS
    from benchmarks.spec import SCALES
    from models.names import choose

    return BENCHMARKS[r.name].scales[0] if r.scale is None else choose("scale", r.scale, {s: s for s in SCALES})


def build(r: Request, library: Library) -> Report:
    """The report from the records that `library` has."""
    from ablations.registry import ABLATIONS
    from benchmarks.registry import BENCHMARKS
    from reports.frame import tidy
    from reports.render import ablation_report, benchmark_report
    from reports.tables import METRICS

    asked = expected(r)
    runs = tidy(asked, library)
    if r.kind == "ablation":
        grid = ABLATIONS[r.name]
        benchmark = BENCHMARKS[asked[0].benchmark]
        return ablation_report(
            runs, name=r.name, title=f"{grid.title}: the {r.name} grid", about=grid.about, metric=METRICS[benchmark.metric],
            scale=asked[0].scale, make=r.command, factors=grid.factors,
        )  # fmt: skip
    benchmark = BENCHMARKS[r.name]
    data = benchmark.recipe(runs["variant"].iloc[0], _scale(r)).run.data
    noise = getattr(data, "noise", 0)  # of the data sets only the noise-padded ones have it: how far back the signal lies
    return benchmark_report(
        runs, name=r.folder, title=benchmark.title, about=benchmark.about, metric=METRICS[benchmark.metric], scale=_scale(r),
        make=r.command, published=benchmark.published, lags=(noise, data.signature.length - 1) if noise else None,
    )  # fmt: skip


def arrays_wanted(asked: Sequence[Expected]) -> set[str]:
    """Ids of the runs whose arrays are committed too: seed 0 of the default rows of each benchmark asked for."""
    from benchmarks.registry import BENCHMARKS
    from models import DEFAULT_VARIANTS

    recipes = [
        BENCHMARKS[e.benchmark].recipe(v, cast("Scale", e.scale))
        for e in {(e.benchmark, e.scale): e for e in asked}.values()
        for v in DEFAULT_VARIANTS
    ]
    return {recipe.with_seed(0).id for recipe in recipes}


def commit(r: Request) -> int:
    """Copies the records of a report into reports/records, arrays for seed 0 of the default rows only, and renders from the copy."""
    from benchmarks.record import run_root, write_atomically
    from reports import frame
    from reports.render import write_tables_and_figures

    asked = expected(r)
    with_arrays = arrays_wanted(asked)
    copied = dirty = 0
    for _, run in frame.tidy(asked, frame.Library((("runs", run_root()),))).iterrows():
        found = run["found"]
        if not isinstance(found, frame.Found) or run["status"] == "failed":
            continue
        target = frame.COMMITTED / run["benchmark"] / run["id"]
        target.mkdir(parents=True, exist_ok=True)
        found.arrays()  # verified before it is evidence
        write_atomically(target / "record.json", found.path.read_bytes())
        arrays = found.path.with_name("arrays.npz")
        if run["id"] in with_arrays and arrays.is_file():
            shutil.copyfile(arrays, target / "arrays.npz")
        copied, dirty = copied + 1, dirty + int(run["dirty"])
    report = build(r, frame.Library((("reports/records", frame.COMMITTED),)))
    files = write_tables_and_figures(report, HERE / "tables", HERE / "figures")
    holes = int(report.runs["status"].isin(["missing", "failed"]).sum())
    print(f"{copied} records copied into reports/records, {len(files)} files rendered from there into reports/tables and reports/figures")
    if holes:
        print(f"note: {holes} of {len(report.runs)} runs have no committed record and show as holes", file=sys.stderr)
    if dirty:
        print(f"note: {dirty} records were made by code with uncommitted changes (environment.dirty)", file=sys.stderr)
    return cli.DONE


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code. Holes are not errors."""
    options = parser().parse(argv)
    with cli.as_usage():
        r = request(options.kind, options.name, options.seeds, options.variant, options.scale)
        expected(r)
    if options.kind == "commit":
        return commit(r)
    from benchmarks.environment import EnvironmentProblem
    from benchmarks.record import run_root
    from reports.frame import Library
    from reports.render import write

    report = build(r, Library())
    print(report.tables()[0].text())
    missing = report.runs[report.runs["status"].isin(["missing", "failed"])]
    if len(missing):
        print(f"\n{len(missing)} of {len(report.runs)} runs have no finished record. To make them:")
        print("\n".join(f"  {command}" for command in dict.fromkeys(missing["command"])))
    folder = run_root() / "reports" / report.name
    try:
        page = write(report, folder)
    except OSError as error:
        raise EnvironmentProblem(
            f"the report cannot be written to {folder} ({error.strerror or error}). Make the folder writable, free some space, or point "
            "the environment variable SSM_RUNS at another folder."
        ) from error
    print(f"\n{page}")
    return cli.DONE


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
