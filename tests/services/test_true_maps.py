"""Which maps a report of one radiograph gets, and which looks are spared."""

from dataclasses import replace

import numpy as np
import pytest

from bundles import FINDINGS, keep_map_tests, use_thorough_model
from medcxr.core.language import LANGUAGES, speaking
from medcxr.explain.report import EVIDENCE_MAP, JOINT_MAP, OCCLUSION_MAP, THOROUGH_MAP
from medcxr.services.analysis import analyze_image
from medcxr.services.shown_map import maps_of
from medcxr.services.true_maps import draw_true_maps


@pytest.fixture
def workspace(tiny_workspace):
    use_thorough_model(tiny_workspace)
    return tiny_workspace


@pytest.fixture
def radiograph(sample_data):
    return sample_data / "images" / "synthetic_00000.png"


def states(analyzed):
    """Return the names of the findings that are present, and of those that are absent."""
    present = [f.finding for f in analyzed.analysis.findings if f.present]
    return present, [name for name in FINDINGS if name not in present]


def counted(seen):
    return lambda done, _total: seen.append(done)


def test_a_thorough_map_is_drawn_of_findings_that_are_present(workspace, radiograph):
    keep_map_tests(workspace, thorough=FINDINGS)
    analyzed = analyze_image(workspace, radiograph)
    present, absent = states(analyzed)
    assert present
    assert absent
    looks = []

    maps = draw_true_maps(workspace, analyzed, progress=counted(looks))

    assert [one.finding for one in maps.shown(analyzed)] == present
    assert {one.method for one in maps.shown(analyzed)} == {THOROUGH_MAP}
    assert maps.spared == set(absent)
    for finding, told in zip(absent, maps.absences(analyzed), strict=True):
        assert told.startswith(f"No map is shown for {finding}, which was found absent")
    assert looks.count(1) <= 1  # one row of looks for all findings
    expected = maps_of(workspace, analyzed, THOROUGH_MAP)
    for one in maps.shown(analyzed):
        np.testing.assert_array_equal(one.evidence, expected[one.finding])


def test_no_finding_is_present_where_it_is_though_it_is_no_active_one(workspace, radiograph):
    keep_map_tests(workspace, thorough=("No Finding",))
    analyzed = analyze_image(workspace, radiograph)
    healthy = [
        replace(found, present=found.finding == "No Finding")
        for found in analyzed.analysis.findings
    ]
    analyzed = replace(analyzed, analysis=replace(analyzed.analysis, findings=tuple(healthy)))
    assert analyzed.analysis.active == ()
    maps = draw_true_maps(workspace, analyzed)
    assert [one.finding for one in maps.shown(analyzed)] == ["No Finding"]
    assert maps.spared == set()


def test_where_all_are_absent_no_look_is_taken(workspace, radiograph):
    analyzed = analyze_image(workspace, radiograph)
    _, absent = states(analyzed)
    keep_map_tests(workspace, thorough=absent)
    analyzed = analyze_image(workspace, radiograph)
    looks = []

    maps = draw_true_maps(workspace, analyzed, progress=counted(looks))

    assert looks == []
    assert maps.shown(analyzed) == []
    assert len(maps.absences(analyzed)) == len(FINDINGS)


def test_a_map_that_was_drawn_before_is_shown_of_an_absent_finding_too(workspace, radiograph):
    keep_map_tests(workspace, thorough=FINDINGS)
    analyzed = analyze_image(workspace, radiograph)
    drawn = maps_of(workspace, analyzed, THOROUGH_MAP)
    looks = []

    maps = draw_true_maps(workspace, analyzed, known={THOROUGH_MAP: drawn}, progress=counted(looks))

    assert looks == []
    assert [one.finding for one in maps.shown(analyzed)] == list(FINDINGS)
    assert maps.absences(analyzed) == []


def test_looks_that_are_known_serve_joint_maps(workspace, radiograph):
    first, second, third, *_ = FINDINGS
    keep_map_tests(workspace, evidence=(first,), occlusion=(second,), joint=(third,))
    analyzed = analyze_image(workspace, radiograph)
    falls = maps_of(workspace, analyzed, OCCLUSION_MAP)
    looks = []

    anew = draw_true_maps(workspace, analyzed, progress=counted(looks))
    n_looks = len(looks)
    maps = draw_true_maps(
        workspace, analyzed, known={OCCLUSION_MAP: falls}, progress=counted(looks)
    )

    assert n_looks > 0
    assert len(looks) == n_looks
    kinds = {first: EVIDENCE_MAP, second: OCCLUSION_MAP, third: JOINT_MAP}
    assert {f: kind for f, kind in maps.kinds.items() if kind} == kinds
    for one, other in zip(maps.shown(analyzed), anew.shown(analyzed), strict=True):
        np.testing.assert_array_equal(one.evidence, other.evidence)


@pytest.mark.parametrize("code", LANGUAGES)
def test_why_a_map_was_not_drawn_is_told_in_every_language(workspace, radiograph, code):
    keep_map_tests(workspace, thorough=FINDINGS)
    analyzed = analyze_image(workspace, radiograph)
    maps = draw_true_maps(workspace, analyzed)
    with speaking(code):
        told = maps.absences(analyzed)
    assert len(set(told)) == len(maps.spared)
    assert all(("No map is shown" in one) == (code == "en") for one in told)
