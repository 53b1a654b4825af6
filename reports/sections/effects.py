"""What each factor of a grid moves: differences between cells that are equal in everything else, paired by seed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
from matplotlib.figure import Figure

from ablations.grid import NO_CHOICE, Ablation
from reports.parts import dots, stats
from reports.parts.figure import draw_nothing
from reports.parts.judge import scores_of
from reports.parts.metric import Metric
from reports.parts.report import Plot, Section
from reports.parts.style import FACTORS, GRID, INK, PAPER, WIDTH, drawing
from reports.parts.table import HOLE, Table
from reports.sections.grid import name_level

BySeed = Mapping[int, float]
MOST_LINES = 48
"""Lines of the figure of differences; a grid with more shows the mean of each contrast over its settings instead."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Two levels of one factor compared: for each setting of the other factors, their difference by seed."""

    factor: str
    contrast: str
    """The two levels, as "complex − real"."""
    settings: Mapping[str, BySeed]
    levels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Setting -> the level of each other factor."""

    def overall(self) -> dict[int, float]:
        """By seed, the mean over the settings, for the seeds that every setting has."""
        return average(list(self.settings.values()))

    def turns(self) -> dict[str, dict[str, dict[int, float]]]:
        """Factors on whose levels the sign depends: factor -> the levels with the lowest and the highest mean difference -> that by seed.
        Only where the one is shown to be below zero and the other above it: both intervals over seeds leave out zero."""
        out = {}
        for factor in dict.fromkeys(f for of in self.levels.values() for f in of):
            groups: dict[str, list[BySeed]] = {}
            for setting, difference in self.settings.items():
                groups.setdefault(self.levels[setting][factor], []).append(difference)
            means = {level: average(parts) for level, parts in groups.items()}
            signs = {level: stats.summarize(list(mean.values())) for level, mean in means.items()}
            below = [level for level, s in signs.items() if s.n > 1 and s.high < 0]
            above = [level for level, s in signs.items() if s.n > 1 and s.low > 0]
            if below and above:
                ends = min(below, key=lambda level: signs[level].mean), max(above, key=lambda level: signs[level].mean)
                out[factor] = {level: means[level] for level in ends}
        return out


def average(parts: Sequence[BySeed]) -> dict[int, float]:
    """By seed, the mean of several differences, for the seeds that all of them have."""
    seeds = set.intersection(*(set(d) for d in parts)) if parts else set()
    return {s: sum(d[s] for d in parts) / len(parts) for s in sorted(seeds)}


def compose_effects(effects: Sequence[Effect], ablation: Ablation, metric: Metric, *, level: float = math.nan) -> Section:
    """The table of effects, and every paired difference as a dot. `level` is the mean score of the grid, of which the margin of an error is
    a share."""
    within = ablation.margin * (1 if metric.higher else level)
    table = tabulate_effects(effects, name=f"{ablation.page}-effects", title="Effects", metric=metric, margin=within)
    whole = sum(len(e.settings) for e in effects) <= MOST_LINES
    groups: dict[str, dict[str, BySeed]] = {}
    for e in effects:
        if whole:
            groups[f"{e.factor}: {e.contrast}"] = dict(e.settings)
        else:
            groups.setdefault(e.factor, {})[e.contrast] = e.overall()
    words = (
        "Each line is a pair of cells that differ in one factor and share everything else, named by what they share; each dot is a seed."
        if whole
        else "Each line is a pair of levels, its difference averaged over all settings of the other factors; each dot is a seed."
    )
    plot = Plot(
        name=f"{ablation.page}-differences",
        title="Paired differences, setting by setting" if whole else "Paired differences, over all settings",
        figure=draw_effects(groups, metric=metric, margin=within),
        alt="Differences between cells that differ in one factor only, every seed a dot, zero marked.",
        caption=f"{words} Right of zero the level named first scores "
        + ("higher" if metric.higher else "a larger, worse value")
        + ". Stroke: mean; pale bar: 95 % t interval. Every panel has its own axis."
        + ("\nThe shaded strip is what counts as no difference." if within else ""),
    )
    return Section(name="effects", title="What each factor moves", parts=(table, plot))


def find_effects(runs: pd.DataFrame, *, metric: Metric, factors: Sequence[str]) -> list[Effect]:
    """Every pair of cells that differ in one factor and nothing else. Two levels: first minus second; more: each minus the first."""
    scores = {
        key: scores_of(part, metric) for key, part in (runs[runs["status"] == "ok"].groupby(list(factors), sort=False) if len(runs) else ())
    }
    out = []
    for i, factor in enumerate(factors):
        levels = [v for v in dict.fromkeys(runs[factor]) if v != NO_CHOICE] if len(runs) else []
        pairs = [(levels[0], levels[1])] if len(levels) == 2 else [(v, levels[0]) for v in levels[1:]]
        for a, b in pairs:
            settings, shared = {}, {}
            for key in scores:
                other = (*key[:i], b, *key[i + 1 :])
                if key[i] == a and other in scores:
                    d = {s: x - scores[other][s] for s, x in scores[key].items() if s in scores[other]}
                    if d:
                        rest = {factors[j]: v for j, v in enumerate(key) if j != i}
                        name = " · ".join(name_level(f, v) for f, v in rest.items() if v != NO_CHOICE)
                        settings[name], shared[name] = d, rest
            if settings:
                short = _without_common(list(settings))
                out.append(
                    Effect(
                        factor=factor, contrast=f"{a} − {b}", settings={short[k]: d for k, d in settings.items()},
                        levels={short[k]: of for k, of in shared.items()},
                    )
                )  # fmt: skip
    return out


def _without_common(settings: Sequence[str]) -> dict[str, str]:
    """Names of settings without the words that all of them share, by the whole name."""
    parts = [name.split(" · ") for name in settings]
    if len(parts) < 2 or len({len(p) for p in parts}) > 1:
        return {name: name for name in settings}
    vary = [i for i in range(len(parts[0])) if len({p[i] for p in parts}) > 1]
    return {name: " · ".join(p[i] for i in vary) for name, p in zip(settings, parts)}


def describe_largest(effects: Sequence[Effect], metric: Metric) -> tuple[str, ...]:
    """The largest mean effect in a sentence, as a description and not as a test."""
    sized = [(stats.summarize(list(e.overall().values())).mean, e) for e in effects if len(e.settings) > 1 and len(e.overall()) > 1]
    if not sized:
        return ()
    mean, e = max(sized, key=lambda pair: abs(pair[0]))
    return (
        f"The factor that moves most is {e.factor}: {e.contrast} is {metric.signed(mean)} {metric.unit_of_differences} on average over "
        f"{len(e.settings)} settings and {len(e.overall())} seeds.",
    )


def describe_equivalence(effects: Sequence[Effect], margin: float, metric: Metric) -> tuple[str, ...]:
    """How many of the contrasts are shown to make no difference, in a sentence; nothing for grids that do not ask."""
    if not margin or not effects:
        return ()
    found = [word for word, _ in judge_equivalence(effects, margin)]
    words = [
        f"{found.count('shown')} of {len(found)} differences are shown to be within {metric.show(margin)} {metric.unit_of_differences}"
    ]
    words += [f"{found.count('exceeded')} to be beyond"] if "exceeded" in found else []
    return (f"{', '.join(words)}; the others are open." if "open" in found else f"{', '.join(words)}.",)


def judge_equivalence(effects: Sequence[Effect], margin: float) -> list[tuple[str, float]]:
    """(shown, exceeded or open; p of the two one-sided tests, after Holm over all of them) of each mean over settings. Exceeded: its 95 %
    interval lies beyond."""
    values = [list(e.overall().values()) for e in effects]
    adjusted = stats.holm([stats.equivalence(v, margin) for v in values])
    beyond = [s.n > 1 and (s.low > margin or s.high < -margin) for s in map(stats.summarize, values)]
    return [("shown" if p < 1 - stats.LEVEL else "exceeded" if out else "open", p) for p, out in zip(adjusted, beyond, strict=True)]


def tabulate_effects(effects: Sequence[Effect], *, name: str, title: str, metric: Metric, margin: float = 0.0) -> Table:
    """A line per contrast: mean over settings of the paired difference, its interval over seeds, p after Holm over this table; where a
    `margin` is stated, whether the difference is shown to be within it; and where its sign depends on another factor, on which."""
    tests = [stats.paired(e.overall(), dict.fromkeys(e.overall(), 0.0)) for e in effects]
    adjusted = stats.holm([t.p for t in tests])
    show, mean = metric.signed, f"mean ({metric.unit_of_differences})"
    within, turns = f"within {metric.show(margin)}", [_describe_turns(e, metric) for e in effects]
    texts, numbers = [], []
    near = judge_equivalence(effects, margin)
    for e, t, p, turn, (word, p_within) in zip(effects, tests, adjusted, turns, near, strict=True):
        means = [stats.summarize(list(d.values())).mean for d in e.settings.values()]
        texts.append(
            {"factor": e.factor, "difference": e.contrast, "settings": str(len(means)), mean: show(t.mean)}
            | {"95 % interval": f"[{show(t.low)}, {show(t.high)}]" if t.n > 1 else HOLE}
            | {"range": f"{show(min(means))} to {show(max(means))}", "n": str(t.n)}
            | {"p (Holm)": f"{p:.3f}" if math.isfinite(p) else HOLE}
            | {within: f"{word} ({p_within:.3f})" if math.isfinite(p_within) else HOLE, "turns with": turn}
        )
        numbers.append(
            {"factor": e.factor, "difference": e.contrast, "settings": len(means), "n": t.n, "mean": t.mean, "low": t.low, "high": t.high}
            | {"smallest": min(means), "largest": max(means), "p": t.p, "p_holm": p}
            | ({"margin": margin, "p_within": p_within} if margin else {})
            | ({"turns_with": turn} if any(turns) else {})
        )
    names = ["factor", "difference", "settings", mean, "95 % interval", "range", "n", "p (Holm)"]
    names += [within] if margin else []
    names += ["turns with"] if any(turns) else []
    cells = pd.DataFrame(texts, columns=names, dtype=object)
    caption = (
        "Differences between cells that are equal in everything but one factor, paired by seed and averaged over the settings of the other "
        "factors; the interval is the 95 % t interval over seeds of training, on one test set, and of the line by itself; p is that of the "
        "paired t test with Holm's correction over this table. range: smallest and largest mean over "
        "the settings; where these differ in sign, the mean hides an interaction. n: seeds."
    )
    if margin:
        caption += (
            f"\nwithin {metric.show(margin)}: whether the mean difference is shown to be nearer to zero than that, with p of two "
            "one-sided t tests, after Holm over this table, at 5 %; exceeded: its 95 % interval lies beyond; open: neither."
        )
    if any(turns):
        caption += (
            "\nturns with: factors on whose levels the sign of the difference depends, with its mean at the two levels where it is "
            "lowest and highest; named only where the 95 % intervals of both leave out zero."
        )
    return Table(
        name=name, title=title, caption=caption, cells=cells, marks=cells.map(lambda _: ""), numbers=pd.DataFrame(numbers),
        left=("factor", "difference", *(("turns with",) if any(turns) else ())),
    )  # fmt: skip


def _describe_turns(effect: Effect, metric: Metric) -> str:
    """ "init: lin −1.20, inv +3.40", of every factor with which the sign turns."""
    words = []
    for factor, ends in effect.turns().items():
        means = [f"{level} {metric.signed(stats.summarize(list(by_seed.values())).mean)}" for level, by_seed in ends.items()]
        words.append(f"{factor}: {', '.join(means)}")
    return "; ".join(words)


def draw_effects(groups: Mapping[str, Mapping[str, BySeed]], *, metric: Metric, margin: float = 0.0) -> Figure:
    """A panel per "factor: contrast" with an axis of its own, a line per setting, every seed a dot, a stroke for the mean, a pale bar for
    its 95 % t interval; zero marked, and the `margin` around it."""
    filled = {f: {k: d for k, d in g.items() if d} for f, g in groups.items()}
    filled = {f: g for f, g in filled.items() if g}
    if not filled:
        return draw_nothing("no pair of finished runs yet")
    with drawing():
        heights = [len(g) for g in filled.values()]
        figure = Figure(figsize=(WIDTH, 0.26 * sum(heights) + 0.62 * len(filled) + 0.4), layout="constrained")
        axes = figure.subplots(len(filled), 1, squeeze=False, height_ratios=heights)[:, 0]
        largest = max(abs(metric.factor * x) for g in filled.values() for d in g.values() for x in d.values())
        colors = dict(zip(dict.fromkeys(f.split(":")[0] for f in filled), FACTORS))
        for ax, (factor, settings) in zip(axes, filled.items()):
            color = colors[factor.split(":")[0]]
            span = _span_of(settings.values(), metric, least=0.1 * largest)
            ax.axvline(0, color=INK, lw=0.9)
            if margin:
                ax.axvspan(-metric.factor * margin, metric.factor * margin, color=GRID, lw=0, zorder=0)
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
            ax.set_xlim(span.low, span.high)
        axes[-1].set_xlabel(f"difference in test {metric.label} (" + ("percentage points)" if metric.unit == "%" else f"{metric.unit})"))
    return figure


def _span_of(lines: Iterable[BySeed], metric: Metric, *, least: float) -> dots.Span:
    """From the lowest to the highest difference, zero and `least` on either side among them, and some room."""
    values = [metric.factor * x for d in lines for x in d.values()]
    low, high = min(-least, *values), max(least, *values)
    pad = 0.12 * ((high - low) or 1.0)
    return dots.Span(low - pad, high + pad)
