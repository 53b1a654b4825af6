"""The reader of .ts files: what it reads exactly, and what it refuses with the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.base import DataError
from data.bidmc.tsfile import cases

HEADER = """# a comment
@problemName Tiny
@timeStamps false
@missing false
@univariate false
@dimensions 2
@equalLength true
@seriesLength 3
@targetlabel true
@data
"""


def written(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "Tiny_TRAIN.ts"
    path.write_text(header + "\n".join(lines) + "\n", encoding="ascii")
    return path


def read(path: Path) -> list[tuple[int, list[list[float]], float]]:
    return [(line, x.tolist(), y) for line, x, y in cases(path, channels=2, length=3)]


def test_channels_steps_and_target_come_out_where_they_belong(tmp_path: Path) -> None:
    path = written(tmp_path, "1,2,3:4,5,6:70.5", "", "# more", " -1e-3, 2.5 ,3 : .5,+5,6E1 : -7 ")
    assert read(path) == [
        (11, [[1, 4], [2, 5], [3, 6]], 70.5),
        (14, [[-0.001, 0.5], [2.5, 5], [3, 60]], -7),
    ]


def test_a_file_without_a_last_line_break_or_with_windows_line_ends_reads_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, "1,2,3:4,5,6:7")
    plain = read(path)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert read(path) == plain
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read(path) == plain


def test_numbers_are_read_to_the_last_bit(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).standard_normal(6)
    a, b = (",".join(map(repr, part.tolist())) for part in (numbers[:3], numbers[3:]))
    ((_, x, _),) = cases(written(tmp_path, f"{a}:{b}:1"), channels=2, length=3)
    np.testing.assert_array_equal(x, numbers.reshape(2, 3).T)


def test_a_missing_value_is_nan_and_a_missing_target_is_refused(tmp_path: Path) -> None:
    ((_, x, _),) = cases(written(tmp_path, "1,?,3:4,5, ? :7"), channels=2, length=3)
    np.testing.assert_array_equal(x, [[1, 4], [np.nan, 5], [3, np.nan]])
    with pytest.raises(DataError, match="line 11 has no target"):
        read(written(tmp_path, "1,2,3:4,5,6:?"))


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("1,2,3:4,5,6:7:8", "has 3 channels and a target, expected 2"),
        ("1,2,3:7", "has 1 channels and a target, expected 2"),
        ("1,2,3", "has 0 channels"),
        ("1,2,3:4,5:7", "channel 2 has 2 values, expected 3"),
        ("1,2,3,4:4,5,6:7", "channel 1 has 4 values, expected 3"),
        ("1,2,3:4,5,", "has 1 channels"),
        ("1,x,3:4,5,6:7", "'x' is not a number"),
        ("1,,3:4,5,6:7", "'' is not a number"),
        ("1,2,3:4,1.2.3,6:7", "'1.2.3' is not a number"),
        ("1,nan,3:4,5,6:7", "'nan' is not a number"),
        ("1,2,3:4,inf,6:7", "'inf' is not a number"),
        ("1,1_000,3:4,5,6:7", "'1_000' is not a number"),
        ("1,2,3:4,5,6:healthy", "'healthy' is not a number"),
        ("1,2,3:4,5,6:", "'' is not a number"),
        ("1,2,\0:4,5,6:7", "is not a number"),
        ("@data", "a header line comes after @data"),
        ("1" * 400 + ",2,3:4,5,6:7", "longer than any case"),
    ],
)
def test_a_damaged_case_is_refused_with_its_line(tmp_path: Path, line: str, what: str) -> None:
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, "1,2,3:4,5,6:7", line))
    assert what in str(caught.value)
    assert "Tiny_TRAIN.ts, line 12" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("@timeStamps false", "@timeStamps true", "line 3 says timestamps true; expected timestamps false"),
        ("@univariate false", "@univariate true", "line 5 says univariate true"),
        ("@dimensions 2", "@dimensions 3", "line 6 says dimensions 3; expected dimensions 2"),
        ("@seriesLength 3", "@seriesLength 4000", "line 8 says serieslength 4000"),
        ("@targetlabel true", "@targetlabel false", "line 9 says targetlabel false"),
        ("@targetlabel true", "@classLabel true a b", "line 9 says classlabel true a b"),
        ("@data\n", "", "line 10: a case comes before the line @data"),
    ],
)
def test_a_header_of_another_kind_is_refused(tmp_path: Path, old: str, new: str, what: str) -> None:
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, "1,2,3:4,5,6:7", header=HEADER.replace(old, new)))
    assert what in str(caught.value)


def test_a_file_cut_in_its_header_or_missing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.ts"
    for content in ("", HEADER.replace("@data\n", "")):
        path.write_text(content)
        with pytest.raises(DataError, match="has no line @data"):
            read(path)
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "none.ts")


def test_a_byte_order_mark_is_no_harm_and_tabs_divide_a_header_as_blanks_do(tmp_path: Path) -> None:
    path = written(tmp_path, "1,2,3:4,5,6:7")
    plain = read(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read(path) == plain
    with pytest.raises(DataError, match="line 6 says dimensions 5; expected dimensions 2"):
        read(written(tmp_path, "1,2,3:4,5,6:7", header=HEADER.replace("@dimensions 2", "@dimensions\t5")))
    with pytest.raises(DataError, match=r"says dimensions \(nothing\)"):
        read(written(tmp_path, "1,2,3:4,5,6:7", header=HEADER.replace("@dimensions 2", "@dimensions")))
