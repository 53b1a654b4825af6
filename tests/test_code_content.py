"""The content hash of the code: it changes with what can change a number, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.running import environment
from benchmarks.running.environment import code_content, describe, other_code

SOURCE = '''"""What it is."""

class A:
    """A class."""

    x: int = 1
    """A field."""

    def f(self) -> str:
        # why
        return """kept
# kept too"""
'''


OF_A_RUN = [f"benchmarks/running/{name}.py" for name in ("run", "callbacks", "checkpoint", "weights")]
"""What trains a network, builds it, and puts it back."""
DECIDE = ["models/a.py", "models/deep/b.py", "data/c.py", *OF_A_RUN]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of a few files."""
    for name in (*DECIDE, "data/command.py", "benchmarks/tasks/d.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SOURCE)
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    return tmp_path


def content() -> str:
    code_content.cache_clear()
    try:
        return code_content()
    finally:
        code_content.cache_clear()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What it is.", "What it does."),
        ("# why", "# therefore"),
        ("        # why\n", ""),
        ("A field.", "A better\n    word."),
        ("\n\n", "\n"),
    ],
)
def test_words_make_no_number_stale(checkout: Path, old: str, new: str) -> None:
    before = content()
    (checkout / "models/deep/b.py").write_text(SOURCE.replace(old, new, 1))
    assert content() == before


@pytest.mark.parametrize(
    ("old", "new"), [("x: int = 1", "x: int = 2"), ("kept\n", "changed\n"), ("# kept too", "# changed too"), ("f(self", "g(self")]
)
@pytest.mark.parametrize("file", DECIDE)
def test_statements_do(checkout: Path, file: str, old: str, new: str) -> None:
    before = content()
    (checkout / file).write_text(SOURCE.replace(old, new, 1))
    assert content() != before


def test_the_files_of_a_run_are_there() -> None:
    assert all((environment.ROOT / name).is_file() for name in OF_A_RUN)


def test_a_file_that_comes_or_moves_does_too(checkout: Path) -> None:
    before = content()
    (checkout / "models/a.py").rename(checkout / "models/e.py")
    moved = content()
    (checkout / "models/f.py").write_text("")
    assert len({before, moved, content()}) == 3


@pytest.mark.parametrize("file", ["data/command.py", "benchmarks/tasks/d.py"])
def test_what_only_talks_and_recipes_do_not(checkout: Path, file: str) -> None:
    """A recipe that changes makes a spec with another id."""
    before = content()
    (checkout / file).write_text("x = 3\n")
    assert content() == before


def test_a_record_names_it_and_one_that_does_not_is_of_unknown_code() -> None:
    here = describe(environment.Runtime())
    assert here["content"] == code_content()
    assert other_code(here) == ""
    assert other_code({**here, "content": "0123456789ab"}) == "0123456789ab"
    assert other_code({"code": "abc"}) == ""
