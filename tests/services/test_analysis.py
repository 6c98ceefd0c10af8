"""Files analyzed with the workspace's model."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from bundles import FINDINGS, GRID, tiny_graph, use_tiny_model
from medcxr.core.errors import ImageError, ModelError
from medcxr.inference import onnx_runtime
from medcxr.registry.registry import ModelRegistry
from medcxr.services import loaded_model
from medcxr.services.analysis import analyze_image, current_model
from medcxr.services.workspace import Workspace
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate


@pytest.fixture(scope="module")
def radiograph(tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "thorax.png"
    pixels = simulate(ThoraxParameters(), size=128).pixels
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def loads(monkeypatch):
    """Forget loaded models and count the graphs loaded from now on."""
    loaded_model._load.cache_clear()
    loaded_model._open.cache_clear()
    count = []
    real = onnx_runtime.onnxruntime.InferenceSession

    def counting(*args, **kwargs):
        count.append(1)
        return real(*args, **kwargs)

    monkeypatch.setattr(onnx_runtime.onnxruntime, "InferenceSession", counting)
    return count


def test_a_path_and_its_bytes_give_the_same_analysis(tiny_workspace, radiograph):
    by_path = analyze_image(tiny_workspace, radiograph)
    by_bytes = analyze_image(tiny_workspace, radiograph.read_bytes())
    assert by_path.analysis.findings == by_bytes.analysis.findings
    assert by_path.analysis.image_digest == hashlib.sha256(radiograph.read_bytes()).hexdigest()
    assert by_path.image.shape == by_path.geometry.original_shape == (128, 128)
    assert {name: m.shape for name, m in by_path.maps.items()} == dict.fromkeys(
        FINDINGS, (GRID, GRID)
    )
    for found in by_path.analysis.findings:
        assert by_path.maps[found.finding].sum() == pytest.approx(found.logit, abs=1e-4)


def test_the_operating_point_can_be_chosen(tiny_workspace, radiograph):
    result = analyze_image(tiny_workspace, radiograph, operating_point="half")
    assert {found.threshold for found in result.analysis.findings} == {0.5}


def test_a_bad_file_is_refused(tiny_workspace):
    with pytest.raises(ImageError):
        analyze_image(tiny_workspace, b"not an image")


def test_without_a_model_the_user_is_told_what_to_do(tmp_path, monkeypatch, radiograph):
    monkeypatch.setattr(loaded_model, "ModelRegistry", lambda folder: ModelRegistry(folder, None))
    workspace = Workspace.open(tmp_path / "empty")
    for ask in (current_model, lambda w: analyze_image(w, radiograph)):
        with pytest.raises(ModelError, match="No model is in use; choose one"):
            ask(workspace)


def test_the_facts_are_those_of_the_first_measurement(tiny_workspace):
    facts = current_model(tiny_workspace)
    manifest = ModelRegistry(tiny_workspace.models).current().manifest
    assert (facts.name, facts.version) == ("tiny", "1.0.0")
    assert facts.figures == manifest.measurements[0].report.findings
    assert set(facts.aucs) == set(FINDINGS)


def test_a_model_without_measurements_has_no_figures(tiny_workspace):
    use_tiny_model(tiny_workspace, version="2.0.0", measurements=())
    assert current_model(tiny_workspace).figures == ()


def test_many_threads_load_the_model_once(tiny_workspace, radiograph, loads):
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: analyze_image(tiny_workspace, radiograph), range(12)))
    assert len(loads) == 1
    assert len({result.analysis.findings for result in results}) == 1


def test_another_choice_takes_effect_at_once(tiny_workspace, radiograph, loads):
    before = analyze_image(tiny_workspace, radiograph).analysis
    use_tiny_model(tiny_workspace, version="2.0.0", graph=tiny_graph(seed=1))
    after = analyze_image(tiny_workspace, radiograph).analysis
    assert (before.model, after.model) == ("tiny 1.0.0", "tiny 2.0.0")
    assert before.findings != after.findings
    assert current_model(tiny_workspace).version == "2.0.0"
    ModelRegistry(tiny_workspace.models).use("tiny", "1.0.0")
    assert analyze_image(tiny_workspace, radiograph).analysis.findings == before.findings
    assert len(loads) == 3


def test_a_model_damaged_while_loaded_is_noticed(tiny_workspace, radiograph):
    analyze_image(tiny_workspace, radiograph)
    (tiny_workspace.models / "tiny-1.0.0" / "model.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match="changed or damaged"):
        analyze_image(tiny_workspace, radiograph)
