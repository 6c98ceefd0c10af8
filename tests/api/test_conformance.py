"""Requests that schemathesis makes up from the description, against the real server.

pytest tests/api/test_conformance.py                            the same few each time
MEDCXR_API_CASES=300 pytest tests/api/test_conformance.py       other ones, and twenty times as many
"""

import os
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from medcxr.apps.api.app import create_app
from medcxr.apps.api.limits import ANALYSES_PATH
from medcxr.core.access import Permission
from medcxr.services.workspace import Workspace
from serving import secret_for

load_all_checks()
_N_CASES = os.environ.get("MEDCXR_API_CASES")
made_up = settings(
    max_examples=int(_N_CASES or 15),
    suppress_health_check=list(HealthCheck),
    derandomize=_N_CASES is None,
)
pytestmark = pytest.mark.timeout(300 if _N_CASES is None else 3600)

# Whether a made-up file is a radiograph, or a made-up number that of a case, no description tells.
_EXCLUDED = [positive_data_acceptance]


def _excluded_of(case):
    """Return the checks that say nothing of a request.

    That a head lacks its token makes a request invalid until the test puts one there, and a list of
    one value is valid as written, which is as that value; schemathesis sees each, but not both.
    """
    head = case.meta.components.get(ParameterLocation.HEADER) if case.meta else None
    lists = [v for v in (case.query or {}).values() if isinstance(v, list) and len(v) == 1]
    if head is not None and head.mode.is_negative and lists:
        return [*_EXCLUDED, negative_data_rejection]
    return _EXCLUDED


schema = schemathesis.openapi.from_dict(create_app(Workspace(folder=Path("/nowhere"))).openapi())


@pytest.fixture(scope="module")
def server(port):
    """Return where the server is that a request goes to."""
    return f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def bearer(workspace):
    """Return the head of a token that may do everything."""
    return {"Authorization": f"Bearer {secret_for(workspace, 'administrator', *Permission)}"}


@pytest.fixture(autouse=True, scope="module")
def some_cases(administrator, radiograph):
    """Let there be something to find, to judge and to delete."""
    for number in range(3):
        assert administrator.send_file(radiograph + bytes([number])).status == 200


@schema.parametrize()
@made_up
def test_every_operation_keeps_what_its_description_says(case, server, bearer):
    case.call_and_validate(base_url=server, headers=bearer, excluded_checks=_excluded_of(case))


@schema.include(path=ANALYSES_PATH).parametrize()
@made_up
def test_a_radiograph_is_answered_as_described(case, server, bearer, radiograph):
    case.body = {"file": radiograph}
    excluded = [*_EXCLUDED, negative_data_rejection]  # the body is no longer the made-up one
    case.call_and_validate(base_url=server, headers=bearer, excluded_checks=excluded)


@schema.parametrize()
@made_up
def test_no_operation_does_anything_for_a_stranger(case, server):
    case.call_and_validate(base_url=server, excluded_checks=_EXCLUDED)
