"""BENCHMARKS: every benchmark of the suite by name, collected from the files that define them; and the rows asked of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks import biosignals, images, lra, probes, speech
from benchmarks import digits as pixels
from benchmarks.benchmark import Benchmark
from benchmarks.spec import Scale
from data.protocol import choices as protocols
from data.protocol import parse
from models import DEFAULT_VARIANTS, VARIANTS
from models.names import choose, unknown

BENCHMARKS: Final[dict[str, Benchmark]] = {
    benchmark.name: benchmark for module in (pixels, images, lra, speech, biosignals, probes) for benchmark in module.BENCHMARKS
}

FAMILIES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "lra": ("Long Range Arena", ("lra-listops", "lra-text", "lra-retrieval", "lra-image", "lra-pathfinder", "lra-pathx")),
    "lra-kin": ("Kin of the Long Range Arena", ("retrieval-imdb", "pathfinder64", "pathfinder256")),
    "speech": ("Speech Commands", ("sc10", "sc10-mfcc", "sc35")),
    "biosignals": ("BIDMC", ("bidmc-rr", "bidmc-hr", "bidmc-spo2")),
    "probes": ("Probes of memory and capacity", ("copying", "selective-copying", "induction", "mqar")),
}
"""Benchmarks that papers print side by side: name -> (title, members of one metric)."""


def variants(wanted: Sequence[str], benchmark: Benchmark | None = None, scale: Scale | None = None) -> tuple[str, ...]:
    """Names of variants, with the words default and all written out: all are all that `benchmark` has at `scale`. Raises ValueError."""
    out: list[str] = []
    for word in wanted:
        if word == "default":
            out += DEFAULT_VARIANTS
        elif word == "all":
            out += [name for name in VARIANTS if benchmark is None or scale is None or has(benchmark, name, scale)]
        elif word in VARIANTS:
            out.append(word)
        else:
            raise ValueError(unknown("variant", word, ["default", "all", *VARIANTS]))
    return tuple(dict.fromkeys(out))


def has(benchmark: Benchmark, variant: str, scale: Scale) -> bool:
    """Whether the benchmark has this row at this scale."""
    try:
        benchmark.recipe(variant, scale)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Asked:
    """A benchmark as somebody asked for it."""

    benchmark: Benchmark
    words: tuple[str, ...]
    """The options that say so on a command line."""
    tag: str
    """What tells its reports from those of the plain benchmark: "" or "-mini"."""


def asked(name: str, readout: str | None = None, protocol: str | None = None) -> Asked:
    """The benchmark `name`, read out elsewhere, or with other choices of protocol. Raises ValueError that names the nearest."""
    benchmark = choose("benchmark", name, BENCHMARKS)
    words: list[str] = []
    tags: list[str] = []
    if readout is not None:
        benchmark = benchmark.read_out(readout)
        words += ["--readout", readout]
        tags.append(readout)
    if protocol is not None:
        choices = parse(protocol)
        benchmark = benchmark.with_protocol(choices)
        data = benchmark.recipe(DEFAULT_VARIANTS[0], benchmark.scales[0]).run.data  # says at once what cannot be
        named = [*benchmark.readouts, *(word for known in protocols(type(data)).values() for word in known)]

        def clear(value: str) -> bool:
            """Whether the value alone says which field it is of, and makes no other benchmark's name."""
            alone = value[0].isalpha() and value not in ("true", "false") and named.count(value) == 1
            return alone and f"{name}-{value}" not in BENCHMARKS

        words += ["--protocol", ",".join(f"{field}={value}" for field, value in choices.items())]
        tags += [value if clear(value) else f"{field}-{value}" for field, value in choices.items()]
    return Asked(benchmark, tuple(words), "".join(f"-{tag}" for tag in tags))
