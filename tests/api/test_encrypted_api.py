"""The API by TLS of its own."""

import ssl

import pytest

from bundles import use_tiny_model
from medcxr.apps.api.serve import serve
from medcxr.core.errors import AccessError
from medcxr.services.workspace import Workspace
from signing_in import settle
from tls_server import tls_server


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encrypted")
    workspace = Workspace.open(folder / "workspace")
    use_tiny_model(workspace)
    with tls_server("serve", workspace, folder, ready="/v1/health/live") as server:
        yield server


def test_every_answer_demands_https_for_a_year(encrypted):
    for path in ("/v1/health/live", "/v1/docs", "/v1/cases", "/nothing"):
        demanded = encrypted.ask(path).headers["strict-transport-security"]
        assert demanded == "max-age=31536000; includeSubDomains"


def test_current_versions_and_strong_suites_alone_are_agreed_on(encrypted):
    assert not encrypted.refuses(ssl.TLSVersion.TLSv1_3)
    assert not encrypted.refuses(ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM")
    for weak in ("AES256-GCM-SHA384", "ECDHE+AES:!AESGCM:!AESCCM"):
        assert encrypted.refuses(ssl.TLSVersion.TLSv1_2, weak)
    assert encrypted.refuses(ssl.TLSVersion.TLSv1_1)


def test_nothing_is_answered_in_the_clear(encrypted):
    assert not encrypted.speaks_plainly()


def test_other_computers_get_no_server_in_the_clear(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    settle(workspace)

    with pytest.raises(AccessError, match="in the clear"):
        serve(workspace, address="0.0.0.0", port=0)  # noqa: S104 - refused
