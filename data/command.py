"""What every command line of the suite has in common: exit codes, errors of one paragraph, and flags read into a frozen dataclass.

It stands on the lowest floor that has a command. A command declares its flags as the fields of a dataclass, a docstring below each; tyro
makes the flags and the help of them, and this file sees to it that every mistake is one paragraph which names the nearest right word.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any, Final, TypeVar, get_type_hints

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from data.base import DataError, StorageError, printable

DONE: Final = 0
SOME_FAILED: Final = 1
USAGE: Final = 2
DATA: Final = 3
INTERRUPTED: Final = 4
ENVIRONMENT: Final = 5
EXIT_CODES: Final = (
    "exit codes: 0 all done, 1 some runs failed, 2 bad usage, 3 data missing or damaged, 4 interrupted (the same command continues), "
    "5 environment"
)

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk that is full, or of a file that may not grow."""

Options = TypeVar("Options")
Value = TypeVar("Value")


class UsageError(Exception):
    """What was asked for cannot be: one paragraph with the nearest valid name. No ValueError, which tyro would draw a box around."""


def guarded(main: Callable[[], int], environment: tuple[type[Exception], ...] = (StorageError,)) -> int:
    """The exit code of `main`; what it raises by design becomes one paragraph on stderr, an error in our own code keeps its traceback.

    `environment`: the exceptions that say what this machine cannot do.
    """
    with contextlib.suppress(AttributeError):  # a stream of a test, or none at all
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without Unicode shows a question mark
    try:
        code = main()
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, `head` say, has seen enough; what is still buffered goes nowhere
        _discard(sys.stdout)
        return DONE
    except UsageError as error:
        return _say(error, USAGE)
    except environment as error:
        return _say(error, ENVIRONMENT)
    except DataError as error:
        return _say(error, DATA)
    except ImportError as error:
        return _say(f"{error}. `python -m benchmarks.doctor` says what is missing or broken, and the remedy.", ENVIRONMENT)
    except KeyboardInterrupt:
        return _say("interrupted; the same command continues", INTERRUPTED)
    except OSError as error:
        if error.errno not in FULL:
            raise
        _discard(sys.stdout)
        return _say(f"the output, or a file, cannot be written: {error.strerror}", ENVIRONMENT)


def _discard(stream: IO[str]) -> None:
    """What a stream still holds goes nowhere, or the interpreter would try to write it once more at its end."""
    with contextlib.suppress(OSError, ValueError):  # a stream of a test has no number
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _say(error: object, code: int) -> int:
    tell(f"error: {error}")
    return code


def tell(text: str) -> None:
    """Says something on stderr, as it can be shown there; that nobody listens (any more), or cannot, is no reason to stop the work."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print("\n".join(map(printable, text.split("\n"))), file=sys.stderr, flush=True)


def nearest(kind: str, word: str, words: Iterable[str]) -> str:
    """The sentence for a word that is not among `words`: "unknown option '--sedes'; did you mean '--seeds'? one of: ..."."""
    known = list(words)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"unknown {kind} {word!r};{f' did you mean {near[0]!r}?' if near else ''} one of: {', '.join(known)}"


def option(flag: str, parse: Callable[[str], Value], metavar: str) -> PrimitiveConstructorSpec[Value]:
    """How the word after `flag` is read: what `parse` makes of it, whose ValueError becomes a UsageError that names the flag."""

    def value(words: Sequence[str]) -> Value:
        try:
            return parse(words[0])
        except ValueError as error:
            raise UsageError(f"argument {flag}: {error}") from error

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=metavar,
        instance_from_str=value,
        is_instance=lambda _: True,
        str_from_instance=lambda v: [",".join(map(str, v)) if isinstance(v, tuple) else str(v)],
    )


@dataclass(frozen=True)
class Bare:
    """Marks a flag that may stand without a word, and the word that is then meant."""

    means: str


SHOWN: Final = tyro.conf.arg(help_behavior_hint=lambda default: "" if default in ("None", "False", "") else f"(default: {default})")
"""Beside every field that has a default which says nothing: None and False are left out of the help."""


def folder(text: str) -> str:
    """A folder, there or not; the empty name is none, and "~" is a home. Raises ValueError."""
    if not text.strip():
        raise ValueError("expected a folder, got nothing")
    try:
        return os.fspath(Path(text).expanduser())
    except RuntimeError as error:
        raise ValueError(f"no home folder is known for {text.split('/')[0]!r}") from error


Name = Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="[NAME]", help_behavior_hint="")]
"""The word that stands without a flag."""
Protocol = Annotated[str | None, option("--protocol", str, "FIELD=VALUE,..."), SHOWN]
Folder = Annotated[str | None, option("--data", folder, "DIR"), SHOWN]


def read(kind: type[Options], argv: Sequence[str] | None, *, prog: str) -> Options:
    """The words of a command line (the program's own if None) as a `kind`, a dataclass with a field for each flag.

    A flag is written --flag=value or --flag value. Raises UsageError; --help prints what the docstrings of the class and of its fields
    say, and ends the program.
    """
    hints = get_type_hints(kind, include_extras=True)
    flags = {"--" + name.replace("_", "-"): hint for name, hint in hints.items() if tyro.conf.Positional not in _marks(hint)}
    options, rest = tyro.cli(
        kind,
        prog=prog,
        description=f"{(kind.__doc__ or '').strip()}\n\n{EXIT_CODES}",
        args=_with_values(sys.argv[1:] if argv is None else argv, flags, prog),
        return_unknown_args=True,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    if rest and rest[0].startswith("-"):
        raise UsageError(nearest("option", rest[0].split("=")[0], flags))
    if rest:
        raise UsageError(f"unexpected word {rest[0]!r}; lists are written with commas and without spaces, as in 0,1,2")
    return options


def _marks(hint: Any) -> tuple[Any, ...]:
    return getattr(hint, "__metadata__", ())


def _with_values(words: Sequence[str], flags: Mapping[str, Any], prog: str) -> list[str]:
    """`words` in which every flag that takes a value has one: tyro would draw a box, and knows no value that may be left out."""
    out = []
    for word, after in itertools.zip_longest(words, words[1:], fillvalue="--"):
        hint = flags.get(word, bool)
        if after.startswith("-") and getattr(hint, "__origin__", hint) is not bool:
            meant = [mark.means for mark in _marks(hint) if isinstance(mark, Bare)]
            if not meant:
                raise UsageError(f"argument {word}: expected one argument (see {prog} --help)")
            word = f"{word}={meant[0]}"
        out.append(word)
    return out
