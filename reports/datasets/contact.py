"""The gallery: a contact sheet of every data set that is here, in a folder, and one HTML page of them all."""

from __future__ import annotations

import html
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import cli
from benchmarks.running.environment import EnvironmentProblem
from benchmarks.running.store import write_atomically
from data.base import DataError, StorageError
from reports.datasets.dataset import DataSet
from reports.parts.report import Plot

STYLE = (
    "body{font:16px/1.55 system-ui,sans-serif;color:#1f2328;background:#fffffe;max-width:66rem;margin:0 auto;padding:2rem 1rem 5rem}"
    "h1{font-weight:600}h2{font-size:1.15rem;margin:3rem 0 .6rem}img{width:100%;height:auto;border:1px solid #e3e6ea;border-radius:4px}"
    "nav a{margin-right:1rem}p{max-width:50rem;color:#4a515a}code{background:#eef1f4;padding:.1em .3em;border-radius:3px}"
)


def page(shown: Sequence[Plot], missing: Mapping[str, str]) -> str:
    """The HTML page: every sheet, NAME.png beside the page, with its caption; then what is not here and why."""
    out = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Gallery of the data sets</title><style>{STYLE}</style></head><body><h1>What the networks are given</h1>",
        "<nav>" + "".join(f'<a href="#{plot.name}">{html.escape(plot.name)}</a>' for plot in shown) + "</nav>",
    ]
    for plot in shown:
        out.append(
            f'<section id="{plot.name}"><h2>{html.escape(plot.title)}</h2><img src="{plot.name}.png" alt="{html.escape(plot.alt)}">'
            f"<p>{html.escape(plot.caption)}</p></section>"
        )
    if missing:
        out.append("<h2>Not here</h2><ul>")
        out += [f"<li>{html.escape(name)}: <code>{html.escape(why)}</code></li>" for name, why in missing.items()]
        out.append("</ul>")
    return "\n".join([*out, "</body></html>"]) + "\n"


def draw(datasets: Sequence[DataSet], folder: Path) -> int:
    """Writes the sheets and their page, says what is not here, and returns the exit code.

    A damaged set does not keep the others from being drawn. Raises EnvironmentProblem where the folder cannot be written, StorageError.
    """
    shown: list[Plot] = []
    missing: dict[str, str] = {}
    damaged: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for dataset in datasets:
            name = dataset.name
            try:
                drawn = dataset.draw()
            except StorageError:
                raise
            except DataError as error:
                missing[name] = str(error)
                damaged.append(f"{name}: {error}")
                continue
            if drawn is None:
                missing[name] = dataset.command
                print(f"{name:<12} not here; {dataset.command} gets it", flush=True)
                continue
            plot, content = drawn
            shown.append(plot)
            write_atomically(folder / f"{name}.png", content)
            print(f"{name:<12} {folder / f'{name}.png'}", flush=True)
        target = folder / "index.html"
        write_atomically(target, page(shown, missing).encode())
    except OSError as error:
        raise EnvironmentProblem(
            f"the gallery cannot be written to {folder} ({error.strerror or error}). Make the folder writable, free some space, or name "
            "another one with --out."
        ) from error
    print(target)
    if damaged:
        print("error: " + "\n".join(damaged), file=sys.stderr)
        return cli.DATA
    return cli.DONE
