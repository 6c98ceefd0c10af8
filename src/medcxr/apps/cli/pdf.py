"""The report of a radiograph as a PDF file."""

from datetime import UTC, datetime
from pathlib import Path

from medcxr.apps.cli.words import printable
from medcxr.apps.dashboard.words import EXPLANATIONS
from medcxr.core.language import speaking
from medcxr.services.analysis import AnalyzedImage, current_model
from medcxr.services.case_export import note_case_exported
from medcxr.services.model_facts import ModelFacts
from medcxr.services.pdf_report import Additions, pdf_report
from medcxr.services.true_maps import TrueMaps, draw_true_maps
from medcxr.services.workspace import Workspace
from medcxr.storage.atomic import write_bytes_atomically

__all__ = ["pdf_of", "write_pdf"]


def write_pdf(
    workspace: Workspace, result: AnalyzedImage, path: Path, *, label: str, language: str
) -> None:
    """Write the report of one radiograph; the file appears when it is whole.

    Args:
        workspace: whose model answered.
        result: the analyzed radiograph.
        path: the file to write.
        label: by which the reader knows the radiograph.
        language: code of the language of the report.

    Raises:
        ModelError: meanwhile another model is in use.
        StorageError: the file cannot be written.
    """
    maps = draw_true_maps(workspace, result)
    document = pdf_of(result, maps, current_model(workspace), label=label, language=language)
    note_case_exported(workspace, None, "PDF")
    write_bytes_atomically(path, document)


def pdf_of(
    result: AnalyzedImage, maps: TrueMaps, model: ModelFacts, *, label: str, language: str
) -> bytes:
    """Return the report of one radiograph as it is told at this time."""
    with speaking(language):
        return pdf_report(
            result,
            result.image.pixels,
            maps,
            model=model,
            made=datetime.now(UTC),
            label=printable(label),
            additions=Additions(explanations=EXPLANATIONS),
        )
