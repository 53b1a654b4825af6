"""The page of the data sets: a pure function of its record and the cards, nothing printed that was not measured, notes that expire."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib.figure import Figure

from benchmarks import cli
from benchmarks.tasks.probes import PROBES
from data.registry import SETS
from reports.datasets import generators
from reports.datasets import page as report
from reports.datasets import record as records
from reports.datasets.__main__ import main
from reports.datasets.dataset import DataSet, Generator, Sheet
from reports.datasets.registry import DATASETS

CLASSES = {"train": {"neg": 30, "pos": 10}, "val": {"neg": 4, "pos": 4}, "test": {"neg": 2, "pos": 6}}


def record() -> dict[str, Any]:
    out = records.empty()
    out["sets"]["imdb"] = {
        "counts": {"train": 40, "val": 8, "test": 8}, "classes": CLASSES, "split": {"rule": "by | coin", "sha256": "0"}, "key": "abc",
        "bytes": 2_000_000, "signature": {"length": 4096, "vocab": 134, "d_input": None, "d_output": 2, "two_towers": False,
        "regression": False, "per_step": False}, "choices": {"source": "official"}, "date": "2026-01-02", "licence": "ask",
    }  # fmt: skip
    out["sets"]["bidmc"] = {
        "splits": {"RR, random": {"rule": "shuffled", "counts": {"train": 3, "val": 2, "test": 1}, "mean": dict.fromkeys(CLASSES, 17.0),
        "std": dict.fromkeys(CLASSES, 3.0), "chance": {"train": 3.0, "val": 3.1, "test": 3.25}}}, "key": "def", "bytes": 1,
        "signature": {"length": 4000, "vocab": None, "d_input": 2, "d_output": 1, "two_towers": False, "regression": True,
        "per_step": False}, "choices": {"target": "RR", "split": "random", "source": "physionet"}, "date": "2026-01-02",
    }  # fmt: skip
    out["statistics"]["listops"] = {
        "version": "generator 7, seed 5", "n": 1234, "date": "2026-01-02", "numpy": "2", "python": "3",
        "lines": [["share of rows with value 0", 0.17, 0.171, 0.01, True], ["share of rows with value 1", 0.087, 0.12, 0.01, False]],
    }  # fmt: skip
    out["sheets"]["imdb"] = {"title": "IMDB", "alt": "rows", "caption": "A line is a review.", "sha256": "11", "date": "2026-01-02"}
    return out


def line_of(page: str, start: str) -> list[str]:
    return [cell.strip() for cell in next(line for line in page.splitlines() if line.startswith(start)).strip("| ").split(" | ")]


def test_every_set_and_probe_has_a_line_and_a_card() -> None:
    page = report.page(records.empty())
    for name, card in [*((n, s.card) for n, s in SETS.items()), *((k.name, k.card) for k in PROBES)]:
        assert f"| [{name}](#card-{card.name}) |" in page
        assert page.count(f'<a id="card-{card.name}"></a>') == 1  # sets that share a card share its section
        assert card.what in page
        assert all(issue in page for issue in card.issues)


def test_every_set_is_a_row() -> None:
    assert set(SETS) <= set(DATASETS)
    assert all(row.name == name for name, row in DATASETS.items())
    for name, row in DATASETS.items():
        assert (row.forms is not None) == (name in SETS)
        assert row.forms is None or all(isinstance(form, type(SETS[name])) for form in row.forms())


def test_a_new_row_is_measured_and_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, "new", replace(fake(), name="new"))
    assert cli.guarded(lambda: main(["measure", "new", "--out", str(tmp_path)])) == cli.DONE
    assert "### new: contact sheet\n\n![a](new.png)\n\n*T. c*" in (tmp_path / report.PAGE).read_text()


def test_without_a_record_no_number_is_given() -> None:
    page = report.page(records.empty())
    for name in SETS:
        assert line_of(page, f"| [{name}]")[3:6] == ["n.m."] * 3
        assert f"`make data-{name}`" in page
    assert "Nothing has been measured yet" in page
    assert "There is no sheet yet" in page


def test_what_was_measured_is_printed() -> None:
    page = report.page(record())
    line = line_of(page, "| [imdb](")
    assert line[1:] == ["4,096 steps of 134 ids", "2 classes", "40 / 8 / 8", "official", "75.0%", "by \\| coin", "ask"]
    assert line_of(page, "| [bidmc]")[2:6] == ["a number (RR)", "3 / 2 / 1", "physionet", "RMSE 3.25"]
    assert "| train | 40 | 30 | 10 |" in page
    assert "| RR, random | test | 1 | 17.00 | 3.00 | 3.25 |" in page
    assert "1,234 samples, generator 7, seed 5; measured on 2026-01-02" in page
    assert (
        "**1 of 2 quantities lie within the tolerance.** Farthest: share of rows with value 1, 3.30 of its tolerance. Outside: share"
        in page
    )
    assert "| share of rows with value 1 | 0.087 | 0.12 | 0.01 | **no** |" in page


def test_tables_have_as_many_cells_in_every_line() -> None:
    lines = report.page(record()).splitlines()
    for first, second in pairwise(lines):
        if first.startswith("|") and second.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", first)) == len(re.findall(r"(?<!\\)\|", second)), second


def test_the_page_survives_the_file(tmp_path: Path) -> None:
    first = records.as_json(record())
    (tmp_path / records.RECORD).write_bytes(first)
    again = records.read(tmp_path)
    assert records.as_json(again) == first
    assert report.page(again) == report.page(record())
    assert generators.figures(again) == generators.figures(record())
    assert set(generators.figures(again)) == {"listops-statistics.png"}


def test_a_note_holds_for_the_picture_that_was_seen(tmp_path: Path) -> None:
    (tmp_path / records.RECORD).write_bytes(records.as_json(record()))
    assert cli.guarded(lambda: main(["looked", "imdb", "--seen", "all legible", "--out", str(tmp_path)])) == cli.DONE
    found = records.read(tmp_path)
    assert line_of((tmp_path / report.PAGE).read_text(), "| imdb |")[1:] == [records.today(), "all legible"]
    found["sheets"]["imdb"]["sha256"] = "22"
    assert line_of(report.page(found), "| imdb |")[1].startswith("drawn again since")


# ---------------------------------------------------------------- measuring


class Spec:
    """A set with a generator, of which nothing needs to be drawn."""

    def opened(self) -> object:
        return self

    def load(self, **_: object) -> SimpleNamespace:
        return SimpleNamespace(manifest={"version": "generator 1", "counts": {"train": 8, "test": 2}})

    def statistics(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(quantity="length, mean", reference=1035, ours=1 / 3, tolerance=2.0, agrees=False)]


def fake() -> DataSet:
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1])
    return DataSet(name="imdb", sheet=Sheet(gather=lambda: figure, draw=lambda sample: sample, title="T", alt="a", caption="c"))


def test_measuring_keeps_what_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = record()
    (tmp_path / records.RECORD).write_bytes(records.as_json(before))
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "none"))
    monkeypatch.setitem(DATASETS, "listops", replace(DATASETS["listops"], generator=Generator(spec=Spec(), panels=())))
    assert cli.guarded(lambda: main(["measure", "imdb,listops", "--out", str(tmp_path)])) == cli.DONE
    found = records.read(tmp_path)
    assert found["sets"] == before["sets"]
    assert found["sheets"] == before["sheets"]
    assert found["statistics"]["listops"]["lines"] == [["length, mean", 1035.0, 0.333333, 2.0, False]]
    assert found["statistics"]["listops"]["n"] == 10


def test_a_sheet_is_kept_with_its_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "none"))
    monkeypatch.setitem(DATASETS, "imdb", fake())
    assert cli.guarded(lambda: main(["measure", "imdb", "--out", str(tmp_path)])) == cli.DONE
    import hashlib

    assert records.read(tmp_path)["sheets"]["imdb"]["sha256"] == hashlib.sha256((tmp_path / "imdb.png").read_bytes()).hexdigest()
    page = (tmp_path / report.PAGE).read_text()
    assert "![a](imdb.png)" in page
    assert line_of(page, "| imdb |")[1] == "not yet"


# ---------------------------------------------------------------- the committed page


def test_the_committed_page_is_that_of_its_record() -> None:
    found = records.read(records.FOLDER)
    if not found["sets"]:
        pytest.skip("nothing has been measured yet")
    assert (records.FOLDER / records.RECORD).read_bytes() == records.as_json(found)
    same = (records.FOLDER / report.PAGE).read_text(encoding="utf-8") == report.page(found)
    assert same, "a card or a default has changed since the page was rendered: python -m reports.datasets page"
    pictures = {f"{name}.png" for name in found["sheets"]} | {f"{name}-statistics.png" for name in found["statistics"]}
    assert {path.name for path in records.FOLDER.iterdir()} == {records.RECORD, report.PAGE, *pictures}
    assert sum(path.stat().st_size for path in records.FOLDER.iterdir()) < 2_500_000
    assert max(path.stat().st_size for path in records.FOLDER.iterdir()) < 400_000


# ---------------------------------------------------------------- the command


@pytest.mark.parametrize(
    "words",
    [["measure", "imbd"], ["looked", "imdb"], ["looked", "imdb", "--seen", "x"], ["measure", "imdb", "--seen", "b"]],
)
def test_bad_usage_is_one_paragraph(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.guarded(lambda: main([*words, "--out", str(tmp_path / "x")])) == cli.USAGE
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"schema": 99}), "\xff"])
def test_a_damaged_record_is_not_overwritten(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / records.RECORD
    path.write_bytes(content.encode("latin-1"))
    assert cli.guarded(lambda: main(["page", "--out", str(tmp_path)])) == cli.ENVIRONMENT
    assert "Restore it from git" in capsys.readouterr().err
    assert path.read_bytes() == content.encode("latin-1")


def test_help_needs_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from reports.datasets.__main__ import COMMANDS, main\n"
        "for words in (['--help'], *([command, '--help'] for command in COMMANDS)):\n"
        "    try: main(words)\n"
        "    except SystemExit: pass\n"
        "assert not {'torch', 'matplotlib', 'numpy', 'pandas', 'pytorch_lightning'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=records.FOLDER.parents[1], capture_output=True, timeout=60)
