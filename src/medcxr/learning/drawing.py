"""Random numbers, one for each image of a batch."""

import torch
from torch import Tensor

__all__ = ["between", "some", "uniform"]


def uniform(images: Tensor, random: torch.Generator, most: float) -> Tensor:
    """(B, 1, 1, 1), one draw for each image within `most` of 0."""
    return between(images, random, -most, most)


def between(images: Tensor, random: torch.Generator, low: float, high: float) -> Tensor:
    """(B, 1, 1, 1), one draw for each image."""
    drawn = torch.rand((len(images), 1, 1, 1), generator=random).to(images.device)
    return drawn * (high - low) + low


def some(images: Tensor, random: torch.Generator, share: float) -> Tensor:
    """(B, 1, 1, 1), 1 for about a share of the images and 0 for the others."""
    drawn = torch.rand((len(images), 1, 1, 1), generator=random).to(images.device)
    return (drawn < share).float()
