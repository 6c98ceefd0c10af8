"""Shuffled weights: the same values at other places, read back by the ONNX library."""

import numpy as np
import pytest

from bundles import tiny_bundle, tiny_graph
from medcxr.core.errors import ModelError
from medcxr.inference.predictor import Predictor
from medcxr.inference.shuffled_weights import shuffle_weights


def initializers(graph):
    onnx = pytest.importorskip("onnx")
    graphs = [onnx.load_model_from_string(graph).graph]
    for one in graphs:
        graphs += [a.g for node in one.node for a in node.attribute if a.HasField("g")]
    return {
        one.name: onnx.numpy_helper.to_array(one) for part in graphs for one in part.initializer
    }


@pytest.fixture(scope="module", params=[False, True])
def graph(request):
    return tiny_graph(outlined=True, two_looks=request.param)


def test_every_weight_is_there_once_and_elsewhere(graph):
    before, after = initializers(graph), initializers(shuffle_weights(graph, 1))

    assert before.keys() == after.keys()
    assert before["weights"].shape == after["weights"].shape
    assert not np.array_equal(before["weights"], after["weights"])
    for name, values in before.items():
        assert np.array_equal(np.sort(values, axis=None), np.sort(after[name], axis=None))


def test_constants_of_operations_stay(graph):
    before, after = initializers(graph), initializers(shuffle_weights(graph, 1))

    for name in ("axes", "zero"):
        assert np.array_equal(before[name], after[name])


def test_halves_are_shuffled_whole():
    onnx = pytest.importorskip("onnx")
    values = np.arange(1000, dtype=np.float16)
    tensor = onnx.numpy_helper.from_array(values, "half")
    graph = onnx.helper.make_graph([], "one", [], [], [tensor])
    data = onnx.helper.make_model(graph).SerializeToString()

    found = initializers(shuffle_weights(data, 3))["half"]

    assert not np.array_equal(found, values)
    assert np.array_equal(np.sort(found), values)


def test_the_seed_decides(graph):
    assert shuffle_weights(graph, 1) == shuffle_weights(graph, 1)
    assert shuffle_weights(graph, 1) != shuffle_weights(graph, 2)


def test_a_model_with_shuffled_weights_answers_otherwise(tmp_path):
    bundle = tiny_bundle(tmp_path / "tiny")
    predictor, forgetful = Predictor(bundle, 1), Predictor(bundle, 1, shuffled=1)
    pixels = np.random.default_rng(0).random((90, 80), dtype=np.float32)
    prepared = predictor.manifest.preprocessing.apply(pixels)[0]

    first, second = (one._session.run(prepared[np.newaxis]) for one in (predictor, forgetful))

    assert not np.allclose(first[0], second[0])


@pytest.mark.parametrize("cut", [1, 100, -50])
def test_a_damaged_graph_is_refused(graph, cut):
    with pytest.raises(ModelError):
        shuffle_weights(graph[:cut], 1)
