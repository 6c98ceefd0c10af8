"""The network that outlines the lungs and the heart."""

import numpy as np
import torch
from monai.networks.nets.basic_unet import TwoConv, UpCat
from torch import Tensor, nn

from medcxr.core.arrays import FloatArray
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.learning.config import OutlineConfig
from medcxr.learning.efficientnet_lite import EfficientNetLite

__all__ = [
    "ORGANS",
    "BothSides",
    "OutlineNetwork",
    "build_outliner",
    "outline_input",
    "turned_around",
]

ORGANS = ("right lung", "left lung", "heart")
"""What is outlined, in the order of the channels; sides are the patient's."""

_UNFOLD = 2  # the finest features have stride 2
_AROUND = [ORGANS.index(name) for name in ("left lung", "right lung", "heart")]


class OutlineNetwork(nn.Module):
    """A U-Net whose way down is an ImageNet-pretrained EfficientNet-Lite0 up to stride 16.

    A few hundred outlined radiographs are too few to learn edges and textures from; a network
    that knows them has only the organs' shapes to learn. The last step up is a fold of pixels.

    Source: Ronneberger et al. 2015 (U-Net); Iglovikov and Shvets 2018 (TernausNet) for the
    pretrained way down; Shi et al. 2016 for the fold.

    Args:
        widths: channels of the way up at strides 16, 8, 4 and 2.
        pretrained: start from ImageNet weights.
    """

    def __init__(
        self, widths: tuple[int, ...] = (96, 64, 32, 24), *, pretrained: bool = True
    ) -> None:
        super().__init__()
        self.encoder = EfficientNetLite(pretrained=pretrained, strides=(2, 4, 8, 16))
        *skips, deepest = self.encoder.channels
        self.bottom = TwoConv(2, deepest, widths[0], act="relu", norm="batch", bias=False)
        self.steps = nn.ModuleList(
            UpCat(
                2,
                below,
                skip,
                width,
                act="relu",
                norm="batch",
                bias=False,
                upsample="nontrainable",
                halves=False,
            )
            for below, skip, width in zip(widths[:-1], reversed(skips), widths[1:], strict=True)
        )
        self.head = nn.Conv2d(widths[-1], len(ORGANS) * _UNFOLD**2, 1)
        self.unfold = nn.PixelShuffle(_UNFOLD)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, S, S), of which the first is looked at -> logits (B, 3, S, S)."""
        *skips, deepest = self.encoder(x[:, :1].expand(-1, 3, -1, -1))
        y = self.bottom(deepest)
        for step, skip in zip(self.steps, reversed(skips), strict=True):
            y = step(y, skip)
        logits: Tensor = self.unfold(self.head(y))
        return logits


def turned_around(outlines: Tensor) -> Tensor:
    """Return outlines, (B, organs, S, S), as they lie in the mirror image.

    The right lung stays the one on the image's left side, as experts name it there.
    """
    return outlines[:, _AROUND].flip(-1)


class BothSides(nn.Module):
    """A network's mean outlines of an image and of its mirror image.

    It errs differently on the two, most of all where a heart's border cannot be seen.

    Source: Moshkov et al. 2020 (test-time augmentation of segmentation).

    Args:
        network: whose outlines.
    """

    def __init__(self, network: OutlineNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, S, S) -> mean logits (B, 3, S, S)."""
        both: Tensor = self.network(torch.cat([x, x.flip(-1)]))  # in one go: a sixth faster
        n = x.shape[0]
        return (both[:n] + turned_around(both[n:])) / 2


def build_outliner(config: OutlineConfig, network: OutlineNetwork) -> nn.Module:
    """Return what outlines with a network, in evaluation mode: the network, or both its looks."""
    return (BothSides(network) if config.both_sides else network).eval()


def outline_input(
    square: FloatArray | np.ndarray[tuple[int, ...], np.dtype[np.float16]],
    content: tuple[int, int, int, int],
    preprocessing: Preprocessing,
) -> Tensor:
    """Return (1, S, S) of a fitted square: the outlines look at one of the equal channels."""
    normal = preprocessing.normalize(np.asarray(square, dtype=np.float32), content)
    return torch.from_numpy(np.ascontiguousarray(normal[:1]))
