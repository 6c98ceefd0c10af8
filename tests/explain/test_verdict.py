"""Only a map that beat both rivals is shown."""

from dataclasses import replace

import pytest

from medcxr.core.results import Estimate
from medcxr.explain.report import (
    EVIDENCE_MAP,
    JOINT_MAP,
    OCCLUSION_MAP,
    RIVALS,
    THOROUGH_MAP,
    CurveFigures,
    ExplanationReport,
    Gain,
    HitGain,
    PlaceFigures,
    RandomizedFigures,
    joined,
)
from medcxr.explain.verdict import (
    LEAST_IMAGES,
    best_map,
    is_true,
    told_absence,
    told_places,
    told_verdict,
)


def around(value, margin=0.02):
    return Estimate(value=value, low=value - margin, high=value + margin)


def curves(method=OCCLUSION_MAP, *, insertion=0.4, gain=0.1, n_images=30):
    return CurveFigures(
        finding="Effusion",
        method=method,
        n_images=n_images,
        deletion=around(0.1),
        insertion=around(insertion),
        gains=tuple(
            Gain(rival=rival, deletion=around(gain), insertion=around(gain)) for rival in RIVALS
        ),
    )


def report(*found, places=()):
    return ExplanationReport(model="tiny 1.0.0", graph="0" * 64, curves=found, places=places)


def holds(found, *, places=()):
    return is_true(report(found, places=places), "Effusion", found.method)


def places(kind="simulated", *, gains=(0.3, 0.3), n_images=60, method=OCCLUSION_MAP):
    return PlaceFigures(
        places=kind,
        finding="Effusion",
        method=method,
        n_images=n_images,
        hits=around(0.5),
        energy=None,
        area=0.1,
        gains=tuple(
            HitGain(rival=rival, hits=around(gain))
            for rival, gain in zip(RIVALS, gains, strict=True)
        ),
    )


def test_a_map_that_beats_both_rivals_on_both_curves_is_true():
    assert holds(curves())


@pytest.mark.parametrize("side", ["deletion", "insertion"])
@pytest.mark.parametrize("number", range(len(RIVALS)))
def test_one_interval_that_holds_zero_is_enough_to_fail(side, number):
    gains = list(curves().gains)
    gains[number] = replace(gains[number], **{side: around(0.019)})

    assert not holds(replace(curves(), gains=tuple(gains)))


def test_a_map_that_met_only_one_rival_is_not_true():
    assert not holds(replace(curves(), gains=curves().gains[:1]))
    assert not holds(replace(curves(), gains=()))


def test_a_handful_of_images_shows_nothing():
    assert not holds(curves(n_images=LEAST_IMAGES - 1))
    assert holds(curves(n_images=LEAST_IMAGES))


@pytest.mark.parametrize("gains", [(0.019, 0.3), (0.3, 0.0)])
def test_a_map_that_points_no_better_than_a_rival_is_not_true(gains):
    assert holds(curves(), places=[places()])
    assert not holds(curves(), places=[places(gains=gains)])
    assert not holds(curves(), places=[places("boxes"), places(gains=gains)])
    told = told_verdict(report(curves(), places=[places(gains=gains)]), "Effusion", OCCLUSION_MAP)
    assert "strongest place did not surely lie there more often" in told


def test_pointing_decides_only_for_the_map_that_points_and_on_enough_images():
    strays = (0.0, 0.0)
    assert holds(curves(), places=[places(gains=strays, n_images=LEAST_IMAGES - 1)])
    assert holds(curves(), places=[places(gains=strays, method=EVIDENCE_MAP)])
    assert best_map(report(curves(), places=[places(gains=strays)]), "Effusion") is None


def test_of_two_true_maps_the_one_that_the_probability_follows_more_is_shown():
    found = report(curves(EVIDENCE_MAP, insertion=0.5), curves(OCCLUSION_MAP, insertion=0.4))
    assert best_map(found, "Effusion") == EVIDENCE_MAP
    failed = report(curves(EVIDENCE_MAP, insertion=0.5, gain=0.0), curves(OCCLUSION_MAP))
    assert best_map(failed, "Effusion") == OCCLUSION_MAP


def test_of_two_true_maps_the_one_that_points_better_is_shown_where_places_are_known():
    both = (curves(EVIDENCE_MAP, insertion=0.5), curves(OCCLUSION_MAP, insertion=0.4))
    points = [
        replace(places(method=method), hits=around(hits))
        for method, hits in ((EVIDENCE_MAP, 0.5), (OCCLUSION_MAP, 0.6))
    ]
    assert best_map(report(*both, places=points), "Effusion") == OCCLUSION_MAP
    few = [replace(one, n_images=LEAST_IMAGES - 1) for one in points]
    assert best_map(report(*both, places=few), "Effusion") == EVIDENCE_MAP
    in_boxes = replace(places("boxes", method=EVIDENCE_MAP), hits=around(0.8))
    assert best_map(report(*both, places=[*points, in_boxes]), "Effusion") == EVIDENCE_MAP


def test_nothing_is_shown_of_what_failed_or_was_not_tested():
    assert best_map(None, "Effusion") is None
    assert best_map(report(), "Effusion") is None
    assert best_map(report(curves()), "Pneumonia") is None
    assert best_map(report(curves(gain=-0.1)), "Effusion") is None


def test_the_verdict_is_told_in_a_sentence():
    assert "was not tested" in told_verdict(None, "Effusion", EVIDENCE_MAP)
    assert "30 radiographs" in told_verdict(report(curves()), "Effusion", OCCLUSION_MAP)
    uncompared = report(replace(curves(), gains=()))
    assert "was not tested" in told_verdict(uncompared, "Effusion", OCCLUSION_MAP)
    thorough = told_verdict(uncompared, "Effusion", THOROUGH_MAP)
    assert "`medcxr explain-check --keep --method thorough` tests it" in thorough
    failed = told_verdict(report(curves(gain=0.0)), "Effusion", OCCLUSION_MAP)
    assert "is not shown to be true" in failed
    few = told_verdict(report(curves(n_images=3)), "Effusion", OCCLUSION_MAP)
    assert "only 3 radiographs" in few


def test_pointing_is_told_beside_the_map():
    places = [
        PlaceFigures(
            places=kind,
            finding="Effusion",
            method=OCCLUSION_MAP,
            n_images=n,
            hits=around(share),
            energy=None,
            area=0.1,
        )
        for kind, n, share in (("boxes", 42, 9 / 42), ("simulated", 60, 0.25))
    ]

    told = told_places(report(places=places), "Effusion", OCCLUSION_MAP)

    assert "in 9 of 42 radiographs with a reader's box and in 15 of 60 simulated lesions" in told
    assert "do not locate by it" in told
    sure = replace(places[1], hits=Estimate(value=0.95, low=0.91, high=0.99))
    told = told_places(report(places=[sure]), "Effusion", OCCLUSION_MAP)
    assert told == "Its strongest place lay in the finding in 57 of 60 simulated lesions."
    assert "do not" in told_places(report(places=[sure, places[0]]), "Effusion", OCCLUSION_MAP)
    assert told_places(report(places=places), "Effusion", EVIDENCE_MAP) == ""


def test_the_thorough_map_is_the_best_only_where_no_other_is_true():
    weak, strong = curves(EVIDENCE_MAP, insertion=0.2), curves(THOROUGH_MAP, insertion=0.9)
    untrue = curves(EVIDENCE_MAP, gain=0.0)
    assert best_map(report(weak, strong), "Effusion") == EVIDENCE_MAP
    assert best_map(report(untrue, strong), "Effusion") == THOROUGH_MAP
    assert best_map(report(untrue, curves(THOROUGH_MAP, gain=0.0)), "Effusion") is None
    strays = [places(method=THOROUGH_MAP, gains=(0.3, 0.0))]
    assert best_map(report(untrue, strong, places=strays), "Effusion") is None
    assert "No map is shown for Effusion" in told_absence(report(untrue), "Effusion")


def test_what_a_second_test_found_stands_before_the_rivals_of_its_finding():
    def of(finding, *methods):
        return [replace(curves(method), finding=finding) for method in methods]

    def alike(finding, method):
        return RandomizedFigures(
            finding=finding, method=method, n_images=5, correlation=around(0.0)
        )

    first = report(
        *of("Effusion", EVIDENCE_MAP, JOINT_MAP, *RIVALS),
        *of("Cardiomegaly", EVIDENCE_MAP, JOINT_MAP, *RIVALS),
        places=[places("boxes", method=RIVALS[0]), places(method=RIVALS[0])],
    )
    second = report(
        *of("Effusion", THOROUGH_MAP, *RIVALS),
        places=[places(method=THOROUGH_MAP), places(method=RIVALS[0])],
    )
    first = replace(first, randomized=(alike("Effusion", JOINT_MAP), alike("Gout", JOINT_MAP)))
    second = replace(second, randomized=(alike("Effusion", THOROUGH_MAP),))

    both = joined(first, second)

    assert [(one.finding, one.method) for one in both.curves] == [
        *(("Effusion", one) for one in (EVIDENCE_MAP, JOINT_MAP, THOROUGH_MAP, *RIVALS)),
        *(("Cardiomegaly", one) for one in (EVIDENCE_MAP, JOINT_MAP, *RIVALS)),
    ]
    assert [(one.places, one.method) for one in both.places] == [
        ("boxes", RIVALS[0]),
        ("simulated", THOROUGH_MAP),
        ("simulated", RIVALS[0]),
    ]
    assert [(one.finding, one.method) for one in both.randomized] == [
        ("Effusion", JOINT_MAP),
        ("Effusion", THOROUGH_MAP),
        ("Gout", JOINT_MAP),
    ]
