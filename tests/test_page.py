"""The page: one file, no request to anywhere, holes and divergence shown, names escaped; and the command that writes it."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ablations.registry import ABLATIONS
from benchmarks import cli
from benchmarks.registry import BENCHMARKS
from benchmarks.running.store import Store
from benchmarks.spec import RunSpec, canonical, every_field
from reports import FORMATS, committed, evidence, readme
from reports import __main__ as command
from reports.benchmark import report_benchmark, request_benchmark, request_quickstart
from reports.everything import report_everything
from reports.grid import request_grid
from reports.overview import compose_overview
from reports.parts import files, frame, page
from reports.parts.frame import all_records
from reports.parts.metric import METRICS
from reports.parts.pages import made_of, write_pages
from reports.parts.report import Report
from reports.parts.table import TEXT_WIDTH
from reports.sections.grid import arrange, judge_cells

made = runpy.run_path(str(Path(__file__).with_name("synthetic_records.py")))
NASTY = "s4<script>alert(1)</script>&\"'"


def report_of(root: Path, asked: list[frame.Expected]) -> Report:
    benchmark = replace(BENCHMARKS["digits-noise"], title="Noise & <digits>", about="About <it>.")
    return report_benchmark(frame.tidy(asked, Store.at(root)), benchmark, "quick", name="x", make="python -m reports quickstart")


def situation(root: Path, name: str) -> list[frame.Expected]:
    expected, write = made["expected"], made["write"]
    if name == "none":
        return [expected({"variant": v}, s) for v in ("s4", "hope") for s in range(3)]
    if name == "one seed":
        return made["library_of"](root, ("s4", "hope"), (0,))
    if name == "all diverged":
        return made["library_of"](root, ("s4", "hope"), (0, 1), status="diverged")
    if name == "nasty":
        return made["library_of"](root, (NASTY, "hope"), (0, 1))
    asked = made["library_of"](root, ("s4", "s4d-lin", "lstm"))
    for seed, status in enumerate(("ok", "diverged", "failed")):
        asked.append(expected({"variant": "hope"}, seed))
        write(root, asked[-1], status=status)
    return asked + [expected({"variant": "dss-exp"}, s) for s in range(3)]


class Tags(HTMLParser):
    """Balanced tags, unique ids, and every attribute that could fetch something."""

    VOID = frozenset({"img", "meta", "br", "path", "use", "image", "rect", "circle", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        self._attributes(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._attributes(attrs)

    def _attributes(self, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key == "id":
                self.ids.append(value or "")
            if key in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("name", ["none", "one seed", "all diverged", "mixed", "nasty"])
def test_page_of_every_situation(tmp_path: Path, name: str) -> None:
    html = page.render(report_of(tmp_path, situation(tmp_path, name)))
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    assert len(set(tags.ids)) == len(tags.ids)
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in tags.links)
    assert {link[1:] for link in tags.links if link.startswith("#")} <= set(tags.ids)
    assert not re.search(r"@import|url\((?!#)", html)
    assert tags.tags.count("script") == 1
    assert "alert(1)" not in re.sub(r"&lt;script&gt;alert\(1\)&lt;/script&gt;", "", html)
    assert "quick scale" in html
    assert "Noise &amp; &lt;digits&gt;" in html
    assert "nan" not in re.sub(
        r"<svg.*?</svg>|base64,[^\"]*|<script>.*?</script>|<style>.*?</style>", "", html, flags=re.DOTALL
    ).lower().replace("finance", "")


def test_mixed_page_shows_what_is_missing_and_where_numbers_come_from(tmp_path: Path) -> None:
    asked = situation(tmp_path, "mixed")
    html = page.render(report_of(tmp_path, asked))
    missing = html[html.index('<section id="missing">') : html.index('<section id="recipes">')]
    assert "4 of 15 runs" in missing
    assert "python -m benchmarks synthetic --variant dss-exp --seeds 2" in missing
    for e in asked[:9]:
        assert f"runs/{e.benchmark}/{e.id}/record.json" in html
    assert "made to fail" in missing
    assert "Diverged: hope (1 of 3)." in html


def test_files_beside_the_page_and_the_same_bytes_twice(tmp_path: Path) -> None:
    asked = situation(tmp_path / "store", "mixed")
    contents = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        written = files.write(report_of(tmp_path / "store", asked), folder, FORMATS)
        assert written == folder / "index.html"
        contents.append({p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()})
    assert contents[0] == contents[1]
    assert {Path(n).suffix for n in contents[0]} == {".html", ".txt", ".md", ".svg", ".png", ".csv", ".tex", ".pdf"}


@pytest.mark.parametrize("kind,name", [*(("benchmark", n) for n in BENCHMARKS), *(("ablation", n) for n in ABLATIONS)])
def test_every_registered_benchmark_and_grid_has_a_page(kind: str, name: str, tmp_path: Path) -> None:
    nothing = Store.at(tmp_path)
    asked = request_grid(name, (0,)) if kind == "ablation" else request_benchmark(name, (0,), ("default",), None, nothing)
    report = asked.answer(nothing)
    assert f"{name} " in report.make
    assert (asked.name, report.make) == (report.name, f"python -m reports {' '.join(asked.words)}")
    assert report.make in page.render(report)
    assert len(report.runs) == len(set(report.runs["id"])) or kind == "ablation"
    assert max(map(len, report.tables()[0].text().splitlines())) <= TEXT_WIDTH


@pytest.mark.parametrize("name", ABLATIONS)
def test_no_cell_of_a_grid_is_lost_in_its_figure(name: str, tmp_path: Path) -> None:
    asked = request_grid(name, (0,)).expected
    for i, e in enumerate(asked):
        _write_like(tmp_path, e, 0.5 + 0.01 * i)
    runs = frame.tidy(asked, Store.at(tmp_path))
    judged = judge_cells(runs, ABLATIONS[name].factors, METRICS["accuracy"])
    arrangement = arrange(judged, ABLATIONS[name])
    assert len(arrangement.crossed) + len(arrangement.references) == len(judged) == len(ABLATIONS[name].cells())
    assert sum(reference.yardstick for reference in arrangement.references.values()) == len(
        {key[0] for key in judged} - {next(iter(cell.row.values())) for cell in ABLATIONS[name].cells() if not cell.reference}
    )


@cache
def _specs(seed: int) -> dict[str, Any]:
    """id -> canonical spec of every run of every grid."""
    return {s.id: canonical(s) for a in ABLATIONS.values() for s in a.specs((seed,))}


def _write_like(root: Path, e: frame.Expected, level: float) -> None:
    """A made-up record for a run of the suite: it needs the suite's id, so its spec is taken from there."""
    spec = _specs(e.seed)[e.id]
    made["write"](root, e, level=level, arrays=False)
    path = root / e.benchmark / e.id / "record.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"spec": spec}))


def test_quickstart_without_records_exits_zero_and_prints_the_page_last(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(frame, "COMMITTED", tmp_path / "nothing")
    assert command.main(["quickstart", "--seeds", "0"]) == cli.DONE
    out = capsys.readouterr().out
    assert "python -m benchmarks digits-noise --variant hope" in out
    path = Path(out.splitlines()[-1])
    assert path == tmp_path / "runs" / "reports" / "quickstart" / "index.html"
    assert path.is_file()


def test_a_grid_is_rendered_by_the_same_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command.main(["grid", "core", "--seeds", "0"]) == cli.DONE
    assert Path(capsys.readouterr().out.splitlines()[-1]) == tmp_path / "runs" / "reports" / "core" / "index.html"


@pytest.mark.parametrize(
    "words,hint",
    [
        (["quickstat"], "did you mean 'quickstart'"),
        (["benchmark", "digit-noise"], "did you mean 'digits-noise'"),
        (["benchmark"], "or a family of them: lra"),
        (["benchmark"], "one of: digits"),
        (["quickstart", "--variant", "hop"], "did you mean 'hope'"),
        (["quickstart", "digits"], "takes no name"),
        (["family", "larr"], "did you mean 'lra'"),
        (["grid", "cor"], "did you mean 'core'"),
        (["grid"], "one of: block, core"),
        (["grid", "core", "--readout", "last"], "option '--readout'"),
        (["grid", "core", "--bench", "digits", "--scale", "small"], "scale of digits 'small'"),
        (["sweep", "--bench", "digits"], "--sweep takes fields"),
        (["grid", "core", "--commit", "--format", "csv"], "--format"),
        (["everything", "core"], "takes no name"),
    ],
)
def test_a_wrong_word_exits_two_with_the_nearest(words: list[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.guarded(lambda: command.main(words)) == cli.USAGE
    error = capsys.readouterr().err
    assert hint in error
    assert len(error.strip().splitlines()) == 1


def test_commit_copies_records_and_renders_from_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = situation(tmp_path / "runs", "mixed")
    monkeypatch.setattr(frame, "COMMITTED", tmp_path / "records")
    monkeypatch.setattr(evidence, "HERE", tmp_path / "reports")
    (tmp_path / "README.md").write_text("no markers")
    monkeypatch.setattr(evidence, "arrays_wanted", lambda asked: {asked[0].id})
    real = request_quickstart((0,), ("default",), all_records())
    assert evidence.commit(replace(real, expected=asked), []) == cli.DONE
    kept = sorted(p.parent.name for p in (tmp_path / "records").rglob("record.json"))
    assert kept == sorted(e.id for e in asked[:11])  # the failed run is no evidence, and three were never made
    assert [p.parent.name for p in (tmp_path / "records").rglob("arrays*.npz")] == [asked[0].id]
    assert (tmp_path / "reports" / "tables" / "quickstart-results.md").is_file()
    assert (tmp_path / "reports" / "figures" / "quickstart-memory.svg").is_file()
    assert "show as holes" in capsys.readouterr().err
    assert committed.read(tmp_path / "reports") == [["quickstart", "--seeds", "0"]]
    assert "](figures/quickstart-memory.svg)" in (tmp_path / "reports" / "README.md").read_text()


def test_commit_leaves_a_record_that_the_same_code_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = situation(tmp_path / "runs", "mixed")
    monkeypatch.setattr(frame, "COMMITTED", tmp_path / "records")
    monkeypatch.setattr(evidence, "arrays_wanted", lambda asked: {asked[0].id})
    request = replace(request_quickstart((0,), ("default",), all_records()), expected=asked)
    for path in (tmp_path / "runs").rglob("record.json"):
        record = json.loads(path.read_text())
        record["environment"] |= {"content": "one"}
        path.write_text(json.dumps(record))
    assert evidence.copy_records(request)[:2] == (11, 0)
    places = {e.id: (tmp_path / "records" / e.benchmark / e.id, tmp_path / "runs" / e.benchmark / e.id) for e in asked[:4]}
    (with_arrays, _), (_, again), (_, newer), (damaged, _) = places.values()
    for folder, change in ((again, {"date": "later"}), (newer, {"content": "another"})):
        record = json.loads((folder / "record.json").read_text())
        record["environment"] |= change
        (folder / "record.json").write_text(json.dumps(record))
    next(with_arrays.glob("arrays*.npz")).unlink()
    (damaged / "record.json").write_text("{")
    assert evidence.copy_records(request)[:2] == (3, 8)
    assert list(with_arrays.glob("arrays*.npz"))
    of_code = [json.loads((committed / "record.json").read_text())["environment"] for committed, _ in places.values()]
    assert [e["content"] == "another" for e in of_code] == [False, False, True, False]
    assert "later" not in [e["date"] for e in of_code]


def test_commit_writes_the_results_into_the_readme_between_its_markers(tmp_path: Path) -> None:
    text = tmp_path / "README.md"
    text.write_text("before\n<!-- results: x -->\nyesterday\n<!-- end results: x -->\nafter\n")
    report = report_of(tmp_path, situation(tmp_path, "mixed"))
    assert readme.write_block(report, text)
    once = text.read_text()
    assert once.startswith("before\n")
    assert once.endswith("after\n")
    assert "yesterday" not in once
    assert report.tables()[0].markdown().splitlines()[0] in once
    assert readme.write_block(report, text)
    assert text.read_text() == once  # a second time changes nothing
    text.write_text("no markers")
    assert not readme.write_block(report, text)
    assert text.read_text() == "no markers"


def test_a_family_is_also_found_under_benchmark() -> None:
    family = command.request(["family", "lra", "--seeds", "0"], Store(()))
    assert command.request(["benchmark", "lra", "--seeds", "0"], Store(())).words == family.words == ("family", "lra", "--seeds", "0")


def test_the_words_of_a_request_ask_for_the_same(tmp_path: Path) -> None:
    for words in committed.read(evidence.HERE):
        assert list(command.request(words, Store(())).words) == words


def test_a_report_committed_again_takes_its_own_place(tmp_path: Path) -> None:
    first, second, again = (command.request(words.split(), Store(())) for words in ("grid core", "quickstart", "grid core --seeds 0"))
    requests = committed.with_report(committed.with_report([first], second), again)
    assert [r.name for r in requests] == ["core", "quickstart"]
    committed.write(requests, tmp_path)
    assert committed.read(tmp_path) == [["grid", "core", "--seeds", "0"], ["quickstart"]]


def test_what_stands_in_several_captions_is_said_once(tmp_path: Path) -> None:
    report = report_of(tmp_path, situation(tmp_path, "mixed"))
    rename = lambda part, name: replace(part, name=part.name.replace("x-", f"{name}-"))
    sections = tuple(replace(s, parts=tuple(rename(p, "y") for p in s.parts)) for s in report.sections)
    other = replace(report, name="y", sections=sections)
    readme.write_page([report, other], tmp_path / "README.md")
    text = (tmp_path / "README.md").read_text()
    for part in (p for s in report.sections for p in s.parts):
        for line in part.caption.split("\n"):
            assert text.count(line.replace("|", "\\|")) == 1
    repeated = readme.find_repeated([report, other])
    assert set(repeated.values()) == {"x"}
    assert {"y-accuracy", "y-memory"} <= {name.split(".")[0] for name in repeated}
    assert text.count("It is the figure of [x](#x).") == len(repeated)
    assert not any(f"figures/{name}" in text for name in repeated)
    assert text.count("[How to read it](#how-to-read-memory)") == 1
    assert text.count("[How to read it](#how-to-read-results)") == 2
    assert "[y](#y)" in text
    assert "\n## y\n" in text
    readme.write_page([report], tmp_path / "README.md")
    assert "How to read it" not in (tmp_path / "README.md").read_text()


def test_everything_finds_every_seed(tmp_path: Path) -> None:
    spec = BENCHMARKS["digits"].recipe("hope", "quick").with_seed(41)
    e = frame.Expected(labels={"variant": "hope"}, benchmark="digits", id=spec.id, seed=41, scale="quick", command="")
    made["write"](tmp_path, e, level=0.5, arrays=False)
    path = tmp_path / "digits" / spec.id / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"spec": canonical(spec)}))
    everything = report_everything(Store.at(tmp_path))
    (report,) = everything.reports
    assert report.name == "digits"
    assert list(report.runs[["variant", "seed", "status"]].itertuples(index=False, name=None)) == [("hope", 41, "ok")]
    assert everything.records() == 1
    assert everything.strays.empty


def _record_of(root: Path, spec: RunSpec, level: float = 0.5) -> None:
    """A made-up record of a run of the suite, with its whole spec in it."""
    e = frame.Expected(labels={"variant": "x"}, benchmark=spec.benchmark, id=spec.id, seed=spec.seed, scale=spec.scale, command="")
    made["write"](root, e, level=level, arrays=False)
    path = root / spec.benchmark / spec.id / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"spec": canonical(spec), "spec_full": every_field(spec)}))


def test_every_record_is_on_a_page(tmp_path: Path) -> None:
    """Whatever its scale, protocol, read-out or seed; what no recipe asks for on a page of its own, and what cannot be read by name."""
    noise, speech = BENCHMARKS["digits-noise"], BENCHMARKS["sc10"]
    specs = {
        "digits-noise": noise.recipe("fir", "quick").with_seed(12),
        "digits-noise-last": noise.read_out("last").recipe("hope", "quick").with_seed(0),
        "sc10-small": speech.recipe("s4", "small").with_seed(3),
        "sc10-mini": speech.with_protocol({"source": "mini"}).recipe("s4", "quick").with_seed(0),
    }
    for spec in specs.values():
        _record_of(tmp_path, spec)
    stray = replace(noise.recipe("hope", "quick").with_seed(0), epochs=3)
    _record_of(tmp_path, stray)
    broken = tmp_path / "sc10" / "000000000000" / "record.json"
    broken.parent.mkdir()
    broken.write_text("{")
    everything = report_everything(Store.at(tmp_path))
    by_name = {r.name: set(r.runs.loc[r.runs["status"] == "ok", "id"]) for r in everything.reports if r.title not in ABLATION_TITLES}
    assert {name: {spec.id} for name, spec in specs.items()}.items() <= by_name.items()
    assert by_name["digits-noise-changed"] == {stray.id}
    assert set(everything.strays["id"]) == {"000000000000"}
    assert "is not JSON" in " ".join(everything.strays["why"])
    assert everything.records() == 6


def test_a_run_that_failed_is_a_stray_and_its_benchmark_without_a_run(tmp_path: Path) -> None:
    """Also where another benchmark's title begins alike: the grey noise-padded CIFAR-10 has a run here, the coloured one has not."""
    failed = BENCHMARKS["scifar-noise"].recipe("hope", "quick").with_seed(0)
    e = frame.Expected(labels={"variant": "x"}, benchmark=failed.benchmark, id=failed.id, seed=0, scale="quick", command="")
    made["write"](tmp_path, e, status="failed", arrays=False)
    path = tmp_path / failed.benchmark / failed.id / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"spec": canonical(failed), "spec_full": every_field(failed)}))
    _record_of(tmp_path, BENCHMARKS["scifar-noise-gray"].recipe("hope", "quick").with_seed(0))
    everything = report_everything(Store.at(tmp_path))
    assert [r.name for r in everything.reports] == ["scifar-noise-gray"]
    assert BENCHMARKS["scifar-noise"].title in everything.empty
    assert BENCHMARKS["scifar-noise-gray"].title not in everything.empty
    assert list(everything.strays["why"]) == ["it did not finish, and neither did any run beside it"]
    assert everything.records() == 2


def test_everything_of_nothing_is_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(frame, "COMMITTED", tmp_path / "nothing")
    assert command.main(["everything"]) == cli.DONE
    assert Path(capsys.readouterr().out.splitlines()[-1]).is_file()


ABLATION_TITLES = {f"{grid.title}: the {grid.name} grid" for grid in ABLATIONS.values()}


def test_everything_is_an_index_with_a_page_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(frame, "COMMITTED", tmp_path / "nothing")
    _record_of(tmp_path / "runs", BENCHMARKS["digits"].recipe("hope", "quick").with_seed(0), 0.8)
    _record_of(tmp_path / "runs", replace(BENCHMARKS["digits"].recipe("hope", "quick").with_seed(0), epochs=3), 0.8)
    assert command.main(["everything"]) == cli.DONE
    index = Path(capsys.readouterr().out.splitlines()[-1])
    tags = Tags()
    tags.feed(index.read_text())
    assert tags.open == []
    pages = [link for link in tags.links if not link.startswith("#")]
    assert pages == ["digits/index.html", "digits-changed/index.html"]
    assert 'href="../index.html"' in (index.parent / pages[0]).read_text()
    assert "runs of no recipe" in index.read_text()
    assert "hope [epochs 3]" in (index.parent / pages[1]).read_text()
    assert len(index.read_bytes()) < 100_000


def test_a_terminal_without_unicode_gets_the_tables_with_replacements(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "SSM_RUNS": str(tmp_path), "MPLBACKEND": "none-of-these"}
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 9\naxes.facecolor: red\nfont.size: 30\nsvg.fonttype: none\n")
    once = subprocess.run(
        [sys.executable, "-m", "reports", "quickstart"], cwd=evidence.HERE.parent, env=environment, capture_output=True, check=False
    )
    assert once.returncode == cli.DONE, once.stderr
    assert b"97.03 ? 0.85 (3)" in once.stdout
    folder = tmp_path / "reports" / "quickstart"
    assert "97.03 ± 0.85 (3)" in (folder / "report.md").read_text(encoding="utf-8")
    first = {p.name: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    again = environment | {"MATPLOTLIBRC": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    subprocess.run([sys.executable, "-m", "reports", "quickstart"], cwd=evidence.HERE.parent, env=again, capture_output=True, check=True)
    assert first == {p.name: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.slow
def test_the_committed_page_and_tables_are_what_the_committed_records_say(tmp_path: Path) -> None:
    store = frame.committed_records()
    reports = [command.request(words, store).answer(store) for words in committed.read(evidence.HERE)]
    overview = compose_overview(store)
    evidence.write_committed_page(reports, store, overview, tmp_path / "README.md")
    again = "python -m reports everything --commit"
    assert (tmp_path / "README.md").read_text() == (evidence.HERE / "README.md").read_text(), again
    tables = {f"{table.name}.md": table.markdown() for table in (overview.scores, *(t for report in reports for t in report.tables()))}
    assert tables == {path.name: path.read_text() for path in (evidence.HERE / "tables").glob("*.md")}, again
    figures = {plot.file for report in reports for plot in report.plots()} - set(readme.find_repeated(reports)) | {overview.picture.file}
    assert figures == {path.name for path in (evidence.HERE / "figures").iterdir()}, again


def test_reports_do_without_torch_and_lightning() -> None:
    code = "import sys, reports.__main__, reports.everything, reports.benchmark as m, reports.parts.frame as f; "
    code += "m.request_quickstart((0,), ('default',), f.all_records()); "
    code += "sys.exit(any(n.split('.')[0] in ('torch', 'pytorch_lightning', 'lightning', 'sklearn') for n in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parent.parent).returncode == 0


def test_a_report_of_nothing_at_all() -> None:
    runs = frame.tidy([], Store(()))
    assert isinstance(runs, pd.DataFrame)


def test_a_record_that_is_made_again_meanwhile_stops_no_page(tmp_path: Path) -> None:
    """A launch beside a report moves a damaged record aside; the report has read it, and goes on with what it read."""
    report = report_of(tmp_path, situation(tmp_path, "one seed"))
    digest = made_of(report, ())
    for path in tmp_path.glob("*/*/record.json"):
        path.rename(path.with_name("record.json.corrupt"))
    assert made_of(report, ()) == digest
    assert [r.name for r in write_pages([report], tmp_path / "pages", (), index="")] == ["x"]
    assert (tmp_path / "pages" / "x" / "index.html").is_file()


def test_other_records_make_another_page(tmp_path: Path) -> None:
    asked = situation(tmp_path, "one seed")
    before = made_of(report_of(tmp_path, asked), ())
    made["write"](tmp_path, asked[0], level=0.123)
    assert made_of(report_of(tmp_path, asked), ()) != before
