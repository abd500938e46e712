"""A finished PDF made fit to be kept and to be read aloud: structure tags, PDF/A-3 metadata, embedded data.

The pages say while they are drawn which marks on them are a heading, a paragraph, a cell or a figure
(:class:`Tagged`); from that the structure tree is built here, with pikepdf. Same input, same bytes: what
pikepdf could date or draw by chance is given.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, String
from PIL import ImageCms

from gtloc_forensics.files import opening
from gtloc_forensics.report.pdf import long_structure
from gtloc_forensics.report.pdf.revision import Revision, read_in_pieces
from gtloc_forensics.report.pdf.tagging import Marks, Tagged

_ICC_DATE = slice(24, 36)  # of the profile's header: when it was made, which must not be now
_SAME_IN_BOTH = {"pdf:Producer": "/Producer", "xmp:CreatorTool": "/Creator", "pdf:Keywords": "/Keywords"}
_PACKED_BY_QPDF_BYTES = 10 << 20  # a longer file is never held whole: qpdf takes more than twice as much for one
_TAGGED_BY_QPDF = 10_000  # of more marks the structure tree is written behind the file: qpdf holds a kilobyte of each
_PRINTED = 4  # flag of an annotation
_OF_LISTS = ("Lbl", "LBody")
_EXTENSION = """
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>the part of ISO 14289 that the file follows</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
"""
"""What PDF/A-3 (6.6.2.3) asks for a property that it does not know, which that of PDF/UA is."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Attachment:
    """A file embedded in the PDF."""

    deflated: BinaryIO  # without a name; it is gone with this object
    size: int  # of what is deflated
    media_type: str
    told: str  # what it is, for people

    @property
    def is_long(self) -> bool:
        """Whether it is never held whole."""
        return self.size > _PACKED_BY_QPDF_BYTES

    @property
    def content(self) -> bytes:
        """All of it, where it is not long."""
        self.deflated.seek(0)
        return zlib.decompress(self.deflated.read())


def attachment(pieces: Iterable[str], media_type: str, told: str) -> Attachment:
    """Return a file to embed, of text that is packed piece by piece, on the disk."""
    packing, size = zlib.compressobj(), 0
    with opening.told_when_full():
        packed = tempfile.TemporaryFile()  # noqa: SIM115 - closed with what is returned
        for piece in pieces:
            content = piece.encode()
            size += len(content)
            packed.write(packing.compress(content))
        packed.write(packing.flush())
        packed.flush()
    made = Attachment(packed, size, media_type, told)
    weakref.finalize(made, packed.close)
    return made


def finish(
    path: Path,
    marks: Marks,
    *,
    instant: datetime,
    title: str,
    language: str,
    attachments: Mapping[str, Attachment],
    link_told: str,
) -> None:
    """Give the PDF at *path* its structure tree, its metadata of PDF/A-3B and PDF/UA-1, and its attachments.

    Args:
        path: a PDF of this package, changed in place.
        marks: what its pages said of themselves, in reading order.
        instant: the date of the report, naive, counts UTC.
        title: of the document.
        language: of its text.
        attachments: name → file.
        link_told: what is said of a link where its words cannot be.
    """
    with opening.told_when_full(), tempfile.TemporaryFile() as finished:  # a path need not be text, as pikepdf asks
        with path.open("rb") as drawn, Pdf.open(drawn) as pdf:
            is_long = len(marks) > _TAGGED_BY_QPDF
            if is_long:
                long_structure.prepare(pdf, marks)
            else:
                _build_tree(pdf, marks)
            _print_links(pdf, link_told)
            _embed(pdf, attachments, instant)
            _declare(pdf, instant=instant, title=title, language=language)
            pdf.save(
                finished,
                deterministic_id=True,
                min_version="1.7",
                object_stream_mode=pikepdf.ObjectStreamMode.generate,
            )
        long = {name: file for name, file in attachments.items() if file.is_long}
        if long or is_long:
            _append(finished, long, marks if is_long else None)
        finished.seek(0)
        with path.open("wb") as whole:
            shutil.copyfileobj(finished, whole)


def _build_tree(pdf: Pdf, marks: Iterable[Tagged]) -> None:
    root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    document = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Document, P=root, K=Array()))
    root.K = Array([document])
    by_page: dict[int, dict[int, Object]] = defaultdict(dict)
    tables: dict[int, Object] = {}
    rows: dict[tuple[int, int], Object] = {}
    links: list[tuple[Object, Object]] = []
    for mark in marks:
        parent: Object = document
        if mark.table:
            whole, part = ("L", "LI") if mark.kind in _OF_LISTS else ("Table", "TR")
            if mark.table not in tables:
                tables[mark.table] = _element(pdf, whole, document)
            if (mark.table, mark.row) not in rows:
                rows[(mark.table, mark.row)] = _element(pdf, part, tables[mark.table])
            parent = rows[(mark.table, mark.row)]
        element = _element(pdf, mark.kind, parent)
        element.Pg = pdf.pages[mark.page - 1].obj
        element.K = mark.mcid
        if mark.links:
            element.K = Array([mark.mcid])
            links += _linked(pdf, mark, element)
        if mark.alt:
            element.Alt = String(mark.alt)
        if mark.kind == "TH":
            element.A = Dictionary(O=Name.Table, Scope=Name.Column if mark.row < 0 else Name.Row)
        by_page[mark.page][mark.mcid] = element.K[0] if mark.is_link and mark.links else element
    numbers = Array()
    for index, page in enumerate(pdf.pages):
        page.obj.StructParents = index
        page.obj.Tabs = Name.S
        of_page = by_page.get(index + 1, {})
        numbers.append(index)
        numbers.append(pdf.make_indirect(Array([of_page[mcid] for mcid in sorted(of_page)])))
    for number, (annotation, link) in enumerate(links, start=len(pdf.pages)):
        annotation.StructParent = number
        numbers.append(number)
        numbers.append(link)
    root.ParentTree = pdf.make_indirect(Dictionary(Nums=numbers))
    root.ParentTreeNextKey = len(pdf.pages) + len(links)
    pdf.Root.StructTreeRoot = root
    pdf.Root.MarkInfo = Dictionary(Marked=True)


def _linked(pdf: Pdf, mark: Tagged, element: Object) -> Iterator[tuple[Object, Object]]:
    """Put the links of a stretch into the tree; yield each annotation with the element that it belongs to.

    Where all of the stretch is one link, its words are the link's; else a link stands beside the words, which are one
    piece of marked content.
    """
    page = pdf.pages[mark.page - 1].obj
    link = None
    for index in mark.links:
        annotation = page.Annots[index]
        if link is None or not mark.is_link:
            link = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Link, P=element, Pg=page, K=Array()))
            if mark.is_link:
                link.K.append(mark.mcid)
                element.K = Array()
            element.K.append(link)
        link.K.append(Dictionary(Type=Name.OBJR, Pg=page, Obj=annotation))
        yield annotation, link


def _element(pdf: Pdf, kind: str, parent: Object) -> Object:
    made = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name(f"/{kind}"), P=parent, K=Array()))
    parent.K.append(made)
    return made


def _print_links(pdf: Pdf, told: str) -> None:
    """Mark every link as one that is printed, as PDF/A asks, and give it words, as PDF/UA asks."""
    for page in pdf.pages:
        for annotation in page.obj.get("/Annots", Array()):
            annotation.F = _PRINTED
            annotation.Contents = String(told)


def _embed(pdf: Pdf, attachments: Mapping[str, Attachment], instant: datetime) -> None:
    associated = Array()
    stamp = f"D:{instant:%Y%m%d%H%M%S}Z"
    names = Array()
    for name, file in sorted(attachments.items()):
        stream = pdf.make_stream(
            b"" if file.is_long else file.content,  # what is long comes behind all else
            Type=Name.EmbeddedFile,
            Subtype=Name(f"/{file.media_type}"),
            Params=Dictionary(ModDate=String(stamp), Size=file.size),
        )
        described = pdf.make_indirect(
            Dictionary(
                Type=Name.Filespec,
                F=String(name),
                UF=String(name),
                Desc=String(file.told),
                AFRelationship=Name.Data,
                EF=Dictionary(F=stream, UF=stream),
            )
        )
        associated.append(described)
        names.append(String(name))
        names.append(described)
    if associated:
        pdf.Root.AF = associated
        pdf.Root.Names = pdf.Root.get("/Names", Dictionary())
        pdf.Root.Names.EmbeddedFiles = Dictionary(Names=names)


def _append(finished: BinaryIO, long: Mapping[str, Attachment], marks: Marks | None) -> None:
    """Put behind a finished PDF the files that are empty in it, and the tree of *marks* that it was prepared for."""
    with Pdf.open(finished) as pdf:
        revision = Revision(finished, pdf)
        if marks is not None:
            long_structure.write(pdf, revision, marks)
        told = pdf.Root.Names.EmbeddedFiles.Names if long else ()
        streams = {str(name): described.EF.F for name, described in zip(told[::2], told[1::2], strict=True)}
        for name, file in long.items():
            entries = {key: streams[name][key] for key in ("/Type", "/Subtype", "/Params")}
            length = file.deflated.seek(0, os.SEEK_END)
            described = Dictionary({**entries, "/Filter": Name.FlateDecode})
            revision.stream(streams[name].objgen[0], described, read_in_pieces(file.deflated), length)
        revision.end()


def _declare(pdf: Pdf, *, instant: datetime, title: str, language: str) -> None:
    """Say in XMP what the document is, and which colours it means."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_ICC_DATE] = bytes(12)
    pdf.Root.OutputIntents = Array(
        [
            Dictionary(
                Type=Name.OutputIntent,
                S=Name.GTS_PDFA1,
                OutputConditionIdentifier=String("sRGB"),
                Info=String("sRGB IEC61966-2.1"),
                DestOutputProfile=pdf.make_stream(bytes(profile), N=3),
            )
        ]
    )
    info = pdf.docinfo
    moment = instant.replace(tzinfo=UTC).isoformat(timespec="seconds")
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as xmp:
        xmp["pdfaid:part"] = "3"
        xmp["pdfaid:conformance"] = "B"
        xmp["pdfuaid:part"] = "1"
        xmp["dc:title"] = title
        xmp["dc:language"] = [language]
        xmp["xmp:CreateDate"] = xmp["xmp:ModifyDate"] = xmp["xmp:MetadataDate"] = moment
        for key, name in (
            ("pdf:Producer", "/Producer"),
            ("xmp:CreatorTool", "/Creator"),
            ("pdf:Keywords", "/Keywords"),
        ):
            if name in info:
                xmp[key] = str(info[name])
        if "/Author" in info:
            xmp["dc:creator"] = [str(info["/Author"])]
        if str(info.get("/Subject", "")):
            xmp["dc:description"] = str(info["/Subject"])
    _describe_extension(pdf)


def _describe_extension(pdf: Pdf) -> None:
    packet = pdf.Root.Metadata.read_bytes()
    head, closing, tail = packet.rpartition(b"</rdf:RDF>")
    pdf.Root.Metadata.write(head + _EXTENSION.encode() + closing + tail)
