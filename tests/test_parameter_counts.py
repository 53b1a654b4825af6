"""Parameter counts of the paper-scale recipes of S4 and S4D: those printed by the papers, and those of the released configs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from torch import nn

from benchmarks.recipe import SIZE
from benchmarks.registry import BENCHMARKS
from benchmarks.spec import RunSpec


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def counts(run: RunSpec) -> tuple[int, int]:
    """(Numbers in the blocks, numbers in the whole network). All blocks have one shape, so one is built."""
    s = run.data.signature
    one = replace(run.model, n_layers=1)
    model = one.build(d_input=s.d_input, vocab=s.vocab, d_output=s.d_output, per_step=s.per_step, two_towers=s.two_towers)
    blocks = run.model.n_layers * count(model.blocks)
    return blocks, count(model) - count(model.blocks) + blocks


@pytest.mark.parametrize("name", [name for name, b in BENCHMARKS.items() if "small" in b.scales])
def test_small_networks_are_as_large_as_their_notes_say(name: str) -> None:
    recipe = BENCHMARKS[name].recipe("s4d-lin", "small")
    assert SIZE.format(round(counts(recipe.run)[1] / 1000)) in recipe.notes


@pytest.mark.parametrize(("variant", "published"), [("s4d-lin", 306_083), ("s4", 306_851)])
def test_sc35_has_the_size_that_is_printed(variant: str, published: int) -> None:
    """306K and 307K in 2206.11893, Table 11."""
    assert counts(BENCHMARKS["sc35"].recipe(variant, "paper").run)[1] == published


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
    assert counts(BENCHMARKS[benchmark].recipe("s4d-lin", "paper").run)[0] == s4d
    assert counts(BENCHMARKS[benchmark].recipe("s4", "paper").run)[0] == s4


def test_small_models_are_small() -> None:
    """About 106K numbers for the ablation on speech, as state-spaces/s4 has it."""
    assert 100_000 < counts(BENCHMARKS["sc35"].recipe("s4d-lin", "small").run)[1] < 112_000
