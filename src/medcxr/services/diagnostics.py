"""Everything that can be checked of an installation: this computer, the workspace, the models."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from medcxr.core.access import OPERATOR, Actor, Permission
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say, say_if_sentence, text
from medcxr.services.computer_health import (
    check_cores,
    check_disk,
    check_graphics_card,
    check_libraries,
    check_memory,
    check_port,
    check_python,
)
from medcxr.services.encryption_health import check_certificate
from medcxr.services.health import Check, Outcome, broken, good
from medcxr.services.model_health import (
    check_analysis,
    check_current_model,
    check_models,
    check_runtime,
)
from medcxr.services.workspace import Workspace
from medcxr.services.workspace_health import (
    check_database,
    check_password,
    check_permissions,
    check_trainings,
)

__all__ = ["run_diagnostics"]


def run_diagnostics(
    folder: Path,
    *,
    actor: Actor = OPERATOR,
    port: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Check, ...]:
    """Check everything, whatever is broken; nothing is mended.

    Args:
        folder: of the workspace; it is created where it is missing.
        actor: who asks.
        port: on which a dashboard is to listen; None does not ask, as the running one has it.
        progress: called with how many checks are made, and of how many.

    Returns:
        The checks in the order in which they build on each other.

    Raises:
        AccessError: whoever asks may not.
    """
    actor.require(Permission.VIEW_DIAGNOSTICS)
    opened, workspace = _open(folder, actor)
    planned = [("workspace", text("Workspace"), lambda: opened), *_of_computer(port)]
    if workspace is not None:
        planned += _of_workspace(workspace)
    checks = []
    for done, (key, name, check) in enumerate(planned):
        if progress is not None:
            progress(done, len(planned))
        checks.append(Check(key=key, name=say(name), outcome=_checked(check)))
    return tuple(checks)


_Planned = tuple[str, str, Callable[[], Outcome]]


def _open(folder: Path, actor: Actor) -> tuple[Outcome, Workspace | None]:
    try:
        workspace = Workspace.open(folder).used_by(actor)
    except MedcxrError as error:
        return broken(
            say(error.sentence), say("Then check again: the rest needs a workspace.")
        ), None
    return good(say_if_sentence(str(workspace.folder))), workspace


def _of_computer(port: int | None) -> Iterator[_Planned]:
    yield "python", text("Python"), check_python
    yield "libraries", text("Libraries"), check_libraries
    yield "memory", text("Memory"), check_memory
    yield "cores", text("Cores"), check_cores
    yield "graphics card", text("Graphics card"), check_graphics_card
    yield "certificate", text("Certificate (TLS)"), check_certificate
    if port is not None:
        yield "port", text("Port of the dashboard"), lambda: check_port(port)


def _of_workspace(workspace: Workspace) -> Sequence[_Planned]:
    return (
        ("disk", text("Disk"), lambda: check_disk(workspace.folder)),
        ("permissions", text("Permissions"), lambda: check_permissions(workspace)),
        ("password", text("Password"), lambda: check_password(workspace)),
        ("database", text("Database"), lambda: check_database(workspace)),
        ("model in use", text("Model in use"), lambda: check_current_model(workspace)),
        ("models", text("All models"), lambda: check_models(workspace)),
        ("runtime", text("Runtime of the models"), check_runtime),
        ("analysis", text("Time of an analysis"), lambda: check_analysis(workspace)),
        ("trainings", text("Trainings"), lambda: check_trainings(workspace)),
    )


def _checked(check: Callable[[], Outcome]) -> Outcome:
    """Make one check; one that cannot be made is broken and stops no other."""
    try:
        return check()
    except (MedcxrError, OSError) as error:
        told = error.sentence if isinstance(error, MedcxrError) else error
        return broken(
            say("It could not be checked: {error}", error=told),
            say("Mend this, then check again."),
        )
