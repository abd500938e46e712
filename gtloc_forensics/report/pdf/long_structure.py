"""The structure tree of a long report, behind it: an element a cell, of which qpdf would hold a kilobyte each.

It is the tree that :mod:`.archival` builds of a short one; what is held of it are numbers of objects.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from pikepdf import Dictionary, Name, Object, Pdf, String

from gtloc_forensics.report.pdf.revision import Revision
from gtloc_forensics.report.pdf.tagging import Marks, Tagged

_OF_LISTS = ("Lbl", "LBody")
_OBJECTS_AT_ONCE = 256


def prepare(pdf: Pdf, marks: Marks) -> None:
    """Say in a PDF that it has a tree, and of its pages and links where they are in it; the tree comes behind it."""
    number = len(pdf.pages)
    for index, page in enumerate(pdf.pages):
        page.obj.StructParents = index
        page.obj.Tabs = Name.S
    for mark in marks:
        for link in mark.links:
            pdf.pages[mark.page - 1].obj.Annots[link].StructParent = number
            number += 1
    root = Dictionary(Type=Name.StructTreeRoot, ParentTreeNextKey=number)
    pdf.Root.StructTreeRoot = pdf.make_indirect(root)
    pdf.Root.MarkInfo = Dictionary(Marked=True)


@dataclass(slots=True)
class _Open:
    """An element that further ones may come into: its number, and theirs."""

    number: int
    kind: str
    parent: int
    kids: array[int] = field(default_factory=lambda: array("I"))


class _Tree:
    def __init__(self, pdf: Pdf, revision: Revision) -> None:
        self._revision = revision
        self._pages: list[Object] = [page.obj for page in pdf.pages]
        self.root = pdf.Root.StructTreeRoot.objgen[0]
        self.document = _Open(revision.new_number(), "Document", self.root)
        self._tables: dict[int, _Open] = {}
        self._rows: dict[tuple[int, int], _Open] = {}
        self.of_page = [array("I") for _ in self._pages]  # place of marked content, and its element, in turns
        self.of_links = array("I")

    def told(self, marks: Marks) -> Iterator[tuple[int, bytes]]:
        """Yield every element below the document."""
        for mark in marks:
            parent = self._parent(mark) if mark.table else self.document
            number = self._revision.new_number()
            parent.kids.append(number)
            page = self._pages[mark.page - 1]
            kids, owner = b"%d" % mark.mcid, number
            if mark.links:
                links = list(self._links(mark, number, page))
                own = [] if mark.is_link else [kids]
                kids = b"[" + b" ".join([*own, *(b"%d 0 R" % link for link, _ in links)]) + b"]"
                owner = links[0][0] if mark.is_link else number
                yield from links
            self.of_page[mark.page - 1].extend((mark.mcid, owner))
            yield (
                number,
                b"<</Type/StructElem/S/%s/P %d 0 R/Pg %s/K %s%s>>"
                % (
                    mark.kind.encode(),
                    parent.number,
                    _reference(page),
                    kids,
                    _said(mark),
                ),
            )
        for element in (*self._rows.values(), *self._tables.values(), self.document):
            yield (
                element.number,
                b"<</Type/StructElem/S/%s/P %d 0 R/K[%s]>>"
                % (
                    element.kind.encode(),
                    element.parent,
                    b" ".join(b"%d 0 R" % kid for kid in element.kids),
                ),
            )

    def _parent(self, mark: Tagged) -> _Open:
        whole, part = ("L", "LI") if mark.kind in _OF_LISTS else ("Table", "TR")
        table = self._tables.get(mark.table)
        if table is None:
            table = self._tables[mark.table] = self._opened(whole, self.document)
        row = self._rows.get((mark.table, mark.row))
        if row is None:
            row = self._rows[mark.table, mark.row] = self._opened(part, table)
        return row

    def _opened(self, kind: str, parent: _Open) -> _Open:
        made = _Open(self._revision.new_number(), kind, parent.number)
        parent.kids.append(made.number)
        return made

    def _links(self, mark: Tagged, element: int, page: Object) -> Iterator[tuple[int, bytes]]:
        """Yield the links of a stretch: one where all of it is one, else one for each annotation."""
        annotations = [_reference(page.Annots[index]) for index in mark.links]
        for some in [annotations] if mark.is_link else [[each] for each in annotations]:
            number = self._revision.new_number()
            self.of_links.extend([number] * len(some))
            own = [b"%d" % mark.mcid] if mark.is_link else []
            objects = (b"<</Type/OBJR/Pg %s/Obj %s>>" % (_reference(page), each) for each in some)
            yield (
                number,
                b"<</Type/StructElem/S/Link/P %d 0 R/Pg %s/K[%s]>>"
                % (
                    element,
                    _reference(page),
                    b" ".join([*own, *objects]),
                ),
            )

    def parent_tree(self) -> Iterator[tuple[int, bytes]]:
        """Yield which element each marked content, and each link, is in; then the root."""
        entries: list[bytes] = []
        for index, told in enumerate(self.of_page):
            number = self._revision.new_number()
            owners = [owner for _, owner in sorted(zip(told[::2], told[1::2], strict=True))]
            yield number, b"[" + b" ".join(b"%d 0 R" % owner for owner in owners) + b"]"
            entries.append(b"%d %d 0 R" % (index, number))
        entries += [b"%d %d 0 R" % (at, link) for at, link in enumerate(self.of_links, start=len(self.of_page))]
        tree = self._revision.new_number()
        yield tree, b"<</Nums[" + b" ".join(entries) + b"]>>"
        yield (
            self.root,
            b"<</Type/StructTreeRoot/K[%d 0 R]/ParentTree %d 0 R/ParentTreeNextKey %d>>"
            % (
                self.document.number,
                tree,
                len(self.of_page) + len(self.of_links),
            ),
        )


def write(pdf: Pdf, revision: Revision, marks: Marks) -> None:
    """Write the tree of a PDF that was prepared for it, and saved."""
    tree = _Tree(pdf, revision)
    waiting: list[tuple[int, bytes]] = []
    for told in (tree.told(marks), tree.parent_tree()):
        for element in told:
            waiting.append(element)
            if len(waiting) == _OBJECTS_AT_ONCE:
                revision.objects(waiting)
                waiting.clear()
    if waiting:
        revision.objects(waiting)


def _said(mark: Tagged) -> bytes:
    said = b"/Alt " + String(mark.alt).unparse() if mark.alt else b""
    if mark.kind == "TH":
        scope = Name.Column if mark.row < 0 else Name.Row
        said += b"/A" + Dictionary(O=Name.Table, Scope=scope).unparse()
    return said


def _reference(value: Object) -> bytes:
    number, generation = value.objgen
    return b"%d %d R" % (number, generation)
