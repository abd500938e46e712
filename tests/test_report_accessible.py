"""A PDF that can be read aloud and kept: tags, words for figures, PDF/A-3 declarations, embedded data (by pikepdf)."""

from __future__ import annotations

import json
from datetime import date

import pikepdf
import pytest
from fake_case import small_case

from gtloc_forensics.records import Status
from gtloc_forensics.report import write_pdf
from gtloc_forensics.store.custody import verify_chain

DAY = date(2026, 11, 21)
SHOWS_TEXT = {"Tj", "TJ", "'", '"'}


@pytest.fixture(scope="module", params=["en", "de"])
def report(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "x.pdf"
    write_pdf(small_case(), path, report_date=DAY, language=request.param)
    with pikepdf.open(path) as pdf:
        yield pdf


def kids_of(node):
    kids = node.get("/K", [])
    return list(kids) if isinstance(kids, pikepdf.Array) else [kids]


def elements(node):
    """Every element of the structure tree, in reading order."""
    for kid in kids_of(node):
        if isinstance(kid, pikepdf.Dictionary) and kid.get("/Type") == "/StructElem":
            yield kid
            yield from elements(kid)


def contents_of(element):
    """The numbers of the marked content that an element owns itself."""
    return [int(kid) for kid in kids_of(element) if not isinstance(kid, pikepdf.Dictionary)]


def test_the_document_says_that_it_is_tagged_and_in_which_language(report):
    assert report.Root.MarkInfo.Marked
    assert str(report.Root.Lang) in ("en", "de")
    assert report.Root.ViewerPreferences.DisplayDocTitle


def test_every_text_on_a_page_is_told_or_said_to_be_furniture(report):
    for page in report.pages:
        depth = 0
        for operands, operator in pikepdf.parse_content_stream(page):
            name = str(operator)
            depth += (name in ("BDC", "BMC")) - (name == "EMC")
            assert depth <= 1, "marked content is not nested"
            assert depth or name not in SHOWS_TEXT, operands
        assert depth == 0


def test_every_mark_is_in_the_tree_and_every_element_on_its_page(report):
    told = [element for element in elements(report.Root.StructTreeRoot) if "/Pg" in element]
    by_page = {page.obj.objgen: set() for page in report.pages}
    for element in told:
        by_page[element.Pg.objgen] |= set(contents_of(element))
    for page in report.pages:
        marks = [
            operands[1].MCID for operands, operator in pikepdf.parse_content_stream(page) if str(operator) == "BDC"
        ]
        assert sorted(map(int, marks)) == sorted(by_page[page.obj.objgen])
    numbers = list(report.Root.StructTreeRoot.ParentTree.Nums)
    of_pages = 2 * len(report.pages)
    assert [int(number) for number in numbers[:of_pages:2]] == [int(page.obj.StructParents) for page in report.pages]
    for page, owners in zip(report.pages, numbers[1:of_pages:2], strict=True):
        for mcid, owner in enumerate(owners):
            assert mcid in contents_of(owner)
            assert owner.Pg.objgen == page.obj.objgen


def test_every_link_is_in_the_tree_under_a_link_that_knows_it_and_has_words(report):
    numbers = list(report.Root.StructTreeRoot.ParentTree.Nums)
    parents = {int(number): owner for number, owner in zip(numbers[::2], numbers[1::2], strict=True)}
    links = [annotation for page in report.pages for annotation in page.obj.get("/Annots", [])]
    assert len(links) > 20
    assert int(report.Root.StructTreeRoot.ParentTreeNextKey) == len(parents)
    for annotation in links:
        owner = parents[int(annotation.StructParent)]
        assert owner.S == "/Link"
        assert owner.P.S in ("/P", "/TD", "/TH")
        referred = [kid.Obj.objgen for kid in kids_of(owner) if isinstance(kid, pikepdf.Dictionary)]
        assert annotation.objgen in referred
        assert str(annotation.Contents)
    assert sum(bool(contents_of(owner)) for owner in parents.values() if isinstance(owner, pikepdf.Dictionary)) > 10


def test_headings_tables_and_figures_are_told_as_what_they_are(report):
    kinds = [str(element.S) for element in elements(report.Root.StructTreeRoot)]
    assert {"/H1", "/H2", "/H3", "/P", "/Figure", "/Table", "/TR", "/TH", "/TD"} <= set(kinds)
    assert kinds[:2] == ["/Document", "/H1"]
    for element in elements(report.Root.StructTreeRoot):
        if element.S == "/Figure":
            assert len(str(element.Alt)) > 5, "a figure is said in words"
        if element.S == "/TR":
            assert element.P.S == "/Table"
        if element.S in ("/TD", "/TH"):
            assert element.P.S == "/TR"


def test_it_declares_pdf_a_3_with_one_colour_space_and_dates_that_agree(report):
    with report.open_metadata() as xmp:
        assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("3", "B")
        assert xmp["xmp:CreateDate"].startswith("2026-11-21T00:00:00")
        assert xmp["pdf:Keywords"] == str(report.docinfo.Keywords)
    (intent,) = report.Root.OutputIntents
    assert intent.S == "/GTS_PDFA1"
    assert bytes(intent.DestOutputProfile.read_bytes())[36:40] == b"acsp"
    assert not report.is_encrypted
    assert float(report.pdf_version) >= 1.7


def test_nothing_in_it_is_forbidden_in_an_archive(report):
    for item in report.objects:
        if not isinstance(item, pikepdf.Dictionary | pikepdf.Stream):
            continue
        assert not {"/JS", "/JavaScript"} & set(item.keys())
        if item.get("/Type") == "/Font" and "/FontDescriptor" in item:
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(item.FontDescriptor.keys()), "every font is embedded"
        if item.get("/Subtype") == "/Link":
            assert int(item.F) & 4, "a link is printed"
            assert "/A" not in item or "/URI" not in item.A
        assert item.get("/Filter") not in ("/LZWDecode", "/Crypt")


def test_the_findings_and_the_chain_are_embedded_as_data(report):
    assert set(report.attachments) == {"findings.json", "custody.jsonl", "model-card.md"}
    findings = json.loads(report.attachments["findings.json"].get_file().read_bytes())
    assert findings["counts"]["found"] == 9
    chain = report.attachments["custody.jsonl"].get_file().read_bytes().decode().splitlines()
    assert len(chain) == len(small_case().events)
    assert json.loads(chain[-1])["event_hash"] == small_case().events[-1].event_hash
    assert verify_chain(small_case().events) == ()
    assert [str(file.AFRelationship) for file in report.Root.AF] == ["/Data"] * 3


def test_a_restricted_edition_carries_nothing_that_it_leaves_out(tmp_path):
    write_pdf(small_case(), tmp_path / "x.pdf", report_date=DAY, only=frozenset({Status.CLEAN}))
    with pikepdf.open(tmp_path / "x.pdf") as pdf:
        assert len(pdf.attachments) == 0
