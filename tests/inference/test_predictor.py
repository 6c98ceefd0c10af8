"""A bundle run on radiographs."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles import FINDINGS, GRID, ORGANS, SIZE, outlined_boxes, tiny_bundle, tiny_graph
from medcxr.core.errors import DataError, ModelError
from medcxr.core.images import Acquisition, CxrImage, View
from medcxr.inference.analyzer import Analyzer
from medcxr.inference.predictor import Predictor
from medcxr.registry.manifest import QuickLook


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    return Predictor(tiny_bundle(tmp_path_factory.mktemp("model") / "tiny"), threads=1)


def radiograph(seed=0, rows=150, columns=120):
    """An image of smooth random brightness."""
    random = np.random.default_rng(seed)
    coarse = random.random((5, 5))
    pixels = np.kron(coarse, np.ones((rows // 5, columns // 5))).astype(np.float32)
    return CxrImage(
        pixels=pixels,
        digest=hashlib.sha256(pixels.tobytes()).hexdigest(),
        acquisition=Acquisition(source_format="PNG"),
        spacing_mm=(0.2, 0.2),
        view=View.PA,
        warnings=("The view was assumed.",),
    )


@given(
    seeds=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=5),
    rows=st.integers(13, 40),
    columns=st.integers(13, 40),
)
@settings(max_examples=25)
def test_every_prediction_keeps_its_promises(predictor, seeds, rows, columns):
    images = [radiograph(seed, 5 * rows, 5 * columns) for seed in seeds]
    got = predictor.predict(images)
    assert got.logits.shape == got.probabilities.shape == (len(images), len(FINDINGS))
    assert got.maps.shape == (len(images), len(FINDINGS), GRID, GRID)
    assert ((got.probabilities >= 0) & (got.probabilities <= 1)).all()
    assert got.maps.sum(axis=(2, 3)) == pytest.approx(got.logits, abs=1e-4)
    assert [g.original_shape for g in got.geometries] == [image.shape for image in images]


def test_a_batch_says_what_single_images_say(predictor):
    images = [radiograph(0), radiograph(1, 300, 200), radiograph(2, 100, 350)]
    batch = predictor.predict(images)
    for number, image in enumerate(images):
        single = predictor.predict([image])
        assert single.logits[0] == pytest.approx(batch.logits[number], abs=1e-5)
        assert single.probabilities[0] == pytest.approx(batch.probabilities[number], abs=1e-6)
        assert single.maps[0] == pytest.approx(batch.maps[number], abs=1e-6)
        assert single.geometries[0] == batch.geometries[number]
    assert np.ptp(batch.logits, axis=0).min() > 0.01  # the image matters


def test_probabilities_are_the_calibrated_logits_of_their_own_finding(predictor):
    got = predictor.predict([radiograph(3)])
    for index, calibration in enumerate(predictor.manifest.calibrations):
        expected = 1 / (
            1 + np.exp(-calibration.slope * got.logits[0, index] - calibration.intercept)
        )
        assert got.probabilities[0, index] == pytest.approx(expected)


def test_the_graph_computes_what_numpy_does(predictor):
    image = radiograph(4)
    inputs, _ = predictor.manifest.preprocessing.apply(image.pixels)
    patch = SIZE // GRID
    means = inputs.reshape(3, GRID, patch, GRID, patch).mean(axis=(2, 4))
    weights = np.random.default_rng(0).normal(0, 0.1, (len(FINDINGS), 3))
    maps = np.einsum("fc,cij->fij", weights, np.maximum(means, 0))
    assert predictor.predict([image]).maps[0] == pytest.approx(maps, abs=1e-5)


def test_no_image_is_refused(predictor):
    with pytest.raises(DataError, match="at least one"):
        predictor.predict([])


def test_threads_may_share_a_model(predictor):
    images = [radiograph(seed) for seed in range(8)]
    expected = [predictor.predict([image]).logits for image in images]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda image: predictor.predict([image]).logits, images * 4))
    assert np.array_equal(np.array(got), np.array(expected * 4))


@pytest.mark.parametrize("changes", [{"n_findings": 3}, {"n_findings": 5}, {"size": 128}])
def test_a_graph_that_disagrees_with_its_manifest_is_refused(tmp_path, changes):
    predictor = Predictor(tiny_bundle(tmp_path / "tiny", graph=tiny_graph(**changes)))
    with pytest.raises(ModelError, match="manifest and its graph disagree"):
        predictor.predict([radiograph()])


def test_a_graph_that_is_none_is_refused(tmp_path):
    with pytest.raises(ModelError, match="not a graph"):
        Predictor(tiny_bundle(tmp_path / "tiny", graph=b"not ONNX"))


def test_an_analysis_repeats_the_prediction_with_the_facts_of_the_image(predictor):
    image = radiograph(5)
    predictions = predictor.predict([image])
    result = Analyzer(predictor).analyze(image)
    analysis = result.analysis
    assert [f.finding for f in analysis.findings] == list(FINDINGS)
    assert [f.probability for f in analysis.findings] == predictions.probabilities[0].tolist()
    assert [f.logit for f in analysis.findings] == predictions.logits[0].tolist()
    assert analysis.image_digest == image.digest
    assert analysis.model == "tiny 1.0.0"
    assert analysis.image_shape == (150, 120)
    assert (analysis.view, analysis.spacing_mm) == ("PA", (0.2, 0.2))
    assert analysis.warnings == image.warnings
    assert 0 < analysis.seconds < 30
    assert list(result.maps) == list(FINDINGS)
    assert np.array_equal(np.stack(list(result.maps.values())), predictions.maps[0])
    assert result.geometry == predictions.geometries[0]


def test_prediction_sets_are_those_of_the_manifest(predictor):
    found = Analyzer(predictor).analyze(radiograph(5)).analysis.findings
    bounds = predictor.manifest.conformal
    assert found[-1].prediction_set is None  # it makes no promise
    for one in found[:-1]:
        assert one.prediction_set == bounds[one.finding].answer(one.probability).value


@pytest.mark.parametrize("name", [None, "half", "youden", "sensitivity_90"])
def test_the_operating_point_decides_what_is_present(predictor, name):
    analysis = Analyzer(predictor, name).analyze(radiograph(6)).analysis
    assert analysis.operating_point == (name or "youden")
    for found in analysis.findings:
        assert found.threshold == predictor.manifest.threshold(found.finding, name)
        assert found.present == (found.probability >= found.threshold)


def test_a_probability_at_the_threshold_is_present(tmp_path, predictor):
    probability = Analyzer(predictor).analyze(radiograph(7)).analysis.findings[0].probability
    points = dict(predictor.manifest.operating_points)
    points[FINDINGS[0]] = (replace(points[FINDINGS[0]][1], threshold=probability),)
    bundle = tiny_bundle(tmp_path / "tiny", operating_points=points)
    found = Analyzer(Predictor(bundle, threads=1)).analyze(radiograph(7)).analysis.findings[0]
    assert found.probability == found.threshold
    assert found.present


def test_an_unknown_operating_point_is_refused_with_the_known_ones(predictor):
    with pytest.raises(ModelError, match="half, youden, sensitivity_90"):
        Analyzer(predictor, "best")


def outlined(folder, **changes):
    graph = tiny_graph(outlined=True)
    return Predictor(tiny_bundle(folder, graph=graph, **{"outlines": ORGANS, **changes}))


def test_outlines_are_given_and_measured_where_the_model_has_them(tmp_path, predictor):
    assert predictor.predict([radiograph()]).outlines is None
    assert Analyzer(predictor).analyze(radiograph()).analysis.anatomy is None
    square = radiograph(rows=150, columns=150)

    got = outlined(tmp_path / "outlined").predict([square, square])
    result = Analyzer(outlined(tmp_path / "again")).analyze(square)

    assert np.array_equal(got.outlines[1], outlined_boxes())
    assert list(result.outlines) == list(ORGANS)
    assert np.array_equal(result.outlines["heart"], outlined_boxes()[2])
    anatomy = result.analysis.anatomy
    assert anatomy.cardiothoracic_ratio == pytest.approx(0.5)
    assert anatomy.doubts == ()
    assert anatomy.thorax.start == pytest.approx(150 * 2 / 16)
    assert result.analysis.warnings == ("The view was assumed.",)


def test_a_finding_that_contradicts_the_measured_heart_is_said(tmp_path, monkeypatch):
    predictor = outlined(tmp_path / "outlined")
    wide = outlined_boxes()
    wide[2] = 0
    wide[2, 28:48, 18:52] = 1  # of 48 columns of thorax
    real = predictor.predict

    def predict(images):
        return replace(real(images), outlines=wide[np.newaxis])

    monkeypatch.setattr(predictor, "predict", predict)
    image = radiograph(rows=150, columns=150)

    analysis = Analyzer(predictor).analyze(image).analysis

    by_name = {found.finding: found.present for found in analysis.findings}
    told = [text for text in analysis.warnings if "cardiothoracic ratio" in text]
    assert len(told) == (not by_name["Cardiomegaly"])


def test_a_graph_whose_outlines_are_not_those_of_the_manifest_is_refused(tmp_path):
    with pytest.raises(ModelError, match="outlines"):
        Predictor(tiny_bundle(tmp_path / "lacking", outlines=ORGANS))
    with pytest.raises(ModelError, match="2 organs"):
        outlined(tmp_path / "fewer", outlines=ORGANS[:2]).predict([radiograph()])


def ordinary_maps(value=-0.25, grid=GRID, findings=FINDINGS):
    return {
        name: tuple((value + i,) * grid for _ in range(grid)) for i, name in enumerate(findings)
    }


def test_maps_are_shown_beside_those_of_ordinary_radiographs(tmp_path, predictor):
    bundle = tiny_bundle(tmp_path / "tiny", ordinary_maps=ordinary_maps())
    beside = Predictor(bundle, threads=1)
    maps = beside.predict([radiograph(0), radiograph(1)]).maps

    shown = beside.beside_ordinary(maps)

    for i in range(len(FINDINGS)):
        assert shown[:, i] == pytest.approx(maps[:, i] + 0.25 - i, abs=1e-6)
    analyzed = Analyzer(beside).analyze(radiograph(0))
    assert analyzed.maps[FINDINGS[1]] == pytest.approx(shown[0, 1], abs=1e-6)
    assert predictor.beside_ordinary(maps) is maps  # a model that knows of none


@pytest.mark.parametrize(
    "wrong", [ordinary_maps(grid=GRID + 1), ordinary_maps(findings=FINDINGS[:1])]
)
def test_ordinary_maps_that_are_not_those_of_the_graph_are_refused(tmp_path, wrong):
    beside = Predictor(tiny_bundle(tmp_path / "tiny", ordinary_maps=wrong), threads=1)
    maps = beside.predict([radiograph(0)]).maps
    with pytest.raises(ModelError, match="disagree"):
        beside.beside_ordinary(maps)


def two_look_bundle(folder, **changes):
    graph = tiny_graph(outlined=True, two_looks=True)
    look = {"quick_look": QuickLook(networks=1, of=2), **changes}
    return tiny_bundle(folder, graph=graph, outlines=ORGANS, **look)


def test_a_quick_look_is_another_than_the_whole_one(tmp_path):
    quick, plain = (
        Predictor(bundle, threads=1)
        for bundle in (
            two_look_bundle(tmp_path / "two"),
            tiny_bundle(tmp_path / "one", graph=tiny_graph(outlined=True), outlines=ORGANS),
        )
    )
    inputs = [quick.prepare(radiograph(seed)) for seed in range(3)]

    whole, logits = quick.predict_prepared(inputs), quick.quick_logits(inputs)

    expected = plain.predict_prepared(inputs)
    np.testing.assert_allclose(whole.logits, expected.logits, rtol=1e-6)
    np.testing.assert_array_equal(whole.outlines, expected.outlines)
    assert logits.shape == whole.logits.shape
    assert not np.allclose(logits, whole.logits)
    with pytest.raises(DataError):
        quick.quick_logits([])


@pytest.mark.parametrize("quick_look", [None, QuickLook(networks=1, of=2)])
def test_a_model_that_names_no_quick_look_takes_whole_ones(tmp_path, quick_look):
    predictor = Predictor(two_look_bundle(tmp_path / "two", quick_look=quick_look), threads=1)
    inputs = [predictor.prepare(radiograph(seed)) for seed in range(2)]

    same = np.array_equal(predictor.quick_logits(inputs), predictor.predict_prepared(inputs).logits)

    assert same == (quick_look is None)


def test_a_graph_without_the_quick_look_of_its_manifest_is_refused(tmp_path):
    bundle = tiny_bundle(tmp_path / "tiny", quick_look=QuickLook(networks=1, of=2))

    with pytest.raises(ModelError, match="has a quick look, which its graph does not give"):
        Predictor(bundle, threads=1)
