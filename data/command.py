"""What every command line of the suite has in common: exit codes, errors of one paragraph, and flags read into a frozen dataclass.

It stands on the lowest floor that has a command. A command declares its flags as the fields of a dataclass, a docstring below each; tyro
makes the flags and the help of them, and this file sees to it that every mistake is one paragraph which names the nearest right word.
"""

from __future__ import annotations

import difflib
import errno
import itertools
import os
import shutil
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final, TextIO, TypeVar, get_type_hints

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from data.base import DataError, StorageError, printable
from data.usage import UsageError

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


def guarded(main: Callable[[], int], environment: tuple[type[Exception], ...] = (StorageError,)) -> int:
    """The exit code of `main`; what it raises by design becomes one paragraph on stderr, an error in our own code keeps its traceback.

    Work never ends because nobody reads of it: where the reader of the output is gone, or there is no stderr, `main` goes on in silence,
    and the code is what it has earned. SIGTERM and SIGHUP end it as Ctrl-C does. `environment`: the exceptions that say what this machine
    cannot do.
    """
    _open_what_is_closed()
    with _unbroken("stdout"), _unbroken("stderr"):
        try:
            with interruptible():
                code = main()
                sys.stdout.flush()
                return code
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
            if error.errno not in (*FULL, errno.EROFS, errno.EACCES) and not isinstance(error, OutputLost):
                raise
            where = f"{error.filename}: " if error.filename else ""
            return _say(f"{where}{error.strerror or error}. Free some space there, or make it writable.", ENVIRONMENT)


class OutputLost(OSError):
    """What is to be said cannot be written, as to a file on a full disk."""


def _open_what_is_closed() -> None:
    """A program that is started without stdin, stdout or stderr gets the null device there, or the next file it opens would be one."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+" if number else "r", encoding="utf-8"))  # noqa: SIM115 as long as the program


class _Unbroken:
    """A stream to a reader who may go away: from then on what is written goes nowhere, and nobody is stopped by it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._attempt(lambda: self._stream.write(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        self._attempt(self._stream.flush)

    def _attempt(self, action: Callable[[], object]) -> None:
        try:
            action()
        except BrokenPipeError:
            self._let_go()
        except OSError as error:
            self._let_go()
            raise OutputLost(error.errno, f"the output cannot be written ({error.strerror})") from error

    def _let_go(self) -> None:
        """What is still buffered goes nowhere, now and when the program ends."""
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._stream.fileno())
        os.close(null)


@contextmanager
def _unbroken(name: str) -> Iterator[None]:
    """The stream of this name written to without an error: not of a reader who is gone, nor of letters that a terminal has not."""
    stream = getattr(sys, name)
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace" if name == "stdout" else "backslashreplace")
    setattr(sys, name, _Unbroken(stream))
    try:
        yield
    finally:
        setattr(sys, name, stream)


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt, once: a second one during the clean-up changes nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]

    def stop(number: int, frame: FrameType | None) -> None:
        for name in names:
            signal.signal(name, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {name: signal.getsignal(name) for name in names}
    for name, handler in before.items():
        if handler is not signal.SIG_IGN or name == signal.SIGINT:  # nohup
            signal.signal(name, stop)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _say(error: object, code: int) -> int:
    tell(f"error: {error}")  # nobody may hear it; the code remains
    return code


def tell(text: str) -> None:
    """Says something on stderr, as it can be shown there; that nobody listens (any more), or cannot, is no reason to stop the work."""
    if sys.stderr is not None:
        with suppress(OSError):
            print("\n".join(map(printable, text.split("\n"))), file=sys.stderr, flush=True)


def nearest(kind: str, word: str, words: Iterable[str]) -> str:
    """The sentence for a word that is not among `words`: "unknown option '--sedes'; did you mean '--seeds'? one of: ..."."""
    known = list(words)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"unknown {kind} {word!r};{f' did you mean {near[0]!r}?' if near else ''} one of: {', '.join(known)}"


def wrapped(head: str, text: str) -> list[str]:
    """`head` and `text` in lines that fit the terminal (COLUMNS), those after the first below where the text begins."""
    width = max(40, shutil.get_terminal_size((140, 24)).columns)
    lines = textwrap.wrap(text, max(20, width - len(head)), break_on_hyphens=False) or [""]
    return [(head if i == 0 else " " * len(head)) + line for i, line in enumerate(lines)]


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
        raise ValueError(f"there is no such user: no home folder is known for {text.split('/')[0]!r}") from error


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


def require_alone(options: Any, flag: str, *beside: str) -> None:
    """Raises UsageError where something is asked for beside the flag of this name that it does not use; what it uses is in `beside`."""
    for name, hint in get_type_hints(type(options), include_extras=True).items():
        value = getattr(options, name)
        if name not in (flag, *beside) and value != getattr(type(options), name):
            given = repr(value) if tyro.conf.Positional in _marks(hint) else f"--{name}"
            raise UsageError(f"--{flag} does not use {given}; leave one of the two out")


def _marks(hint: Any) -> tuple[Any, ...]:
    return getattr(hint, "__metadata__", ())


def _with_values(words: Sequence[str], flags: Mapping[str, Any], prog: str) -> list[str]:
    """`words` in which every flag that takes a value has one: tyro would draw a box, and knows no value that may be left out."""
    out: list[str] = []
    for word in words:
        flag, equals, value = word.partition("=")
        if equals and flag in flags and value.startswith("--"):
            raise UsageError(f"argument {flag}: expected a value, got {value!r} (see {prog} --help)")
    for word, after in itertools.zip_longest(words, words[1:], fillvalue="--"):
        hint = flags.get(word, bool)
        if after.startswith("-") and getattr(hint, "__origin__", hint) is not bool:
            meant = [mark.means for mark in _marks(hint) if isinstance(mark, Bare)]
            if not meant:
                raise UsageError(f"argument {word}: expected one argument (see {prog} --help)")
            word = f"{word}={meant[0]}"
        out.append(word)
    return out
