"""The README: its example runs as printed and does what it says, and the numbers of its findings stand in the tables that they name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.registry import BENCHMARKS, FAMILIES

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "reports" / "README.md"
TABLES = ROOT / "reports" / "tables"
LINK = re.compile(r"\[[^\]]+\]\(reports/README\.md#([^)]*)\)")
NUMBER = re.compile(r"(?<![\w./-])(\d[\d,]*(?:\.\d+)?)(?![\w/]|\.\d)")
ALL_ROWS = "which-row-which-benchmark"


def read_findings() -> tuple[list[str], list[str]]:
    """What the README says it found: the bullets, and the rows of the table of claims."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    text = text[text.index("## What it finds") : text.index("## Tasks")]
    text = re.sub(r"<!-- (rows|results: \w+) -->.*?<!-- end \1 -->", "", text, flags=re.DOTALL)
    return re.findall(r"^- .*?(?=\n- |\n\n)", text, flags=re.DOTALL | re.MULTILINE), re.findall(r"^\| (?!claim|---).*", text, re.MULTILINE)


def numbers_of(text: str) -> list[str]:
    """The numbers in a text, without their signs: not those inside a name (S4D), in a fraction or of a table or figure."""
    text = re.sub(r"(Table|Fig\.) \d+", "", text)
    return [m.replace(",", "") for m in NUMBER.findall(re.sub(r"(?<=\d)x", "", text))]


def unsupported(text: str, values: set[float]) -> list[str]:
    """The numbers in a text that none of `values` rounds to, to the digits that are said."""
    close = lambda said: any(abs(v - float(said)) <= 0.5 * 10 ** -len(said.partition(".")[2]) + 1e-9 for v in values)
    return [said for said in numbers_of(text) if not close(said)]


def unsupported_by_tables(text: str) -> list[str]:
    """The numbers in a finding that do not stand in the tables of the sections that it links to."""
    sections = LINK.findall(text)
    assert sections, "a finding says where its numbers stand: a link to a section of reports/README.md"
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in sections if f"](#{name})" not in page] == []
    names = {name.replace(ALL_ROWS, "rows-by-task") for name in sections}
    tables = [path for path in TABLES.glob("*.md") if names & {path.stem, path.stem.rpartition("-")[0]}]
    return unsupported(LINK.sub("", text), {float(v) for path in tables for v in numbers_of(path.read_text(encoding="utf-8"))})


FINDINGS, CLAIMS = read_findings()


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda text: re.sub(r"[^\w ]", "", text)[:40].strip())
def test_the_numbers_of_a_finding_stand_in_the_tables_that_it_names(finding: str) -> None:
    assert unsupported_by_tables(finding) == []


@pytest.mark.parametrize("row", CLAIMS, ids=lambda text: re.sub(r"[^\w ]", "", text)[:40].strip())
def test_a_claim_is_judged_by_numbers_that_stand_in_tables_and_quoted_with_numbers_that_were_published(row: str) -> None:
    claim, here, verdict = row.strip("| ").split(" | ")
    assert unsupported_by_tables(here) == []
    assert verdict
    printed = [p for benchmark in BENCHMARKS.values() for p in benchmark.published] + [p for f in FAMILIES.values() for p in f.averages]
    assert unsupported(claim, {p.value for p in printed if p.value is not None}) == []


def test_a_number_that_stands_nowhere_is_found() -> None:
    assert unsupported("S4D loses 13.8 points [10.3, 17.2] at 1/2, 16x, see Table 5; 12 do not", {13.75, 10.3, 17.2, 16.0}) == ["12"]
    assert min(len(FINDINGS), len(CLAIMS)) > 3


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
