"""Move images together with the masks of their organs."""

import torch
import torch.nn.functional as F
from torch import Tensor

from medcxr.learning.drawing import some, uniform

__all__ = ["move_outlines"]

_TURN = 0.2  # radians
_SHEAR = 0.08
_ZOOM, _STRETCH = 0.25, 0.12  # of the logarithm
_SHIFT = 0.15  # of half the side
_RESIZED = 0.6  # share of the images whose heart changes
_REACH_ACROSS, _REACH_DOWN = 1.3, 1.5  # of half a heart: where its change has fallen to 1/e
_TALLER = 0.6  # a wide heart is less high than wide
_KNOTS = 6  # across the image, that are pulled about
# Where a heart lies whose outline nobody drew, of half the side from the middle, and how large.
_USUAL_CENTER = (0.08, 0.2)
_USUAL_HALF = (0.35, 0.3)
_FEW = 20  # pixels: less is no heart


def move_outlines(
    images: Tensor,
    masks: Tensor,
    random: torch.Generator,
    *,
    strength: float,
    heart_sizes: float = 0.0,
    bending: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Turn, shear, zoom and shift images with their masks; resize hearts and bend what is there.

    Few of the outlined hearts are very large. Enlarging others shows the network what a wide heart
    does to its surroundings, and a bent border that the border decides, not its usual shape.

    Args:
        images: (B, 1, S, S).
        masks: (B, organs, S, S); the third is the heart.
        random: decides what is drawn.
        strength: of all changes, 0…1.
        heart_sizes: most change of the logarithm of a heart's size.
        bending: how far places are pulled about, as a share of half the side.

    Returns:
        Images and masks of the same shapes.
    """
    angle = uniform(images, random, strength * _TURN)
    shear = uniform(images, random, strength * _SHEAR)
    across = torch.exp(uniform(images, random, strength * _ZOOM))
    down = across * torch.exp(uniform(images, random, strength * _STRETCH))
    theta = torch.stack(
        [
            torch.cat([angle.cos() * across, shear - angle.sin() * down], dim=1),
            torch.cat([angle.sin() * across, angle.cos() * down], dim=1),
            torch.cat([uniform(images, random, strength * _SHIFT) for _ in range(2)], dim=1),
        ],
        dim=2,
    )  # (B, 2, 3, 1, 1)
    grid = F.affine_grid(theta[..., 0, 0], list(images.shape), align_corners=False)
    if heart_sizes:
        grid = _resize_hearts(grid, masks[:, 2], random, strength * heart_sizes)
    if bending:
        knots = torch.randn((len(images), 2, _KNOTS, _KNOTS), generator=random).to(images.device)
        pull = F.interpolate(knots, images.shape[-2:], mode="bicubic", align_corners=False)
        grid = grid + strength * bending * pull.permute(0, 2, 3, 1)
    both = F.grid_sample(torch.cat([images, masks], dim=1), grid, align_corners=False)
    return both[:, :1], both[:, 1:]


def _resize_hearts(grid: Tensor, hearts: Tensor, random: torch.Generator, most: float) -> Tensor:
    """Return a grid (B, S, S, 2) that finds each heart larger or smaller, and the rest in place.

    Args:
        grid: where to look, -1…1.
        hearts: (B, S, S).
        random: decides what is drawn.
        most: of the logarithm of the change.
    """
    center, half = _boxes(hearts)  # (B, 2) each, across and down
    drawn = hearts[:, None]
    change = uniform(drawn, random, most) * some(drawn, random, _RESIZED)  # (B, 1, 1, 1)
    away = grid - center[:, None, None]
    reach = half[:, None, None] * half.new_tensor([_REACH_ACROSS, _REACH_DOWN])
    near = torch.exp(-(away / reach).square().sum(dim=-1, keepdim=True))  # (B, S, S, 1)
    return center[:, None, None] + away * (1 + change * near * near.new_tensor([1.0, _TALLER]))


def _boxes(hearts: Tensor) -> tuple[Tensor, Tensor]:
    """Return centers and half sizes of hearts, (B, 2) each, in the grid's units."""
    side = hearts.shape[-1]
    places = (torch.arange(side, device=hearts.device) + 0.5) * 2 / side - 1
    area = hearts.sum(dim=(1, 2)).clamp(min=1.0)
    center = torch.stack([(hearts.sum(dim=axis) * places).sum(dim=1) / area for axis in (1, 2)], 1)
    half = torch.stack([(hearts.amax(dim=axis) > 0.5).sum(dim=1) / side for axis in (1, 2)], 1)
    known = hearts.sum(dim=(1, 2))[:, None] > _FEW
    return (
        torch.where(known, center, center.new_tensor(_USUAL_CENTER)),
        torch.where(known, half, half.new_tensor(_USUAL_HALF)),
    )
