"""What PDF/A-3B (ISO 19005-3) and PDF/UA-1 (ISO 14289-1) ask, as far as pikepdf and fontTools can see it.

No validator could be had (docs/decisions/0037): each test names the clause it stands for.
"""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO
from itertools import pairwise
from xml.etree import ElementTree

import pikepdf
import pytest
from fake_case import small_case

from gtloc_forensics.report import write_pdf

TTFont = pytest.importorskip("fontTools.ttLib", reason="reads embedded fonts").TTFont

DAY = date(2026, 11, 21)
PRINT, HIDDEN_NO_VIEW_INVISIBLE = 4, 1 | 2 | 32


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "x.pdf"
    write_pdf(small_case(), path, report_date=DAY)
    return path


@pytest.fixture(scope="module")
def report(kept):
    with pikepdf.open(kept) as pdf:
        yield pdf


def dictionaries(pdf):
    """Every dictionary of the file, those inside others as well."""

    def within(item, depth=0):
        if isinstance(item, pikepdf.Dictionary | pikepdf.Stream):
            yield item
            for value in dict(
                item.items() if isinstance(item, pikepdf.Dictionary) else item.stream_dict.items()
            ).values():
                if depth < 8 and not getattr(value, "is_indirect", False):
                    yield from within(value, depth + 1)
        elif isinstance(item, pikepdf.Array):
            for value in item:
                if depth < 8 and not getattr(value, "is_indirect", False):
                    yield from within(value, depth + 1)

    for item in pdf.objects:
        yield from within(item)


def test_the_file_begins_and_ends_as_6_1_2_and_6_1_3_ask(kept):
    data = kept.read_bytes()
    first, second = data.split(b"\n", 2)[:2]
    assert re.fullmatch(rb"%PDF-1\.[4-7]", first.strip())
    assert second.startswith(b"%") and sum(byte > 127 for byte in second) >= 4
    assert data.rstrip(b"\r\n").endswith(b"%%EOF"), "nothing follows the last end mark"
    with pikepdf.open(kept) as pdf:
        assert "/ID" in pdf.trailer and "/Encrypt" not in pdf.trailer


def test_no_object_is_beyond_the_limits_of_6_1_13(report):
    for item in report.objects:
        if isinstance(item, pikepdf.String):
            assert len(bytes(item)) <= 32_767
        if isinstance(item, pikepdf.Dictionary | pikepdf.Stream):
            assert all(len(name.encode()) <= 128 for name in set(item.keys()))
    for page in report.pages:
        assert all(3 <= float(side) <= 14_400 for side in page.mediabox[2:])
        depth = deepest = 0
        for _, operator in pikepdf.parse_content_stream(page):
            depth += (str(operator) == "q") - (str(operator) == "Q")
            deepest = max(deepest, depth)
        assert depth == 0 and deepest <= 28


def test_streams_hold_no_foreign_file_and_no_forbidden_filter_6_1_7(report):
    for item in report.objects:
        if isinstance(item, pikepdf.Stream):
            assert not {"/F", "/FFilter", "/FDecodeParms"} & set(item.stream_dict.keys())
            filters = item.stream_dict.get("/Filter", [])
            names = filters if isinstance(filters, pikepdf.Array) else [filters]
            assert not {"/LZWDecode", "/Crypt"} & {str(name) for name in names}


def test_colour_needs_no_more_than_the_output_intent_6_2_4(report):
    spaces = set()
    for item in dictionaries(report):
        space = item.get("/ColorSpace")
        if isinstance(space, pikepdf.Name):
            spaces.add(str(space))
    for page in report.pages:
        spaces |= {"/DeviceCMYK" for _, operator in pikepdf.parse_content_stream(page) if str(operator) in ("k", "K")}
    assert spaces <= {"/DeviceRGB", "/DeviceGray"}
    (intent,) = report.Root.OutputIntents
    assert int(intent.DestOutputProfile.N) == 3


def test_no_picture_is_smoothed_swapped_or_printed_otherwise_6_2_8(report):
    for item in report.objects:
        if isinstance(item, pikepdf.Stream) and item.get("/Subtype") == "/Image":
            assert not {"/Alternates", "/OPI"} & set(item.stream_dict.keys())
            assert not item.stream_dict.get("/Interpolate", False)
        if isinstance(item, pikepdf.Stream) and item.get("/Subtype") == "/Form":
            assert not {"/PS", "/Subtype2", "/OPI", "/Ref"} & set(item.stream_dict.keys())


def test_nothing_is_transparent_6_2_10(report):
    for item in dictionaries(report):
        assert float(item.get("/ca", 1)) == 1.0 and float(item.get("/CA", 1)) == 1.0
        if item.get("/Type") == "/ExtGState":
            assert str(item.get("/SMask", "/None")) == "/None"
            assert str(item.get("/BM", "/Normal")) in ("/Normal", "/Compatible")
        if item.get("/Subtype") == "/Image":
            assert "/SMask" not in item


def test_every_font_is_embedded_and_as_wide_as_the_file_says_6_2_11(report):
    fonts = [item for item in report.objects if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/Font"]
    assert fonts
    for font in fonts:
        assert font.Subtype == "/TrueType", "another kind of font needs checks of its own"
        assert "/ToUnicode" in font, "PDF/UA 7.21.7: every letter has its meaning"
        described = font.FontDescriptor
        assert int(described.Flags) & 4 and not int(described.Flags) & 32, "symbolic: its own table of letters counts"
        assert "/Encoding" not in font
        program = TTFont(BytesIO(described.FontFile2.read_bytes()), lazy=True)
        scale = 1000.0 / program["head"].unitsPerEm
        # A symbolic font has one table, or one of them is (3, 0); our letters are its entries.
        tables = program["cmap"].tables
        assert len(tables) == 1 or any((table.platformID, table.platEncID) == (3, 0) for table in tables)
        letters, advances = tables[0].cmap, program["hmtx"].metrics
        for code, width in enumerate(font.Widths, start=int(font.FirstChar)):
            if code in letters:
                assert abs(float(width) - advances[letters[code]][0] * scale) <= 1.0, (font.BaseFont, code)


def test_annotations_are_seen_and_printed_and_go_nowhere_else_6_3_and_6_5(report):
    for page in report.pages:
        for annotation in page.obj.get("/Annots", []):
            assert annotation.Subtype == "/Link"
            assert int(annotation.F) & PRINT and not int(annotation.F) & HIDDEN_NO_VIEW_INVISIBLE
            assert "/AA" not in annotation
            assert "/Dest" in annotation or annotation.A.S == "/GoTo"
        assert "/AA" not in page.obj
    assert not {"/AA", "/OpenAction", "/OCProperties", "/AcroForm", "/Requirements"} & set(report.Root.keys())


def test_every_link_leads_to_a_place_that_is_there(report):
    known = set(map(str, dict(report.Root.get("/Dests", {}))))
    for page in report.pages:
        for annotation in page.obj.get("/Annots", []):
            target = annotation.get("/Dest")
            if isinstance(target, pikepdf.Name):
                assert str(target) in known


def test_metadata_and_document_information_agree_6_6_2_and_6_6_3(report):
    packet = report.Root.Metadata.read_bytes()
    head = packet[:200].decode()
    assert "<?xpacket begin=" in head
    assert "bytes=" not in head.split("?>")[0] and "encoding=" not in head.split("?>")[0]
    ElementTree.fromstring(packet.decode().split("?>", 1)[1].rsplit("<?xpacket", 1)[0])
    info = report.docinfo
    with report.open_metadata() as xmp:
        assert xmp["dc:title"] == str(info.Title)
        assert xmp["dc:creator"] == [str(info.Author)]
        assert xmp["xmp:CreatorTool"] == str(info.Creator)
        assert xmp["pdf:Producer"] == str(info.Producer)
        for key, name in (("xmp:CreateDate", "/CreationDate"), ("xmp:ModifyDate", "/ModDate")):
            digits = re.sub(r"\D", "", xmp[key])[:14]
            assert re.sub(r"\D", "", str(info[name]))[:14] == digits


def test_embedded_files_say_what_they_are_6_8(report):
    for item in report.objects:
        if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/Filespec":
            assert str(item.F) == str(item.UF) and str(item.Desc)
            assert item.AFRelationship in ("/Data", "/Source", "/Supplement", "/Alternative", "/Unspecified")
            assert "/" in str(item.EF.F.Subtype)[1:], "a media type"
            assert "/ModDate" in item.EF.F.Params


# --------------------------------------------------------------------------- PDF/UA


def elements(node, parent=None):
    kids = node.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and kid.get("/Type") == "/StructElem":
            yield kid
            yield from elements(kid, node)


def test_headings_begin_at_one_and_leave_no_level_out_7_4(report):
    levels = [
        int(str(item.S)[2]) for item in elements(report.Root.StructTreeRoot) if re.fullmatch(r"/H\d", str(item.S))
    ]
    assert levels[0] == 1
    for before, after in pairwise(levels):
        assert after <= before + 1, f"H{before} is followed by H{after}"


def test_rows_of_a_table_have_as_many_cells_and_headers_say_what_they_head_7_5(report):
    for item in elements(report.Root.StructTreeRoot):
        if item.S == "/Table":
            assert len({len(row.K) for row in item.K}) == 1
        if item.S == "/TH":
            assert item.A.Scope in ("/Column", "/Row")


def test_pages_are_read_in_the_order_of_the_tree_and_have_bookmarks_7_17_and_7_18(report):
    assert all(page.obj.Tabs == "/S" for page in report.pages)
    with report.open_outline() as outline:
        assert len(list(outline.root)) > 5


def test_every_kind_of_element_is_one_of_the_standard_7_1(report):
    kinds = {str(item.S) for item in elements(report.Root.StructTreeRoot)}
    of_lists = {"/L", "/LI", "/Lbl", "/LBody"}
    of_tables = {"/Table", "/TR", "/TH", "/TD"}
    assert kinds <= {"/Document", "/H1", "/H2", "/H3", "/P", "/Figure", "/Link"} | of_lists | of_tables


def test_points_of_a_list_are_a_list_and_no_table_7_6(report):
    lists = [item for item in elements(report.Root.StructTreeRoot) if item.S == "/L"]
    assert lists
    for whole in lists:
        assert {str(part.S) for part in whole.K} == {"/LI"}
        assert all([str(piece.S) for piece in part.K] == ["/Lbl", "/LBody"] for part in whole.K)


def test_the_header_of_a_table_is_told_once_7_5(report):
    """A header that is repeated on a further page is furniture there."""
    tables = [item for item in elements(report.Root.StructTreeRoot) if item.S == "/Table"]
    heads = [sum(all(cell.S == "/TH" for cell in row.K) for row in table.K) for table in tables]
    assert max(heads) == 1
    assert len({int(row.K[0].Pg.objgen[0]) for table in tables for row in table.K}) > 1
