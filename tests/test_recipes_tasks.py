"""Recipes of the Long Range Arena, speech, BIDMC and the probes; and the numbers others printed for them. Nothing here opens a data set."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import torch

from benchmarks.benchmark import Benchmark
from benchmarks.published import PUBLISHED
from benchmarks.published.table import LRA, Number, Printed, collect_by_benchmark
from benchmarks.recipe import Recipe
from benchmarks.registry import BENCHMARKS, select_benchmark
from benchmarks.spec import Scale
from benchmarks.tasks import biosignals, pathfinder, probes, speech, tokens
from data.pathfinder.spec import PathfinderSpec
from models import DEFAULT_VARIANTS, VARIANTS, Constant, Cosine, DSSSpec, HOPESpec, MixerSpec, S4DSpec, S4Spec, StepSpec

TASKS = {b.name: BENCHMARKS[b.name] for module in (tokens, pathfinder, speech, biosignals, probes) for b in module.BENCHMARKS}
PROBES = [b.name for b in probes.BENCHMARKS]
PAIRS = [(name, scale) for name, b in TASKS.items() for scale in b.scales]
PADDED = ("lra-listops", "lra-text", "lra-retrieval", "retrieval-imdb")
BUILT = ("s4", "s4d-lin", "dss-softmax", "hope", "hope-twosided", "fir", "lstm", "transformer")
ONE_OF_A_KIND = ("lra-listops", "retrieval-imdb", "lra-pathfinder", "sc10-mfcc", "bidmc-rr", "delay", "copying")
"""A benchmark for each kind of input and output."""
LOOK_AROUND = ("hope-circular", "hope-twosided")
"""Rows whose filter has the period of its input."""


def rows(name: str) -> list[str]:
    return [v for v in VARIANTS if not (name in PADDED and v in LOOK_AROUND)]


def recipe(name: str, scale: Scale, variant: str) -> Recipe:
    return TASKS[name].recipe(variant, scale)


def mixer(name: str, scale: Scale, variant: str) -> MixerSpec:
    return recipe(name, scale, variant).run.model.mixer


@pytest.mark.parametrize(("name", "scale"), PAIRS)
def test_every_row_has_a_recipe_with_a_source_that_can_be_built(name: str, scale: Scale) -> None:
    """Built thin, as `test_every_row_runs_on_a_batch_of_its_task` does for quick scale; S4 and S4D share what would refuse."""
    for variant in rows(name):
        found = recipe(name, scale, variant)
        assert (found.run.benchmark, found.run.scale) == (name, scale)
        assert found.source.strip()
        assert found.notes
        assert all(note.strip() == note != "" for note in found.notes)
        assert len(set(found.notes)) == len(found.notes)
        assert recipe(name, scale, variant).run.id == found.run.id
        if scale == "quick" or variant not in BUILT or name in ("bidmc-hr", "bidmc-spo2"):
            continue
        s = found.run.data.signature
        thin = replace(found.run.model, d_model=8, n_layers=1)
        thin.build(d_input=s.d_input, vocab=s.vocab, d_output=s.d_output, per_step=s.per_step, two_towers=s.two_towers)


@pytest.mark.parametrize("name", ONE_OF_A_KIND)
def test_every_row_runs_on_a_batch_of_its_task(name: str) -> None:
    """Padded and masked where the task is, in pairs where it is; a softmax kernel without a fixed length would refuse here."""
    for variant in rows(name):
        run = recipe(name, "quick", variant).run
        s, L = run.data.signature, 12
        model = replace(run.model, d_model=8, n_layers=1).build(
            d_input=s.d_input, vocab=s.vocab, d_output=s.d_output, per_step=s.per_step, two_towers=s.two_towers
        )
        shape = (2, 2, L) if s.two_towers else (2, L)
        x = torch.ones(*shape, s.d_input) if s.vocab is None else torch.ones(*shape, dtype=torch.long)
        lengths = torch.tensor([[L, 5], [7, L]])[:, : shape[1] if s.two_towers else 1] if name in PADDED else None
        if lengths is not None and not s.two_towers:
            lengths = lengths[:, 0]
        assert model(x, lengths).shape == ((2, L, s.d_output) if s.per_step else (2, s.d_output))


@pytest.mark.parametrize(("name", "scale"), [(n, s) for n, s in PAIRS if s != "paper"])
def test_rows_differ_in_their_mixer_and_direction_only(name: str, scale: Scale) -> None:
    runs = [recipe(name, scale, variant).run for variant in rows(name)]
    same = runs[0].model.mixer
    assert len({replace(r, model=replace(r.model, mixer=same, bidirectional=False)).id for r in runs}) == 1
    if scale == "quick":
        both_ways = name in [b.name for b in pathfinder.BENCHMARKS]  # whose answer lies in no one place
        assert {r.model.bidirectional for r in runs if r.model.mixer.two_way} == {both_ways}


@pytest.mark.parametrize(("name", "scale"), [(n, s) for n, s in PAIRS if s != "paper"])
def test_rows_begin_with_the_same_time_scales(name: str, scale: Scale) -> None:
    """S4's convention is 1; HOPE's step sizes are half of it."""
    steps = [m for v in rows(name) if isinstance(m := mixer(name, scale, v), StepSpec)]
    assert len({(m.dt_min / m.dt_convention, m.dt_max / m.dt_convention) for m in steps}) == 1
    assert len({m.lr_dt for m in steps}) == 1


def test_ids_tell_benchmarks_scales_and_rows_apart() -> None:
    found: dict[str, list[tuple[str, Scale, str]]] = {}
    for name, scale in PAIRS:
        for variant in rows(name):
            found.setdefault(recipe(name, scale, variant).run.id, []).append((name, scale, variant))
    for same in found.values():
        name, _, first = same[0]
        # at paper scale a second line, which has the rates of its paper, is the first
        assert len(same) == 1 or same == [(name, "paper", first), (name, "paper", f"{first}-paper-rates")]


def test_filters_with_a_period_are_refused_where_sequences_are_padded() -> None:
    for name in PADDED:
        for scale in TASKS[name].scales:
            for variant in LOOK_AROUND:
                with pytest.raises(ValueError, match="use hope, whose filter is causal"):
                    recipe(name, scale, variant)
            found = mixer(name, scale, "dss-softmax")
            assert isinstance(found, DSSSpec)
            assert found.length == recipe(name, scale, "dss-softmax").run.data.signature.length
    unpadded = mixer("lra-pathfinder", "quick", "dss-softmax")
    assert isinstance(unpadded, DSSSpec)
    assert unpadded.length is None


def test_scales_without_a_published_setting_are_left_out_and_said_so() -> None:
    without = {name for name, b in TASKS.items() if "paper" not in b.scales}
    assert without == {"retrieval-imdb", "pathfinder64", "pathfinder256", "sc10-mfcc", *PROBES}
    for name in without:
        about = TASKS[name].about
        assert "published" in about
        with pytest.raises(ValueError, match="unknown scale"):
            TASKS[name].recipe("s4d-lin", "paper")
    assert all(TASKS[name].scales == ("quick",) for name in PROBES)


def test_paper_scale_is_on_official_files_and_quick_needs_no_download_where_there_is_a_generator() -> None:
    for name, scale in PAIRS:
        for variant in DEFAULT_VARIANTS:
            source = getattr(recipe(name, scale, variant).run.data, "source", "")
            if scale == "paper":
                assert source == "official"
            elif name.startswith(("lra-path", "pathfinder", "lra-listops")):
                assert source == "generated"


@pytest.mark.parametrize("name", [n for n in TASKS if TASKS[n].reduced_at("quick")])
def test_a_smaller_task_is_one_at_quick_scale_alone_and_its_protocol_does_not_undo_it(name: str) -> None:
    benchmark = BENCHMARKS[name]
    assert benchmark.title_at("quick") == f"{benchmark.title}, {benchmark.reduced_at('quick')}"
    assert all(benchmark.title_at(scale) == benchmark.title for scale in benchmark.scales if scale != "quick")
    data = benchmark.recipe("s4d-lin", "quick").run.data
    means = [name for name in ("longest", "averaged", "difficulty", "sampling", "length") if hasattr(data, name)]
    smaller = {name for name in means if getattr(data, name) != getattr(type(data), name)}
    assert smaller
    assert smaller - {"difficulty", "length"} <= set(data.task)  # these two are choices of protocol too


def test_a_protocol_that_a_smaller_task_cannot_have_is_one_of_the_other_scales() -> None:
    official = select_benchmark("lra-listops", protocol="source=official")
    assert official.tag == "-official"
    assert [official.benchmark.has_recipe("s4", scale) for scale in ("quick", "small", "paper")] == [False, True, True]
    with pytest.raises(ValueError, match="official tables have expressions of 501 to 1,999 tokens"):
        official.benchmark.recipe("s4", "quick")


def test_quick_runs_fit_the_mini_set_of_speech() -> None:
    """1,992 / 266 / 342 clips of ten words; of the other 25 words there are few."""
    for name in ("sc10", "sc10-mfcc", "sc35"):
        data: Any = recipe(name, "quick", "s4d-lin").run.data
        assert (data.train_subset <= 1992, data.val_subset <= 266, data.test_subset <= 342) == (True, True, True)
        for variant in DEFAULT_VARIANTS:
            replace(data, source="mini")
            assert BENCHMARKS[name].with_protocol({"source": "mini"}).recipe(variant, "quick").run.data == replace(data, source="mini")


def test_settings_of_s4_are_those_of_its_release() -> None:
    """Rows of state-spaces/s4 v3.0.0, typed again from the configs: layers, channels, rate, decay, batch, epochs, warm-up and total."""
    released = {
        "lra-listops": (8, 128, 0.01, 0.05, 50, 40, 1000, 80_000),
        "lra-text": (6, 256, 0.01, 0.05, 16, 32, 1000, 50_000),
        "lra-retrieval": (6, 256, 0.01, 0.05, 64, 20, 2500, 50_000),
        "lra-pathfinder": (6, 256, 0.004, 0.03, 64, 200, 2500, 500_000),
        "lra-pathx": (6, 256, 0.0005, 0.05, 16, 50, 10_000, 500_000),
        "sc35": (6, 128, 0.01, 0.05, 16, 40, 1000, 200_000),
    }
    for name, values in released.items():
        for variant in ("s4", "s4d-lin"):
            run = recipe(name, "paper", variant).run
            schedule: Any = run.optim.schedule
            m, o = run.model, run.optim
            found = (m.n_layers, m.d_model, o.lr, o.weight_decay, run.batch_size, run.epochs, schedule.warmup_steps, schedule.total_steps)
            assert found == values
            assert (m.bidirectional, m.mixing, m.norm, m.prenorm) == (True, "glu", "batch", name != "lra-listops")
            assert isinstance(m.mixer, (S4Spec, S4DSpec))
            assert m.mixer.n_ssm == (2 if name == "sc35" else None)
            assert (m.mixer.dt_min, m.mixer.lr_A) == ((1e-4, 5e-4) if name == "lra-pathx" else (1e-3, 1e-3))
            assert m.mixer.lr_dt == {"lra-pathx": 5e-4, "lra-pathfinder": 1e-3, "sc35": 1e-3}.get(name)
            assert m.mixer.discretization == "bilinear"
            assert m.pool_last == (1 if name == "lra-pathfinder" else None)


def test_data_are_read_at_paper_scale_as_by_the_published_code() -> None:
    """The reader, not the choice of the checkpoint: pixels in [-1, 1], CSV quotation marks, waves divided twice, shuffled batches."""
    wanted = {
        "lra-listops": {"batches": "shuffled"},
        "lra-text": {"batches": "shuffled", "validation": "held-out"},
        "lra-retrieval": {"batches": "shuffled", "quoting": "csv"},
        "lra-pathfinder": {"scaling": "centred"},
        "lra-pathx": {"scaling": "centred"},
        "sc10": {"scaling": "s4-quirk"},
        "sc35": {"scaling": "s4-quirk"},
    }
    for name, fields in wanted.items():
        for variant in DEFAULT_VARIANTS:
            data = recipe(name, "paper", variant).run.data
            assert {field: getattr(data, field) for field in fields} == fields
    for name in PADDED:
        data = {scale: recipe(name, scale, "s4").run.data.batches for scale in TASKS[name].scales}
        assert data == {scale: "sorted" if scale == "quick" else "shuffled" for scale in TASKS[name].scales}


def test_small_settings_of_tokens_are_those_of_the_repository() -> None:
    """Text: batches of 50, 50 epochs, a cosine of 25,000 steps. ListOps: timm's warm-up of 40 of 40 epochs, so a ramp over the run."""
    text, listops = (recipe(name, "small", "s4").run for name in ("lra-text", "lra-listops"))
    assert (text.batch_size, text.epochs, text.optim.schedule) == (50, 50, Cosine(warmup_steps=1000, total_steps=25_000))
    assert (listops.batch_size, listops.epochs, listops.optim.schedule) == (50, 40, Constant(warmup_steps=40 * 1920))


def test_what_differs_from_the_authors_code_is_said_of_the_rows_it_is_true_of() -> None:
    said = {variant: " ".join(recipe("lra-listops", "paper", variant).notes) for variant in VARIANTS if variant not in LOOK_AROUND}
    for words, of in {
        "I - A_bar^L": {"s4", "s4-fout"},
        "FouT": {"s4-fout"},
        "40.75": {"s4d-legs"},
        "N(0, 1)": {"s4d-rand"},
        "TF32": set(said) - {v for v in said if v.startswith(("dss", "hope"))},
        "no row here is the published model": {"hope", "hope-paper-rates"},
        "1/8 in each channel": {"hope", "hope-paper-rates"},
        "Im(Lambda) in each channel": {v for v in said if v.startswith("dss")},
    }.items():
        assert {variant for variant, notes in said.items() if words in notes} == of, words
    assert "Lambda - P Q*" in " ".join(recipe("sc10", "paper", "s4").notes)
    assert "HEAD has softplus" in " ".join(recipe("lra-text", "small", "s4d-lin").notes)


def test_papers_of_other_rows_keep_their_own_settings() -> None:
    dss, hope, frozen = mixer("lra-pathx", "paper", "dss-softmax"), mixer("lra-text", "paper", "hope"), mixer("lra-pathx", "paper", "hope")
    assert isinstance(dss, DSSSpec)
    assert isinstance(hope, HOPESpec)
    assert isinstance(frozen, HOPESpec)
    assert (dss.d_state, dss.lr_W, dss.lr_dt, dss.dt_min, dss.dt_max) == (128, 1e-3, 1e-4, 1e-4, 1e-2)
    assert all(mixer(name, "paper", "dss-exp").dt_per_part for name in (*PADDED[:3], "lra-pathfinder", "sc10"))
    assert (hope.d_state, hope.lr_h, hope.lr_dt, hope.dt_link, hope.train_dt, hope.train_h) == (64, 1e-3, None, "softplus", True, True)
    assert (frozen.d_state, frozen.lr_h, frozen.train_dt, frozen.dt_max) == (128, 5e-4, False, 1.0)
    own = mixer("lra-pathx", "paper", "hope-paper-rates")
    assert isinstance(own, HOPESpec)
    assert own.lr_h is None
    assert not recipe("lra-text", "paper", "dss-exp").run.model.bidirectional
    assert recipe("lra-text", "paper", "dss-exp").run.data.signature.length == 2048


def test_every_row_of_bidmc_has_the_same_number_of_states() -> None:
    for scale in ("small", "paper"):
        for variant in DEFAULT_VARIANTS:
            found: Any = mixer("bidmc-rr", scale, variant)
            assert found.d_state == 256


# ---------------------------------------------------------------- published numbers


@pytest.mark.parametrize("name", [name for name in PUBLISHED if name in TASKS])
def test_published_numbers_are_cited_verified_and_plausible(name: str) -> None:
    benchmark: Benchmark = TASKS[name]
    assert benchmark.published == PUBLISHED[name] != ()
    for p in benchmark.published:
        assert p.status.startswith("verified (")
        assert p.source.strip()
        assert p.zero_shot == "" or p.zero_shot in benchmark.zero_shot
        low, high = (0, 20) if benchmark.metric == "rmse" else (1, 100)
        assert math.isnan(p.value) or low < p.value < high
        assert p.std is None or 0 <= p.std < (1 if benchmark.metric == "rmse" else 30 if p.variant == "S5-Lin" else 3)
    keys = Counter((p.variant, p.zero_shot, p.quantity) for p in benchmark.published)
    assert max(keys.values()) == 1


def test_the_ablation_of_link_and_discretization_is_printed_where_it_was_made() -> None:
    """18 numbers: three links x two discretizations on sequential CIFAR-10, SC35 and the oxygen saturation of BIDMC."""
    names = ("scifar", "sc35", "bidmc-spo2")
    found = {name: {p.variant: (p.value, p.std) for p in PUBLISHED[name] if p.variant.startswith("S4D small")} for name in names}
    assert [len(of) for of in found.values()] == [6, 6, 6]
    assert found["sc35"]["S4D small, bilinear, Re(A) free"] == (90.58, 0.37)
    assert found["bidmc-spo2"]["S4D small, zoh, Re(A) = -exp"] == (0.1303, 0.0014)


def test_the_published_pair_of_real_and_complex_is_of_validation() -> None:
    pair = {p.variant: p for p in PUBLISHED["lra-image"] if p.quantity}
    assert {pair[name].value for name in ("S4D-Real, large", "S4D, large", "S4D-Real, small", "S4D, small")} == {74.3, 88.28, 70.88, 82.78}
    assert {p.quantity for p in pair.values()} == {"validation accuracy"}
    assert pair["S4D, large"].note.startswith("3.96M parameters, 105 s an epoch; ")


def test_rows_that_disagree_are_both_printed() -> None:
    own, again = (next(p for p in PUBLISHED["lra-text"] if p.variant == name) for name in ("s4d-legs", "S4D, by RTF's authors"))
    assert (own.value, again.value) == (86.18, 87.03)
    averages = {p.variant: p.value for p in PUBLISHED["lra"]}
    assert (averages["s4"], averages["s4d-lin"], averages["hope"], averages["Transformer of LRA"]) == (86.09, 78.39, 87.85, 54.39)


def test_averages_are_those_of_the_six_tasks() -> None:
    """As printed, a task that was not learned counting as 50; off by a rounding where the paper is."""
    columns = [{(p.variant, p.source): p.value for p in PUBLISHED[name]} for name in LRA]
    checked = 0
    for p in PUBLISHED["lra"]:
        cells = [column.get((p.variant, p.source)) for column in columns]
        if None not in cells and "five tasks" not in p.note:
            mean = sum(50 if math.isnan(cell) else cell for cell in cells if cell is not None) / 6
            assert abs(mean - p.value) < 0.05, p
            checked += 1
    assert checked > 25


def test_hope_is_printed_with_where_it_comes_from() -> None:
    for name in ("lra-listops", "lra-text", "lra-retrieval", "lra-pathfinder", "lra-pathx"):
        (own,) = [p for p in PUBLISHED[name] if p.variant == "hope"]
        assert "2505.09022" in own.source
        assert own.note == "median of five seeds"


def test_rows_that_never_learnt_path_x_are_printed_as_such() -> None:
    failed = {p.variant for p in PUBLISHED["lra-pathx"] if math.isnan(p.value)}
    assert {"s4d-lin", "s4-fout", "Transformer of LRA"} <= failed
    assert not {p.variant for p in PUBLISHED["lra-text"] if math.isnan(p.value)}


def test_a_printed_table_with_a_missing_cell_is_refused() -> None:
    rows: dict[str, tuple[Number, ...]] = {"s4": ((1.0, 0.5), None), "s4d-lin": (2.0, 3.0)}
    found = collect_by_benchmark((Printed(source="somewhere", status="text", columns=("a", "b"), rows=rows),))
    assert [(p.variant, p.value, p.std) for p in found["a"]] == [("s4", 1.0, 0.5), ("s4d-lin", 2.0, None)]
    assert [(p.variant, p.value, p.std) for p in found["b"]] == [("s4d-lin", 3.0, None)]
    with pytest.raises(ValueError, match="somewhere: s4, s4d-lin must have 1 numbers"):
        Printed(source="somewhere", status="text", columns=("a",), rows=rows)


@pytest.mark.parametrize("name", [b.name for b in pathfinder.BENCHMARKS])
def test_a_quick_task_of_drawn_pictures_asks_for_no_more_than_are_drawn(name: str) -> None:
    data = recipe(name, "quick", "s4d-lin").run.data
    assert isinstance(data, PathfinderSpec)
    tenth = data.images // 10  # the cut is 80 / 10 / 10
    assert max(data.val_subset, data.test_subset) <= tenth
    assert min(data.val_subset, data.test_subset) >= 600
