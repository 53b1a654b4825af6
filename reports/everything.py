"""Every record there is: a report for each benchmark, protocol, read-out, scale and grid of which there is one; one for the records of no
recipe; and those that cannot be used any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from ablations.grid import Ablation
from ablations.registry import ABLATIONS
from benchmarks.benchmark import Benchmark
from benchmarks.registry import BENCHMARKS, Selection, select_benchmark
from benchmarks.running.record import FINISHED, Record
from benchmarks.running.store import Store, StoredRecord
from benchmarks.spec import Scale
from data.protocol import choices
from models import DEFAULT_VARIANTS, VARIANTS
from reports.benchmark import request_benchmark
from reports.changed import request_changed
from reports.grid import request_cells, request_grid
from reports.parts import frame
from reports.parts.frame import Found
from reports.parts.report import Report
from reports.request import Request, Seeds
from reports.speed import request_speed, sessions


@dataclass(frozen=True, kw_only=True)
class Everything:
    """The reports that have a finished run, and that on speed where there is one, each under a name of its own; what no report shows."""

    reports: tuple[Report, ...]
    strays: pd.DataFrame
    """A row for each record that no recipe and no grid asks for any more, for each that cannot be used, and for those of which no page has
    a finished run."""
    empty: tuple[str, ...]
    """Titles of benchmarks and grids without a finished run."""

    def records(self) -> int:
        """How many records there are, on whatever page."""
        shown = {i for r in self.reports if len(r.runs) for i in r.runs.loc[r.runs["status"] != "missing", "id"]}
        return len(shown | set(self.strays["id"]))


def report_everything(store: Store) -> Everything:
    """Every report that the records in `store` can fill."""
    found = frame.find_all(store)
    requests = [(b.title, list(request_rows(b, found.get(b.name, {}), store))) for b in BENCHMARKS.values()]
    rows = {e.id for _, asked in requests for request in asked for e in request.expected}
    requests += [(g.title, list(request_grids(g.name, found.get(g.benchmark, {}), rows))) for g in ABLATIONS.values()]
    shown_ids = {(e.benchmark, e.id) for _, asked in requests for request in asked for e in request.expected}
    others = [request for b in BENCHMARKS.values() for request in request_others(b, found.get(b.name, {}), shown_ids)]
    reports = [request.answer(store) for request in (*(r for _, asked in requests for r in asked), *others)]
    shown = tuple(r for r in reports if r.runs["status"].isin(FINISHED).any())
    names = {r.name for r in shown}
    empty = [title for title, asked in requests if names.isdisjoint(request.name for request in asked)]
    speed = [request_speed().answer(store)] if sessions(store) else []
    return Everything(reports=(*shown, *speed), strays=find_strays(shown, found), empty=tuple(empty))


def find_strays(reports: Sequence[Report], found: Mapping[str, Mapping[str, Found]]) -> pd.DataFrame:
    """The records among these that none of the reports shows, a row for each."""
    on_a_page = {(b, i) for r in reports if len(r.runs) for b, i in zip(r.runs["benchmark"], r.runs["id"])}
    return tabulate_strays([f for b, records in found.items() for i, f in records.items() if (b, i) not in on_a_page])


def request_rows(benchmark: Benchmark, found: Mapping[str, Found], store: Store) -> Iterator[Request]:
    """A report for each scale, read-out and choice of protocol of a benchmark of which there is a record."""
    seen: set[str] = set()
    for selected in selections(benchmark, [f.stored for f in found.values() if f.stored]):
        for scale in benchmark.scales:
            ids = ids_of(selected.benchmark, scale, found)
            new = {i for of_variant in ids.values() for i in of_variant.values()} - seen
            if not new:
                continue
            seen |= new
            seeds = tuple(sorted({seed for of_variant in ids.values() for seed in of_variant}))
            request = request_benchmark(benchmark.name, seeds, tuple(ids), scale, store, **_asked(selected))
            yield _renamed(request, "" if scale == benchmark.scales[0] else f"-{scale}")


def _asked(selected: Selection) -> dict[str, str]:
    words = dict(zip(selected.options[::2], selected.options[1::2], strict=True))
    return {flag.removeprefix("--"): value for flag, value in words.items()}


def _renamed(request: Request, tag: str) -> Request:
    return replace(request, name=request.name + tag, build=lambda runs: replace(request.build(runs), name=request.name + tag))


def request_grids(grid: str, found: Mapping[str, Found], rows: set[str]) -> Iterator[Request]:
    """The report of a grid with every seed of which it has a run: one that is no row of a benchmark (`rows`), or half of its cells."""
    seeds = _seeds(found)
    ids = dict(zip(seeds, _ids_of_cells(ABLATIONS[grid], seeds), strict=True))
    there = {seed: [i for i in of_seed if i in found] for seed, of_seed in ids.items()}
    if any(2 * len(own) >= len(ids[seed]) or not rows.issuperset(own) for seed, own in there.items()):
        yield request_grid(grid, tuple(seed for seed, own in there.items() if own))


def request_others(benchmark: Benchmark, found: Mapping[str, Found], shown: set[tuple[str, str]]) -> Iterator[Request]:
    """The reports of records that are of no recipe: of grids that were moved to this benchmark, where half of their cells are there; then
    of what is left."""
    left = {i: f.stored for i, f in found.items() if f.stored and (benchmark.name, i) not in shown}
    for scale in benchmark.scales:
        records = [stored for stored in left.values() if stored.record.scale == scale]
        seeds = tuple(sorted({stored.record.seed for stored in records}))
        for selected in selections(benchmark, records) if records else ():
            if selected.readout is not None:
                continue
            for grid in ABLATIONS.values():
                moved = grid.on(benchmark.name, scale, selected.protocol)
                ids = _ids_of_cells(moved, seeds) if moved.elsewhere else []
                if any(2 * sum(i in found for i in of_seed) >= len(of_seed) and not left.keys().isdisjoint(of_seed) for of_seed in ids):
                    yield request_cells(
                        moved, tuple(s for s, own in zip(seeds, ids, strict=True) if any(i in found for i in own)), kind="grid"
                    )
                    left = {i: stored for i, stored in left.items() if all(i not in of_seed for of_seed in ids)}
    yield from request_changed(benchmark, list(left.values()))


def _ids_of_cells(ablation: Ablation, seeds: Seeds) -> list[list[str]]:
    """The ids of a grid, seed by seed; none where no cell is possible there."""
    try:
        cells = ablation.cells()
    except ValueError:
        return []
    return [[replace(cell.spec, seed=seed).id for cell in cells] for seed in seeds]


def _seeds(found: Mapping[str, Found], scale: str | None = None) -> Seeds:
    """The seeds of the records among these, of one scale or of all."""
    records = [f.stored.record for f in found.values() if f.stored]
    return tuple(sorted({r.seed for r in records if scale in (None, r.scale)}))


def ids_of(benchmark: Benchmark, scale: Scale, found: Mapping[str, Found]) -> dict[str, dict[int, str]]:
    """variant -> seed -> id of the runs of a benchmark that have a record at this scale, the default rows first."""
    seeds = _seeds(found, scale)
    out: dict[str, dict[int, str]] = {}
    for variant in (*DEFAULT_VARIANTS, *(v for v in VARIANTS if v not in DEFAULT_VARIANTS)) if seeds else ():
        if benchmark.has_recipe(variant, scale):
            recipe = benchmark.recipe(variant, scale)
            ids = {seed: i for seed in seeds if (i := recipe.with_seed(seed).id) in found and found[i].stored}
            out |= {variant: ids} if ids else {}
    return out


def selections(benchmark: Benchmark, records: Sequence[StoredRecord]) -> list[Selection]:
    """The plain benchmark, and the read-outs and choices of protocol that its records were made with, as their specs say."""
    wanted: dict[tuple[str | None, str | None], None] = {(None, None): None}
    for record in (r.record for r in records):
        scale = next((s for s in benchmark.scales if s == record.scale), None)
        if scale is None:
            continue
        own = benchmark.recipe(next(v for v in VARIANTS if benchmark.has_recipe(v, scale)), scale).run
        data, model = (record.spec_full.get(k) or {} for k in ("data", "model"))
        chosen = {f: _word(data[f]) for f in choices(type(own.data)) if f in data and data[f] != getattr(own.data, f)}
        places = [name for name, last in benchmark.readouts.items() if last == model.get("pool_last")]
        readout = places[0] if places and model.get("pool_last") != own.model.pool_last else None
        wanted[readout, ",".join(f"{f}={word}" for f, word in chosen.items()) or None] = None
    out = []
    for readout, protocol in wanted:
        try:
            out.append(select_benchmark(benchmark.name, readout, protocol))
        except ValueError:  # a choice that there is not any more: its records are strays
            continue
    return out


def _word(value: object) -> str:
    """A value of a field as a choice of protocol is written."""
    return {True: "true", False: "false", None: "all"}.get(value, str(value)) if isinstance(value, (bool, type(None))) else str(value)


def tabulate_strays(found: Sequence[Found]) -> pd.DataFrame:
    """What can be said of records without their recipe: the kind of layer, the score, and why it stands here."""
    rows = []
    for f in found:
        record = f.stored.record if f.stored else None
        mixer = ((record.spec_full.get("model") or {}).get("mixer") or {}) if record else {}
        score = (
            next((record.metrics[k] for k in ("test_accuracy", "test_rmse") if record.metrics.get(k) is not None), None) if record else None
        )
        rows.append(
            {"benchmark": f.benchmark, "id": f.id, "what": " ".join(str(mixer.get(k, "")) for k in ("type", "kernel", "init")).strip()}
            | {
                "scale": record.scale if record else "",
                "seed": str(record.seed) if record else "",
                "status": record.status if record else "unusable",
            }
            | {
                "test": f"{score:.4f}" if isinstance(score, float) else "–",
                "why": f.trouble or _why(record),
            }
            | {"record": f.stored.name if f.stored else f"{f.benchmark}/{f.id}"}
        )
    columns = ["benchmark", "id", "what", "scale", "seed", "status", "test", "why", "record"]
    return pd.DataFrame(rows, columns=columns).sort_values(["benchmark", "id"], ignore_index=True)


def _why(record: Record | None) -> str:
    """Why a record that can be read stands on no page."""
    lost = record is not None and record.status not in FINISHED
    return "it did not finish, and neither did any run beside it" if lost else "no recipe and no grid asks for it any more"
