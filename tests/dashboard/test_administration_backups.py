"""Backups on the page "Administration": made, verified, restored, scheduled."""

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from medcxr.apps.dashboard import administration_backups_view as view
from medcxr.apps.dashboard.backup_clock import BackupClock
from medcxr.core.access import OPERATOR, Door, Role
from medcxr.security import sealed
from medcxr.services.backup_files import backups
from medcxr.services.backup_restoring import earlier_states, restore_backup
from medcxr.services.backup_schedule import BackupSchedule, backup_schedule, set_backup_schedule
from medcxr.services.backups import make_backup
from medcxr.services.case_records import cases
from remembering import remember
from signing_in import enter

NOW = datetime(2026, 3, 4, tzinfo=UTC)
PASSPHRASE = "five words of nobody else"  # noqa: S105 - of these tests alone


@pytest.fixture
def page(workspace, server_address, app_file, monkeypatch):  # noqa: ARG001 - the settings name the workspace
    """Return a function that opens the page."""
    monkeypatch.setattr(sealed, "_MEMORY_KIB", 64)
    server_address("127.0.0.1")

    def open_page():
        app = AppTest.from_file(str(app_file), default_timeout=300)
        app._page_hash = calc_hash("administration")  # the runner switches to pages in files only
        app.run()
        enter(app)
        assert not app.exception
        return app

    return open_page


def run(app):
    app.run()
    assert not app.exception
    return app


def choose(app, action):
    box = next(one for one in app.main.selectbox if one.label == "What to do with backups")
    box.select(action)
    return run(app)


def labeled(app, kind, part):
    return next(one for one in getattr(app.main, kind) if part in one.label)


def press(app, label):
    next(one for one in app.main.button if one.label == label).click()
    return run(app)


def handed_out(app):
    return [one.label for one in app.main.get("download_button")].count("Download")


def said(app):
    return [one.value.replace("\\", "") for kind in (app.success, app.error) for one in kind]


def table(app):
    return "\n".join(one.proto.body for one in app.main.get("html"))


def test_what_can_be_done_depends_on_what_there_is(page, workspace):
    app = page()
    box = next(one for one in app.main.selectbox if one.label == "What to do with backups")
    assert box.options == ["Make a backup", "Make backups by the clock"]
    assert "No backup was made yet" in "".join(one.value for one in app.main.caption)
    make_backup(workspace)
    box = next(one for one in run(app).main.selectbox if "What to do" in one.label)
    assert len(box.options) == 6


def test_a_backup_is_made_and_listed(page, workspace):
    app = choose(page(), view._Action.MAKE)
    labeled(app, "text_input", "Passphrase").input(PASSPHRASE)
    press(app, "Make the backup")
    (made,) = backups(workspace.backups)
    assert made.is_sealed
    assert f"{made.name} was made and read back." in said(app)
    assert f"<td>{made.name}</td>" in table(app)


def test_a_weak_passphrase_is_refused_on_the_page(page, workspace):
    app = choose(page(), view._Action.MAKE)
    labeled(app, "text_input", "Passphrase").input("short")
    press(app, "Make the backup")
    assert "use at least 12" in said(app)[-1]
    assert backups(workspace.backups) == []


def test_damage_is_told(page, workspace):
    made = make_backup(workspace).backup
    content = bytearray(made.path.read_bytes())
    content[1000] ^= 1
    app = choose(page(), view._Action.VERIFY)
    press(app, "Verify")
    assert f"{made.name} is whole." in said(app)
    made.path.write_bytes(content)
    app = choose(app, view._Action.VERIFY)
    press(app, "Verify")
    assert "is damaged, cut off or no backup" in said(app)[-1]
    assert "not since it was changed" in table(run(app))


def test_a_readable_backup_is_handed_out_after_a_tick_alone(page, workspace):
    make_backup(workspace)
    app = choose(page(), view._Action.DOWNLOAD)
    assert handed_out(app) == 0
    labeled(app, "checkbox", "as closely as the workspace").check()
    assert handed_out(run(app)) == 1


def test_an_encrypted_backup_is_handed_out_at_once(page, workspace):
    make_backup(workspace, passphrase=PASSPHRASE)
    app = choose(page(), view._Action.DOWNLOAD)
    assert handed_out(app) == 1


def test_a_restore_waits_for_the_word_and_can_be_gone_back_from(page, workspace):
    make_backup(workspace)
    remember(workspace, 1, NOW)
    app = choose(page(), view._Action.RESTORE)
    assert not [one for one in app.main.button if one.label == "Restore"]
    labeled(app, "text_input", "Type RESTORE").input("restore")
    assert not [one for one in run(app).main.button if one.label == "Restore"]
    labeled(app, "text_input", "Type RESTORE").input("RESTORE")
    press(run(app), "Restore")
    assert cases(workspace) == []
    assert len(earlier_states(workspace)) == 1

    app = choose(page(), view._Action.GO_BACK)
    labeled(app, "text_input", "Type RESTORE").input("RESTORE")
    press(run(app), "Return to it")
    assert len(cases(workspace)) == 1


def test_the_state_before_a_restore_is_deleted_after_a_tick(page, workspace):
    restore_backup(workspace, make_backup(workspace).backup.path)
    app = choose(page(), view._Action.FORGET)
    assert labeled(app, "button", "Delete").disabled
    labeled(app, "checkbox", "cannot be brought back").check()
    press(run(app), "Delete")
    assert earlier_states(workspace) == []
    assert "The earlier state was deleted." in said(app)


def test_a_backup_is_deleted_after_a_tick(page, workspace):
    made = make_backup(workspace).backup
    app = choose(page(), view._Action.DELETE)
    assert labeled(app, "button", "Delete").disabled
    labeled(app, "checkbox", "cannot be brought back").check()
    press(run(app), "Delete")
    assert not made.path.exists()


def test_a_schedule_is_kept(page, workspace):
    app = choose(page(), view._Action.SCHEDULE)
    labeled(app, "toggle", "by the clock").set_value(True)
    labeled(app, "number_input", "Hours from one").set_value(12)
    labeled(app, "number_input", "As many of the newest").set_value(3)
    press(app, "Save the schedule")
    assert backup_schedule(workspace) == BackupSchedule(every_hours=12, keep=3)
    assert "The schedule was saved." in said(app)


def test_the_clock_makes_what_is_due_and_remembers_what_went_wrong(
    workspace, monkeypatch, tmp_path
):
    clock = BackupClock(workspace.folder)
    clock.look()
    assert backups(workspace.backups) == []
    set_backup_schedule(workspace, BackupSchedule(every_hours=24))
    monkeypatch.setenv("MEDCXR_BACKUP_PASSPHRASE_FILE", str(tmp_path / "missing"))
    clock.look()
    assert "passphrase file" in str(clock.problem)
    monkeypatch.delenv("MEDCXR_BACKUP_PASSPHRASE_FILE")
    clock.look()
    clock.look()
    assert clock.problem is None
    (made,) = backups(workspace.backups)
    assert made.is_scheduled


def test_nothing_is_shown_to_whoever_may_not(workspace):
    def script():
        import streamlit as st

        from medcxr.apps.dashboard.administration_backups_view import show_backups

        show_backups(st.session_state["workspace"])

    app = AppTest.from_function(script)
    viewer = Door.DASHBOARD
    role = Role.VIEWER
    app.session_state["workspace"] = workspace.used_by(
        type(OPERATOR)(name="x", role=role, door=viewer)
    )
    run(app)
    assert not app.main.selectbox
    assert not app.main.header
