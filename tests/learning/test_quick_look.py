"""The quick look of a network, and the graph that can be asked for it."""

import numpy as np
import pytest

pytest.importorskip("torch")
import onnx
import torch
from torch import nn

from medcxr.explain.measured import MEASURES
from medcxr.inference.onnx_tensors import FLOAT16, tensors
from medcxr.inference.session import OUTLINES_OUTPUT, OnnxSession
from medcxr.learning import export
from medcxr.learning.anatomy import AnatomyGuided, Fusion
from medcxr.learning.ensemble import Ensemble
from medcxr.learning.export import export_onnx
from medcxr.learning.networks import Evidence
from medcxr.learning.quick_look import both_looks, n_networks, n_quick_networks
from small_training import random_images

pytestmark = pytest.mark.train

N_FINDINGS = 4
ALL_OUTPUTS = ("logits", "maps", OUTLINES_OUTPUT)


class _Patches(nn.Module):
    """A convolution of 960 weights, with one output that the graph leaves out."""

    def __init__(self) -> None:
        super().__init__()
        self.judge = nn.Conv2d(3, N_FINDINGS + 1, 8, stride=8)

    def forward(self, x):
        maps = self.judge(x)
        return Evidence(maps.sum(dim=(-2, -1)), maps)


def two_recipes(n_own=3, n_other=2):
    torch.manual_seed(0)
    return Ensemble(
        [
            Ensemble([_Patches() for _ in range(n_own)]),
            Ensemble([_Patches() for _ in range(n_other)]),
        ]
    )


def guided(reader):
    """Return a reader joined by the measures of outlines, which a convolution draws."""
    torch.manual_seed(1)
    random = np.random.default_rng(0)
    fusion = Fusion(
        slopes=random.uniform(0.5, 1.5, N_FINDINGS + 1),
        weights=random.normal(size=(N_FINDINGS + 1, len(MEASURES))),
        center=random.normal(size=len(MEASURES)),
        intercepts=random.normal(size=N_FINDINGS + 1),
    )
    return AnatomyGuided(reader, nn.Conv2d(3, 3, 3, padding=1), fusion).eval()


@pytest.fixture(scope="module")
def images():
    return random_images(10)


@pytest.fixture(scope="module")
def exported(images, tmp_path_factory):
    network, path = guided(two_recipes()), tmp_path_factory.mktemp("graph") / "model.onnx"
    difference = export_onnx(
        network, path, images=images, rows=range(10), n_findings=N_FINDINGS, outlined=True
    )
    assert 0 <= difference < 1e-3
    return network, path


@pytest.mark.parametrize(
    ("network", "counts"),
    [
        (two_recipes(), (2, 5)),
        (guided(two_recipes(2, 1)), (2, 3)),
        (Ensemble([_Patches() for _ in range(5)]), (1, 5)),
        (two_recipes(1, 1), (0, 2)),  # a quick look would be a whole one
        (Ensemble([_Patches()]), (0, 1)),
        (_Patches(), (0, 1)),
    ],
)
def test_the_first_network_of_each_recipe_is_quick(network, counts):
    assert (n_quick_networks(network), n_networks(network)) == counts


@torch.inference_mode()
def test_a_quick_look_is_the_mean_of_the_quick_networks_with_ordinary_measures():
    reader = two_recipes()
    network = guided(reader)
    x = torch.randn((2, 3, 64, 64), generator=torch.Generator().manual_seed(0))

    looks = both_looks(network, x)

    for found, expected in zip(looks.whole, network(x), strict=True):
        torch.testing.assert_close(found, expected)
    first = [members.members[0](x) for members in reader.members]
    mean = (first[0].logits + first[1].logits) / 2
    expected = mean * network.slopes + network.intercepts
    torch.testing.assert_close(looks.quick.logits, expected)
    sums = looks.quick.maps.sum(dim=(-2, -1))
    torch.testing.assert_close(sums, looks.quick.logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rows", [[0], range(1, 10)])
@torch.inference_mode()
def test_the_graph_gives_both_looks_for_any_number_of_images(exported, images, rows):
    network, path = exported
    inputs = np.stack([images.input(row) for row in rows])
    session = OnnxSession(path, outputs=ALL_OUTPUTS)

    whole, quick = session.run(inputs), session.run_quickly(inputs)

    expected = both_looks(network, torch.from_numpy(inputs))
    for found, wanted in zip(whole[:2], expected.whole[:2], strict=True):
        np.testing.assert_allclose(found, wanted[:, :N_FINDINGS], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(whole[2], expected.whole[2], atol=1e-4)
    for found, wanted in zip(quick, expected.quick, strict=True):
        np.testing.assert_allclose(found, wanted[:, :N_FINDINGS], rtol=1e-4, atol=1e-3)
    assert np.abs(whole[0] - quick[0]).max() > 0.1


def test_what_the_quick_look_does_not_need_lies_in_the_branch_of_the_whole_one(exported):
    network, path = exported
    graph = onnx.load(path).graph
    (choice,) = (node for node in graph.node if node.op_type == "If")
    then_branch = next(one.g for one in choice.attribute if one.name == "then_branch")

    def filters(part):
        return [one for one in part.initializer if one.dims[-2:] == [8, 8]]

    assert len(filters(graph)) == 2
    assert len(filters(then_branch)) == 3
    n_values = sum(one.numel() for one in network.state_dict().values())
    stored = sum(one.stop - one.start for one in tensors(path.read_bytes()))
    assert 4 * n_values < stored < 4 * n_values + 64**2 * 4 + 4096  # with the triangle of measures


def test_large_weights_are_halved_in_both_looks(images, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_WORTH_HALVING", 100)
    path = tmp_path / "model.onnx"

    export_onnx(
        Ensemble([_Patches() for _ in range(3)]).eval(),
        path,
        images=images,
        rows=range(4),
        n_findings=N_FINDINGS,
        halve=True,
    )

    halves = [one for one in tensors(path.read_bytes()) if one.data_type == FLOAT16]
    assert len(halves) == 3
    assert len([one for one in onnx.load(path).graph.initializer if one.data_type == FLOAT16]) == 1
    assert OnnxSession(path).has_quick_look


def test_a_single_network_has_one_look(images, tmp_path):
    path = tmp_path / "model.onnx"
    export_onnx(_Patches().eval(), path, images=images, rows=range(4), n_findings=N_FINDINGS)
    session, inputs = OnnxSession(path), np.stack([images.input(0)])

    assert not session.has_quick_look
    for whole, quick in zip(session.run(inputs), session.run_quickly(inputs), strict=True):
        assert np.array_equal(whole, quick)
