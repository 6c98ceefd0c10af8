"""What drives the dashboard in a browser: what a person does, and what must then be on the page."""

import base64
import contextlib
import io
import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate
from signing_in import ADMIN, GOOD

ANALYSIS_LIMIT_MS = 120_000
SCREEN = {"width": 1400, "height": 1000}
_PICTURE = re.compile(r"/media/[0-9a-f]+\.[a-z]+$")
_SEARCH_FOR_SERVER = re.compile(r"/[a-z-]+/_stcore/(health|host-config)$")


@contextlib.contextmanager
def watched(page):
    """Yield a page; afterwards nothing may have gone wrong on it, nor anything elsewhere."""
    errors: list[str] = []
    hosts: set[str] = set()
    missing: set[str] = set()
    page.on("console", lambda m: errors.append(_told(m)) if _is_error(m) else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: hosts.add(_host(request.url)))
    page.on("response", lambda response: _note_missing(response, missing))
    page.on("websocket", lambda socket: hosts.add(_host(socket.url)))
    yield page
    assert not errors, f"the browser's console tells of {errors}"
    assert hosts == {"127.0.0.1"}, f"the page asked {hosts}"
    assert not missing or _shows_all_pictures(page), f"never served: {missing}"


def sign_in(page, password=GOOD, *, name=ADMIN):
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def upload(page, *paths):
    field = page.locator("input[type=file]").first  # the second one takes folders
    field.wait_for(state="attached")
    field.set_input_files([str(path) for path in paths])


def wait_for_result(page):
    page.locator(".cxr-card").first.wait_for(timeout=ANALYSIS_LIMIT_MS)
    page.get_by_text("Download the analysis").wait_for()
    view(page, 1)


def view(page, number=0):
    """Return a picture of the viewer, the radiograph first, once it is there."""
    page.locator("canvas[data-ready=true]").nth(number).wait_for(timeout=ANALYSIS_LIMIT_MS)
    return page.locator("canvas[data-ready=true]").nth(number)


def drawn(page, number=0):
    """Return what the viewer shows: (rows, columns, 3), 0…255."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
    address = view(page, number).evaluate("canvas => canvas.toDataURL('image/png')")
    file = io.BytesIO(base64.b64decode(address.split(",", 1)[1]))
    return np.asarray(Image.open(file).convert("RGB")).astype(int)


# One run may follow on another: a page is still when nothing has run for a moment.
_STILL = """asked => {
    const state = document.querySelector('[data-testid=stApp]')?.dataset.testScriptState;
    const still = state === 'notRunning' && [...document.images].every(image => image.complete);
    if (!still || window.cxrAsked !== asked) {
        window.cxrAsked = asked;
        window.cxrStillSince = performance.now();
    }
    return performance.now() - window.cxrStillSince > 150;
}"""


def wait_until_still(page):
    """Wait for the end of a run: what moves on the page takes clicks with it."""
    page.wait_for_function(_STILL, arg=time.monotonic(), polling=30)


def assert_findings(page):
    names = page.locator(".cxr-card h3").all_inner_texts()
    assert names
    assert len(names) == len(set(names))
    for card in page.locator(".cxr-card").all_inner_texts():
        assert re.search(r"\b(Present|Absent)\b", card)
        assert re.search(r"[<>]?\d+%", card)
        assert "Present from" in card


def assert_pictures(page):
    plain, heat_map = drawn(page), drawn(page, 1)
    assert plain.shape == heat_map.shape
    assert np.ptp(plain, axis=2).max() == 0  # gray
    assert plain.std() > 10  # and not blank
    assert np.ptp(heat_map, axis=2).max() > 30  # colored somewhere


def assert_readable(page):
    script = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
    script = re.sub(r"^//.*\n", "", script)
    assert page.evaluate(script) == []


def change_heat_map(page, action):
    wait_until_still(page)
    before = drawn(page, 1)
    action()
    end = time.monotonic() + ANALYSIS_LIMIT_MS / 1000
    while np.array_equal(drawn(page, 1), before):
        assert time.monotonic() < end, "the map stayed as it was"
        time.sleep(0.1)


def _is_error(message):
    """Tell whether the console names an error of the page.

    Loaded anew below its root, Streamlit's page first asks for the server below the page's own
    address, and then, without harm, above it. A picture that a new run of the page takes back for
    a moment is asked for again (see `_note_missing`).
    """
    url = message.location["url"]
    return message.type == "error" and not (_SEARCH_FOR_SERVER.search(url) or _PICTURE.search(url))


def _note_missing(response, missing):
    """Note the address of a picture that was not served, until it is."""
    if _PICTURE.search(response.url):
        (missing.discard if response.ok else missing.add)(response.url)


def _shows_all_pictures(page):
    """Tell whether no picture lacks on the page: one of a page that was left harms nobody."""
    return page.evaluate(
        "() => [...document.images].every(image => image.complete && image.naturalWidth > 0)"
        " && [...document.querySelectorAll('canvas[data-ready]')].every(c => c.dataset.ready === 'true')"
    )


def _told(message):
    return f"{message.text} {message.location['url']}"


def _host(url):
    parts = urlsplit(url)
    return "127.0.0.1" if parts.scheme in {"data", "blob"} else parts.hostname


def write_png(path):
    pixels = simulate(ThoraxParameters(), size=256).pixels
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(path)
    return path


def write_dicom(path):
    """Write a digital radiograph of nobody."""
    radiograph = simulate(ThoraxParameters(), size=320)
    header = Dataset()
    header.SOPClassUID = DigitalXRayImageStorageForPresentation
    header.SOPInstanceUID = generate_uid()
    header.Modality, header.BodyPartExamined, header.ViewPosition = "DX", "CHEST", "PA"
    header.Rows, header.Columns = radiograph.pixels.shape
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 12, 11
    header.PixelRepresentation = 0
    header.ImagerPixelSpacing = [1.3, 1.3]
    header.PixelData = np.rint(radiograph.pixels * 4095).astype("<u2").tobytes()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.save_as(path, enforce_file_format=True)
    return path
