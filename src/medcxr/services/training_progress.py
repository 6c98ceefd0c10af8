"""How far a training is, by the events of its run."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from medcxr.core.language import say, text
from medcxr.learning.config import TrainingConfig

__all__ = ["EpochFigures", "TrainingProgress", "parts_of", "progress_of", "told_left"]

_WINDOW = 60  # reports that the speed is measured over: it follows what else the computer does
_LEAST_S = 5.0  # a shorter stretch says nothing of the speed
_PREPARING, _TRAINING = text("Preparing"), text("Training")
_LATE_STAGES = {
    "measuring": text("Measuring"),
    "exporting": text("Exporting and comparing the graph"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochFigures:
    """What was found after one epoch of one part.

    Attributes:
        part: e.g. "fold-1".
        epoch: from 1.
        loss: mean over the epoch's steps.
        val_loss: on held-out images; None without them.
        mean_precision: average precision, mean over findings (mAP); None where undetermined.
        aucs: finding -> area under the ROC curve on held-out images.
    """

    part: str
    epoch: int
    loss: float
    val_loss: float | None
    mean_precision: float | None
    aucs: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingProgress:
    """Where a training stands.

    Attributes:
        doing: what it does, in words.
        part: which is trained; empty before the first step.
        part_number: of it, from 1; 0 before the first step.
        n_parts: how many there are.
        epoch: from 1; 0 before the first step.
        epochs: at most of each part.
        step: within the epoch.
        steps: of the epoch.
        share: of all epochs of all parts that is done, 0…1.
        seconds_left: of all epochs that may come, by the speed measured since the last start; None
            until there is one.
        may_stop: whether fewer epochs may do.
        figures: of each epoch, in order.
    """

    doing: str
    part: str
    part_number: int
    n_parts: int
    epoch: int
    epochs: int
    step: int
    steps: int
    share: float
    seconds_left: float | None
    may_stop: bool
    figures: tuple[EpochFigures, ...]


@dataclass(slots=True)
class _Clock:
    """Measures how many epochs a second are done, leaving out what was skipped."""

    at: float | None = None  # position after the last event, in epochs
    worked: float = 0.0
    seen: list[tuple[float, float]] = field(default_factory=list)  # seconds, epochs worked

    def move(self, seconds: float, position: float) -> None:
        if self.at is not None:
            self.worked += max(position - self.at, 0.0)
        self.at = position
        self.seen.append((seconds, self.worked))

    def rate(self) -> float | None:
        recent = self.seen[-_WINDOW:]
        if len(recent) < 2:
            return None
        seconds, worked = recent[-1][0] - recent[0][0], recent[-1][1] - recent[0][1]
        return worked / seconds if seconds >= _LEAST_S and worked > 0 else None


def parts_of(config: TrainingConfig) -> tuple[str, ...]:
    """Return the names of a run's parts in the order of their training."""
    settings = config.evaluation
    if settings.method == "holdout":
        return ("holdout",)
    folds = tuple(f"fold-{number}" for number in range(1, settings.folds + 1))
    return (*folds, "final") if settings.ship == "refit" else folds


def progress_of(
    events: Iterable[Mapping[str, Any]],
    *,
    parts: Sequence[str],
    epochs: int,
    now: float,
    may_stop: bool = False,
) -> TrainingProgress:
    """Return where a training stands.

    Args:
        events: of the run, in order, of earlier starts too.
        parts: names of its parts, in order.
        epochs: at most of each part.
        now: seconds since 1970.
        may_stop: whether a part may end before its last epoch.
    """
    clock, doing = _Clock(), _PREPARING
    last: dict[str, Any] = {"part": "", "epoch": 0, "step": 0, "steps": 0}
    figures: dict[tuple[str, int], EpochFigures] = {}
    for event in events:
        kind, part = event["event"], event.get("part", "")
        if kind == "started":  # what came before ran at another time
            clock, doing = _Clock(), _PREPARING
        elif kind in _LATE_STAGES:
            doing = _LATE_STAGES[kind]
        elif part in parts and kind in ("step", "epoch", "stopped"):
            first, doing = parts.index(part) * epochs, _TRAINING
            if kind == "stopped":
                clock.at = float(first + epochs)
                continue
            position = first + event["epoch"]
            if kind == "step":
                position += event["step"] / max(event["steps"], 1) - 1
                last = {key: event[key] for key in last}
            else:
                figures[part, event["epoch"]] = _figures(event)
                last |= {"part": part, "epoch": event["epoch"]}
            clock.move(event["time"], position)
    total, rate = len(parts) * epochs, clock.rate()
    done = min(clock.at or 0.0, float(total))
    left = None
    if rate is not None:
        left = max((total - done) / rate - max(now - clock.seen[-1][0], 0.0), 0.0)
    part = str(last["part"])
    return TrainingProgress(
        doing=doing,
        part=part,
        part_number=parts.index(part) + 1 if part in parts else 0,
        n_parts=len(parts),
        epoch=int(last["epoch"]),
        epochs=epochs,
        step=int(last["step"]),
        steps=int(last["steps"]),
        share=done / total,
        seconds_left=left,
        may_stop=may_stop,
        figures=tuple(figures.values()),
    )


def told_left(seconds: float | None) -> str:
    """Say how long something takes, as exactly as an estimate may be told."""
    if seconds is None:
        return say("measuring")
    if seconds < 60:
        return say("less than a minute")
    minutes = math.ceil(seconds / 60)
    if minutes < 60:
        return say("about {minutes} min", minutes=minutes)
    return say("about {hours} h {minutes:02d} min", hours=minutes // 60, minutes=minutes % 60)


def _figures(event: Mapping[str, Any]) -> EpochFigures:
    return EpochFigures(
        part=event["part"],
        epoch=event["epoch"],
        loss=event["loss"],
        val_loss=event.get("val_loss"),
        mean_precision=event.get("map"),
        aucs=dict(event.get("auc") or {}),
    )
