"""Speech Commands: waves, spectra and cepstral coefficients of ten words, and what a clip becomes at half the rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.figure import Figure

from data.speech.mfcc import RATE
from data.speech.release import TEN
from data.speech.spec import SpeechSpec
from reports.datasets.layout import BALANCE, Counts, Floats, balance, legend_above, strips
from reports.datasets.samples import SEED, Found, of_each_class
from reports.parts.style import BLUE, INK, SKY, VERMILLION, WIDTH, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Clip:
    """One word said by one speaker."""

    word: str
    wave: Floats
    """(L,) as the network is given it."""
    cepstrum: Floats | None = None
    """(frames, coefficients)"""


@dataclass(frozen=True)
class Speech:
    """Clips, all with cepstral coefficients or none; the beginning of one at both rates; the classes of every part."""

    clips: Sequence[Clip]
    rates: Mapping[str, Floats]
    """"16 kHz" and "8 kHz": the same milliseconds."""
    classes: Counts

    @property
    def also(self) -> str:
        """What the caption says of the coefficients, where there are any."""
        said = ", and the 161 x 20 normalised cepstral coefficients that sc10-mfcc uses instead, -3 (dark) to 3"
        return "" if self.clips[0].cepstrum is None else said


# ---------------------------------------------------------------- what is gathered


def gather(found: Found[SpeechSpec]) -> Speech:
    """The first training clip of each of the ten words."""
    spec, classes = found.spec, found.prepared.manifest["classes"]
    words = list(classes["train"])
    waves = of_each_class(spec, len(words), 1)[:, 0, :, 0]
    coefficients = replace(spec, features="mfcc")
    if spec.source == "mini":
        coefficients.load()  # seconds
    cepstra = of_each_class(coefficients, len(words), 1)[:, 0] if coefficients.opened() is not None else [None] * len(words)
    clips = [Clip(word, waves[i], cepstra[i]) for word, i in ((word, words.index(word)) for word in TEN)]
    return Speech(clips, at_both_rates(spec), classes)


def at_both_rates(spec: SpeechSpec) -> dict[str, Floats]:
    """A few milliseconds of the first test clip around its loudest sample, as it is tested at both rates."""
    module: Any = spec.build(batch_size=8, seed=SEED)
    full = next(iter(module.test_dataloader()))["x"][0, :, 0].numpy()
    half = next(iter(module.zero_shot_dataloaders()["8khz"]))["x"][0, :, 0].numpy()
    start = int(np.abs(full).argmax()) // 2 * 2
    start = max(0, min(start - 40, len(full) - 160))
    return {f"{RATE // 1000} kHz": full[start : start + 160], f"{RATE // 2000} kHz": half[start // 2 : start // 2 + 80]}


# ---------------------------------------------------------------- how it is drawn

COLUMNS: Final = 5


def spectrum(wave: Floats, window: int = 400, hop: int = 160) -> Floats:
    """The size of the short-time Fourier transform in dB under its largest value, (window / 2 + 1, frames): Hann windows, no padding."""
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(wave, dtype=np.float64), window)[::hop]
    size = np.abs(np.fft.rfft(frames * np.hanning(window), axis=1)).T
    return 20 * np.log10(np.maximum(size, 1e-12) / max(float(size.max()), 1e-12))


POINTS = 300
"""Windows in which a wave is drawn."""


def _draw_wave(ax: Axes, clip: Clip) -> None:
    """Least and largest value of each of a few hundred windows: what a line through all samples would cover."""
    k = -(-len(clip.wave) // POINTS)
    n = len(clip.wave) // k
    windows = np.asarray(clip.wave[: n * k]).reshape(n, k)
    at = (np.arange(n) + 0.5) * k / RATE
    ax.fill_between(at, windows.min(1), windows.max(1), color=BLUE, lw=0.4)


def _draw_spectrum(ax: Axes, clip: Clip) -> None:
    extent = (0, len(clip.wave) / RATE, 0, RATE / 2000)
    ax.imshow(spectrum(clip.wave), origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-70, vmax=0, interpolation="nearest")
    ax.set_yticks([0, 4, 8])


def _draw_cepstrum(ax: Axes, clip: Clip) -> None:
    assert clip.cepstrum is not None
    shown = clip.cepstrum.T
    extent = (0, len(clip.wave) / RATE, -0.5, len(shown) - 0.5)
    ax.imshow(shown, origin="lower", aspect="auto", extent=extent, cmap="cividis", vmin=-3, vmax=3, interpolation="nearest")
    ax.set_yticks([0, 10, 19])


@dataclass(frozen=True)
class _Track:
    """One thing that is drawn of a clip, at its height in inches."""

    label: str
    height: float
    draw: Callable[[Axes, Clip], None]


WAVE: Final = _Track("input", 0.75, _draw_wave)
SPECTRUM: Final = _Track("kHz", 1.05, _draw_spectrum)
CEPSTRUM: Final = _Track("MFCC", 0.75, _draw_cepstrum)


def draw(sample: Speech) -> Figure:
    """Five words in a line, each as wave, spectrum, and coefficients where there are any; then both rates, then the classes."""
    tracks = [WAVE, SPECTRUM] if sample.clips[0].cepstrum is None else [WAVE, SPECTRUM, CEPSTRUM]
    lines, last = math.ceil(len(sample.clips) / COLUMNS), len(tracks) - 1
    with drawing():
        heights = [lines * (sum(track.height for track in tracks) + 0.4) + 0.3, 1.6, BALANCE + 0.3]
        figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
        upper, middle, lower = strips(figure, heights)
        ratios = [track.height for track in tracks] * lines
        grid = upper.subplots(len(ratios), COLUMNS, squeeze=False, sharex="col", gridspec_kw={"height_ratios": ratios})
        places = grid.reshape(lines, len(tracks), COLUMNS).swapaxes(1, 2).reshape(-1, len(tracks))  # (clips and spare places, tracks)
        top = 1.05 * max(float(np.abs(clip.wave).max()) for clip in sample.clips)
        for i, (clip, axes) in enumerate(zip(sample.clips, places)):
            line, column = divmod(i, COLUMNS)
            for k, (ax, track) in enumerate(zip(axes, tracks)):
                ax.grid(False)
                ax.set_xlim(0, len(clip.wave) / RATE)
                track.draw(ax, clip)
                ax.tick_params(labelleft=column == 0, labelbottom=line == lines - 1 and k == last)
                if column == 0:
                    ax.set_ylabel(track.label)
            axes[0].set_ylim(-top, top)
            axes[0].set_title(("\n" if line > 0 else "") + clip.word, fontweight="bold", fontsize=9)
        for ax in places[len(sample.clips) :].flat:
            ax.remove()
        upper.supxlabel("seconds", fontsize=9, color=INK)
        _draw_rates(middle.subplots(), sample.rates)
        balance(lower.subplots(), sample.classes)
    return figure


def _draw_rates(ax: Axes, rates: Mapping[str, Floats]) -> None:
    for (name, wave), (color, marker), step in zip(rates.items(), ((SKY, "."), (VERMILLION, "o")), (1, 2)):
        at = 1000 * np.arange(len(wave)) * step / RATE
        ax.plot(at, wave, color=color, marker=marker, ms=4, lw=1, label=name, mfc="none" if step == 2 else color)
    ax.set_xlabel("milliseconds from the place shown")
    ax.set_ylabel("input")
    legend_above(ax, "The same samples in both tests")
