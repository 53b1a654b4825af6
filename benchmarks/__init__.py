"""What is measured, with which recipe, against which published number, and how a number comes to exist.

spec.py         RunSpec, everything that can change a number, and its id; Scale
setting.py      Setting: a network and its training, without the row that stands in it
recipe.py       Recipe, and Row: (benchmark, scale, paper) -> setting, data, source, notes
benchmark.py    Benchmark: a task with its table of rows, and the numbers published for it
papers.py       what the settings of one paper have in common, whatever the task
quick.py        the small network of every task at quick scale
changes.py      fields of a RunSpec changed by their dotted names, and how that is written in a line of text
buildable.py    whether there is a network of a run, asked before it is begun
tuning.py       rates that every row tries, the same number for all
rebuild.py      the way back from a record to its RunSpec
tasks/          the benchmarks, a file a family: digits, images, tokens, pathfinder, speech, biosignals, probes; lra is what LRA's share
published/      numbers that others printed, a file a paper
registry.py     BENCHMARKS, FAMILIES, and how somebody selects among them
cuda/           one command for a card that is at hand for minutes: tests, bandwidth, speed, runs; there and back
running/        how a run comes to be a record: run, record, checkpoint, launch, screen, loggers, environment, throughput
speed/          how fast the layers are, beside the textbook algorithms, and where a training step's time goes
cli.py          the flags and lists of words that several command lines have in common
plugins.py      rows from files outside the checkout; plugged.py is the parent of their modules
evaluate.py     python -m benchmarks evaluate ID: the kept weights of a run scored once more
export.py       python -m benchmarks export ID: its recurrence as arrays, its network as a program
doctor.py       what of this machine does not fit, with the remedy
__main__.py     python -m benchmarks NAME
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from benchmarks.running.record import Record
    from models import SequenceModel


def load(run: str | PathLike[str]) -> tuple[SequenceModel, Record]:
    """The trained network of a run, on the CPU and in evaluation mode, and its record: `model, record = load("runs/digits-noise/<id>")`.

    `run` is its folder, benchmark/id, or as much of the id as no other begins with. Raises ValueError where there is no such run, or no
    weights of it; DamagedRecord for a file that is not what its record says.
    """
    from benchmarks import plugins  # torch and the tables come with these: not before they are asked for
    from benchmarks.running.lookup import find_record
    from benchmarks.running.weights import read_network

    plugins.load()
    stored = find_record(str(run))
    return read_network(stored)[0], stored.record
