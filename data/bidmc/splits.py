"""The splits of BIDMC's windows: the literature's, at random over windows, and one by patient, which no published number has.

Windows overlap by 29 of 32 seconds, so a random split has nearly the same window in two parts, and a patient in all three.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data.base import PARTS, DataError
from data.bidmc.release import TARGETS, Target
from data.files.digests import sha256
from data.sampling import SPLIT, Ids, philox_key

RANDOM: Final = "sklearn train_test_split over windows: 30 % off with random_state 0, these in halves with random_state 1"
PATIENT: Final = "by patient, 15 % of the recordings each for val and test; of many seeded draws the one most alike in all three targets"
SPLIT_SEED: Final = 32
DRAWS: Final = 20_000


def usable(y: NDArray[np.floating], target: Target) -> Ids:
    """The ids of the windows that have a target: not those with a mean RR of 0, as in the archive; nobody was measured breathing there."""
    return np.flatnonzero(y > 0) if target == "RR" else np.arange(len(y), dtype=np.int64)


def random_split(ids: Ids) -> dict[str, Ids]:
    """70 / 15 / 15 of the windows, as state-spaces/s4 cuts them. Windows that overlap fall into different parts."""
    from sklearn.model_selection import train_test_split

    train, others = train_test_split(ids, test_size=0.3, random_state=0)
    val, test = train_test_split(others, test_size=0.5, random_state=1)
    return {"train": train, "val": val, "test": test}


def patient_parts(patient: NDArray[np.integer], recording: NDArray[np.integer], targets: NDArray[np.floating]) -> NDArray[np.int8]:
    """(recordings,) Index in PARTS of each recording; all recordings of a patient lie in the same part, and in the same for every target.

    Of many seeded draws that give val and test 15 % of the recordings each, the one in which mean and spread of all three targets are most
    alike in the three parts: with 8 recordings to a part, a draw left to chance can have one without a sick patient.
    """
    count = len(patient)
    powers = np.zeros((3, count, len(TARGETS)))  # number, sum and sum of squares of the standardised targets of each recording
    for c, target in enumerate(TARGETS):
        ids = usable(targets[:, c], target)
        y = targets[ids, c].astype(np.float64)
        y = (y - y.mean()) / max(float(y.std()), 1e-9)
        for k in range(3):
            powers[k, :, c] = np.bincount(recording[ids], weights=y**k, minlength=count)
    members = [np.flatnonzero(patient == p) for p in np.unique(patient)]
    share = max(1, round(0.15 * count))
    rng = np.random.Generator(np.random.Philox(key=philox_key(SPLIT, SPLIT_SEED)))
    best, least = None, np.inf
    for _ in range(DRAWS):
        parts = np.zeros(count, dtype=np.int8)
        room = {1: share, 2: share}
        for p in rng.permutation(len(members)):
            for part in (1, 2):
                if len(members[p]) <= room[part]:
                    parts[members[p]] = part
                    room[part] -= len(members[p])
                    break
        if any(room.values()):
            continue
        n, total, squares = (np.stack([power[parts == part].sum(axis=0) for part in range(len(PARTS))]) for power in powers)
        mean = total / np.maximum(n, 1)
        spread = np.sqrt(np.maximum(squares / np.maximum(n, 1) - mean**2, 1e-12))
        cost = float(np.maximum(np.abs(mean), np.abs(np.log(spread))).max())
        if n.all() and cost < least:
            best, least = parts, cost
    if best is None:
        raise DataError(f"{count} recordings of {len(members)} patients cannot be cut into {share}, {share} and the others")
    return best


def patient_split(parts: NDArray[np.int8], recording: NDArray[np.integer], ids: Ids) -> dict[str, Ids]:
    """Part -> its windows out of `ids`, in order."""
    return {name: ids[parts[recording[ids]] == i] for i, name in enumerate(PARTS)}


def describe(splits: Mapping[str, Ids], y: NDArray[np.floating], rule: str) -> dict[str, Any]:
    """What the manifest says of a split; `chance` is the RMSE of predicting the mean of the training targets."""
    values = {name: y[ids].astype(np.float64) for name, ids in splits.items()}
    mean = values["train"].mean()
    return {
        "rule": rule,
        "sha256": sha256(*splits.values()),
        "counts": {name: len(ids) for name, ids in splits.items()},
        "mean": {name: round(float(v.mean()), 4) for name, v in values.items()},
        "std": {name: round(float(v.std()), 4) for name, v in values.items()},
        "chance": {name: round(float(np.sqrt(((v - mean) ** 2).mean())), 4) for name, v in values.items()},
    }
