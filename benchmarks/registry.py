"""BENCHMARKS and FAMILIES: every benchmark by name, collected from the files that define them; and how somebody selects among them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from benchmarks.benchmark import LITERATURE, Benchmark, Published
from benchmarks.changes import label_changes, split_changes
from benchmarks.published import PUBLISHED
from benchmarks.published.table import AVERAGE, LRA
from benchmarks.spec import Scale
from benchmarks.tasks import biosignals, digits, images, pathfinder, probes, speech, tokens
from data.protocol import choices as protocols
from data.protocol import parse
from models import DEFAULT_VARIANTS, VARIANTS
from models.choices.names import choose, unknown

BENCHMARKS: Final[dict[str, Benchmark]] = {
    benchmark.name: replace(benchmark, published=PUBLISHED.get(benchmark.name, ()))
    for module in (digits, images, tokens, pathfinder, speech, biosignals, probes)
    for benchmark in module.BENCHMARKS
}


class Family(NamedTuple):
    """Benchmarks of one metric that papers print side by side."""

    title: str
    members: tuple[str, ...]
    averages: tuple[Published, ...] = ()
    """Averages over the members that were printed."""


def _family(title: str, benchmarks: Sequence[Benchmark], metric: str) -> Family:
    """The family of all of `benchmarks` that are scored by `metric`."""
    return Family(title, tuple(b.name for b in benchmarks if b.metric == metric))


FAMILIES: Final[dict[str, Family]] = {
    "lra": Family("Long Range Arena", LRA, PUBLISHED[AVERAGE]),
    "lra-kin": Family("Kin of the Long Range Arena", ("retrieval-imdb", "pathfinder64", "pathfinder256")),
    "speech": _family("Speech Commands", speech.BENCHMARKS, "accuracy"),
    "biosignals": _family("BIDMC", biosignals.BENCHMARKS, "rmse"),
    "probes": _family("Probes of memory and capacity", probes.BENCHMARKS, "accuracy"),
}


def select_variants(wanted: Sequence[str], benchmark: Benchmark | None = None, scale: Scale | None = None) -> tuple[str, ...]:
    """Names of variants, with the words default and all written out: all are all that `benchmark` has at `scale`. Raises ValueError."""
    out: list[str] = []
    for word in wanted:
        if word == "default":
            out += DEFAULT_VARIANTS
        elif word == "all":
            out += [name for name in VARIANTS if benchmark is None or scale is None or benchmark.has_recipe(name, scale)]
        elif word in VARIANTS:
            out.append(word)
        else:
            raise ValueError(unknown("variant", word, ["default", "all", *VARIANTS]))
    return tuple(dict.fromkeys(out))


@dataclass(frozen=True)
class Selection:
    """A benchmark as somebody wants it: read out elsewhere, or with other choices of protocol."""

    benchmark: Benchmark
    options: tuple[str, ...]
    """The words that say so on a command line."""
    tag: str
    """What tells its reports from those of the plain benchmark: "" or "-mini"."""
    readout: str | None = None
    protocol: str | None = None
    changes: str | None = None
    label: str = ""
    """What is said behind the name of a row: "[d_state 16]" where fields of its run are set."""

    def named(self, variant: str) -> str:
        """A row as tables name it."""
        return f"{variant} {self.label}".strip()


def select_benchmark(name: str, readout: str | None = None, protocol: str | None = None, changes: str | None = None) -> Selection:
    """The benchmark `name`, read out elsewhere, with other choices of protocol, or with fields of its runs set. Raises ValueError that
    names the nearest."""
    benchmark = choose("benchmark", name, BENCHMARKS)
    options: list[str] = []
    tags: list[str] = []
    if readout is not None:
        benchmark = benchmark.read_out(readout)
        options += ["--readout", readout]
        tags.append(readout)
    if protocol is not None and LITERATURE in (words := protocol.replace(",", " ").split()):
        if len(words) > 1:
            raise ValueError(f"{LITERATURE} sets every choice of protocol at once and stands alone; got {protocol!r}")
        benchmark = benchmark.as_in_the_literature()
        options += ["--protocol", LITERATURE]
        tags.append(LITERATURE)
    elif protocol is not None:
        try:
            choices = parse(protocol)
        except ValueError as error:
            raise ValueError(f"{error}; {LITERATURE} alone is all that published numbers were made with") from None
        benchmark = benchmark.with_protocol(choices)
        options += ["--protocol", ",".join(f"{field}={value}" for field, value in choices.items())]
        tags += _protocol_tags(benchmark, choices)
    label = ""
    if changes is not None:
        texts = split_changes(changes)
        benchmark, label = benchmark.with_changes(texts), label_changes(texts)
        options += ["--set", ",".join(f"{field}={value}" for field, value in texts.items())]
        tags.append(re.sub(r"[^A-Za-z0-9.]+", "-", label).strip("-"))
    return Selection(benchmark, tuple(options), "".join(f"-{tag}" for tag in tags), readout, protocol, changes, label)


def _protocol_tags(benchmark: Benchmark, choices: Mapping[str, str]) -> list[str]:
    """The value of each choice, or field and value where the value alone could be read as something else. Raises ValueError."""
    # a smaller task may lack what the whole one has: no official table of ListOps holds short expressions
    able = [scale for scale in benchmark.scales if benchmark.has_recipe(DEFAULT_VARIANTS[0], scale)]
    data = benchmark.recipe(DEFAULT_VARIANTS[0], (able or benchmark.scales)[0]).run.data  # says at once what cannot be
    words = [*benchmark.readouts, *(word for known in protocols(type(data)).values() for word in known)]

    def clear(value: str) -> bool:
        """Whether the value alone says which field it is of, and makes no other benchmark's name."""
        alone = value[0].isalpha() and value not in ("true", "false") and words.count(value) == 1
        return alone and f"{benchmark.name}-{value}" not in BENCHMARKS

    return [value if clear(value) else f"{field}-{value}" for field, value in choices.items()]
