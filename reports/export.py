"""python -m reports export: every record in two files for other programs, one row a run, and one row a run and epoch."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from benchmarks import cli, plugins

FORMATS: Final = ("csv", "parquet")


@dataclass(frozen=True, kw_only=True)
class Export:
    """Every record in two tables for other programs: runs and epochs."""

    format: Annotated[tuple[str, ...], cli.option("--format", cli.some_of("format", FORMATS), ",".join(FORMATS)), cli.SHOWN] = ("csv",)
    """What the files are written as."""
    out: Annotated[str | None, cli.option("--out", cli.folder, "DIR"), cli.SHOWN] = None
    """Where to (default: reports/export in the run store)."""
    plugin: cli.Plugins = ()
    """Files of your own whose rows are to be named."""


def export(options: Export) -> int:
    """Writes runs and epochs in every format asked for, and columns.txt, which says what they hold; the exit code."""
    plugins.load(options.plugin)
    from benchmarks.running.store import run_root, write_atomically
    from reports import frame
    from reports.evidence import unwritable
    from reports.parts.frame import all_records

    folder = Path(options.out) if options.out is not None else run_root() / "reports" / "export"
    tables = {"runs": (frame.all(), frame.RUNS), "epochs": (frame.epochs(), frame.EPOCHS)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, (table, _) in tables.items():
            for kind in options.format:
                if kind == "csv":
                    content = table.to_csv(index=False, lineterminator="\n").encode()
                else:
                    buffer = io.BytesIO()
                    table.to_parquet(buffer, index=False)
                    content = buffer.getvalue()
                write_atomically(folder / f"{name}.{kind}", content)
                print(f"{folder / f'{name}.{kind}'}: {len(table)} rows, {len(table.columns)} columns")
        words = [line for name, (_, columns) in tables.items() for line in (name, *_described(columns), "")]
        write_atomically(folder / "columns.txt", "\n".join(words).encode())
    except OSError as error:
        raise unwritable(folder, error) from error
    for trouble in all_records().troubles():
        print(f"not counted: {trouble}", file=sys.stderr)
    return cli.DONE


def _described(columns: Mapping[str, str]) -> list[str]:
    return [f"  {name}: {words}" for name, words in columns.items()]
