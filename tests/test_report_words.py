"""Templates and their words: data that can neither run, nor read, nor lose a character of a value."""

from __future__ import annotations

import re
import tomllib
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import pytest
from fake_case import FakeCase, a_finding, an_entry, small_case
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfbase import pdfmetrics

from gtloc_forensics.errors import UsageError
from gtloc_forensics.evidence.calibration import INDIFFERENT_LOG10, VERBAL_SCALE
from gtloc_forensics.records import Absent, CauseKind, ClockKind, Confidence, Outcome, Severity, Status, Untold, visible
from gtloc_forensics.report.blocks import Callout, Prose, plain_of
from gtloc_forensics.report.chapters.chapters import chapters
from gtloc_forensics.report.chapters.edition import edition_of
from gtloc_forensics.report.chapters.strength import ratio_of, share_interval, step_of, strength
from gtloc_forensics.report.pdf.fonts import chain, opened, runs
from gtloc_forensics.report.template import _flat, load_template, load_words
from gtloc_forensics.report.text import plain

SHIPPED = files("gtloc_forensics.templates").joinpath("default")
LANGUAGES = ["en", "de"]
"""The languages that are complete."""


def sentences(language: str) -> dict[str, str]:
    return _flat(tomllib.loads(SHIPPED.joinpath(f"{language}.toml").read_text(encoding="utf-8")), "")


def an_edition(case=None, **options):
    from datetime import date

    given_ = {"template": "default", "language": "en", "report_date": date(2026, 1, 1), "only": None}
    return edition_of(case or FakeCase([]), **{**given_, **options})


def page_one(edition) -> str:
    """The sentences of page one."""
    first = next(iter(chapters(edition)))
    return " ".join(plain_of(item.text) for item in first.items if isinstance(item, Prose | Callout))


def test_german_says_everything_that_english_says():
    english, german = sentences("en"), sentences("de")
    assert set(english) - set(german) == set()
    # The names of places that German writes otherwise; English writes them as the gazetteer does.
    assert {key for key in german if not key.startswith(("rule.", "place."))} - set(english) == set()


def test_every_sentence_that_the_chapters_ask_for_is_there_in_every_language():
    asked = set()
    for module in (Path(__file__).parents[1] / "gtloc_forensics" / "report").rglob("*.py"):
        asked |= set(
            re.findall(r"""words(?:\.line)?\(\s*"([a-z_]+\.[a-z_0-9]+)\"""", module.read_text(encoding="utf-8"))
        )
    assert len(asked) > 100
    for language in LANGUAGES:
        assert asked - set(sentences(language)) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_cause_has_a_name_for_people(language):
    named = {key.removeprefix("cause.") for key in sentences(language) if key.startswith("cause.")}
    assert {kind.value.replace("-", "_") for kind in CauseKind if kind.value} - named == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_for_what_a_record_may_be_is_there(language):
    known = set(sentences(language))
    kinds = {"absent": Absent, "untold": Untold, "status": Status, "outcome": Outcome}
    kinds |= {"severity": Severity, "confidence": Confidence}
    asked = {f"{part}.{member.name.lower()}" for part, kind in kinds.items() for member in kind}
    asked |= {f"clock_kind.{re.sub('[ /]', '_', kind.value)}" for kind in ClockKind}
    assert asked - known == set()


def test_a_german_report_says_once_on_page_one_that_findings_are_quoted_in_english():
    assert page_one(an_edition(small_case(), language="de")).count("Im englischen Wortlaut") == 1
    assert "englisch" not in page_one(an_edition(small_case()))


@pytest.mark.parametrize(("language", "said"), [("en", "Not wholly examined"), ("de", "Nicht vollständig untersucht")])
def test_a_photo_of_which_one_step_is_missing_is_not_said_to_be_unexamined(language, said):
    assert an_edition(language=language).result(frozenset({Status.NOT_EXAMINED})) == said


def test_dates_and_decimals_are_those_of_the_language():
    german = an_edition(language="de")
    assert german.report_date == "01.01.2026"
    assert german.when(datetime(2024, 6, 5, 7, 8, 9)) == "05.06.2024 07:08:09"
    assert german.words.number(4.4, 1) == "4,4"
    assert an_edition().report_date == "2026-01-01"


def test_a_restricted_edition_says_so_on_page_one():
    said = page_one(an_edition(small_case(), only=frozenset({Status.CLEAN})))
    assert "shows and lists only photos with the result: No finding" in said


def test_the_scale_is_one_in_code_template_and_documentation():
    steps = [(step.below, step.name.replace("_", " ")) for step in load_template("default").scale]
    coded = [(round(10**upper, 6), words) for upper, words in VERBAL_SCALE[1:]]
    assert steps[1:] == coded
    assert steps[0][0] == round(10**INDIFFERENT_LOG10, 6)
    docs = (Path(__file__).parents[1] / "docs" / "evidence.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (below [\d,]+|[\d,]+–[\d,]+|above) \| ([\w ]+) \|$", docs, re.MULTILINE)
    assert [words for _, words in rows] == ["no support either way", *(name for _, name in steps[1:])]
    uppers = [span.split("–")[-1].replace(",", "").removeprefix("below ") for span, _ in rows[:-1]]
    assert uppers == [f"{below:.0f}" for below, _ in steps[:-1]]


def test_every_rule_has_a_german_title():
    from gtloc_forensics.checks import Registry
    from gtloc_forensics.checks.plugins import built_in_modules

    german = sentences("de")
    assert [check.check_id for check in Registry(built_in_modules()) if f"rule.{check.check_id}" not in german] == []


def test_both_languages_put_in_the_same_values():
    english, german = sentences("en"), sentences("de")
    named = re.compile(r"{{\s*(\w+)")
    for key in english:
        assert set(named.findall(german[key])) <= set(named.findall(english[key])) | {"found", "not_examined"}, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_says_that_a_photo_is_fake(language):
    accusing = re.compile(
        r"\b(fake|forged|forgery|tampered|doctored|manipulat\w*|gefälscht|fälschung|verfälscht)\b", re.I
    )
    assert [text for text in sentences(language).values() if accusing.search(text)] == []


def test_a_third_language_needs_no_code(tmp_path):
    template = tmp_path / "ours"
    template.mkdir()
    (template / "template.toml").write_text("")
    (template / "fr.toml").write_text('[summary]\ntitle = "Résumé"\n[format]\ndecimal = ","\nthousands = " "\n')
    words = load_words(str(template), "fr")
    assert words.line("summary.title") == "Résumé"
    assert words.number(12345.5, 1) == "12 345,5"
    assert words.line("custody.title") == "Custody", "what a language leaves out is English"


def test_a_template_changes_order_and_scale_and_keeps_the_rest(tmp_path):
    template = tmp_path / "ours"
    template.mkdir()
    (template / "template.toml").write_text('chapters = ["custody"]\n[[scale]]\nbelow = 5\nname = "weak"\n')
    (template / "en.toml").write_text('[custody]\ntitle = "Chain"\n')
    loaded = load_template(str(template))
    assert loaded.chapters == ("custody",)
    assert [(step.below, step.name) for step in loaded.scale] == [(5.0, "weak")]
    assert loaded.page == "A4"
    assert load_words(str(template), "en").line("custody.title") == "Chain"


@pytest.mark.parametrize(
    "sentence",
    [
        '{% include "/etc/passwd" %}',
        '{% import "/etc/passwd" as x %}',
        "{{ ''.__class__.__mro__ }}",
        "{{ nothing_of_that_name }}",
        "{% if %}",
        "{{ self._TemplateReference__context }}",
    ],
)
def test_a_sentence_cannot_read_a_file_or_reach_python(tmp_path, sentence):
    (tmp_path / "template.toml").write_text("")
    (tmp_path / "en.toml").write_text(f"[summary]\ntitle = '''{sentence}'''\n")
    with pytest.raises(UsageError, match=r"summary\.title"):
        load_words(str(tmp_path), "en").line("summary.title")


@pytest.mark.parametrize("logo", ["../../secret.png", "/etc/passwd", "http://192.0.2.1/a.png", "a.svg"])
def test_a_logo_is_a_plain_picture_beside_the_template(tmp_path, logo):
    (tmp_path / "template.toml").write_text(f'logo = "{logo}"\n')
    with pytest.raises(UsageError, match="logo"):
        load_template(str(tmp_path))


def test_a_logo_of_ones_own_is_on_the_cover(tmp_path):
    from datetime import date

    from PIL import Image
    from pypdf import PdfReader

    from gtloc_forensics.report import write_html, write_pdf

    Image.new("RGB", (300, 90), "navy").save(tmp_path / "ours.png")
    (tmp_path / "template.toml").write_text('logo = "ours.png"\nchapters = ["custody"]\n')
    (tmp_path / "report.css").write_text("body { color: red } </style><script>alert(1)</script>")
    write_pdf(FakeCase([]), tmp_path / "x.pdf", report_date=date(2026, 1, 1), template=str(tmp_path))
    write_html(FakeCase([]), tmp_path / "x.html", report_date=date(2026, 1, 1), template=str(tmp_path))
    assert [image.image.size for image in PdfReader(tmp_path / "x.pdf").pages[0].images] == [(300, 90)]
    page = (tmp_path / "x.html").read_text()
    assert 'src="data:image/png;base64,' in page and "color: red" in page
    assert page.count("</style>") == 1


@pytest.mark.parametrize(
    "text",
    [
        "page = 'A5'",
        "scale = [{below = 'x', name = 'weak'}]",
        "scale = [{}]",
        "photo_pages = 'many'",
        "chapters = 3",
        "logo = 'absent.png'",
        "logo = 'en.png'",
        "a = [",
        "chapters = ['nothing']",
    ],
)
def test_a_template_that_cannot_be_used_is_said_in_words(tmp_path, text):
    from datetime import date

    from gtloc_forensics.report import write_pdf

    (tmp_path / "template.toml").write_text(text)
    (tmp_path / "en.png").write_text("no picture")
    with pytest.raises(UsageError):
        write_pdf(FakeCase([]), tmp_path / "x.pdf", report_date=date(2026, 1, 1), template=str(tmp_path))
    assert not (tmp_path / "x.pdf").exists()


@pytest.mark.parametrize(("name", "language"), [("nowhere", "en"), ("default", "xx"), ("../default", "en")])
def test_what_does_not_exist_is_said_in_words(name, language):
    with pytest.raises(UsageError):
        load_template(name)
        load_words(name, language)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_a_value_in_a_sentence_keeps_every_character(value):
    words = load_words("default", "en")
    text = words("photos.photo", number=3, name=value)
    shown = visible(value).replace("\ue0f1", "[U+E0F1]").replace("\ue0f2", "[U+E0F2]")
    assert plain_of(text) == f"Photo 3 · {shown}"
    assert all(span.style == "" for span in text)


@settings(deadline=None)
@given(st.text(max_size=400) | st.binary(max_size=60))
def test_no_character_of_a_foreign_text_can_hide(value):
    shown = plain(value)
    assert all(character.isprintable() or character == " " or ord(character) > 127 for character in shown)
    assert not set(shown) & set("\u202e\u202d\u2066\u2067\u200b\u200f\n\r\t\0")


def test_a_long_text_is_cut_and_says_how_long_it_was():
    assert plain("x" * 5000).endswith("… [5000]")
    assert len(plain("x" * 5000)) < 320


# --------------------------------------------------------------------------- fonts


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_every_character_is_set_in_a_font_that_has_it(text):
    fonts = {opened(file).fontName: opened(file) for file in [item.file for item in chain().fallback]}
    fonts |= {opened(chain().first(style)).fontName: opened(chain().first(style)) for style in ("", "bold", "mono")}
    for style in ("", "bold", "mono"):
        for name, piece in runs(text, style):
            assert all(fonts[name].face.charToGlyph.get(ord(letter), 0) for letter in piece), (name, piece)


def test_the_easy_path_promises_only_what_all_first_fonts_have():
    from gtloc_forensics.report.pdf import fonts

    easy = [code for code in range(0x20, 0x2300) if fonts._EASY.match(chr(code))]
    assert len(easy) > 200
    for style in ("", "bold", "italic", "mono"):
        has = opened(chain().first(style)).face.charToGlyph
        assert [hex(code) for code in easy if not has.get(code)] == []


def test_a_space_is_set_in_a_font_that_has_one():
    for name, piece in runs("\ud55c\uad6d \u65e5\u672c \u0e44\u0e17\u0e22 a"):
        if " " in piece:
            assert pdfmetrics.getFont(name).face.charToGlyph.get(0x20), name


def test_what_no_font_has_is_written_as_its_code_point():
    assert "".join(piece for _, piece in runs("a\ue000b")) == "a[U+E000]b"


# --------------------------------------------------------------------------- strength


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3 (score, without correction).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_share_is_wilsons(hits, trials, low, high):
    assert share_interval(hits, trials) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("log10_lr", "name"),
    [
        (0.0, "none"),
        (0.5, "weak"),
        (1.5, "moderate"),
        (-2.5, "moderately_strong"),
        (3.2, "strong"),
        (-5.0, "very_strong"),
        (6.0, "extremely_strong"),
        (500.0, "extremely_strong"),
    ],
)
def test_the_scale_is_the_same_both_ways(log10_lr, name):
    scale = load_template("default").scale
    assert step_of(log10_lr, scale).name == step_of(-log10_lr, scale).name == name


@pytest.mark.parametrize(
    ("log10", "words"), [(0.0, "1.0"), (0.38, "2.4"), (1.0, "10"), (3.2, "1,600"), (9.0, "more than 1,000,000")]
)
def test_a_ratio_has_two_digits_and_an_end(log10, words):
    assert ratio_of(an_edition(), log10) == words


def test_support_names_the_proposition_that_is_supported():
    against = plain_of(strength(an_edition(), -3.0, about="time"))
    assert "more probable if the claimed time is not the time of capture than if the claimed time is the" in against
    favour = plain_of(strength(an_edition(), 3.0, about="place"))
    assert "more probable if the claimed place is the place of capture than if" in favour
    assert "no support either way" in plain_of(strength(an_edition(), 0.1, about="time"))


def test_the_photos_with_a_page_are_the_gravest():
    mild = an_entry("a.jpg", a_finding("GF101", "a.jpg", Outcome.SUSPICIOUS))
    grave = an_entry("b.jpg", a_finding("GF201", "b.jpg", Outcome.CONTRADICTION))
    from gtloc_forensics.records import Status
    from gtloc_forensics.report.chapters.survey import survey

    for order in ([mild, grave], [grave, mild]):
        first = survey(FakeCase(order), shown=frozenset({Status.FOUND}), pages=1)
        assert first.paged == {grave.photo.source.source_id}
        assert first.unpaged == 1


def test_the_residual_of_a_clock_is_the_short_way_round():
    digest = an_edition(small_case()).survey
    hours = [hours for _, hours, witness in digest.devices["serial:0120"].residuals if witness == "gps"]
    assert hours == pytest.approx([8.0] * len(hours))
    assert all(-12 <= residual < 12 for tally in digest.devices.values() for _, residual, _ in tally.residuals)
