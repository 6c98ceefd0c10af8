"""The network that tells an upright frontal chest radiograph from everything else."""

from torch import Tensor, nn

from medcxr.core.gate import ImageKind

__all__ = ["GateNetwork"]

_WIDTHS = (16, 32, 64, 96)


class GateNetwork(nn.Module):
    """Four strided convolutions and a mean: a few million operations an image.

    It sees the image at the size of a thumbnail, which shows a chest and its orientation but no
    disease, so that it cannot come to refuse a diseased lung for its texture.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for width in _WIDTHS:
            layers += [
                nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
            channels = width
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(0.2)
        # A place's features weigh by where they are: a heart on the left is no heart on the right.
        self.kinds = nn.Conv2d(channels, len(ImageKind), 6)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, 96, 96) -> logits (B, kinds)."""
        return self.kinds(self.dropout(self.features(x))).flatten(1)  # type: ignore[no-any-return]
