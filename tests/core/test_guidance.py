"""What may be considered next."""

import re

import pytest

from medcxr.core.findings import Finding
from medcxr.core.guidance import GUIDANCE, NOTICE, considerations
from medcxr.core.results import FindingResult


def found(finding, *, present=False, prediction_set=None):
    return FindingResult(
        finding=finding,
        logit=0.0,
        probability=0.5,
        threshold=0.4 if present else 0.6,
        present=present,
        prediction_set=prediction_set,
    )


def test_each_finding_has_something_to_consider():
    assert set(GUIDANCE) == {finding.value for finding in Finding}
    assert all(GUIDANCE.values())


@pytest.mark.parametrize(
    "consideration",
    [one for several in GUIDANCE.values() for one in several],
    ids=lambda c: c.words,
)
def test_each_consideration_names_its_source_with_the_year_and_a_place_to_find_it(consideration):
    assert 1990 < consideration.source.year <= 2026
    assert re.fullmatch(
        rf".+ \({consideration.source.year}\), (doi:10\.\d{{4,}}/\S+|European Commission)",
        str(consideration.source),
    )


@pytest.mark.parametrize(
    "words", [NOTICE, *(one.words for several in GUIDANCE.values() for one in several)]
)
def test_nothing_is_called_a_diagnosis_or_ordered(words):
    assert not re.search(r"diagnos|\b(must|should|give|start|treat)\b", words, re.IGNORECASE)


def test_only_findings_that_are_present_or_undecided_are_spoken_of():
    told = considerations(
        [
            found("Effusion", present=True, prediction_set="present"),
            found("Pneumonia", prediction_set="uncertain"),
            found("Cardiomegaly", prediction_set="absent"),
            found("No Finding", prediction_set="atypical"),
            found("Hernia", present=True),
        ]
    )
    assert list(told) == ["Effusion", "Pneumonia"]
    assert considerations([found("Cardiomegaly")]) == {}
