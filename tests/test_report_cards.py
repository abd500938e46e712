"""Model cards: the little Markdown they use, and nothing lost of what is not Markdown."""

from __future__ import annotations

from pathlib import Path

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


FIGURES = """Before.

```
576 photos of 23 sources

answers: arg-max
  month error      2.992  [2.77, 3.19]   n = 576 of 23 sources
  within 1 km, %   0.000  [0, 0]         n = 432 of 15 sources
```

After.
"""


def test_what_a_card_sets_in_columns_is_a_table_and_no_line_of_running_numbers():
    before, counted, figures, after = card_blocks(FIGURES)
    texts = [plain_of(block.text) for block in (before, counted, after)]
    assert texts == ["Before.", "576 photos of 23 sources", "After."]
    assert [column.title for column in figures.columns] == ["answers: arg-max", "", "", ""]
    assert [[plain_of(cell) for cell in row] for row in figures.rows][1] == [
        "within 1 km, %",
        "0.000",
        "[0, 0]",
        "n = 432 of 15 sources",
    ]


def test_no_paragraph_of_the_shipped_card_is_a_flattened_table():
    card = (Path(__file__).parents[1] / "models" / "gtloc-small" / "CARD.md").read_text(encoding="utf-8")
    texts = [plain_of(block.text) for block in card_blocks(card) if isinstance(block, Prose)]
    assert not [text for text in texts if "```" in text or text.count(" sources") > 4]


@settings(deadline=None)
@given(st.text(max_size=120) | st.text("|-:*` #\nab", max_size=40))
@example("|---|")
@example("```\n\n```")
@example("```\na  b\nc\n```")
def test_any_text_is_a_card(text):
    for block in card_blocks(text):
        if isinstance(block, Table):
            assert all(len(row) == len(block.columns) for row in block.rows)


@given(st.text(st.characters(exclude_characters="*`"), max_size=60))
def test_text_without_marks_is_kept(text):
    assert plain_of(_inline(text)) == visible(text)


def test_a_mark_without_its_partner_stays():
    assert plain_of(_inline("5 ** 2 and `x")) == "5 ** 2 and `x"
