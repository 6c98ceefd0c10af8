"""How soon a person should look, from a model's answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.core.findings import Finding
from medcxr.core.results import Analysis, FindingResult
from medcxr.core.urgency import ACUTE, UrgencyLevel, urgency_of

_PNEUMONIA, _EFFUSION, _HEART, _NOTHING = Finding
_ABSENT, _PRESENT = (0.1, "absent"), (0.9, "present")
_SETS = (None, "present", "absent", "uncertain", "atypical")


def analysis_of(answers, *, threshold=0.5):
    """Return an analysis with finding -> probability and prediction set."""
    return Analysis(
        image_digest="0" * 64,
        model="tiny 1.0.0",
        operating_point="half",
        findings=tuple(
            FindingResult(
                finding=finding,
                logit=0.0,
                probability=probability,
                threshold=threshold,
                present=probability >= threshold,
                prediction_set=answer,
            )
            for finding, (probability, answer) in answers.items()
        ),
        image_shape=(8, 8),
        view="PA",
        spacing_mm=None,
        seconds=0.1,
        warnings=(),
    )


@pytest.mark.parametrize(
    ("answers", "level"),
    [
        ({_PNEUMONIA: _PRESENT, _HEART: _ABSENT, _NOTHING: _ABSENT}, UrgencyLevel.URGENT),
        ({_EFFUSION: _PRESENT, _PNEUMONIA: (0.6, "uncertain")}, UrgencyLevel.URGENT),
        ({_EFFUSION: (0.9, None)}, UrgencyLevel.URGENT),  # a model that promises nothing
        ({_EFFUSION: _PRESENT, _NOTHING: _PRESENT}, UrgencyLevel.URGENT),
        ({_PNEUMONIA: (0.6, "uncertain"), _NOTHING: _ABSENT}, UrgencyLevel.UNDECIDED),
        ({_PNEUMONIA: (0.4, "uncertain"), _NOTHING: _PRESENT}, UrgencyLevel.UNDECIDED),
        ({_HEART: (0.4, "atypical"), _NOTHING: _PRESENT}, UrgencyLevel.UNDECIDED),
        ({_HEART: _PRESENT, _NOTHING: _PRESENT}, UrgencyLevel.UNDECIDED),
        ({_HEART: _ABSENT, _NOTHING: _ABSENT}, UrgencyLevel.UNDECIDED),
        ({_PNEUMONIA: _ABSENT, _HEART: _PRESENT, _NOTHING: _ABSENT}, UrgencyLevel.SOON),
        ({_PNEUMONIA: _ABSENT, "Nodule": _PRESENT}, UrgencyLevel.SOON),
        (
            {_PNEUMONIA: _ABSENT, _HEART: (0.4, "uncertain"), _NOTHING: _PRESENT},
            UrgencyLevel.ROUTINE,
        ),
        ({_PNEUMONIA: _ABSENT, _NOTHING: _PRESENT}, UrgencyLevel.ROUTINE),
        ({}, UrgencyLevel.ROUTINE),
    ],
)
def test_the_answers_decide_the_level(answers, level):
    assert urgency_of(analysis_of(answers)).level is level


def test_the_levels_are_in_the_order_in_which_a_person_should_look():
    ordered = sorted(UrgencyLevel, key=lambda level: level.rank)
    assert ordered == ["urgent", "undecided", "soon", "routine"]


def test_within_a_level_what_stands_out_more_comes_first():
    faint = urgency_of(analysis_of({_PNEUMONIA: (0.6, "present"), _HEART: (0.99, "present")}))
    clear = urgency_of(analysis_of({_PNEUMONIA: (0.8, "present"), _HEART: _ABSENT}))
    assert faint.level is clear.level is UrgencyLevel.URGENT
    assert clear.margin > faint.margin > 0


_answers = st.dictionaries(
    st.sampled_from([*Finding, "Nodule"]),
    st.tuples(st.floats(0, 1), st.sampled_from(_SETS)),
)


@given(_answers, st.floats(0, 1))
def test_every_analysis_has_a_level_and_a_finite_margin(answers, threshold):
    urgency = urgency_of(analysis_of(answers, threshold=threshold))
    assert urgency.level in UrgencyLevel
    assert abs(urgency.margin) < 50


@given(_answers, st.sampled_from(sorted(ACUTE)))
def test_a_certain_acute_finding_is_urgent_whatever_else_is_answered(answers, finding):
    assert urgency_of(analysis_of({**answers, finding: _PRESENT})).level is UrgencyLevel.URGENT


@given(_answers, st.floats(0, 1))
def test_a_further_finding_never_lowers_the_level(answers, probability):
    others = {name: answer for name, answer in answers.items() if name != _NOTHING}
    before = urgency_of(analysis_of({name: one for name, one in others.items() if name != "Mass"}))
    after = urgency_of(analysis_of({**others, "Mass": (probability, None)}))
    assert after.level.rank <= before.level.rank
