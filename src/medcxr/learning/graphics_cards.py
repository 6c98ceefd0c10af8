"""Which graphics cards torch can use; run as a program, so that a caller need not load torch."""

import json
import sys

import torch

__all__ = ["graphics_cards"]


def graphics_cards() -> list[str]:
    """Return the names of the graphics cards that a training could use; often none."""
    if torch.cuda.is_available():
        return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return ["Apple Metal"] if torch.backends.mps.is_available() else []


if __name__ == "__main__":
    json.dump(graphics_cards(), sys.stdout)
