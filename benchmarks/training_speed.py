"""Whether the images of a training are prepared as fast as the network learns from them."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from measured_times import by_turns, ratio, timed

from medcxr.core.arrays import FloatArray
from medcxr.core.cores import available_cores
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.learning.augmentation import Augmentation
from medcxr.learning.config import config_from_plain
from medcxr.learning.fitting import build_network
from medcxr.learning.image_set import ImageSet
from medcxr.learning.loading import batches
from medcxr.learning.losses import finding_loss

__all__ = ["training_speed"]


def training_speed(
    plain_config: Mapping[str, object], inputs: FloatArray, rounds: int
) -> dict[str, Any]:
    """Time a step of a training by a recipe, and the batch that it learns from.

    On a CPU the batch is made in the process that trains, before the step; beside a graphics card
    by processes of their own. So the share of the batch in both is what it costs here, and its
    ratio to the step says how many processes an accelerator of a given speed needs.

    Args:
        plain_config: the recipe, as a manifest holds it.
        inputs: (n, channels, size, size), as a model sees them.
        rounds: as for single images.
    """
    torch.set_num_threads(available_cores())
    config = config_from_plain(plain_config)
    config = replace(config, network=replace(config.network, pretrained=False))
    size = config.optimization.batch_size
    images = _image_set(inputs, size, len(config.data.findings))
    network = build_network(config).train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    augmentation = Augmentation(config.augmentation, config.preprocessing.size)
    draws = [[(row, row) for row in range(size)]]
    (batch,) = batches(images, draws, augmentation=augmentation)

    def step() -> None:
        evidence = network(batch.inputs.contiguous(memory_format=torch.channels_last))
        loss = finding_loss(evidence.logits, batch.labels, kind=config.optimization.loss)
        loss.backward()  # type: ignore[no-untyped-call]  # torch
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def load() -> None:
        list(batches(images, draws, augmentation=augmentation))

    seconds = by_turns({"step": step, "batch": load}, max(3, rounds // 8))
    return {
        "batch_size": size,
        "step": asdict(timed(seconds["step"].wall)),
        "batch": asdict(timed(seconds["batch"].wall)),
        "steps_per_batch": asdict(ratio(seconds["step"].processor, seconds["batch"].processor)),
    }


def _image_set(inputs: FloatArray, n_images: int, n_findings: int) -> ImageSet:
    size = inputs.shape[-1]
    planes = inputs[np.arange(n_images) % len(inputs), 0]
    low, high = planes.min(), planes.max()
    labels = np.random.default_rng(0).integers(2, size=(n_images, n_findings))
    return ImageSet(
        squares=((planes - low) / (high - low)).astype(np.float16),
        contents=((0, 0, size, size),) * n_images,
        labels=labels.astype(np.float64),
        digest="",
        preprocessing=Preprocessing(size=size),
    )
