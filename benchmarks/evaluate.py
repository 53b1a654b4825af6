"""python -m benchmarks evaluate ID: the kept weights of a run scored once more; its record has to say the same."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from benchmarks import cli, plugins
from data.command import tell

if TYPE_CHECKING:
    from benchmarks.running.beside import StoredRecord
    from benchmarks.running.environment import Runtime
    from benchmarks.spec import RunSpec
    from models import SequenceModel

PROG: Final = "python -m benchmarks evaluate"
ROUNDING: Final = 1e-5
"""Relative difference up to which two numbers are one that was computed on other machines, or with other libraries."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Score the kept weights of a run on its test set again, and compare with its record. Exit code 0: the same; 1: not."""

    name: cli.Name = None
    """The run: its id or as much of it as no other begins with, benchmark/id, or its folder."""
    device: Annotated[str, cli.option("--device", cli.one_of("device", cli.DEVICES), "|".join(cli.DEVICES)), cli.SHOWN] = "auto"
    """Where to score; auto takes the kind of device that the run was made on, where there is one."""
    threads: Annotated[int | None, cli.option("--threads", cli.positive, "N"), cli.SHOWN] = None
    """CPU threads (default: as many as the run had)."""
    predictions: Annotated[bool, cli.SHOWN] = False
    """Keep the answers to the test set beside the record, where the score is the record's."""
    plugin: cli.Plugins = ()
    """Files of your own that the run was made with."""
    data: cli.Folder = None
    """The folder of all data sets (default: $SSM_DATA, or one in the user's cache)."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One number of a record beside the one that was found now; either may be none."""

    name: str
    recorded: float | None
    found: float | None

    @property
    def equal(self) -> bool:
        """To the bit."""
        return self.recorded == self.found

    @property
    def close(self) -> bool:
        """Equal but for rounding."""
        if self.recorded is None or self.found is None:
            return self.equal
        return abs(self.recorded - self.found) <= ROUNDING * max(abs(self.recorded), abs(self.found))

    def __str__(self) -> str:
        show = lambda value: "none" if value is None else f"{value:.9g}"
        words = "as recorded" if self.equal else f"recorded {show(self.recorded)}" + (", equal but for rounding" if self.close else "")
        return f"  {self.name:<28} {show(self.found):<14} {words}"


def evaluate(stored: StoredRecord, model: SequenceModel, spec: RunSpec, runtime: Runtime) -> tuple[list[Compared], Mapping[str, Any]]:
    """Every number of the test set in a record beside the one that its network gives now; and the answers, where `runtime` asks for them.

    The score of the constant answer of the training labels is not among them: it needs no weights. Raises DataError where the data here
    are not those that the run saw.
    """
    import math

    import torch
    from pytorch_lightning import seed_everything

    from benchmarks.running.predictions import Answers
    from benchmarks.running.run import make_trainer, one_process, one_rounding, quiet, score
    from data.base import DataError
    from data.module import SplitModule
    from models import SequenceTask

    record = stored.record
    torch.set_num_threads(runtime.threads)
    seed_everything(spec.seed, verbose=False)
    spec.data.prepare(tell)
    module = spec.data.build(batch_size=spec.batch_size, seed=spec.seed)
    assert isinstance(module, SplitModule)
    if module.content_hash() != record.data.get("hash"):
        raise DataError(
            f"{stored.name}: the data here are not those that this run saw (their hash is {module.content_hash()[:12]}, the record says "
            f"{str(record.data.get('hash'))[:12]}), so its numbers cannot be found again with them."
        )
    model.use_engine(runtime.engine)
    task = SequenceTask(model, spec.optim, total_steps=1, regression=spec.data.signature.regression)
    answers = Answers()
    with one_process(), one_rounding(), quiet():
        found = score(make_trainer(spec, runtime, [answers]), task, module)
    tested = {name for name in record.metrics if name.startswith("test_")} - {f"test_{task.metric}_constant"}
    finite = {name: value for name, value in found.items() if math.isfinite(value)}
    compared = [Compared(name=name, recorded=record.metrics[name], found=finite.get(name)) for name in sorted(tested)]
    return compared, answers.arrays(regression=task.regression) if runtime.predictions else {}


def main(argv: Sequence[str]) -> int:
    """The exit code."""
    options = cli.read(Options, argv, prog=PROG)
    plugins.load(options.plugin)
    if options.name is None:
        raise cli.UsageError(f"name a run by its id, as in {PROG} 3f2a; `python -m reports export --format csv` lists every id")
    if options.data is not None:
        os.environ["SSM_DATA"] = options.data
    from benchmarks.running.environment import Runtime, choose_device
    from benchmarks.running.lookup import as_asked, find_record
    from benchmarks.running.store import Store
    from benchmarks.running.weights import read_network

    with as_asked():
        stored = find_record(options.name)
        model, spec = read_network(stored)
    made_on = str(stored.record.environment.get("device", "cpu"))
    device = choose_device("cpu" if options.device == "auto" and made_on == "cpu" else options.device)
    threads = options.threads or int(stored.record.environment.get("threads", 1))
    engine = str(stored.record.environment.get("engine", "auto")) if made_on.startswith(device) else "auto"
    runtime = Runtime(device=device, threads=threads, engine=engine, predictions=options.predictions)
    compared, answers = evaluate(stored, model, spec, runtime)
    print(f"{stored.record.benchmark}/{stored.record.id}, seed {stored.record.seed}, on {device}")
    print("\n".join(map(str, compared)))
    same = all(number.close for number in compared)
    if all(number.equal for number in compared):
        print("equal: the record's numbers, to the last digit")
    else:
        elsewhere = f" (the run was made on {made_on})" if not made_on.startswith(device) else ""
        print(f"{'equal but for rounding' if same else 'differs'}{elsewhere}: {'' if same else 'not '}the record's numbers")
    if answers and same:
        store = Store.at(stored.path.parents[2])
        with store.lock(spec) as mine:
            if not mine:
                raise cli.EnvironmentProblem(f"{stored.name}: somebody works on this run, so its predictions are not kept.")
            written = store.add_predictions(stored, answers)
        assert written.predictions is not None
        print(f"predictions: {stored.path.with_name(written.predictions['file'])}")
    return cli.DONE if same else cli.SOME_FAILED
