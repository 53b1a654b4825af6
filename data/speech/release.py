"""Speech Commands v0.02: 105,829 clips of at most one second, 35 words said by 2,618 people (P. Warden, arXiv 1804.03209).

Clips come from the official archive, which is streamed and not unpacked, from its unpacked folder, or from a folder with a part of them
(`mini`). Whatever carries them, they are sorted by name, filled up with zeros to 16,000 samples and kept as the 16-bit integers they are.
torchaudio's own reader is not used: it needs one more library to decode, unpacks without limits, and takes a half unpacked folder for
whole.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from data.base import DataError, Say, silent
from data.files.archives import members
from data.files.digests import key_of
from data.files.official import Official, Release, by_hand, fetch, verify
from data.files.prepared import Made, Prepared, key_of_files, opened, prepare
from data.files.progress import Progress
from data.files.regular import content_of, reading
from data.files.root import places, root, scratch, tell_choice
from data.speech.mfcc import LENGTH, RATE
from data.speech.wav import samples

Source = Literal["official", "mini"]

NAME: Final = "speech-clips"
READER_VERSION: Final = 1
SHOWN: Final = 3
"""Names in a message, of many."""
LARGEST: Final = 1 << 20
"""Bytes of a clip or of a list that is read; a clip of one second has 32,044, the longer list about 330,000."""
LARGEST_TABLE: Final = 1 << 24
"""Bytes of the table that may lie beside the clips of mini."""
# fmt: off
WORDS: Final = (
    "bed", "cat", "down", "five", "forward", "go", "house", "left", "marvin", "no", "on", "right",
    "sheila", "tree", "up", "visual", "yes", "backward", "bird", "dog", "eight", "follow", "four", "happy",
    "learn", "nine", "off", "one", "seven", "six", "stop", "three", "two", "wow", "zero",
)
# fmt: on
"""All words, in the label order of state-spaces/s4."""
TEN: Final = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
"""The ten words, in the label order of Neural CDEs and of everybody after."""
LISTS: Final = ("validation_list.txt", "testing_list.txt")
BESIDE: Final = ("_background_noise_", "license", "readme.md", "readme_test_set.md", "mini_split.csv", "thumbs.db", "desktop.ini")
"""What may lie beside the clips, in small letters: the publisher's other files, the table of the parts, and what systems leave behind."""
MINI: Final = "speech_commands_v0.02_mini"
FOLDERS: Final = ("SpeechCommands/speech_commands_v0.02", "speech_commands_v0.02", "SpeechCommands")
"""Where torchaudio, the archive's name and state-spaces/s4 put the unpacked folder."""
CLIP: Final = re.compile(r"(?P<word>[a-z]+)/(?P<speaker>[0-9a-f]{8})_nohash_[0-9]+\.wav")
SOURCE: Final = "Speech Commands v0.02, Pete Warden, Google, http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz"
LICENCE: Final = "Creative Commons Attribution 4.0 International (CC BY 4.0); attribution: Pete Warden, Google"


@dataclass(frozen=True, kw_only=True)
class SpeechRelease(Release):
    """The archive, and the counts by which its clips and lists are known to be complete."""

    clips: int
    listed: tuple[int, int]
    """Names on the validation and on the testing list."""
    whole: int
    """Clips of the ten words with exactly 16,000 samples: state-spaces/s4 asserts this number."""


RELEASE: SpeechRelease = SpeechRelease(
    archive=Official(
        name="speech_commands_v0.02.tar.gz",
        bytes=2_428_923_189,
        digest="sha256:af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
        urls=(
            "https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
            "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
        ),
    ),
    clips=105_829,
    listed=(9_981, 11_005),
    whole=34_975,
)

# ---------------------------------------------------------------- who lies in which part


def official_part(speaker: str) -> int:
    """0 to train, 1 to validate, 2 to test: the publisher's rule, a hash of the speaker, so that nobody is heard in two parts."""
    share = int(hashlib.sha1(speaker.encode()).hexdigest(), 16) % 2**27 * 100 / (2**27 - 1)
    return 1 if share < 10 else 2 if share < 20 else 0


def mini_part(speaker: str) -> int:
    """0, 1 or 2 for a small set of clips that all lie in one official part: 80, 10 and 10 % of the speakers."""
    tenth = int(hashlib.sha1(f"{speaker}_mini".encode()).hexdigest(), 16) % 10
    return max(0, tenth - 7)


def speaker_of(name: str) -> str:
    """Takes the eight letters that stand for who speaks from the name of a clip."""
    return name.partition("/")[2].partition("_nohash_")[0]


def _listed(content: bytes, name: str) -> list[str]:
    """The names on an official list."""
    try:
        names = content.decode("ascii").split()
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is no list of clips: {error}") from error
    for row, clip in enumerate(names, start=1):
        if not CLIP.fullmatch(clip):
            raise DataError(f"{name}, row {row}: {clip!r} is no name of a clip")
    return names


def official_parts(names: Sequence[str], lists: dict[str, bytes], where: Path) -> NDArray[np.uint8]:
    """(n,) 0, 1, 2 from the official lists. Raises DataError where they name absent clips or disagree with the publisher's rule."""
    if absent := [label for label in LISTS if label not in lists]:
        raise DataError(f"{where} has no {' and no '.join(absent)}; unpack the official archive again")
    part_of = dict.fromkeys(names, 0)
    for part, (label, expected) in enumerate(zip(LISTS, RELEASE.listed, strict=True), start=1):
        listed = _listed(lists[label], f"{where}: {label}")
        if len(set(listed)) != expected:
            raise DataError(f"{where}: {label} names {len(set(listed)):,} clips; the official list names {expected:,}")
        if missing := [name for name in listed if name not in part_of]:
            raise DataError(f"{where} lacks {len(missing):,} clips that {label} names, the first of them {missing[0]}; unpack it again")
        for name in listed:
            part_of[name] = part
    parts = np.array(list(part_of.values()), dtype=np.uint8)
    rule = np.array([official_part(speaker_of(name)) for name in names], dtype=np.uint8)
    if wrong := np.flatnonzero(parts != rule).tolist():
        words = ("training", "validation", "testing")
        raise DataError(
            f"{where}: the lists and the publisher's rule disagree on {len(wrong):,} clips; {names[wrong[0]]} is in "
            f"{words[parts[wrong[0]]]} by the lists and in {words[rule[wrong[0]]]} by the rule"
        )
    return parts


def mini_parts(names: Sequence[str], table: bytes | None, where: Path) -> NDArray[np.uint8]:
    """(n,) 0, 1, 2 from the rule. Raises DataError where the table that may lie beside the clips says something else."""
    parts = np.array([mini_part(speaker_of(name)) for name in names], dtype=np.uint8)
    if table is not None:
        rule = dict(zip(names, parts.tolist(), strict=True))
        for row, line in enumerate(table.decode("utf-8", errors="replace").splitlines()[1:], start=2):
            cells = line.split(",")  # file, word, speaker, part
            if (name := cells[0]) not in rule or cells[-1] != ("train", "val", "test")[rule[name]]:
                raise DataError(f"{where / 'mini_split.csv'}, row {row}: {line!r} does not fit the clips and the rule of their speakers")
    return parts


# ---------------------------------------------------------------- reading


def wanted(name: str) -> bool:
    """Says whether a name of the release is a clip of one of the words, or a list. Noise, licence and read-me are neither."""
    word, slash, rest = name.partition("/")
    return name in LISTS or (bool(slash) and word in WORDS and rest.endswith(".wav"))


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """The clips and lists in a folder that has a folder for each word, and what is there that is neither."""

    folder: Path
    files: dict[str, Path]
    """The clips by their names in the release, which are in small letters, sorted; then the lists."""
    left_out: tuple[str, ...]
    """Paths in the folder, sorted."""

    @property
    def clips(self) -> list[str]:
        """The names of the clips, sorted."""
        return [name for name in self.files if name not in LISTS]

    def read(self) -> Iterator[tuple[str, bytes]]:
        """Yields (name, content) of the lists that are there, then of the clips."""
        for name in [*(label for label in LISTS if label in self.files), *self.clips]:
            yield name, content_of(self.files[name], LARGEST)


def in_folder(folder: Path) -> Unpacked:
    """Finds the clips in a folder: WORD/*.wav in whatever letters, as recorders and other systems write names.

    What begins with a dot is passed over: macOS puts a "._NAME" beside every file of a foreign disk. Raises DataError where two files
    differ in nothing but the case of their letters.
    """
    files: dict[str, Path] = {}
    left_out: list[str] = []
    for path in _visible(folder):
        word = path.name.lower()
        if word in WORDS and path.is_dir():
            for file in _visible(path):
                name = f"{word}/{file.name.lower()}"
                if not name.endswith(".wav"):
                    left_out.append(f"{path.name}/{file.name}")
                elif name in files:
                    raise DataError(f"{folder} has {name} twice, in different letters: {files[name]} and {file}. Keep one of them")
                else:
                    files[name] = file
        elif path.name in LISTS:
            files[path.name] = path
        elif word not in BESIDE:
            left_out.append(path.name)
    return Unpacked(folder=folder, files=dict(sorted(files.items())), left_out=tuple(left_out))


def _visible(folder: Path) -> list[Path]:
    with reading(folder):
        return sorted(folder / name for name in os.listdir(folder) if not name.startswith(".")) if folder.is_dir() else []


def reorder(rows: NDArray[Any], order: NDArray[np.int64]) -> None:
    """rows[i] becomes what rows[order[i]] was, in place and one row at a time: there may be no room for a second copy."""
    done = np.zeros(len(order), dtype=bool)
    for start in np.flatnonzero(order != np.arange(len(order))).tolist():
        if done[start]:
            continue
        i, held = start, rows[start].copy()
        while (source := int(order[i])) != start:
            rows[i], done[i] = rows[source], True
            i = source
        rows[i], done[i] = held, True


@dataclass(frozen=True, kw_only=True)
class Clips:
    """The clips and lists that were read, the clips sorted by name."""

    names: list[str]
    samples: NDArray[np.int16]
    """(n, 16000), zeros after the end of a short clip."""
    lengths: NDArray[np.int32]
    lists: dict[str, bytes]


def gather(files: Iterator[tuple[str, bytes]], n: int, where: Path, say: Say) -> Clips:
    """Reads `n` clips. Raises DataError for any other number, and names the first that is none."""
    rows, lengths = scratch((n, LENGTH), "int16"), np.zeros(n, dtype=np.int32)
    names: list[str] = []
    lists: dict[str, bytes] = {}
    progress = Progress("reading", n, "clips", say)
    for name, content in files:
        if name in LISTS:
            lists[name] = content
            continue
        if not CLIP.fullmatch(name):
            raise DataError(f"{where}: {name!r} is not named as clips are, WORD/SPEAKER_nohash_NUMBER.wav")
        wave = samples(content, f"{where}: {name}", rate=RATE)
        if len(wave) > LENGTH:
            raise DataError(f"{where}: {name} has {len(wave):,} samples; no clip is longer than {LENGTH:,}")
        if len(names) < n:
            rows[len(names), : len(wave)], lengths[len(names)] = wave, len(wave)
        names.append(name)
        progress.at(len(names))
    if len(names) != n:
        raise DataError(f"{where} has {len(names):,} clips instead of {n:,}: it is not the complete release. Unpack or get it again")
    order = np.array(sorted(range(n), key=names.__getitem__), dtype=np.int64)
    reorder(rows, order)
    return Clips(names=[names[i] for i in order], samples=rows, lengths=lengths[order], lists=lists)


# ---------------------------------------------------------------- prepared once


def unpacked() -> list[Path]:
    """Finds the unpacked official folders; the first is read."""
    return places(FOLDERS, lambda folder: (folder / WORDS[0]).is_dir() or (folder / LISTS[0]).is_file())


def _missing() -> DataError:
    return DataError(
        f"Speech Commands is not here. Run make data-speech (python -m data speech), which downloads it. Without a network: "
        f"{by_hand(RELEASE.archive)} Its unpacked folder at {root() / FOLDERS[0]} or {root() / FOLDERS[1]} will do as well. A part of the "
        f"clips, as WORD/SPEAKER_nohash_NUMBER.wav in {root() / MINI}, is the source mini (source=mini), a task of its own."
    )


def _official(download: bool, say: Say) -> Made:
    archive = RELEASE.archive
    found = [] if archive.path().exists() else unpacked()
    tell_choice(found, "Speech Commands", say)
    if not found:
        if not archive.path().exists() and not download:
            raise _missing()
        if archive.path().exists():
            say(f"checking {archive.path()}")
            verify(archive)
        else:
            fetch(archive, say)
        where, n = archive.path(), RELEASE.clips
        files = members(where, wanted, max_bytes=LARGEST, max_members=2 * RELEASE.clips)
    else:
        folder = found[0]
        there = in_folder(folder)
        where, n, files = folder, RELEASE.clips, there.read()
        if len(there.clips) != n:  # before half an hour of reading
            raise DataError(
                f"{folder} has {len(there.clips):,} clips instead of {n:,}: it is half unpacked, or has more. Unpack the official "
                f"archive again{_named(there.left_out, '; passed over were')}"
            )
    clips = gather(files, n, where, say)
    return _made(clips, official_parts(clips.names, clips.lists, where), {} if found else {archive.name: archive.digest})


def _mini() -> tuple[Unpacked, str]:
    """(what is in the folder, sha256 of names and contents of the clips) that somebody put there."""
    found = places((MINI,), lambda folder: any((folder / word).is_dir() for word in WORDS))
    there = in_folder(found[0] if found else root() / MINI)
    digest = hashlib.sha256()
    for name, content in there.read():
        if name not in LISTS:
            digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return there, digest.hexdigest()


def _mini_made(there: Unpacked, digest: str, say: Say) -> Made:
    folder = there.folder
    if not there.clips:
        raise DataError(
            f"{folder} has no clips. The source mini is a part of Speech Commands v0.02 that somebody put there, as "
            f"WORD/SPEAKER_nohash_NUMBER.wav; the official data are source=official{_named(there.left_out, '. Passed over were')}."
        )
    if there.left_out:
        say(f"{folder}: no clips of the {len(WORDS)} words, and left out, are{_named(there.left_out)}")
    clips = gather(there.read(), len(there.clips), folder, say)
    table = folder / "mini_split.csv"
    content = content_of(table, LARGEST_TABLE) if os.path.lexists(table) else None
    made = _made(clips, mini_parts(clips.names, content, folder), {MINI: f"sha256:{digest}"})
    return replace(made, facts={**made.facts, "left out": list(there.left_out)}) if there.left_out else made


def _named(names: Sequence[str], before: str = "") -> str:
    """Writes how many there are and the first few; nothing where there is none."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"{before} {len(names):,} files or folders: {', '.join(names[:SHOWN])}{more}" if names else ""


def _made(clips: Clips, parts: NDArray[np.uint8], files: dict[str, str]) -> Made:
    words = [name.partition("/")[0] for name in clips.names]
    arrays: dict[str, NDArray[Any]] = {
        "samples": clips.samples,
        "lengths": clips.lengths,
        "labels": np.array([WORDS.index(word) for word in words], dtype=np.uint8),
        "names": np.array([name.encode() for name in clips.names]),
        "parts": parts,
    }
    short = int((clips.lengths < LENGTH).sum())
    facts = {"source": SOURCE, "licence": LICENCE, "files": files, "clips": len(words), "shorter than 16,000 samples": short}
    return Made(arrays=arrays, facts={**facts, "words": {word: words.count(word) for word in sorted(set(words))}})


def load_clips(source: Source, *, download: bool = False, say: Say = silent) -> Prepared:
    """samples (n, 16000) int16, lengths, labels (place in WORDS), names, parts (0 train, 1 val, 2 test: nobody is heard in two parts).

    Sorted by name. From the network only where asked, and only the official ones. Raises DataError.
    """
    if source == "official":
        archive = RELEASE.archive
        needed = 2 * RELEASE.clips * (2 * LENGTH + 64)  # the second time until it is written
        needed += 0 if archive.path().exists() or unpacked() else archive.bytes
        return prepare(NAME, key_of_files(READER_VERSION, RELEASE.archive), lambda: _official(download, say), needed=needed)
    there, digest = _mini()
    return prepare(NAME, _mini_key(digest), lambda: _mini_made(there, digest, say), needed=4 * LENGTH * len(there.clips))


def opened_clips(source: Source) -> Prepared | None:
    """What `load_clips` gives, or None where it is not there; nothing is made."""
    return opened(NAME, key_of_files(READER_VERSION, RELEASE.archive) if source == "official" else _mini_key(_mini()[1]))


def _mini_key(digest: str) -> str:
    return key_of(f"reader {READER_VERSION} mini {digest}")
