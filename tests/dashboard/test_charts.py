"""Charts hold the figures they are given, and names are no more than values."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.apps.dashboard.charts import bars, case_chart, curves, label_bars
from medcxr.core.results import Estimate, FindingResult
from medcxr.explain.case_map import place_among
from medcxr.services.case_map import CaseMap, Placed
from medcxr.services.case_set import SeenCase
from medcxr.services.labeled_tables import FindingCounts

NAMES = st.text(min_size=1, max_size=20)


def estimate(value):
    return Estimate(value=value, low=value - 0.1, high=value + 0.1)


@given(st.dictionaries(NAMES, st.floats(0, 10), min_size=1, max_size=8))
def test_bars_come_in_order_with_their_intervals(values):
    figures = {name: estimate(value) for name, value in values.items()}
    spec = bars(figures, "Change", shares=dict.fromkeys(values, 0.25))
    rows = spec["data"]["values"]
    assert {row["name"]: row["value"] for row in rows} == values
    assert [row["value"] for row in rows] == sorted(values.values(), reverse=True)
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)
    assert {row["share"] for row in rows} == {0.25}


@pytest.fixture
def placed():
    return placed_for("Effusion", threshold=0.5)


def placed_for(finding, *, threshold):
    random = np.random.default_rng(0)
    logits = random.normal(size=12).astype(np.float32)
    evidence = random.normal(size=(12, 6)).astype(np.float32)
    placement = place_among(logits, evidence, 0.25, evidence[3] + 0.01, n_neighbors=3)
    labels = (True, False, None) * 4
    found = FindingResult(
        finding=finding,
        logit=0.25,
        probability=0.4,
        threshold=0.5,
        present=False,
        threshold_logit=threshold,
    )
    cases = tuple(
        SeenCase(
            name=f"{number}.png",
            patient=f"p{number}",
            digest="",
            logits=logits[[number]],
            evidence=evidence[number],
            labels=(label,),
            small=np.zeros((2, 2), dtype=np.uint8),
        )
        for number, label in enumerate(labels)
    )
    return Placed(
        found=CaseMap(
            finding=finding,
            found=found,
            n_cases=12,
            case=placement.case,
            spread_shown=placement.spread_shown,
            neighbors=(),
            cases=tuple(zip(placement.across.tolist(), placement.up.tolist(), strict=True)),
            unreadable=0,
        ),
        placement=placement,
        labels=labels,
        cases=cases,
    )


def test_cases_neighbors_case_and_threshold_are_drawn(placed):
    points, rings, case, line, *sides = case_chart(placed)["layer"]
    assert len(points["data"]["values"]) == 12
    named = {f"{index}.png" for index in placed.placement.neighbors}
    assert {one["name"] for one in rings["data"]["values"]} == named
    assert "3.png" in named
    assert case["data"]["values"][0]["x"] == 0.25
    assert line["data"]["values"] == [{"x": 0.5}]
    assert {one["mark"]["text"] for one in sides} == {"absent", "present"}


def test_without_a_threshold_there_is_no_line():
    assert len(case_chart(placed_for("Effusion", threshold=None))["layer"]) == 3


@given(NAMES)
def test_a_name_is_never_a_field_or_an_expression(name):
    text = json.dumps(case_chart(placed_for(name, threshold=0.5)))
    for layer in json.loads(text)["layer"]:
        assert "transform" not in layer
        fields = {one["field"] for one in layer["encoding"].values() if "field" in one}
        assert fields <= {"x", "y", "state"}


@given(
    st.dictionaries(
        NAMES, st.dictionaries(st.integers(1, 50), st.floats(0, 1), min_size=1), max_size=5
    )
)
def test_curves_hold_every_epoch_of_every_series(series):
    spec = curves(series, "AUC", is_share=True)
    rows = spec["data"]["values"]
    told = {name: {} for name in series}
    for row in rows:
        told[row["name"]][row["epoch"]] = row["value"]
    assert told == series
    line, points = spec["layer"]
    assert line["encoding"]["y"]["scale"] == {"domain": [0, 1]}
    for channel in ("color", "shape"):
        scale = points["encoding"][channel]["scale"]
        assert scale["domain"] == list(series)
        assert len(set(scale["range"])) == len(series)
    assert {one["field"] for one in points["encoding"]["tooltip"]} == {"name", "epoch", "value"}


def test_labels_are_stacked_in_one_order():
    counts = [
        FindingCounts(finding="Effusion", positive=3, negative=5, unknown=0),
        FindingCounts(finding="No Finding", positive=1, negative=0, unknown=7),
    ]
    spec = label_bars(counts)
    rows = [(r["finding"], r["label"], r["images"]) for r in spec["data"]["values"]]
    assert rows[:3] == [
        ("Effusion", "with it", 3),
        ("Effusion", "without it", 5),
        ("Effusion", "unknown", 0),
    ]
    assert sum(images for _, _, images in rows) == 16
    assert spec["encoding"]["y"]["sort"] == ["Effusion", "No Finding"]
