"""Charts of performance hold the figures they are given, and names are no more than values."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.apps.dashboard.named_charts import confusion_chart, drift_chart, forest_chart
from medcxr.apps.dashboard.performance_charts import (
    curve_chart,
    decision_curve_chart,
    prevalence_chart,
    reliability_chart,
)
from medcxr.core.results import Estimate
from medcxr.evaluation.drift import drift_of_names
from medcxr.evaluation.finding_sample import draw_patients, finding_sample
from medcxr.evaluation.performance import measure_performance

NAMES = st.text(min_size=1, max_size=20)


@pytest.fixture(scope="module")
def figures():
    random = np.random.default_rng(0)
    labels = (random.random(200) < 0.4).astype(float)
    scores = 1 / (1 + np.exp(-random.normal(labels, 1)))
    drawn = draw_patients([str(i) for i in range(200)], n_bootstrap=50, seed=0)
    sample, _ = finding_sample(labels, scores, drawn)
    limits = {"half": np.full(200, 0.5)}
    return measure_performance("Effusion", sample, limits, deciding="half", groups={})


def fields_of(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "field":
                yield inner
            elif key != "values":
                yield from fields_of(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from fields_of(inner)


def test_every_chart_is_json_without_expressions(figures):
    charts = [
        curve_chart(
            figures.roc, ("across", "up"), chance=((0, 0), (1, 1)), marks={"0.5": (0.9, 0.8)}
        ),
        reliability_chart(figures.reliability),
        decision_curve_chart(figures.decision_curve),
        confusion_chart(figures.decisions[0]),
        prevalence_chart(figures.prevalences, 0.4),
        forest_chart({"AP": figures.auc}, "AUC", whole=0.7),
        drift_chart(drift_of_names("view", ["AP"] * 30, ["PA"] * 30).bins),
    ]
    for chart in charts:
        text = json.dumps(chart, allow_nan=False)
        for word in ("transform", "expr", "signal", "href", "url"):
            assert f'"{word}"' not in text


def test_the_confusion_matrix_holds_its_four_numbers(figures):
    decided = figures.decisions[0]
    rect, text = confusion_chart(decided)["layer"]
    numbers = {(r["row"], r["column"]): r["n"] for r in rect["data"]["values"]}
    assert numbers == {
        ("with it", "called present"): decided.true_positives,
        ("with it", "called absent"): decided.false_negatives,
        ("without it", "called present"): decided.false_positives,
        ("without it", "called absent"): decided.true_negatives,
    }
    assert sum(one["share"] for one in rect["data"]["values"]) == pytest.approx(2)
    assert {one["told"] for one in text["data"]["values"]} == {f"{n:,}" for n in numbers.values()}


@given(st.dictionaries(NAMES, st.floats(-1, 1), min_size=1, max_size=6), NAMES)
def test_a_name_is_never_a_field(values, mark):
    figures = {name: Estimate(value=v, low=v - 0.1, high=v + 0.1) for name, v in values.items()}
    chart = forest_chart(figures, "AUC")
    assert [row["name"] for row in chart["layer"][0]["data"]["values"]] == list(values)
    assert set(fields_of(chart)) <= {"name", "value", "low", "high"}
    curve = curve_chart((), ("x", "y"), chance=(), marks={mark: (0.1, 0.9)})
    assert set(fields_of(curve)) <= {"x", "y", "low", "high", "name"}
