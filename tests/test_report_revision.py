"""What is long in a report is written behind it: the same attachments and the same structure tree as within it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from fake_case import large_case, small_case
from test_report_signing import made as a_key

from gtloc_forensics.report import write_pdf
from gtloc_forensics.report.pdf import archival, revision, tagging
from gtloc_forensics.report.pdf.signing import Verdict, verify_pdf

DAY = date(2026, 11, 21)


@pytest.fixture
def all_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archival, "_PACKED_BY_QPDF_BYTES", 100)
    monkeypatch.setattr(archival, "_TAGGED_BY_QPDF", 10)
    monkeypatch.setattr(tagging, "_HELD", 7)
    monkeypatch.setattr(revision, "_PIECE_BYTES", 1000)


def attached(pdf: pikepdf.Pdf) -> dict[str, bytes]:
    return {name: file.get_file().read_bytes() for name, file in pdf.attachments.items()}


def tree_of(pdf: pikepdf.Pdf) -> Any:
    """Return the structure tree as plain values: of each element what it is, where it is, and what it holds."""
    pages = {page.obj.objgen: number for number, page in enumerate(pdf.pages)}
    links = {
        annotation.objgen: (number, place)
        for number, page in enumerate(pdf.pages)
        for place, annotation in enumerate(page.obj.get("/Annots", []))
    }

    def told(element: Any, parent: Any) -> Any:
        if isinstance(element, int):
            return element
        if element.Type == "/OBJR":
            return "link", pages[element.Pg.objgen], links[element.Obj.objgen], int(element.Obj.StructParent)
        assert element.P.objgen == parent.objgen
        kids = element.K if isinstance(element.K, pikepdf.Array) else [element.K]
        where = pages[element.Pg.objgen] if "/Pg" in element else None
        more = (str(element.get("/Alt", "")), repr(element.get("/A")))
        return str(element.S), where, more, [told(kid, element) for kid in kids]

    root = pdf.Root.StructTreeRoot
    return [told(kid, root) for kid in root.K]


def owners_of(pdf: pikepdf.Pdf) -> list[Any]:
    """Return what the parent tree says of each page and link."""
    root = pdf.Root.StructTreeRoot
    numbers = root.ParentTree.Nums
    told = []
    for number, owner in zip(numbers[::2], numbers[1::2], strict=True):
        owners = owner if isinstance(owner, pikepdf.Array) else [owner]
        told.append((int(number), [(str(each.S), repr(each.K)[:40].count("OBJR")) for each in owners]))
    assert len(told) == root.ParentTreeNextKey
    return told


@pytest.mark.parametrize("options", [{}, {"language": "de", "template": "brief"}, {"template": "archive"}])
def test_the_same_is_in_a_report_of_which_all_is_long(
    tmp_path: Path, request: pytest.FixtureRequest, options: dict[str, str]
) -> None:
    case = replace(small_case(), card="# A card\n" * 20)
    write_pdf(case, tmp_path / "short.pdf", report_date=DAY, **options)
    request.getfixturevalue("all_is_long")
    for name in ("long.pdf", "again.pdf"):
        write_pdf(case, tmp_path / name, report_date=DAY, **options)
    assert (tmp_path / "long.pdf").read_bytes() == (tmp_path / "again.pdf").read_bytes()
    with pikepdf.open(tmp_path / "short.pdf") as short, pikepdf.open(tmp_path / "long.pdf") as long:
        assert not long.check_pdf_syntax()
        assert (tmp_path / "long.pdf").read_bytes().count(b"%%EOF") == 2, "it is behind the file"
        assert attached(long) == attached(short)
        assert tree_of(long) == tree_of(short)
        assert owners_of(long) == owners_of(short)
        assert [page.obj.StructParents for page in long.pages] == list(range(len(short.pages)))
        assert long.trailer.ID[0] != long.trailer.ID[1]


def test_a_long_report_can_be_signed_and_its_appendix_be_a_file(tmp_path: Path, all_is_long: None) -> None:
    key = a_key(tmp_path, "ours", common_name="A signer")
    path, appendix = tmp_path / "x.pdf", tmp_path / "x-appendix.pdf"
    write_pdf(large_case(30, found_every=3), path, appendix=appendix, report_date=DAY, sign=key)
    for each in (path, appendix):
        assert verify_pdf(each).verdict is Verdict.UNCHECKED
        with pikepdf.open(each) as pdf:
            assert not pdf.check_pdf_syntax()
            assert tree_of(pdf)


def test_marks_come_out_as_they_went_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagging, "_HELD", 3)
    marks, kept = (
        tagging.Marks(),
        [tagging.Tagged(1, at, "TD", "ä" * at, 1, -at, (at,) * at, at % 2 == 0) for at in range(8)],
    )
    for mark in kept:
        marks.append(mark)
    assert list(marks) == list(marks) == kept
    assert len(marks) == 8
