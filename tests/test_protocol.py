"""Choices of protocol by name: what may be chosen, what is refused and how it says so, which run it becomes; and `python -m data`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Optional

import numpy as np
import pytest

import data.__main__ as program
from benchmarks.__main__ import main as benchmarks_main
from benchmarks.recipe import Recipe
from benchmarks.registry import BENCHMARKS, select_benchmark
from data.base import DataError, DataSpec, Say, Signature, silent
from data.card import Card
from data.files.prepared import Made, Prepared, opened, prepare
from data.files.root import root
from data.images.digits import DigitsSpec
from data.protocol import choices, chosen, described, parse
from data.registry import SETS
from data.subsets import SplitSpec
from models import DEFAULT_VARIANTS
from reports.benchmark import request_benchmark
from reports.parts.frame import all_records

if TYPE_CHECKING:
    from data.nowhere import Release  # type: ignore[import-not-found]  # as where only a type checker imports it

CARD = Card(
    name="toy", title="Toy", what="Ten numbers, and whether they are odd.", size="10", licence="none", source="here",
    citation="nobody", splits="in order", issues=("It is " + "very " * 40 + "small.",),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ToySpec(SplitSpec):
    """One field of every kind."""

    card: ClassVar[Card] = CARD
    release: ClassVar[Release | None] = None

    source: Literal["official", "generated", "mini"] = "official"
    words: Literal[10, 35] = 35
    label: Literal["10", "35"] = "35"
    split: Literal["random", "patient"] | None = None
    tokens: bool = False
    images: int = 100
    limit: Optional[int] = 7  # noqa: UP045 the old way to write it
    ratio: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source == "mini" and self.words == 35:
            raise ValueError("the mini source has 10 words, not 35")

    @property
    def signature(self) -> Signature:
        return Signature(length=1, d_output=2, d_input=1)

    def load(self, *, download: bool = False, say: Say = silent) -> Prepared:
        if self.source == "official":
            raise DataError(f"{root() / 'toy.zip'} is missing; make data-toy gets it (download: {download})")
        say("generating")
        return prepare("toy", self.source, lambda: Made(arrays={"x": np.arange(10)}, facts={"counts": {"train": 8, "test": 2}}))

    def opened(self) -> Prepared | None:
        return opened("toy", self.source)

    def plan(self) -> str:
        return "ten numbers, at once"

    def build(self, *, batch_size: int, seed: int) -> object:  # type: ignore[override]
        raise NotImplementedError


TOY = ToySpec()


def test_every_kind_of_field_offers_its_words() -> None:
    count = ("number", "all")
    assert choices(ToySpec) == {
        "train_subset": count, "val_subset": count, "test_subset": count, "source": ("official", "generated", "mini"),
        "words": ("10", "35"), "label": ("10", "35"), "split": ("random", "patient", "all"), "tokens": ("true", "false"),
        "images": ("number",), "limit": count,
    }  # fmt: skip
    assert described(ToySpec).startswith("train_subset=number|all; ")
    assert "words=10|35; " in described(ToySpec)
    assert "ratio" not in described(ToySpec)


@pytest.mark.parametrize(
    "text, field, value",
    [
        ("source=generated", "source", "generated"),
        ("words=10", "words", 10),
        ("label=10", "label", "10"),  # a word of digits stays a word
        ("split=patient", "split", "patient"),
        ("split=all", "split", None),
        ("tokens=true", "tokens", True),
        ("tokens=false", "tokens", False),
        ("images=7", "images", 7),
        ("limit=all", "limit", None),
        ("limit=12", "limit", 12),
        ("train_subset=all", "train_subset", None),
        ("train_subset=0042", "train_subset", 42),
    ],
)
def test_a_word_becomes_the_value_of_its_field(text: str, field: str, value: object) -> None:
    spec = chosen(TOY, parse(text))
    assert type(getattr(spec, field)) is type(value)
    assert spec == replace(TOY, **{field: value})  # type: ignore[arg-type]


def test_several_fields_are_set_at_once() -> None:
    """words=10 makes source=mini possible, in whatever order they come."""
    for text in ("words=10 source=mini", "source=mini,words=10", " source=mini ,, words=10 "):
        assert chosen(TOY, parse(text)) == ToySpec(words=10, source="mini")


@pytest.mark.parametrize(
    "text, parts",
    [
        ("sourc=mini", ["ToySpec has no choice 'sourc'; did you mean 'source'? One of: train_subset=", "words=10|35"]),
        ("zzz=1", ["ToySpec has no choice 'zzz'. One of: train_subset="]),
        ("ratio=1", ["no choice 'ratio'"]),
        ("card=x", ["no choice 'card'"]),
        ("version=2", ["no choice 'version'"]),
        ("source=generate", ["source is one of: official, generated, mini; got 'generate'", "did you mean 'generated'?"]),
        ("source=Official", ["did you mean 'official'?"]),
        ("source=all", ["got 'all'"]),
        ("source=7", ["got '7'"]),
        ("words=11", ["words is one of: 10, 35; got '11'"]),
        ("words=010", ["words is one of"]),
        ("tokens=True", ["tokens is one of: true, false; got 'True'", "did you mean 'true'?"]),
        ("tokens=1", ["tokens is one of"]),
        ("images=number", ["images is one of: number; got 'number'"]),
        ("images=all", ["images is one of: number; got 'all'"]),
        ("images=-1", ["got '-1'"]),
        ("images=1e3", ["got '1e3'"]),
        ("images=1_000", ["got '1_000'"]),
        ("images=²", ["got '²'"]),
        ("images=٣", ["got"]),
        ("limit=none", ["limit is one of: number, all; got 'none'"]),
        ("train_subset=0", ["train_subset is a number of samples, 1 or more"]),
        ("source=mini", ["the mini source has 10 words, not 35"]),
        ("", ["got nothing"]),
        (" , ", ["got nothing"]),
        ("source", ["field=value", "got 'source'"]),
        ("source=", ["got 'source='"]),
        ("=mini", ["got '=mini'"]),
        ("source=mini source=official", ["source is chosen twice"]),
        ("source==mini", ["got '=mini'"]),
    ],
)
def test_what_cannot_be_is_refused_in_words_that_help(text: str, parts: list[str]) -> None:
    with pytest.raises(ValueError) as caught:
        chosen(TOY, parse(text))
    for part in parts:
        assert part in str(caught.value)


def test_a_data_set_without_choices_says_so() -> None:
    """What makes digits-noise another benchmark than digits is no choice of protocol: its recipes rest on it."""
    assert choices(DigitsSpec) == {}
    with pytest.raises(ValueError, match=r"DigitsSpec has no choices of protocol: .* got 'noise'"):
        chosen(DigitsSpec(), {"noise": "3"})


# ---------------------------------------------------------------- every data set and every benchmark of the suite


def words_of(spec: DataSpec) -> Iterator[tuple[str, str]]:
    for field, words in choices(type(spec)).items():
        yield from ((field, "13" if word == "number" else word) for word in words)


def first(name: str) -> DataSpec:
    return BENCHMARKS[name].recipe(DEFAULT_VARIANTS[0], BENCHMARKS[name].scales[0]).run.data


def word_of(value: object) -> str:
    if value is None:
        return "all"
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("name", SETS)
def test_every_choice_of_every_data_set_is_taken_or_refused_with_its_rule(name: str) -> None:
    spec = SETS[name]
    assert {"train_subset", "val_subset", "test_subset"} <= set(choices(type(spec)))
    refusals: list[str] = []
    for field, word in words_of(spec):
        try:
            found = chosen(spec, {field: word})
        except ValueError as error:
            refusals.append(str(error))
        else:
            assert word_of(getattr(found, field)) == word
    assert all(len(text) > 20 and "is one of: " not in text for text in refusals)  # the rule of the data set, not a word that it lacks


@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_id_follows_the_choice_and_a_default_spelled_out_is_the_default(name: str) -> None:
    benchmark, data = BENCHMARKS[name], first(name)
    plain = benchmark.recipe(DEFAULT_VARIANTS[0], benchmark.scales[0])
    ids = {plain.run.id}
    for field, word in words_of(data):
        try:
            found = benchmark.with_protocol({field: word})
            run = found.recipe(DEFAULT_VARIANTS[0], benchmark.scales[0]).run
        except ValueError:
            continue
        if getattr(data, field) == getattr(run.data, field):
            assert run == plain.run
            assert run.id == plain.run.id
        else:
            assert run.id not in ids, f"{field}={word} is a run that was there before"
            ids.add(run.id)
        assert replace(run, data=data) == plain.run  # nothing else has moved
        assert found.title == f"{benchmark.title} ({field} = {word})"
        assert f"protocol: {field} = {word}" in found.recipe(DEFAULT_VARIANTS[0], benchmark.scales[0]).notes


def test_no_two_reports_have_one_name() -> None:
    """Of all benchmarks, read-outs and single choices; a name is also a file name."""
    names: dict[str, object] = {}
    for name, benchmark in BENCHMARKS.items():
        data = first(name)
        wanted: list[tuple[str | None, str | None]] = [(None, None), *((readout, None) for readout in benchmark.readouts)]
        wanted += [(None, f"{field}={word}") for field, word in words_of(data)]
        for readout, protocol in wanted:
            try:
                found = select_benchmark(name, readout, protocol)
            except ValueError:
                continue
            report = name + found.tag
            assert names.setdefault(report, (name, readout, protocol)) == (name, readout, protocol), report
            assert set(report) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"), report
    assert len(names) > 2 * len(BENCHMARKS)


def test_a_tag_names_the_field_where_the_word_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = BENCHMARKS["digits-noise"]

    def on_toys(own: Recipe) -> Recipe:
        return replace(own, run=replace(own.run, data=ToySpec(words=10, split="random")))

    monkeypatch.setitem(BENCHMARKS, "toy", replace(digits, name="toy", changes=(on_toys,), readouts={"patient": 1}))
    for protocol, tag in {
        "source=mini": "-mini",
        "words=35": "-words-35",
        "tokens=true": "-tokens-true",
        "limit=all": "-limit-all",
        "train_subset=all": "-train_subset-all",
        "split=patient": "-split-patient",  # or it would be the name of a read-out
        "source=mini,images=9": "-mini-images-9",
    }.items():
        found = select_benchmark("toy", protocol=protocol)
        assert found.tag == tag
        assert found.options == ("--protocol", protocol)
    both = select_benchmark("toy", "patient", "source=mini")
    assert (both.tag, both.options) == ("-patient-mini", ("--readout", "patient", "--protocol", "source=mini"))
    assert both.benchmark.title.endswith("read out from: patient (source = mini)")
    for protocol in ("source=mini,words=35", "sourc=mini", "words"):  # at once, before any run
        with pytest.raises(ValueError):
            select_benchmark("toy", protocol=protocol)


def test_one_word_sets_every_choice_of_the_literature() -> None:
    """validation on test, [-1, 1], csv, s4-quirk, shuffled batches: at paper scale all but the validation set are the recipe's own."""
    for name, benchmark in BENCHMARKS.items():
        if not benchmark.literature:
            with pytest.raises(ValueError, match=f"no published numbers of {name}"):
                select_benchmark(name, protocol="literature")
            assert "paper" not in benchmark.scales or not benchmark.published
            continue
        found = select_benchmark(name, protocol="literature")
        assert (found.options, found.tag) == (("--protocol", "literature"), "-literature")
        assert found.benchmark.title == f"{benchmark.title} (protocol of the literature)"
        assert (benchmark.beside, found.benchmark.beside) == (False, True)
        for scale in benchmark.scales:
            if benchmark.reduced_at(scale):  # a smaller task may refuse what the literature's has: its own test asks that
                continue
            for variant in DEFAULT_VARIANTS:
                own, run = benchmark.recipe(variant, scale).run, found.benchmark.recipe(variant, scale).run
                assert {word: word_of(getattr(run.data, word)) for word in benchmark.literature} == benchmark.literature
                assert replace(run, data=own.data) == own
                if scale == "paper":
                    assert (run.id == own.id) == (name != "lra-text")
    text, papers = (BENCHMARKS[name].literature for name in ("lra-text", "lra-retrieval"))
    assert (text["validation"], text["batches"], papers["quoting"], papers["batches"]) == ("test", "shuffled", "csv", "shuffled")
    assert BENCHMARKS["lra-pathx"].literature["scaling"] == "centred"
    assert BENCHMARKS["sc35"].literature["scaling"] == "s4-quirk"


def test_every_published_number_has_a_protocol() -> None:
    """A choice of protocol that is left open would be the recipe's default, which may not be the literature's."""
    for benchmark in BENCHMARKS.values():
        if benchmark.literature:
            spec = type(first(benchmark.name))
            subsets = {"train_subset", "val_subset", "test_subset", "rows", "images", "vocab", "difficulty"}
            assert set(choices(spec)) - subsets == set(benchmark.literature)


def test_the_word_literature_stands_alone() -> None:
    with pytest.raises(ValueError, match="sets every choice of protocol at once and stands alone"):
        select_benchmark("lra-text", protocol="literature,validation=held-out")
    with pytest.raises(ValueError, match="field=value, as in source=generated; got 'literatur'; literature alone is all"):
        select_benchmark("lra-text", protocol="literatur")
    plain, own = (request_benchmark("lra-text", (0,), ("s4",), "paper", all_records(), protocol=p) for p in (None, "literature"))
    assert plain.expected[0].id != own.expected[0].id
    assert own.expected[0].command.endswith(" --protocol literature")
    assert own.name == "lra-text-literature"


def test_reports_ask_for_the_same_runs() -> None:
    plain, other = (request_benchmark("bidmc-hr", (0, 1), ("s4", "hope"), None, all_records(), protocol=p) for p in (None, "split=patient"))
    run = select_benchmark("bidmc-hr", protocol="split=patient").benchmark.recipe("hope", "quick").with_seed(1)
    assert [e.id for e in other.expected if e.labels["variant"] == "hope"][1] == run.id
    assert not {e.id for e in plain.expected} & {e.id for e in other.expected}
    assert all(e.command.endswith(" --protocol split=patient") for e in other.expected)
    assert other.build is not plain.build


def test_the_command_line_of_benchmarks_refuses_in_the_same_words(capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks import cli

    for protocol, part in (("splt=a", "did you mean 'split'?"), ("split=x", "split is one of: random, patient"), ("split", "field=value")):
        assert cli.guarded(lambda protocol=protocol: benchmarks_main(["bidmc-hr", "--protocol", protocol])) == 2
        assert part in capsys.readouterr().err


# ---------------------------------------------------------------- python -m data


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(program, "SETS", {"toy": TOY, "other": ToySpec(source="generated")})
    return tmp_path / "data"


def test_making_prints_the_manifest_and_says_the_plan_first(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.guarded(["toy", "--protocol", "source=generated"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["counts"] == {"train": 8, "test": 2}
    assert err.startswith("toy: ten numbers, at once\ngenerating\n")
    assert "complete" in err
    assert program.guarded(["other", "--verify"]) == 0  # the same prepared arrays: nothing is generated again
    out, err = capsys.readouterr()
    assert "ten numbers" not in err
    assert "every array has its checksum" in err


@pytest.mark.parametrize(
    "argv, code, parts",
    [
        (["ty"], 2, ["unknown data set 'ty'; did you mean 'toy'?", "one of: toy, other"]),
        ([], 2, ["name a data set: toy, other"]),
        (["--protocol", "source=mini"], 2, ["--protocol is for one data set"]),
        (["toy", "--protocol", "source=min"], 2, ["did you mean 'mini'?"]),
        (["toy", "--protocol", "source=mini"], 2, ["the mini source has 10 words"]),
        (["toy", "--protocol", ""], 2, ["got nothing"]),
        (["toy", "--data", ""], 2, ["--data", "expected a folder"]),
        (["toy", "--nonsense"], 2, ["--nonsense"]),
        (["toy", "--stat"], 2, ["--stat"]),
        (["toy", "--status", "--verify"], 2, ["--status does not use --verify"]),
        (["--card", "--status"], 2, ["--card does not use --status"]),
        (["toy", "--card", "--protocol", "source=generated"], 2, ["--card does not use --protocol"]),
        (["toy"], 3, ["toy.zip is missing", "make data-toy", "download: True"]),
    ],
)
def test_what_goes_wrong_is_one_paragraph_with_its_code(
    toy: Path, capsys: pytest.CaptureFixture[str], argv: list[str], code: int, parts: list[str]
) -> None:
    assert program.guarded(argv) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    for part in parts:
        assert part in err


def test_status_tells_what_is_there_and_changes_nothing(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.guarded(["--status"]) == 0
    out = capsys.readouterr().out
    assert out.count(" not here") == out.count("make data-") == 2
    assert f"data root: {toy}" in out
    assert not toy.exists()
    program.guarded(["other"])
    capsys.readouterr()
    assert program.guarded(["other", "--status"]) == 0
    out = capsys.readouterr().out
    assert "train 8, test 2" in out
    assert "choices: train_subset=number|all;" in out
    assert "not here" not in out
    next((toy / "prepared").glob("toy-*/x.npy")).unlink()
    assert program.guarded(["--status"]) == 0  # the others are told all the same
    out = capsys.readouterr().out
    assert "damaged: the prepared data in" in out
    assert "toy            not here" in out


def test_a_file_that_was_edited_with_its_time_put_back_is_found_by_verify(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program.guarded(["other"])
    path = next((toy / "prepared").glob("toy-*/x.npy"))
    times = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    capsys.readouterr()
    assert program.guarded(["other", "--verify"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "x.npy was changed" in err
    assert "Remove that folder" in err


def test_a_broken_place_is_told_apart_from_broken_data(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text("a file where the folder should be")
    assert program.guarded(["other"]) == 5
    assert str(toy) in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["spaces and ünïcödé", "relative", "linked", "dash"])
def test_the_data_root_may_be_any_folder(
    toy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"spaces and ünïcödé": str(tmp_path / "ä b/数据 '\""), "relative": "some/where", "linked": "link", "dash": "./-x"}[kind]
    if kind == "linked":
        (tmp_path / "target").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "target")
    assert program.guarded(["other", f"--data={given}"]) == 0
    assert len(list(Path(given).glob("prepared/toy-generated/x.npy"))) == 1
    assert program.guarded(["other", "--verify", "--data", str(Path(given).absolute())]) == 0


def test_an_interruption_has_a_code_of_its_own(toy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: ToySpec, *, download: bool = False, say: Say = silent) -> Prepared:
        raise KeyboardInterrupt

    monkeypatch.setattr(ToySpec, "load", interrupted)
    assert program.guarded(["other"]) == 4
    assert "the same command continues" in capsys.readouterr().err


def test_a_card_is_text_of_readable_width(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.guarded(["toy", "--card"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 110
    for part in ("Toy\n===", "what     Ten numbers", "licence  none", "note     It is very"):
        assert part in out


@pytest.mark.parametrize("name", SETS)
def test_every_data_set_has_a_whole_card_and_a_plan(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    spec = SETS[name]
    assert isinstance(SETS[spec.card.name], type(spec))  # one card may serve several sizes of a data set
    for field in ("title", "what", "size", "licence", "source", "citation", "splits"):
        assert getattr(spec.card, field).strip(), field
    assert spec.opened() is None
    assert len(spec.plan()) > 20
    assert "\n" not in spec.plan()
    assert f"make data-{name}" in program.status(name, spec)
    assert not (tmp_path / "data").exists()
