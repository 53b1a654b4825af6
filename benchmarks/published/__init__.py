"""Numbers that others printed, by benchmark, each with its citation; only those whose source says that they were verified.

table.py    Printed, the one format: a table as its paper has it
s4.py dss.py s4d.py hope.py   the papers of this suite's rows
others.py   rows that the suite does not have
"""

from __future__ import annotations

from typing import Final

from benchmarks.benchmark import Published
from benchmarks.published import dss, hope, others, s4, s4d
from benchmarks.published.table import Printed, collect_by_benchmark

TABLES: Final[tuple[Printed, ...]] = (
    s4d.TABLE_5,
    s4d.TABLE_9,
    s4d.TABLE_9_OTHERS,
    s4d.TABLE_11,
    s4d.TABLE_11_8KHZ,
    s4d.BIDMC,
    s4d.ABLATION,
    s4.TABLE_5,
    dss.README_LRA,
    dss.README_SPEECH,
    dss.LRA_TABLE,
    hope.TABLE_1,
    s4.FIRST_VERSION,
    dss.FIRST_VERSION,
    s4.NOTES,
    s4d.MINIMAL,
    others.LONG_RANGE_ARENA,
    others.LONG_RANGE_ARENA_PATH_X,
    others.LONG_RANGE_ARENA_SIX_TASKS,
    s4d.TABLE_5_OTHERS,
    others.S5,
    others.S5_COLOUR,
    others.MEGA,
    others.LIQUID_LRA,
    others.LIQUID,
    others.SGCONV,
    others.LRU,
    others.LRU_ABLATION,
    hope.TABLE_1_OTHERS,
    hope.HANKEL,
    others.REAL_AND_COMPLEX,
    others.REAL_AND_COMPLEX_EARLIER,
    others.REAL_AND_COMPLEX_IN_MEGA,
    others.FREQUENCY_BIAS,
    others.RTF,
    others.SELF_PRETRAINING,
    others.DFOUT,
    others.DFOUT_PATH_256,
    s4.ANNOTATED,
    s4.TABLE_5_8KHZ,
    others.LIQUID_8KHZ,
)
"""In the order in which a report prints them: this suite's rows, then what came before, then what came after."""

PUBLISHED: Final[dict[str, tuple[Published, ...]]] = collect_by_benchmark(TABLES)
