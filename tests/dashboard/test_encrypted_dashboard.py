"""The dashboard by TLS of its own, asked by a browser and by hand."""

import ssl

import pytest
from browsing import ANALYSIS_LIMIT_MS, SCREEN, sign_in, upload, write_png

from certificates import write_certificate
from medcxr.apps.dashboard.launch import launch, server_command
from medcxr.core.errors import AccessError
from medcxr.services.server_tls import chosen_certificate
from tls_server import tls_server


@pytest.fixture
def encrypted(workspace, tmp_path):
    with tls_server("dashboard", workspace, tmp_path, ready="/_stcore/health") as server:
        yield server


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_a_reader_works_encrypted_and_every_cookie_is_of_this_host(browser, encrypted, tmp_path):
    assert not encrypted.refuses(ssl.TLSVersion.TLSv1_3)
    assert not encrypted.refuses(ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM")
    for weak in ("AES256-GCM-SHA384", "ECDHE+AES:!AESGCM:!AESCCM"):
        assert encrypted.refuses(ssl.TLSVersion.TLSv1_2, weak)
    assert encrypted.refuses(ssl.TLSVersion.TLSv1_1)
    assert not encrypted.speaks_plainly()
    for path in ("/", "/_stcore/health", "/static/nothing.js", "/media/nothing.png"):
        demanded = encrypted.ask(path).headers["strict-transport-security"]
        assert demanded == "max-age=31536000; includeSubDomains"
    context = browser.new_context(viewport=SCREEN, ignore_https_errors=True)
    page, sockets = context.new_page(), []
    page.on("websocket", lambda one: sockets.append(one.url))
    page.goto(f"https://127.0.0.1:{encrypted.port}/clinical-analysis")

    sign_in(page)
    upload(page, write_png(tmp_path / "a.png"))
    page.locator(".cxr-card").first.wait_for(timeout=ANALYSIS_LIMIT_MS)

    assert sockets
    assert all(one.startswith("wss://") for one in sockets)
    cookies = context.cookies()
    assert {one["name"] for one in cookies} == {
        "__Host-_streamlit_xsrf",
        "__Host-medcxr_browser",
        "__Host-medcxr_language",
        "__Host-medcxr_theme",
    }
    assert all(one["secure"] and one["path"] == "/" for one in cookies)
    assert {one["sameSite"] for one in cookies} <= {"Strict", "Lax"}
    # What is kept is found again, under its new name.
    context.add_cookies(
        [{**one, "value": "de"} for one in cookies if one["name"] == "__Host-medcxr_language"]
    )
    page.reload()
    page.get_by_label("Passwort", exact=True).wait_for()
    context.close()


def test_the_page_may_be_steered_from_its_own_encrypted_address_alone(tmp_path, certificate):
    words = server_command(address="127.0.0.1", port=8501, headless=True, certificate=certificate)

    origins = [one for one in words if one.startswith("--client.allowedOrigins=")]
    assert origins
    assert all("=https://" in one for one in origins)
    assert f"--server.sslCertFile={tmp_path / 'server.pem'}" in words
    assert f"--server.sslKeyFile={tmp_path / 'server-key.pem'}" in words


@pytest.fixture
def certificate(tmp_path):
    return chosen_certificate(*write_certificate(tmp_path))


def test_other_computers_get_no_page_in_the_clear(workspace):
    with pytest.raises(AccessError, match="in the clear"):
        launch(workspace, address="0.0.0.0", headless=True)  # noqa: S104 - refused
