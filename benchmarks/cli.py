"""What the commands that train or report have in common: exit codes, errors of one paragraph, lists of words, and the flags of a launch.

Imports nothing heavy; a command imports its tables and torch after its flags are read.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeVar, get_args

from benchmarks import plugins
from benchmarks.running.environment import ROOT, EnvironmentProblem
from data import command
from data.base import StorageError
from data.command import (
    DATA,
    DONE,
    ENVIRONMENT,
    INTERRUPTED,
    SHOWN,
    SOME_FAILED,
    USAGE,
    Bare,
    Folder,
    Name,
    Protocol,
    UsageError,
    folder,
    option,
    read,
)

__all__ = [
    "DATA", "DONE", "ENVIRONMENT", "INTERRUPTED", "SOME_FAILED", "USAGE",
    "UsageError", "as_usage", "guarded",
    "DEVICES", "ENGINES", "LAUNCHERS", "LOGGERS", "RERUN", "EnvironmentProblem",
    "Bench", "Folder", "Launch", "Name", "Plugins", "Protocol", "Readout", "ScaleName", "Seeds", "Set", "Sweep", "Tune", "Variants",
    "gathered", "read",
    "SHOWN", "Bare", "folder", "one_of", "option", "positive", "seeds", "some_of", "words",
]  # fmt: skip

DEVICES: Final = ("auto", "cpu", "cuda")
LoggerName = Literal["none", "tensorboard", "wandb", "csv", "mlflow"]
LOGGERS: Final[tuple[LoggerName, ...]] = get_args(LoggerName)
ENGINES: Final = ("auto", "fft", "chunked", "scan", "sequential")
"""Those of `models.engines`, whose import takes torch."""
LAUNCHERS: Final = ("local", "ray", "slurm")
RERUN: Final = ("missing", "failed", "stale", "all")
MOST_SEEDS: Final = 1000
"""In one range: 0-1000000000 is a slip of the finger, and a list that fills the memory."""
OTHER_WORDS: Final = {"gpu": "cuda", "nvidia": "cuda", "none": "cpu", "yes": "all", "everything": "all", "tb": "tensorboard"}
"""What people say -> the word for it here."""

Choice = TypeVar("Choice", bound=str)


def guarded(main: Callable[[], int]) -> int:
    """The exit code of `main`; what it raises by design becomes one paragraph on stderr, an error in our own code keeps its traceback."""
    return command.guarded(main, (EnvironmentProblem, StorageError))


@contextmanager
def as_usage() -> Iterator[None]:
    """A ValueError inside is about what the user asked for."""
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from error


# ---------------------------------------------------------------- what a word may mean


def words(text: str) -> tuple[str, ...]:
    """Comma-separated names, each once, in the order given. Raises ValueError where there is none."""
    names = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not names:
        raise ValueError("expected at least one name")
    return names


def in_words(numbers: Sequence[int]) -> str:
    """Seeds as `seeds` reads them: 0,1,2; more than five that follow on each other are a range, as in 0-9."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 5 else ",".join(map(str, part)) for part in parts)


def seeds(text: str) -> tuple[int, ...]:
    """Seeds and ranges of seeds, separated by commas, each once, in the order given: 0,3 or 0-4 or 0-4,7. Raises ValueError."""
    numbers: list[int] = []
    if not text.strip(", "):
        raise ValueError("expected at least one seed, as in 0,1,2 or 0-4")
    for word in words(text):
        first, dash, last = word.partition("-")
        if not all(part.isascii() and part.isdigit() for part in ((first, last) if dash else (first,))):
            if word[1:].isdigit() and word[0] == "-":
                raise ValueError(f"a seed lies in 0 .. 2147483647; got {text!r}")
            raise ValueError(f"seeds are integers or ranges separated by commas, as in 0,1,2 or 0-4; got {text!r}")
        low, high = int(first), int(last or first)
        if high < low or high - low >= MOST_SEEDS:
            raise ValueError(f"a range of seeds runs upwards, over {MOST_SEEDS} at the most, as in 0-4; got {word!r}")
        numbers += range(low, high + 1)
    if any(seed >= 2**31 for seed in numbers):
        raise ValueError(f"a seed lies in 0 .. 2147483647; got {text!r}")
    return tuple(dict.fromkeys(numbers))


def positive(text: str) -> int:
    """A whole number, 1 or more. Raises ValueError."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError(f"expected a whole number, 1 or more; got {text!r}")
    return int(text)


def one_of(kind: str, names: Sequence[Choice]) -> Callable[[str], Choice]:
    """The reading of a word out of a closed list; it raises ValueError that names the nearest."""
    table = {str(name): name for name in names}

    def parse(text: str) -> Choice:
        if text not in table:
            meant = OTHER_WORDS.get(text.lower(), text.lower())
            hint = f"unknown {kind} {text!r}; did you mean {meant!r}? one of: {', '.join(table)}"
            raise ValueError(hint if meant in table else command.nearest(kind, text, table))
        return table[text]

    return parse


def yes_or_no(text: str) -> Literal["yes", "no"]:
    """The word yes or no, as it is or as 1, true, on, 0, false, off. Raises ValueError."""
    answers: dict[str, Literal["yes", "no"]] = {
        **dict.fromkeys(("yes", "1", "true", "on"), "yes"),
        **dict.fromkeys(("no", "0", "false", "off"), "no"),
    }
    if text.lower() not in answers:
        raise ValueError(f"expected yes or no, got {text!r}")
    return answers[text.lower()]


def some_of(kind: str, names: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """The reading of comma-separated words out of a closed list."""
    one = one_of(kind, names)
    return lambda text: tuple(one(word) for word in words(text))


def gathered(flag: str, argv: Sequence[str] | None) -> list[str]:
    """The words of a command line in which a flag that stands several times stands once, its values joined by commas."""
    values, rest, words = [], [], list(sys.argv[1:] if argv is None else argv)
    while words:
        word = words.pop(0)
        if word == flag and words and not words[0].startswith("--"):
            values.append(words.pop(0))
        elif word.startswith(f"{flag}="):
            values.append(word.removeprefix(f"{flag}="))
        else:
            rest.append(word)
    return [*rest, *([f"{flag}={','.join(values)}"] if values else [])]


def require_named(kind: str, word: str, files: str, pattern: str = r'^ *name="([^"]+)",$') -> None:
    """Raises UsageError that names the nearest, unless the sources under `files` name `word`.

    They are read as text, as make reads them: a misspelt name is answered at once, before the tables and torch are imported.
    """
    if plugins.flags():  # whose rows stand in no source of ours
        return
    names = [name for file in sorted(ROOT.glob(files)) for name in re.findall(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)]
    if names and word not in names:
        raise UsageError(command.nearest(kind, word, names))


def require_variants(asked: Sequence[str]) -> None:
    """`require_named` for rows; default and all are words for several of them."""
    for word in asked:
        if word not in ("default", "all"):
            require_named("variant", word, "models/variants.py", r'[ (]name="([^"]+)"')


# ---------------------------------------------------------------- flags that several commands have

Seeds = Annotated[tuple[int, ...], option("--seeds", seeds, "0,1,2"), SHOWN]
Variants = Annotated[tuple[str, ...], option("--variant", words, "A,B"), SHOWN]
# What these may be is looked up after the flags are read: it depends on the benchmark, and its tables are heavy.
Bench = Annotated[str | None, option("--bench", str, "BENCHMARK"), SHOWN]
ScaleName = Annotated[str | None, option("--scale", str, "quick|small|paper"), SHOWN]
Set = Annotated[str | None, option("--set", str, "FIELD=VALUE,..."), SHOWN]
Sweep = Annotated[str | None, option("--sweep", str, "FIELD=VALUE,VALUE ..."), SHOWN]
Tune = Annotated[str | None, option("--tune", one_of("choice for --tune:", ("rates",)), "rates"), SHOWN]
Readout = Annotated[str | None, option("--readout", str, "noise|all|last"), SHOWN]
Plugins = Annotated[tuple[str, ...], option("--plugin", words, "FILE.py,..."), SHOWN]


@dataclass(frozen=True, kw_only=True)
class Launch:
    """The flags of a command that trains: what to repeat, and where and how wide to run."""

    seeds: Seeds = (0, 1, 2)
    """Seeds, separated by commas, or 0-4."""
    device: Annotated[str, option("--device", one_of("device", DEVICES), "|".join(DEVICES)), SHOWN] = "auto"
    """Where to train; auto takes the GPU where there is one."""
    rerun: Annotated[str, option("--rerun", one_of("choice for --rerun:", RERUN), "|".join(RERUN)), SHOWN, Bare("all")] = "missing"
    """missing: runs without a finished record; failed: also those that diverged; stale: also those of other code; all, or no word: every
    run again."""
    workers: Annotated[int | None, option("--workers", positive, "N"), SHOWN] = None
    """Runs side by side (default: one per core; 1 on cuda, where it is the number on each GPU; 64 jobs of Slurm)."""
    threads: Annotated[int | None, option("--threads", positive, "N"), SHOWN] = None
    """Threads of each run (default: 1; every core on cuda)."""
    launcher: Annotated[str, option("--launcher", one_of("launcher", LAUNCHERS), "|".join(LAUNCHERS)), SHOWN] = "local"
    """local: processes of this machine; ray: the machines of the Ray cluster at $RAY_ADDRESS, or every GPU of this one; slurm: a job of
    Slurm each, by submitit (ray and slurm are extras)."""
    logger: Annotated[LoggerName, option("--logger", one_of("logger", LOGGERS), "|".join(LOGGERS)), SHOWN] = "none"
    """Also log to <run folder>/logs."""
    weights: Annotated[Literal["yes", "no"], option("--weights", yes_or_no, "yes|no"), SHOWN] = "yes"
    """Keep the trained network beside the record, as model.safetensors."""
    predictions: Annotated[Literal["yes", "no"], option("--predictions", yes_or_no, "yes|no"), SHOWN, Bare("yes")] = "no"
    """Keep what it answers on the test set too, so that rows can be compared example by example."""
    plugin: Plugins = ()
    """Files of your own that register further variants, inits, discretizations, links, benchmarks and grids."""
    engine: Annotated[str, option("--engine", one_of("engine", ENGINES), "|".join(ENGINES)), SHOWN] = "auto"
    """How layers are computed: fft or chunked for those that convolve, scan or sequential for LRU; auto is the fastest by a table of
    measurements. The results agree to rounding."""
    data: Folder = None
    """The folder of all data sets (default: $SSM_DATA, or one in the user's cache)."""
    plan: Annotated[bool, SHOWN] = False
    """Say what would be done, how long it takes and what is impossible; start nothing."""
