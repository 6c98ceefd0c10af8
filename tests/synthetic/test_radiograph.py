"""One radiograph: the same again, with truth that fits the pixels."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.core.images import View
from medcxr.synthetic import (
    Consolidation,
    Effusion,
    Side,
    ThoraxParameters,
    sample_parameters,
    simulate,
)

SEEDS = st.integers(0, 2**31 - 1)
CONTRAST_FLOOR = 0.2  # a fifth of a power of e, several times a rib's edge
DISEASES = (Finding.PNEUMONIA, Finding.EFFUSION, Finding.CARDIOMEGALY)


def width(mask):
    columns = np.nonzero(mask)[1]
    return columns.max() - columns.min() + 1


def test_the_same_arguments_give_the_same_radiograph(patient, radiograph):
    again = simulate(patient, size=192, seed=3)

    np.testing.assert_array_equal(again.pixels, radiograph.pixels)
    np.testing.assert_array_equal(again.heart, radiograph.heart)


def test_another_seed_gives_the_same_anatomy_with_other_texture(patient, radiograph):
    other = simulate(patient, size=192, seed=4)

    np.testing.assert_array_equal(other.heart, radiograph.heart)
    assert np.abs(other.pixels - radiograph.pixels).mean() > 0.002


def test_pixels_are_gray_values_with_black_lungs_and_white_mediastinum(radiograph):
    pixels = radiograph.pixels

    assert pixels.dtype == np.float32
    assert pixels.shape == (192, 192)
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    lungs = pixels[radiograph.right_lung | radiograph.left_lung]
    assert np.median(lungs) + 0.15 < np.median(pixels[radiograph.heart])
    assert pixels[:3, :3].mean() < 0.25  # air beside the neck


def test_the_patients_right_is_on_the_left_of_the_image(radiograph):
    right, left = (
        np.nonzero(mask)[1].mean() for mask in (radiograph.right_lung, radiograph.left_lung)
    )
    heart = np.nonzero(radiograph.heart)[1].mean()

    assert right < heart < left
    assert heart > (right + left) / 2  # the heart lies to the left


def test_a_512_pixel_radiograph_takes_less_than_a_second_of_one_core(patient):
    seconds = []
    for seed in range(3):
        start = time.thread_time()
        simulate(patient, size=512, seed=seed)
        seconds.append(time.thread_time() - start)

    assert min(seconds) < 1.0  # the fastest, as other programs slow this one down


def test_too_small_a_size_is_refused(patient):
    with pytest.raises(DataError, match="too small"):
        simulate(patient, size=32)


@settings(max_examples=20)
@given(seed=SEEDS, view=st.sampled_from((View.PA, View.AP)))
def test_masks_share_no_pixel_lie_inside_and_have_the_size_of_organs(seed, view):
    made = simulate(sample_parameters(np.random.default_rng(seed), view=view), size=96, seed=seed)
    masks = [made.right_lung, made.left_lung, made.heart]

    assert np.sum(masks, axis=0).max() == 1
    border = np.ones((96, 96), bool)
    border[1:-1, 1:-1] = False
    assert not any((mask & border).any() for mask in masks)
    cm2 = [mask.sum() * made.spacing_mm[0] ** 2 / 100 for mask in masks]
    assert 70 < cm2[0] < 450
    assert 30 < cm2[1] < 400
    assert 30 < cm2[2] < 400


@settings(max_examples=25)
@given(seed=SEEDS, findings=st.sets(st.sampled_from(DISEASES)))
def test_findings_are_true_of_the_image(seed, findings):
    wanted = findings or {Finding.NO_FINDING}
    patient = sample_parameters(np.random.default_rng(seed), findings=wanted, view=View.PA)

    made = simulate(patient, size=96, seed=seed)

    lungs = made.right_lung | made.left_lung
    ratio = width(made.heart) / width(lungs)
    assert made.cardiothoracic_ratio == pytest.approx(ratio)
    assert set(made.findings) == wanted
    assert (Finding.CARDIOMEGALY in made.findings) == (ratio > 0.5)
    assert {lesion.finding for lesion in made.lesions} == findings
    assert len(made.lesions) == (
        len(patient.effusions) + len(patient.consolidations) + (Finding.CARDIOMEGALY in findings)
    )
    for lesion in made.lesions:
        assert lesion.contrast > CONTRAST_FLOOR
        assert not (lesion.mask & ~(lungs | made.heart)).any()
        assert_box_encloses(lesion)


def assert_box_encloses(lesion):
    x, y, box_width, box_height = (value * 96 for value in lesion.box)
    rows, columns = np.nonzero(lesion.mask)
    assert columns.min() == pytest.approx(x)
    assert columns.max() + 1 == pytest.approx(x + box_width)
    assert rows.min() == pytest.approx(y)
    assert rows.max() + 1 == pytest.approx(y + box_height)
    assert x < lesion.center[0] * 96 < x + box_width
    assert y < lesion.center[1] * 96 < y + box_height


@settings(max_examples=15)
@given(seed=SEEDS)
def test_an_upright_heart_has_the_ratio_of_its_parameters(seed):
    patient = sample_parameters(np.random.default_rng(seed), view=View.PA)

    made = simulate(patient, size=128, seed=seed)

    assert made.cardiothoracic_ratio == pytest.approx(patient.heart_ratio, abs=0.02)


def test_the_same_heart_looks_larger_in_an_ap_view(patient):
    upright = simulate(patient, size=192).cardiothoracic_ratio
    bedside = simulate(replace(patient, view=View.AP), size=192).cardiothoracic_ratio

    assert bedside > upright + 0.015


def test_no_finding_with_another_finding_is_refused():
    with pytest.raises(DataError, match="excludes Effusion"):
        sample_parameters(np.random.default_rng(0), findings=(Finding.NO_FINDING, Finding.EFFUSION))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heart_ratio": 0.5}, "neither normal nor enlarged"),
        ({"view": View.LATERAL}, "cannot be simulated"),
        ({"effusions": (Effusion(side=Side.LEFT, volume=0.2),) * 2}, "two effusions"),
    ],
)
def test_a_patient_that_cannot_be_is_refused(changes, message):
    with pytest.raises(DataError, match=message):
        ThoraxParameters(**changes)


def with_and_without(patient, **lesions):
    sick = simulate(replace(patient, **lesions), size=192, seed=3)
    return sick, simulate(patient, size=192, seed=3)


@pytest.mark.parametrize("side", list(Side))
def test_an_effusion_whitens_the_base_of_its_side_alone(patient, side):
    sick, healthy = with_and_without(patient, effusions=(Effusion(side=side, volume=0.4),))
    lesion = sick.lesions[0]

    change = sick.pixels - healthy.pixels

    assert change[lesion.mask].mean() > 0.12
    other = sick.left_lung if side is Side.RIGHT else sick.right_lung
    assert abs(change[other].mean()) < 0.05
    own = sick.right_lung if side is Side.RIGHT else sick.left_lung
    rows = np.nonzero(own)[0]
    assert np.nonzero(lesion.mask)[0].max() == rows.max()  # the costophrenic angle is filled
    upper = own & (np.arange(192)[:, None] < np.quantile(rows, 0.3))
    assert abs(change[upper].mean()) < 0.05


def test_more_fluid_covers_more_lung(patient):
    areas = []
    for volume in (0.0, 0.3, 0.6, 1.0):
        effusion = Effusion(side=Side.RIGHT, volume=volume)
        sick = simulate(replace(patient, effusions=(effusion,)), size=192)
        areas.append(sick.lesions[0].mask.sum() / sick.right_lung.sum())

    assert areas == sorted(areas)
    assert areas[0] < 0.12
    assert areas[-1] > 0.45


@pytest.mark.parametrize("side", list(Side))
def test_the_meniscus_rises_to_the_chest_wall(patient, side):
    effusion = Effusion(side=side, volume=0.5)
    sick = simulate(replace(patient, effusions=(effusion,)), size=192)
    mask = sick.lesions[0].mask
    field = sick.right_lung if side is Side.RIGHT else sick.left_lung

    tops, lung_tops = mask.argmax(axis=0), field.argmax(axis=0)  # first rows of each column
    columns = np.flatnonzero(mask.any(axis=0) & (tops > lung_tops + 2))  # air above the fluid
    outward = tops[columns[::-1] if side is Side.RIGHT else columns]
    lateral_half = outward[len(outward) // 2 :]

    assert (np.diff(lateral_half) <= 0).mean() > 0.9
    assert lateral_half[0] - lateral_half[-1] > 8


def test_a_consolidation_whitens_its_place_and_nothing_else(patient):
    focus = Consolidation(side=Side.RIGHT, lateral=0.5, height=0.4, radius_mm=35, density=0.8)
    sick, healthy = with_and_without(patient, consolidations=(focus,))
    lesion = sick.lesions[0]

    change = sick.pixels - healthy.pixels

    assert change[lesion.mask].mean() > 0.1
    assert abs(change[sick.left_lung].mean()) < 0.04
    assert 0.2 < lesion.center[1] < 0.6
