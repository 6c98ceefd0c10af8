"""Documents as files, read back by other libraries."""

import io
import re
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pypdf
import pypdfium2
import pytest

from medcxr.documents.blocks import BOLD, Heading, Items, Paragraph
from medcxr.documents.document import About, Document
from medcxr.documents.drawings import Blank, Meter, Picture
from medcxr.documents.flow import Flow
from medcxr.documents.frames import Box, Columns, Stack
from medcxr.documents.table import Table

MADE = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)
GRAY = np.tile(np.arange(200, dtype=np.uint8), (100, 1))


def about(**changes):
    told = {
        "title": "A title",
        "subject": "A subject",
        "language": "en",
        "right_to_left": False,
        "producer": "medcxr tests",
        "made": MADE,
    }
    return About(**{**told, **changes})


def write(make, **changes):
    """Return a document as bytes, its blocks made by a function of it."""
    document = Document(about(**changes))
    flow = Flow(document)
    flow.add(make(document))
    flow.write_footers(lambda page, pages: ("below", f"{page}/{pages}"))
    return document.to_bytes()


def everything(document):
    name = document.add_picture(GRAY)
    return [
        Heading("Heading", level=1, opens=True),
        Box([Paragraph("In a box")], ground=(0.9, 0.9, 0.9), bar=(0, 0, 0)),
        Heading("Second"),
        Table([("first", "value"), ("second", Stack([Paragraph("5%"), Meter(0.5, 0.2, (0, 0, 0))]))],
              (1, 1), ("Name", "Value")),
        Items(["one", "two"]),
        Columns([[Picture(name, (100, 200), "a gray wedge")], [Paragraph("beside", BOLD)]], (1, 1)),
        Blank("Signature"),
    ]  # fmt: skip


def reader(data):
    return pypdf.PdfReader(io.BytesIO(data), strict=True)


def text_of(data):
    return "\n".join(page.extract_text() for page in reader(data).pages)


def elements(data):
    """Yield each structure element from the first to the last, and its depth."""
    root = reader(data).trailer["/Root"]["/StructTreeRoot"]
    waiting = [(root["/K"][0].get_object(), 0)]
    while waiting:
        element, depth = waiting.pop(0)
        if "/S" in element:
            yield element, depth
            children = [child.get_object() for child in element["/K"]]
            waiting[:0] = [(child, depth + 1) for child in children]


def test_a_document_says_what_it_is_and_nothing_of_who_made_it():
    data = write(everything, title="Thorax: مقلة", language="ar", right_to_left=True)
    document = reader(data)
    root = document.trailer["/Root"]
    assert document.metadata.title == "Thorax: مقلة"
    assert set(document.metadata) == {"/Title", "/Subject", "/Producer", "/CreationDate"}
    assert document.metadata.creation_date == MADE
    assert root["/Lang"] == "ar"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert root["/ViewerPreferences"]["/Direction"] == "/R2L"
    assert document.xmp_metadata.dc_title == {"x-default": "Thorax: مقلة"}
    assert not {"/OpenAction", "/AA", "/Names", "/AcroForm"} & set(root)
    assert not re.search(rb"/(JavaScript|JS|URI|Launch|EmbeddedFile|GoToR)\b", data)
    assert all("/Annots" not in page for page in document.pages)


def test_times_keep_their_zone():
    made = MADE.replace(tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    assert reader(write(everything, made=made)).metadata.creation_date == made


def test_everything_is_tagged_in_the_order_of_reading():
    kinds = [element["/S"] for element, _ in elements(write(everything))]
    assert " ".join(kind.removeprefix("/") for kind in kinds) == (
        "Document H1 Div P H2 Table THead TR TH P TH P TBody TR TH P TD P TR TH P TD P "
        "L LI Lbl LBody P LI Lbl LBody P Div Figure Div P P"
    )


def test_pictures_are_told_and_heads_of_tables_say_what_they_head():
    found = [element for element, _ in elements(write(everything))]
    (figure,) = [element for element in found if element["/S"] == "/Figure"]
    assert figure["/Alt"] == "a gray wedge"
    left, bottom, right, top = figure["/A"]["/BBox"]
    assert (right - left) / (top - bottom) == pytest.approx(2, rel=1e-3)
    scopes = [element["/A"]["/Scope"] for element in found if element["/S"] == "/TH"]
    assert scopes == ["/Column", "/Column", "/Row", "/Row"]


def test_what_is_drawn_is_content_or_decoration_and_each_mark_has_its_element():
    document = reader(write(everything))
    numbers = document.trailer["/Root"]["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    owners = {numbers[n]: numbers[n + 1].get_object() for n in range(0, len(numbers), 2)}
    for page in document.pages:
        depth, marks = 0, []
        for operands, operator in page.get_contents().operations:
            if operator in {b"BDC", b"BMC"}:
                depth += 1
                assert depth == 1
                marks += [operands[1]["/MCID"]] if operator == b"BDC" else []
            elif operator == b"EMC":
                depth -= 1
            elif operator in {b"TJ", b"f", b"Do"}:
                assert depth == 1, operator
        assert marks == list(range(len(owners[page["/StructParents"]])))
    assert document.pages[0]["/Tabs"] == "/S"


def test_all_typefaces_are_within_the_file_in_part():
    def make(_):
        return [Paragraph("Latin"), Paragraph("عربي", BOLD)]

    data = write(make)
    assert len(data) < 40_000  # of a megabyte
    fonts = reader(data).pages[0]["/Resources"]["/Font"].values()
    assert len(fonts) == 2
    for font in fonts:
        assert re.fullmatch(r"/[A-Z]{6}\+IBMPlexSans(Arabic)?-\w+", font["/BaseFont"])
        (descendant,) = font["/DescendantFonts"]
        file = descendant.get_object()["/FontDescriptor"]["/FontFile2"].get_data()
        assert file[:4] == b"\x00\x01\x00\x00"


def test_text_can_be_taken_out_again():
    sentence = "Größe, œuvre, ¿qué? Çà et là: 12.5% ± 0.04 ≥ 3°"

    def make(_):
        return [Paragraph(sentence), Paragraph("الصورة الشعاعية للقلب")]

    data = write(make)
    assert sentence in text_of(data)
    assert "الصورة الشعاعية للقلب" in text_of(data)
    page = pypdfium2.PdfDocument(data)[0]
    assert sentence in page.get_textpage().get_text_range().replace("\r\n", "\n")


def test_the_same_calls_make_the_same_bytes():
    assert write(everything) == write(everything)
    assert write(everything) != write(everything, made=MADE + timedelta(seconds=1))


def test_pages_are_mirrored_for_languages_that_run_from_right_to_left():
    def make(document):
        name = document.add_picture(GRAY)
        picture = Picture(name, (100, 200), "a wedge")
        return [Columns([[picture], [Paragraph("beside")]], (1, 1))]

    def first(data):
        page = pypdfium2.PdfDocument(data)[0]
        (image,) = [o for o in page.get_objects() if o.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]
        left, _, right, _ = image.get_bounds()
        pixels = np.asarray(page.render(scale=1).to_pil().convert("L"), dtype=int)
        return left, page.get_width() - right, pixels

    left, _, plain = first(write(make))
    _, right, mirrored = first(write(make, language="ar", right_to_left=True))
    assert left == pytest.approx(right, abs=0.01)
    row = 60  # through the picture: dark at the left on both
    assert plain[row, 50] < plain[row, 240]
    assert mirrored[row, 350] < mirrored[row, 540]


def test_long_text_goes_on_on_further_pages_and_loses_nothing():
    words = [f"word{number}" for number in range(3000)]

    def make(_):
        return [Paragraph(" ".join(words)), Heading("Last"), Paragraph("end")]

    data = write(make)
    pages = [page.extract_text() for page in reader(data).pages]
    assert len(pages) > 2
    assert re.findall(r"word\d+", "\n".join(pages)) == words
    assert f"{len(pages)}/{len(pages)}" in pages[-1]


def test_a_heading_is_never_the_last_on_a_page_and_short_tables_stay_whole():
    def make(lines):
        def blocks(_):
            filler = Paragraph("\n".join(["x"] * lines))
            return [filler, Heading("Over"), Table([("a", "b"), ("c", "d")], (1, 1), ("A", "B"))]

        return blocks

    moved = False
    for lines in range(48, 62):
        pages = [page.extract_text() for page in reader(write(make(lines))).pages]
        (at,) = [number for number, text in enumerate(pages) if "Over" in text]
        assert {"a", "b", "c", "d"} <= set(pages[at].split())
        moved = moved or at == 1
    assert moved


def test_what_is_higher_than_a_page_does_not_ask_for_pages_without_end():
    def make(_):
        text = "\n".join(["line"] * 200)
        return [Box([Paragraph(text)], ground=(1, 1, 1), bar=(0, 0, 0)), Paragraph("after")]

    assert len(reader(write(make)).pages) == 2
