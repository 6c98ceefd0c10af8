"""`medcxr watch`: a folder whose files are received and read."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, show_disclaimer, words

if TYPE_CHECKING:
    from medcxr.services.watched_folder import Look

__all__ = ["watch"]


def watch(
    folder: Annotated[Path, typer.Argument(help="Folder into which others put radiographs.")],
    *,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove what was received, in place of keeping it.")
    ] = False,
    every_s: Annotated[
        float, typer.Option("--every", min=0.1, max=3600, help="Seconds between two looks.")
    ] = 2.0,
    settle_s: Annotated[
        float,
        typer.Option(
            "--settle", min=0.1, max=3600, help="Seconds for which a file must not have changed."
        ),
    ] = 5.0,
    receive_only: Annotated[
        bool,
        typer.Option("--receive-only", help="Only receive: the node reads, or something later."),
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Receive DICOM, PNG, JPEG and TIFF files from a folder, and read them, until interrupted.

    What was received goes to "done" in the folder, what is no image to "refused" with its reason.
    """
    import signal  # noqa: PLC0415 - help must start at once
    from threading import Event  # noqa: PLC0415

    from medcxr.core.access import NODE  # noqa: PLC0415
    from medcxr.services.node_plan import node_plan  # noqa: PLC0415
    from medcxr.services.node_settings import node_settings  # noqa: PLC0415
    from medcxr.services.node_work import NodeWork  # noqa: PLC0415
    from medcxr.services.watched_folder import FolderSettings  # noqa: PLC0415
    from medcxr.services.watched_folder import watch as watch_folder  # noqa: PLC0415

    show_disclaimer()
    opened = open_workspace(workspace).used_by(NODE)
    settings = FolderSettings(path=folder, keep=not remove, every_s=every_s, settle_s=settle_s)
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    work = None
    of_node = node_settings(opened)
    if not receive_only:
        work = NodeWork(opened, node_plan(opened, of_node))
        work.start()
    words().print(f"Watching {folder.absolute()}.", markup=False)
    try:
        reserve_mib = of_node.node.reserve_mib
        watch_folder(opened, settings, ended, reserve_mib=reserve_mib, told=_tell)
    finally:
        if work is not None:
            work.stop()
    words().print("The folder is no longer watched.")


def _tell(look: "Look") -> None:
    known = f", {look.n_known} received before" if look.n_known else ""
    refused = f", {look.n_refused} refused" if look.n_refused else ""
    words().print(f"{look.n_new} received{known}{refused}.")
