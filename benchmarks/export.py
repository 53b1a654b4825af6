"""python -m benchmarks export ID: a trained network for other programs: A, B, C, D of every layer, and the whole as an exported program.

recurrence.npz    layer{i}/A, B, C, D of x_{k+1} = A x_k + B u_k, y_k = Re(C x_k) + D u_k, from the input of a layer to its activation, the
                  skip included; A is (H, N) where it is diagonal, else (H, N, N); B, C (H, N); D (H,). Of an LRU, whose channels share
                  one state: A (N,), B (N, H), C (H, N), D (H, H).
program.pt2       for torch.export.load: x (any batch, the length of the task, features) -> outputs, without padding
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from benchmarks import cli, plugins

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor
    from torch.export import ExportedProgram

    from benchmarks.spec import RunSpec
    from models import SequenceModel

PROG: Final = "python -m benchmarks export"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Write the recurrence of every layer of a trained network, and where torch can the network as an exported program."""

    name: cli.Name = None
    """The run: its id or as much of it as no other begins with, benchmark/id, or its folder."""
    out: Annotated[str | None, cli.option("--out", cli.folder, "DIR"), cli.SHOWN] = None
    """Where to (default: the folder export beside the record)."""
    plugin: cli.Plugins = ()
    """Files of your own that the run was made with."""


def state_spaces(model: SequenceModel, length: int) -> tuple[dict[str, np.ndarray], dict[int, str]]:
    """{"layer0/A": ...} for every layer that is a linear system, and for every other why it is none."""
    import torch

    from models import NoRecurrence

    arrays: dict[str, np.ndarray] = {}
    without: dict[int, str] = {}
    with torch.no_grad():
        for i, layer in enumerate(model.layers):
            try:
                arrays |= {f"layer{i}/{name}": tensor.resolve_conj().numpy() for name, tensor in layer.state_space(length).items()}
            except NoRecurrence as reason:
                without[i] = str(reason)
    return arrays, without


def example_of(spec: RunSpec, batch: int) -> Tensor:
    """An input that the network of this run takes."""
    import torch

    s = spec.data.signature
    towers = (2,) if s.two_towers else ()
    generator = torch.Generator().manual_seed(0)
    if s.vocab is not None:
        return torch.randint(s.vocab, (batch, *towers, s.length), generator=generator)
    assert s.d_input is not None
    return torch.randn(batch, *towers, s.length, s.d_input, generator=generator)


def program(model: SequenceModel, spec: RunSpec) -> ExportedProgram:
    """The network for inputs of the length of its task and any number of them. Raises ValueError where torch cannot make one that gives
    the network's outputs, with the reason."""
    import torch
    from torch.export import Dim, export

    x = example_of(spec, 2)
    other = example_of(spec, 3)
    asked = [layer.engine for layer in model.layers]
    try:
        for layer in model.layers:  # the choice by table asks for the size of the batch, which a program leaves open
            if layer.engines:
                layer.use_engine(layer.engines[0])
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # remarks of torch on its own way of tracing
            exported = export(model, (x,), dynamic_shapes=({0: Dim.DYNAMIC},))
            difference = float((exported.module()(other) - model(other)).abs().max())
    except Exception as error:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        raise ValueError(f"torch.export: {type(error).__name__}: {first[:200]}") from error
    finally:
        for layer, engine in zip(model.layers, asked, strict=True):
            layer.use_engine(engine)
    if not difference <= 1e-4 * (1 + float(model(other).detach().abs().max())):
        raise ValueError(f"the exported program answers otherwise than the network, by {difference:.2g}")
    return exported


def write_export(folder: Path, model: SequenceModel, spec: RunSpec) -> Mapping[str, str]:
    """Writes both files into `folder`; what became of each, in words."""
    import torch

    from benchmarks.running.beside import packed
    from benchmarks.running.store import write_atomically

    folder.mkdir(parents=True, exist_ok=True)
    said: dict[str, str] = {}
    arrays, without = state_spaces(model, spec.data.signature.length)
    if arrays:
        write_atomically(folder / "recurrence.npz", packed(arrays))
        said["recurrence.npz"] = ", ".join(f"{name} {tuple(array.shape)}" for name, array in arrays.items())
    said |= {f"layer{i}": f"no recurrence: {why}" for i, why in without.items()}
    try:
        exported = program(model, spec)
    except ValueError as error:
        said["program.pt2"] = f"none: {error}"
        return said
    buffer = io.BytesIO()
    torch.export.save(exported, buffer)
    write_atomically(folder / "program.pt2", buffer.getvalue())
    said["program.pt2"] = f"x (batch, {', '.join(map(str, example_of(spec, 1).shape[1:]))}) -> outputs"
    return said


def main(argv: Sequence[str]) -> int:
    """The exit code. A layer without a recurrence, or a network that torch cannot export, is said and is no error."""
    options = cli.read(Options, argv, prog=PROG)
    plugins.load(options.plugin)
    if options.name is None:
        raise cli.UsageError(f"name a run by its id, as in {PROG} 3f2a; `python -m reports export --format csv` lists every id")
    from benchmarks.running.lookup import as_asked, find_record
    from benchmarks.running.weights import read_network

    with as_asked():
        stored = find_record(options.name)
        model, spec = read_network(stored)
    folder = Path(options.out) if options.out is not None else stored.path.parent / "export"
    for name, words in write_export(folder, model, spec).items():
        print(f"{name}: {words}")
    print(folder)
    return cli.DONE
