"""The measured figures of a model."""

from dataclasses import replace

from medcxr.apps.dashboard.model_view import figures_table
from medcxr.core.results import Estimate
from medcxr.evaluation.report import FindingFigures
from medcxr.services.model_facts import ModelFacts

EFFUSION = FindingFigures(
    finding="Effusion",
    threshold=0.4,
    n_images=1516,
    n_positive=210,
    n_patients=1087,
    n_resamples=1000,
    auc=Estimate(value=0.8831, low=0.8612, high=0.9043),
    average_precision=None,
    sensitivity=None,
    specificity=None,
    f1=None,
    accuracy=None,
    calibration_error=None,
    brier=None,
    calibration_slope=None,
    calibration_intercept=None,
)
UNMEASURED = replace(EFFUSION, finding="Cardiomegaly", auc=None)


def test_each_finding_has_its_auc_interval_and_numbers():
    html = figures_table([EFFUSION])
    for words in (
        "<td>0.883</td>",
        "<td>0.861 to 0.904</td>",
        "1,516 radiographs of 1,087 patients, 210 with the finding",
    ):
        assert words in html


def test_a_finding_that_could_not_be_measured_says_so():
    assert "<td>not measured</td>" in figures_table([UNMEASURED])


def test_names_from_a_manifest_cannot_bring_markup():
    assert "<b>" not in figures_table([replace(EFFUSION, finding="<b>")])


def test_only_measured_findings_have_an_auc():
    facts = ModelFacts(name="m", version="1", figures=(EFFUSION, UNMEASURED))
    assert facts.aucs == {"Effusion": EFFUSION.auc}
