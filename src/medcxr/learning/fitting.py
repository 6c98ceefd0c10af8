"""The training loop: from images to weights, and on from wherever it was cut off."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from medcxr.core.arrays import Statistics
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
from medcxr.learning.config import TrainingConfig
from medcxr.learning.image_set import ImageSet
from medcxr.learning.lesions import Painter
from medcxr.learning.loading import Batch, batches, onto, spare_workers
from medcxr.learning.losses import finding_loss, stray_evidence
from medcxr.learning.mixup import blend
from medcxr.learning.networks import CNNTransformerHybrid
from medcxr.learning.sampling import epoch_order, image_seed
from medcxr.learning.schedule import warm_cosine
from medcxr.learning.scoring import predict_logits, progress_figures

__all__ = ["Emit", "Part", "build_network", "fit"]

Emit = Callable[..., None]
"""Takes the kind of an event and its values."""

_STEPS_BETWEEN_REPORTS = 10
_DROPOUT = 2**31  # its seeds begin where those of the images end


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One training among those of a run, e.g. a fold.

    Attributes:
        name: e.g. "fold-1".
        folder: where its checkpoint lies.
        train_rows: rows of the image set to learn from.
        owners: the patient of each of them.
        groups: of each of them, from which its findings are not to be told; none leaves it.
        watched_rows: rows on which progress is shown after each epoch.
        may_stop: whether the watched rows choose the epoch to keep. They then no longer
            measure anything; in a cross-validation they are the held-out fold and must not.
    """

    name: str
    folder: Path
    train_rows: tuple[int, ...]
    owners: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    watched_rows: tuple[int, ...] = ()
    may_stop: bool = False


@dataclass(slots=True, kw_only=True)
class _Progress:
    """Where the training stands; JSON in the checkpoint."""

    epoch: int = 0
    step: int = 0  # within the epoch
    loss_sum: float = 0.0
    best_auc: float = -1.0
    best_epoch: int = -1
    done: bool = False
    seconds: float = 0.0


def build_network(config: TrainingConfig) -> CNNTransformerHybrid:
    """Return the configured network with its first weights, equal for equal seeds."""
    torch.manual_seed(config.seed)
    n_labels = len(config.data.findings) + len(config.data.auxiliary_findings)
    return CNNTransformerHybrid(config.network, n_labels, channels=config.preprocessing.channels)


def fit(
    fabric: Fabric,
    config: TrainingConfig,
    images: ImageSet,
    part: Part,
    emit: Emit,
    *,
    painter: Callable[[], Painter | None] = lambda: None,
    first_weights: Callable[[], dict[str, Tensor]] = dict,
    taught: Callable[[], Statistics | None] = lambda: None,
) -> tuple[nn.Module, float]:
    """Train one part, or go on with it, or return it if it is finished.

    A run that was killed and goes on ends with the very weights of one that was not, on the
    same machine with the same number of threads: order, augmentation and dropout depend on
    seed, epoch and position alone, and a checkpoint holds all the rest.

    Args:
        fabric: devices and precision.
        config: the resolved configuration.
        images: all images of the run.
        part: which of them to learn from, and where to keep checkpoints.
        emit: called with "step" and "epoch" events.
        painter: asked before the first step for what paints lesions; None paints none.
        first_weights: asked before a new training for weights by name that replace the first ones.
        taught: asked before the first step for labels to learn from in place of the images' own.

    Returns:
        The network in evaluation mode, and the seconds that its training took.

    Raises:
        DataError: the loss is no longer a number.
        StorageError: a checkpoint cannot be read or written.
    """
    training = _Training(
        fabric, config, images, part, emit, painter=painter, first_weights=first_weights
    )
    return training.run(taught)


class _Training:
    def __init__(
        self,
        fabric: Fabric,
        config: TrainingConfig,
        images: ImageSet,
        part: Part,
        emit: Emit,
        *,
        painter: Callable[[], Painter | None],
        first_weights: Callable[[], dict[str, Tensor]],
    ) -> None:
        self.fabric, self.config, self.images, self.part = fabric, config, images, part
        self.emit, self._find_painter = emit, painter
        self.painter: Painter | None = None
        self.shown = images
        self.settings = config.optimization
        self.checkpoint = part.folder / CHECKPOINT_FILE
        self.augmentation = Augmentation(config.augmentation, config.preprocessing.size)
        self.progress = _Progress()
        self.best: dict[str, Tensor] = {}
        self.positive_weights = _positive_weights(
            images.labels[list(part.train_rows)], self.settings.positive_weight_power
        )
        self.column_weights = self._column_weights()
        self.unread: list[Tensor] = []  # losses of the last steps: to read one waits for the device
        network = build_network(config)
        if not self.checkpoint.is_file():
            network.load_state_dict({**network.state_dict(), **first_weights()})
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = _optimizer(network, config)
        self.average = self._average_of(network)
        self._restore(network, optimizer)
        self.network = network
        self.wrapped, self.optimizer = fabric.setup(network, optimizer)
        if self.average is not None:
            self.average.to(fabric.device)
        self.column_weights = self.column_weights.to(fabric.device)
        if self.positive_weights is not None:
            self.positive_weights = self.positive_weights.to(fabric.device)

    def run(self, taught: Callable[[], Statistics | None]) -> tuple[nn.Module, float]:
        if not self.progress.done:
            self.painter = self._find_painter()
            labels = taught()
            if labels is not None:
                self.shown = replace(self.images, labels=labels)
        while not self.progress.done:
            self._epoch()
            self._end_epoch()
        if self.best:
            self._result().load_state_dict(self.best)
        return self._result().eval(), self.progress.seconds

    def _epoch(self) -> None:
        start = time.perf_counter()
        draws = self._draws()
        first = self.progress.step
        self.wrapped.train()
        for batch in batches(
            self.shown,
            [batch[self.fabric.global_rank :: self.fabric.world_size] for batch in draws[first:]],
            augmentation=self.augmentation,
            painter=self.painter,
            workers=spare_workers(accelerated=self.fabric.device.type != "cpu"),
        ):
            self._step(batch, n_steps=len(draws))
            if self.progress.step % self.settings.checkpoint_steps == 0:
                self.progress.seconds += time.perf_counter() - start
                start = time.perf_counter()
                self._save()
        self.progress.seconds += time.perf_counter() - start

    def _draws(self) -> list[list[tuple[int, int]]]:
        seed, epoch, size = self.config.seed, self.progress.epoch, self.settings.batch_size
        n_findings = len(self.config.data.findings)
        order = epoch_order(
            self.part.train_rows,
            self.images.labels[:, :n_findings],
            power=self.settings.sampling_power,
            seed=seed,
            epoch=epoch,
            owners=self.part.owners,
            owner_power=self.settings.patient_power,
            groups=self.part.groups,
        )
        drawn = [(row, image_seed(seed, epoch, i)) for i, row in enumerate(order)]
        whole = [drawn[i : i + size] for i in range(0, len(drawn), size)]
        # batch statistics of one or two images would be noise; such a rest waits an epoch
        return whole if len(whole[-1]) >= min(size, 4) or len(whole) == 1 else whole[:-1]

    def _step(self, batch: Batch, *, n_steps: int) -> None:
        progress, device = self.progress, self.fabric.device
        inputs, labels, kept = batch.inputs, batch.labels, 1.0
        total = n_steps * self.settings.epochs
        rate = warm_cosine(
            progress.epoch * n_steps + progress.step,
            total,
            warmup_share=self.settings.warmup_share,
        )
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * rate
        draw = image_seed(self.config.seed, progress.epoch, _DROPOUT + progress.step)
        if self.settings.mixup:
            inputs, labels, kept = blend(inputs, labels, strength=self.settings.mixup, seed=draw)
        torch.manual_seed(draw)
        shown = onto(device, inputs).contiguous(memory_format=torch.channels_last)
        evidence = self.wrapped(shown)
        loss = finding_loss(
            evidence.logits,
            onto(device, labels),
            kind=self.settings.loss,
            weights=self.column_weights,
            positive_weights=self.positive_weights,
            smoothing=self.settings.label_smoothing,
        )
        if self.painter is not None:
            stray = stray_evidence(evidence.maps, batch.places, batch.painted)
            # of a blended image only this share still shows its lesion
            loss = loss + self.config.lesions.map_weight * kept * stray
        self.fabric.backward(loss)
        if self.settings.gradient_clip:
            self.fabric.clip_gradients(
                self.wrapped,
                self.optimizer,
                max_norm=self.settings.gradient_clip,
                error_if_nonfinite=False,  # the next loss tells it, and does not wait here
            )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self.average is not None:
            self.average.update_parameters(self.network)
        progress.step += 1
        self.unread.append(loss.detach())
        reported = progress.step % _STEPS_BETWEEN_REPORTS == 0 or progress.step == n_steps
        if reported or progress.step % self.settings.checkpoint_steps == 0:
            self._read_losses()
        if reported:
            self.emit(
                "step",
                part=self.part.name,
                epoch=progress.epoch + 1,
                step=progress.step,
                steps=n_steps,
                loss=round(progress.loss_sum / progress.step, 6),
            )

    def _read_losses(self) -> None:
        """Add up the losses since the last look, and stop where one is no number."""
        progress = self.progress
        first = progress.step - len(self.unread) + 1
        for step, value in enumerate(torch.stack(self.unread).tolist(), start=first):
            if not math.isfinite(value):
                raise DataError(
                    f"The loss became {value} in epoch {progress.epoch + 1}, step {step}; lower "
                    "the learning rate or set gradient_clip."
                )
            progress.loss_sum += value
        self.unread.clear()

    def _end_epoch(self) -> None:
        progress, findings = self.progress, self.config.data.findings
        figures: dict[str, Any] = {}
        if self.part.watched_rows:
            logits = predict_logits(self._result(), self.images, self.part.watched_rows)
            labels = self.images.labels[list(self.part.watched_rows)]
            figures = progress_figures(logits, labels, findings)
        if self.part.may_stop:
            self._keep_if_best(figures)
        event = {
            "part": self.part.name,
            "epoch": progress.epoch + 1,
            "epochs": self.settings.epochs,
            "loss": round(progress.loss_sum / max(progress.step, 1), 6),
            **figures,
            "seconds": round(progress.seconds, 1),
        }
        waited = progress.epoch - progress.best_epoch
        stopped = self.part.may_stop and waited >= self.settings.patience
        progress.epoch += 1
        progress.step, progress.loss_sum = 0, 0.0
        progress.done = stopped or progress.epoch >= self.settings.epochs
        self._save()
        self.emit("epoch", **event)
        if stopped and progress.epoch < self.settings.epochs:
            self.emit("stopped", part=self.part.name, kept_epoch=progress.best_epoch + 1)

    def _keep_if_best(self, figures: dict[str, Any]) -> None:
        area = figures.get("mean_auc")
        # without both classes among the watched rows there is nothing to choose by: keep the last
        if area is None or area > self.progress.best_auc:
            self.progress.best_auc = -1.0 if area is None else area
            self.progress.best_epoch = self.progress.epoch
            self.best = {k: v.detach().clone() for k, v in self._result().state_dict().items()}

    def _result(self) -> nn.Module:
        return self.network if self.average is None else self.average.module

    def _average_of(self, network: nn.Module) -> AveragedModel | None:
        decay = self.settings.average_decay
        if not decay:
            return None
        return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)

    def _column_weights(self) -> Tensor:
        data = self.config.data
        auxiliary = [data.auxiliary_weight] * len(data.auxiliary_findings)
        return torch.tensor([1.0] * len(data.findings) + auxiliary)

    def _save(self) -> None:
        if not self.fabric.is_global_zero:
            return
        groups = {
            "network": self.network.state_dict(),
            "optimizer": optimizer_tensors(self.optimizer),
            "best": self.best,
        }
        if self.average is not None:
            groups["average"] = self.average.state_dict()
        save_checkpoint(self.checkpoint, groups, asdict(self.progress))

    def _restore(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        stored = load_checkpoint(self.checkpoint)
        if stored is None:
            return
        groups, progress = stored
        with restoring(self.part.name):
            self.progress = _Progress(**progress)
            network.load_state_dict(groups["network"])
            restore_optimizer(optimizer, groups.get("optimizer", {}))
            if self.average is not None:
                self.average.load_state_dict(groups["average"])
        self.best = groups.get("best", {})


def _positive_weights(labels: Statistics, power: float) -> Tensor | None:
    """Return how much a label's presence counts against its absence: (n_labels,), or None."""
    if not power:
        return None
    present, absent = (labels == 1).sum(axis=0), (labels == 0).sum(axis=0)
    ratios = np.where((present > 0) & (absent > 0), absent / np.maximum(present, 1), 1.0)
    return torch.from_numpy(ratios**power).float()


def _optimizer(network: CNNTransformerHybrid, config: TrainingConfig) -> torch.optim.AdamW:
    settings = config.optimization
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        pretrained = name.startswith("stem.backbone.") and config.network.pretrained
        peak = settings.learning_rate * (settings.stem_learning_rate_factor if pretrained else 1)
        # biases, norms and positions are not weights of a sum; decay would only shift them
        decay = settings.weight_decay if parameter.ndim > 1 and name != "position" else 0.0
        groups.setdefault((peak, decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "lr": peak, "peak": peak, "weight_decay": decay}
            for (peak, decay), parameters in groups.items()
        ]
    )
