"""What a study says of other readers and of its own size."""

import numpy as np
import pytest

from medcxr.core.findings import Finding
from medcxr.evaluation.finding_sample import draw_patients
from medcxr.evaluation.non_inferiority import non_inferior_share
from medcxr.services.performance import measure_table
from medcxr.services.scored_table import ScoredTable
from medcxr.services.study_figures import StudyFacts
from medcxr.services.study_page import Grid
from medcxr.services.study_robustness import (
    _p,
    leave_out_part,
    mixes_part,
    non_inferiority_part,
    sample_size_part,
)

EFFUSION = Finding.EFFUSION.value


def facts_of(labels, probabilities, patients, groups=None):
    table = ScoredTable(
        scores_name="scores.csv",
        labels_name="table.csv",
        findings=(EFFUSION,),
        labels=np.asarray(labels, dtype=float)[:, np.newaxis],
        probabilities=np.asarray(probabilities, dtype=float)[:, np.newaxis],
        patients=tuple(patients),
        groups=groups or {},
        folds=(),
        n_unlabeled=0,
        n_unscored=0,
    )
    return StudyFacts(
        manifest=None,
        table=table,
        rows=tuple(range(len(table))),
        drawn=draw_patients(table.patients, n_bootstrap=50, seed=0),
        performance=measure_table(table, deciding="youden", n_bootstrap=50, seed=0),
        deciding="youden",
        run="test",
    )


def rows_of(part):
    (grid,) = (block for block in part.blocks if isinstance(block, Grid))
    return grid.rows


@pytest.mark.parametrize("area", ["almost perfect", "almost chance"])
def test_an_auc_that_rounds_to_an_impossible_one_needs_no_size(area):
    labels = np.repeat([0.0, 1.0], [100, 100])
    scores = np.linspace(0.01, 0.99, 200)
    if area == "almost perfect":
        scores[[99, 100]] = scores[[100, 99]]  # one pair of 10,000 the wrong way around
    else:
        scores[100:] = scores[:100] + 1e-6  # each just above its like: 0.505
        scores[150:] -= 2e-6
        scores[150] += 2e-6  # 0.5001
    facts = facts_of(labels, scores, [str(n) for n in range(200)])
    value = facts.performance.findings[0].auc.value
    assert value != round(value, 3) in {0.5, 1.0}
    told = [row[0] for row in rows_of(sample_size_part(facts))]
    assert not any("AUC" in name for name in told)


def test_a_size_is_reached_by_patients_and_not_by_radiographs():
    random = np.random.default_rng(0)
    labels = np.repeat(random.integers(0, 2, 500), 4).astype(float)
    scores = 1 / (1 + np.exp(-random.normal(labels, 1.0)))
    alone = facts_of(labels, scores, [str(n) for n in range(2000)])
    four = facts_of(labels, scores, [str(n // 4) for n in range(2000)])
    told = {
        name: {row[-1] for row in rows_of(sample_size_part(facts)) if int(row[3].replace(",", "")) < 2000}
        for name, facts in (("alone", alone), ("four", four))
    }  # fmt: skip
    assert told["alone"] == {"reached"}
    assert "by radiographs, not by patients" in told["four"]


def test_a_reader_who_decides_is_compared_by_decisions_alone():
    random = np.random.default_rng(1)
    labels = np.repeat([0.0, 1.0], [200, 200])
    scores = 1 / (1 + np.exp(-random.normal(2 * labels, 1.0)))
    facts = facts_of(labels, scores, [str(n // 2) for n in range(400)])
    decided = (random.normal(2 * labels, 1.0) > 1).astype(float)
    part = non_inferiority_part(facts, "reader.csv", {EFFUSION: decided}, 0.3, learned=False)
    told = [(row[0], row[2], row[-1]) for row in rows_of(part)]
    assert [name for name, _, _ in told] == [f"{EFFUSION}: sensitivity"] * 2 + [
        f"{EFFUSION}: specificity"
    ] * 2
    assert {verdict for _, method, verdict in told if method.startswith("Newcombe")} == {
        "shown at a margin of 0.3, were radiographs independent"
    }
    assert {verdict for _, method, verdict in told if method.startswith("bootstrap")} == {
        "shown at a margin of 0.3"
    }
    assert any("too narrow where patients have several" in getattr(one, "text", "")
               for one in part.blocks)  # fmt: skip
    assert [row[3] for row in rows_of(part)] == [
        _p(non_inferior_share(name, *right, margin=0.3, patients=whose, by=by).p_equal)
        for name, right, whose in answers(facts, decided)
        for by in ("patients", "newcombe")
    ]


def answers(facts, decided):
    """Yield sensitivity and specificity with what model and reader got right, and of whom."""
    sample, known = facts.sample(EFFUSION)
    said = sample.probabilities >= facts.thresholds(EFFUSION, known)[facts.deciding]
    for name, label in (("sensitivity", 1), ("specificity", 0)):
        of = sample.labels == label
        whose = np.asarray(facts.table.patients)[of].tolist()
        yield name, (said[of] == bool(label), (decided[of] == 1) == bool(label)), whose


def test_a_model_that_learned_from_the_radiographs_is_given_no_verdict():
    random = np.random.default_rng(5)
    labels = np.repeat([0.0, 1.0], [60, 60])
    facts = facts_of(
        labels, 1 / (1 + np.exp(-random.normal(4 * labels, 1.0))), [str(n) for n in range(120)]
    )
    reader = {EFFUSION: random.random(120)}
    honest, favored = (
        non_inferiority_part(facts, "reader.csv", reader, 0.1, learned=learned)
        for learned in (False, True)
    )
    assert {row[-1] for row in rows_of(honest)} == {"shown at a margin of 0.1"}
    assert {row[-1] for row in rows_of(favored)} == {"no verdict: learned from"}
    assert "favors it over any reader" in favored.blocks[0].text


def test_values_of_a_few_radiographs_are_counted_and_not_named():
    random = np.random.default_rng(2)
    labels = random.integers(0, 2, 300).astype(float)
    scores = 1 / (1 + np.exp(-random.normal(labels, 1.0)))
    names = ["rare one"] * 4 + ["scarce"] * 6 + ["north"] * 145 + ["south"] * 145
    facts = facts_of(labels, scores, [str(n) for n in range(300)], {"view": tuple(names)})
    for part in (leave_out_part(facts, "site", names), mixes_part(facts)):
        told = repr(part)
        assert "north" in told
        assert "scarce" in told
        assert "rare one" not in told
    assert "1 others with fewer than 5 radiographs each" in repr(
        leave_out_part(facts, "site", names)
    )
