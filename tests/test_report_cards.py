"""Model cards: the little Markdown they use, and nothing lost of what is not Markdown."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gtloc_forensics.records import visible
from gtloc_forensics.report.blocks import Bullets, Prose, Span, Table, plain_of
from gtloc_forensics.report.chapters.cards import _inline, card_blocks

CARD = """# A card

Made of **two** parts and `code`,
over two lines.

![a picture](http://192.0.2.1/x.png)

## Figures

| goal | reached |
|---|---|
| hours | **not** met |
| days | 3 < 4 | more |

* one
  and on
* <b>two</b>
"""


def test_a_card_becomes_headings_text_table_and_list():
    blocks = list(card_blocks(CARD))
    assert [type(block) for block in blocks] == [Prose, Prose, Prose, Table, Bullets]
    assert blocks[0].text == (Span("A card", "bold"),)
    assert blocks[1].text[1] == Span("two", "bold")
    assert blocks[1].text[3] == Span("code", "mono")
    assert [column.title for column in blocks[3].columns] == ["goal", "reached", ""]
    assert [plain_of(cell) for cell in list(blocks[3].rows)[1]] == ["days", "3 < 4", "more"]
    assert abs(sum(column.share for column in blocks[3].columns) - 1) < 1e-9
    assert [plain_of(item) for item in blocks[4].items] == ["one and on", "<b>two</b>"]


def test_a_picture_of_a_card_is_not_asked_for():
    assert "192.0.2.1" not in str(list(card_blocks(CARD)))


@settings(deadline=None)
@given(st.text(max_size=120) | st.text("|-:*` #\nab", max_size=40))
@example("|---|")
def test_any_text_is_a_card(text):
    for block in card_blocks(text):
        if isinstance(block, Table):
            assert all(len(row) == len(block.columns) for row in block.rows)


@given(st.text(st.characters(exclude_characters="*`"), max_size=60))
def test_text_without_marks_is_kept(text):
    assert plain_of(_inline(text)) == visible(text)


def test_a_mark_without_its_partner_stays():
    assert plain_of(_inline("5 ** 2 and `x")) == "5 ** 2 and `x"
