"""The README's example runs as printed, and does what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[([^\]]+)\]\((?:reports/README\.md)?#?([^)]*)\)")
NUMBER = re.compile(r"(?<![\w./#-])[+−]?(\d[\d,]*(?:\.\d+)?)(?![\w/]|\.\d)")


def findings() -> list[str]:
    """Every finding of the README: a bullet, or a row of its table of claims."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    text = text[text.index("## What it finds") : text.index("## Tasks")]
    text = re.sub(r"<!-- (rows|results: \w+) -->.*?<!-- end \1 -->", "", text, flags=re.DOTALL)
    bullets = re.findall(r"^- .*?(?=^-|^\||^#|^\n|\Z)", text, flags=re.DOTALL | re.MULTILINE)
    return [*map(str.strip, bullets), *re.findall(r"^\| (?!claim|---).*\|$", text, flags=re.MULTILINE)]


def numbers_of(text: str) -> list[str]:
    """The numbers in a text, without their signs; not those inside a name (S4D, 2 of x 2) nor in a fraction."""
    return [m.replace(",", "") for m in NUMBER.findall(text)]


def rounds_to(value: float, said: str) -> bool:
    """Whether a number in a sentence is that value, to the digits that are said."""
    places = len(said.partition(".")[2])
    return abs(value - float(said)) <= 0.5 * 10**-places + 1e-9


@pytest.mark.parametrize("finding", findings(), ids=lambda text: re.sub(r"[^\w ]", "", text)[:40].strip())
def test_the_numbers_of_a_finding_stand_in_the_tables_that_it_names(finding: str) -> None:
    named = [name for _, name in LINK.findall(finding)]
    assert named, "a finding says where its numbers stand: a link to a section of reports/README.md"
    page = (ROOT / "reports" / "README.md").read_text(encoding="utf-8")
    assert [name for name in named if f"## {name}\n" not in page and f"](#{name})" not in page] == []
    files = [
        path
        for name in named
        for path in (ROOT / "reports" / "tables").glob(f"{name.replace('which-row-which-benchmark', 'rows-by-task')}*.md")
    ]
    values = {float(v) for path in files for v in numbers_of(path.read_text(encoding="utf-8"))}
    told = numbers_of(LINK.sub("", finding))
    assert [said for said in told if not any(rounds_to(v, said) for v in values)] == []


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
