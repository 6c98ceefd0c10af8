"""Findings as cards."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.apps.dashboard.findings_view import card, percent
from medcxr.core.results import Estimate, FindingResult


def result(finding="Effusion", *, probability=0.62, present=True):
    return FindingResult(
        finding=finding, logit=0.5, probability=probability, threshold=0.415, present=present
    )


def test_a_present_finding_is_highlighted_and_says_so_in_words():
    html = card(result(), Estimate(value=0.883, low=0.861, high=0.904))
    assert 'class="cxr-card cxr-active"' in html
    for words in (
        ">Effusion<",
        ">Present<",
        ">62%<",
        "Present from 41.5%",
        "AUC 0.88 (0.86 to 0.90)",
    ):
        assert words in html


def test_an_absent_finding_is_not_highlighted():
    html = card(result(probability=0.2, present=False), None)
    assert 'class="cxr-card cxr-absent"' in html
    assert ">Absent<" in html
    assert "AUC not measured" in html


@pytest.mark.parametrize(
    ("prediction_set", "words"),
    [
        ("present", "Plausible: present"),
        ("absent", "Plausible: absent"),
        ("uncertain", "Plausible: either, undecided"),
        ("atypical", "Plausible: neither, unusual image"),
    ],
)
def test_what_is_plausible_is_said_in_words(prediction_set, words):
    assert words in card(replace(result(), prediction_set=prediction_set), None)


def test_without_a_promise_nothing_is_called_plausible():
    assert "Plausible" not in card(result(), None)


def test_no_finding_is_shown_calmly_when_present():
    assert 'class="cxr-card cxr-clear"' in card(result("No Finding"), None)


def test_a_name_from_a_manifest_cannot_bring_markup():
    assert "<script>" not in card(result("<script>alert(1)</script>"), None)


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "<1%"), (0.0099, "<1%"), (0.01, "1%"), (0.5, "50%"), (0.99, "99%"), (1.0, ">99%")],
)
def test_probabilities_are_written_without_claiming_certainty(share, words):
    assert percent(share) == words


@given(st.floats(0, 1))
def test_no_probability_reads_as_certain(share):
    assert percent(share) not in {"0%", "100%"}
