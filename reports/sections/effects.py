"""What each factor of a grid moves: differences between cells that are equal in everything else, paired by seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from ablations.grid import NO_CHOICE, Ablation
from reports.parts import dots, stats
from reports.parts.figure import draw_nothing
from reports.parts.metric import Metric
from reports.parts.report import Plot, Section
from reports.parts.style import FACTORS, INK, PAPER, WIDTH, drawing
from reports.parts.table import HOLE, Table
from reports.sections.grid import name_level


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Two levels of one factor compared: for each setting of the other factors, their difference by seed."""

    factor: str
    contrast: str
    """The two levels, as "complex − real"."""
    settings: Mapping[str, Mapping[int, float]]

    def overall(self) -> dict[int, float]:
        """By seed, the mean over the settings, for the seeds that every setting has."""
        seeds = set.intersection(*(set(d) for d in self.settings.values())) if self.settings else set()
        return {s: sum(d[s] for d in self.settings.values()) / len(self.settings) for s in sorted(seeds)}


def compose_effects(effects: Sequence[Effect], ablation: Ablation, metric: Metric) -> Section:
    """The table of effects, and every paired difference as a dot."""
    plot = Plot(
        name=f"{ablation.name}-differences",
        title="Paired differences, setting by setting",
        figure=draw_effects({f"{e.factor}: {e.contrast}": e.settings for e in effects}, metric=metric),
        alt="Differences between cells that differ in one factor only, every seed a dot, zero marked.",
        caption="Each line is a pair of cells that differ in one factor and share everything else, named by what they share; each "
        "dot is a seed. Right of zero the level named first scores "
        + ("higher" if metric.higher else "a larger, worse value")
        + ". Stroke: mean; pale bar: 95 % t interval.",
    )
    table = tabulate_effects(effects, name=f"{ablation.name}-effects", title="Effects", metric=metric)
    return Section(name="effects", title="What each factor moves", parts=(table, plot))


def find_effects(runs: pd.DataFrame, *, metric: Metric, factors: Sequence[str]) -> list[Effect]:
    """Every pair of cells that differ in one factor and nothing else. Two levels: first minus second; more: each minus the first."""
    scores = {
        key: {int(s): float(v) for s, v in zip(part["seed"], part[metric.key]) if math.isfinite(v)}
        for key, part in (runs[runs["status"] == "ok"].groupby(list(factors), sort=False) if len(runs) else ())
    }
    out = []
    for i, factor in enumerate(factors):
        levels = [v for v in dict.fromkeys(runs[factor]) if v != NO_CHOICE] if len(runs) else []
        pairs = [(levels[0], levels[1])] if len(levels) == 2 else [(v, levels[0]) for v in levels[1:]]
        for a, b in pairs:
            settings = {}
            for key in scores:
                other = (*key[:i], b, *key[i + 1 :])
                if key[i] == a and other in scores:
                    d = {s: x - scores[other][s] for s, x in scores[key].items() if s in scores[other]}
                    settings[" · ".join(name_level(factors[j], v) for j, v in enumerate(key) if j != i and v != NO_CHOICE)] = d
            settings = {k: d for k, d in settings.items() if d}
            if settings:
                out.append(Effect(factor=factor, contrast=f"{a} − {b}", settings=_without_common(settings)))
    return out


def _without_common(settings: Mapping[str, Mapping[int, float]]) -> dict[str, Mapping[int, float]]:
    """Names of settings without the words that all of them share."""
    parts = [name.split(" · ") for name in settings]
    if len(parts) < 2 or len({len(p) for p in parts}) > 1:
        return dict(settings)
    vary = [i for i in range(len(parts[0])) if len({p[i] for p in parts}) > 1]
    return {" · ".join(p[i] for i in vary): d for p, d in zip(parts, settings.values())}


def describe_largest(effects: Sequence[Effect], metric: Metric) -> tuple[str, ...]:
    """The largest mean effect in a sentence, as a description and not as a test."""
    sized = [(stats.summarize(list(e.overall().values())).mean, e) for e in effects if len(e.settings) > 1 and e.overall()]
    if not sized:
        return ()
    mean, e = max(sized, key=lambda pair: abs(pair[0]))
    return (
        f"The factor that moves most is {e.factor}: {e.contrast} is {metric.signed(mean)} {metric.unit_of_differences} on average over "
        f"{len(e.settings)} settings and {len(e.overall())} seeds.",
    )


def tabulate_effects(effects: Sequence[Effect], *, name: str, title: str, metric: Metric) -> Table:
    """A line per contrast: mean over settings of the paired difference, its interval over seeds, p after Holm over this table."""
    tests = [stats.paired(e.overall(), dict.fromkeys(e.overall(), 0.0)) for e in effects]
    adjusted = stats.holm([t.p for t in tests])
    show, mean = metric.signed, f"mean ({metric.unit_of_differences})"
    texts, numbers = [], []
    for e, t, p in zip(effects, tests, adjusted):
        means = [stats.summarize(list(d.values())).mean for d in e.settings.values()]
        texts.append(
            {"factor": e.factor, "difference": e.contrast, "settings": str(len(means)), mean: show(t.mean)}
            | {"95 % interval": f"[{show(t.low)}, {show(t.high)}]" if t.n > 1 else HOLE}
            | {"range": f"{show(min(means))} to {show(max(means))}", "n": str(t.n)}
            | {"p (Holm)": f"{p:.3f}" if math.isfinite(p) else HOLE}
        )
        numbers.append(
            {"factor": e.factor, "difference": e.contrast, "settings": len(means), "n": t.n, "mean": t.mean, "low": t.low, "high": t.high}
            | {"smallest": min(means), "largest": max(means), "p": t.p, "p_holm": p}
        )
    names = ["factor", "difference", "settings", mean, "95 % interval", "range", "n", "p (Holm)"]
    cells = pd.DataFrame(texts, columns=names, dtype=object)
    caption = (
        "Differences between cells that are equal in everything but one factor, paired by seed and averaged over the settings of the other "
        "factors; the interval is the 95 % t interval over seeds, p the paired t test with Holm's correction over this table. "
        "range: smallest and largest mean over "
        "the settings; where these differ in sign, the mean hides an interaction. n: seeds."
    )
    return Table(
        name=name, title=title, caption=caption, cells=cells, marks=cells.map(lambda _: ""), numbers=pd.DataFrame(numbers),
        left=("factor", "difference"),
    )  # fmt: skip


def draw_effects(groups: Mapping[str, Mapping[str, Mapping[int, float]]], *, metric: Metric) -> Figure:
    """A panel per "factor: contrast", a line per setting, every seed a dot, a stroke for the mean, a pale bar for its 95 % t interval;
    zero marked."""
    filled = {f: {k: d for k, d in g.items() if d} for f, g in groups.items()}
    filled = {f: g for f, g in filled.items() if g}
    if not filled:
        return draw_nothing("no pair of finished runs yet")
    with drawing():
        heights = [len(g) for g in filled.values()]
        figure = Figure(figsize=(WIDTH, 0.26 * sum(heights) + 0.42 * len(filled) + 0.6), layout="constrained")
        axes = figure.subplots(len(filled), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
        values = [metric.factor * x for g in filled.values() for d in g.values() for x in d.values()]
        low, high = min(0.0, *values), max(0.0, *values)
        pad = 0.12 * ((high - low) or 1.0)
        span = dots.Span(low - pad, high + pad)
        colors = dict(zip(dict.fromkeys(f.split(":")[0] for f in filled), FACTORS))
        for ax, (factor, settings) in zip(axes, filled.items()):
            color = colors[factor.split(":")[0]]
            ax.axvline(0, color=INK, lw=0.9)
            for y, d in enumerate(settings.values()):
                s = stats.summarize(list(d.values()))
                dots.draw_interval(ax, y, s, color, metric, span)
                ax.plot([metric.factor * s.mean] * 2, [y - 0.28, y + 0.28], color=color, lw=1.8)
                seeds = [metric.factor * x for x in d.values()]
                ax.plot(seeds, y + dots.fan(s.n), ls="", marker="o", color=color, ms=5, mec=PAPER, mew=0.5, zorder=3)
                ax.annotate(
                    metric.signed(s.mean), (1, y), xycoords=("axes fraction", "data"), xytext=(8, 0),
                    textcoords="offset points", va="center", fontsize=8,
                )  # fmt: skip
            ax.set_title(factor, fontweight="bold")
            dots.set_lines(ax, list(settings), room=0.55)
        axes[0].set_xlim(span.low, span.high)
        axes[-1].set_xlabel(f"difference in test {metric.label} (" + ("percentage points)" if metric.unit == "%" else f"{metric.unit})"))
    return figure
