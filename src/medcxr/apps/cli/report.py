"""A folder with everything that an analysis says: figures, pictures and a page."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from medcxr.apps.cli.heat_map import draw_heat_map
from medcxr.apps.cli.outlines import write_outlines
from medcxr.apps.cli.pictures import write_picture
from medcxr.apps.cli.report_page import Section, report_page
from medcxr.apps.cli.words import printable
from medcxr.apps.dashboard.words import DISCLAIMER
from medcxr.core.errors import DataError, ImageError
from medcxr.core.results import Estimate
from medcxr.explain.report import JOINT_MAP, OCCLUSION_MAP
from medcxr.explain.verdict import best_map, told_absence
from medcxr.services.analysis import AnalyzedImage, current_model
from medcxr.services.shown_map import ShownMap, maps_of, shown_map
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
        measured: finding -> the model's cross-validated AUC; may be empty.
    """

    def __init__(
        self, folder: Path, workspace: Workspace, measured: Mapping[str, Estimate]
    ) -> None:
        self._folder = folder
        self._workspace = workspace
        self._measured = measured
        self._sections: list[Section] = []
        self._refused: list[tuple[str, str]] = []

    def add(self, path: Path, result: AnalyzedImage) -> None:
        """Write the pictures and the figures of one radiograph.

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
        maps = {}
        for number, shown in enumerate(self._shown_maps(result), start=1):
            picture = f"{prefix}-map-{number}-{_slug(shown.finding)}.png"
            write_picture(draw_heat_map(result, shown), self._folder / picture)
            maps[picture] = shown
        explained = {shown.finding for shown in maps.values()}
        unexplained = [
            told_absence(result.tests, name) for name in result.maps if name not in explained
        ]
        self._sections.append(
            Section(
                file=name,
                analysis=analysis,
                figures=figures,
                outlines=outlines,
                maps=maps,
                unexplained=tuple(unexplained),
            )
        )

    def _shown_maps(self, result: AnalyzedImage) -> Iterator[ShownMap]:
        """Yield the map of each finding of which one was shown to be true."""
        best = {name: best_map(result.tests, name) for name in result.maps}
        kinds = {name: kind for name, kind in best.items() if kind is not None}
        drawn, looks = set(kinds.values()), {OCCLUSION_MAP, JOINT_MAP}
        falls = maps_of(self._workspace, result, OCCLUSION_MAP) if drawn & looks else None
        maps = {
            kind: falls
            if kind == OCCLUSION_MAP and falls is not None
            else maps_of(self._workspace, result, kind, falls=falls)
            for kind in drawn
        }
        for finding, kind in kinds.items():
            yield shown_map(result.tests, result, finding, kind, maps[kind])

    def refuse(self, path: Path, error: ImageError) -> None:
        """Note a file that could not be used."""
        self._refused.append((printable(path.name), str(error)))

    def write_page(self) -> None:
        """Write the page that shows everything together."""
        text = report_page(self._sections, self._refused, self._measured)
        write_bytes_atomically(self._folder / "index.html", text.encode())


@contextmanager
def open_report(folder: Path, workspace: Workspace) -> Iterator[Report]:
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
    measured = current_model(workspace).aucs
    with write_folder_atomically(folder) as part:
        report = Report(part, workspace, measured)
        yield report
        report.write_page()


def _slug(finding: str) -> str:
    """Return a finding's name as part of a file's: a manifest may name anything."""
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in finding.lower()).split()
    return "-".join(words)[:40] or "finding"
