"""The findings of the open radiographs as one table, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Mapping, Sequence

from medcxr.apps.dashboard.cases import Case
from medcxr.core.case_record import Opinion
from medcxr.core.spreadsheet import LINE_END, safe_cell

__all__ = ["findings_csv"]

_FIXED = (
    "file",
    "sha256",
    "model",
    "operating_point",
    "view",
    "rows",
    "columns",
    "cardiothoracic_ratio",
)
_OF_FINDING = ("probability", "threshold", "answer", "plausible", "reader")


def findings_csv(cases: Sequence[Case], opinions: Mapping[str, Opinion]) -> str:
    """Return one row for each radiograph, those that were refused with the reason.

    Args:
        cases: the open radiographs.
        opinions: digest of a file -> what the reader said of it.
    """
    names: dict[str, None] = {}  # in the order of the models
    for case in cases:
        for found in case.reading.analysis.findings if case.reading else ():
            names.setdefault(found.finding)
    of_findings = [f"{finding} {what}" for finding in names for what in _OF_FINDING]
    columns = [*_FIXED, *of_findings, "comment", "problem"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator=LINE_END)
    writer.writerow({name: safe_cell(name) for name in columns})
    for case in cases:
        row = _row(case, opinions.get(case.digest))
        writer.writerow({name: safe_cell(cell) for name, cell in row.items()})
    return text.getvalue()


def _row(case: Case, opinion: Opinion | None) -> dict[str, str]:
    row = {"file": case.label, "sha256": case.digest, "problem": case.error}
    if case.reading is None:
        return row
    analysis = case.reading.analysis
    ratio = None if analysis.anatomy is None else analysis.anatomy.cardiothoracic_ratio
    row |= {
        "model": analysis.model,
        "operating_point": analysis.operating_point,
        "view": analysis.view,
        "rows": str(analysis.image_shape[0]),
        "columns": str(analysis.image_shape[1]),
        "cardiothoracic_ratio": "" if ratio is None else f"{ratio:.3f}",
        "comment": "" if opinion is None else opinion.comment,
    }
    for found in analysis.findings:
        said = None if opinion is None else opinion.verdicts.get(found.finding)
        cells = (
            f"{found.probability:.4f}",
            f"{found.threshold:.4f}",
            "present" if found.present else "absent",
            found.prediction_set or "",
            "" if said is None else said.value,
        )
        row |= {f"{found.finding} {w}": c for w, c in zip(_OF_FINDING, cells, strict=True)}
    return row
