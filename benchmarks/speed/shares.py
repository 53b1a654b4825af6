"""To which part of a training step each thing belongs that torch's profiler saw.

A part is found, in this order: by the range around it (kernel, mixing, norm: modules are ranges; optimizer and loader);
by its name, where it is a Fourier transform; for the backward pass, by what it is the derivative of; and else by its kind of operation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

PARTS: Final = ("kernel", "transforms", "mixing", "element-wise", "norm", "other products", "optimizer", "loader", "rest")
"""kernel: from parameters to kernel, of LRU the whole recurrence. transforms: Fourier transforms outside it. mixing: the products of
position-wise mixing and its gate. element-wise: also copies and sums. rest: the training loop, metrics, and Python between operations."""

RANGE: Final = "part: "
"""What the name of a range begins with that is a part by itself."""
OF_THE_LOOP: Final[Mapping[str, str]] = {
    "Optimizer.step#": "optimizer",
    "Optimizer.zero_grad#": "optimizer",
    "[_TrainingEpochLoop].train_dataloader_next": "loader",
    "[Strategy]": "",
    "run_training_batch": "",
}
"""Beginnings of the names of other ranges, and their parts; none: decided by what is inside."""
PRODUCTS: Final = ("mm", "bmm", "addmm", "baddbmm", "matmul", "linear", "dot", "einsum")
RECURRENT: Final = ("rnn", "lstm", "gru", "attention")
"""Parts of the names of operations that are mostly products."""
EVALUATES: Final = "autograd::engine::evaluate_function: "


class Event(Protocol):
    """What is used of an event of torch's profiler."""

    name: str
    sequence_nr: int
    cpu_parent: Any


def _range_of(name: str) -> str | None:
    """The part that a range stands for, "" where its content decides, None where it is no range."""
    if name.startswith(RANGE):
        return name.removeprefix(RANGE)
    return next((part for start, part in OF_THE_LOOP.items() if name.startswith(start)), None)


def _around(event: Event) -> tuple[str, int | None]:
    """(part of the nearest range around an event or "", number of the forward operation whose derivative it is in, if it is in one)."""
    number, at = None, event
    while at is not None:
        if number is None and at.name.startswith(EVALUATES):
            number = at.sequence_nr
        part = _range_of(at.name)
        if part is not None:
            return part, number
        at = at.cpu_parent
    return "rest", number


def _by_kind(name: str) -> str:
    if not name.startswith(("aten::", "void ", "Memcpy", "Memset")):
        return "rest"
    operation = name.removeprefix("aten::").strip("_")
    if "fft" in operation:
        return "transforms"
    product = operation.split(".")[0] in PRODUCTS or any(word in operation for word in RECURRENT)
    return "other products" if product else "element-wise"


def sort_into_parts(events: Iterable[tuple[Event, float]]) -> dict[str, float]:
    """The sum over the events of their own time (in whatever unit), by part. Events come in the order in which they began."""
    timed = list(events)
    made: dict[int, str] = {}  # the last operation that saw a number is the one whose derivative has it
    for event, _ in timed:
        part, number = _around(event)
        if number is None and event.sequence_nr >= 0 and not event.name.startswith(EVALUATES):
            made[event.sequence_nr] = part
    out = dict.fromkeys(PARTS, 0.0)
    for event, own in timed:
        part, number = _around(event)
        if number is not None and not part:
            part = made.get(number, "")
        out[part or _by_kind(event.name)] += own
    return out
