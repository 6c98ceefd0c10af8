"""`medcxr dataset`: the study table of a published archive, for `medcxr train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from medcxr.apps.cli.words import printable, words
from medcxr.datasets.archives.labels import Uncertain
from medcxr.datasets.archives.subset import Subset

if TYPE_CHECKING:
    from medcxr.services.datasets import TableSummary

__all__ = ["app"]

app = typer.Typer(
    help="Write the study table of an archive of radiographs, to train on.", no_args_is_help=True
)

_Folder: TypeAlias = Annotated[
    Path, typer.Argument(metavar="PATH", help="Folder that the archive was unpacked into.")
]
_Out: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="CSV to write, in PATH or in a folder above it; default: medcxr_<archive>.csv in PATH."
    ),
]
_Part: TypeAlias = Annotated[
    Subset | None, typer.Option(help="Keep only this part of the archive's own division.")
]
_Possible: TypeAlias = Annotated[
    Uncertain, typer.Option(help="What becomes of a finding labeled as uncertain.")
]


@app.command()
def nih(path: _Folder, out: _Out = None, subset: _Part = None) -> None:
    """NIH ChestX-ray14: Data_Entry_2017*.csv and images/ or images_001/ and so on."""
    _write("nih", path, out, subset=subset)


@app.command()
def chexpert(
    path: _Folder,
    out: _Out = None,
    subset: _Part = None,
    uncertain: _Possible = Uncertain.UNKNOWN,
) -> None:
    """CheXpert, small or large: train.csv, valid.csv, train/ and valid/, or the four batches."""
    _write("chexpert", path, out, subset=subset, uncertain=uncertain)


@app.command()
def mimic(
    path: _Folder,
    out: _Out = None,
    subset: _Part = None,
    uncertain: _Possible = Uncertain.UNKNOWN,
) -> None:
    """MIMIC-CXR-JPG: mimic-cxr-2.0.0-metadata, -chexpert and -split.csv(.gz), and files/."""
    _write("mimic", path, out, subset=subset, uncertain=uncertain)


@app.command()
def rsna(path: _Folder, out: _Out = None) -> None:
    """RSNA pneumonia challenge: stage_2_detailed_class_info.csv and stage_2_train_images/.

    These are images of NIH ChestX-ray14. Put pneumonia-challenge-dataset-mappings_2018.json of
    the organizers beside the table: it names the patients, so that no NIH patient who is held
    out is trained on under another name.
    """
    from medcxr.datasets.archives.rsna import MAPPING_FILE  # noqa: PLC0415 - help must start at once

    if _write("rsna", path, out).n_unnamed:
        words().print(
            "These are images of NIH ChestX-ray14. Do not train on them together with the NIH's "
            f"without {MAPPING_FILE} in the folder: patients who are held out would be learned."
        )


@app.command()
def vindr(path: _Folder, out: _Out = None, subset: _Part = None) -> None:
    """VinDr-CXR: annotations/image_labels_train.csv and _test.csv, train/ and test/."""
    _write("vindr", path, out, subset=subset)


@app.command()
def padchest(path: _Folder, out: _Out = None) -> None:
    """PadChest: PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv(.gz) and 0/ to 54/."""
    _write("padchest", path, out)


@app.command()
def folder(
    path: _Folder,
    out: _Out = None,
    patient: Annotated[
        str | None,
        typer.Option(
            help="Regular expression with one group that finds the patient in a file's name, "
            "such as '^(p[0-9]+)_'; default: every image is a patient of its own."
        ),
    ] = None,
) -> None:
    """Images of your own: frontal views in one subfolder per finding, named after it."""
    _write("folder", path, out, patient_pattern=patient)


def _write(
    archive: str,
    path: Path,
    out: Path | None,
    *,
    subset: Subset | None = None,
    uncertain: Uncertain = Uncertain.UNKNOWN,
    patient_pattern: str | None = None,
) -> "TableSummary":
    from medcxr.services.datasets import (  # noqa: PLC0415 - help must start at once
        Archive,
        ArchiveOptions,
        write_archive_table,
    )

    options = ArchiveOptions(subset=subset, uncertain=uncertain, patient_pattern=patient_pattern)
    with words().status("Reading the archive"):
        summary = write_archive_table(Archive(archive), path, out=out, options=options)
    _show(summary)
    typer.echo(str(summary.table))
    return summary


def _show(summary: "TableSummary") -> None:
    console = words()
    lines = [f"{summary.n_images} images of {summary.n_patients} named patients."]
    if summary.n_unnamed:
        lines.append(
            f"{summary.n_unnamed} images name no patient: each counts as a patient of its own."
        )
    lines += [f"Left out: {number}, {why}." for why, number in summary.left_out.items()]
    for finding, count in summary.findings.items():
        unknown = summary.n_images - count.present - count.absent
        lines.append(
            f"{finding}: {count.present} present, {count.absent} absent, {unknown} unknown."
        )
    for line in lines:
        console.print(printable(line), markup=False)
