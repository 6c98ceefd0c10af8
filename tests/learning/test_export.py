"""The exported graph equals the network, or there is none."""

import logging
import logging.handlers
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
import onnx
import torch
from safetensors.torch import load_file
from torch import nn

from medcxr.core.errors import ModelError
from medcxr.inference.session import OnnxSession
from medcxr.learning import export
from medcxr.learning.config import NetworkConfig
from medcxr.learning.export import export_onnx, export_weights
from medcxr.learning.fitting import build_network
from medcxr.learning.networks import CNNTransformerHybrid, Evidence
from small_training import random_images, small_config

pytestmark = pytest.mark.train

N_FINDINGS = 4
RECIPE = NetworkConfig(
    stem="efficientnet_lite0",
    pretrained=False,
    pooling="attention",
    grid=4,
    width=16,
    layers=1,
    heads=2,
    feedforward=16,
    classifier_width=8,
)


@pytest.fixture(scope="module")
def images():
    return random_images(10)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return small_config(tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="module")
def exported(images, tmp_path_factory):
    """Return a network of the shipped recipe's parts, its graph and what the export said."""
    torch.manual_seed(0)
    network = CNNTransformerHybrid(RECIPE, N_FINDINGS + 1).eval()
    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    said = logging.handlers.BufferingHandler(1000)
    logging.getLogger("torch").addHandler(said)
    try:
        difference = export_onnx(
            network, path, images=images, rows=range(10), n_findings=N_FINDINGS
        )
    finally:
        logging.getLogger("torch").removeHandler(said)
    assert 0 <= difference < 1e-4
    return network, path, said.buffer


@pytest.mark.slow
@pytest.mark.parametrize("rows", [[0], range(1, 10)])
@torch.inference_mode()
def test_the_graph_is_the_network_for_any_number_of_images(exported, images, rows):
    network, path, _ = exported
    inputs = np.stack([images.input(row) for row in rows])

    logits, maps = OnnxSession(path).run(inputs)

    expected = network(torch.from_numpy(inputs))
    assert logits.shape == (len(rows), N_FINDINGS)  # without the auxiliary output
    np.testing.assert_allclose(logits, expected.logits[:, :N_FINDINGS], atol=1e-5)
    np.testing.assert_allclose(maps, expected.maps[:, :N_FINDINGS], atol=1e-5)


@pytest.mark.slow
def test_the_graph_does_not_say_where_its_nodes_come_from(exported):
    _, path, _ = exported

    nodes = onnx.load(path).graph.node

    # the exporter notes files and lines: folders of whoever trained
    assert nodes
    assert all(not node.metadata_props and not node.doc_string for node in nodes)
    assert b".py" not in path.read_bytes()


@pytest.mark.slow
def test_the_export_says_nothing_of_its_own(exported):
    assert [record.getMessage() for record in exported[2]] == []


class _Unequal(nn.Module):
    """Says something else when it is not being exported."""

    def __init__(self, beside: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.beside = beside

    def forward(self, x):
        maps = nn.functional.avg_pool2d(x[:, :N_FINDINGS], 8) * self.scale / 64
        if not torch.compiler.is_compiling():
            maps = maps + self.beside
        return Evidence(maps.sum(dim=(-2, -1)), maps)


@pytest.mark.parametrize(("beside", "words"), [(1e-3, "by 0.064"), (float("nan"), "by nan")])
def test_a_graph_that_differs_is_refused_and_not_kept(images, tmp_path, beside, words):
    path = tmp_path / "model.onnx"

    with pytest.raises(ModelError, match=f"differs from the network {words}.*was not kept"):
        export_onnx(_Unequal(beside), path, images=images, rows=range(4), n_findings=3)

    assert not path.exists()


class _Patches(nn.Module):
    """A convolution of 768 weights."""

    def __init__(self) -> None:
        super().__init__()
        self.judge = nn.Conv2d(3, N_FINDINGS, 8, stride=8)

    def forward(self, x):
        maps = self.judge(x)
        return Evidence(maps.sum(dim=(-2, -1)), maps)


@pytest.mark.parametrize(("worth", "kind"), [(100, "FLOAT16"), (10_000, "FLOAT")])
def test_large_weights_are_halved_and_the_answer_is_nearly_equal(
    images, tmp_path, monkeypatch, worth, kind
):
    monkeypatch.setattr(export, "_WORTH_HALVING", worth)
    torch.manual_seed(1)
    network, path = _Patches().eval(), tmp_path / "model.onnx"

    difference = export_onnx(
        network, path, images=images, rows=range(4), n_findings=N_FINDINGS, halve=True
    )

    assert difference < 0.02
    stored = {tuple(one.dims): one.data_type for one in onnx.load(path).graph.initializer}
    assert stored[N_FINDINGS, 3, 8, 8] == getattr(onnx.TensorProto, kind)


def test_weights_start_another_training(config, tmp_path):
    network = build_network(config)
    network.to(memory_format=torch.channels_last)

    export_weights(network, tmp_path / "model.safetensors")

    other = build_network(replace(config, seed=99))
    other.load_state_dict(load_file(tmp_path / "model.safetensors"))
    for name, value in network.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)
    assert len(other.classifier[-1].bias) == N_FINDINGS + 1  # the auxiliary output included
