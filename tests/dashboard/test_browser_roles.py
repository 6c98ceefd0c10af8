"""What a viewer, a clinician and a new user meet in a real browser, at every address."""

import os

import pytest
from browsing import assert_readable, sign_in, upload, wait_for_result, wait_until_still, write_png

from medcxr.core.access import Role
from medcxr.core.errors import AccessError
from medcxr.security.throttle import MOST_AT_ONCE
from medcxr.services.accounts import require_current
from medcxr.services.accounts import sign_in as try_name
from medcxr.services.audit import trail
from medcxr.services.users import add_user, users
from signing_in import ADMIN, BETTER, GOOD, add

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_OPEN_TO_ALL = {"dashboard", "performance", "models"}
_FOR_OTHERS = {"clinical-analysis", "explainable-ai", "train-model", "administration"}


def visit(page, path):
    """Sign in and be led to an address: a reload asks to sign in again."""
    base = "/".join(page.url.split("/")[:3])
    page.goto(f"{base}/{path}")


def links(page):
    wait_until_still(page)
    addresses = page.get_by_test_id("stSidebarNavLink").evaluate_all("all => all.map(a => a.href)")
    return {address.rstrip("/").rsplit("/", 1)[-1] for address in addresses}


def keep_picture(page, name):
    folder = os.environ.get("MEDCXR_TEST_PICTURES")
    if folder:
        wait_until_still(page)
        page.screenshot(path=f"{folder}/{name}.png")


def test_a_viewer_meets_a_refusal_at_every_address_of_others(page, workspace):
    add(workspace, "guest", Role.VIEWER)
    for path in sorted(_FOR_OTHERS):
        visit(page, path)
        sign_in(page, name="guest")
        page.get_by_role("heading", name="This page is not for your role").wait_for()
        assert page.get_by_text("Your role, viewer, may not do this").is_visible()
        assert page.locator("input[type=file]").count() == 0
        assert not links(page) & _FOR_OTHERS
    keep_picture(page, "refusal")
    assert_readable(page)
    refused = [one.subject for one in trail(workspace) if one.action == "permission refused"]
    assert refused == ["change settings", "analyze", "analyze", "train models"]
    for path in sorted(_OPEN_TO_ALL):
        visit(page, "" if path == "dashboard" else path)
        sign_in(page, name="guest")
        page.locator("[data-testid=stMain] h1").first.wait_for()
        wait_until_still(page)
        assert page.get_by_text("not for your role").count() == 0
        assert page.get_by_test_id("stAlertContentError").count() == 0
        assert page.get_by_role("button", name="Put in use").count() == 0
        assert_readable(page)
    keep_picture(page, "viewer")


def test_a_new_user_changes_the_password_and_then_judges_by_name(page, workspace, tmp_path):
    made = add_user(workspace, "reader", Role.CLINICIAN)
    sign_in(page, made.password, name="reader")
    page.get_by_text("Change your password first").wait_for()
    assert page.get_by_test_id("stSidebarNavLink").count() == 0
    keep_picture(page, "duty")
    assert_readable(page)
    page.get_by_label("Current password").fill(made.password)
    page.get_by_label("New password", exact=True).fill(BETTER)
    page.get_by_label("New password, again").fill(BETTER)
    page.get_by_role("button", name="Change the password").click()
    upload(page, write_png(tmp_path / "synthetic.png"))
    wait_for_result(page)
    assert "administration" not in links(page)
    page.get_by_label("Comment").fill("seen")
    page.get_by_role("button", name="Keep the verdict").click()
    page.get_by_text("Kept by reader at").wait_for()


def test_an_account_is_looked_after_in_its_dialog(page, workspace):
    session = add(workspace, "other", Role.ADMINISTRATOR)
    sign_in(page)
    page.get_by_role("button", name="Account").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("tab", name="Second factor").click()
    picture = dialog.get_by_alt_text("QR code of the second factor of admin")
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    page.wait_for_timeout(500)
    keep_picture(page, "account")
    dialog.get_by_role("tab", name="Where you are signed in").click()
    sessions = dialog.get_by_role("tabpanel", name="Where you are signed in")
    assert sessions.get_by_role("row").count() == 3  # with the heads; one is of the fixture
    choice = sessions.get_by_role("combobox")
    choice.click()
    page.get_by_role("option", name="dashboard, last seen").click()
    sessions.get_by_label("Current password").fill(GOOD)
    sessions.get_by_role("button", name="Sign out there").click()
    sessions.get_by_role("row").nth(2).wait_for(state="detached")
    assert {one.name: one.n_sessions for one in users(workspace)}[ADMIN] == 1
    sessions.get_by_label("Current password").fill("wrong")
    sessions.get_by_role("button", name="Sign out there").click()
    sessions.get_by_text("The password is wrong").wait_for()
    sessions.get_by_label("Current password").fill(GOOD)
    sessions.get_by_role("button", name="Sign out there").click()
    page.get_by_text("Signed out everywhere.").wait_for()
    require_current(workspace, session.token)
    assert {one.name: one.n_sessions for one in users(workspace)}[ADMIN] == 0


def test_users_are_managed_on_the_page(page, workspace):
    visit(page, "administration")
    sign_in(page, GOOD)
    page.get_by_role("heading", name="Users", exact=True).wait_for()
    page.get_by_role("button", name="Add the user").scroll_into_view_if_needed()
    form = page.get_by_test_id("stForm").filter(has_text="Add the user")
    form.get_by_label("Name").fill("reader")
    page.get_by_role("button", name="Add the user").click()
    page.get_by_text("I have handed it on").wait_for()
    keep_picture(page, "users")
    assert_readable(page)
    assert [one.name for one in users(workspace)] == [ADMIN, "reader"]


def test_a_browser_that_is_known_is_let_in_while_a_stranger_tries_many_names(page, workspace):
    sign_in(page)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("Signed out.").wait_for()
    kept = {one["name"]: one["value"] for one in page.context.cookies()}
    assert len(kept["medcxr_browser"]) == 16 + 1 + 64
    for number in range(MOST_AT_ONCE):
        with pytest.raises(AccessError):
            try_name(workspace, f"nobody {number}", "a guess")
    with pytest.raises(AccessError, match="Too many"):
        try_name(workspace, ADMIN, GOOD)
    page.reload()
    sign_in(page)
    page.get_by_text("Open a frontal chest radiograph").wait_for()
