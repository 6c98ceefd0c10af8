"""The hybrid CNN-Transformer: what the network is, in one file."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medcxr.learning.config import NetworkConfig
from medcxr.learning.efficientnet_lite import VARIANTS, EfficientNetLite

__all__ = ["CNNTransformerHybrid", "Evidence", "pool_to_grid"]


class Evidence(NamedTuple):
    """What the network says of each finding, and where it says it.

    Attributes:
        logits: (B, findings).
        maps: (B, findings, grid, grid); a map's sum is its finding's logit, so that a map is
            the logit divided among places and not a picture drawn afterwards.
    """

    logits: Tensor
    maps: Tensor


class CNNTransformerHybrid(nn.Module):
    """Convolutions see texture, attention relates places, a classifier judges each token.

    Args:
        config: stem, width, depth and pooling.
        n_findings: outputs.
        channels: channels of the input.
    """

    def __init__(self, config: NetworkConfig, n_findings: int, *, channels: int = 3) -> None:
        super().__init__()
        self.grid = config.grid
        self.stem: nn.Module
        if config.stem in VARIANTS:
            self.stem = _PyramidStem(config)
        else:
            self.stem = _PlainStem(config, channels)
        self.position = nn.Parameter(torch.zeros(1, config.grid**2, config.width))
        nn.init.trunc_normal_(self.position, std=0.02)
        self.encoder: nn.Module = _encoder(config) if config.layers else nn.Identity()
        self.norm = nn.LayerNorm(config.width)
        self.classifier = nn.Sequential(
            nn.Linear(config.width, config.classifier_width),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.classifier_width, n_findings),
        )
        self.attention = (
            nn.Linear(config.width, n_findings) if config.pooling == "attention" else None
        )

    def forward(self, x: Tensor) -> Evidence:
        """(B, C, S, S) -> logits (B, F), maps (B, F, grid, grid)."""
        features = self.stem(x)  # (B, width, grid, grid)
        tokens = features.flatten(2).transpose(1, 2)  # (B, grid², width)
        tokens = self.norm(self.encoder(tokens + self.position))
        judged = self.classifier(tokens).transpose(1, 2)  # (B, F, grid²)
        if self.attention is None:
            maps = judged / judged.shape[-1]
        else:
            maps = judged * self.attention(tokens).transpose(1, 2).softmax(dim=-1)
        return Evidence(maps.sum(dim=-1), maps.unflatten(-1, (self.grid, self.grid)))


class _PlainStem(nn.Module):
    """A 7x7 and then 3x3 convolution blocks, pooled to the token grid."""

    def __init__(self, config: NetworkConfig, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, width in enumerate(config.stem_widths):
            first, last = index == 0, index == len(config.stem_widths) - 1
            kernel, stride = (7, 2) if first else (3, 1)
            layers += [
                nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
            if not last:
                layers.append(nn.MaxPool2d(2))
            channels = width
        self.blocks = nn.Sequential(*layers)
        self.project = (
            nn.Identity() if channels == config.width else nn.Conv2d(channels, config.width, 1)
        )
        self.grid = config.grid

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, S, S) -> (B, width, grid, grid)."""
        return self.project(pool_to_grid(self.blocks(x), self.grid))  # type: ignore[no-any-return]


class _PyramidStem(nn.Module):
    """A pretrained stem whose features of stride 16 and 32 meet in one token."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.backbone = EfficientNetLite(
            config.stem, pretrained=config.pretrained, frozen_blocks=config.frozen_blocks
        )
        self.project = nn.Conv2d(sum(self.backbone.channels), config.width, 1)
        self.norm = nn.BatchNorm2d(config.width)
        self.dropout = nn.Dropout2d(config.dropout)
        self.grid = config.grid

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, width, grid, grid)."""
        pooled = [pool_to_grid(f, self.grid) for f in self.backbone(x)]
        grid_features: Tensor = self.dropout(
            F.relu(self.norm(self.project(torch.cat(pooled, dim=1))))
        )
        return grid_features


def pool_to_grid(features: Tensor, grid: int) -> Tensor:
    """Average features (B, C, H, W) to (B, C, grid, grid), whatever H and W are.

    Equal to adaptive_avg_pool2d, which ONNX can only express where the grid divides the side.
    """
    rows, columns = features.shape[-2:]
    if rows % grid == 0 and columns % grid == 0:
        return F.avg_pool2d(features, (rows // grid, columns // grid))
    down = _averaging(rows, grid).to(features)
    across = _averaging(columns, grid).to(features)
    return torch.matmul(torch.matmul(down, features), across.T)


def _averaging(side: int, grid: int) -> Tensor:
    """Return (grid, side): row i averages the pixels floor(i·side/grid)…ceil((i+1)·side/grid)."""
    matrix = torch.zeros(grid, side)
    for cell in range(grid):
        start, stop = cell * side // grid, -(-(cell + 1) * side // grid)
        matrix[cell, start:stop] = 1 / (stop - start)
    return matrix


def _encoder(config: NetworkConfig) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(
        config.width,
        config.heads,
        dim_feedforward=config.feedforward,
        dropout=config.dropout,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    )
    encoder = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
    for block in encoder.layers:
        # every block starts as the identity, so that few images suffice to learn from
        nn.init.zeros_(block.self_attn.out_proj.weight)
        nn.init.zeros_(block.linear2.weight)
        nn.init.zeros_(block.linear2.bias)
    return encoder
