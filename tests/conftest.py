"""Set-up of every test: tensor shapes are checked at run time, and no test writes into the run store of the checkout."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import jaxtyping
import pytest

# jaxtyping decorates functions one by one; beartype knows what `Self` is only where it decorates the class, so it takes it for any object.
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(hint_overrides=beartype.FrozenDict({__import__('typing').Self: object})))"

# Has to stand before the first import of `models`: the hook rewrites the modules as they are loaded.
if importlib.util.find_spec("beartype") is not None:
    jaxtyping.install_import_hook(["models"], CHECKER)


@pytest.fixture(autouse=True)
def own_run_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Records of a test go into its own folder."""
    monkeypatch.setenv("SSM_RUNS", str(tmp_path / "runs"))
