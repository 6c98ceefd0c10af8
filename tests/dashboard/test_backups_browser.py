"""Backups in a real browser: made under a passphrase, taken along, and restored by the word."""

from datetime import UTC, datetime

import browsing
import pytest
from browsing import sign_in, wait_until_still

from medcxr.services.backup_files import backups
from medcxr.services.backups import verify_backup
from medcxr.services.case_records import cases
from remembering import remember

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PASSPHRASE = "five words of nobody else"  # noqa: S105 - of this test alone


def choose(page, action):
    wait_until_still(page)
    field = page.get_by_role("combobox", name="What to do with backups")
    field.scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # a page that still scrolls closes the menu
    field.click()
    page.get_by_role("option", name=action, exact=True).click()
    wait_until_still(page)


def test_a_backup_is_made_handed_out_and_restored(page, workspace, tmp_path):
    sign_in(page)
    page.get_by_role("link", name="Administration").click()
    page.get_by_role("heading", name="Backups", exact=True).wait_for()
    wait_until_still(page)

    choose(page, "Make a backup")
    page.get_by_label("Passphrase; empty makes").fill(PASSPHRASE)
    page.get_by_label("Passphrase; empty makes").press("Enter")
    wait_until_still(page)
    page.get_by_role("button", name="Make the backup").click()
    page.get_by_text("was made and read back").wait_for()
    (made,) = backups(workspace.backups)
    assert made.is_sealed
    page.get_by_role("cell", name=made.name, exact=True).wait_for()
    browsing.assert_readable(page)

    choose(page, "Download a backup")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    taken = tmp_path / "taken.medcxr-backup"
    download.value.save_as(taken)
    assert taken.read_bytes() == made.path.read_bytes()
    verify_backup(taken, PASSPHRASE)

    remember(workspace, 1, datetime(2026, 3, 4, tzinfo=UTC))
    choose(page, "Restore a backup")
    page.get_by_label("Passphrase of the backup").fill(PASSPHRASE)
    page.get_by_label("Passphrase of the backup").press("Enter")
    wait_until_still(page)
    assert page.get_by_role("button", name="Restore", exact=True).count() == 0
    page.get_by_label("Type RESTORE to go on").fill("RESTORE")
    page.get_by_label("Type RESTORE to go on").press("Enter")
    page.get_by_role("button", name="Restore", exact=True).click()
    # A backup holds nobody's session: whoever restored it signs in again.
    page.get_by_text("This sign-in was ended").wait_for(timeout=60_000)
    assert cases(workspace) == []
