"""What somebody waits for who starts the dashboard: nothing that the sign-in page can do without."""

import http.client
import io
import statistics
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from medcxr.apps.dashboard.early_modules import early_modules
from medcxr.services.workspace import Workspace
from serving import Program

LATER = ("numpy", "pandas", "PIL", "sqlalchemy", "cryptography", "onnxruntime", "scipy")


@pytest.fixture(scope="module")
def served(tmp_path_factory, serve):
    """Serve a new workspace."""
    folder = tmp_path_factory.mktemp("first page")
    with serve(Workspace.open(folder / "workspace"), folder / "log") as dashboard:
        yield dashboard


def test_the_sign_in_page_is_imported_without_what_only_later_pages_need():
    program = f"""
import sys
import medcxr.apps.dashboard.app, medcxr.apps.dashboard.dashboard_server
print(*[name for name in {LATER!r} if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []


@pytest.mark.slow
@pytest.mark.browser
def test_a_browser_asks_for_every_script_of_the_sign_in_page_at_once(served, browser):
    page = browser.new_page()
    asked, opened = [], []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.on("websocket", lambda _: opened.append(len(asked)))
    page.goto(served.url)
    page.get_by_label("Password", exact=True).wait_for()
    page.close()

    early, late = asked[: opened[0]], asked[opened[0] :]
    assert set(early_modules()) <= set(early)
    assert [name for name in late if name.endswith(".js")] == []
    assert len(asked) == len(set(asked))  # what was fetched early is not fetched anew


@pytest.mark.slow
def test_only_pages_name_scripts(served):
    links = {}
    for path in ("/", "/favicon.png", "/_stcore/health", f"/static/js/{early_modules()[0]}"):
        links[path] = Program(port=served.port).ask("GET", path).headers.get("link", "")

    assert all(f"<./static/js/{name}>; rel=modulepreload" in links["/"] for name in early_modules())
    assert [path for path in links if links[path]] == ["/"]


@pytest.mark.slow
def test_the_icon_is_the_programs_own(served):
    answer = Program(port=served.port).ask("GET", "/favicon.png")

    assert answer.status == 200
    assert answer.headers["content-type"] == "image/png"
    pixels = np.asarray(Image.open(io.BytesIO(answer.body)).convert("RGB"))
    assert pixels[0, 0].tolist() == [13, 17, 23]
    middle = pixels[len(pixels) // 2].tolist()
    lungs = [color == [121, 184, 243] for color in middle]
    assert sum(now and not before for before, now in pairwise(lungs)) == 2


@pytest.mark.slow
def test_no_answer_waits_until_its_beginning_was_acknowledged(served):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    seconds = []
    for _ in range(40):
        begun = time.perf_counter()
        connection.request("GET", f"/static/js/{early_modules()[0]}")
        connection.getresponse().read()
        seconds.append(time.perf_counter() - begun)
    connection.close()

    # Linux puts an acknowledgment off for 40 ms; a busy computer makes some answers slow, not all.
    assert statistics.quantiles(seconds, n=4)[0] < 0.03
