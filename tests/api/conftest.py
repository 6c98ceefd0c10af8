"""A served workspace in which the tiny model answers, and an administrator's program."""

import io

import numpy as np
import pytest
from PIL import Image

from bundles import use_tiny_model
from medcxr.apps.api.app import create_app
from medcxr.apps.api.limits import Limits
from medcxr.core.access import Permission, Role
from medcxr.services.workspace import Workspace
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate
from serving import Program, add_user, secret_for, served

GENEROUS = Limits(token_burst=100_000, token_per_s=1e6, failures_burst=100_000, failures_per_s=1e6)


@pytest.fixture(scope="session")
def radiograph() -> bytes:
    """Return a simulated radiograph that the gate accepts, as a PNG file."""
    pixels = simulate(ThoraxParameters(), size=256).pixels
    file = io.BytesIO()
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """Return a workspace with a model and a user of each role."""
    workspace = Workspace.open(tmp_path_factory.mktemp("api") / "workspace")
    use_tiny_model(workspace)
    for role in Role:
        add_user(workspace, role.value.title(), role)
    return workspace


@pytest.fixture(scope="module")
def port(workspace):
    """Serve it, without rates that a test could reach."""
    with served(create_app(workspace, limits=GENEROUS, hosts=["127.0.0.1", "localhost"])) as port:
        yield port


@pytest.fixture(scope="module")
def administrator(workspace, port) -> Program:
    """Return a program that may do everything."""
    return Program(port=port, secret=secret_for(workspace, "administrator", *Permission))
