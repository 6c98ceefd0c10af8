"""Whether a workspace is whole and closed to others: folders, secrets, database, trainings."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from medcxr.core.access import Permission
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say, say_number, text
from medcxr.core.server_address import ServerAddress
from medcxr.services.accounts import is_initial_password
from medcxr.services.database import database_address, has_database, workspace_database
from medcxr.services.first_user import FIRST_NAME, kept_password_file
from medcxr.services.health import Outcome, attention, broken, good, told_size
from medcxr.services.training_jobs import JobState, count_unreadable_jobs, list_jobs
from medcxr.services.workspace import Workspace
from medcxr.storage.integrity import database_problems
from medcxr.storage.server_facts import server_facts

__all__ = ["check_database", "check_password", "check_permissions", "check_trainings"]

_VERIFY = text("Add ?sslmode=verify-full to the address, and sslrootcert where it needs one.")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def check_permissions(workspace: Workspace) -> Outcome:
    """Look who else on this computer could read or write what is kept."""
    workspace.require(Permission.VIEW_DIAGNOSTICS)
    if sys.platform == "win32":
        return good(say("Windows protects the folder as it does the user's profile."))
    folders = (workspace.folder, workspace.models, workspace.runs, workspace.trainings)
    closed = [path for path in (*folders, workspace.secrets) if not _can_use(path)]
    if closed:
        return broken(
            say("This user may not read or write: {paths}", paths=_listed(closed)),
            say("Let the user that runs medcxr write there, or name another workspace."),
        )
    kept = [*_with_content(workspace.secrets), *_files_of_database(workspace)]
    secrets = [path for path in kept if _is_open(path, _OTHERS)]
    writable = [path for path in folders if _is_open(path, _OTHERS_WRITE)]
    remedy = say("Close it: chmod -R go= {path}", path=workspace.folder)
    if secrets or writable:
        paths = _listed([*secrets, *writable])
        return broken(say("Open to other users of this computer: {paths}", paths=paths), remedy)
    readable = [path for path in folders if _is_open(path, _OTHERS)]
    if readable:
        paths = _listed(readable)
        return attention(
            say("Other users of this computer may look into: {paths}", paths=paths), remedy
        )
    foreign = [path for path in (*folders, workspace.secrets) if not _is_own(path)]
    if foreign:
        return attention(
            say("Another user owns, and can read: {paths}", paths=_listed(foreign)),
            say("Run medcxr as the user that owns the workspace."),
        )
    return good(say("Folders and secrets are open to their owner alone."))


def check_password(workspace: Workspace) -> Outcome:
    """Look whether the public initial password still opens the workspace."""
    workspace.require(Permission.VIEW_DIAGNOSTICS)
    try:
        # Nothing is made by being looked at: a workspace without any of it is a new one.
        initial = _is_new(workspace) or is_initial_password(workspace)
    except MedcxrError as error:
        return broken(say("The password cannot be checked."), say(error.sentence))
    if initial:
        return attention(
            say("The public initial password is in use, so only this computer may connect."),
            say("Sign in as {name} and change the password.", name=FIRST_NAME),
        )
    return good(say("Changed from the public initial one."))


def check_database(workspace: Workspace) -> Outcome:
    """Read the whole database, and look whether it is whole."""
    workspace.require(Permission.VIEW_DIAGNOSTICS)
    try:
        address = database_address()
    except MedcxrError as error:
        return broken(say(error.sentence), say("Correct the setting, then start medcxr again."))
    if address is not None:
        return _check_server(workspace, address)
    if not has_database(workspace):
        return good(say("None yet: nothing is remembered."))
    n_bytes = sum(path.stat().st_size for path in _files_of_database(workspace))
    remedy = say("Put a backup in its place, or move it away to start anew without it.")
    try:
        problems = database_problems(workspace_database(workspace))
    except MedcxrError as error:
        return broken(say(error.sentence), remedy)
    if problems:
        told = "; ".join(problems)
        return broken(say("It is damaged: {problems}", problems=told), remedy)
    return good(say("Whole, {size}.", size=told_size(n_bytes)))


def _check_server(workspace: Workspace, address: ServerAddress) -> Outcome:
    remedy = say("Let the server's administrator look at it, and bring a backup back.")
    try:
        database = workspace_database(workspace)
        facts = server_facts(database)
        problems = database_problems(database)
    except MedcxrError as error:
        return broken(say(error.sentence), say("Correct this, then check again."))
    found = say("PostgreSQL {version}, {address}:", version=facts.version, address=database.name)
    if problems:
        told = "; ".join(problems)
        return broken(f"{found} {say('It is damaged: {problems}', problems=told)}", remedy)
    found += " " + say("Whole, {size}.", size=told_size(facts.n_bytes))
    if address.is_remote and not facts.is_encrypted:
        exposed = say("The connection is not encrypted: others on the network can read along.")
        return attention(f"{found} {exposed}", say(_VERIFY))
    if address.is_remote and not address.verifies_server:
        exposed = say("Another computer could pass for the server: nothing verifies it.")
        return attention(f"{found} {exposed}", say(_VERIFY))
    return good(found)


def check_trainings(workspace: Workspace) -> Outcome:
    """Look how the trainings stand that the dashboard started."""
    workspace.require(Permission.VIEW_DIAGNOSTICS)
    jobs = list_jobs(workspace)
    halted = [job for job in jobs if job.state in (JobState.FAILED, JobState.STOPPED)]
    n_unreadable = count_unreadable_jobs(workspace)
    running = next((job.name for job in jobs if job.state.is_alive), None)
    found = say_number("{number} training.", "{number} trainings.", len(jobs))
    if running is not None:
        found += " " + say("{name} runs now.", name=running)
    if n_unreadable:
        told = say_number(
            "{number} folder in trainings/ is damaged.",
            "{number} folders in trainings/ are damaged.",
            n_unreadable,
        )
        return attention(f"{found} {told}", say("Move it away, or bring its job.json back."))
    if halted:
        told = " ".join(f"{job.name}: {say(job.reason)}" for job in halted)
        return attention(
            f"{found} {told}", say('Resume it on the page "Train Model", or leave it.')
        )
    return good(found)


def _is_new(workspace: Workspace) -> bool:
    return not has_database(workspace) and not kept_password_file(workspace).is_file()


def _with_content(folder: Path) -> Iterator[Path]:
    yield folder
    for path in folder.rglob("*"):
        if not path.is_symlink():  # its own bits say nothing
            yield path


def _files_of_database(workspace: Workspace) -> list[Path]:
    """Return the database and what SQLite keeps beside it while it is in use."""
    return sorted(workspace.folder.glob(f"{workspace.database.name}*"))


def _is_open(path: Path, bits: int) -> bool:
    return bool(path.stat().st_mode & bits)


def _can_use(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK | os.X_OK)


def _is_own(path: Path) -> bool:
    return path.stat().st_uid == os.geteuid()


def _listed(paths: list[Path], *, limit: int = 3) -> str:
    shown = ", ".join(str(path) for path in paths[:limit])
    return shown if len(paths) <= limit else say("{paths} and more", paths=shown)
