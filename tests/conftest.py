"""Set-up of every test: tensor shapes are checked at run time, and no test writes into the run store of the checkout."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest
import torch

# An int is a float, as everywhere in Python's typing. And jaxtyping decorates functions one by one, where beartype cannot know what
# `Self` is, so it takes it for any object.
CONFIG = "is_pep484_tower=True, hint_overrides=beartype.FrozenDict({__import__('typing').Self: object})"

MODELS = Path(__file__).resolve().parent.parent / "models"
WITH_TENSORS = [
    ".".join(file.relative_to(MODELS.parent).with_suffix("").parts)
    for file in sorted(MODELS.rglob("*.py"))
    if re.search(r"^(import|from) torch", file.read_text(encoding="utf-8"), re.MULTILINE)
]
"""The modules that have tensors at hand when they are imported; the others name them for type checkers only."""

# Has to stand before the first import of `models`: the hook rewrites the modules as they are loaded.
if importlib.util.find_spec("beartype") is not None:
    jaxtyping.install_import_hook(WITH_TENSORS, f"beartype.beartype(conf=beartype.BeartypeConf({CONFIG}))")


@pytest.fixture(autouse=True)
def own_run_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Records of a test go into its own folder."""
    monkeypatch.setenv("SSM_RUNS", str(tmp_path / "runs"))


@pytest.fixture
def double() -> Iterator[None]:
    """Parameters and inputs in float64, from a fixed seed."""
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def device() -> str:
    """Where the tests marked gpu do their work: a CUDA device, or the CPU where SSM_TEST_DEVICE=cpu asks for a dry run."""
    wanted = os.environ.get("SSM_TEST_DEVICE", "cuda")
    if wanted == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device (SSM_TEST_DEVICE=cpu tries this test on the CPU)")
    return wanted
