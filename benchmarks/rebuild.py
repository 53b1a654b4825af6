"""The way back from JSON to a spec: what `benchmarks.spec.canonical` wrote is read into the equal frozen value."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from inspect import isabstract
from typing import Any, Final, TypeVar

import cattrs
from cattrs.gen import make_dict_structure_fn
from cattrs.v import format_exception

import data
from data.base import DataSpec
from models import MixerSpec, ModelSpec, OptimSpec, Schedule

Spec = TypeVar("Spec")


class CannotRebuild(ValueError):
    """A spec in a record that this version of the suite cannot state any more. The message names the class and what is wrong with it."""


def _family(base: type) -> Iterator[type]:
    """`base` and all that is derived from it, without the classes that only serve as bases."""
    if not isabstract(base):
        yield base
    subclasses: list[type] = type.__subclasses__(base)
    for subclass in subclasses:
        yield from _family(subclass)


@cache
def _import_data_sets() -> None:
    """Runs every file of the folders of data sets, each of which defines its DataSpec; those beside them define none."""
    for folder in pkgutil.iter_modules(data.__path__, "data."):
        if folder.ispkg:
            for file in pkgutil.iter_modules(importlib.import_module(folder.name).__path__, f"{folder.name}."):
                importlib.import_module(file.name)


def each_spec_class() -> Iterator[type]:
    """Every class of spec that a run is made of."""
    _import_data_sets()
    for base in (ModelSpec, OptimSpec, DataSpec, MixerSpec, Schedule):
        yield from (kind for kind in _family(base) if not _of_a_plugin_that_failed(kind))


def _of_a_plugin_that_failed(kind: type) -> bool:
    """Whether a class is left over from a file that is not loaded (any more): Python forgets a class when it likes."""
    left = getattr(sys.modules.get(kind.__module__), kind.__name__, None)
    return kind.__module__.startswith("benchmarks.plugged.") and left is not kind


def spec_classes() -> dict[str, type]:
    """The same, by the name that records call it by."""
    return {kind.__name__: kind for kind in each_spec_class()}


def rebuild(spec: Mapping[str, Any], kind: type[Spec]) -> Spec:
    """The `kind` that `canonical`, or `every_field`, wrote as `spec`. Raises CannotRebuild where a class is not known or of another
    version."""
    try:
        return _structured(spec, kind)
    except CannotRebuild:
        raise
    except Exception as error:  # cattrs gathers whatever the classes raise, the path of each beside it
        raise CannotRebuild("; ".join(cattrs.transform_error(error, format_exception=_said))) from error


def _holds_a_spec(declared: Any) -> bool:
    """Whether a field that is declared as `declared` holds a spec."""
    return isinstance(declared, type) and issubclass(declared, (ModelSpec, OptimSpec, DataSpec, MixerSpec, Schedule))


def _structured(raw: Any, declared: Any) -> Any:
    """A spec of the class that `raw` names, which has to be one that `declared` allows and of the version that `raw` was written with."""
    if not isinstance(raw, Mapping) or "type" not in raw:
        raise CannotRebuild(f"expected a spec that names its type, found {raw!r}")
    kind = {**spec_classes(), declared.__name__: declared}.get(raw["type"])
    if kind is None or not issubclass(kind, declared):
        raise CannotRebuild(f"there is no spec class {raw['type']!r} here that may stand in this place; one of a plugin needs --plugin")
    version = getattr(kind, "version", 1)
    if raw.get("version") != version:
        raise CannotRebuild(f"{kind.__name__} is of version {version} here and was of version {raw.get('version')} in the record")
    return _from_fields(kind)({name: value for name, value in raw.items() if name not in ("type", "version")}, kind)


@cache
def _from_fields(kind: type) -> Callable[[Mapping[str, Any], Any], Any]:
    return make_dict_structure_fn(kind, _CONVERTER, _cattrs_forbid_extra_keys=True)


def _unchanged(value: Any, kind: Any) -> Any:
    """A plain value as it is: a float may be written as a whole number, and nothing else stands for something of another type."""
    if type(value) is not kind and (kind is not float or type(value) is not int):
        raise CannotRebuild(f"expected {kind.__name__}, found {value!r}")
    return value


def _said(error: BaseException, kind: Any) -> str:
    """What is wrong, in the words of the spec class where it is one of them that complains."""
    return str(error) if isinstance(error, ValueError) else format_exception(error, kind)


_CONVERTER: Final = cattrs.Converter()
_CONVERTER.register_structure_hook_func(_holds_a_spec, _structured)
for plain in (bool, int, float, str):
    _CONVERTER.register_structure_hook(plain, _unchanged)
