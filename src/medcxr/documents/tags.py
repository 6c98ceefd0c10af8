"""What a document is made of, for programs that read it aloud: headings, paragraphs, tables, pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import pydyf

__all__ = ["Mark", "Tag", "write_tags"]


class Mark(NamedTuple):
    """A marked piece of a page."""

    page: int
    number: int


@dataclass(slots=True, eq=False)
class Tag:
    """A structure element, which is filled while the document is laid out.

    Attributes:
        kind: one of the standard structure types, e.g. "P" or "TH".
        spoken: what is read aloud in the place of a picture.
        attributes: of PDF, e.g. the scope of a table's head.
        children: in the order of reading.
    """

    kind: str
    spoken: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict)
    children: "list[Tag | Mark]" = field(default_factory=list)

    def add(
        self, kind: str, *, spoken: str = "", attributes: Mapping[str, object] | None = None
    ) -> "Tag":
        """Append an element and return it."""
        tag = Tag(kind, spoken, attributes or {})
        self.children.append(tag)
        return tag


def write_tags(pdf: pydyf.PDF, root: Tag, pages: list[pydyf.Dictionary]) -> None:
    """Write the tree of a document, and for each page whose its marks are.

    Source: ISO 32000-1, 14.7.2 (structure hierarchy) and 14.7.4.4 (finding elements from content).
    """
    tree = pydyf.Dictionary({"Type": "/StructTreeRoot"})
    pdf.add_object(tree)
    owners: dict[Mark, bytes] = {}
    element = _write(pdf, root, tree.reference, pages, owners)
    tree["K"] = pydyf.Array([element])
    numbers = pydyf.Array()
    for page in range(len(pages)):
        marks = sorted(mark for mark in owners if mark.page == page)
        listed = pydyf.Array([owners[mark] for mark in marks])
        pdf.add_object(listed)
        numbers.extend([page, listed.reference])
        pages[page]["StructParents"] = page
    parents = pydyf.Dictionary({"Nums": numbers})
    pdf.add_object(parents)
    tree["ParentTree"] = parents.reference
    tree["ParentTreeNextKey"] = len(pages)
    pdf.catalog["StructTreeRoot"] = tree.reference
    pdf.catalog["MarkInfo"] = pydyf.Dictionary({"Marked": "true"})


def _write(
    pdf: pydyf.PDF,
    tag: Tag,
    parent: bytes,
    pages: list[pydyf.Dictionary],
    owners: dict[Mark, bytes],
) -> bytes:
    element = pydyf.Dictionary({"Type": "/StructElem", "S": f"/{tag.kind}", "P": parent})
    pdf.add_object(element)
    if tag.spoken:
        element["Alt"] = pydyf.String(tag.spoken)
    if tag.attributes:
        element["A"] = pydyf.Dictionary(
            {
                name: pydyf.Array(value) if isinstance(value, list) else value
                for name, value in tag.attributes.items()
            }
        )
    children = pydyf.Array()
    for child in tag.children:
        if isinstance(child, Tag):
            children.append(_write(pdf, child, element.reference, pages, owners))
            continue
        owners[child] = element.reference
        children.append(
            pydyf.Dictionary(
                {"Type": "/MCR", "Pg": pages[child.page].reference, "MCID": child.number}
            )
        )
    element["K"] = children
    return bytes(element.reference)
