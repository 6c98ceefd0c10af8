"""What a model's answers hang on lies beside its bundle and fits its graph."""

from dataclasses import replace

import pytest

from bundles import tiny_bundle
from medcxr.core.errors import ModelError
from medcxr.core.results import Estimate
from medcxr.explain.importance import ImportanceReport, MeasureFigures, ZoneFigures
from medcxr.registry.importance import find_importance, importance_path, keep_importance

ONE = Estimate(value=0.5, low=0.25, high=0.75)


@pytest.fixture
def bundle(tmp_path):
    return tiny_bundle(tmp_path / "shipped" / "tiny-1.0.0")


@pytest.fixture
def models(tmp_path):
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def report_of(bundle, **changes):
    zone = ZoneFigures(
        finding="Effusion", zone="left lower", n_images=3, change=ONE, fall=ONE, area=0.1
    )
    measure = MeasureFigures(
        finding="Effusion", measure="heart area", n_images=3, weight=1.5, change=ONE
    )
    report = ImportanceReport(
        model=bundle.manifest.identity,
        graph=bundle.manifest.files["model.onnx"],
        table="folder/manifest.csv",
        n_images=3,
        n_without_zones=0,
        zones=(zone,),
        measures=(measure,),
    )
    return replace(report, **changes)


def test_what_is_kept_is_found_again(bundle, models):
    assert find_importance(models, bundle) is None
    path = keep_importance(models, bundle, report_of(bundle))
    assert path == importance_path(models, bundle)
    assert find_importance(models, bundle) == report_of(bundle)


def test_the_workspace_goes_before_what_came_with_the_model(bundle, models):
    keep_importance(bundle.folder.parent, bundle, report_of(bundle, n_images=1))
    assert find_importance(models, bundle).n_images == 1
    keep_importance(models, bundle, report_of(bundle, n_images=2))
    assert find_importance(models, bundle).n_images == 2


def test_a_report_of_another_graph_is_refused_and_passed_over(bundle, models, tmp_path):
    other = tiny_bundle(tmp_path / "other" / "tiny-1.0.0", seed=9)
    with pytest.raises(ModelError, match="measure again"):
        keep_importance(models, bundle, report_of(other))
    keep_importance(models, other, report_of(other))
    assert find_importance(models, bundle) is None


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": 2}', '{"format": 1, "model": 3}', '{"format": NaN}']
)
def test_a_damaged_file_is_named_with_what_to_do(bundle, models, text):
    importance_path(models, bundle).write_text(text)
    with pytest.raises(ModelError, match=r"tiny-1\.0\.0\.importance\.json .*importance --keep"):
        find_importance(models, bundle)
