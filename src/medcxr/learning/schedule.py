"""How the learning rate goes over a training."""

import math

__all__ = ["warm_cosine"]


def warm_cosine(step: int, total: int, *, warmup_share: float = 0.05) -> float:
    """Return the share of the peak learning rate: a linear rise, then half a cosine to 0.

    Args:
        step: from 0.
        total: number of steps.
        warmup_share: of all steps, in which the rate rises.
    """
    warmup = max(1, round(warmup_share * total))
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))
