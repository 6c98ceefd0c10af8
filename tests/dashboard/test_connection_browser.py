"""The hospital connection in a real browser: what is stuck is seen, sent again, and discarded."""

import browsing
import pytest
from browsing import sign_in, wait_until_still, write_dicom

from kept_results import folder_out, give_up, queue
from medcxr.core.access import NODE
from medcxr.core.deliveries import DeliveryState
from medcxr.services.database import workspace_database
from medcxr.services.inbox import receive
from medcxr.services.undelivered import undelivered_results

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def choose(page, label, option):
    wait_until_still(page)
    field = page.get_by_role("combobox", name=label)
    field.scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # a page that still scrolls closes the menu
    field.click()
    page.get_by_role("option", name=option).first.click()
    wait_until_still(page)


def test_what_is_stuck_is_tried_again_or_discarded(page, workspace, tmp_path):
    node = workspace.used_by(NODE)
    receive(node, write_dicom(tmp_path / "a.dcm").read_bytes(), origin="c-store MODALITY")
    with workspace_database(workspace).writing() as transaction:
        transaction.exec_driver_sql("UPDATE instances SET state='failed', reason='unforeseen: X'")
    queue(node, folder_out(tmp_path), 1, 2)
    give_up(node, folder_out(tmp_path))

    sign_in(page)
    page.get_by_role("link", name="Administration").click()
    page.get_by_role("heading", name="Hospital connection", exact=True).wait_for()
    page.get_by_role("cell", name="unforeseen: X").wait_for()
    browsing.assert_readable(page)
    page.get_by_role("button", name="Read the failed images again").click()
    page.get_by_text("1 image waits again.").wait_for()

    choose(page, "What to do with results", "Send results again")
    choose(page, "Which results", "Result 1:")
    page.get_by_role("button", name="Send again", exact=True).click()
    page.get_by_text("1 result is sent again.").wait_for()

    choose(page, "What to do with results", "Discard results")
    discard = page.get_by_role("button", name="Discard", exact=True)
    assert discard.is_disabled()
    page.get_by_text("They are not sent, and cannot be brought back").click()
    wait_until_still(page)
    discard.click()
    page.get_by_text("1 result is discarded.").wait_for()
    (left,) = undelivered_results(workspace)
    assert (left.number, left.state) == (1, DeliveryState.WAITING)
