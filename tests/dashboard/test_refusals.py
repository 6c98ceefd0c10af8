"""What the trail is told of pages that are not for a role, run by Streamlit's own test runner."""

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from medcxr.core.access import Door, Permission, Role
from medcxr.core.audit import AuditAction
from medcxr.services.audit import trail
from signing_in import GOOD, add, enter


def test_a_refusal_is_told_the_trail(workspace, server_address, app_file):
    add(workspace, "Onlooker", Role.VIEWER)
    server_address("127.0.0.1")
    app = AppTest.from_file(str(app_file), default_timeout=120)
    app._page_hash = calc_hash("train-model")  # the runner switches to pages in files only
    app.run()
    enter(app, GOOD, name="Onlooker")
    app.run()

    assert "This page is not for your role" in [one.value for one in app.title]
    told = [one for one in trail(workspace) if one.action is AuditAction.PERMISSION_REFUSED]
    assert [(one.actor, one.door, one.subject) for one in told] == [
        ("Onlooker", Door.DASHBOARD, Permission.TRAIN_MODELS.value)
    ]
