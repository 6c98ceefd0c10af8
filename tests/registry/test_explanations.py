"""What is known of a model's maps lies beside its bundle and fits its graph."""

import json
from dataclasses import replace

import pytest

from bundles import tiny_bundle
from medcxr.core.errors import ModelError
from medcxr.core.results import Estimate
from medcxr.explain.report import CurveFigures, ExplanationReport, Gain
from medcxr.registry.bundle import ModelBundle
from medcxr.registry.explanations import (
    explanations_path,
    find_explanations,
    keep_explanations,
)
from medcxr.registry.registry import ModelRegistry

ONE = Estimate(value=0.5, low=0.25, high=0.75)


@pytest.fixture
def bundle(tmp_path):
    return tiny_bundle(tmp_path / "shipped" / "tiny-1.0.0")


@pytest.fixture
def models(tmp_path):
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def report_of(bundle, **changes):
    curves = CurveFigures(
        finding="Effusion",
        method="occlusion map",
        n_images=30,
        deletion=ONE,
        insertion=ONE,
        gains=(Gain(rival="random map", deletion=ONE, insertion=ONE),),
    )
    report = ExplanationReport(
        model=bundle.manifest.identity,
        graph=bundle.manifest.files["model.onnx"],
        curves=(curves,),
        places=(),
    )
    return replace(report, **changes)


def test_what_is_kept_is_found_again(bundle, models):
    assert find_explanations(models, bundle) is None

    path = keep_explanations(models, bundle, report_of(bundle))

    assert path.parent == models
    assert find_explanations(models, bundle) == report_of(bundle)


def test_the_workspaces_own_test_goes_before_the_shipped_one(bundle, models):
    keep_explanations(bundle.folder.parent, bundle, report_of(bundle, curves=()))
    assert find_explanations(models, bundle) == report_of(bundle, curves=())
    keep_explanations(models, bundle, report_of(bundle))
    assert find_explanations(models, bundle) == report_of(bundle)


def test_the_bundle_stays_whole_and_is_the_only_model(bundle, models):
    keep_explanations(bundle.folder.parent, bundle, report_of(bundle))

    assert ModelBundle.open(bundle.folder) == bundle
    assert [e.identity for e in ModelRegistry(models, bundle.folder.parent).list()] == [
        "tiny 1.0.0"
    ]


def test_a_test_of_another_graph_says_nothing(bundle, models):
    path = keep_explanations(models, bundle, report_of(bundle))
    path.write_text(path.read_text().replace(report_of(bundle).graph, "0" * 64))

    assert find_explanations(models, bundle) is None
    with pytest.raises(ModelError, match="test again"):
        keep_explanations(models, bundle, report_of(bundle, graph="0" * 64))


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain.update(format=2),
        lambda plain: plain.update(surprise=1),
        lambda plain: plain.pop("curves"),
        lambda plain: plain["curves"][0].update(n_images="many"),
    ],
)
def test_a_damaged_file_is_named_with_its_remedy(bundle, models, change):
    path = keep_explanations(models, bundle, report_of(bundle))
    plain = json.loads(path.read_text())
    change(plain)
    path.write_text(json.dumps(plain))

    with pytest.raises(ModelError, match=r"tiny-1\.0\.0\.explanations\.json.*explain-check --keep"):
        find_explanations(models, bundle)


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"', "[" * 100_000])
def test_what_is_no_record_is_refused(bundle, models, text):
    explanations_path(models, bundle).write_text(text)

    with pytest.raises(ModelError, match="explain-check --keep"):
        find_explanations(models, bundle)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_figure_that_is_none_is_damage(bundle, models, constant):
    path = keep_explanations(models, bundle, report_of(bundle))
    path.write_text(path.read_text().replace("0.25", constant))
    with pytest.raises(ModelError, match=r"is damaged; delete .* or test the maps again"):
        find_explanations(models, bundle)
