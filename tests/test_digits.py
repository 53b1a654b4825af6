"""The digits: shapes, split, order and noise as pure functions of integers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from data.images.digits import DigitsSpec
from data.module import SplitModule
from data.sampling import EVERY_EVALUATION, permutation, require_split, stratified_split, uniform_noise


def build(noise: int = 8, batch_size: int = 64, seed: int = 0) -> SplitModule:
    return DigitsSpec(noise=noise).build(batch_size=batch_size, seed=seed)


def epoch(module: SplitModule, number: int) -> tuple[torch.Tensor, torch.Tensor]:
    """All x and y of a training epoch, in the order of that epoch."""
    loader = module.train_dataloader()
    loader.sampler.set_epoch(number)
    batches = list(loader)
    return torch.cat([b["x"] for b in batches]), torch.cat([b["y"] for b in batches])


@pytest.mark.parametrize("noise", [0, 5])
def test_batches_are_what_the_signature_says(noise: int) -> None:
    spec, module = DigitsSpec(noise=noise), build(noise)
    x, y = epoch(module, 0)
    assert (x.shape[1], x.shape[2]) == (spec.signature.length, spec.signature.d_input) == (64 + noise, 1)
    assert x.dtype == torch.float32
    assert y.dtype == torch.int64
    assert sorted(y.unique().tolist()) == list(range(spec.signature.d_output or 0))


def test_pixels_are_standardised_over_the_training_images_and_noise_is_left_alone() -> None:
    x, _ = epoch(build(noise=192), 0)
    pixels, noise = x[:, :64], x[:, 64:]
    assert abs(float(pixels.mean())) < 1e-5
    assert abs(float(pixels.std()) - 1) < 1e-4
    assert 0 <= float(noise.min()) < float(noise.max()) < 1
    assert abs(float(noise.mean()) - 0.5) < 0.003
    assert abs(float(noise.var()) - 1 / 12) < 0.001


def test_every_sample_is_in_exactly_one_part_and_classes_keep_their_shares() -> None:
    module = build()
    assert module.counts() == {"train": 1258, "val": 180, "test": 359}
    parts = {"train": module.train_dataloader(), "val": module.val_dataloader(), "test": module.test_dataloader()}
    labels = {name: torch.cat([b["y"] for b in loader]) for name, loader in parts.items()}
    for digit in range(10):
        total = sum(int((y == digit).sum()) for y in labels.values())
        for name, share in (("train", 0.7), ("val", 0.1), ("test", 0.2)):
            assert abs(int((labels[name] == digit).sum()) - share * total) <= 1.5


def test_the_data_are_these_data() -> None:
    """A golden value: if it changes, every number changes, and DigitsSpec.version must be raised."""
    assert build(seed=3).content_hash() == "edfc09f73ada2445198989e64f341684ae38efd4e79b41cc5dd44fb3a1184653"
    assert build(seed=0).order(0)[:5].tolist() == [1794, 628, 77, 920, 316]
    drawn = uniform_noise((0, 1), np.array([7]), (3,))[0]
    np.testing.assert_array_equal(drawn, uniform_noise((0, 1), np.array([2, 7]), (3,))[1])


def test_split_does_not_depend_on_the_run_seed_but_order_does() -> None:
    a, b = build(seed=0), build(seed=1)
    assert sorted(a.order(0)) == sorted(b.order(0))
    assert a.order(0).tolist() != b.order(0).tolist()
    assert a.order(0).tolist() != a.order(1).tolist()


def test_training_noise_is_a_function_of_seed_epoch_and_sample() -> None:
    def by_id(module: SplitModule, number: int) -> torch.Tensor:
        x, _ = epoch(module, number)
        out = torch.full((1797, 8), torch.nan)
        out[torch.from_numpy(module.order(number))] = x[:, 64:, 0]
        return out[~out[:, 0].isnan()]

    reference = by_id(build(batch_size=64), 1)
    torch.testing.assert_close(by_id(build(batch_size=17), 1), reference, rtol=0, atol=0)
    assert not torch.isin(reference, by_id(build(), 0)).any(1).all()
    for other in (by_id(build(), 0), by_id(build(seed=1), 1)):
        assert float((other == reference).float().mean()) < 1e-3
    assert len(reference.unique()) > 0.99 * reference.numel()  # no two samples share a stream


@pytest.mark.parametrize("part", ["val_dataloader", "test_dataloader"])
def test_evaluation_is_fixed_complete_and_in_order(part: str) -> None:
    a = torch.cat([b["x"] for b in getattr(build(seed=0, batch_size=64), part)()])
    b = torch.cat([b["x"] for b in getattr(build(seed=5, batch_size=7), part)()])
    assert len(a) == build().counts()[part.split("_")[0]]  # the last batch is short and not dropped
    torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_evaluation_noise_is_no_training_noise() -> None:
    ids = np.arange(50)
    streams = [(0, 0), (1, 0), (0, 1), (1, EVERY_EVALUATION), (2, EVERY_EVALUATION)]
    drawn = [uniform_noise(stream, ids, (16,)) for stream in streams]
    assert len(np.unique(np.concatenate(drawn))) > 0.999 * sum(d.size for d in drawn)


def test_permutation_is_a_permutation() -> None:
    for n in (1, 2, 100):
        assert sorted(permutation(3, 4, n)) == list(range(n))


def test_a_bad_split_is_refused() -> None:
    labels = np.repeat(np.arange(3), 10)
    with pytest.raises(ValueError, match="add up to 1"):
        stratified_split(labels, {"train": 0.5, "test": 0.4}, 0)
    good = stratified_split(labels, {"train": 0.5, "test": 0.5}, 0)
    require_split(good, 30)
    with pytest.raises(ValueError, match="two parts"):
        require_split({**good, "val": good["test"][:1]}, 30)
    with pytest.raises(ValueError, match="outside"):
        require_split(good, 29)
    with pytest.raises(ValueError, match="empty"):
        require_split({**good, "val": good["test"][:0]}, 30)
    with pytest.raises(ValueError, match="noise"):
        DigitsSpec(noise=-1)
