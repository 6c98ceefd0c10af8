"""A folder with everything that an analysis says: figures, pictures, documents and a page."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from medcxr.apps.cli.heat_map import draw_heat_map
from medcxr.apps.cli.outlines import write_outlines
from medcxr.apps.cli.pdf import pdf_of
from medcxr.apps.cli.pictures import write_picture
from medcxr.apps.cli.report_page import Section, report_page
from medcxr.apps.cli.words import printable
from medcxr.core.errors import DataError, ImageError
from medcxr.core.sentences import DISCLAIMER
from medcxr.services.analysis import AnalyzedImage, current_model
from medcxr.services.case_export import note_cases_exported
from medcxr.services.model_facts import ModelFacts
from medcxr.services.true_maps import draw_true_maps
from medcxr.services.workspace import Workspace
from medcxr.storage.atomic import (
    write_bytes_atomically,
    write_folder_atomically,
    write_json_atomically,
)

__all__ = ["Report", "open_report"]

_DIGEST_CHARACTERS = 12  # of SHA-256, before the name of each file


class Report:
    """A folder being filled, one radiograph after the other.

    Args:
        folder: where files are written.
        workspace: whose model answers.
        model: which answers.
        language: code of the language of the documents.
    """

    def __init__(
        self, folder: Path, workspace: Workspace, model: ModelFacts, language: str
    ) -> None:
        self._folder = folder
        self._workspace = workspace
        self._model = model
        self._language = language
        self._sections: list[Section] = []
        self._refused: list[tuple[str, str]] = []

    def add(self, path: Path, result: AnalyzedImage) -> None:
        """Write the pictures, the figures and the document of one radiograph.

        Raises:
            ModelError: meanwhile another model is in use.
            StorageError: a file cannot be written.
        """
        analysis = result.analysis
        name, prefix = printable(path.name), analysis.image_digest[:_DIGEST_CHARACTERS]
        plain = {"file": name, **asdict(analysis), "notice": DISCLAIMER}
        figures = f"{prefix}-analysis.json"
        write_json_atomically(self._folder / figures, plain)
        outlines = None
        if analysis.anatomy is not None:
            outlines = f"{prefix}-outlines.png"
            write_outlines(result, self._folder / outlines)
        true = draw_true_maps(self._workspace, result)
        maps = {}
        for number, shown in enumerate(true.shown(result), start=1):
            picture = f"{prefix}-map-{number}-{_slug(shown.finding)}.png"
            write_picture(draw_heat_map(result, shown), self._folder / picture)
            maps[picture] = shown
        pdf = f"{prefix}-report.pdf"
        document = pdf_of(result, true, self._model, label=name, language=self._language)
        write_bytes_atomically(self._folder / pdf, document)
        self._sections.append(
            Section(
                file=name,
                analysis=analysis,
                figures=figures,
                outlines=outlines,
                maps=maps,
                unexplained=tuple(true.absences(result)),
                pdf=pdf,
            )
        )

    def refuse(self, path: Path, error: ImageError) -> None:
        """Note a file that could not be used."""
        self._refused.append((printable(path.name), str(error)))

    @property
    def n_radiographs(self) -> int:
        """Tell how many were written."""
        return len(self._sections)

    def write_page(self) -> None:
        """Write the page that shows everything together."""
        text = report_page(self._sections, self._refused, self._model.aucs)
        write_bytes_atomically(self._folder / "index.html", text.encode())


@contextmanager
def open_report(folder: Path, workspace: Workspace, language: str) -> Iterator[Report]:
    """Yield a report to fill; its folder appears at the end, or not at all if the block raises.

    Raises:
        DataError: something is in the folder already.
        StorageError: the folder cannot be written.
    """
    folder = folder.resolve()
    if folder == Path.cwd():
        raise DataError("--report cannot replace the current folder; name a new one inside it.")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise DataError(
            f"--report would write into {printable(str(folder))}, where something is already; "
            "name a new or empty folder."
        )
    model = current_model(workspace)
    with write_folder_atomically(folder) as part:
        report = Report(part, workspace, model, language)
        yield report
        report.write_page()
        note_cases_exported(workspace, report.n_radiographs, "report")


def _slug(finding: str) -> str:
    """Return a finding's name as part of a file's: a manifest may name anything."""
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in finding.lower()).split()
    return "-".join(words)[:40] or "finding"
