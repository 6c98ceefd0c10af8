"""Random changes under which an outline must hold: position, exposure, disease."""

import torch
import torch.nn.functional as F
from torch import Tensor

from medcxr.learning.drawing import between, some, uniform
from medcxr.learning.outline_moving import move_outlines
from medcxr.learning.outline_network import turned_around

__all__ = ["augment_outlines"]

_GAMMA = 0.6  # of the logarithm
_COARSE = 6  # knots of a cloud across the image
_CLOUDED, _FLOODED = 0.5, 0.25  # shares of the images
_DENSE = 0.8  # what a lung full of fluid looks like, of the image's range
_NOISE = 0.06


def augment_outlines(
    images: Tensor,
    masks: Tensor,
    random: torch.Generator,
    *,
    mirrored: float = 0.0,
    heart_sizes: float = 0.0,
    bending: float = 0.0,
    strength: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Move images with their masks, bend their contrast, and lay opacities over them.

    The experts outlined mostly healthy lungs. Clouds and levels of fluid, drawn at random, teach
    the network that a lung goes on where it can no longer be seen.

    Args:
        images: (B, 1, S, S), 0…1, on any device.
        masks: (B, organs, S, S), 0 or 1; the first two are the lungs.
        random: decides what is drawn, on the CPU: the same on any device.
        mirrored: share of the images that are mirrored, 0…1.
        heart_sizes: most change of the logarithm of a heart's size.
        bending: how far places are pulled about at random, as a share of half the side.
        strength: of all other changes, 0…1.

    Returns:
        Images and masks of the same shapes; images in 0…1, masks in 0…1 at moved edges.
    """
    if mirrored:
        images, masks = _mirror(images, masks, random, mirrored)
    images, masks = move_outlines(
        images, masks, random, strength=strength, heart_sizes=heart_sizes, bending=bending
    )
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    images = (images - low) / (high - low).clamp(min=1e-3)
    images = images.clamp(min=1e-4) ** torch.exp(uniform(images, random, strength * _GAMMA))
    images = _cloud(images, random, strength)
    images = _flood(images, masks[:, :2].amax(dim=1, keepdim=True), random, strength)
    noise = torch.randn(images.shape, generator=random).to(images.device)
    images = images + noise * between(images, random, 0.0, strength * _NOISE)
    return images.clamp(0.0, 1.0), masks


def _mirror(
    images: Tensor, masks: Tensor, random: torch.Generator, share: float
) -> tuple[Tensor, Tensor]:
    """Turn some images around: the heart points to the other side, as in dextrocardia."""
    turned = some(images, random, share) > 0
    around = torch.where(turned, turned_around(masks), masks)
    return torch.where(turned, images.flip(-1), images), around


def _cloud(images: Tensor, random: torch.Generator, strength: float) -> Tensor:
    """Whiten places at random, as consolidation, masses and poor films do."""
    knots = torch.randn((len(images), 1, _COARSE, _COARSE), generator=random).to(images.device)
    field = F.interpolate(knots, images.shape[-2:], mode="bicubic", align_corners=False)
    density = torch.sigmoid(4 * (field - 1.2)) * between(images, random, 0.2, 0.8)
    return torch.lerp(
        images,
        torch.full_like(images, _DENSE),
        density * some(images, random, strength * _CLOUDED),
    )


def _flood(images: Tensor, lungs: Tensor, random: torch.Generator, strength: float) -> Tensor:
    """Whiten the lungs below a level, as an effusion does."""
    rows = torch.linspace(0.0, 1.0, images.shape[-2], device=images.device).view(1, 1, -1, 1)
    level = between(images, random, 0.45, 0.9)
    below = torch.sigmoid(25 * (rows - level)) * lungs.clamp(0.0, 1.0)
    flooded = some(images, random, strength * _FLOODED)
    density = below * between(images, random, 0.3, 0.9) * flooded
    return torch.lerp(images, torch.full_like(images, _DENSE), density)
