"""The page "Dashboard" as a person meets it: a real server, a real Chromium."""

import csv
import io
import re

import numpy as np
import pytest
from browsing import ANALYSIS_LIMIT_MS, assert_readable, sign_in, upload, wait_until_still
from PIL import Image

from medcxr.services.case_records import cases
from medcxr.services.preferences import Preferences, set_preferences
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_FIRST, _SECOND = "=first [1].png", "second.png"


@pytest.fixture
def overview(page):
    """Return the page after the sign-in."""
    sign_in(page)
    page.get_by_role("link", name="Dashboard").click()
    page.get_by_role("heading", name="Dashboard").wait_for()
    return page


@pytest.fixture
def files(tmp_path):
    """Return two radiographs of nobody."""
    for number, name in enumerate((_FIRST, _SECOND)):
        pixels = simulate(ThoraxParameters(), size=240 + 8 * number).pixels
        Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(tmp_path / name)
    return [tmp_path / _FIRST, tmp_path / _SECOND]


def test_without_cases_the_page_says_what_to_do_and_how_the_system_stands(overview):
    overview.get_by_text("Add one or more files at the left").wait_for()
    overview.locator(".cxr-tile", has_text=re.compile("Model.*loaded", re.DOTALL)).wait_for()
    tiles = overview.locator(".cxr-tile").all_inner_texts()
    assert len(tiles) == 4
    for words in ("tiny 1.0.0", "0 cases", "GB free", "none"):
        assert any(words in tile for tile in tiles)
    overview.get_by_text("run run-0: measured on 240 radiographs of 120 patients").wait_for()
    assert_readable(overview)


def test_an_upload_becomes_a_case_and_a_verdict_outlives_the_sign_in(overview, files, workspace):
    page = overview
    upload(page, *files)
    _wait_for_case(page, _FIRST)
    assert_readable(page)
    assert len(cases(workspace)) == 2

    page.get_by_label("File name").fill("SECOND")
    page.get_by_label("File name").press("Enter")
    _row(page, _FIRST).wait_for(state="detached")
    _row(page, _SECOND).click()
    page.get_by_text("Back to the worklist").wait_for()
    wait_until_still(page)
    assert_readable(page)
    verdict = page.get_by_role("radiogroup", name="Effusion", exact=True)
    verdict.get_by_role("radio", name="Unsure").click()
    page.get_by_label("Comment").fill("small, on the left")
    page.get_by_role("button", name="Keep the verdict").click()
    page.get_by_role("cell", name="small, on the left").wait_for()

    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("Signed out.").wait_for()
    sign_in(page)
    page.get_by_role("link", name="Dashboard").click()
    page.get_by_role("radio", name="Read", exact=True).click()
    _row(page, _FIRST).wait_for(state="detached")
    _row(page, _SECOND).click()
    page.get_by_role("cell", name="small, on the left").wait_for()
    page.get_by_role("cell", name="Unsure").wait_for()
    page.get_by_text("Open the file again to see the radiograph").wait_for()


def test_a_click_on_a_case_leads_to_its_open_radiograph(overview, files):
    page = overview
    upload(page, *files)
    for name in (_SECOND, _FIRST):
        _wait_for_case(page, name)
        _row(page, name).click()
        page.get_by_role("link", name="Show the radiograph").click()
        page.locator(".cxr-card").first.wait_for(timeout=ANALYSIS_LIMIT_MS)
        page.locator("h2.cxr-title", has_text=name).wait_for()
        page.get_by_role("link", name="Dashboard").click()
        page.get_by_role("button", name="Back to the worklist").click()


def test_cases_are_filtered_exported_and_deleted(overview, files, workspace):
    page = overview
    upload(page, *files)
    _wait_for_case(page, _SECOND)
    levels = {one.urgency.level.value for one in cases(workspace)}
    absent = next(one for one in ("routine", "soon", "undecided", "urgent") if one not in levels)
    page.get_by_role("button", name=absent.capitalize(), exact=True).click()
    page.get_by_text("No remembered case fits these filters").wait_for()
    page.get_by_role("button", name=absent.capitalize(), exact=True).click()
    _wait_for_case(page, _SECOND)

    wait_until_still(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export 2 cases (CSV)").click()
    text = download.value.path().read_bytes().decode("utf-8-sig")
    labels = {row["label"] for row in csv.DictReader(io.StringIO(text))}
    assert labels == {f"'{_FIRST}", _SECOND}

    _row(page, _SECOND).click()
    page.get_by_role("button", name="Delete the case").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    _wait_for_case(page, _FIRST)
    assert _row(page, _SECOND).count() == 0
    assert [one.label for one in cases(workspace)] == [_FIRST]


def test_what_is_not_to_be_remembered_is_analyzed_all_the_same(overview, files, workspace):
    set_preferences(workspace, Preferences(remember_cases=False))
    page = overview
    upload(page, files[0])
    page.get_by_text("1 radiograph is open in this tab").wait_for(timeout=ANALYSIS_LIMIT_MS)
    page.get_by_text("analyzed but not remembered").wait_for()
    assert cases(workspace) == []
    page.get_by_role("link", name="Read what is open").click()
    page.locator(".cxr-card").first.wait_for()


def test_radiographs_of_a_patient_that_was_typed_find_each_other(overview, files, workspace):
    page = overview
    upload(page, *files)
    for name, day in ((_FIRST, "02"), (_SECOND, "03")):
        _wait_for_case(page, name)
        _row(page, name).click()
        page.get_by_label("Patient", exact=True).fill("patient 7")
        moment = {"year": "1999", "month": "01", "day": day, "hour": "10", "minute": "30"}
        for part, value in moment.items():
            page.get_by_role("spinbutton", name=f"{part}, Taken").press_sequentially(value)
        page.get_by_role("button", name="Find other radiographs").click()
        page.get_by_label("Patient", exact=True).wait_for(state="detached")
        if name == _FIRST:
            page.get_by_text("None is remembered that was taken before this one").wait_for()
            page.get_by_role("button", name="Back to the worklist").click()
    earlier = page.locator("[class*=st-key-cases_earlier] button")
    earlier.get_by_text(_FIRST, exact=True).wait_for()
    assert len({one.patient_key for one in cases(workspace)} - {None}) == 1


def _row(page, name):
    return page.locator("[class*=st-key-cases_listed] button").get_by_text(name, exact=True)


def _wait_for_case(page, name):
    _row(page, name).wait_for(timeout=ANALYSIS_LIMIT_MS)
