"""The dashboard in a real browser: it reaches nobody, needs no network, and writes no patient down."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import browsing
import pytest
from browsing import sign_in, upload, wait_for_result

from medcxr.core.audit import AuditAction
from medcxr.services.audit import trail
from medcxr.services.case_records import cases
from watched import (
    connections,
    files_with_secrets,
    is_local,
    watched_environment,
    write_patient,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_INSIDE = "MEDCXR_TEST_WITHOUT_NETWORK"
_ALONE = """
import fcntl, os, socket, struct, sys
lo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(lo, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def test_sign_in_and_analysis_reach_nobody_and_write_no_patient_down(
    workspace, serve, browser, tmp_path, monkeypatch
):
    record, log = tmp_path / "record", tmp_path / "log"
    for name, value in watched_environment(record).items():
        monkeypatch.setenv(name, value)
    path = write_patient(tmp_path / "image.dcm")
    addresses: set[str] = set()
    with contextlib.ExitStack() as stack:
        dashboard = stack.enter_context(serve(workspace, log))
        page = browser.new_page(viewport=browsing.SCREEN)
        stack.callback(page.close)
        page.on("request", lambda request: addresses.add(request.url))
        page.on("websocket", lambda socket: addresses.add(socket.url))
        page.goto(f"{dashboard.url}clinical-analysis")
        sign_in(page)
        upload(page, path)
        wait_for_result(page)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download the report").first.click()
        download.value.save_as(tmp_path / "report.pdf")
        page.screenshot(path=tmp_path / "shown.png")
        shown = page.locator("body").inner_text()
    assert len(cases(workspace)) == 1
    told = [event.action for event in trail(workspace)]
    assert AuditAction.CASE_ANALYZED in told
    assert AuditAction.CASE_EXPORTED in told
    elsewhere = [one for one in addresses if not _is_of(one, dashboard.port)]
    assert elsewhere == []
    assert [one for one in connections(record) if not is_local(one)] == []
    (tmp_path / "shown.txt").write_text(shown)
    places = [workspace.folder, log, tmp_path / "report.pdf", tmp_path / "shown.txt"]
    assert files_with_secrets(*places) == []
    assert "DEBUG" in log.read_text()


@pytest.mark.skipif(_INSIDE in os.environ, reason="runs the test above in a place without network")
def test_it_all_works_without_any_network(tmp_path):
    alone = ["unshare", "-rn", sys.executable, "-c", _ALONE]
    probe = [*alone, "-c", "pass"]
    if shutil.which("unshare") is None or subprocess.run(probe, check=False).returncode:
        pytest.skip("unshare is not permitted here")
    test = (
        f"{__file__}::{test_sign_in_and_analysis_reach_nobody_and_write_no_patient_down.__name__}"
    )
    done = subprocess.run(
        [*alone, "-m", "pytest", "-q", "-p", "no:cacheprovider", test, f"--basetemp={tmp_path}/in"],
        env={**os.environ, _INSIDE: "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "1 passed" in done.stdout


def _is_of(address, port):
    parts = urlsplit(address)
    return parts.scheme in ("data", "blob") or (parts.hostname, parts.port) == ("127.0.0.1", port)
