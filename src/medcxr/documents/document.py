"""A PDF document that says of itself what it is: tagged, with a title, a language and its fonts."""

import io
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape  # nosec B406 # it writes XML and reads none

import pydyf

from medcxr.core.arrays import UInt8Array
from medcxr.documents.embedding import UsedTypefaces
from medcxr.documents.lines import cleaned
from medcxr.documents.page import A4, Page, PageSize
from medcxr.documents.pictures import picture_object
from medcxr.documents.tags import Tag, write_tags

__all__ = ["About", "Document"]

# Source: ISO 14289-1 (PDF/UA), 5: how a file says that it keeps to the standard.
_METADATA = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
<pdfuaid:part>1</pdfuaid:part>
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description>
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
<xmp:CreateDate>{made}</xmp:CreateDate>
<pdf:Producer>{producer}</pdf:Producer>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a document says of itself.

    Attributes:
        title: for people.
        subject: a few words more.
        language: code of its language, e.g. "de".
        right_to_left: how this language runs.
        producer: program that makes it.
        made: when, with its time zone.
    """

    title: str
    subject: str
    language: str
    right_to_left: bool
    producer: str
    made: datetime


class Document:
    """A document that is being written; the same calls make the same bytes."""

    def __init__(self, about: About, *, size: PageSize = A4) -> None:
        self.about = about
        self.size = size
        self.root = Tag("Document")
        self.pages: list[Page] = []
        self._typefaces = UsedTypefaces()
        self._pictures: list[pydyf.Stream] = []

    def new_page(self) -> Page:
        """Append a page."""
        page = Page(
            len(self.pages),
            self.size,
            self._typefaces,
            right_to_left=self.about.right_to_left,
        )
        self.pages.append(page)
        return page

    def add_picture(self, pixels: UInt8Array) -> str:
        """Keep a picture, and return the name by which pages draw it."""
        self._pictures.append(picture_object(pixels))
        return _called(len(self._pictures) - 1)

    def to_bytes(self) -> bytes:
        """Return the file."""
        pdf = pydyf.PDF()
        pictures = pydyf.Dictionary()
        for number, picture in enumerate(self._pictures):
            pdf.add_object(picture)
            pictures[_called(number)] = picture.reference
        resources = pydyf.Dictionary({"Font": self._typefaces.write(pdf), "XObject": pictures})
        pdf.add_object(resources)
        written = [self._write_page(pdf, page, resources) for page in self.pages]
        write_tags(pdf, self.root, written)
        self._write_about(pdf)
        file = io.BytesIO()
        pdf.write(file, version=b"1.7", identifier=True)
        return file.getvalue()

    def _write_page(
        self, pdf: pydyf.PDF, page: Page, resources: pydyf.Dictionary
    ) -> pydyf.Dictionary:
        pdf.add_object(page.content)
        written = pydyf.Dictionary(
            {
                "Type": "/Page",
                "Parent": pdf.pages.reference,
                "MediaBox": pydyf.Array(
                    [0, 0, round(self.size.width, 2), round(self.size.height, 2)]
                ),
                "Resources": resources.reference,
                "Contents": page.content.reference,
                "Tabs": "/S",
            }
        )
        pdf.add_page(written)
        return written

    def _write_about(self, pdf: pydyf.PDF) -> None:
        about = self.about
        title, subject = cleaned(about.title), cleaned(about.subject)
        stamp = f"{about.made:%Y%m%d%H%M%S}{about.made:%z}"
        pdf.info.update(
            {
                "Title": pydyf.String(title),
                "Subject": pydyf.String(subject),
                "Producer": pydyf.String(about.producer),
                "CreationDate": pydyf.String(f"D:{stamp[:17]}'{stamp[17:19]}'"),
            }
        )
        metadata = _METADATA.format(
            title=escape(title),
            subject=escape(subject),
            language=about.language,
            made=about.made.isoformat(timespec="seconds"),
            producer=escape(about.producer),
        )
        stream = pydyf.Stream([metadata.encode()], {"Type": "/Metadata", "Subtype": "/XML"})
        pdf.add_object(stream)
        pdf.catalog["Metadata"] = stream.reference
        pdf.catalog["Lang"] = pydyf.String(about.language)
        direction = "/R2L" if about.right_to_left else "/L2R"
        pdf.catalog["ViewerPreferences"] = pydyf.Dictionary(
            {"DisplayDocTitle": "true", "Direction": direction}
        )


def _called(number: int) -> str:
    return f"I{number}"
