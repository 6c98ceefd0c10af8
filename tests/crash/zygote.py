"""A warmed-up interpreter that forks a child for each piece of work, so that starts cost nothing.

Reads a line of JSON for each child from standard input and answers with the child's number; the line
"wait" answers with how the last one ended. Nothing here may start a thread: it would be missing in
the children.
"""

import json
import os
import sys
import traceback
from datetime import UTC, datetime
from itertools import count, cycle
from pathlib import Path

from medcxr.core.audit import AuditAction
from medcxr.services.analysis import analyze_image
from medcxr.services.audit import note_alone
from medcxr.services.backup_restoring import restore_backup
from medcxr.services.backups import make_backup
from medcxr.services.case_records import record_case
from medcxr.services.workspace import Workspace
from medcxr.storage.database import open_database
from remembering import remember


def analyze(folder, log, images, without_end):
    """Analyze radiographs one after another, and keep each as a case."""
    workspace = Workspace.open(Path(folder))
    for image in cycle(images) if without_end else images:
        analyzed = analyze_image(workspace, Path(image))
        record_case(workspace, analyzed, label=Path(image).name)
        tell(log, analyzed.analysis.image_digest)
        note_alone(workspace, AuditAction.CASE_ANALYZED, "a case")


def backup(folder, log, first):
    """Keep cases and back them up in turn, without end."""
    workspace = Workspace.open(Path(folder))
    for number in count(first):
        remember(workspace, number, datetime.now(UTC))
        tell(log, f"{number}.png")
        note_alone(workspace, AuditAction.CASE_ANALYZED, f"case {number}")
        made = make_backup(workspace)
        tell(log, made.backup.name)


def restore(folder, log, path):
    """Restore a backup."""
    restore_backup(Workspace.open(Path(folder)), Path(path))
    tell(log, "restored")


def migrate(folder, log):
    """Open a database of an earlier program."""
    open_database(Path(folder) / "medcxr.db")
    tell(log, "migrated")


def train(folder, log, data, config):
    """Train, or go on training."""
    from medcxr.services.training import train_model

    bundle = train_model(
        Workspace.open(Path(folder)), Path(data), Path(config), command="train", accelerator="cpu"
    )
    tell(log, bundle.manifest.identity)


WORK = {one.__name__: one for one in (analyze, backup, restore, migrate, train)}


def tell(log, words):
    """Write a line that a kill cannot take back."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, words.encode() + b"\n")
    os.close(descriptor)


def warm_up(*, torch):
    """Import what the work needs, by doing what starts no thread."""
    import alembic.command
    import alembic.script  # noqa: F401

    if torch:
        import medcxr.learning.experiment
        import medcxr.learning.export  # noqa: F401


def main():
    """Serve until standard input ends."""
    warm_up(torch="--torch" in sys.argv)
    print("ready", flush=True)
    child = 0
    for line in sys.stdin:
        if line.strip() == "wait":
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
            continue
        work = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setsid()
            code = 1
            try:
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(2, 1)  # nothing of the work belongs into the answers
                WORK[work.pop("work")](**work)
                code = 0
            except BaseException:  # noqa: BLE001 - told, and then the child ends
                traceback.print_exc()
            finally:
                os._exit(code)
        print(child, flush=True)


if __name__ == "__main__":
    main()
