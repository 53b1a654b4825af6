"""Reads uncompressed mono wav files, and compares what their headers say with what is there: scipy, wave and soundfile do not.

A RIFF file is "RIFF", the number of bytes that follow, "WAVE", and chunks: four letters, a length, that many bytes, and one more where the
length is odd. "fmt " says how the samples of "data" are to be read. All numbers are little-endian.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data.base import DataError

PCM: Final = 1
EXTENSIBLE: Final = 0xFFFE
"""The true format then stands further on in the chunk."""
NAMES: Final = {3: "floating point", 6: "A-law", 7: "mu-law"}


def samples(content: bytes, name: str, *, rate: int) -> NDArray[np.int16]:
    """Reads the samples (n,), n > 0, of a 16-bit mono PCM file of `rate` samples per second. Raises DataError for any other file."""
    if len(content) < 12 or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise DataError(f"{name} is no wav file{' (it is empty)' if not content else ''}")
    announced = struct.unpack_from("<I", content, 4)[0] + 8
    form: bytes | None = None
    sound: bytes | None = None
    at = 12
    while at + 8 <= len(content):
        label, size = content[at : at + 4], struct.unpack_from("<I", content, at + 4)[0]
        body = content[at + 8 : at + 8 + size]
        if len(body) < size:
            what = "sound" if label == b"data" else f"the chunk {label!r}"
            raise DataError(f"{name} is cut short, or its header lies: it announces {size:,} bytes of {what}, and {len(body):,} are there")
        if label == b"fmt ":
            form = body
        elif label == b"data" and sound is None:
            sound = body
        at += 8 + size + size % 2
    # the byte that fills up an odd chunk may be missing at the very end
    if at < len(content) or announced > len(content):
        raise DataError(f"{name}: its header announces {announced:,} bytes, its chunks end at {at:,}, and it has {len(content):,}")
    if form is None or len(form) < 16:
        raise DataError(f"{name} does not say how its samples are to be read (no complete 'fmt ' chunk)")
    if sound is None:
        raise DataError(f"{name} has no 'data' chunk")
    _require_form(form, name, rate)
    if len(sound) % 2:
        raise DataError(f"{name} ends in the middle of a sample ({len(sound):,} bytes of two per sample)")
    if not sound:
        raise DataError(f"{name} holds no samples")
    return np.frombuffer(sound, dtype="<i2")


def _require_form(form: bytes, name: str, rate: int) -> None:
    """Raises DataError unless the chunk describes 16-bit mono PCM at `rate`."""
    kind, channels, sampled, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if kind == EXTENSIBLE and len(form) >= 26:
        kind = struct.unpack_from("<H", form, 24)[0]
    wrong = []
    if kind != PCM:
        wrong.append(NAMES.get(kind, f"of format {kind}"))
    if bits != 16:
        wrong.append(f"{bits}-bit")
    if channels != 1:
        wrong.append("stereo" if channels == 2 else f"of {channels} channels")
    if sampled != rate:
        wrong.append(f"at {sampled:,} samples per second")
    if wrong:
        raise DataError(f"{name} is {', '.join(wrong)}; expected is 16-bit integer PCM, mono, at {rate:,} samples per second")
