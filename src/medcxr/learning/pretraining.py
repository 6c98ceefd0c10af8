"""What a network learns before it sees a label: simulated radiographs, or that two views are one."""

import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from medcxr.core.errors import DataError
from medcxr.learning.augmentation import Augmentation
from medcxr.learning.checkpoint import (
    CHECKPOINT_FILE,
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    restoring,
    save_checkpoint,
)
from medcxr.learning.config import AugmentationConfig, LesionConfig, TrainingConfig
from medcxr.learning.fitting import Emit, Part, build_network, fit
from medcxr.learning.image_set import ImageSet
from medcxr.learning.loading import batches
from medcxr.learning.sampling import image_seed
from medcxr.learning.schedule import warm_cosine
from medcxr.learning.simulated import BEFORE, SimulatedPlaces, drawn_once

__all__ = ["learn_simulated", "learn_views"]

_LEARNED_FILE = "learned.safetensors"
_WATCHED_SHARE = 0.1
_WIDTHS = (1024, 256)  # of what is compared, and of what predicts it
_VIEWS = AugmentationConfig(
    rotation_degrees=10.0,
    shift=0.1,
    zoom=0.3,
    stretch=0.1,
    gamma=0.4,
    blur_sigma=2.0,
    noise=0.03,
    dropout_boxes=4,
)


def learn_simulated(
    fabric: Fabric, config: TrainingConfig, part: Part, emit: Emit, *, drawn_in: Path
) -> dict[str, Tensor]:
    """Train a network on simulated radiographs and return its weights; resumable as `fit` is.

    They are kept, since every part of a run begins with them: drawing the radiographs again would
    take longer than learning from them.

    Args:
        fabric: devices and precision.
        config: of the run.
        part: name and folder; its rows are not used.
        emit: called with "step" and "epoch" events.
        drawn_in: folder where the radiographs are kept, for recipes beside this one.
    """
    kept = load_checkpoint(part.folder / _LEARNED_FILE)
    if kept is not None:
        return kept[0]["network"]
    images, places = drawn_once(config, config.pretraining.images, drawn_in, series=BEFORE)
    n_learned = round(len(images) * (1 - _WATCHED_SHARE))
    alone = replace(
        config,
        optimization=replace(
            config.optimization,
            epochs=config.pretraining.epochs,
            sampling_power=0.0,
            patient_power=0.0,
            early_stopping=False,
        ),
        lesions=LesionConfig(map_weight=config.pretraining.place_weight),
    )
    told = None
    if config.pretraining.place_weight:
        told = SimulatedPlaces((*config.data.findings, *config.data.auxiliary_findings), places)
    rows = tuple(range(len(images)))
    own = replace(
        part, train_rows=rows[:n_learned], watched_rows=rows[n_learned:], owners=(), groups=()
    )
    network, _ = fit(fabric, alone, images, own, emit, painter=lambda: told)
    learned = dict(network.state_dict())
    if fabric.is_global_zero:
        save_checkpoint(part.folder / _LEARNED_FILE, {"network": learned}, {})
    return learned


@dataclass(slots=True, kw_only=True)
class _Progress:
    epoch: int = 0
    seconds: float = 0.0


def learn_views(
    fabric: Fabric, config: TrainingConfig, images: ImageSet, part: Part, emit: Emit
) -> dict[str, Tensor]:
    """Teach the stem that two views of a radiograph show the same, and return its weights.

    A run that was cut off goes on at the last whole epoch.

    Args:
        fabric: devices and precision.
        config: of the run.
        images: all images of the run.
        part: rows to look at, whose labels are not used, name and folder.
        emit: called with "step" events.

    Raises:
        DataError: the loss is no longer a number.
        StorageError: the checkpoint cannot be read or written.

    Source: Chen and He 2021, Exploring simple Siamese representation learning.
    """
    network = _Siamese(build_network(config).stem, config.network.width)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(
        network.parameters(),
        config.optimization.learning_rate,
        weight_decay=config.optimization.weight_decay,
    )
    progress, checkpoint = _Progress(), part.folder / CHECKPOINT_FILE
    stored = load_checkpoint(checkpoint)
    if stored is not None:
        with restoring(part.name):
            network.load_state_dict(stored[0]["network"])
            restore_optimizer(optimizer, stored[0].get("optimizer", {}))
            progress = _Progress(**stored[1])
    wrapped, optimizer = fabric.setup(network, optimizer)
    while progress.epoch < config.pretraining.epochs:
        start = time.perf_counter()
        _views_epoch(
            fabric, config, (wrapped, optimizer), images, part, emit=emit, epoch=progress.epoch
        )
        progress.epoch += 1
        progress.seconds += time.perf_counter() - start
        if fabric.is_global_zero:
            groups = {"network": network.state_dict(), "optimizer": optimizer_tensors(optimizer)}
            save_checkpoint(checkpoint, groups, asdict(progress))
        fabric.barrier()
    return {f"stem.{name}": value.cpu() for name, value in network.stem.state_dict().items()}


class _Siamese(nn.Module):
    """A stem, what is compared of it, and what predicts one view's from the other's."""

    def __init__(self, stem: nn.Module, width: int) -> None:
        super().__init__()
        compared, narrow = _WIDTHS
        self.stem = stem
        self.project = nn.Sequential(
            nn.Linear(width, compared, bias=False),
            nn.BatchNorm1d(compared),
            nn.ReLU(),
            nn.Linear(compared, compared, bias=False),
            nn.BatchNorm1d(compared, affine=False),
        )
        self.predict = nn.Sequential(
            nn.Linear(compared, narrow, bias=False),
            nn.BatchNorm1d(narrow),
            nn.ReLU(),
            nn.Linear(narrow, compared),
        )

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """(B, C, S, S) twice -> mean negative cosine, -1…1; no gradient through the predicted."""
        both = torch.cat([first, second]).contiguous(memory_format=torch.channels_last)
        compared = self.project(self.stem(both).mean(dim=(2, 3)))
        guesses = self.predict(compared).chunk(2)
        targets = compared.detach().chunk(2)
        alike = F.cosine_similarity(guesses[0], targets[1]) + F.cosine_similarity(
            guesses[1], targets[0]
        )
        return -alike.mean() / 2


def _views_epoch(
    fabric: Fabric,
    config: TrainingConfig,
    state: tuple[nn.Module, torch.optim.Optimizer],
    images: ImageSet,
    part: Part,
    *,
    emit: Emit,
    epoch: int,
) -> None:
    network, optimizer = state
    size = config.optimization.batch_size
    order = np.random.default_rng((config.seed, epoch)).permutation(np.asarray(part.train_rows))
    n_steps = max(1, len(order) // size)
    whole = [order[i * size : (i + 1) * size].tolist() for i in range(n_steps)]
    own = [rows[fabric.global_rank :: fabric.world_size] for rows in whole]
    augmentation = Augmentation(_VIEWS, config.preprocessing.size)
    views = [
        batches(
            images,
            [
                [(row, image_seed(config.seed, epoch, 2 * row + view)) for row in rows]
                for rows in own
            ],
            augmentation=augmentation,
        )
        for view in (0, 1)
    ]
    network.train()
    total = 0.0
    for step, (first, second) in enumerate(zip(*views, strict=True)):
        rate = warm_cosine(epoch * n_steps + step, config.pretraining.epochs * n_steps)
        for group in optimizer.param_groups:
            group["lr"] = config.optimization.learning_rate * rate
        torch.manual_seed(image_seed(config.seed, epoch, step))
        loss = network(first.inputs.to(fabric.device), second.inputs.to(fabric.device))
        total += float(loss.detach())
        if not math.isfinite(total):
            raise DataError(
                f"The loss of {part.name} became {total} in epoch {epoch + 1}; lower the learning "
                "rate."
            )
        fabric.backward(loss)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if (step + 1) % 10 == 0 or step + 1 == n_steps:
            emit(
                "step",
                part=part.name,
                epoch=epoch + 1,
                step=step + 1,
                steps=n_steps,
                loss=round(total / (step + 1), 6),
            )
