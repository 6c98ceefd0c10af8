"""Constants are found in the file as the ONNX library finds them, and weights by moving one."""

import numpy as np
import pytest

from bundles import FINDINGS, SIZE, tiny_bundle, tiny_graph
from medcxr.core.errors import ModelError
from medcxr.inference.measure_weights import measure_weights
from medcxr.inference.onnx_tensors import tensors

WEIGHTS = np.array([[0, 0], [0, 0], [2.5, -1.25], [0, 0]], dtype=np.float32)  # findings, measures


def informed_graph(*, two_looks=False):
    """Return the outlined tiny graph whose logits have weights · (measures - center) added.

    Of two looks the whole one alone adds them.
    """
    onnx = pytest.importorskip("onnx")
    helper, to_tensor = onnx.helper, onnx.numpy_helper.from_array
    model = onnx.load_model_from_string(tiny_graph(outlined=True, two_looks=two_looks))
    whole, logits = model.graph, "logits"
    if two_looks:
        choice = next(node for node in whole.node if node.op_type == "If")
        graph = next(one.g for one in choice.attribute if one.name == "then_branch")
        logits = graph.output[0].name
    else:
        graph = whole
    for node in graph.node:
        for index, name in enumerate(node.output):
            if name == logits:
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
            helper.make_node("Add", ["plain", "added"], [logits]),
        ]
    )
    return model.SerializeToString()


def initializers(graph):
    """Yield those of a graph and of the branches within it, as the ONNX library finds them."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from initializers(attribute.g)


@pytest.mark.parametrize("two_looks", [False, True])
def test_constants_lie_where_the_library_finds_them(two_looks):
    onnx = pytest.importorskip("onnx")
    graph = informed_graph(two_looks=two_looks)

    found = {one.name: graph[one.start : one.stop] for one in tensors(graph)}

    expected = initializers(onnx.load_model_from_string(graph).graph)
    assert found == {one.name: one.raw_data for one in expected}
    assert {"weights", "boxes", "network.center"} < found.keys()


def test_what_is_no_graph_is_refused():
    with pytest.raises(ModelError):
        list(tensors(b"not ONNX"))


@pytest.mark.parametrize("depth", [100, 100_000])
def test_graphs_nested_without_end_are_refused(depth):
    graph, node, attribute, subgraph = (field << 3 | 2 for field in (7, 1, 5, 6))
    heads, size = [], 0
    for tag in reversed([graph, *[node, attribute, subgraph] * depth]):
        length, rest = [], size
        while rest > 0x7F:
            length.append(rest & 0x7F | 0x80)
            rest >>= 7
        heads.append(bytes([tag, *length, rest]))
        size += len(heads[-1])

    with pytest.raises(ModelError, match="damaged"):
        list(tensors(b"".join(reversed(heads))))


@pytest.mark.parametrize("two_looks", [False, True])
def test_the_weights_are_those_of_the_graph(tmp_path, two_looks):
    bundle = tiny_bundle(
        tmp_path / "tiny",
        graph=informed_graph(two_looks=two_looks),
        outlines=("right lung", "left lung", "heart"),
    )
    x = np.random.default_rng(0).normal(size=(3, SIZE, SIZE)).astype(np.float32)

    found = measure_weights(bundle, x)

    assert found == pytest.approx(WEIGHTS, abs=1e-4)
    assert found.shape == (len(FINDINGS), 2)


def test_a_model_that_measures_nothing_has_none(tmp_path):
    x = np.zeros((3, SIZE, SIZE), dtype=np.float32)

    assert measure_weights(tiny_bundle(tmp_path / "plain"), x) is None
