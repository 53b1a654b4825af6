"""python -m reports quickstart | benchmark | family | grid | sweep | speed | profile | everything | export: renders what the records hold.

What needs tables or figures is imported after the flags are read, so that --help and a misspelt flag answer at once.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Final

import data.signals  # noqa: F401 the first of ours: what follows takes seconds
from benchmarks import cli, plugins
from data import command
from reports import FORMATS
from reports.export import Export, export

if TYPE_CHECKING:
    from benchmarks.running.store import Store
    from reports.request import Request

PROG: Final = "python -m reports"


@dataclass(frozen=True, kw_only=True)
class _Output:
    """What is written, and where to: the flags of every kind of report."""

    format: Annotated[tuple[str, ...], cli.option("--format", cli.some_of("format", FORMATS), ",".join(FORMATS)), cli.SHOWN] = ()
    """Faces of tables and figures that are written besides the usual ones."""
    commit: Annotated[bool, cli.SHOWN] = False
    """Copy the records into reports/records; render from there into reports/tables, reports/figures and reports/README.md."""
    plugin: cli.Plugins = ()
    """Files of your own whose rows are reported too."""

    def checked(self) -> str:
        """The name of what is reported, empty where the kind says it all. Raises ValueError that names the nearest, before anything that
        draws is imported."""
        return ""


@dataclass(frozen=True, kw_only=True)
class _Rows(_Output):
    """Which runs are shown: the flags of reports that have a row per variant."""

    seeds: cli.Seeds = (0, 1, 2)
    """Seeds asked for, separated by commas."""
    variant: cli.Variants = ("default",)
    """Rows, separated by commas; or default, or all."""


@dataclass(frozen=True, kw_only=True)
class _Tasks(_Rows):
    """Which task is reported, and which of its runs: the flags of reports on benchmarks."""

    name: cli.Name = None
    """Which one."""
    scale: cli.ScaleName = None
    """Size of the experiments (default: the smallest there is)."""
    protocol: cli.Protocol = None
    """The runs with these choices of protocol, as in source=mini,split=patient, or of the literature (the word for all of its choices)."""


@dataclass(frozen=True, kw_only=True)
class Quickstart(_Rows):
    """Noise-padded digits, the default rows."""

    def request(self, store: Store) -> Request:
        """The report; `store` says which rows have a second line. Raises ValueError, as those below do."""
        from reports.benchmark import request_quickstart

        return request_quickstart(self.seeds, self.variant, store)


@dataclass(frozen=True, kw_only=True)
class Family(_Tasks):
    """Several benchmarks side by side: lra, lra-kin, speech, biosignals, probes."""

    def checked(self) -> str:
        from benchmarks.registry import FAMILIES

        return _require_name("family", self.name, FAMILIES)

    def request(self, store: Store) -> Request:
        """The report of all members."""
        from reports.family import request_family

        name = self.checked()
        return request_family(name, self.seeds, self.variant, self.scale, store, protocol=self.protocol)


@dataclass(frozen=True, kw_only=True)
class Benchmark(_Tasks):
    """A row per variant of one benchmark; of a family of benchmarks, all of them side by side."""

    readout: cli.Readout = None
    """Where the class is read, for signals followed by noise."""
    set: cli.Set = None
    """The runs with these fields set, as in mixer.d_state=16,optim.lr=0.003, beside those of the recipes."""
    tune: cli.Tune = None
    """rates: each row at those of its tried rates that are best on validation."""

    def checked(self) -> str:
        from benchmarks.registry import BENCHMARKS, FAMILIES

        return _require_name("benchmark", self.name, BENCHMARKS, FAMILIES)

    def request(self, store: Store) -> Request:
        """The report of the benchmark; of the family, where the name is one's, so that `make compare` takes either."""
        from benchmarks.registry import FAMILIES
        from reports.benchmark import request_benchmark

        name = self.checked()
        if name in FAMILIES and (self.readout, self.set, self.tune) == (None, None, None):
            return Family(name=name, seeds=self.seeds, variant=self.variant, scale=self.scale, protocol=self.protocol).request(store)
        return request_benchmark(
            name,
            self.seeds,
            self.variant,
            self.scale,
            store,
            readout=self.readout,
            protocol=self.protocol,
            changes=self.set,
            tune=self.tune,
        )


@dataclass(frozen=True, kw_only=True)
class Grid(_Output):
    """The cells of an ablation grid, and what each of its factors moves."""

    name: cli.Name = None
    """Which one."""
    bench: cli.Bench = None
    """The benchmark whose recipes were varied (default: the one that the grid names)."""
    scale: cli.ScaleName = None
    """Size of the experiments (default: that of the grid, or the smallest of another benchmark)."""
    protocol: cli.Protocol = None
    """Other choices of protocol of that benchmark."""
    seeds: cli.Seeds = (0, 1, 2)
    """Seeds asked for, separated by commas."""

    def checked(self) -> str:
        from ablations.registry import ABLATIONS

        return _require_name("grid", self.name, ABLATIONS)

    def request(self, store: Store) -> Request:
        """The report of every cell."""
        from reports.grid import request_grid

        return request_grid(self.checked(), self.seeds, self.bench, self.scale, self.protocol)


@dataclass(frozen=True, kw_only=True)
class Sweep(_Output):
    """The cells of a grid that stands in no file: every combination of the values of some fields."""

    bench: cli.Bench = None
    """The benchmark whose recipes were varied."""
    scale: cli.ScaleName = None
    """Size of the experiments (default: the smallest of the benchmark)."""
    protocol: cli.Protocol = None
    """Other choices of protocol of that benchmark."""
    variant: cli.Variants = ("s4d-lin",)
    """The rows whose recipes were varied."""
    sweep: cli.Sweep = None
    """The values, as in "mixer.init=lin,inv mixer.real=false,true"."""
    seeds: cli.Seeds = (0, 1, 2)
    """Seeds asked for, separated by commas."""

    def request(self, store: Store) -> Request:
        """The report of every cell."""
        from ablations.sweep import sweep
        from benchmarks.registry import BENCHMARKS
        from reports.grid import request_cells

        if self.sweep is None:
            raise ValueError("sweep of what? --sweep takes fields and their values, as in mixer.init=lin,inv")
        bench = _require_name("sweep", self.bench, BENCHMARKS)
        return request_cells(sweep(bench, self.scale, self.variant, self.sweep, self.protocol), self.seeds, kind="sweep")


@dataclass(frozen=True, kw_only=True)
class Speed(_Output):
    """How fast every row is, from the sessions of `python -m benchmarks.speed`."""

    def request(self, store: Store) -> Request:
        """The report of the newest session of each device."""
        from reports.speed import request_speed

        return request_speed()


@dataclass(frozen=True, kw_only=True)
class Profile(_Output):
    """Where a training step's time goes, from what `python -m benchmarks.speed.profile` found of a benchmark."""

    name: cli.Name = None
    """Which one."""

    def request(self, store: Store) -> Request:
        """The report of every row that was profiled."""
        from benchmarks.registry import BENCHMARKS
        from reports.profile import request_profile

        return request_profile(_require_name("benchmark", self.name, BENCHMARKS))


@dataclass(frozen=True, kw_only=True)
class Everything(_Output):
    """An index of every record there is, with a page for each benchmark and grid."""

    commit: Annotated[bool, cli.SHOWN] = False
    """Write every committed report and reports/README.md again, from the committed records alone; nothing is copied."""


ONE: Final[Mapping[str, type[Quickstart | Benchmark | Family | Grid | Sweep | Speed | Profile]]] = {
    "quickstart": Quickstart,
    "benchmark": Benchmark,
    "family": Family,
    "grid": Grid,
    "sweep": Sweep,
    "speed": Speed,
    "profile": Profile,
}
"""The kinds of report that are of one thing. Besides there is `everything`."""
KINDS: Final[Mapping[str, type[_Output]]] = {**ONE, "everything": Everything}


def _require_name(kind: str, name: str | None, known: Mapping[str, object], families: Mapping[str, object] = MappingProxyType({})) -> str:
    """The name, which is in one of these tables."""
    if name is None:
        more = f"; or a family of them: {', '.join(families)}" if families else ""
        raise ValueError(f"{kind} of what name? one of: {', '.join(known)}{more}")
    if name not in known and name not in families:
        raise ValueError(command.nearest(kind, name, [*known, *families]))
    return name


def overview() -> str:
    """The kinds of report, a line each."""
    lines = [f"usage: {PROG} {'|'.join(KINDS)}|export", ""]
    lines += [
        "Render tables, figures and one HTML page from the records there are; a missing run is a hole with the command that fills it.",
        "",
    ]
    lines += [f"  {name:<11} {kind.__doc__}" for name, kind in (*KINDS.items(), ("export", Export))]
    return "\n".join([*lines, "", f"{PROG} KIND --help lists the flags of a kind."])


def request(words: Sequence[str], store: Store) -> Request:
    """The report of one thing that these words ask for. Raises UsageError that names the nearest word."""
    from models.choices.names import choose

    with cli.as_usage():
        kind = choose("report", words[0], ONE)
        return cli.read(kind, cli.gathered("--set", words[1:]), prog=f"{PROG} {words[0]}").request(store)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    from models.choices.names import choose

    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] in (["-h"], ["--help"]):
        print(overview())
        return cli.DONE
    if not words:
        raise cli.UsageError(f"name a report: {', '.join(KINDS)}, export (see {PROG} --help)")
    if words[0] == "export":
        return export(cli.read(Export, words[1:], prog=f"{PROG} export"))
    with cli.as_usage():
        choose("report", words[0], {**KINDS, "export": Export})
    kind = KINDS[words[0]]
    if kind in (Quickstart, Sweep, Speed, Everything) and len(words) > 1 and not words[1].startswith("-"):
        raise cli.UsageError(f"{words[0]} is a report of its own and takes no name; got {words[1]!r}")
    options = cli.read(kind, cli.gathered("--set", words[1:]), prog=f"{PROG} {words[0]}")
    plugins.load(options.plugin)
    if options.commit and plugins.flags():
        raise cli.UsageError("what is committed is of rows of the suite, since a checkout has to render it alone; leave --plugin out")
    if options.commit and options.format:
        raise cli.UsageError(f"--format is for the page in the run store; what is committed has one form; got {' '.join(words)}")
    with cli.as_usage():
        options.checked()
    from reports import committed, evidence
    from reports.everything import report_everything
    from reports.parts.frame import all_records, committed_records

    if options.commit:
        known = [request(line, committed_records()) for line in committed.read(evidence.HERE)]
        return evidence.render_committed(known) if kind is Everything else evidence.commit(request(words, all_records()), known)
    if kind is Everything:
        return evidence.show_everything(report_everything(all_records()), options.format)
    return evidence.show(request(words, all_records()).answer(all_records()), options.format)


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
