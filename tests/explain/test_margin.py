"""The distance to the threshold in words."""

from dataclasses import replace

from medcxr.core.results import FindingResult
from medcxr.explain.margin import told_distance, told_margin

FOUND = FindingResult(
    finding="Effusion",
    logit=1.42,
    probability=0.59,
    threshold=0.5,
    present=True,
    threshold_logit=1.0,
)


def test_points_and_logits_are_told_with_their_side():
    assert told_margin(FOUND) == "9.0 points (0.42 logits) above"
    below = replace(FOUND, logit=0.5, probability=0.4, present=False)
    assert told_margin(below) == "10.0 points (0.50 logits) below"


def test_without_a_threshold_among_the_logits_the_points_are_told():
    assert told_margin(replace(FOUND, threshold_logit=None)) == "9.0 points above"


def test_the_distance_is_a_sentence():
    assert told_distance(FOUND) == (
        "Effusion: 59.0%, 9.0 points (0.42 logits) above its threshold of 50.0%."
    )
