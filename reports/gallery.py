"""python -m reports.gallery: one contact sheet per data set that is here, and one page of them all.

What is drawn comes out of the loaders that training uses: batches of `spec.build`, undone no further than a picture needs (a channel is
stretched from its least to its largest value, an id becomes the character it stands for). A set that is not here is named with the command
that gets it; nothing is downloaded or generated.
"""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from benchmarks import cli

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from data.base import DataSpec
    from data.files.official import Prepared
    from data.subsets import SplitSpec
    from reports import sheets
    from reports.page import Plot

SEED: Final = 0
Kind = TypeVar("Kind", bound="SplitSpec")


class NotHere(Exception):
    """A data set is not here; the message is the command that gets it."""


# ---------------------------------------------------------------- which specs, which samples


def _pathfinder(resolution: Any) -> list[Any]:
    from data.pathfinder.spec import PathfinderSpec

    return [PathfinderSpec(resolution=resolution), *(s for s in used(PathfinderSpec) if s.resolution == resolution)]


def _listops() -> list[Any]:
    from data.listops.spec import ListOpsSpec

    return [ListOpsSpec(source="official"), ListOpsSpec(), *used(ListOpsSpec)]


def _imdb() -> list[Any]:
    from data.texts.imdb import IMDBSpec

    return [IMDBSpec(), *used(IMDBSpec)]


def _imdb_pairs() -> list[Any]:
    from data.texts.imdb_pairs import IMDBPairsSpec

    return [IMDBPairsSpec(), *used(IMDBPairsSpec)]


def _aan() -> list[Any]:
    from data.texts.aan import AANSpec

    return [AANSpec(), *used(AANSpec)]


def _speech() -> list[Any]:
    from data.speech.spec import SpeechSpec

    return [replace(SpeechSpec(), source=source, words=words) for source in ("official", "mini") for words in (35, 10)]  # type: ignore[arg-type]


def _bidmc() -> list[Any]:
    from data.bidmc.spec import BIDMCSpec

    return [BIDMCSpec(target="RR"), BIDMCSpec(target="RR", source="official")]


def _cifar() -> list[Any]:
    from data.images.cifar import CIFARSpec

    return [CIFARSpec()]


def _mnist() -> list[Any]:
    from data.images.mnist import MNISTSpec

    return [MNISTSpec()]


KNOWN: Final[dict[str, Callable[[], list[Any]]]] = {
    "cifar10": _cifar,
    "mnist": _mnist,
    "listops": _listops,
    "imdb": _imdb,
    "imdb-pairs": _imdb_pairs,
    "aan": _aan,
    "pathfinder": lambda: _pathfinder(32),
    "pathfinder64": lambda: _pathfinder(64),
    "pathx": lambda: _pathfinder(128),
    "pathfinder256": lambda: _pathfinder(256),
    "speech": _speech,
    "bidmc": _bidmc,
}
"""The forms of each set that are looked for, the best first."""


def here(name: str) -> tuple[Any, Prepared]:
    """The first form of a set whose arrays are prepared, with these. Raises NotHere, and DataError where they are damaged."""
    for spec in KNOWN[name]():
        prepared = spec.opened()
        if prepared is not None:
            return spec, prepared
    raise NotHere(f"make data-{name}")


def used(kind: type[Kind]) -> list[Kind]:
    """The specs of a kind that the recipes train on, whole: a quick recipe may use a smaller set than the full one."""
    from benchmarks.registry import BENCHMARKS
    from models import DEFAULT_VARIANTS

    found = [b.recipe(DEFAULT_VARIANTS[0], scale).run.data for b in BENCHMARKS.values() for scale in b.scales]
    return list(dict.fromkeys(replace(s, train_subset=None, val_subset=None, test_subset=None) for s in found if isinstance(s, kind)))


def batches(spec: DataSpec, part: str, batch_size: int) -> Iterator[dict[str, NDArray[Any]]]:
    """The batches of a part as arrays, training in the order of its first epoch."""
    module: Any = spec.build(batch_size=batch_size, seed=SEED)
    for batch in getattr(module, f"{part}_dataloader")():
        yield {name: tensor.numpy() for name, tensor in batch.items()}


def of_each_class(spec: DataSpec, classes: int, count: int, part: str = "train") -> NDArray[np.floating[Any]]:
    """(classes, count, L, d): the first `count` training samples of every class."""
    import numpy as np

    found: list[list[NDArray[Any]]] = [[] for _ in range(classes)]
    for batch in batches(spec, part, 64):
        for x, y in zip(batch["x"], batch["y"].tolist()):
            if len(found[y]) < count:
                found[y].append(x)
        if all(len(rows) == count for rows in found):
            break
    return np.array([rows + [np.zeros_like(rows[0])] * (count - len(rows)) for rows in found])


def stretched(x: NDArray[np.floating[Any]], like: NDArray[np.floating[Any]] | None = None) -> NDArray[np.floating[Any]]:
    """Every channel from its least value (black) to its largest, over all samples: undoes any normalisation by channel."""
    axes = tuple(range(x.ndim - 1))
    of = x if like is None else like
    low, high = of.min(axes), of.max(axes)
    return ((x - low) / (high - low)).clip(0, 1)


def tiles(x: NDArray[np.floating[Any]], width: int, pixels: int) -> NDArray[np.floating[Any]]:
    """(rows, columns, L, d) -> (rows, columns, L / width, width, 3 or none): the steps in lines; the first `pixels` are the picture."""
    rows, columns, length, d = x.shape
    picture = stretched(x, x[:, :, :pixels]).reshape(rows, columns, length // width, width, d)
    return picture if d == 3 else picture[..., 0]


# ---------------------------------------------------------------- the sheets


def cifar() -> Plot:
    from reports.sheets import Panel, pictures

    spec, prepared = here("cifar10")
    names = tuple(prepared.manifest["classes"]["train"])
    colour, grey = (of_each_class(s, 10, n) for s, n in ((spec, 7), (replace(spec, color=False), 4)))
    noisy = of_each_class(replace(spec, noise=1024), 10, 1)[1:6:2]
    line = [
        Panel("colour", tiles(colour, 32, 1024), names),
        Panel("grey: LRA Image", tiles(grey, 32, 1024)),
        Panel("then noise", tiles(noisy, 32, 1024)),
    ]
    return _plot(
        "cifar10", "CIFAR-10, training images as the network is given them", pictures([line], prepared.manifest["classes"]),
        "Photographs of ten classes in colour, in grey, and followed by noise; bars of the share of each class.",
        "A line is a class; the same images in colour and in grey. Right: three images with the 1,024 steps of noise that follow them in "
        "scifar-noise, uniform on [0, 1) in units of the normalised pixels, so its range is narrow. Steps run along the lines "
        "of a picture.",
    )  # fmt: skip


def mnist() -> Plot:
    from reports.sheets import Panel, pictures

    spec, prepared = here("mnist")
    plain, permuted = (of_each_class(s, 10, 9) for s in (spec, replace(spec, permuted=True)))
    line = [Panel("row by row", tiles(plain, 28, 784), tuple("0123456789")), Panel("in bit-reversal order", tiles(permuted, 28, 784))]
    return _plot(
        "mnist", "MNIST, training images as the network is given them", pictures([line], prepared.manifest["classes"]),
        "Handwritten digits, and the same with their pixels permuted; bars of the share of each class.",
        "A line is a class. Right: the same steps of the permuted task, written into lines of 28.",
    )  # fmt: skip


def digits() -> Plot:
    from data.images.digits import DigitsSpec
    from data.subsets import PARTS
    from reports.sheets import Panel, pictures

    plain, noisy = of_each_class(DigitsSpec(), 10, 16), of_each_class(DigitsSpec(noise=192), 10, 5)
    counts = {part: _counted(DigitsSpec(), part) for part in PARTS}
    line = [
        Panel("digits alone", tiles(plain, 8, 64), tuple("0123456789")),
        Panel("then noise", tiles(noisy[:4], 8, 64), tuple("0123")),
    ]
    return _plot(
        "digits", "Digits of scikit-learn, training images as the network is given them", pictures([line], counts),
        "Handwritten digits of 8 by 8 pixels, alone and followed by noise; bars of the share of each class.",
        "A line is a class. Right: the first 64 steps of each strip are the digit, the 192 below it noise, uniform on [0, 1) in units of "
        "the normalised pixels.",
    )  # fmt: skip


def _counted(spec: DataSpec, part: str) -> dict[str, int]:
    import numpy as np

    labels = np.concatenate([batch["y"] for batch in batches(spec, part, 256)])
    return {str(label): int(n) for label, n in enumerate(np.bincount(labels))}


def pathfinder() -> Plot:
    from reports.sheets import Panel, pictures

    lines, sources, counts = [], [], None
    for name, count, rows, title in (("pathfinder", 9, 2, "Pathfinder, 32 x 32"), ("pathx", 5, 1, "Path-X, 128 x 128")):
        try:
            spec, prepared = here(name)
        except NotHere:
            continue
        resolution = spec.resolution
        x = of_each_class(spec, 2, rows * count)[::-1]  # positives first
        shaped = x.reshape(2 * rows, count, *x.shape[2:])
        names = ("joined, 1",) * rows + ("not joined, 0",) * rows
        lines.append([Panel(f"{title}, {spec.source}", tiles(shaped, resolution, resolution**2), names)])
        sources.append(f"{resolution} px: {sum(prepared.manifest['counts'].values()):,} images, {spec.source}")
        counts = counts or _named(prepared.manifest["classes"], ("not joined", "joined"))
    if not lines:
        raise NotHere("make data-pathfinder")
    return _plot(
        "pathfinder", "Pathfinder, training images as the network is given them", pictures(lines, counts),
        "Dashed curves with two discs: images in which one curve joins the discs, and images in which none does; bars of both classes.",
        "The discs are the two bright round spots. Label 1: they are the two ends of one long curve. Label 0: they are ends of different "
        f"ones. Short curves distract. ({'; '.join(sources)}.)",
    )  # fmt: skip


def _named(classes: Mapping[str, Mapping[str, int]], names: Sequence[str]) -> dict[str, dict[str, int]]:
    return {part: dict(zip(names, found.values())) for part, found in classes.items()}


def speech() -> Plot:
    from data.speech.mfcc import RATE
    from data.speech.release import TEN
    from reports.sheets import Clip
    from reports.sheets import speech as draw

    spec, prepared = here("speech")
    words = list(prepared.manifest["classes"]["train"])
    waves = of_each_class(spec, len(words), 1)[:, 0, :, 0]
    coefficients = replace(spec, features="mfcc")
    if spec.source == "mini":
        coefficients.load()  # seconds
    cepstra = of_each_class(coefficients, len(words), 1)[:, 0] if coefficients.opened() is not None else None
    also = "" if cepstra is None else ", and the 161 x 20 normalised cepstral coefficients that sc10-mfcc uses instead, -3 (dark) to 3"
    chosen = [words.index(word) for word in TEN]
    clips = [Clip(words[i], waves[i], None if cepstra is None else cepstra[i]) for i in chosen]
    return _plot(
        "speech", f"Speech Commands ({spec.source}), a training clip of ten words as the network is given it",
        draw(clips, RATE, prepared.manifest["classes"], _at_both_rates(spec, RATE)),
        "Waves, spectra and cepstral coefficients of ten spoken words; the same samples at 16 and at 8 kHz; bars of the share "
        "of each word.",
        "Blue: the 16,000 input values (what a line through them would cover), each place normalised by its mean and deviation over the "
        "training clips, all on one scale. Below: size of their short-time Fourier transform (Hann windows of 25 ms), 0 to -70 dB of the "
        f"largest{also}. The zero-shot test keeps every second sample and doubles the network's step sizes.",
    )  # fmt: skip


def _at_both_rates(spec: Any, rate: int) -> dict[str, NDArray[Any]]:
    """A few milliseconds of the first test clip as it is tested at both rates, at its loudest."""
    import numpy as np

    module = spec.build(batch_size=8, seed=SEED)
    full = next(iter(module.test_dataloader()))["x"][0, :, 0].numpy()
    half = next(iter(module.zero_shot_dataloaders()["8khz"]))["x"][0, :, 0].numpy()
    start = int(np.abs(full).argmax()) // 2 * 2
    start = max(0, min(start - 40, len(full) - 160))
    return {f"{rate // 1000} kHz": full[start : start + 160], f"{rate // 2000} kHz": half[start // 2 : start // 2 + 80]}


UNITS: Final = {"RR": "breaths/min", "HR": "beats/min", "SpO2": "%"}


def bidmc() -> Plot:
    import numpy as np

    from data.bidmc.release import RATE
    from data.subsets import PARTS
    from reports.sheets import Window, biosignals

    windows, targets = [], {}
    first_spec, _ = here("bidmc")
    for i, (target, unit) in enumerate(UNITS.items()):
        spec = replace(first_spec, target=target)
        if spec.opened() is None:  # each target has .ts files of its own
            continue
        first = next(batches(spec, "train", 2 * len(UNITS)))
        for x, y in zip(first["x"][2 * i : 2 * i + 2], first["y"][2 * i : 2 * i + 2].tolist()):
            windows.append(Window(f"{target} {y:.1f} {unit}", {"photoplethysmogram": x[:, 0], "ECG, lead II": x[:, 1]}))
        targets[f"{target} ({unit})"] = {part: np.concatenate([b["y"] for b in batches(spec, part, 256)]) for part in PARTS}
    return _plot(
        "bidmc", f"BIDMC ({first_spec.source}, split: {first_spec.split}), training windows as the network is given them",
        biosignals(windows, RATE, targets),
        "Six windows of 32 seconds with pulse and heart signals; histograms of the three targets in train, val and test.",
        "Two windows for each target, which stands above them; signals in the units of the recordings, not normalised, each on its own "
        "scale. Below: the targets of all windows.",
    )  # fmt: skip


def listops() -> Plot:
    import numpy as np

    from reports.sheets import Row

    spec, prepared = here("listops")
    names = list(prepared.manifest["vocabulary"])
    kinds = np.array([3 if n.startswith("<") else 1 if n.startswith("[") else 2 if n == "X" else 0 for n in names])
    rows = []
    for x, length, y in _single(spec, 10):
        ids = x[:length]
        rows.append(Row(f"value {y}", ids, tuple("]" if names[i] == "X" else names[i].strip("[") for i in ids[:48]), kinds[ids[:48]]))
    return _token_plot(
        "listops", f"ListOps ({spec.source}), training rows as the network is given them", spec, prepared, rows,
        ("digit", "operator", "closing bracket, X", "end"),
        "A line is an expression; the first 48 tokens above, all of it below (operators and digits have larger ids than the bracket, which "
        "is the commonest). An <eos> token ends it, and what follows is padding.",
    )  # fmt: skip


def imdb() -> Plot:
    from reports.sheets import Row

    spec, prepared = here("imdb")
    letters = _letters(prepared.manifest.get("vocabulary"))
    rows = [Row(("negative", "positive")[y], x[:length], *letters(x[:length][:84])) for x, length, y in _single(spec, 10)]
    return _token_plot(
        "imdb", f"IMDB reviews as {spec.tokens}, training rows as the network is given them", spec, prepared, rows, LETTERS,
        "A line is a review; its first 84 tokens above, all of it below. Ids are numbered by falling frequency, so common "
        "letters are dark.",
    )  # fmt: skip


def imdb_pairs() -> Plot:
    from data.texts.imdb import IMDBSpec

    spec, prepared = here("imdb-pairs")
    texts = IMDBSpec(length=spec.length).opened()
    return _pairs(
        "imdb-pairs", "Same film? Training pairs of IMDB reviews as the network is given them", spec, prepared,
        texts.manifest["vocabulary"] if texts is not None else None, ("two films", "same film"),
    )  # fmt: skip


def aan() -> Plot:
    spec, prepared = here("aan")
    return _pairs(
        "aan", f"AAN as {spec.tokens}, training pairs as the network is given them", spec, prepared, prepared.manifest.get("vocabulary"),
        ("no citation", "citation"),
    )  # fmt: skip


def _pairs(name: str, title: str, spec: DataSpec, prepared: Prepared, vocabulary: str | None, answers: tuple[str, str]) -> Plot:
    from reports.sheets import Row

    letters = _letters(vocabulary)
    rows = []
    for x, lengths, y in _single(spec, 5):
        rows += [Row(answers[y] if i == 0 else "", x[i, :n], *letters(x[i, :n][:84])) for i, n in enumerate(lengths.tolist())]
    return _token_plot(
        name, title, spec, prepared, rows, LETTERS,
        "Two lines are a pair, the answer at the left; the first 84 tokens of each above, all of it below. Ids are numbered by falling "
        "frequency, so common letters are dark.", together=2,
    )  # fmt: skip


def probes() -> Plot:
    from data.probes.probes import PROBES, CopyingSpec, DelaySpec, SelectiveCopyingSpec
    from reports.sheets import Probe
    from reports.sheets import probes as draw

    found = []
    for kind in PROBES:
        spec = kind()
        batch = next(batches(spec, "train", 1))
        x, y, mask = (batch[name][0] for name in ("x", "y", "mask"))
        tokens = spec.signature.vocab is not None
        blank = 0 if isinstance(spec, (CopyingSpec, SelectiveCopyingSpec)) else None
        delay = spec.delay if isinstance(spec, DelaySpec) else 0
        found.append(Probe(f"{spec.name}, {len(x):,} steps", x if tokens else x[:, 0], y, mask, tokens, blank, delay))
    return _plot(
        "probes", "Synthetic probes, a training sample of each as the network is given it", draw(found),
        "Five synthetic tasks: the input and, where it is scored, the target, over the whole sequence and at its end.",
        "The target is drawn where it is scored and nowhere else (the mask); light grey is nothing: blanks of the input, steps without a "
        "question. Colours are numbers; classes count from 0, so they may be lower than the tokens they stand for by a fixed number. "
        "Right: the end once more, tokens written out; for the delay, target and input moved by it.",
    )  # fmt: skip


def _single(spec: DataSpec, n: int) -> list[tuple[NDArray[Any], Any, int]]:
    """(x, length or lengths, y) of n training samples, one to a batch, so that they are of all lengths."""
    out = []
    for batch in batches(spec, "train", 1):
        length = batch["lengths"][0]
        out.append((batch["x"][0], int(length) if length.ndim == 0 else length, int(batch["y"][0])))
        if len(out) == n:
            break
    return out


LETTERS: Final = ("letter", "space", "other sign", "unknown or end", "digit")


def _letters(vocabulary: str | None) -> Callable[[NDArray[Any]], tuple[tuple[str, ...], NDArray[Any]]]:
    """ids -> (what may be read, which kind each is); without a vocabulary an id is a byte and one."""
    import numpy as np

    from data.texts.vocabulary import EOS, SPECIALS, UNK

    def read(ids: NDArray[Any]) -> tuple[tuple[str, ...], NDArray[Any]]:
        words, kinds = [], []
        for i in ids.tolist():
            special = vocabulary is not None and i < SPECIALS
            letter = "" if special else chr(i - 1) if vocabulary is None else vocabulary[i - SPECIALS]
            kind = 3 if special else 0 if letter.isalpha() else 1 if letter.isspace() else 4 if letter.isdigit() else 2
            shown = {EOS: "∎", UNK: "?"}.get(i, "") if special else letter
            words.append(shown if (shown.isprintable() and ord(shown or " ") < 0x250) or shown == "∎" else "·")
            kinds.append(kind)
        return tuple(words), np.array(kinds)

    return read


def _token_plot(
    name: str, title: str, spec: DataSpec, prepared: Prepared, rows: Sequence[sheets.Row], kinds: Sequence[str], caption: str,
    *, together: int = 1,
) -> Plot:  # fmt: skip
    import numpy as np

    from data.subsets import PARTS
    from reports.sheets import token_rows

    lengths = {part: np.concatenate([b["lengths"].reshape(-1) for b in batches(spec, part, 256)]) for part in PARTS}
    signature = spec.signature
    figure = token_rows(
        rows, vocab=signature.vocab or 0, longest=signature.length, kinds=kinds, together=together, balance_of=prepared.manifest["classes"],
        lengths=lengths,
    )  # fmt: skip
    alt = "Token rows: the first tokens written in cells, and whole rows as colours; bars of the share of each class; histogram of lengths."
    return _plot(name, title, figure, alt, f"{caption} Below: classes and lengths of all rows.")


def _plot(name: str, title: str, figure: Any, alt: str, caption: str) -> Plot:
    from reports.page import Plot

    return Plot(name=name, title=title, figure=figure, alt=alt, caption=caption)


SHEETS: Final[dict[str, Callable[[], Plot]]] = {
    "digits": digits,
    "cifar10": cifar,
    "mnist": mnist,
    "listops": listops,
    "imdb": imdb,
    "imdb-pairs": imdb_pairs,
    "aan": aan,
    "pathfinder": pathfinder,
    "speech": speech,
    "bidmc": bidmc,
    "probes": probes,
}

# ---------------------------------------------------------------- the page


LARGE: Final = ("speech", "bidmc")
"""Sheets that are kept with 256 colours, for the size of their files; colours that are rare on a sheet may be lost by that."""


def compact(png: bytes, *, palette: bool) -> bytes:
    """The same picture in a smaller file; `palette`: with 256 colours."""
    from io import BytesIO

    from PIL import Image

    picture = Image.open(BytesIO(png)).convert("RGB")
    out = BytesIO()
    (picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE) if palette else picture).save(
        out, "png", optimize=True
    )
    return out.getvalue()


def sheet(name: str) -> tuple[Plot, bytes]:
    """A contact sheet, and the same as PNG. Raises NotHere, DataError."""
    from reports.plots import save

    plot = SHEETS[name]()
    return plot, compact(save(plot.figure, "png"), palette=name in LARGE)


@dataclass(frozen=True)
class Shown:
    """A sheet that was written."""

    plot: Plot
    file: str


def page(shown: Sequence[Shown], missing: Mapping[str, str]) -> str:
    """The page: every sheet with its caption, then what is not here."""
    style = (
        "body{font:16px/1.55 system-ui,sans-serif;color:#1f2328;background:#fffffe;max-width:66rem;margin:0 auto;padding:2rem 1rem 5rem}"
        "h1{font-weight:600}h2{font-size:1.15rem;margin:3rem 0 .6rem}img{width:100%;height:auto;border:1px solid #e3e6ea;border-radius:4px}"
        "nav a{margin-right:1rem}p{max-width:50rem;color:#4a515a}code{background:#eef1f4;padding:.1em .3em;border-radius:3px}"
    )
    out = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Gallery of the data sets</title><style>{style}</style></head><body><h1>What the networks are given</h1>",
        "<nav>" + "".join(f'<a href="#{s.plot.name}">{html.escape(s.plot.name)}</a>' for s in shown) + "</nav>",
    ]
    for s in shown:
        out.append(
            f'<section id="{s.plot.name}"><h2>{html.escape(s.plot.title)}</h2><img src="{s.file}" alt="{html.escape(s.plot.alt)}">'
            f"<p>{html.escape(s.plot.caption)}</p></section>"
        )
    if missing:
        out.append("<h2>Not here</h2><ul>")
        out += [f"<li>{html.escape(name)}: <code>{html.escape(why)}</code></li>" for name, why in missing.items()]
        out.append("</ul>")
    return "\n".join([*out, "</body></html>"]) + "\n"


def draw(names: Sequence[str], folder: Path) -> int:
    """Writes the sheets and their page, and says what is not here; the exit code."""
    from benchmarks.running.environment import EnvironmentProblem
    from benchmarks.running.store import write_atomically
    from data.base import DataError, StorageError

    shown: list[Shown] = []
    missing: dict[str, str] = {}
    damaged: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            try:
                plot, content = sheet(name)
            except NotHere as command:
                missing[name] = str(command)
                print(f"{name:<12} not here; {command} gets it", flush=True)
                continue
            except StorageError:
                raise
            except DataError as error:
                missing[name] = str(error)
                damaged.append(f"{name}: {error}")
                continue
            shown.append(Shown(plot, f"{name}.png"))
            write_atomically(folder / f"{name}.png", content)
            print(f"{name:<12} {folder / f'{name}.png'}", flush=True)
        target = folder / "index.html"
        write_atomically(target, page(shown, missing).encode())
    except OSError as error:
        raise EnvironmentProblem(
            f"the gallery cannot be written to {folder} ({error.strerror or error}). Make the folder writable, free some space, or name "
            "another one with --out."
        ) from error
    print(target)
    if damaged:
        print("error: " + "\n".join(damaged), file=sys.stderr)
        return cli.DATA
    return cli.DONE


def parser() -> cli.Parser:
    """The flags."""
    p = cli.Parser(
        "python -m reports.gallery",
        "Draw a contact sheet of every data set that is here, as a network is given it, and one page of them all.",
    )
    p.add_argument("names", nargs="?", type=cli.some_of("data set", tuple(SHEETS)), default=tuple(SHEETS), metavar="NAME,...",
                   help=f"some of: {', '.join(SHEETS)} (default: all)")  # fmt: skip
    p.add_argument("--data", type=cli.folder, default=None, metavar="DIR", help="data sets (default: $SSM_DATA, or the user's cache)")
    p.add_argument("--out", type=cli.folder, default=None, metavar="DIR", help="where to (default: reports/gallery in the run store)")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = parser().parse(argv)
    if options.data is not None:
        os.environ["SSM_DATA"] = options.data
    from benchmarks.running.store import run_root

    return draw(options.names, Path(options.out) if options.out is not None else run_root() / "reports" / "gallery")


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
