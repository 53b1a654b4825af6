"""Batches by length: an order that only (seed, epoch) decides, every sample once, little padding; and further tests of a network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor

from data.module import POOL, SplitModule, batches
from data.ragged import Ragged
from data.sampling import Ids, permutation

N = 4000
BATCH = 8
LENGTHS = np.random.default_rng(3).gamma(1.5, 150, N).astype(np.int64) + 1
"""Of the kind that texts have: many short ones and a long tail."""
IDS = np.random.default_rng(4).permutation(N).astype(np.int64)[:3210]


def padding(found: list[Ids]) -> float:
    """The share of a padded epoch that is padding."""
    kept = sum(int(LENGTHS[ids].sum()) for ids in found)
    return 1 - kept / sum(len(ids) * int(LENGTHS[ids].max()) for ids in found)


@pytest.mark.parametrize("seed", [None, 0, 5])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("n", [1, BATCH - 1, BATCH, BATCH + 1, BATCH * POOL, BATCH * POOL + 3, 3210])
def test_every_sample_comes_once_in_full_batches(n: int, lengths: Ids | None, seed: int | None) -> None:
    found = batches(IDS[:n], BATCH, lengths, seed, 2)
    assert sorted(np.concatenate(found)) == sorted(IDS[:n])
    assert sorted(map(len, found), reverse=True) == [BATCH] * (n // BATCH) + [n % BATCH] * (n % BATCH > 0)


def same(a: list[Ids], b: list[Ids]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_training_batches_are_a_function_of_seed_and_epoch() -> None:
    first = batches(IDS, BATCH, LENGTHS, 1, 0)
    np.random.seed(99)
    torch.manual_seed(99)
    assert same(first, batches(IDS.copy(), BATCH, LENGTHS.copy(), 1, 0))
    for seed, epoch in ((1, 1), (2, 0)):
        other = batches(IDS, BATCH, LENGTHS, seed, epoch)
        assert not same(first, other)
        composed, kept = ({frozenset(ids.tolist()) for ids in found} for found in (other, first))
        assert len(composed & kept) < 0.1 * len(kept)  # other batches, and not the same ones in another order


def test_evaluation_batches_are_always_the_same() -> None:
    found = batches(IDS, BATCH, LENGTHS)
    assert same(found, batches(IDS, BATCH, LENGTHS, None, 7))
    longest = [int(LENGTHS[ids].max()) for ids in found]
    assert longest == sorted(longest, reverse=True)  # what would not fit into memory shows at once


def test_without_lengths_nothing_is_sorted() -> None:
    assert same(batches(IDS, BATCH), [IDS[i : i + BATCH] for i in range(0, len(IDS), BATCH)])
    expected = IDS[permutation(3, 1, len(IDS))]
    np.testing.assert_array_equal(np.concatenate(batches(IDS, BATCH, None, 3, 1)), expected)


def test_there_is_little_padding() -> None:
    plain, sorted_ = padding(batches(IDS, BATCH, None, 0, 0)), padding(batches(IDS, BATCH, LENGTHS, 0, 0))
    assert plain > 0.4
    assert sorted_ < 0.08
    assert padding(batches(IDS, BATCH, LENGTHS)) < 0.02


def test_lengths_come_mixed_over_an_epoch_of_training() -> None:
    """Neither rising nor falling, and short and long ones in every stretch: or the network would forget one kind."""
    for epoch in range(3):
        longest = np.array([LENGTHS[ids].max() for ids in batches(IDS, BATCH, LENGTHS, 0, epoch)], dtype=float)
        assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.2
        assert abs(np.corrcoef(longest[1:], longest[:-1])[0, 1]) < 0.2
        quarters = [part.mean() for part in np.array_split(longest, 4)]
        assert max(quarters) < 1.5 * min(quarters)


def test_rows_of_one_length_are_drawn_evenly() -> None:
    """Which batch mates a sample has is left to chance: with equal lengths as if there were none."""
    even = np.ones(N, dtype=np.int64)
    met = {frozenset(pair) for epoch in range(4) for ids in batches(IDS[:16], 2, even, 0, epoch) for pair in [ids.tolist()]}
    assert len(met) > 20  # of 32 drawn pairs and 120 possible ones


# ---------------------------------------------------------------- the module

ROWS = Ragged.from_rows([np.random.default_rng(i).integers(1, 100, n) for i, n in enumerate(LENGTHS[:300])], np.uint8)
SPLITS = {"train": np.arange(0, 200), "val": np.arange(200, 250), "test": np.arange(250, 300)}


def make(split: str, ids: Ids, epoch: int) -> dict[str, NDArray[Any]]:
    x, lengths = ROWS.padded(ids, multiple=16)
    return {"x": x, "y": ids, "lengths": lengths}


def slowly(split: str, ids: Ids, epoch: int) -> dict[str, NDArray[Any]]:
    found = make(split, ids, epoch)
    return {**found, "x": found["x"][:, ::2], "lengths": (found["lengths"] + 1) // 2, "rate": np.array(2, dtype=np.float32)}


def module(batch_size: int = BATCH, seed: int = 0, **options: object) -> SplitModule:
    given: dict[str, object] = {"lengths": LENGTHS[:300], **options}
    return SplitModule(SPLITS, 300, make, batch_size=batch_size, seed=seed, content_hash="0", **given)  # type: ignore[arg-type]


def visited(loader: object) -> list[list[int]]:
    return [batch["y"].tolist() for batch in loader]  # type: ignore[attr-defined]


def by_id(found: list[dict[str, Tensor]]) -> dict[int, list[int]]:
    return {int(i): line[: int(n)].tolist() for batch in found for i, line, n in zip(batch["y"], batch["x"], batch["lengths"], strict=True)}


def test_a_sample_is_the_same_in_whatever_batch_it_comes() -> None:
    first, second = module(), module(batch_size=7, seed=3)
    for part in ("train", "val", "test"):
        a, b = (by_id(list(getattr(m, f"{part}_dataloader")())) for m in (first, second))
        assert a == b
        assert set(a) == set(SPLITS[part].tolist())
        assert all(line == ROWS.row(i).tolist() for i, line in a.items())


def test_the_loader_gives_the_order_that_the_record_names() -> None:
    m = module()
    loader = m.train_dataloader()
    for epoch in (0, 3, 1):  # a run that is resumed begins anywhere
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        assert np.concatenate(visited(loader)).tolist() == m.order(epoch).tolist()
    assert len(loader) == len(visited(loader)) == 25
    assert m.order(0).tolist() != m.order(1).tolist()
    assert m.order(0).tolist() == module().order(0).tolist()
    assert m.order(0).tolist() != module(seed=1).order(0).tolist()
    assert m.order(0).tolist() != module(lengths=None).order(0).tolist()


def test_evaluation_sees_every_sample_once_whatever_the_seed() -> None:
    for part in ("val", "test"):
        a, b = (visited(getattr(module(seed=seed), f"{part}_dataloader")()) for seed in (0, 1))
        assert a == b
        assert sorted(np.concatenate(a).tolist()) == SPLITS[part].tolist()


class Watcher(LightningModule):
    """Trains nothing and remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen: list[list[int]] = []

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        self.seen.append(batch["y"].tolist())
        return self.weight.sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.0)


def test_the_trainer_moves_the_epoch() -> None:
    """Lightning calls set_epoch only on samplers that it knows how to find."""
    watcher, m = Watcher(), module()
    trainer = Trainer(
        accelerator="cpu", max_epochs=3, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, limit_val_batches=0,
    )  # fmt: skip
    trainer.fit(watcher, train_dataloaders=m.train_dataloader())
    assert np.concatenate(watcher.seen).tolist() == np.concatenate([m.order(epoch) for epoch in range(3)]).tolist()


def test_zero_shot_loaders_are_the_test_set_made_otherwise() -> None:
    m = module(zero_shot={"half": slowly, "same": make})
    loaders = m.zero_shot_dataloaders()
    assert list(loaders) == ["half", "same"]
    assert visited(loaders["half"]) == visited(loaders["same"]) == visited(m.test_dataloader())
    plain, half = by_id(list(m.test_dataloader())), by_id(list(loaders["half"]))
    assert all(half[i] == plain[i][::2] for i in plain)
    assert {float(batch["rate"]) for batch in loaders["half"]} == {2.0}
    assert "rate" not in next(iter(m.test_dataloader()))
    assert module().zero_shot_dataloaders() == {}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"test": np.arange(250, 301)}, "outside 0..299"),
        ({"val": np.arange(199, 250)}, "two parts"),
        ({"val": np.arange(0)}, "val part of the split is empty"),
        ({"train": np.array([-1, 3])}, "outside"),
    ],
)
def test_impossible_splits_are_refused(changes: dict[str, Ids], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SplitModule({**SPLITS, **changes}, 300, make, batch_size=4, seed=0, content_hash="0")
