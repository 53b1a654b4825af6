"""The README's example runs as printed, and does what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_the_example_trains_with_torch_alone_and_steps_to_the_same_numbers() -> None:
    """At most 40 lines, without Lightning, learns its task, and its recurrent form agrees with its convolution."""
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(example.splitlines()) <= 40
    check = "\nimport sys\nassert 'pytorch_lightning' not in sys.modules\n"
    done = subprocess.run([sys.executable, "-c", example + check], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert "stepping equals convolution: True" in done.stdout
    accuracy = float(re.search(r"accuracy: ([0-9.]+)", done.stdout).group(1))  # type: ignore[union-attr]
    assert accuracy >= 0.75
