"""Analyses as text, and back."""

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.core.errors import StorageError
from medcxr.core.gate import ImageKind, ImageVerdict
from medcxr.core.language import Sentence
from medcxr.core.results import Analysis, Anatomy, FindingResult, Lung, Span
from medcxr.storage.analysis_text import analysis_from_text, analysis_to_text

_numbers = st.floats(allow_nan=False, allow_infinity=False)
analyses = st.builds(
    Analysis,
    findings=st.lists(
        st.builds(
            FindingResult,
            logit=_numbers,
            probability=_numbers,
            threshold=_numbers,
            evidence_zones=st.none() | st.dictionaries(st.text(), _numbers),
            threshold_logit=st.none() | _numbers,
        ),
        max_size=3,
    ).map(tuple),
    spacing_mm=st.none() | st.tuples(_numbers, _numbers),
    seconds=_numbers,
    gate=st.none() | st.builds(ImageVerdict, probability=_numbers),
    anatomy=st.none()
    | st.builds(
        Anatomy,
        cardiothoracic_ratio=st.none() | _numbers,
        heart=st.none() | st.builds(Span, row=_numbers, start=_numbers, stop=_numbers),
        thorax=st.none(),
        right_lung_share=st.none() | _numbers,
        ratio_margin=st.none() | _numbers,
        right_lung=st.none()
        | st.builds(
            Lung,
            share=_numbers,
            area_cm2=st.none() | _numbers,
            costophrenic_angle_degrees=st.none() | _numbers,
        ),
        left_lung=st.none(),
    ),
)


@given(analyses)
def test_an_analysis_comes_back_as_it_was(analysis):
    back = analysis_from_text(analysis_to_text(analysis))
    assert back == analysis
    assert asdict(back) == asdict(analysis)
    assert back.gate is None or type(back.gate.kind) is ImageKind


def test_a_warning_can_still_be_said_in_any_language(analysis):
    warning = Sentence("{n} of {place}", n=0.5, place=Sentence("the right lung"))
    back = analysis_from_text(analysis_to_text(replace(analysis, warnings=(warning,))))
    assert back.warnings == (warning,)
    assert isinstance(back.warnings[0], Sentence)
    assert back.warnings[0].parts() == warning.parts()


@given(st.text() | st.recursive(st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_other_text_is_refused(text):
    with pytest.raises(StorageError):
        analysis_from_text(text)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"analysis": {}},
        {"analysis": "x"},
        {"analysis": []},
        {"analysis": 1.5},
        {"analysis": None},
        {"analysis": {"model": 1, "further": 2}},
    ],
)
def test_another_format_or_shape_is_refused(change, analysis):
    kept = json.loads(analysis_to_text(analysis)) | change
    with pytest.raises(StorageError, match="remembered analysis"):
        analysis_from_text(json.dumps(kept))


def test_a_field_that_came_later_takes_its_default(analysis):
    kept = json.loads(analysis_to_text(analysis))
    del kept["analysis"]["anatomy"]
    del kept["analysis"]["findings"][0]["threshold_logit"]
    assert analysis_from_text(json.dumps(kept)) == analysis


@pytest.fixture
def analysis():
    return Analysis(
        image_digest="0" * 64,
        model="tiny 1.0.0",
        operating_point="half",
        findings=(
            FindingResult(
                finding="Effusion", logit=0.1, probability=0.5, threshold=0.4, present=True
            ),
        ),
        image_shape=(8, 9),
        view="PA",
        spacing_mm=None,
        seconds=0.1,
        warnings=("A sentence.",),
    )
