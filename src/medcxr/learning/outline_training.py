"""Train the network that outlines lungs and heart."""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from medcxr.core.errors import DataError
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.learning.checkpoint import (
    CHECKPOINT_FILE,
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    restoring,
    save_checkpoint,
)
from medcxr.learning.config import OutlineConfig
from medcxr.learning.fitting import Emit, Part
from medcxr.learning.outline_augmentation import augment_outlines
from medcxr.learning.outline_losses import outline_loss
from medcxr.learning.outline_measuring import compare_outlines, outline_figures
from medcxr.learning.outline_network import OutlineNetwork, build_outliner, outline_input
from medcxr.learning.outline_set import OutlineSet
from medcxr.learning.sampling import image_seed
from medcxr.learning.schedule import warm_cosine

__all__ = ["fit_outlines"]

_CHECKPOINT_STEPS = 50
_REPORT_STEPS = 10
_COMPLETE_WEIGHT = 2.0  # images whose sides and heart are known are drawn twice as often


@dataclass(slots=True, kw_only=True)
class _Progress:
    step: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0


def fit_outlines(
    config: OutlineConfig,
    images: OutlineSet,
    preprocessing: Preprocessing,
    part: Part,
    emit: Emit,
    *,
    seed: int,
    fabric: Fabric,
) -> tuple[nn.Module, float]:
    """Train, or go on with it, or return what is finished; exact as `fitting.fit` is.

    Args:
        config: how.
        images: with their masks.
        preprocessing: how inputs are made; the shipped graph outlines the same input.
        part: rows to learn from, rows to measure on, and where the checkpoint lies.
        emit: called with "step" and "outlines" events.
        seed: of the run.
        fabric: device and precision.

    Returns:
        What outlines, in evaluation mode on the CPU, and the seconds that the training took.

    Raises:
        DataError: the loss is no longer a number, or no image has its heart outlined.
        StorageError: the checkpoint cannot be read or written.
    """
    device = fabric.device
    checkpoint = part.folder / CHECKPOINT_FILE
    rows = np.asarray(part.train_rows, dtype=np.intp)
    if not images.complete[rows].any():
        raise DataError(
            "No outlined image to learn from has the heart; add a table with contents = 'organs', "
            "or hold out fewer patients."
        )
    torch.manual_seed(seed)
    network = OutlineNetwork(config.widths, pretrained=config.pretrained)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    average = AveragedModel(
        network, multi_avg_fn=get_ema_multi_avg_fn(config.average_decay), use_buffers=True
    )
    progress = _restore(checkpoint, network, optimizer, average)
    weights = np.where(images.complete[rows], _COMPLETE_WEIGHT, 1.0)
    total = config.epochs * max(1, len(rows) // config.batch_size)
    start = time.perf_counter()
    network.train()
    fresh = progress.step < total
    while progress.step < total:
        draw = image_seed(seed, 0, progress.step)
        chosen = np.random.default_rng(draw).choice(
            rows, config.batch_size, p=weights / weights.sum()
        )
        inputs, masks = _batch(
            images,
            chosen,
            preprocessing,
            torch.Generator().manual_seed(draw),
            device,
            config=config,
            strength=1 - config.fading * progress.step / total,
        )
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * warm_cosine(progress.step, total)
        with fabric.autocast():
            logits = network(inputs.to(device, memory_format=torch.channels_last)).float()
        complete = torch.from_numpy(images.complete[chosen]).to(device)
        loss = outline_loss(logits, masks, complete, width_weight=config.width_weight)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise DataError(
                f"The loss of the outlines became {value} in step {progress.step + 1}; lower "
                "outlines.learning_rate."
            )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        average.update_parameters(network)
        progress.step += 1
        progress.loss_sum += value
        if progress.step % _REPORT_STEPS == 0 or progress.step == total:
            mean = progress.loss_sum / progress.step
            emit("step", part=part.name, epoch=1, step=progress.step, steps=total, loss=mean)
        if progress.step % _CHECKPOINT_STEPS == 0 or progress.step == total:
            progress.seconds += time.perf_counter() - start
            start = time.perf_counter()
            groups = {
                "network": network.state_dict(),
                "optimizer": optimizer_tensors(optimizer),
                "average": average.state_dict(),
            }
            save_checkpoint(checkpoint, groups, asdict(progress))
    result = OutlineNetwork(config.widths, pretrained=False)
    result.load_state_dict(average.module.state_dict())
    outliner = build_outliner(config, result)
    if fresh and part.watched_rows:
        figures = outline_figures(
            compare_outlines([(outliner, part.watched_rows)], images, preprocessing)
        )
        if figures is not None:
            emit("outlines", part=part.name, **asdict(figures))
    return outliner, progress.seconds


def _restore(
    path: Path, network: OutlineNetwork, optimizer: torch.optim.Optimizer, average: AveragedModel
) -> _Progress:
    stored = load_checkpoint(path)
    if stored is None:
        return _Progress()
    groups, progress = stored
    with restoring("the outlines"):
        network.load_state_dict(groups["network"])
        restore_optimizer(optimizer, groups.get("optimizer", {}))
        average.load_state_dict(groups["average"])
        return _Progress(**progress)


def _batch(
    images: OutlineSet,
    rows: Sequence[int] | np.ndarray,
    preprocessing: Preprocessing,
    random: torch.Generator,
    device: torch.device,
    *,
    config: OutlineConfig,
    strength: float,
) -> tuple[Tensor, Tensor]:
    squares = torch.from_numpy(images.squares[rows]).to(device).float()[:, None]
    masks = torch.from_numpy(images.masks[rows]).to(device).float()
    moved, masks = augment_outlines(
        squares,
        masks,
        random,
        mirrored=config.mirrored,
        heart_sizes=config.heart_sizes,
        bending=config.bending,
        strength=strength,
    )
    inputs = [
        outline_input(square[0].numpy(), images.contents[row], preprocessing)
        for square, row in zip(moved.cpu(), rows, strict=True)
    ]
    return torch.stack(inputs), masks
