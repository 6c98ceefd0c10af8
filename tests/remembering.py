"""Cases that no radiograph was analyzed for, where only what is kept of them matters."""

from datetime import datetime

from medcxr.core.results import Analysis
from medcxr.core.urgency import urgency_of
from medcxr.services.database import workspace_database
from medcxr.services.workspace import Workspace
from medcxr.storage.case_table import NewCase, keep_case


def new_case(number: int, *, seconds: float = 0.1) -> NewCase:
    """Return a case of its own for each number."""
    analysis = Analysis(
        image_digest=f"{number:064x}",
        model="tiny 1.0.0",
        operating_point="half",
        findings=(),
        image_shape=(8, 8),
        view="PA",
        spacing_mm=None,
        seconds=seconds,
        warnings=(),
    )
    return NewCase(
        label=f"{number}.png",
        patient_key=None,
        taken_at=None,
        analysis=analysis,
        urgency=urgency_of(analysis),
    )


def remember(workspace: Workspace, number: int, moment: datetime, *, seconds: float = 0.1) -> None:
    """Keep a case of its own for each number, as if it had been analyzed at a moment."""
    new = new_case(number, seconds=seconds)
    with workspace_database(workspace).writing() as connection:
        keep_case(connection, new, moment)
