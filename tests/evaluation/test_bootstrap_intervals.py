"""Intervals: they cover the truth, know patients from images, and can be repeated."""

import tempfile
import tracemalloc

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binomtest, norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from medcxr.core.errors import StorageError
from medcxr.evaluation import bootstrap, draws
from medcxr.evaluation.bootstrap import estimate, patient_draws, resampled_totals
from medcxr.evaluation.figures import calibration_line, measure
from medcxr.evaluation.scored import sort_scores
from medcxr.evaluation.validation import evaluate


def _evaluate(labels, probabilities, patients, **options):
    return evaluate(
        labels[:, None],
        probabilities[:, None],
        findings=["Effusion"],
        thresholds=[0.5],
        patients=patients,
        **{"n_bootstrap": 400, **options},
    ).findings[0]


def _sample(n, seed=0, shift=1.0):
    generator = np.random.default_rng(seed)
    labels = (generator.random(n) < 0.3).astype(float)
    return labels, expit(generator.normal(0, 1, n) + shift * labels - 1)


def test_draws_are_whole_samples_of_patients():
    blocks = list(patient_draws(7, n_bootstrap=25, seed=0, n_images=100_000))
    assert [len(block) for block in blocks] == [10, 10, 5]
    assert (np.concatenate(blocks).sum(axis=1) == 7).all()


def test_intervals_cover_the_true_auc_about_as_often_as_they_say():
    truth = norm.cdf(1 / np.sqrt(2))  # two normal distributions one deviation apart
    covered = 0
    for seed in range(200):
        labels, probabilities = _sample(150, seed=seed)
        auc = _evaluate(
            labels, probabilities, list(map(str, range(150))), n_bootstrap=200, seed=seed
        ).auc
        covered += auc.low <= truth <= auc.high
    # 95 % of 200 is 190; a right method falls below 178 about once in ten thousand times,
    # and one that always covers is wrong, too.
    assert 178 <= covered < 200


def test_repeated_images_of_a_patient_add_no_certainty():
    labels, probabilities = _sample(200)
    patients = [str(number) for number in range(200)]
    once = _evaluate(labels, probabilities, patients)
    fourfold = (np.tile(labels, 4), np.tile(probabilities, 4))
    clustered = _evaluate(*fourfold, patients * 4)
    independent = _evaluate(*fourfold, [str(number) for number in range(800)])
    width = {
        name: figures.auc.high - figures.auc.low
        for name, figures in [("once", once), ("clustered", clustered), ("free", independent)]
    }
    assert width["clustered"] == pytest.approx(width["once"], rel=1e-9)
    assert width["clustered"] == pytest.approx(2 * width["free"], rel=0.25)


def test_the_same_seed_gives_the_same_report_and_another_seed_another():
    labels, probabilities = _sample(100)
    patients = [str(number // 2) for number in range(100)]
    first = _evaluate(labels, probabilities, patients, seed=4)
    assert first == _evaluate(labels, probabilities, patients, seed=4)
    assert first != _evaluate(labels, probabilities, patients, seed=5)


def test_the_order_of_the_images_does_not_matter():
    labels, probabilities = _sample(100)
    patients = [str(number // 2) for number in range(100)]
    order = np.random.default_rng(1).permutation(100)
    shuffled = _evaluate(labels[order], probabilities[order], [patients[row] for row in order])
    straight = _evaluate(labels, probabilities, patients)
    assert shuffled.auc.value == pytest.approx(straight.auc.value, abs=1e-12)
    assert shuffled.auc.low == pytest.approx(straight.auc.low, abs=1e-12)
    assert shuffled.brier.high == pytest.approx(straight.brier.high, abs=1e-12)


def test_resamples_without_the_only_positive_patient_are_left_out_and_counted():
    labels = np.zeros(40)
    labels[[3, 4]] = 1
    _, probabilities = _sample(40)
    patients = [str(max(number, 4)) for number in range(40)]  # one patient has both positives
    figures = _evaluate(labels, probabilities, patients, n_bootstrap=1000)
    # A patient is missed by a share of (1 - 1/36) ** 36 = 0.363 of the resamples.
    assert 1000 - figures.n_resamples == pytest.approx(363, abs=60)
    assert figures.auc is not None


def test_a_mean_leaves_out_resamples_in_which_any_finding_lost_a_class():
    labels, probabilities = _sample(40)
    rare = np.zeros(40)
    rare[7] = 1
    report = evaluate(
        np.stack([labels, rare], axis=1),
        np.stack([probabilities, probabilities], axis=1),
        findings=["Effusion", "Pneumonia"],
        thresholds=[0.5, 0.5],
        patients=[str(number) for number in range(40)],
        n_bootstrap=200,
    )
    common, uncommon = report.findings
    assert report.n_resamples_mean == uncommon.n_resamples < common.n_resamples == 200
    assert report.mean_auc.low <= report.mean_auc.value <= report.mean_auc.high


def test_a_wider_confidence_has_a_wider_interval():
    labels, probabilities = _sample(200)
    patients = [str(number) for number in range(200)]
    narrow = _evaluate(labels, probabilities, patients, confidence=0.5).auc
    wide = _evaluate(labels, probabilities, patients, confidence=0.99).auc
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_a_resample_is_measured_as_if_its_images_had_been_copied():
    labels, probabilities = _sample(80)
    scored = sort_scores(labels, probabilities, np.arange(80))
    weights = next(iter(patient_draws(80, n_bootstrap=5, seed=2, n_images=80)))
    line = calibration_line(scored)
    figures = measure(scored, weights[:, scored.patients], threshold=0.5, line=line)
    for number, row in enumerate(weights.astype(int)):
        y, p = np.repeat(labels, row), np.repeat(probabilities, row)
        assert figures["auc"][number] == pytest.approx(roc_auc_score(y, p), abs=1e-12)
        assert figures["brier"][number] == pytest.approx(np.mean((y - p) ** 2), abs=1e-12)
        log_odds = np.log(p / (1 - p))
        oracle = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(log_odds[:, None], y)
        assert figures["calibration_slope"][number] == pytest.approx(oracle.coef_[0, 0], abs=1e-4)
        shifted = expit(log_odds + figures["calibration_intercept"][number])
        assert shifted.mean() == pytest.approx(y.mean(), abs=1e-9)


@pytest.mark.parametrize("n", [1, 3, 10, 50])
def test_a_perfect_proportion_has_the_exact_binomial_bound(n):
    exact = binomtest(n, n).proportion_ci(confidence_level=0.95, method="exact")
    perfect = estimate(1.0, np.ones(100), confidence=0.95, n_units=n)
    assert perfect.low == pytest.approx(exact.low)
    assert perfect.high == 1
    none = estimate(0.0, np.zeros(100), confidence=0.95, n_units=n)
    assert none.high == pytest.approx(1 - exact.low)
    assert none.low == 0


def test_ten_of_ten_is_not_certainty():
    labels = np.array([1.0] * 10 + [0.0] * 25)
    report = evaluate(
        labels[:, None],
        0.1 + 0.8 * labels[:, None],
        findings=["Effusion"],
        thresholds=[0.5],
        patients=[str(number) for number in range(35)],
        n_bootstrap=20,
    )
    one = report.findings[0]
    perfect = [one.auc, report.mean_auc, one.sensitivity, one.specificity, one.accuracy]
    assert [one.value for one in perfect] == [1] * 5
    lows = [0.025 ** (1 / n_patients) for n_patients in (10, 10, 10, 25, 35)]
    assert [one.low for one in perfect] == pytest.approx(lows)


def test_a_figure_that_many_resamples_leave_open_has_no_interval():
    resamples = np.linspace(0, 1, 100)
    resamples[:6] = np.nan
    assert estimate(0.5, resamples, confidence=0.95) is None
    resamples[5] = 0.5
    assert estimate(0.5, resamples, confidence=0.95) is not None
    assert estimate(float("nan"), resamples, confidence=0.95) is None
    assert estimate(0.5, np.array([]), confidence=0.95) is None


def _kept_whole(n_patients, *, n_bootstrap, seed, n_images):
    """Return the sample and its resamples as one matrix of float64."""
    blocks = patient_draws(n_patients, n_bootstrap=n_bootstrap, seed=seed, n_images=n_images)
    return np.concatenate([np.ones((1, n_patients)), *blocks])


@pytest.mark.parametrize("in_memory", [True, False])
def test_draws_that_are_kept_give_the_same_bits_as_one_matrix(monkeypatch, in_memory):
    if not in_memory:
        monkeypatch.setattr(draws, "_IN_MEMORY_BYTES", 0)
    sizes = {"n_bootstrap": 301, "seed": 3, "n_images": 700}
    whole, kept = _kept_whole(500, **sizes), draws.sample_and_draws(500, **sizes)
    assert isinstance(kept.counts.base, np.memmap) is not in_memory
    patients = np.sort(np.random.default_rng(0).integers(0, 500, 700))
    columns = np.random.default_rng(1).random((700, 3))
    assert np.array_equal(kept.totals(patients, columns), whole[:, patients] @ columns)
    blocks = list(kept.blocks(patients, 64))
    assert [len(block) for block in blocks] == [64, 64, 64, 64, 46]
    assert np.array_equal(np.concatenate(blocks), whole[:, patients])


def test_sums_over_draws_that_are_not_kept_have_the_same_bits_too():
    values = np.random.default_rng(0).random((2, 800))
    sizes = {"n_bootstrap": 200, "seed": 1, "n_images": 800}
    whole = _kept_whole(800, **sizes)[1:]
    assert np.array_equal(resampled_totals(*values, **sizes), [whole @ one for one in values])


def test_portions_add_up_to_what_one_product_gives(monkeypatch):
    sizes = {"n_bootstrap": 50, "seed": 2, "n_images": 400}
    patients, columns = np.arange(400), np.random.default_rng(4).random((400, 2))
    kept = draws.sample_and_draws(400, **sizes)
    whole, sums = kept.totals(patients, columns), resampled_totals(columns[:, 0], **sizes)
    monkeypatch.setattr(draws, "WHOLE_NUMBERS", 0)
    monkeypatch.setattr(draws, "_PORTION_NUMBERS", 3 * 400)
    monkeypatch.setattr(bootstrap, "WHOLE_NUMBERS", 0)
    assert np.allclose(kept.totals(patients, columns), whole, rtol=1e-12)
    counted = np.ones((400, 1))  # whole numbers are exact, however they are added
    assert (kept.totals(patients, counted) == 400).all()
    assert np.allclose(resampled_totals(columns[:, 0], **sizes), sums, rtol=1e-12)


def _peak(n_bootstrap):
    """Return the most memory that a study of 200,000 patients takes at once, in MB."""
    patients, seen = np.arange(200_000), np.zeros((200_000, 2))
    tracemalloc.start()
    try:
        kept = draws.sample_and_draws(200_000, n_bootstrap=n_bootstrap, seed=0, n_images=200_000)
        assert kept.totals(patients, seen).shape == (1 + n_bootstrap, 2)
        for _ in kept.blocks(patients, 5):
            pass
        resampled_totals(seen[:, 0], n_bootstrap=n_bootstrap, seed=0, n_images=200_000)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_resamples_of_very_many_patients(monkeypatch):
    monkeypatch.setattr(draws, "_IN_MEMORY_BYTES", 1_000_000)  # as 250 resamples would exceed
    monkeypatch.setattr(draws, "WHOLE_NUMBERS", 1_000_000)
    monkeypatch.setattr(bootstrap, "WHOLE_NUMBERS", 1_000_000)
    few, many = _peak(11), _peak(16)
    assert many == pytest.approx(few, rel=0.1)  # two blocks each
    assert many < 40  # a thousand resamples in one matrix take 1,600 MB


def test_draws_that_find_no_room_are_told_of(monkeypatch, tmp_path):
    monkeypatch.setattr(draws, "_IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(StorageError, match=r"200 patients need a file .* TMPDIR"):
        draws.sample_and_draws(200, n_bootstrap=20, seed=0, n_images=200)
