"""Parts of the page "Dashboard" that need no browser."""

from datetime import UTC, datetime, timedelta

import pytest
from browsing import write_png
from streamlit.testing.v1 import AppTest

from medcxr.apps.dashboard.overview_words import LEVELS, REASONS
from medcxr.apps.dashboard.retention import forget_old_cases_daily
from medcxr.apps.dashboard.throughput_view import throughput_chart
from medcxr.core.audit import AuditAction
from medcxr.core.urgency import UrgencyLevel
from medcxr.services.analysis import analyze_image
from medcxr.services.audit import trail
from medcxr.services.case_records import count_cases, record_case
from medcxr.services.preferences import Preferences, set_preferences
from remembering import remember
from signing_in import enter


@pytest.fixture
def signed_in(workspace, app_file, server_address):  # noqa: ARG001 - the settings name the workspace
    """Return the app after the sign-in, on its first page."""
    server_address("127.0.0.1")
    app = AppTest.from_file(str(app_file), default_timeout=60).run()
    enter(app)
    return app


def test_every_level_has_a_name_and_a_reason():
    assert set(LEVELS) == set(REASONS) == set(UrgencyLevel)


def test_the_chart_has_a_bar_for_each_hour_or_day():
    start = datetime(2026, 1, 2, tzinfo=UTC)
    counts = {start + timedelta(hours=n): n for n in range(3)}
    for by_hour, unit in ((True, "yearmonthdatehours"), (False, "yearmonthdate")):
        chart = throughput_chart(counts, by_hour=by_hour)
        assert [row["n"] for row in chart["data"]["values"]] == [0, 1, 2]
        assert chart["data"]["values"][1]["start"] == "2026-01-02T01:00"
        assert chart["encoding"]["x"]["timeUnit"] == unit


def test_old_cases_are_forgotten_when_the_dashboard_starts(workspace):
    now = datetime.now(UTC)
    remember(workspace, 1, now - timedelta(days=31))
    remember(workspace, 2, now)
    set_preferences(workspace, Preferences(keep_days=30))
    forget_old_cases_daily(workspace)
    assert count_cases(workspace) == 1


@pytest.mark.postgres
def test_with_a_database_on_a_server_the_page_works_and_says_where_things_go(
    on_postgres, signed_in
):
    app = signed_in.run()
    assert not app.exception
    tiles = " ".join(one.proto.body for one in app.get("html"))
    assert "0 cases" in tiles
    said = " ".join(one.value for one in app.markdown)
    assert "are kept on the database server of this workspace" in said
    assert str(on_postgres.port) not in said


def test_without_one_it_says_nothing_of_servers(signed_in):
    said = " ".join(one.value for one in signed_in.run().markdown)
    assert "nothing is sent anywhere" in said
    assert "server of this workspace" not in said


def test_a_damaged_database_is_said_and_nothing_is_shown(workspace, signed_in):
    workspace.database.write_bytes(b"no database" * 1000)
    app = signed_in.run()
    assert not app.exception
    assert "damaged or no database" in app.error[0].value
    assert not app.title


def test_a_long_list_is_shown_page_by_page(workspace, signed_in):
    now = datetime.now(UTC)
    for number in range(23):
        remember(workspace, number, now + timedelta(seconds=number))
    app = signed_in.run()
    assert len(labels(app)) == 20
    assert "1 to 20 of 23" in {one.value for one in app.caption}
    next(one for one in app.button if one.label == "Next").click().run()
    assert len(labels(app)) == 3
    assert "21 to 23 of 23" in {one.value for one in app.caption}


def labels(app):
    return [one.label for one in app.button if str(one.key).startswith("listed_")]


def test_to_open_a_case_is_told_once_however_often_the_page_runs(workspace, signed_in, tmp_path):
    image = write_png(tmp_path / "image.png")
    record_case(workspace, analyze_image(workspace, image, gate=False), label="image.png")
    app = signed_in.run()
    for _ in range(2):
        next(one for one in app.button if str(one.key).startswith("listed_")).click().run()
        app.run()
        assert not app.exception
        next(one for one in app.button if one.label == "Back to the worklist").click().run()
    viewed = [one for one in trail(workspace) if one.action is AuditAction.CASE_VIEWED]
    assert [one.subject for one in viewed] == ["case 1", "case 1"]


def test_a_list_that_is_exported_is_told_with_its_length(workspace, signed_in):
    for number in range(3):
        remember(workspace, number, datetime.now(UTC))
    app = signed_in.run()
    button = next(one for one in app.get("download_button") if "Export 3 cases" in one.proto.label)
    assert not [one for one in trail(workspace) if one.action is AuditAction.CASES_EXPORTED]
    assert button.proto.deferred_file_id  # the file is made when it is asked for
