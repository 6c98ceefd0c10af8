"""What the node reads, and in which order, by what headers say."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.core.errors import DataError
from medcxr.core.instance_facts import InstanceFacts
from medcxr.services.node_rules import (
    OWN_MAKER,
    ReadingRules,
    SkipReason,
    reading_rules,
    reasons_to_skip,
)
from medcxr.services.node_triage import (
    Priority,
    TriageRules,
    priority_of,
    raised_priorities,
    triage_rules,
)

CHEST = InstanceFacts(modality="DX", body_part="CHEST", view="PA", station="ROOM1", age_years=50)
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12).filter(
    str.strip
)
FACTS = st.builds(
    InstanceFacts,
    modality=st.sampled_from(["", "DX", "CR", "CT", "SR"]),
    body_part=st.sampled_from(["", "CHEST", "THORAX PA", "HAND", "UNKNOWN"]),
    view=st.sampled_from(["", "PA", "AP", "LATERAL"]),
    station=st.sampled_from(["", "ROOM1"]),
    study_description=st.sampled_from(["", "CHEST AP PORTABLE", "HAND"]),
    descriptions=st.lists(st.sampled_from(["CHEST PORTABLE", "HAND"]), max_size=2).map(tuple),
    priorities=st.lists(st.sampled_from(["STAT", "HIGH", "LOW", "ROUTINE"]), max_size=2).map(tuple),
    age_years=st.one_of(st.none(), st.floats(0, 120)),
)
RULES = st.builds(
    ReadingRules,
    modalities=st.lists(st.sampled_from(["DX", "CR", "CT"]), max_size=2).map(tuple),
    body_parts=st.lists(st.sampled_from(["CHEST", "HAND"]), max_size=2).map(tuple),
    views=st.lists(st.sampled_from(["PA", "AP", "LATERAL"]), max_size=2).map(tuple),
    read_unstated=st.booleans(),
    stations=st.lists(st.sampled_from(["ROOM?", "OTHER"]), max_size=2).map(tuple),
    senders=st.lists(st.sampled_from(["MOD*", "PACS"]), max_size=2).map(tuple),
    study_descriptions=st.lists(st.sampled_from(["*CHEST*", "HAND"]), max_size=2).map(tuple),
    except_study_descriptions=st.lists(st.sampled_from(["HAND"]), max_size=1).map(tuple),
    least_age_years=st.one_of(st.none(), st.floats(0, 50)),
    most_age_years=st.one_of(st.none(), st.floats(50, 120)),
)


def skipped(facts, sender="MODALITY", **rules):
    return set(reasons_to_skip(reading_rules(rules), facts, sender=sender))


def test_a_frontal_chest_radiograph_is_read_by_default():
    assert skipped(CHEST) == set()


@pytest.mark.parametrize(
    ("changed", "rules", "reason"),
    [
        ({"modality": "CT"}, {}, SkipReason.MODALITY),
        ({"body_part": "HAND"}, {}, SkipReason.BODY_PART),
        ({"view": "LATERAL"}, {}, SkipReason.VIEW),
        ({"view": "AP"}, {"views": ["PA"]}, SkipReason.VIEW),
        ({"station": "ROOM2"}, {"stations": ["ROOM1"]}, SkipReason.STATION),
        ({}, {"senders": ["OTHER*"]}, SkipReason.SENDER),
        (
            {"study_description": "HAND"},
            {"study_descriptions": ["*chest*"]},
            SkipReason.DESCRIPTION,
        ),
        (
            {"study_description": "CHEST RESEARCH"},
            {"except_study_descriptions": ["*research*"]},
            SkipReason.DESCRIPTION,
        ),
        ({"age_years": 5.0}, {"least_age_years": 16}, SkipReason.AGE),
        ({"age_years": 90.0}, {"most_age_years": 80}, SkipReason.AGE),
        ({"maker": (OWN_MAKER,)}, {}, SkipReason.OWN_RESULT),
    ],
)
def test_what_a_rule_excludes_is_skipped_with_its_reason(changed, rules, reason):
    stated = {name: getattr(CHEST, name) for name in CHEST.__slots__}
    facts = InstanceFacts(**(stated | changed))
    assert skipped(facts, **rules) == {reason}


def test_what_states_nothing_is_read_unless_the_rules_say_otherwise():
    silent = InstanceFacts(modality="DX", body_part="UNKNOWN")
    assert skipped(silent, least_age_years=16, stations=["A"]) == set()
    assert skipped(silent, read_unstated=False, least_age_years=16, stations=["A"]) == {
        SkipReason.BODY_PART,
        SkipReason.VIEW,
        SkipReason.AGE,
        SkipReason.STATION,
    }


def test_brackets_of_a_pattern_mean_themselves():
    assert skipped(InstanceFacts(modality="DX", station="[A]"), stations=["[a]"]) == set()
    assert skipped(InstanceFacts(modality="DX", station="A"), stations=["[a]"]) != set()


@given(facts=FACTS, rules=RULES)
def test_a_rule_more_never_lets_more_pass(facts, rules):
    """Taking all of a list's conditions away can only remove its reason."""
    before = set(reasons_to_skip(rules, facts, sender="MODALITY"))
    lists = {
        "modalities": SkipReason.MODALITY,
        "body_parts": SkipReason.BODY_PART,
        "views": SkipReason.VIEW,
        "stations": SkipReason.STATION,
        "senders": SkipReason.SENDER,
    }
    for name, reason in lists.items():
        kept = {other: getattr(rules, other) for other in rules.__slots__ if other != name}
        after = reasons_to_skip(ReadingRules(**kept, **{name: ()}), facts, sender="MODALITY")
        assert set(after) == before - {reason}


@given(facts=FACTS)
def test_reasons_quote_no_header(facts):
    secret = InstanceFacts(**{n: getattr(facts, n) for n in facts.__slots__ if n != "station"})
    for reason in reasons_to_skip(ReadingRules(modalities=("ZZ",)), secret, sender="SECRET"):
        assert reason in set(SkipReason)
    assert "PORTABLE" not in repr(facts)


@pytest.mark.parametrize(
    "plain",
    [
        {"modality": ["DX"]},
        {"modalities": "DX"},
        {"modalities": ["DX", 1]},
        {"views": [" "]},
        {"read_unstated": "false"},
        {"least_age_years": -1},
        {"least_age_years": float("nan")},
        {"least_age_years": 60, "most_age_years": 50},
    ],
)
def test_wrong_rules_are_refused(plain):
    with pytest.raises(DataError, match=next(iter(plain)) + r"|rules"):
        reading_rules(plain)


@pytest.mark.parametrize("plain", [{"patience": 1}, {"patience_minutes": 0}, {"stat_words": "x"}])
def test_wrong_triage_is_refused(plain):
    with pytest.raises(DataError, match="triage"):
        triage_rules(plain)


@pytest.mark.parametrize(
    ("facts", "priority"),
    [
        (InstanceFacts(priorities=("STAT",)), Priority.STAT),
        (InstanceFacts(priorities=("ROUTINE", "HIGH")), Priority.HIGH),
        (InstanceFacts(view="AP", descriptions=("CHEST PORTABLE",)), Priority.BEDSIDE),
        (InstanceFacts(view="PA", descriptions=("CHEST PORTABLE",)), Priority.ROUTINE),
        (InstanceFacts(), Priority.ROUTINE),
        (InstanceFacts(priorities=("LOW",)), Priority.LOW),
    ],
)
def test_headers_decide_the_priority(facts, priority):
    assert priority_of(TriageRules(), facts) is priority


def test_what_waits_is_raised_until_it_stands_before_what_comes_now():
    now = datetime(2026, 3, 4, tzinfo=UTC)
    raised = raised_priorities(TriageRules(patience_minutes=20), now)
    assert raised == {
        Priority.BEDSIDE: now - timedelta(minutes=20),
        Priority.HIGH: now - timedelta(minutes=40),
        Priority.STAT: now - timedelta(minutes=60),
    }
