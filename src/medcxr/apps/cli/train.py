"""`medcxr train`: from labeled radiographs to a registered model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, words

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["train"]


def train(
    data: Annotated[Path, typer.Option(help="Folder of the configured tables.")],
    config: Annotated[
        Path | None, typer.Argument(help="TOML file; without one, the default settings.")
    ] = None,
    *,
    workspace: WorkspaceOption = None,
    accelerator: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    devices: Annotated[int, typer.Option(min=1, help="How many of them on each computer.")] = 1,
    nodes: Annotated[
        int, typer.Option(min=1, help="How many computers, on each of which torchrun starts this.")
    ] = 1,
    part: Annotated[
        str | None,
        typer.Option(help="Train this part of the run alone, e.g. fold-2, beside other processes."),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(help="Append to this file how far the training is and how it ended."),
    ] = None,
) -> None:
    """Train, calibrate, measure and register a model.

    The same command goes on where an earlier one was cut off. The model in use stays the same:
    put the new one in use with `medcxr models use`.
    """
    from rich.progress import (  # noqa: PLC0415 - help must start at once
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from medcxr.services.training import train_model  # noqa: PLC0415
    from medcxr.services.training_record import TrainingRecord  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with TrainingRecord(record) as recorded, Progress(*columns, console=words()) as bar:
        screen = _Screen(bar)

        def watch(kind: str, values: dict[str, Any]) -> None:
            recorded.watch(kind, values)
            screen.show(kind, values)

        bundle = train_model(
            open_workspace(workspace),
            data,
            config,
            command=_command(config),
            accelerator=accelerator,
            devices=devices,
            nodes=nodes,
            watch=watch,
            only=part,
            is_job=record is not None,
        )
        if bundle is not None:
            recorded.finish(bundle)
    if bundle is None:
        words().print(f"{part} is trained. The same command without --part finishes the run.")
        return
    identity = bundle.manifest.identity
    words().print(
        f"Registered. Its card: medcxr models show '{identity}'. "
        f"To put it in use: medcxr models use '{identity}'",
        markup=False,
    )
    typer.echo(identity)


def _command(config: Path | None) -> str:
    """Return what repeats the run, without naming a folder of this computer."""
    if config is None:
        return "medcxr train --data DATA"
    shown = config.name if config.is_absolute() else config.as_posix()
    return f"medcxr train {shown} --data DATA"


class _Screen:
    """Shows a run's events: one bar, and one line per epoch above it."""

    def __init__(self, bar: "Progress") -> None:
        self._bar = bar
        self._task = bar.add_task("Reading images", total=None)

    def show(self, kind: str, values: dict[str, Any]) -> None:
        match kind:
            case "read":
                self._bar.update(self._task, completed=values["done"], total=values["total"])
            case "step":
                self._bar.update(
                    self._task,
                    description=f"{values['part']}, epoch {values['epoch']}, "
                    f"loss {values['loss']:.3f}",
                    completed=values["step"],
                    total=values["steps"],
                )
            case "epoch":
                self._bar.console.print(_epoch_line(values), markup=False)
            case "outlines":
                self._line(
                    f"{values['part']}: Dice of the lungs {values['dice_lungs']}, of the heart "
                    f"{values['dice_heart']}, on {values['n_images']} held-out images"
                )
            case "stopped":
                self._line(f"{values['part']}: stopped early, kept epoch {values['kept_epoch']}")
            case "measuring":
                self._line(f"Measuring on {values['images']} held-out images")
            case "exporting":
                self._line("Exporting and comparing the exported graph with the network")
            case _:
                pass

    def _line(self, text: str) -> None:
        self._bar.console.print(text, markup=False)


def _epoch_line(values: dict[str, Any]) -> str:
    parts = [f"{values['part']}, epoch {values['epoch']} of {values['epochs']}"]
    parts.append(f"loss {values['loss']:.3f}")
    if "val_loss" in values:
        parts.append(f"val loss {values['val_loss']:.3f}")
    if values.get("map") is not None:
        parts.append(f"mAP {values['map']:.3f}")
    parts += [f"AUC {finding} {area:.3f}" for finding, area in values.get("auc", {}).items()]
    return ", ".join(parts)
