"""What OpenVINO makes when it is first used, it makes for one thread alone."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bundles import use_tiny_model
from medcxr.core.runtime import Runtime
from medcxr.inference.predictor import Predictor, Prepared
from medcxr.registry.registry import ModelRegistry
from medcxr.services.workspace import Workspace


def test_threads_that_come_together_do_not_wait_for_each_other_for_ever(tmp_path, monkeypatch):
    openvino = pytest.importorskip("openvino", reason="no OpenVINO; install the extra openvino")
    workspace = Workspace.open(tmp_path / "workspace")
    use_tiny_model(workspace)
    predictor = Predictor(ModelRegistry(workspace.models).current(), runtime=Runtime.OPENVINO)
    size = predictor.manifest.preprocessing.size
    blank = Prepared(pixels=np.zeros((3, size, size), np.float32), geometry=None)
    real, begun, beside_the_first = openvino.InferRequest.infer, [], []

    def slow_at_first(*args, **kwargs):
        begun.append(1)
        is_first = len(begun) == 1
        if is_first:
            time.sleep(0.3)
        answer = real(*args, **kwargs)
        if is_first:
            beside_the_first.append(len(begun) - 1)
        return answer

    monkeypatch.setattr(openvino.InferRequest, "infer", slow_at_first)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: predictor.predict_prepared([blank]).logits, range(4)))
    assert beside_the_first == [0]
    assert all((one == found[0]).all() for one in found)
