"""The wav reader: what it reads, and that it believes no header."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest

from data.base import DataError
from data.speech.wav import samples

WAVE = (np.sin(np.arange(1000) / 20) * 12_000).astype(np.int16)


def chunk(label: bytes, body: bytes) -> bytes:
    return label + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def form(kind: int = 1, channels: int = 1, rate: int = 16_000, bits: int = 16) -> bytes:
    width = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", kind, channels, rate, rate * width, width, bits))


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def wav(wave: np.ndarray = WAVE, **how: int) -> bytes:
    return riff(form(**how), chunk(b"data", wave.tobytes()))


def scipys(wave: np.ndarray, rate: int = 16_000) -> bytes:
    from scipy.io import wavfile

    out = io.BytesIO()
    wavfile.write(out, rate, wave)
    return out.getvalue()


def test_the_samples_are_those_that_scipy_writes_and_reads() -> None:
    from scipy.io import wavfile

    content = scipys(WAVE)
    np.testing.assert_array_equal(samples(content, "a.wav", rate=16_000), WAVE)
    np.testing.assert_array_equal(wavfile.read(io.BytesIO(wav()))[1], WAVE)
    np.testing.assert_array_equal(samples(scipys(WAVE, 8000), "a.wav", rate=8000), WAVE)


def test_other_chunks_are_passed_over_and_odd_ones_are_filled_up() -> None:
    for extra in (b"x", b"xy", b""):
        content = riff(chunk(b"LIST", extra), form(), chunk(b"fact", extra), chunk(b"data", WAVE.tobytes()), chunk(b"id3 ", extra))
        np.testing.assert_array_equal(samples(content, "a.wav", rate=16_000), WAVE)
        if len(extra) % 2:
            with pytest.raises(DataError, match="announces"):
                samples(content[:-1], "a.wav", rate=16_000)  # one byte less than it says


def test_the_extensible_header_is_read_for_what_it_describes() -> None:
    base = struct.pack("<HHIIHH", 0xFFFE, 1, 16_000, 32_000, 2, 16)
    for kind, message in ((1, None), (3, "floating point")):
        extended = base + struct.pack("<HHI", 22, 16, 4) + struct.pack("<H", kind) + bytes(14)
        content = riff(chunk(b"fmt ", extended), chunk(b"data", WAVE.tobytes()))
        if message is None:
            np.testing.assert_array_equal(samples(content, "a.wav", rate=16_000), WAVE)
        else:
            with pytest.raises(DataError, match=message):
                samples(content, "a.wav", rate=16_000)


GOOD = wav()
LIE_LONG = GOOD[:40] + struct.pack("<I", 4000) + GOOD[44:]
LIE_SHORT = GOOD[:40] + struct.pack("<I", 100) + GOOD[44:]

BAD = {
    "empty": (b"", "is no wav file.*empty"),
    "garbage": (bytes(range(256)) * 8, "is no wav file"),
    "mp3": (b"ID3\x03" + bytes(500), "is no wav file"),
    "big-endian": (b"RIFX" + GOOD[4:], "is no wav file"),
    "cut in the sound": (GOOD[: 44 + 690], r"announces 2,000 bytes of sound, and 690 are there"),
    "cut by one sample": (GOOD[:-2], r"announces 2,000 bytes of sound, and 1,998 are there"),
    "cut in the header": (GOOD[:30], "cut short"),
    "cut before the sound": (GOOD[:36], "announces"),
    "header says more": (LIE_LONG, r"announces 4,000 bytes of sound, and 2,000 are there"),
    "header says less": (LIE_SHORT, "header"),
    "riff says more": (GOOD[:4] + struct.pack("<I", 99_999) + GOOD[8:], r"header announces 100,007 bytes"),
    "something behind": (GOOD + b"xyz", "it has 2,047"),
    "no samples": (wav(WAVE[:0]), "holds no samples"),
    "half a sample": (riff(form(), chunk(b"data", b"abc")), "middle of a sample"),
    "no data": (riff(form()), "no 'data' chunk"),
    "no format": (riff(chunk(b"data", WAVE.tobytes())), "no complete 'fmt ' chunk"),
    "8-bit": (scipys((WAVE // 256 + 128).astype(np.uint8)), "is 8-bit;"),
    "24-bit": (riff(form(bits=24), chunk(b"data", bytes(3000))), "is 24-bit;"),
    "32-bit": (scipys(WAVE.astype(np.int32)), "is 32-bit;"),
    "float": (scipys(WAVE.astype(np.float32)), "is floating point, 32-bit"),
    "a-law": (wav(kind=6), "A-law"),
    "another format": (wav(kind=85), "of format 85"),
    "stereo": (scipys(np.stack([WAVE, WAVE], 1)), "is stereo;"),
    "five channels": (wav(channels=5), "of 5 channels"),
    "8 kHz": (scipys(WAVE, 8000), "at 8,000 samples per second"),
}


@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_refused_by_name(name: str) -> None:
    content, message = BAD[name]
    with pytest.raises(DataError, match=message) as caught:
        samples(content, "yes/clip.wav", rate=16_000)
    assert str(caught.value).startswith("yes/clip.wav")


def test_no_cut_or_flipped_header_gives_other_samples_or_another_error() -> None:
    """Every prefix, and every byte of the header with every bit flipped: the right samples, or a DataError."""
    for end in range(len(GOOD)):
        with pytest.raises(DataError):
            samples(GOOD[:end], "a.wav", rate=16_000)
    harmless = set(range(28, 34))  # bytes per second and per sample follow from the rest
    for place in range(44):
        for bit in range(8):
            content = GOOD[:place] + bytes([GOOD[place] ^ 1 << bit]) + GOOD[place + 1 :]
            if place in harmless:
                np.testing.assert_array_equal(samples(content, "a.wav", rate=16_000), WAVE)
            elif place not in range(4, 8):
                with pytest.raises(DataError):
                    samples(content, "a.wav", rate=16_000)
