"""Another operating point decides the same probabilities."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from bundles import ORGANS, tiny_bundle, tiny_graph, tiny_manifest
from medcxr.core.errors import ModelError
from medcxr.evaluation.operating_points import OperatingPoint
from medcxr.imaging.reading import read_image
from medcxr.inference.analyzer import Analyzer
from medcxr.inference.deciding import decided, decision_rule, shared_operating_points
from medcxr.inference.predictor import Predictor
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

POINTS = {
    "never": 1.0,
    "always": 0.0,
}


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    points = {
        finding: (*known, *(OperatingPoint(name=n, threshold=t) for n, t in POINTS.items()))
        for finding, known in tiny_manifest().operating_points.items()
    }
    bundle = tiny_bundle(
        tmp_path_factory.mktemp("models") / "tiny-1.0.0",
        graph=tiny_graph(outlined=True),
        outlines=ORGANS,
        operating_points=points,
    )
    return Predictor(bundle)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "thorax.png"
    pixels = simulate(ThoraxParameters(), size=128).pixels
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(path)
    return read_image(path)


@pytest.mark.parametrize("first", ["youden", "half", "never"])
@pytest.mark.parametrize("second", ["youden", "sensitivity_90", "always", "never"])
def test_deciding_anew_is_as_analyzing_anew(predictor, image, first, second):
    before = Analyzer(predictor, first).analyze(image).analysis
    expected = Analyzer(predictor, second).analyze(image).analysis
    told = decided(before, decision_rule(predictor.manifest, second), age_years=None)
    assert replace(told, seconds=0.0) == replace(expected, seconds=0.0)


def test_the_warning_of_a_heart_that_disagrees_follows_the_decision(predictor, image):
    absent = Analyzer(predictor, "never").analyze(image).analysis
    small = replace(absent, anatomy=replace(absent.anatomy, cardiothoracic_ratio=0.3, doubts=()))
    present = decided(small, decision_rule(predictor.manifest, "always"), age_years=None)
    assert [w for w in present.warnings if "cardiothoracic ratio" in w]
    assert decided(present, decision_rule(predictor.manifest, "never"), age_years=None) == small
    child = decided(small, decision_rule(predictor.manifest, "always"), age_years=6.0)
    assert child.warnings == small.warnings


def test_an_analysis_of_another_model_stays_as_it_is(predictor, image):
    analysis = replace(Analyzer(predictor).analyze(image).analysis, model="other 1.0.0")
    assert decided(analysis, decision_rule(predictor.manifest, "half"), age_years=None) is analysis


def test_only_operating_points_of_every_finding_are_offered(predictor):
    manifest = predictor.manifest
    assert shared_operating_points(manifest) == (
        "half",
        "youden",
        "sensitivity_90",
        "never",
        "always",
    )
    points = dict(manifest.operating_points)
    first, *_ = manifest.findings
    points[first] = points[first][1:]
    assert "half" not in shared_operating_points(replace(manifest, operating_points=points))
    with pytest.raises(ModelError, match="no operating point"):
        decision_rule(manifest, "sometimes")
