"""The network that outlines the lungs and the heart."""

from monai.networks.nets import BasicUNet
from torch import Tensor, nn

__all__ = ["ORGANS", "OutlineNetwork"]

ORGANS = ("right lung", "left lung", "heart")
"""What is outlined, in the order of the channels; sides are the patient's."""

_FOLD = 2


class OutlineNetwork(nn.Module):
    """A U-Net on the image folded two by two, which quarters its work and keeps every pixel.

    Source: Ronneberger et al. 2015 (U-Net), in MONAI's variant with batch normalization.

    Args:
        widths: channels of the five levels, finest first.
    """

    def __init__(self, widths: tuple[int, ...] = (16, 32, 48, 96, 128)) -> None:
        super().__init__()
        self.fold = nn.PixelUnshuffle(_FOLD)
        self.unet = BasicUNet(
            spatial_dims=2,
            in_channels=_FOLD**2,
            out_channels=len(ORGANS) * _FOLD**2,
            features=(*widths, widths[0]),
            act="relu",
            norm="batch",
            upsample="nontrainable",
        )
        self.unfold = nn.PixelShuffle(_FOLD)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, S, S), of which the first is looked at -> logits (B, 3, S, S)."""
        logits: Tensor = self.unfold(self.unet(self.fold(x[:, :1])))
        return logits
