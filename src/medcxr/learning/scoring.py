"""What a network says of images, and how well it ranks them while it trains."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from medcxr.core.arrays import FloatArray, Statistics
from medcxr.evaluation.metrics import auc, average_precision
from medcxr.learning.image_set import ImageSet
from medcxr.learning.loading import batches_in_order
from medcxr.learning.losses import finding_loss

__all__ = ["mean_maps", "predict_logits", "progress_figures"]


@torch.inference_mode()
def predict_logits(network: nn.Module, images: ImageSet, rows: Sequence[int]) -> FloatArray:
    """Return (n_rows, n_labels), float32, with the network in evaluation mode."""
    network.eval()
    device = next(network.parameters()).device
    parts = [
        network(inputs.to(device)).logits.cpu() for _, inputs in batches_in_order(images, rows)
    ]
    return np.asarray(torch.cat(parts).float().numpy(), dtype=np.float32)


@torch.inference_mode()
def mean_maps(network: nn.Module, images: ImageSet, rows: Sequence[int]) -> FloatArray:
    """Return the mean map of each label over at least one image: (n_labels, grid, grid)."""
    network.eval()
    device = next(network.parameters()).device
    total = sum(
        network(inputs.to(device)).maps.sum(dim=0).cpu()
        for _, inputs in batches_in_order(images, rows)
    )
    return np.asarray(total / len(rows), dtype=np.float32)


def progress_figures(
    logits: FloatArray, labels: Statistics, findings: Sequence[str]
) -> dict[str, object]:
    """Return val_loss, and AUC and average precision where both classes are there.

    Args:
        logits: (n, n_labels); the findings come first, further columns are auxiliary.
        labels: (n, n_labels), 1, 0 or NaN for unknown.
        findings: names of the first columns.
    """
    n = len(findings)
    loss = finding_loss(
        torch.from_numpy(logits[:, :n]), torch.from_numpy(labels[:, :n].astype(np.float32))
    )
    aucs, precisions = {}, []
    for column, finding in enumerate(findings):
        known = ~np.isnan(labels[:, column])
        truth, score = labels[known, column], logits[known, column].astype(np.float64)
        area, precision = auc(truth, score), average_precision(truth, score)
        if area is not None and precision is not None:
            aucs[finding] = round(area, 6)
            precisions.append(precision)
    return {
        "val_loss": round(float(loss), 6),
        "auc": aucs,
        "mean_auc": round(float(np.mean(list(aucs.values()))), 6) if aucs else None,
        "map": round(float(np.mean(precisions)), 6) if precisions else None,
    }
