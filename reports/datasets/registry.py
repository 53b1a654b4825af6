"""DATASETS: every data set of the page as one row; those that need no file last. A new row is on the page and in the gallery.

A set without a row here has its card and its counts on the page, and no picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from data.bidmc.spec import BIDMCSpec
from data.images.cifar import CIFARSpec
from data.images.mnist import MNISTSpec
from data.listops.spec import ListOpsSpec
from data.pathfinder.drawing import Resolution
from data.pathfinder.spec import PathfinderSpec
from data.registry import SETS
from data.speech.spec import SpeechSpec
from data.subsets import SplitSpec
from data.texts.aan import AANSpec
from data.texts.imdb import IMDBSpec
from data.texts.imdb_pairs import IMDBPairsSpec
from reports.datasets import bidmc, pictures, probes, speech, tokens
from reports.datasets.dataset import DataSet, Generator, Quantities, Sheet
from reports.datasets.samples import used


def _pathfinder(resolution: Resolution) -> Callable[[], list[PathfinderSpec]]:
    """The whole set at a resolution, then the smaller ones that recipes train on."""
    return lambda: [PathfinderSpec(resolution=resolution), *(s for s in used(PathfinderSpec) if s.resolution == resolution)]


DISCS_AND_DASHES: Final = (
    Quantities("distance, ", "distance of the discs, pixels"),
    Quantities("distractors: ", "images, by distractors drawn"),
    Quantities("image mean, ", "mean of an image, quantiles"),
    Quantities("pixels ", "share of pixels"),
)
ROWS_OF_TOKENS: Final = (
    "Token rows: the first tokens written in cells, and whole rows as colours; bars of the share of each class; histogram of lengths."
)
BELOW: Final = "Below: classes and lengths of all rows."
PAIRS: Final = (
    "Two lines are a pair, the answer at the left; the first 84 tokens of each above, all of it below. Ids are numbered by falling "
    f"frequency, so common letters are dark. {BELOW}"
)

PATHX: Final = DataSet(
    name="pathx",
    forms=_pathfinder(128),
    generator=Generator(spec=PathfinderSpec(resolution=128, images=2_000), panels=DISCS_AND_DASHES),
)

_ROWS: Final = (
    DataSet(
        name="cifar10",
        forms=lambda: [CIFARSpec()],
        sheet=Sheet(
            gather=pictures.cifar10,
            draw=pictures.draw,
            title="CIFAR-10, training images as the network is given them",
            alt="Photographs of ten classes in colour, in grey, and followed by noise; bars of the share of each class.",
            caption="A line is a class; the same images in colour and in grey. Right: three images with the 1,024 steps of noise that "
            "follow them in scifar-noise, uniform on [0, 1) in units of the normalised pixels, so its range is narrow. Steps run along "
            "the lines of a picture.",
        ),
    ),
    DataSet(
        name="mnist",
        forms=lambda: [MNISTSpec()],
        sheet=Sheet(
            gather=pictures.mnist,
            draw=pictures.draw,
            title="MNIST, training images as the network is given them",
            alt="Handwritten digits, and the same with their pixels permuted; bars of the share of each class.",
            caption="A line is a class. Right: the same steps of the permuted task, written into lines of 28.",
        ),
    ),
    DataSet(
        name="listops",
        forms=lambda: [ListOpsSpec(source="official"), ListOpsSpec(), *used(ListOpsSpec)],
        sheet=Sheet(
            gather=tokens.listops,
            draw=tokens.draw,
            title="ListOps ({spec.source}), training rows as the network is given them",
            alt=ROWS_OF_TOKENS,
            caption="A line is an expression; the first 48 tokens above, all of it below (operators and digits have larger ids than the "
            "bracket, which is the commonest). An <eos> token ends it, and what follows is padding. " + BELOW,
        ),
        generator=Generator(
            spec=ListOpsSpec(),
            panels=(
                Quantities("share of rows, length ", "length, tokens from"),
                Quantities("share of operators at depth ", "operators, by depth"),
                Quantities("share of roots with ", "root operators, by arguments"),
                Quantities("share of rows with value ", "rows, by value"),
            ),
        ),
    ),
    DataSet(
        name="imdb",
        forms=lambda: [IMDBSpec(), *used(IMDBSpec)],
        sheet=Sheet(
            gather=tokens.imdb,
            draw=tokens.draw,
            title="IMDB reviews as {spec.tokens}, training rows as the network is given them",
            alt=ROWS_OF_TOKENS,
            caption="A line is a review; its first 84 tokens above, all of it below. Ids are numbered by falling frequency, so common "
            "letters are dark. " + BELOW,
        ),
    ),
    DataSet(
        name="imdb-pairs",
        forms=lambda: [IMDBPairsSpec(), *used(IMDBPairsSpec)],
        sheet=Sheet(
            gather=tokens.imdb_pairs,
            draw=tokens.draw,
            title="Same film? Training pairs of IMDB reviews as the network is given them",
            alt=ROWS_OF_TOKENS,
            caption=PAIRS,
        ),
    ),
    DataSet(
        name="aan",
        forms=lambda: [AANSpec(), *used(AANSpec)],
        sheet=Sheet(
            gather=tokens.aan,
            draw=tokens.draw,
            title="AAN as {spec.tokens}, training pairs as the network is given them",
            alt=ROWS_OF_TOKENS,
            caption=PAIRS,
        ),
    ),
    DataSet(
        name="pathfinder",
        forms=_pathfinder(32),
        sheet=Sheet(
            gather=pictures.pathfinder,
            draw=pictures.draw,
            beside=(PATHX,),
            title="Pathfinder, training images as the network is given them",
            alt="Dashed curves with two discs: images in which one curve joins the discs, and images in which none does; bars of both "
            "classes.",
            caption="The discs are the two bright round spots. Label 1: they are the two ends of one long curve. Label 0: they are ends of "
            "different ones. Short curves distract. ({sample.sources}.)",
        ),
        generator=Generator(spec=PathfinderSpec(images=20_000), panels=DISCS_AND_DASHES),
    ),
    DataSet(name="pathfinder64", forms=_pathfinder(64)),
    PATHX,
    DataSet(name="pathfinder256", forms=_pathfinder(256)),
    DataSet(
        name="speech",
        forms=lambda: [SpeechSpec(), SpeechSpec(words=10), SpeechSpec(source="mini"), SpeechSpec(source="mini", words=10)],
        sheet=Sheet(
            gather=speech.gather,
            draw=speech.draw,
            palette=True,
            title="Speech Commands ({spec.source}), a training clip of ten words as the network is given it",
            alt="Waves, spectra and cepstral coefficients of ten spoken words; the same samples at 16 and at 8 kHz; bars of the share of "
            "each word.",
            caption="Blue: the 16,000 input values (what a line through them would cover), each place normalised by its mean and deviation "
            "over the training clips, all on one scale. Below: size of their short-time Fourier transform (Hann windows of 25 ms), 0 to "
            "-70 dB of the largest{sample.also}. The zero-shot test keeps every second sample and doubles the network's step sizes.",
        ),
    ),
    DataSet(
        name="bidmc",
        forms=lambda: [BIDMCSpec(target="RR"), BIDMCSpec(target="RR", source="official")],
        sheet=Sheet(
            gather=bidmc.gather,
            draw=bidmc.draw,
            palette=True,
            title="BIDMC ({spec.source}, split: {spec.split}), training windows as the network is given them",
            alt="Six windows of 32 seconds with pulse and heart signals; histograms of the three targets in train, val and test.",
            caption="Two windows for each target, which stands above them; signals in the units of the recordings, not normalised, each on "
            "its own scale. Below: the targets of all windows.",
        ),
    ),
    DataSet(
        name="probes",
        sheet=Sheet(
            gather=probes.gather,
            draw=probes.draw,
            title="Synthetic probes, a training sample of each as the network is given it",
            alt="Five synthetic tasks: the input and, where it is scored, the target, over the whole sequence and at its end.",
            caption="The target is drawn where it is scored and nowhere else (the mask); light grey is nothing: blanks of the input, steps "
            "without a question. Colours are numbers; classes count from 0, so they may be lower than the tokens they stand for by a fixed "
            "number. Right: the end once more, tokens written out; for the delay, target and input moved by it.",
        ),
    ),
    DataSet(
        name="digits",
        sheet=Sheet(
            gather=pictures.digits,
            draw=pictures.draw,
            title="Digits of scikit-learn, training images as the network is given them",
            alt="Handwritten digits of 8 by 8 pixels, alone and followed by noise; bars of the share of each class.",
            caption="A line is a class. Right: the first 64 steps of each strip are the digit, the 192 below it noise, uniform on [0, 1) "
            "in units of the normalised pixels.",
        ),
    ),
)


def _plain(name: str, spec: SplitSpec) -> DataSet:
    """The row of a set that nothing is drawn of: its card and what is counted of it."""
    return DataSet(name=name, forms=lambda: [spec])


DATASETS: Final[dict[str, DataSet]] = {
    row.name: row for row in (*_ROWS, *(_plain(name, spec) for name, spec in SETS.items() if name not in {row.name for row in _ROWS}))
}
