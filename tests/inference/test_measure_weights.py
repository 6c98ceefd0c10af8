"""Constants are found in the file as the ONNX library finds them, and weights by moving one."""

import numpy as np
import pytest

from bundles import FINDINGS, SIZE, tiny_bundle, tiny_graph
from medcxr.core.errors import ModelError
from medcxr.inference.measure_weights import measure_weights
from medcxr.inference.onnx_tensors import tensors

WEIGHTS = np.array([[0, 0], [0, 0], [2.5, -1.25], [0, 0]], dtype=np.float32)  # findings, measures


def informed_graph():
    """Return the outlined tiny graph whose logits have weights · (measures - center) added."""
    onnx = pytest.importorskip("onnx")
    helper, to_tensor = onnx.helper, onnx.numpy_helper.from_array
    model = onnx.load_model_from_string(tiny_graph(outlined=True))
    graph = model.graph
    for node in graph.node:
        for index, name in enumerate(node.output):
            if name == "logits":
                node.output[index] = "plain"
    graph.initializer.extend(
        [
            to_tensor(np.array([0.5, 0.3], dtype=np.float32), "network.center"),
            to_tensor(np.array([[0.7, 0.2]], dtype=np.float32), "measures"),
            to_tensor(WEIGHTS.T, "by measure"),
        ]
    )
    graph.node.extend(
        [
            helper.make_node("Sub", ["measures", "network.center"], ["beyond"]),
            helper.make_node("MatMul", ["beyond", "by measure"], ["added"]),
            helper.make_node("Add", ["plain", "added"], ["logits"]),
        ]
    )
    return model.SerializeToString()


def test_constants_lie_where_the_library_finds_them():
    onnx = pytest.importorskip("onnx")
    graph = informed_graph()

    found = {one.name: graph[one.start : one.stop] for one in tensors(graph)}

    expected = onnx.load_model_from_string(graph).graph.initializer
    assert found == {one.name: one.raw_data for one in expected}


def test_what_is_no_graph_is_refused():
    with pytest.raises(ModelError):
        list(tensors(b"not ONNX"))


def test_the_weights_are_those_of_the_graph(tmp_path):
    bundle = tiny_bundle(
        tmp_path / "tiny", graph=informed_graph(), outlines=("right lung", "left lung", "heart")
    )
    x = np.random.default_rng(0).normal(size=(3, SIZE, SIZE)).astype(np.float32)

    found = measure_weights(bundle, x)

    assert found == pytest.approx(WEIGHTS, abs=1e-4)
    assert found.shape == (len(FINDINGS), 2)


def test_a_model_that_measures_nothing_has_none(tmp_path):
    x = np.zeros((3, SIZE, SIZE), dtype=np.float32)

    assert measure_weights(tiny_bundle(tmp_path / "plain"), x) is None
