"""Runtimes: whichever computes a graph, the answers are the same."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from bundles import FINDINGS, ORGANS, SIZE, tiny_bundle, tiny_graph
from medcxr.core.errors import DataError, MissingExtra, ModelError
from medcxr.core.runtime import Runtime
from medcxr.core.settings import Settings
from medcxr.inference.session import MODEL_OUTPUTS, OUTLINES_OUTPUT, OnnxSession
from medcxr.registry.bundle import GRAPH_FILE
from medcxr.registry.shipped import default_model
from medcxr.services.loaded_model import current_predictor
from medcxr.synthetic import sample_parameters, simulate

ALL_OUTPUTS = (*MODEL_OUTPUTS, OUTLINES_OUTPUT)
_SHIPPED = default_model() / GRAPH_FILE
_TOLERANCE = 1e-4  # of a logit and of an outline: a ten-thousandth of a probability is not shown

needs_openvino = pytest.mark.skipif(
    find_spec("openvino") is None,
    reason="no OpenVINO; install the extra openvino",
)


def session(runtime: Runtime, path: Path = _SHIPPED, **options: object) -> OnnxSession:
    return OnnxSession(path, runtime=runtime, **{"outputs": ALL_OUTPUTS, "threads": 1, **options})


@pytest.fixture(scope="module")
def radiographs():
    """Three simulated radiographs as a model sees them, about mean 0 and deviation 1."""
    images = []
    for seed in range(3):
        pixels = simulate(sample_parameters(np.random.default_rng(seed)), size=224).pixels
        images.append(np.repeat(((pixels - pixels.mean()) / pixels.std())[np.newaxis], 3, axis=0))
    return np.stack(images).astype(np.float32)


@needs_openvino
def test_both_runtimes_give_the_shipped_models_scores(radiographs):
    usual, other = session(Runtime.ONNX_RUNTIME), session(Runtime.OPENVINO)
    looks = [(usual.run, other.run, 3), (usual.run_quickly, other.run_quickly, 2)]
    for of_usual, of_other, n_outputs in looks:
        expected, found = of_usual(radiographs), of_other(radiographs)
        assert len(found) == n_outputs
        for one, two in zip(expected, found, strict=True):
            assert one.shape == two.shape
            assert np.abs(one - two).max() < _TOLERANCE
    whole, quick = other.run(radiographs), other.run_quickly(radiographs)
    assert np.abs(whole[0] - quick[0]).max() > 10 * _TOLERANCE  # they are two looks


@needs_openvino
def test_threads_that_share_a_graph_get_their_own_answers(radiographs):
    shared = session(Runtime.OPENVINO)
    alone = [shared.run(radiographs[i : i + 1])[0] for i in range(3)]
    with ThreadPoolExecutor(3) as pool:
        order = [0, 1, 2] * 4
        together = list(pool.map(lambda i: shared.run(radiographs[i : i + 1])[0], order))
    for index, answer in zip(order, together, strict=True):
        assert np.array_equal(answer, alone[index])


@pytest.mark.parametrize(
    "runtime", [Runtime.ONNX_RUNTIME, pytest.param(Runtime.OPENVINO, marks=needs_openvino)]
)
class TestEveryEngine:
    """What every runtime must do alike."""

    def test_names_and_the_quick_look_are_found(self, runtime, tmp_path):
        path = tmp_path / "model.onnx"
        path.write_bytes(tiny_graph(outlined=True, two_looks=True))
        found = session(runtime, path)
        assert found.has_quick_look
        inputs = np.random.default_rng(0).random((2, 3, SIZE, SIZE)).astype(np.float32)
        logits, maps, outlines = found.run(inputs)
        assert logits.shape == (2, len(FINDINGS))
        assert outlines.shape == (2, len(ORGANS), SIZE, SIZE)
        assert np.abs(maps.sum(axis=(2, 3)) - logits).max() < _TOLERANCE
        assert len(found.run_quickly(inputs)) == 2

    def test_a_graph_of_one_look_gives_it_to_both_questions(self, runtime, tmp_path):
        path = tmp_path / "model.onnx"
        path.write_bytes(tiny_graph())
        found = session(runtime, path, outputs=MODEL_OUTPUTS)
        inputs = np.random.default_rng(0).random((1, 3, SIZE, SIZE)).astype(np.float32)
        assert not found.has_quick_look
        assert np.array_equal(found.run(inputs)[0], found.run_quickly(inputs)[0])

    @pytest.mark.parametrize("graph", [b"", b"not ONNX", bytes(200)])
    def test_what_is_no_graph_is_refused(self, runtime, tmp_path, graph):
        with pytest.raises(ModelError, match="reinstall the model"):
            session(runtime, tmp_path / "model.onnx", graph=graph)

    def test_other_outputs_are_refused(self, runtime, tmp_path):
        with pytest.raises(ModelError, match="must map"):
            session(runtime, tmp_path / "model.onnx", graph=tiny_graph())

    @pytest.mark.parametrize("shape", [(1, 3, 32, 32), (1, 1, SIZE, SIZE)])
    def test_another_shape_is_refused(self, runtime, tmp_path, shape):
        found = session(runtime, tmp_path / "model.onnx", graph=tiny_graph(), outputs=MODEL_OUTPUTS)
        with pytest.raises(ModelError, match="cannot take an input"):
            found.run(np.zeros(shape, dtype=np.float32))

    def test_what_is_not_a_number_is_refused(self, runtime, tmp_path):
        found = session(runtime, tmp_path / "model.onnx", graph=tiny_graph(), outputs=MODEL_OUTPUTS)
        with pytest.raises(ModelError, match="not a number"):
            found.run(np.full((1, 3, SIZE, SIZE), np.inf, dtype=np.float32))


@needs_openvino
def test_the_settings_choose_the_runtime(tiny_workspace, monkeypatch):
    assert current_predictor(tiny_workspace).runtime is Runtime.ONNX_RUNTIME
    monkeypatch.setenv("MEDCXR_RUNTIME", "openvino")
    assert current_predictor(tiny_workspace).runtime is Runtime.OPENVINO


def test_a_runtime_that_is_not_there_is_refused():
    with pytest.raises(DataError, match=r"'tensorrt'.*onnxruntime, openvino"):
        _ = Settings.from_environment({"MEDCXR_RUNTIME": "tensorrt"}).runtime
    assert Settings.from_environment({"MEDCXR_RUNTIME": " "}).runtime is Runtime.ONNX_RUNTIME


def test_the_variables_former_name_is_read_where_the_new_one_is_not_set():
    former = {"MEDCXR_ENGINE": "openvino"}
    assert Settings.from_environment(former).runtime is Runtime.OPENVINO
    both = former | {"MEDCXR_RUNTIME": "onnxruntime"}
    assert Settings.from_environment(both).runtime is Runtime.ONNX_RUNTIME


def test_without_openvino_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtra, match=r"medcxr\[openvino\].*MEDCXR_RUNTIME"):
        session(Runtime.OPENVINO, tmp_path / "model.onnx", graph=tiny_graph())


@needs_openvino
def test_what_could_send_telemetry_is_not_even_loaded(tmp_path):
    bundle = tiny_bundle(tmp_path / "tiny")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from medcxr.core.runtime import Runtime\n"
        "from medcxr.inference.session import OnnxSession\n"
        f"OnnxSession(Path({str(bundle.path(GRAPH_FILE))!r}), runtime=Runtime.OPENVINO)\n"
        "assert 'openvino' in sys.modules\n"
        "print([one for one in sys.modules if 'telemetry' in one and not one.startswith('medcxr')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
