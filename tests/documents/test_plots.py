"""Charts as shapes: what is drawn where, the same in SVG and on a page."""

import io
import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pypdfium2
import pytest

from medcxr.documents.document import About, Document
from medcxr.documents.drawings import Chart
from medcxr.documents.flow import Flow
from medcxr.documents.plots import Bars, Boxes, Curve, area_chart, box_chart, interval_chart, svg

HOSTILE = '<script>"&'


def roc():
    return area_chart(
        [
            Curve(name="model", points=[(0, 0), (0.5, 1), (1, 1)], band=[(0, 0, 0.2), (1, 0.9, 1)]),
            Curve(name="chance", points=[(0, 0), (1, 1)], tone="quiet", dashed=True),
        ],
        axes=("across", "up"),
        spoken=HOSTILE,
    )


def test_a_curve_runs_between_the_corners_of_its_axes():
    drawing = roc()
    (line,) = [one for one in drawing.lines if one.tone == "first" and len(one.points) == 3]
    (left, low), (middle, high), (right, _) = line.points
    assert middle == pytest.approx((left + right) / 2)
    assert high < low  # up is towards the top
    band = next(one for one in drawing.lines if one.filled)
    assert band.tone == "band"
    assert {label.text for label in drawing.labels} >= {"0", "1", "across", "up", "model", "chance"}


def test_what_lies_beyond_an_axis_is_cut_off():
    drawing = area_chart(
        [Curve(name="", points=[(0, -5), (1, 9)])], axes=("x", "y"), spoken="a line"
    )
    line = next(one for one in drawing.lines if one.tone == "first")
    assert all(0 <= y <= drawing.height for _, y in line.points)


def test_intervals_without_a_value_have_words_alone():
    rows = [
        Bars(name="known", value=0.1, low=-0.1, high=0.3, told="0.1"),
        Bars(name="unknown", value=None, low=0, high=0, told="not determined"),
    ]
    drawing = interval_chart(rows, axis="difference", mark=0.0, spoken="two rows")
    assert sum(one.tone == "first" and not one.filled for one in drawing.lines) == 1
    assert {label.text for label in drawing.labels} >= {"known", "unknown", "not determined"}
    assert interval_chart(rows[1:], axis="difference", spoken="nothing").lines


def test_a_flow_tells_what_leaves_it():
    drawing = box_chart(
        [Boxes(text="10 rows", aside=("2 refused", "1 broken")), Boxes(text="7 measured")],
        spoken="10 rows, 7 measured",
    )
    at = {label.text: label.at[1] for label in drawing.labels}
    assert at["10 rows"] < at["2 refused"] < at["1 broken"] < at["7 measured"] < drawing.height


def test_svg_is_well_formed_and_escaped():
    written = svg(roc())
    root = ET.fromstring(written)  # noqa: S314 - our own text
    assert root.attrib["aria-label"] == HOSTILE
    assert "<script" not in written
    assert len(root) == len(roc().lines) + len(roc().labels)


def test_a_page_draws_the_lines_as_vectors_and_is_read_aloud():
    about = About(title="t", subject="s", language="en", right_to_left=False, producer="p",
                  made=datetime(2026, 1, 1, tzinfo=UTC))  # fmt: skip
    document = Document(about)
    Flow(document).add([Chart(roc(), 300.0)])
    written = document.to_bytes()
    page = pypdfium2.PdfDocument(io.BytesIO(written))[0]
    assert "chance" in page.get_textpage().get_text_range()
    colors = page.render(scale=2).to_pil().convert("RGB").getcolors(100_000)
    assert any(blue > 140 and red < 40 for _, (red, _, blue) in colors)  # the curve
    assert b"/Image" not in written
    assert re.search(rb"/Alt \(<script>", written)
