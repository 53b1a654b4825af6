"""python -m ablations NAME: runs the cells of a grid that have no finished record yet; with --report renders what there is instead."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks import cli
from reports import FORMATS


def parser() -> cli.Parser:
    """The flags; the grids are imported after parsing."""
    p = cli.Parser("python -m ablations", "Train and score the cells of an ablation grid; finished runs are skipped.")
    p.add_argument("name", nargs="?", metavar="NAME", help="the grid, see --list")
    p.add_argument("--list", action="store_true", help="the grids, and how many of the runs of seeds 0, 1, 2 are done")
    p.add_argument("--report", action="store_true", help="train nothing: tables, figures and the page of the grid, with its holes")
    p.add_argument("--everything", action="store_true", help="train nothing: every benchmark and grid that has a record, on one page")
    p.add_argument("--format", type=cli.some_of("format", FORMATS), default=(), metavar=",".join(FORMATS), help="written besides")
    p.add_argument(
        "--commit",
        action="store_true",
        help="train nothing: copy the records into reports/records and render from the copy into reports/tables and reports/figures",
    )
    cli.add_launch_options(p)
    return p


def listing() -> str:
    """Every grid with its size and progress."""
    from ablations.registry import ABLATIONS
    from benchmarks.running.record import FINISHED
    from benchmarks.running.store import Store

    store, lines = Store(), []
    for ablation in ABLATIONS.values():
        runs = {spec.id: spec for spec in ablation.specs((0, 1, 2))}
        done = sum(store.status(spec) in FINISHED for spec in runs.values())
        lines += [f"{ablation.name}: {ablation.title}. {len(ablation.cells())} cells, {done}/{len(runs)} runs done (seeds 0,1,2)"]
        lines += [f"  {' / '.join(cell.row.values())}" for cell in ablation.cells()]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = parser().parse(argv)
    if options.list:
        print(listing(), end="")
        return cli.DONE
    if options.everything:
        from ablations.everything import everything
        from reports.evidence import show_page

        return show_page(everything(), options.format)
    from ablations.registry import ABLATIONS
    from benchmarks.running.launch import run_jobs
    from models.names import choose

    if options.name is None:
        raise cli.UsageError(f"name a grid: {', '.join(ABLATIONS)} (or --list)")
    with cli.as_usage():
        ablation = choose("ablation", options.name, ABLATIONS)
    if options.report or options.commit:
        from ablations.report import request
        from reports.evidence import commit, show

        asked = request(ablation, options.seeds)
        return commit(asked) if options.commit else show(asked, options.format)
    return run_jobs(ablation.jobs(options.seeds), options, ["ablations", ablation.name])


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
