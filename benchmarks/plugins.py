"""Rows from outside the checkout: a plugin is a Python file that calls `register` for each variant, init, discretization, link, benchmark
or grid it brings; from then on they stand in the tables of the suite.

    from benchmarks.plugins import register
    register(Init(name="sqrt", ...))
    register(Variant(name="s4d-sqrt", mixer=S4DSpec(init="sqrt"), ...))

Commands take it as --plugin FILE, and any process as SSM_PLUGINS, a list of files like PATH: by that variable the workers of a launch know
it. The sha256 of the file stands in every record that was made with it. Classes of its own (a MixerSpec, DataSpec, Schedule) need no
`register`: a run names them by their name, which has to be theirs alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar

from data.usage import UsageError

VARIABLE: Final = "SSM_PLUGINS"
PARENT: Final = "benchmarks.plugged"
"""The module that plugins are submodules of, so that a worker which is sent one of their classes can find it."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""What a row may be called: a benchmark is a folder of records, and the others are words in lists."""

Row = TypeVar("Row")


@dataclass(kw_only=True)
class Plugin:
    """A file that was loaded, or is being loaded, and what it has registered so far."""

    path: Path
    given: str
    """How it was asked for."""
    sha256: str
    rows: list[tuple[type, str]] = field(default_factory=list)


_loaded: dict[Path, Plugin] = {}
_loading: list[Plugin] = []
_tables: dict[type, tuple[str, dict[str, Any]]] = {}
_waiting: list[Any] = []
"""Rows of a kind whose table has not been made yet, as grids before their registry is imported."""


def load(files: Sequence[str] = ()) -> None:
    """Loads these plugins, and those that SSM_PLUGINS names, each once, and has workers load them too.

    Raises UsageError for a file that is not there or fails, for one that brings nothing, and for a name that is taken.
    """
    for given in (*filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)), *files):
        path = Path(given).expanduser().resolve()
        if path not in _loaded:
            _loaded[path] = _read(path, given)
    if _loaded:
        os.environ[VARIABLE] = os.pathsep.join(map(str, _loaded))


def register(row: Row) -> Row:
    """Enters a row into the table of its kind, and returns it. For plugin files alone; the suite's own rows stand in their tables."""
    if not _loading:
        raise RuntimeError("register() is for a plugin file while it is loaded, with --plugin FILE or benchmarks.plugins.load([FILE])")
    _admit_own_tables()
    name = str(getattr(row, "name", ""))
    word, table = next((known for kind, known in _tables.items() if isinstance(row, kind)), ("", {}))
    if not word and type(row).__module__ != "ablations.grid":
        kinds = ", ".join(kind.__name__ for kind in _tables)
        raise TypeError(f"register takes a row of one of these: {kinds}, Ablation; got {row!r}")
    if NAME.fullmatch(name) is None or name in ("default", "all"):
        raise ValueError(f"a row is called by letters, digits, dots and dashes, and not default or all; got {name!r}")
    if getattr(row, "default", False):
        raise ValueError(f"{name}: the default rows are those of the suite, which every record is compared with; leave default out")
    if word:
        _enter(row, word, table)
    else:
        _waiting.append(row)
    _loading[-1].rows.append((type(row), name))
    return row


def admit(kind: type, word: str, table: dict[str, Any]) -> None:
    """Says where rows of a kind belong, by the registry that holds them; those of plugins that were loaded before go there now."""
    _tables[kind] = word, table
    for row in [row for row in _waiting if isinstance(row, kind)]:
        _waiting.remove(row)
        _enter(row, word, table)


def flags() -> list[str]:
    """The words of a command line that ask for the plugins loaded here."""
    return ["--plugin", ",".join(plugin.given for plugin in _loaded.values())] if _loaded else []


def hashes() -> dict[str, str]:
    """File name -> sha256 of the plugins loaded here, as records state them."""
    return {plugin.path.name: plugin.sha256 for plugin in _loaded.values()}


def differing(stated: Mapping[str, Any]) -> list[str]:
    """The plugins that a record states and that are loaded here with another content, by their file names."""
    here = hashes()
    return [name for name, digest in stated.items() if name in here and here[name] != digest]


def describe_absent(stated: Mapping[str, Any]) -> str:
    """What to do about plugins that a record states and that are not loaded here, as the end of a sentence; nothing where there is none."""
    absent = [name for name in stated if name not in hashes()]
    return f"; the run was made with a plugin: give --plugin {','.join(absent)}" if absent else ""


def _enter(row: Any, word: str, table: dict[str, Any]) -> None:
    if row.name in table:
        raise UsageError(f"there is {'an' if word[0] in 'aeiou' else 'a'} {word} {row.name!r} already; a plugin gives its own another name")
    table[row.name] = row


@cache
def _admit_own_tables() -> None:
    """The tables of this floor and below; imported here because a command without plugins does without torch."""
    from benchmarks.benchmark import Benchmark
    from benchmarks.registry import BENCHMARKS
    from models import DISCRETIZATIONS, INITS, LINKS, VARIANTS, Variant
    from models.choices.discretizations import Discretization
    from models.choices.inits import Init
    from models.choices.links import Link

    own: tuple[tuple[type, str, dict[str, Any]], ...] = (
        (Variant, "variant", VARIANTS),
        (Init, "init", INITS),
        (Discretization, "discretization", DISCRETIZATIONS),
        (Link, "link", LINKS),
        (Benchmark, "benchmark", BENCHMARKS),
    )
    for kind, word, table in own:
        admit(kind, word, table)


def _read(path: Path, given: str) -> Plugin:
    """Runs the file as a module. What it registered is taken back where it does not come to its end."""
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UsageError(f"the plugin {given} cannot be read: {error.strerror or error}") from error
    if not path.stem.isidentifier() or path.suffix != ".py":
        raise UsageError(f"a plugin is a Python file whose name is a word, as in my_rows.py; got {given}")
    name = f"{PARENT}.{path.stem}"
    if name in sys.modules:
        raise UsageError(f"two plugins are called {path.name}; records tell them apart by their names, so give one another")
    plugin = Plugin(path=path, given=given, sha256=hashlib.sha256(source).hexdigest())
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    _loading.append(plugin)
    try:
        exec(compile(source, path, "exec"), vars(module))
        classes = _own_specs(module)
        if not plugin.rows and not classes:
            raise UsageError("it registers nothing: call benchmarks.plugins.register for each row")
    except BaseException as error:
        _take_back(plugin)
        del sys.modules[name]
        if isinstance(error, SystemExit):
            raise UsageError(f"the plugin {given} cannot be used: it ends the program (SystemExit: {error})") from error
        if not isinstance(error, Exception):
            raise
        raise UsageError(f"the plugin {given} cannot be used: {_said(error, path)}") from error
    finally:
        _loading.pop()
    return plugin


def _own_specs(module: ModuleType) -> list[type]:
    """The classes of spec that a plugin defines. Raises UsageError for the name of another class, which records could mean as well."""
    from benchmarks.rebuild import each_spec_class

    every = list(each_spec_class())
    own = [kind for kind in every if kind.__module__ == module.__name__]
    for kind in own:
        if any(other.__name__ == kind.__name__ for other in every if other is not kind):
            raise UsageError(f"there is a spec class {kind.__name__} already, and records call classes by their names; give yours another")
    return own


def _take_back(plugin: Plugin) -> None:
    for kind, name in plugin.rows:
        if kind in _tables:
            _tables[kind][1].pop(name, None)
        _waiting[:] = [row for row in _waiting if (type(row), row.name) != (kind, name)]


def _said(error: Exception, path: Path) -> str:
    """What went wrong, and in which line of the file."""
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else frames[-1] if frames else None
    words = str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"
    one_file = "; a plugin is one file, and what it imports has to be installed" if isinstance(error, ModuleNotFoundError) else ""
    return words + (f" (line {line})" if line and not isinstance(error, SyntaxError) else "") + one_file
