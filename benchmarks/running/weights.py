"""The trained network of a run: packed into `model.safetensors` beside the record, and read back from it, ready for use."""

from __future__ import annotations

import torch
from safetensors import SafetensorError
from safetensors.torch import load as unpack
from safetensors.torch import save as pack

from benchmarks import plugins
from benchmarks.rebuild import CannotRebuild
from benchmarks.running.beside import StoredRecord
from benchmarks.running.record import DamagedRecord, Record
from benchmarks.spec import RunSpec
from models import SequenceModel


class NoWeights(ValueError):
    """There are no weights of this run here. The message says why, and what brings them."""


def pack_weights(model: SequenceModel, spec: RunSpec) -> bytes:
    """The state of the network as a safetensors file, its tensors by the names they have in the model. Equal states make equal files."""
    state = {name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in model.state_dict().items()}
    return pack(state, metadata={"run": f"{spec.benchmark}/{spec.id}"})  # one entry: several are written in any order


def build_network(spec: RunSpec) -> SequenceModel:
    """The network of a run before its training, drawn from torch's generator."""
    signature = spec.data.signature
    return spec.model.build(
        d_input=signature.d_input,
        vocab=signature.vocab,
        d_output=signature.d_output,
        per_step=signature.per_step,
        two_towers=signature.two_towers,
    )


def read_network(stored: StoredRecord) -> tuple[SequenceModel, RunSpec]:
    """The trained network of a run in evaluation mode, on the CPU, and its spec; torch's generator is left as it was.

    Raises NoWeights where there are none, DamagedRecord for a file that is not the one the record names, and CannotRebuild where this
    version of the suite cannot state the run any more.
    """
    record = stored.record
    blob = stored.weights()
    if not blob:
        raise NoWeights(f"{stored.name} has no weights beside it: {_why_none(stored)}")
    try:
        spec = RunSpec.from_record(record.spec)
    except CannotRebuild as error:
        raise CannotRebuild(f"{error}{plugins.describe_absent(record.environment.get('plugins', {}))}") from error
    with torch.random.fork_rng(devices=[]):
        model = build_network(spec)
    try:
        model.load_state_dict(unpack(blob))
    except (SafetensorError, RuntimeError) as error:
        first = str(error).splitlines()[0].rstrip(": ")
        raise DamagedRecord(f"{stored.name}: model.safetensors does not fit the network of this run ({first})") from error
    return model.eval(), spec


def _why_none(stored: StoredRecord) -> str:
    record = stored.record
    if record.status != "ok":
        return f"the run {'diverged' if record.status == 'diverged' else 'failed'} ({record.reason})"
    if record.weights is None:
        return f"it was made without keeping them (--weights no, or an earlier version of the suite); {_again(record)}"
    return f"they are not here (evidence is committed without them, and a file may be removed to save room); {_again(record)}"


def _again(record: Record) -> str:
    return (
        f"to have them, train the run here: python -m benchmarks {record.benchmark} with the row and the seed of this one, and with "
        "--rerun all where it was trained here before"
    )
