"""The card says what the manifest says, and what is missing is said to be missing."""

import re
from dataclasses import replace

import pytest

from bundles import FINDINGS, tiny_manifest
from medcxr.core.results import Estimate
from medcxr.registry.manifest import OutlineFigures, QuickLook
from medcxr.registry.model_card import model_card


@pytest.fixture(scope="module")
def card():
    return model_card(tiny_manifest())


def with_first_figures(**changes):
    manifest = tiny_manifest()
    measurement = manifest.measurements[0]
    first, *others = measurement.report.findings
    report = replace(measurement.report, findings=(replace(first, **changes), *others))
    return replace(manifest, measurements=(replace(measurement, report=report),))


def tables(card):
    """Return each table's rows of cells."""
    blocks = re.findall(r"(?:^\|.*\n)+", card, re.MULTILINE)
    return [[re.split(r"(?<!\\)\|", r)[1:-1] for r in block.splitlines()] for block in blocks]


def test_facts_of_the_manifest_are_told(card):
    manifest = tiny_manifest()
    for words in (
        "# Model card: tiny 1.0.0",
        manifest.description,
        "| Created | 2026-01-02 |",
        "| Run | run-0 |",
        "medcxr 0.1.0",
        manifest.training.data_fingerprint,
        manifest.measurements[0].method,
        manifest.measurements[0].command,
        "95% intervals, percentiles of a bootstrap that draws patients (50 resamples, seed 0)",
        "240 radiographs of 120 patients",
        "| size | 64 |",
    ):
        assert words in card


def test_the_limits_of_use_are_told(card):
    for words in ("Decision support", "without a validation", "adults", "frontal", "children"):
        assert words in card
    assert "diagnos" not in card.lower()


def test_every_finding_has_its_figures_with_intervals(card):
    for figures in tiny_manifest().measurements[0].report.findings:
        auc = figures.auc
        words = f"| {figures.finding} | {auc.value:.3f} ({auc.low:.2f} to {auc.high:.2f}) |"
        assert words in card
        for name in ("average_precision", "sensitivity", "f1", "calibration_error", "brier"):
            assert f"{getattr(figures, name).value:.3f} (" in card


def test_means_groups_and_thresholds_are_told(card):
    report = tiny_manifest().measurements[0].report
    assert f"{report.mean_auc.value:.3f} (" in card
    assert f"{report.mean_average_precision.value:.3f} (" in card
    assert f"| view | PA | {FINDINGS[0]} | " in card
    assert "| Finding | half | youden | sensitivity_90 |" in card


def test_the_promise_of_prediction_sets_is_told_with_what_was_kept(card):
    kept = tiny_manifest().measurements[0].coverage[FINDINGS[0]]
    row = f"| {FINDINGS[0]} | 90% | {kept.present:.1%} | {kept.absent:.1%} | {kept.uncertain:.1%} |"
    assert row in card
    without = replace(tiny_manifest().measurements[0], coverage={})
    assert "Prediction sets" not in model_card(replace(tiny_manifest(), measurements=(without,)))


def test_every_row_has_as_many_cells_as_its_head(card):
    found = tables(card)
    assert len(found) >= 8
    for rows in found:
        assert {len(row) for row in rows} == {len(rows[0])}


def test_an_undetermined_figure_is_told_and_not_left_blank():
    card = model_card(with_first_figures(auc=None, calibration_slope=None))
    assert f"| {FINDINGS[0]} | not determined | " in card
    assert re.search(rf"^\| {FINDINGS[0]} \|.*\| not determined \|$", card, re.MULTILINE)


def test_an_estimate_is_written_with_its_interval():
    card = model_card(with_first_figures(auc=Estimate(value=0.8123, low=0.7891, high=0.8349)))
    assert "| 0.812 (0.79 to 0.83) |" in card


def test_a_model_that_was_never_measured_says_so():
    card = model_card(replace(tiny_manifest(), measurements=(), training=None))
    assert "How good the model is: not determined" in card
    assert "Where the weights come from: not determined" in card
    assert "| Run | not determined |" in card


def test_a_name_cannot_end_its_cell():
    manifest = tiny_manifest()
    training = replace(manifest.training, data={"a | b\n# heading": 3})
    card = model_card(replace(manifest, training=training))
    assert r"| a \| b # heading | 3 |" in card


def test_outlines_are_measured_as_a_whole_and_by_table():
    one, other = (
        OutlineFigures(n_images=n, n_hearts=h, dice_lungs=0.97, dice_heart=d, ratio_error=e)
        for n, h, d, e in ((10, 10, 0.94, 0.012), (7, 0, None, None))
    )
    whole = replace(
        one,
        n_images=17,
        n_ratios=9,
        ratio_margin=0.0312,
        ratio_icc=0.953,
        n_enlarged=4,
        enlarged_auc=0.98,
        by_table={"a.csv": one, "b.csv": other},
    )
    manifest = replace(tiny_manifest(), outlines=("heart",), outline_figures=whole)
    card = model_card(manifest)
    assert "| All | 17 | 0.970 | 10 | 0.940 | 9 | 0.012 | 0.031 | 0.953 | 0.980 |" in card
    assert "| a.csv | 10 | 0.970 | 10 | 0.940 | 0 | 0.012 |  |  |  |" in card
    assert "| b.csv | 7 | 0.970 | 0 |  | 0 |  |  |  |  |" in card
    assert "of patients that the outlines were not learned from" in card
    assert "as drawn" not in card
    behind = replace(other, n_as_drawn=7, dice_lungs_as_drawn=0.934)
    whole = replace(
        whole, n_as_drawn=7, dice_lungs_as_drawn=0.934, by_table={"a.csv": one, "b.csv": behind}
    )
    told = model_card(replace(manifest, outline_figures=whole))
    assert "| 0.953 | 0.980 | 0.934 |" in told
    assert "| a.csv | 10 | 0.970 | 10 | 0.940 | 0 | 0.012 |  |  |  |  |" in told
    assert "| b.csv | 7 | 0.970 | 0 |  | 0 |  |  |  |  | 0.934 |" in told
    folded = model_card(replace(manifest, outline_figures=replace(whole, folds=5)))
    assert "by 5-fold cross-validation by patient" in folded
    assert "not learned from" not in folded
    assert "Dice" not in model_card(replace(manifest, outline_figures=None))
    assert "The graph outlines no organs" in model_card(tiny_manifest())
    assert "outlines no organs" not in card


def card_of(config):
    manifest = tiny_manifest()
    return model_card(replace(manifest, training=replace(manifest.training, config=config)))


def test_what_came_before_the_labels_is_told_of_each_recipe():
    simulated = {"pretraining": {"task": "simulated", "epochs": 4, "images": 1200}}
    card = card_of({**simulated, "companion": {"pretraining": {"task": "views"}}})
    assert "the networks of this recipe learned the findings of 1,200 simulated" in card
    assert "the networks of its companion learned from the same radiographs, without" in card
    beside = card_of({"simulated": {"images": 1300, "place_weight": 0.3}})
    assert "Beside these, the networks of this recipe learned from 1,300 simulated" in beside
    assert "Before these" not in beside
    assert "Before these" not in card_of({"companion": None, "pretraining": {"task": "none"}})


@pytest.mark.parametrize(
    "config", [{"pretraining": 3}, {"companion": "x"}, {"pretraining": {"task": "simulated"}}]
)
def test_a_configuration_of_another_program_tells_nothing(config):
    assert "Before these" not in card_of(config)


def test_it_is_told_whose_the_maps_by_occlusion_are(card):
    told = model_card(replace(tiny_manifest(), quick_look=QuickLook(networks=2, of=5)))

    assert "ask 2 of the 5 networks" in told
    assert "Maps by occlusion" not in card
