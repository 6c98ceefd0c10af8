"""`medcxr deidentify`: copies of DICOM images that name nobody."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, printable, show_error, words

if TYPE_CHECKING:
    from medcxr.services.deidentification import DeidentifiedFile

__all__ = ["deidentify"]


def deidentify(
    sources: Annotated[list[Path], typer.Argument(help="DICOM files, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Folder to write the copies to.")],
    *,
    blank: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y,WIDTH,HEIGHT",
            help="Region of pixels to overwrite, from the upper left corner; may be given several "
            "times.",
        ),
    ] = None,
    blank_burned_in: Annotated[
        bool,
        typer.Option(
            "--blank-burned-in",
            help="Overwrite the regions only in images that say that they have burned-in "
            "annotation.",
        ),
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write copies of DICOM images without what tells whose they are.

    By the Basic Application Level Confidentiality Profile of DICOM PS3.15. Text in the pixels is
    not looked for: name its regions, and look at every copy before you hand it on.
    """
    from medcxr.core.errors import DataError  # noqa: PLC0415 - help must start at once
    from medcxr.deidentification.regions import Blanking, Region  # noqa: PLC0415
    from medcxr.services.deidentification import deidentify_files, files_of  # noqa: PLC0415

    regions = tuple(map(Region.read, blank or ()))
    if blank_burned_in and not regions:
        raise DataError("--blank-burned-in needs the regions: add --blank X,Y,WIDTH,HEIGHT.")
    found = files_of(sources)
    done = deidentify_files(
        open_workspace(workspace),
        found,
        out,
        blanking=Blanking(regions=regions, only_burned_in=blank_burned_in),
        show=_show,
    )
    n_written = sum(one.written is not None for one in done)
    words().print(
        f"{n_written} of {len(done)} files de-identified into {printable(str(out))}. Look at every "
        "image before you hand it on.",
        markup=False,
    )
    raise typer.Exit(0 if n_written == len(done) else 1)


def _show(one: "DeidentifiedFile") -> None:
    if one.written is None:
        show_error(f"{one.source}: {one.refused}")
    else:
        typer.echo(str(one.written))
