"""A graph of two looks gives in each what the graph of both gave, and keeps each constant once."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("onnx")
import onnx

from bundles import tiny_graph
from medcxr.inference.onnx_tensors import tensors
from medcxr.inference.session import OnnxSession
from medcxr.learning.branches import choose_look

pytestmark = pytest.mark.train

OUTPUTS = ["logits", "maps", "outlines"]
OPERATIONS = {"Add": np.add, "Sub": np.subtract, "Max": np.maximum}


def both_looks(steps, ends, constants):
    """Return a graph of steps, and what its ends are worth for an image.

    Args:
        steps: (operation, first, second): values by their place among image, constants and steps.
        ends: places of the five outputs.
        constants: numbers.
    """
    helper, float_ = onnx.helper, onnx.TensorProto.FLOAT
    names = ["image", *(f"constant {i}" for i in range(len(constants)))]
    nodes = []
    for number, (operation, *sources) in enumerate(steps):
        # the image takes part, so that every value has its shape
        nodes.append(
            helper.make_node(operation, [names[i % len(names)] for i in sources], [f"at {number}"])
        )
        nodes.append(helper.make_node("Max", [f"at {number}", "image"], [f"step {number}"]))
        names.append(f"step {number}")
    finals = [f"end {i}" for i in range(5)]
    chosen = [names[-1 - end % len(steps)] for end in ends]
    nodes += [helper.make_node("Neg", [a], [b]) for a, b in zip(chosen, finals, strict=True)]
    shape = ["batch", 2, 3, 3]
    graph = helper.make_graph(
        nodes,
        "both",
        [helper.make_tensor_value_info("image", float_, shape)],
        [helper.make_tensor_value_info(name, float_, shape) for name in finals],
        [
            onnx.numpy_helper.from_array(np.full(1, value, dtype=np.float32), f"constant {i}")
            for i, value in enumerate(constants)
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)

    def worth(image):
        values = [image, *(np.float32(value) for value in constants)]
        for operation, *sources in steps:
            found = OPERATIONS[operation](*(values[i % len(values)] for i in sources))
            values.append(np.maximum(found, image))
        return [-values[-1 - end % len(steps)] for end in ends]

    return model, worth


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 99), st.integers(0, 99)),
        min_size=1,
        max_size=12,
    ),
    ends=st.tuples(*[st.integers(0, 11)] * 5),
    constants=st.lists(st.integers(-9, 9), min_size=1, max_size=4),
    n_images=st.integers(1, 3),
)
@settings(max_examples=60)
def test_each_look_gives_what_the_graph_of_both_gave(
    tmp_path_factory, steps, ends, constants, n_images
):
    model, worth = both_looks(steps, ends, constants)
    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    image = np.random.default_rng(0).normal(size=(n_images, 2, 3, 3)).astype(np.float32)

    choose_look(model, OUTPUTS, n_quick=2)

    path.write_bytes(model.SerializeToString())
    session = OnnxSession(path, outputs=OUTPUTS)
    assert session.has_quick_look
    found = [*session.run(image), *session.run_quickly(image)]
    for got, expected in zip(found, worth(image), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_a_constant_lies_once_and_where_it_is_used():
    graph = tiny_graph(outlined=True, two_looks=True)

    model = onnx.load_model_from_string(graph).graph

    assert set(Counter(one.name for one in tensors(graph)).values()) == {1}
    choice = next(node for node in model.node if node.op_type == "If")
    of = {one.name: {c.name for c in one.g.initializer} for one in choice.attribute}
    assert of == {"then_branch": {"weights", "zero", "boxes"}, "else_branch": {"quick weights"}}
    assert {one.name for one in model.initializer} == {"axes", "whole"}
    assert "Conv" not in {node.op_type for node in model.node}  # neither look waits for the other


def test_a_quick_look_gives_no_outlines(tmp_path):
    (tmp_path / "model.onnx").write_bytes(tiny_graph(outlined=True, two_looks=True))
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    image = np.ones((2, 3, 64, 64), dtype=np.float32)

    outlines = [
        session.run(["outlines"], {"image": image, "whole": np.array(whole)})[0]
        for whole in (True, False)
    ]

    assert [one.shape for one in outlines] == [(2, 3, 64, 64), (0, 3, 0, 0)]


def test_a_step_of_several_results_and_a_bare_constant_serve_both_looks(tmp_path):
    helper, float_ = onnx.helper, onnx.TensorProto.FLOAT
    ends = ["first", "sum", "constant", "second", "constant"]
    graph = helper.make_graph(
        [
            helper.make_node("Split", ["image"], ["first", "second"], axis=1),
            helper.make_node("Add", ["first", "constant"], ["sum"]),
        ],
        "both",
        [helper.make_tensor_value_info("image", float_, ["batch", 2, 3, 3])],
        [helper.make_tensor_value_info(name, float_, ["batch", 1, 3, 3]) for name in ends],
        [onnx.numpy_helper.from_array(np.full((1, 1, 3, 3), 7, dtype=np.float32), "constant")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    image = np.random.default_rng(0).normal(size=(1, 2, 3, 3)).astype(np.float32)

    choose_look(model, OUTPUTS, n_quick=2)

    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    session = OnnxSession(tmp_path / "model.onnx", outputs=OUTPUTS)
    seven = np.full((1, 1, 3, 3), 7, dtype=np.float32)
    whole, quick = session.run(image), session.run_quickly(image)
    for found, expected in zip(whole, (image[:, :1], image[:, :1] + 7, seven), strict=True):
        np.testing.assert_array_equal(found, expected)
    for found, expected in zip(quick, (image[:, 1:], seven), strict=True):
        np.testing.assert_array_equal(found, expected)
