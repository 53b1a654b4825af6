"""What each report consists of, and the files it becomes: pure functions of the runs asked for and the records found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.benchmark import Published
from benchmarks.running.record import DamagedRecord
from benchmarks.running.store import write_atomically
from reports import frame, plots, stats, tables
from reports.markdown import markdown
from reports.page import Plot, Report, Section, render
from reports.tables import Effect, Metric, Row

SCALE_WORDS = {
    "quick": "Quick scale: minutes on two CPU cores. The settings are far smaller than any published one, so these numbers say something "
    "about each other and nothing about published tables.",
    "small": "Small scale: about 100K parameters, the setting of S4D's own ablations. Not comparable with full-size published numbers.",
    "paper": "Paper scale: the published settings, untouched.",
}


def fingerprints(runs: pd.DataFrame, rows: str = "variant") -> tuple[dict[str, dict[str, np.ndarray]], int | None, list[str]]:
    """Per row the arrays of its lowest seed that has any; which seed that was, where all agree; and what could not be read."""
    out, seeds, trouble = {}, set(), []
    for _, run in runs.sort_values("seed", kind="stable").iterrows() if len(runs) else ():
        if run[rows] in out or run["found"] is None or run["status"] != "ok":
            continue
        try:
            arrays = run["found"].arrays()
        except DamagedRecord as error:
            trouble.append(str(error))
            continue
        if arrays:
            out[run[rows]] = arrays
            seeds.add(int(run["seed"]))
    order = list(dict.fromkeys(runs[rows])) if len(runs) else []
    return {v: out[v] for v in order if v in out}, seeds.pop() if len(seeds) == 1 else None, trouble


def _pairs(arrays: Mapping[str, Mapping[str, np.ndarray]], what: str, *, every_layer: bool) -> dict[str, plots.Pair]:
    """variant -> (start, end) of one kind of array, of the first layer or of all layers stacked."""
    out = {}
    for variant, a in arrays.items():
        layers = sorted({int(k.split("/")[0].removeprefix("layer")) for k in a if k.endswith(f"/{what}")})
        if not layers:
            continue
        chosen = layers if every_layer else layers[:1]
        start, end = (np.concatenate([a[f"layer{i}/{m}/{what}"] for i in chosen]) for m in ("start", "end"))
        if np.isfinite(start).all() and np.isfinite(end).all():
            out[variant] = (start, end)
    return out


FIRST_LAGS = 320
"""Lags of a kernel that are drawn as a curve; of a longer one only the envelope could be seen, and Memory shows that."""


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1] if names else "none"


def summary(rows: Mapping[str, Row], metric: Metric) -> tuple[str, ...]:
    """The table in two or three sentences, with no more confidence than the numbers carry."""
    done = {k: r for k, r in rows.items() if r.scores}
    if not done:
        return ("No run of this report has a record yet. The commands that make them stand under “What is missing”.",)
    constant = tuple(words for words in (tables.constant_words(rows, metric),) if words)
    if len(done) == 1:
        name, r = next(iter(done.items()))
        return (f"One row has results so far: {name}, {tables.score(r.summary, metric)} {metric.unit}.", *constant)
    best = next(k for k, r in done.items() if r.mark == "best")
    tied = [k for k, r in done.items() if r.mark == "tied"]
    tested = [k for k, r in done.items() if r.difference is not None and r.difference.n > 1]
    worse = [k for k in tested if k not in tied]
    first = f"Best mean test {metric.label}: {best}, {tables.score(done[best].summary, metric)} {metric.unit}."
    if not tested:
        return (first + " With one common seed no difference can be tested.", *constant)
    if len(tested) > tables.FEW:
        return (first, *constant)
    second = f"Not shown to differ from it: {_names(tied)}." if tied else "Every other row is shown to differ from it."
    if tied and worse:
        second += f" Shown to be {'lower' if metric.higher else 'higher'}: {_names(worse)}."
    if not worse:
        second += f" With {min(done[k].difference.n for k in tested)} common seeds only very large differences can be shown."  # type: ignore[union-attr]
    lost = [f"{k} ({n} of {len(r.runs)})" for k, r in rows.items() if (n := int((r.runs["status"] == "diverged").sum()))]
    return (f"{first} {second}" + (f" Diverged: {_names(lost)}." if lost else ""), *constant)


def benchmark_report(
    runs: pd.DataFrame, *, name: str, title: str, about: str, metric: Metric, scale: str, make: str,
    published: Sequence[Published] = (), beside: bool = True, zero_shot: Mapping[str, str] | None = None,
    lags: tuple[int, int] | None = None,
) -> Report:  # fmt: skip
    """One benchmark, a row per variant. `zero_shot`: its further tests and what they are called.

    `beside`: whether published numbers may stand beside the rows, where also scale and data are theirs.
    `lags`: those at which the last step of the sequence sees the signal.
    """
    beside = beside and tables.comparable(runs)
    table = tables.benchmark_table(
        runs, name=f"{name}-results", title=f"{title}, {scale} scale", metric=metric, zero_shot=zero_shot or {},
        published=tables.published_text(published, metric) if beside else None,
    )  # fmt: skip
    groups: dict[str, pd.DataFrame] = dict(iter(runs.groupby("variant", sort=False))) if len(runs) else {}
    rows = tables.judge(groups, metric)
    arrays, seed, trouble = fingerprints(runs)
    which = f"seed {seed}" if seed is not None else "the lowest seed of each row that has arrays"
    kernels, eigen = _pairs(arrays, "kernel", every_layer=False), _pairs(arrays, "eigenvalues", every_layer=True)
    cut = any(a.shape[-1] > FIRST_LAGS for a, _ in kernels.values())
    kernels = {v: (a[0][..., :FIRST_LAGS], b[0][..., :FIRST_LAGS]) for v, (a, b) in kernels.items()}  # direction 0
    remember = _pairs(arrays, "memory", every_layer=False)
    history = frame.histories(runs, ["variant"])
    lags_a_point = plots.window(max((after.shape[-1] for _, after in remember.values()), default=1))
    window_words = f" A point stands for {lags_a_point} lags: their median, and the extremes." if lags_a_point > 1 else ""
    lag_words = (
        f" Shaded: lags {lags[0]} to {lags[1]}, where the last step of the sequence sees the signal; a kernel that is small there has "
        "forgotten it." if lags else ""
    )  # fmt: skip
    results = Section(
        name="results",
        title="Results",
        text=(SCALE_WORDS[scale],),
        parts=(
            table,
            Plot(
                name=f"{name}-accuracy", title=f"Test {metric.label}, every seed",
                figure=plots.accuracy_dots(rows, metric=metric),
                alt=f"Dot plot of the test {metric.label} of every seed and row, best on top.",
                caption="Every finished seed is a dot, the upright stroke the mean, the pale bar its 95 % t interval (an arrow: it goes "
                "on outside the frame). Sorted, best on top; means at the right.",
            ),
        ),
    )  # fmt: skip
    training = Section(
        name="training",
        title="Training",
        parts=(
            Plot(
                name=f"{name}-curves", title="Learning curves",
                figure=plots.learning_curves(history, metric=metric, order=list(rows)),
                alt=f"Validation {metric.label} against epoch, one panel per variant.",
                caption=f"Validation {metric.label} after each epoch: line, mean over seeds; band, lowest to highest seed; grey, the means "
                "of the other rows. The test set is scored once, at the epoch that is best on validation.",
            ),
        ),
    )  # fmt: skip
    inside = Section(
        name="inside",
        title="Inside the kernels",
        text=(
            f"Arrays of {which}. Kernels and impulse responses are those of the first layer; eigenvalues and Hankel singular values are "
            "those of all layers.",
        ),
        parts=(
            Plot(
                name=f"{name}-memory", title="Memory",
                figure=plots.memory(remember, lags=lags, lags_label="lags of the signal, from the last step" if lags else ""),
                alt="Size of the impulse response against lag on a log scale, one panel per variant.",
                caption="Size of the impulse response over all channels: median, middle half and full range after training; dashed, the "
                "median before." + lag_words + " After Fig. 6 (right) of the HOPE paper. Values under the axis are drawn on its "
                "floor." + window_words,
            ),
            Plot(
                name=f"{name}-eigenvalues", title="Eigenvalues before and after training",
                figure=plots.eigenvalues(eigen),
                alt="Scatter of time constant against rotation of every discrete eigenvalue, before and after training.",
                caption="Each dot is one eigenvalue of the discrete Ā: further right it decays more slowly, higher up it turns faster. "
                "Grey, before training; colour, after. HOPE has one pole per channel, real, of high multiplicity: all its eigenvalues "
                "lie on |arg Ā| = 0 and are drawn as strokes. S4's come from a numerical eigendecomposition; the LegS matrix is far from "
                "normal, so its spectrum is ill-conditioned and small shifts of its dots carry no meaning.",
            ),
            Plot(
                name=f"{name}-hankel", title="Hankel singular values",
                figure=plots.hankel(_pairs(arrays, "hsv", every_layer=True)),
                alt="Relative Hankel singular values against their index on a log scale, one panel per variant.",
                caption="How many directions of the state carry the map from input to output: singular values of the Hankel operator of "
                "each channel over the largest, median, middle half and full range over the channels after training; dashed, the median "
                "before. A steep fall means that few state dimensions are in use. Values under the axis are drawn on its floor.",
            ),
            Plot(
                name=f"{name}-kernels", title="Kernels before and after training",
                figure=plots.kernels(kernels),
                alt="Convolution kernels against lag, a row per variant, before training left and after training right.",
                caption="Convolution kernels of three channels (shades), the same vertical scale left and right of a row. Every scale is "
                "the row's own: compare shapes between rows, sizes only within one. Single lags may exceed it; the largest |K| of these "
                "channels stands at the right." + (f" The first {FIRST_LAGS} lags; the whole length is in Memory." if cut else ""),
            ),
        ),
    )  # fmt: skip
    apart: tuple[Section, ...] = ()
    if published:
        reference = tables.published_table(
            published, name=f"{name}-published", title="Published numbers", metric=metric, zero_shot=zero_shot or {}
        )
        heading, words = (
            ("Published numbers", "Sources of the numbers beside ours, and of others.")
            if beside
            else (
                "Published numbers, apart",
                "Not measured here, and not comparable with the rows above: their scale, data or protocol differ.",
            )
        )
        apart = (Section(name="published", title=heading, text=(words,), parts=(reference,)),)
    return Report(
        name=name, title=title, scale=scale, about=about, summary=summary(rows, metric), sections=(results, training, inside, *apart),
        runs=runs, labels=("variant",), warnings=(*frame.data_disagreements(runs), *trouble), environment=frame.environments(runs),
        make=make, score=metric.key,
    )  # fmt: skip


def ablation_report(
    runs: pd.DataFrame, *, name: str, title: str, about: str, metric: Metric, scale: str, make: str, factors: Sequence[str]
) -> Report:
    """One grid. The columns of its table are the levels of the factor "discretization" where there is one, else of the last."""
    column = "discretization" if "discretization" in factors else factors[-1]
    table = tables.grid_table(runs, name=f"{name}-grid", title=f"{title}, {scale} scale", metric=metric, factors=factors, column=column)
    effects = tables.contrasts(runs, metric=metric, factors=factors)
    cells: dict[tuple[str, ...], pd.DataFrame] = dict(iter(runs.groupby(list(factors), sort=False))) if len(runs) else {}
    judged = tables.judge(cells, metric)
    grid, references, axes = _grid_and_references(judged, factors, column)
    named = [f for f in factors if f != "rates"]  # said only where it is not the common one
    words = {}
    for key, r in judged.items():
        row = dict(zip(factors, key))
        odd = f" ({row['rates']} rates)" if row.get("rates", "common") != "common" else ""
        words[" · ".join(tables.word(f, row[f]) for f in named if row[f] != tables.NO_CHOICE) + odd] = r
    results = Section(
        name="grid",
        title="The grid",
        text=(SCALE_WORDS[scale],),
        parts=(
            table,
            Plot(
                name=f"{name}-dots", title="Every run of the grid",
                figure=plots.grid_dots(grid, references, metric=metric, words=axes),
                alt=f"Dots for every seed, a line per cell and a colour per {column}; reference rows below.",
                caption="Every finished seed is a dot, the upright stroke the mean, the pale bar its 95 % t interval (an arrow: it goes on "
                "outside the frame). Long vertical lines carry the means of the reference rows up into the grid.",
            ),
        ),
    )  # fmt: skip
    moved = Section(
        name="effects",
        title="What each factor moves",
        parts=(
            tables.effects_table(effects, name=f"{name}-effects", title="Effects", metric=metric),
            Plot(
                name=f"{name}-differences", title="Paired differences, setting by setting",
                figure=plots.effects({f"{e.factor}: {e.contrast}": e.settings for e in effects}, metric=metric),
                alt="Differences between cells that differ in one factor only, every seed a dot, zero marked.",
                caption="Each line is a pair of cells that differ in one factor and share everything else, named by what they share; each "
                "dot is a seed. Right of zero the level named first scores "
                + ("higher" if metric.higher else "a larger, worse value") + ". Stroke: mean; pale bar: 95 % t interval.",
            ),
        ),
    )  # fmt: skip
    return Report(
        name=name, title=title, scale=scale, about=about, summary=(*summary(words, metric), *_effect_words(effects, metric)),
        sections=(results, moved), runs=runs, labels=tuple(factors), warnings=tuple(frame.data_disagreements(runs)),
        environment=frame.environments(runs), make=make, score=metric.key,
    )  # fmt: skip


def _grid_and_references(
    cells: Mapping[tuple[str, ...], Row], factors: Sequence[str], column: str
) -> tuple[dict[tuple[str, str, str], Row], dict[str, Row], tuple[str, str]]:
    """What `plots.grid_dots` draws: (panel, line, level of `column`) -> row for the crossed part, the reference rows by name, and the
    names of the panels' and the colours' factors.

    A reference row is the only one of its first factor, apart from its rates. Of the other factors that vary, the one with the fewest
    levels makes the panels and the rest the lines; where only one varies there is one panel.
    """
    apart = factors.index("rates") if "rates" in factors else -1
    alike: dict[str, set[tuple[str, ...]]] = {}
    for key in cells:
        alike.setdefault(key[0], set()).add(tuple(v for i, v in enumerate(key) if i != apart))
    crossed = {k: r for k, r in cells.items() if len(alike[k[0]]) > 1}
    levels = {f: len({k[i] for k in crossed}) for i, f in enumerate(factors) if f != column}
    varying = sorted((f for f in levels if levels[f] > 1), key=levels.__getitem__)
    panel = varying[0] if len(varying) > 1 else ""
    at = {f: i for i, f in enumerate(factors)}
    grid = {}
    for key, r in crossed.items():
        lines = [tables.word(f, key[at[f]]) for f in levels if f in varying and f != panel]
        grid[tables.word(panel, key[at[panel]]) if panel else "", " · ".join(lines) or key[0], key[at[column]]] = r
    references: dict[str, Row] = {}
    for key, r in cells.items():
        if key not in crossed:
            common = next(k for k in cells if k[0] == next(iter(cells))[0])
            odd = f" ({key[apart]} rates)" if apart >= 0 and key[apart] != common[apart] else ""
            references[key[0] + odd] = r
    return grid, references, (panel if panel != factors[0] else "", column)


def _effect_words(effects: Sequence[Effect], metric: Metric) -> tuple[str, ...]:
    """The largest mean effect in a sentence, as a description and not as a test."""
    sized = [(stats.summarize(list(e.overall().values())).mean, e) for e in effects if len(e.settings) > 1 and e.overall()]
    if not sized:
        return ()
    mean, e = max(sized, key=lambda pair: abs(pair[0]))
    unit = "points" if metric.unit == "%" else metric.unit
    return (
        f"The factor that moves most is {e.factor}: {e.contrast} is {metric.signed(mean)} {unit} on average over {len(e.settings)} "
        f"settings and {len(e.overall())} seeds.",
    )


def write(report: Report, folder: Path, formats: Sequence[str] = ()) -> Path:
    """The page, the same as report.md, and beside them every table and figure. Returns the path of the page."""
    for part in ("tables", "figures"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    write_tables_and_figures(report, folder / "tables", folder / "figures", formats)
    write_atomically(folder / "report.md", markdown(report).encode())
    page = folder / "index.html"
    write_atomically(page, render(report).encode())
    return page


def write_tables_and_figures(report: Report, to_tables: Path, to_figures: Path, formats: Sequence[str] = ()) -> list[Path]:
    """What `write` puts beside the page, into two folders; `formats` among reports.FORMATS. Returns the paths."""
    out = []
    for table in report.tables():
        faces = {"txt": table.text() + "\n", "md": table.markdown()}
        faces |= {"csv": table.csv()} if "csv" in formats else {}
        faces |= {"tex": table.latex()} if "latex" in formats else {}
        out += [(to_tables / f"{table.name}.{kind}", text.encode()) for kind, text in faces.items()]
    for plot in report.plots():
        kinds = ["svg", "png"] + (["pdf"] if "pdf" in formats else [])
        out += [(to_figures / f"{plot.name}.{kind}", plots.save(plot.figure, kind)) for kind in kinds]
    for path, content in out:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    return [path for path, _ in out]
