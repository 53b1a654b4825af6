"""LRA Retrieval: do two papers of the ACL Anthology Network belong together, read character by character (arXiv:2011.04006)?

The pairs are in the release of Long Range Arena. A paper is in many of them: each text is stored once, pairs are two numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import numpy as np

from data.base import PARTS, DataError, Say, Signature, silent
from data.card import Card
from data.files.digests import key_of, sha256
from data.files.prepared import Made, Prepared, opened, prepare
from data.files.root import root
from data.ragged import Ragged
from data.subsets import RaggedSpec
from data.texts.aan_release import FILES, PLAIN, ROWS, URL, Quoting, digests_of_files, folder_of_files, remembered_digests, rows
from data.texts.towers import consecutive, module
from data.texts.vocabulary import BYTE_IDS, Vocabulary, encode_bytes

if TYPE_CHECKING:
    from data.module import SplitModule

NAME: Final = "aan"
SOURCE: Final = f"ACL Anthology Network (D. Radev et al.) as paired by Long Range Arena (Y. Tay et al.), {URL}"
LICENCE: Final = "none stated for the pairs; the code of Long Range Arena is under Apache 2.0"
READER_VERSION: Final = 1
CLASSES: Final = ("apart", "together")
Tokens = Literal["characters", "bytes"]
CARD: Final = Card(
    name=NAME,
    title="LRA Retrieval (AAN)",
    what="Two papers of the ACL Anthology Network, read character by character by the same network; the question is whether they are "
    "related by citation.",
    size="147,086 / 18,090 / 17,437 pairs according to the literature, each text cut to 4,000 steps; the release is 7.7 GB.",
    licence=LICENCE,
    source="lra_release.gz of Long Range Arena, folder lra_release/lra_release/tsv_data: new_aan_pairs.train.tsv, .eval.tsv, .test.tsv",
    citation="Y. Tay et al., Long Range Arena, arXiv:2011.04006; D. R. Radev et al., The ACL Anthology Network Corpus, 2013",
    splits="The three files as they are. validation=given (ours, and the literature's) chooses on the eval file, validation=test on the "
    "test file. A paper is in pairs of several parts; how many pairs of texts are in two is counted in the manifest.",
    issues=(
        "nobody could check this reader against the real files, which were not at hand: it was written from how Long Range Arena and "
        "state-spaces/s4 read them, and tested on small files of that form",
        "quoting=none (ours) reads rows as Long Range Arena does; quoting=csv as state-spaces/s4, where a text that begins with a "
        "quotation mark loses it and may swallow what follows up to the next one",
        "state-spaces/s4 notes 98 ids, as printable ASCII and three special ones would give; a count that differs is refused with both "
        "numbers, and the field vocab takes the other",
        "characters: the vocabulary is counted over both texts of all training rows, without a least frequency, after cutting to 3,999; "
        "<eos> follows. bytes (LRA): cut to 4,000, nothing marks the end",
        "an empty text is kept: <eos> alone, or one step of padding in bytes; their number is in the manifest",
        "no checksum was published; what is prepared is keyed by the sha256 of the files found",
        "chance is 50 %",
    ),
)


@dataclass(frozen=True, kw_only=True)
class AANSpec(RaggedSpec):
    """Two papers as token ids, each cut to `length` steps; the label is 1 where they belong together."""

    version: ClassVar[int] = 1
    task: ClassVar[tuple[str, ...]] = ("length",)
    card: ClassVar[Card] = CARD

    tokens: Tokens = "characters"
    """S4's characters with a counted vocabulary, or LRA's bytes."""
    length: int = 4000
    """Longest sequence of either text, <eos> included."""
    validation: Literal["given", "test"] = "given"
    """The part on which the checkpoint is chosen: the eval file, or the test set itself."""
    quoting: Quoting = "none"
    """How rows are read: as LRA does (ours), or with CSV quotation marks as state-spaces/s4 does."""
    vocab: int = 98
    """Ids of the characters: what state-spaces/s4 counted. Files with another number are refused; then give theirs. Bytes have 257."""
    source: Literal["official"] = "official"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_at_least(2, "length")
        if self.tokens == "bytes" and self.vocab != 98:
            raise ValueError("vocab is that of characters; bytes always have 257 ids")

    @property
    def signature(self) -> Signature:
        """Both texts have one token per step; there are two classes."""
        vocab = BYTE_IDS if self.tokens == "bytes" else self.vocab
        return Signature(length=self.length, vocab=vocab, d_output=2, two_towers=True)

    def load(self, *, download: bool = False, say: Say = silent) -> Prepared:
        """Opens the texts as ids, and the pairs. There is nothing to download on its own: DataError says where the files are."""
        digests = digests_of_files(say)
        ready = prepare(self._name(), self._key(digests), lambda: self._made(digests, say), needed=2_000_000_000)
        ids = ready.manifest["ids"]
        if ids != self.signature.vocab:
            raise DataError(
                f"the texts have {ids} ids with padding, unknown and end, and {self.signature.vocab} were announced (vocab). If the files "
                f"are the official ones, choose vocab={ids} (PROTOCOL=vocab={ids})."
            )
        return ready

    def opened(self) -> Prepared | None:
        """Opens the prepared arrays; None where they are not there."""
        digests = remembered_digests()
        return None if digests is None else opened(self._name(), self._key(digests))

    def sizes(self, prepared: Prepared) -> dict[str, int]:
        """Pairs of each part; with validation=test the test file is both."""
        counts = prepared.counts()
        return {**counts, "val": counts["test"]} if self.validation == "test" else counts

    def plan(self) -> str:
        """Says what would be read, or what has to be put where."""
        try:
            return f"the pairs that are in {folder_of_files()}, and 0.1 to 1.5 GB of prepared arrays; a few minutes"
        except DataError:
            return f"nothing by itself; {', '.join(FILES.values())} have to be put into {root() / PLAIN} by hand"

    def _name(self) -> str:
        return f"{NAME}-{self.tokens}-{self.length}-{self.quoting}"

    def _key(self, digests: dict[str, str]) -> str:
        choices = f"aan {READER_VERSION} {self.tokens} {self.length} {self.quoting}"
        return key_of(choices, *(digests[name] for name in FILES.values()))

    def _made(self, digests: dict[str, str], say: Say) -> Made:
        folder = folder_of_files(say)
        texts: dict[bytes, int] = {}
        pairs: dict[str, list[tuple[int, int]]] = {part: [] for part in PARTS}
        labels: dict[str, list[int]] = {part: [] for part in PARTS}
        for part, name in FILES.items():
            say(f"reading {folder / name}")
            for label, *both in rows(folder / name, self.quoting, say):
                first, second = (texts.setdefault(self._cut(text), len(texts)) for text in both)
                pairs[part].append((first, second))
                labels[part].append(label)
        documents = list(texts)
        about: dict[str, Any] = {"ids": BYTE_IDS}
        if self.tokens == "bytes":
            ragged = encode_bytes(documents, cut=self.length)
        else:
            times = np.bincount(np.array(pairs["train"]).ravel(), minlength=len(documents))
            vocabulary = Vocabulary.counted(documents, cut=self.length - 1, times=times)
            ragged = vocabulary.encode(documents, cut=self.length - 1)
            about = {"ids": len(vocabulary), "vocabulary": vocabulary.characters}
        counts = {part: len(rows) for part, rows in labels.items()}
        if counts != ROWS:
            say(f"{counts} pairs were read; the literature has {ROWS}")
        empty = texts.get(b"", -1)
        facts = {
            "source": SOURCE,
            "licence": LICENCE,
            "counts": counts,
            "counts in the literature": ROWS,
            "classes": {part: dict(zip(CLASSES, np.bincount(own, minlength=2).tolist(), strict=True)) for part, own in labels.items()},
            "split": {"rule": "the three official files", "sha256": sha256(*consecutive(counts).values())},
            "texts": len(documents),
            "empty texts": sum(empty in pair for own in pairs.values() for pair in own),
            "pairs in two parts": _shared(pairs),
            "files": digests,
            **about,
        }
        arrays = {
            "values": ragged.values,
            "offsets": ragged.offsets,
            "pairs": np.concatenate([np.array(pairs[part], dtype=np.int32) for part in PARTS]),
            "labels": np.concatenate([np.array(labels[part], dtype=np.uint8) for part in PARTS]),
        }
        return Made(arrays=arrays, facts=facts)

    def _cut(self, text: bytes) -> bytes:
        """So much of a text as is used; what differs behind the cut is one text."""
        return text[: self.length] if self.tokens == "bytes" else text.decode()[: self.length - 1].encode()

    def build(self, *, batch_size: int, seed: int) -> SplitModule:
        """The data module; batches are {"x": (B, 2, L) int64, "y": (B,) int64, "lengths": (B, 2)}, L a multiple of 64. Raises DataError."""
        prepared = self.load()
        labels = prepared.array("labels").astype(np.int64)
        parts = consecutive(prepared.counts())
        if self.validation == "test":
            parts["val"] = parts["test"]
        splits = self.take(parts, labels)
        return module(
            Ragged(np.asarray(prepared.array("values")), np.asarray(prepared.array("offsets"))),
            prepared.array("pairs").astype(np.int64),
            labels,
            splits,
            limit=self.length,
            batch_size=batch_size,
            seed=seed,
            content_hash=sha256(prepared.digests(), *(splits[part] for part in PARTS)),
            shared_validation=self.validation == "test",
            sorting=self.sorting,
        )


def _shared(pairs: dict[str, list[tuple[int, int]]]) -> int:
    """How many pairs of texts, in either order, are in more than one part."""
    seen = [{(min(pair), max(pair)) for pair in own} for own in pairs.values()]
    return len((seen[0] & seen[1]) | (seen[0] & seen[2]) | (seen[1] & seen[2]))
