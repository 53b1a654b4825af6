"""Texts as small integers: Unicode characters with a counted vocabulary (state-spaces/s4), or bytes (Long Range Arena).

Characters: the text is cut, every character becomes its id, and <eos> follows. Ids 0, 1 and 2 are padding, characters outside the
vocabulary, and the end; then come the characters of the training texts by falling frequency, equally frequent ones by code point.
Bytes: the UTF-8 bytes are cut and byte b becomes id b + 1, so that all 256 values have one and 0 is padding; nothing marks the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data.ragged import Ragged

PAD: Final = 0
UNK: Final = 1
EOS: Final = 2
SPECIALS: Final = 3
BYTE_IDS: Final = 257
"""256 bytes and padding."""
CODE_POINTS: Final = 0x110000
CHUNK: Final = 1000
"""Texts that are handled as one array: enough to be fast, few enough to be small."""


def decoded(texts: Sequence[bytes], cut: int) -> Iterator[tuple[slice, NDArray[np.uint32], NDArray[np.int64]]]:
    """(which texts, their code points one after another, characters per text) for a chunk of UTF-8 texts, each cut to `cut` characters."""
    for start in range(0, len(texts), CHUNK):
        chunk = [text.decode()[:cut] for text in texts[start : start + CHUNK]]
        points = np.frombuffer("".join(chunk).encode("utf-32-le"), dtype="<u4")
        yield slice(start, start + len(chunk)), points, np.array([len(text) for text in chunk], dtype=np.int64)


@dataclass(frozen=True)
class Vocabulary:
    """The characters that have an id of their own: characters[i] has id i + 3."""

    characters: str

    @classmethod
    def counted(cls, texts: Sequence[bytes], *, cut: int, min_freq: int = 1, times: NDArray[np.int64] | None = None) -> Vocabulary:
        """Makes the vocabulary of the characters that occur `min_freq` times or more in the cut texts; text i counts times[i] times."""
        counts = np.zeros(CODE_POINTS, dtype=np.int64)
        for which, points, lengths in decoded(texts, cut):
            weights = None if times is None else np.repeat(times[which], lengths)
            counts += np.bincount(points, weights, CODE_POINTS).astype(np.int64)
        frequent = np.flatnonzero(counts >= max(min_freq, 1))
        return cls("".join(map(chr, frequent[np.argsort(-counts[frequent], kind="stable")].tolist())))

    def __len__(self) -> int:
        """The number of ids, with padding, unknown and end."""
        return SPECIALS + len(self.characters)

    def encode(self, texts: Sequence[bytes], *, cut: int) -> Ragged:
        """Turns each text, cut to `cut` characters, into ids and <eos>: rows of 1 to cut + 1 ids."""
        dtype = np.min_scalar_type(len(self) - 1)
        ids = np.full(CODE_POINTS, UNK, dtype=dtype)
        ids[np.frombuffer(self.characters.encode("utf-32-le"), dtype="<u4")] = np.arange(SPECIALS, len(self))
        offsets = np.zeros(len(texts) + 1, dtype=np.int64)
        parts = [np.zeros(0, dtype)]
        for which, points, lengths in decoded(texts, cut):
            parts.append(np.insert(ids[points], np.cumsum(lengths), dtype.type(EOS)))
            offsets[which.start + 1 : which.stop + 1] = lengths + 1
        return Ragged(np.concatenate(parts), np.cumsum(offsets))


def encode_bytes(texts: Sequence[bytes], *, cut: int) -> Ragged:
    """Turns the first `cut` bytes of each text into byte + 1. An empty text is one step of padding, because a sequence has a step."""
    rows = [text[:cut] for text in texts]
    lengths = np.array([max(len(row), 1) for row in rows], dtype=np.int64)
    values = np.frombuffer(b"".join(row or b"\0" for row in rows), dtype=np.uint8).astype(np.uint16)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    values += 1
    values[offsets[:-1][[not row for row in rows]]] = PAD
    return Ragged(values, offsets)
