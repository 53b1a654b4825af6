"""Exit codes, one-paragraph errors, and the flags that every command which trains has in common. Imports nothing heavy."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NoReturn

DONE: Final = 0
SOME_FAILED: Final = 1
USAGE: Final = 2
DATA: Final = 3
INTERRUPTED: Final = 4
ENVIRONMENT: Final = 5
EXIT_CODES: Final = (
    "exit codes: 0 all done, 1 some runs failed, 2 bad usage, 3 data missing or damaged, 4 interrupted (resumable), 5 environment"
)

DEVICES: Final = ("auto", "cpu", "cuda")
LOGGERS: Final = ("none", "tensorboard", "wandb")
RERUN: Final = ("missing", "failed", "all")


class UsageError(ValueError):
    """What was asked for cannot be; one paragraph with the nearest valid name."""


class Parser(argparse.ArgumentParser):
    """argparse whose every complaint is a UsageError, and which knows the nearest option to a misspelt one."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(
            prog=prog, description=description, epilog=EXIT_CODES, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")

    def parse(self, argv: Sequence[str] | None) -> argparse.Namespace:
        """The parsed arguments. Raises UsageError."""
        known, rest = self.parse_known_args(argv)
        if rest:
            from models.names import unknown

            options = [name for action in self._actions for name in action.option_strings if name.startswith("--")]
            if rest[0].startswith("-"):
                raise UsageError(unknown("option", rest[0].split("=")[0], options))
            raise UsageError(f"unexpected word {rest[0]!r}; lists are written with commas and without spaces, as in 0,1,2")
        return known


def guarded(main: Callable[[], int]) -> int:
    """The exit code of `main`; what it raises by design becomes one paragraph on stderr, an error in our own code keeps its traceback."""
    from benchmarks.running.environment import EnvironmentProblem
    from data.base import DataError, StorageError

    try:
        code = main()
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, `head` say, has seen enough; what is still buffered goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except UsageError as error:
        return _say(error, USAGE)
    except StorageError as error:
        return _say(error, ENVIRONMENT)
    except DataError as error:
        return _say(error, DATA)
    except EnvironmentProblem as error:
        return _say(error, ENVIRONMENT)
    except ImportError as error:
        return _say(f"{error}. `python -m benchmarks.doctor` says what is missing or broken, and the remedy.", ENVIRONMENT)
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)


def _say(error: object, code: int) -> int:
    print(f"error: {error}", file=sys.stderr)
    return code


@contextmanager
def as_usage() -> Iterator[None]:
    """A ValueError inside is about what the user asked for."""
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from error


def words(text: str) -> tuple[str, ...]:
    """Comma-separated names, each once, in the order given."""
    found = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not found:
        raise argparse.ArgumentTypeError("expected at least one name")
    return found


def seeds(text: str) -> tuple[int, ...]:
    """Comma-separated seeds."""
    try:
        found = tuple(dict.fromkeys(int(word) for word in words(text)))
    except ValueError:
        raise argparse.ArgumentTypeError(f"seeds are integers separated by commas, as in 0,1,2; got {text!r}") from None
    if any(not 0 <= seed < 2**31 for seed in found):
        raise argparse.ArgumentTypeError(f"a seed lies in 0 .. 2147483647; got {text!r}")
    return found


def positive(text: str) -> int:
    """A positive integer."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number, 1 or more; got {text!r}")
    return int(text)


def folder(text: str) -> str:
    """A folder, there or not; the empty name is none."""
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a folder, got nothing")
    return text


def one_of(kind: str, names: Sequence[str]) -> Callable[[str], str]:
    """An argparse type for a closed list of names."""

    def parse(text: str) -> str:
        if text not in names:
            from models.names import unknown

            raise argparse.ArgumentTypeError(unknown(kind, text, names))
        return text

    return parse


def some_of(kind: str, names: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """An argparse type for comma-separated names out of a closed list."""
    one = one_of(kind, names)
    return lambda text: tuple(one(word) for word in words(text))


def add_launch_options(parser: argparse.ArgumentParser) -> None:
    """The flags of `benchmarks.running.launch`: what to repeat, and where and how wide to run."""
    parser.add_argument("--seeds", type=seeds, default=(0, 1, 2), metavar="0,1,2", help="seeds, separated by commas (default 0,1,2)")
    parser.add_argument("--device", type=one_of("device", DEVICES), default="auto", metavar="|".join(DEVICES), help="default auto")
    parser.add_argument(
        "--rerun",
        type=one_of("choice for --rerun:", RERUN),
        nargs="?",
        const="all",
        default="missing",
        metavar="|".join(RERUN),
        help="missing (default): runs without a finished record; failed: also those that diverged; all, or no word: every run again",
    )
    parser.add_argument("--workers", type=positive, default=None, metavar="N", help="runs side by side (default: one per core; 1 on cuda)")
    parser.add_argument("--threads", type=positive, default=None, metavar="N", help="threads of each run (default 1; every core on cuda)")
    parser.add_argument(
        "--logger", type=one_of("logger", LOGGERS), default="none", metavar="|".join(LOGGERS), help="also log to <run folder>/logs"
    )
    parser.add_argument("--data", type=folder, default=None, metavar="DIR", help="data sets (default: $SSM_DATA, or the user's cache)")
