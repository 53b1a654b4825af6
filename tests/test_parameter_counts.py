"""Parameter counts of the paper-scale recipes of S4 and S4D: those printed by the papers, and those of the released configs."""

from __future__ import annotations

import pytest

from benchmarks.registry import BENCHMARKS
from models import SequenceModel


def network(benchmark: str, variant: str, scale: str = "paper") -> SequenceModel:
    run = BENCHMARKS[benchmark].recipe(variant, scale).run  # type: ignore[arg-type]
    s = run.data.signature
    return run.model.build(
        d_input=s.d_input, vocab=s.vocab, d_output=s.d_output, per_step=s.per_step, two_towers=s.two_towers
    )


def count(model: SequenceModel, *, ends: bool) -> int:
    """Real numbers trained, with or without the encoder and the head."""
    return sum(p.numel() for name, p in model.named_parameters() if ends or name.split(".")[0] not in ("encoder", "decoder", "norm"))


@pytest.mark.parametrize(("variant", "published"), [("s4d-lin", 306_083), ("s4", 306_851)])
def test_sc35_has_the_size_that_is_printed(variant: str, published: int) -> None:
    """306K and 307K in 2206.11893, Table 11."""
    assert count(network("sc35", variant), ends=True) == published


@pytest.mark.parametrize(
    ("benchmark", "s4d", "s4"),
    [
        ("lra-listops", 530_432, 595_968),
        ("lra-text", 1_188_864, 1_287_168),
        ("lra-retrieval", 1_188_864, 1_287_168),
        ("lra-pathfinder", 1_188_864, 1_287_168),
        ("lra-pathx", 1_188_864, 1_287_168),
        ("sc35", 301_056, 301_824),
    ],
)
def test_blocks_of_the_paper_scale(benchmark: str, s4d: int, s4: int) -> None:
    """Everything between the encoder and the head, by the formula of the released layers."""
    assert {v: count(network(benchmark, v), ends=False) for v in ("s4d-legs", "s4d-inv", "s4d-lin")} == dict.fromkeys(
        ("s4d-legs", "s4d-inv", "s4d-lin"), s4d
    )
    assert count(network(benchmark, "s4"), ends=False) == s4


def test_small_models_are_small() -> None:
    """About 106K numbers for the ablations on speech, as state-spaces/s4 has it."""
    assert 100_000 < count(network("sc35", "s4d-lin", "small"), ends=True) < 112_000
