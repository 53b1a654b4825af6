"""ListOps: the fast generator against a slow obvious one, the two sources against each other, and tables that must be refused."""

from __future__ import annotations

import os
import random
import statistics as plain
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chi2_contingency

from data.base import DataError
from data.comparison import Line
from data.files.digests import sha256
from data.listops.generator import (
    END,
    MAX,
    MIN,
    SM,
    SYMBOLS,
    VERSION,
    Codes,
    Draws,
    Expressions,
    arities,
    distinct,
    evaluate,
    fault,
    fill,
    generate,
    grow,
    parse,
    shard,
    write,
)
from data.listops.release import FILES, parentheses_fit, read_tsv, text_of, write_tsv
from data.listops.release import tables as official_tables
from data.listops.spec import ListOpsSpec
from data.listops.statistics import statistics
from data.listops.vocabulary import by_frequency, decode, encode
from data.module import SplitModule
from data.ragged import Ragged
from data.sampling import permutation

# ---------------------------------------------------------------- the slow obvious version

Tree = int | tuple[str, list["Tree"]]


def draw(rng: random.Random, depth: int = 1) -> Tree:
    """A node as LRA's program draws it: digit or operator, number of arguments, arguments, then which operator."""
    if depth == 10 or rng.random() > 0.25:
        return rng.randrange(10)
    arguments = [draw(rng, depth + 1) for _ in range(rng.randint(2, 10))]
    return rng.choice(["[MIN", "[MAX", "[MED", "[SM"]), arguments


def length(tree: Tree) -> int:
    return 1 if isinstance(tree, int) else 2 + sum(length(argument) for argument in tree[1])


def value(tree: Tree) -> int:
    if isinstance(tree, int):
        return tree
    name, arguments = tree[0], sorted(value(argument) for argument in tree[1])
    if name == "[MIN":
        return arguments[0]
    if name == "[MAX":
        return arguments[-1]
    if name == "[SM":
        return sum(arguments) % 10
    return int(plain.median(arguments))


def text(tree: Tree) -> str:
    """Binarised to the left."""
    if isinstance(tree, int):
        return str(tree)
    out = tree[0]
    for argument in tree[1]:
        out = f"( {out} {text(argument)} )"
    return f"( {out} ] )"


def codes(tree: Tree) -> list[int]:
    if isinstance(tree, int):
        return [tree]
    return [SYMBOLS.index(tree[0]), *(code for argument in tree[1] for code in codes(argument)), END]


def tree_of(row: Codes) -> Tree:
    """The tree of a row of codes, by recursion."""

    def node(at: int) -> tuple[Tree, int]:
        if row[at] < MIN:
            return int(row[at]), at + 1
        name, arguments, at = SYMBOLS[row[at]], [], at + 1
        while row[at] != END:
            argument, at = node(at)
            arguments.append(argument)
        return (name, arguments), at + 1

    tree, end = node(0)
    assert end == len(row)
    return tree


def operators(seed: int, n: int) -> list[Tree]:
    """Trees of any length with an operator at the root."""
    rng, out = random.Random(seed), []
    while len(out) < n:
        tree = draw(rng)
        if not isinstance(tree, int):
            out.append(tree)
    return out


def rows_of(trees: list[Tree]) -> Ragged:
    return Ragged.from_rows([np.array(codes(tree), dtype=np.uint8) for tree in trees], np.uint8)


def make(n: int, seed: int = 0, workers: int = 1) -> Expressions:
    return generate(n, seed=seed, workers=workers)


# ---------------------------------------------------------------- trees


def test_values_shapes_and_texts_are_those_of_the_slow_version() -> None:
    trees = operators(1, 400)
    rows = rows_of(trees)
    levels = parse(rows)
    np.testing.assert_array_equal(evaluate(levels), [value(tree) for tree in trees])
    again = write(levels)
    np.testing.assert_array_equal(again.values, rows.values)
    np.testing.assert_array_equal(again.offsets, rows.offsets)
    for i, tree in enumerate(trees):
        assert text_of(rows.row(i)) == text(tree)
        assert tree_of(rows.row(i)) == tree
        assert fault(rows.row(i)) is None


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (("[MED", [1, 2]), 1),
        (("[MED", [9, 0, 4, 6]), 5),
        (("[MED", [7, 8, 0, 9]), 7),
        (("[MED", [3, 9, 1]), 3),
        (("[SM", [9] * 10), 0),
        (("[SM", [5, 8]), 3),
        (("[MAX", [4, ("[MIN", [2, 3])]), 4),
        (("[MIN", [4, ("[SM", [9, 9, 9])]), 4),
    ],
)
def test_values_by_hand(tree: Tree, expected: int) -> None:
    assert evaluate(parse(rows_of([tree]))).tolist() == [expected] == [value(tree)]


def test_the_text_of_the_definition() -> None:
    row = rows_of([("[MAX", [4, ("[MIN", [2, 3])])]).row(0)
    assert text_of(row) == "( ( ( [MAX 4 ) ( ( ( [MIN 2 ) 3 ) ] ) ) ] )"


def test_a_shape_obeys_the_grammar() -> None:
    shape = grow(np.random.default_rng(0), 4000)
    assert len(shape) == 10
    assert not shape[-1].any()
    assert shape[-2].any()
    arity = np.concatenate(shape)
    assert set(arity.tolist()) == {0, *range(2, 11)}
    above = np.concatenate(shape[:-1])
    assert abs(np.mean(above > 0) - 0.25) < 4 * (0.25 * 0.75 / len(above)) ** 0.5
    for k in range(2, 11):
        assert abs(np.mean(arity[arity > 0] == k) - 1 / 9) < 0.01
    for upper, lower in pairwise(shape):
        assert upper.sum() == len(lower)
    symbols = np.concatenate([level.symbols for level in fill(np.random.default_rng(1), shape)])
    for code in range(10):
        assert abs(np.mean(symbols[arity == 0] == code) - 0.1) < 0.005
    for code in range(MIN, END):
        assert abs(np.mean(symbols[arity > 0] == code) - 0.25) < 0.01


# ---------------------------------------------------------------- the law


@pytest.fixture(scope="module")
def both() -> tuple[list[Tree], Draws, Expressions]:
    """Kept trees of the slow version with its draws, and rows of the fast one."""
    rng, kept, digits, short, long = random.Random(7), [], 0, 0, 0
    while len(kept) < 1000:
        tree = draw(rng)
        size = length(tree)
        if 500 < size < 2000:
            kept.append(tree)
        digits, short, long = digits + (size == 1), short + (1 < size <= 500), long + (size >= 2000)
    return kept, Draws(digits, short, long, len(kept)), make(4000, seed=3)


def compare(slow: list[int], fast: list[int]) -> float:
    """p-value of the two samples having one distribution."""
    names = sorted({*slow, *fast})
    return float(chi2_contingency([[sample.count(name) for name in names] for sample in (slow, fast)]).pvalue)


def depth_of(tree: Tree) -> list[int]:
    """Operators per depth."""
    out: list[int] = []
    level = [tree]
    while level:
        inner = [node for node in level if not isinstance(node, int)]
        out.append(len(inner))
        level = [argument for node in inner for argument in node[1]]
    return [*out, *[0] * 10][:10]


def features(tree: Tree) -> dict[str, int]:
    assert not isinstance(tree, int)
    depth = depth_of(tree)
    return {
        "length": (length(tree) - 500) // 150,
        "value": value(tree),
        "root": SYMBOLS.index(tree[0]),
        "root arguments": len(tree[1]),
        "operator arguments of the root": sum(not isinstance(argument, int) for argument in tree[1]),
        "operators": sum(depth) // 25,
        "operators at depth 3": min(depth[2] // 2, 6),
        "operators at depth 9": min(depth[8] // 10, 12),
        "value and root": value(tree) + 10 * SYMBOLS.index(tree[0]),
    }


def test_the_fast_generator_has_the_law_of_the_slow_one(both: tuple[list[Tree], Draws, Expressions]) -> None:
    trees, draws, fast = both
    slow = [features(tree) for tree in trees]
    ours = [features(tree_of(fast.rows.row(i))) for i in range(0, len(fast.rows), 2)]
    found = {name: compare([s[name] for s in slow], [o[name] for o in ours]) for name in slow[0]}
    table = [[d.digits, d.short, d.long, d.kept] for d in (draws, fast.draws)]
    found["draws"] = float(chi2_contingency(table).pvalue)
    assert min(found.values()) > 1e-3, found


def test_the_comparison_notices_another_law(both: tuple[list[Tree], Draws, Expressions]) -> None:
    """Values whose median is rounded up, and lengths a twentieth longer: the test above would not pass."""
    trees, _, fast = both
    mean = np.mean([length(tree) for tree in trees])
    assert abs(mean - fast.rows.lengths.mean()) < 0.05 * mean
    stretched = [(int(1.05 * length(tree)) - 500) // 150 for tree in trees]
    assert compare(stretched, ((fast.rows.lengths - 500) // 150).tolist()) < 1e-3


def test_generated_rows_are_distinct_expressions_with_their_values(both: tuple[list[Tree], Draws, Expressions]) -> None:
    fast = both[2]
    lengths = fast.rows.lengths
    assert 500 < lengths.min() < 510
    assert 1990 < lengths.max() < 2000
    assert len({fast.rows.row(i).tobytes() for i in range(len(lengths))}) == len(lengths) == 4000
    for i in range(0, 4000, 10):
        assert value(tree_of(fast.rows.row(i))) == fast.values[i]


def test_statistics_agree_with_the_reference_and_would_not_if_they_were_others(both: tuple[list[Tree], Draws, Expressions]) -> None:
    fast = both[2]
    lines = statistics(fast.rows, fast.values, fast.draws)
    assert len(lines) > 120
    assert [line for line in lines if not line.agrees] == []
    by_name = {line.quantity: line for line in lines}
    assert by_name["length, mean"].ours == pytest.approx(fast.rows.lengths.mean())
    assert by_name["share of rows with value 3"].ours == pytest.approx(np.mean(fast.values == 3))
    counted = np.array([depth_of(tree_of(fast.rows.row(i))) for i in range(4000)]).sum(0)
    for depth in range(9):
        assert by_name[f"share of operators at depth {depth + 1}"].ours == pytest.approx(counted[depth] / counted.sum())
    assert not Line("", 0.1, 0.2, 0.05).agrees
    reversed_values = statistics(fast.rows, 9 - fast.values)
    assert sum(not line.agrees for line in reversed_values) > 10
    short = np.flatnonzero(fast.rows.lengths < 1500)
    cut = statistics(Ragged.from_rows([fast.rows.row(i) for i in short], np.uint8), fast.values[short])
    assert sum(not line.agrees for line in cut) > 10


# ---------------------------------------------------------------- a function of version and seed


def test_rows_depend_on_the_seed_alone_and_fewer_are_a_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.listops.generator.DRAWS", 300)
    one, three, fewer, other = make(100), make(100, workers=3), make(37, workers=2), make(100, seed=1)
    for name in ("values", "offsets"):
        np.testing.assert_array_equal(getattr(one.rows, name), getattr(three.rows, name))
    np.testing.assert_array_equal(one.values, three.values)
    assert one.draws == three.draws
    np.testing.assert_array_equal(fewer.rows.values, one.rows.values[: one.rows.offsets[37]])
    np.testing.assert_array_equal(fewer.values, one.values[:37])
    assert one.rows.values[:500].tolist() != other.rows.values[:500].tolist()


def test_the_first_rows_are_the_same_everywhere() -> None:
    """Rows of version 1; whoever changes them raises the version."""
    found = make(1000)
    assert VERSION == 1
    assert sha256(found.rows.values, found.rows.offsets, found.values) == GOLDEN


GOLDEN = "b5cdaf3fa8e9ab75028a3ec2c18ef5ce803a58f6c78704129d9306e72f74af57"


def test_repetitions_are_dropped_and_made_up_for() -> None:
    first, second = shard(0, 0), shard(0, 1)
    n = len(first.values)
    found = distinct(iter([first, first, second]), n + 5)
    np.testing.assert_array_equal(found.rows.values[: first.rows.offsets[-1]], first.rows.values)
    np.testing.assert_array_equal(found.rows.row(n), second.rows.row(0))
    assert found.draws == first.draws + first.draws + second.draws


def test_progress_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 3))
    monkeypatch.setattr("data.files.progress.time.monotonic", lambda: next(clock))
    said: list[str] = []
    generate(500, seed=0, workers=1, say=said.append)
    assert said
    assert all("of 500 expressions" in line for line in said)


# ---------------------------------------------------------------- the data set


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("listops")


@pytest.fixture(autouse=True)
def data_root(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSM_DATA", str(place))


def build(batch_size: int = 16, seed: int = 0, **options: Any) -> SplitModule:
    return ListOpsSpec(**{"rows": 120, **options}).build(batch_size=batch_size, seed=seed)


def batches(module: SplitModule, part: str) -> list[dict[str, torch.Tensor]]:
    return list(getattr(module, f"{part}_dataloader")())


def test_batches_hold_expressions_and_their_values() -> None:
    spec = ListOpsSpec(rows=120)
    names = spec.load().manifest["vocabulary"]
    assert names[:4] == ["<pad>", "<unk>", "<eos>", "X"]
    assert len(names) == spec.signature.vocab == 18
    assert (spec.signature.length, spec.signature.d_output) == (2048, 10)
    seen = 0
    for batch in batches(build(), "train"):
        x, lengths = batch["x"], batch["lengths"]
        assert x.dtype == batch["y"].dtype == lengths.dtype == torch.int64
        assert x.shape[1] % 64 == 0
        assert x.shape[1] - 64 < int(lengths.max()) <= x.shape[1] <= 2048
        for row, n, y in zip(x, lengths.tolist(), batch["y"].tolist()):
            assert not row[n:].any()
            assert row[n - 1] == 2
            assert value(tree_of(np.array([SYMBOLS.index(names[i]) for i in row[: n - 1].tolist()], dtype=np.uint8))) == y
            seen += 1
    assert seen == 120


def test_batches_hold_rows_of_like_length_and_every_row_once() -> None:
    found = batches(build(batch_size=50), "test")
    lengths = torch.cat([batch["lengths"] for batch in found])
    assert len(lengths) == 2000
    padded = sum(batch["x"].numel() for batch in found)
    assert float(lengths.sum()) > 0.9 * padded  # at random it would be 0.57
    stored = ListOpsSpec(rows=120).load()
    np.testing.assert_array_equal(np.sort(lengths.numpy()), np.sort(np.diff(stored.array("offsets"))[:2000]))


def test_shuffled_batches_are_rows_as_the_permutation_has_them() -> None:
    """batches=shuffled, as in the literature; which rows there are, and what an evaluation says of each, stays the same."""
    module = ListOpsSpec(rows=120, batches="shuffled").build(batch_size=16, seed=3)
    train = 4000 + permutation(3, 1, 120)
    np.testing.assert_array_equal(module.order(1), train)
    assert not np.array_equal(ListOpsSpec(rows=120).build(batch_size=16, seed=3).order(1), train)
    np.testing.assert_array_equal(
        torch.cat([batch["y"] for batch in batches(module, "test")]), ListOpsSpec(rows=120).load().array("values")[:2000]
    )


def test_fewer_rows_are_the_first_of_more() -> None:
    few, more = ListOpsSpec(rows=40).load(), ListOpsSpec(rows=120).load()
    assert few.manifest["counts"] == {"train": 40, "val": 2000, "test": 2000}
    assert sum(few.manifest["classes"]["train"].values()) == 40
    for name in ("tokens", "offsets", "values"):
        a, b = few.array(name), more.array(name)
        np.testing.assert_array_equal(a, b[: len(a)])
    train = [few.array("tokens")[few.array("offsets")[i] :][:20].tolist() for i in (4000, 4039)]
    assert sorted(build(rows=40).order(0).tolist()) == list(range(4000, 4040))
    assert train[0] != train[1]


def test_a_part_is_a_part_of_the_same_rows() -> None:
    whole, part = build(), build(train_subset=50, val_subset=100)
    assert part.counts() == {"train": 50, "val": 100, "test": 2000}
    assert set(part.order(0)) < set(whole.order(0))
    assert part.content_hash() != whole.content_hash() == build(seed=3).content_hash()


def test_options_that_make_no_sense_are_refused() -> None:
    for rows in (0, 96_001):
        with pytest.raises(ValueError, match="1 to 96,000"):
            ListOpsSpec(rows=rows)
    with pytest.raises(ValueError, match="generated, official"):
        ListOpsSpec(source="mini")  # type: ignore[arg-type]


def test_what_is_there_and_what_would_be_made_is_told(place: Path) -> None:
    assert ListOpsSpec(rows=77).opened() is None
    assert "4,077 expressions" in ListOpsSpec(rows=77).plan()
    assert str(place) in ListOpsSpec(source="official").plan()
    assert ListOpsSpec(source="official").opened() is None
    ListOpsSpec(rows=40).load()
    assert ListOpsSpec(rows=40).opened() is not None


def test_symbols_are_numbered_by_falling_frequency_and_name() -> None:
    tokens = np.array([END] * 5 + [3] * 4 + [7] * 4 + [MIN] * 4 + [9], dtype=np.uint8)
    names = [SYMBOLS[code] for code in by_frequency(tokens)]
    assert names[:6] == ["X", "3", "7", "[MIN", "9", "0"]
    assert sorted(names) == sorted(SYMBOLS)


def test_a_row_that_is_too_long_is_cut_before_its_end_token() -> None:
    long = np.array([MIN, *[5] * 3000, END], dtype=np.uint8)
    short = np.array([MIN, 1, END], dtype=np.uint8)
    rows = encode(Ragged.from_rows([long, short], np.uint8), tuple(range(15)))
    assert rows.lengths.tolist() == [2048, 4]
    assert rows.row(0)[:3].tolist() == [13, 8, 8]
    assert rows.row(0)[2046:].tolist() == [8, 2]
    assert rows.row(1).tolist() == [13, 4, 17, 2]


# ---------------------------------------------------------------- the official form


class Tables:
    """The three official tables in miniature."""

    COUNTS = {"test": 9, "val": 8, "train": 40}

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        monkeypatch.setattr("data.listops.spec.RELEASED", self.COUNTS)
        self.rows, self.values, _ = (found := make(57, seed=9)).rows, found.values, None
        start = 0
        for part, n in self.COUNTS.items():
            rows = Ragged.from_rows([self.rows.row(i) for i in range(start, start + n)], np.uint8)
            write_tsv(folder / f"basic_{part}.tsv", rows, self.values[start : start + n])
            start += n

    def change(self, edit: Callable[[bytes], bytes], part: str = "train") -> None:
        path = self.folder / f"basic_{part}.tsv"
        path.write_bytes(edit(path.read_bytes()))


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tables:
    monkeypatch.setenv("SSM_DATA", str(tmp_path))
    return Tables(tmp_path / "listops-1000", monkeypatch)


OFFICIAL = ListOpsSpec(source="official")


def test_tables_written_here_are_read_to_the_same_rows(tables: Tables) -> None:
    assert OFFICIAL.opened() is None
    prepared = OFFICIAL.load()
    rows = decode(prepared)
    np.testing.assert_array_equal(rows.values, tables.rows.values)
    np.testing.assert_array_equal(rows.offsets, tables.rows.offsets)
    np.testing.assert_array_equal(prepared.array("values"), tables.values)
    assert prepared.manifest["counts"] == {"train": 40, "val": 8, "test": 9}
    train = tables.rows.values[tables.rows.offsets[17] :]
    assert prepared.manifest["vocabulary"][3:] == [SYMBOLS[code] for code in by_frequency(train)]
    assert OFFICIAL.opened() is not None
    whole, part = OFFICIAL.build(batch_size=4, seed=0), ListOpsSpec(source="official", rows=7).build(batch_size=4, seed=0)
    assert whole.counts() == {"train": 40, "val": 8, "test": 9}
    assert part.counts() == {"train": 7, "val": 8, "test": 9}
    assert sorted(part.order(0).tolist()) == sorted(whole.order(0).tolist())[:7]
    assert part.content_hash() != whole.content_hash()
    assert (tables.folder / "basic_val.tsv").read_bytes().startswith(b"Source\tTarget\r\n( ( ")


@pytest.mark.parametrize("folder", ["lra_release/lra_release/listops-1000", "lra_release/listops-1000", "listops"])
def test_the_tables_are_found_where_archives_put_them(tables: Tables, tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).parent.mkdir(parents=True, exist_ok=True)
    tables.folder.rename(tmp_path / folder)
    assert OFFICIAL.load().manifest["counts"]["train"] == 40


@pytest.mark.parametrize("edit", [lambda b: b.replace(b"\r\n", b"\n"), lambda b: b"\xef\xbb\xbf" + b, lambda b: b.removesuffix(b"\r\n")])
def test_line_ends_and_marks_make_no_difference(tables: Tables, edit: Callable[[bytes], bytes]) -> None:
    for part in Tables.COUNTS:
        tables.change(edit, part)
    np.testing.assert_array_equal(decode(OFFICIAL.load()).values, tables.rows.values)


def line(number: int, edit: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Changes one line; the header is line 1."""

    def change(content: bytes) -> bytes:
        lines = content.split(b"\r\n")
        lines[number - 1] = edit(lines[number - 1])
        return b"\r\n".join(lines)

    return change


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda b: b"", "is empty"),
        (lambda b: b"Source\tTarget\r\n", "has a header and no rows"),
        (lambda b: b.replace(b"\tTarget", b"", 1), "has no column Target"),
        (lambda b: b.replace(b"Source\tTarget\r\n", b"", 1), "has no column Source and no column Target"),
        (line(5, lambda t: t.split(b"\t")[0]), r"1 of 40 rows are bad. row 4 \(line 5\): it has 1 column instead of 2"),
        (line(5, lambda t: t + b"\t1"), "it has 3 columns instead of 2"),
        (line(5, lambda t: b""), r"row 4 \(line 5\): it is empty"),
        (line(5, lambda t: t[:-1] + b"10"), "row 4 .*'10', and values are 0 to 9"),
        (line(5, lambda t: t[:-1] + b"x"), "row 4 .*'x', and values are 0 to 9"),
        (line(5, lambda t: t[:-1] + b"%d" % ((int(t[-1:]) + 1) % 10)), r"row 4 \(line 5\): its value is given as \d and is \d"),
        (line(5, lambda t: t.replace(b"] ", b"", 1)), "row 4 .*brackets are unbalanced: 1 not closed"),
        (line(5, lambda t: t.replace(b" ] )", b" ] ) ] )", 1)), "row 4 .*brackets are unbalanced"),
        (line(5, lambda t: t.replace(b"( ", b"", 1)), "row 4 .*parentheses do not fit"),
        (line(5, lambda t: t.replace(b" ) ] ", b" ] ) ", 1)), "row 4 .*parentheses do not fit: as many as its brackets ask for, but"),
        (line(5, lambda t: b") " + t.replace(b")", b"", 1)), "row 4 .*parentheses do not fit"),
        (line(5, lambda t: t.replace(b"[SM", b"[S(M", 1).replace(b"( ", b"", 1)), "row 4 .*parentheses do not fit"),
        (line(5, lambda t: t.replace(b"[SM", b"[MUL", 1)), r"row 4 .*unknown token '\[MUL'"),
        (line(5, lambda t: t.replace(b" 3 ", b" 13 ", 1)), "row 4 .*unknown token '13'"),
        (line(5, lambda t: t.replace(b" 3 ", b" \0 ", 1)), r"row 4 .*unknown token '\\x00'"),
        (line(5, lambda t: t.replace(b" 3 ", b" \xff ", 1)), r"row 4 .*unknown token '\\\\xff'"),
        (line(5, lambda t: b"( ( [SM ] ) ]\t0"), "row 4 .*brackets are unbalanced"),
        (line(5, lambda t: b"( [SM ] )\t0"), "row 4 .*operator without arguments"),
        (line(5, lambda t: b"7\t7"), "row 4 .*does not begin with an operator"),
        (line(5, lambda t: b"( " * 500_000 + t), r"row 4 \(line 5\): it has 65,536 bytes or more"),
        (lambda b: b.replace(b"[SM", b"[SN"), r"rows are bad. row \d+ .*; row \d+ .*; row \d+ .*; and \d+ more"),
        (lambda b: b[:5000], "rows are bad|has 0 rows"),
        (lambda b: b[: b.rindex(b"\r\n", 0, len(b) - 2) + 2], "has 39 rows and the release has 40"),
    ],
)
def test_a_bad_table_is_refused_with_file_row_and_count(tables: Tables, edit: Callable[[bytes], bytes], said: str) -> None:
    tables.change(edit)
    with pytest.raises(DataError, match=said) as caught:
        OFFICIAL.load()
    assert str(tables.folder / "basic_train.tsv") in str(caught.value)
    assert not list((tables.folder.parent / "prepared").glob("listops*"))


def test_bad_rows_are_told_in_the_order_of_the_file(tables: Tables) -> None:
    tables.change(line(9, lambda t: t[:-1] + b"x"))
    tables.change(line(4, lambda t: t[:-1] + b"%d" % ((int(t[-1:]) + 1) % 10)))
    with pytest.raises(DataError, match=r"2 of 40 rows are bad\. row 3 .*; row 8 "):
        OFFICIAL.load()


def test_a_row_in_two_parts_is_refused(tables: Tables) -> None:
    val = (tables.folder / "basic_val.tsv").read_bytes().split(b"\r\n")[1]
    tables.change(line(5, lambda t: val))
    with pytest.raises(DataError, match=r"of ListOps is also in the \w+ part"):
        OFFICIAL.load()


def test_missing_tables_say_what_to_do(tables: Tables, tmp_path: Path) -> None:
    (tables.folder / "basic_val.tsv").unlink()
    with pytest.raises(DataError, match=r"listops-1000 has no basic_val\.tsv"):
        OFFICIAL.load()
    for part in ("train", "test"):
        (tables.folder / f"basic_{part}.tsv").unlink()
    with pytest.raises(DataError) as caught:
        OFFICIAL.load(download=True)
    for part in ("basic_train.tsv", str(tmp_path / "lra_release"), "lra_release.gz", "source=generated"):
        assert part in str(caught.value)


# ---------------------------------------------------------------- rows that LRA's own program wrote

GIVEN = os.environ.get("SSM_TEST_DATA")
REFERENCE = Path(GIVEN or ".") / "listops-reference"


@pytest.mark.skipif(not GIVEN or not REFERENCE.is_dir(), reason="SSM_TEST_DATA names no folder with listops-reference")
@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_rows_of_the_original_program(part: str, tmp_path: Path) -> None:
    path = REFERENCE / f"basic_{part}.tsv"
    rows, values = read_tsv(path)
    for i, stated in enumerate(values.tolist()):
        assert value(tree_of(rows.row(i))) == stated
    write_tsv(tmp_path / "again.tsv", rows, values)
    assert (tmp_path / "again.tsv").read_bytes() == path.read_bytes()
    if len(rows) >= 500:  # the errors of a smaller sample are not normal
        assert [entry for entry in statistics(rows, values) if not entry.agrees] == []


def test_the_outer_copy_of_the_release_comes_last_and_two_copies_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """lra_release.gz has listops-1000 twice, outside and inside of lra_release/lra_release, and the copies differ."""
    monkeypatch.setenv("SSM_DATA", str(tmp_path))
    for place in ("lra_release/listops-1000", "listops"):
        (tmp_path / place).mkdir(parents=True)
        for file in FILES.values():
            (tmp_path / place / file).write_text("Source\tTarget\r\n")
    said: list[str] = []
    assert official_tables(said.append)["test"] == tmp_path / "listops" / "basic_test.tsv"
    assert said == [f"ListOps: there are 2 copies; {tmp_path / 'listops'} is read, and not {tmp_path / 'lra_release/listops-1000'}"]


def test_arities_are_those_of_the_trees() -> None:
    rows = Ragged.from_rows([np.array([MAX, 2, SM, 1, 1, END, END], dtype=np.uint8), np.array([MIN, 0, END], dtype=np.uint8)], np.uint8)
    assert arities(rows).tolist() == [2, 0, 2, 0, 0, 0, 0, 1, 0, 0]


def test_every_row_drawn_here_is_written_in_its_official_form() -> None:
    drawn = generate(50, seed=3)
    texts = [text_of(drawn.rows.row(i)).encode() for i in range(50)]
    assert parentheses_fit(drawn.rows, texts).all()
    assert parentheses_fit(drawn.rows, [text.replace(b" ", b"  ").replace(b"( ", b"(") for text in texts]).all()
    moved = [text[::-1].replace(b")", b"", 1)[::-1] + b"" for text in texts]
    assert not parentheses_fit(drawn.rows, moved).any()


# ---------------------------------------------------------------- shorter expressions


def test_shorter_expressions_have_the_lengths_asked_for_and_their_values() -> None:
    short = ListOpsSpec(rows=300, shortest=15, longest=64)
    assert short.signature.length == 128
    module = short.build(batch_size=50, seed=0)
    for batch in module.test_dataloader():
        assert batch["x"].shape[1] <= 128
        assert int(batch["lengths"].min()) >= 15 + 1  # the <eos>
        assert int(batch["lengths"].max()) <= 64 + 1
    rows = decode(short.load())
    assert all(fault(rows.row(i)) is None for i in range(len(rows)))
    np.testing.assert_array_equal(evaluate(parse(rows)), short.load().array("values"))
    assert len({rows.row(i).tobytes() for i in range(len(rows))}) == 4300
    assert short.load().folder != ListOpsSpec(rows=300).load().folder


def test_the_longest_of_all_are_those_of_the_literature() -> None:
    assert ListOpsSpec() == ListOpsSpec(shortest=501, longest=1999)
    assert ListOpsSpec().signature.length == 2048


@pytest.mark.parametrize(("shortest", "longest"), [(9, 64), (15, 24), (501, 2000), (600, 500)])
def test_lengths_that_give_too_few_expressions_are_refused(shortest: int, longest: int) -> None:
    with pytest.raises(ValueError, match="10 to 1,999 tokens"):
        ListOpsSpec(shortest=shortest, longest=longest)


def test_what_others_drew_has_its_own_lengths() -> None:
    with pytest.raises(ValueError, match="official tables have expressions of 501 to 1,999 tokens"):
        ListOpsSpec(source="official", shortest=50, longest=200)
    with pytest.raises(ValueError, match="the reference has expressions of 501"):
        ListOpsSpec(shortest=50, longest=200).statistics()
