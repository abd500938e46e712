"""Whether a report can be made as asked, said before the work and not after it."""

from __future__ import annotations

from gtloc_forensics.errors import UsageError
from gtloc_forensics.report.chapters.chapters import refuse_unknown_chapters
from gtloc_forensics.report.pdf.fonts import font_name
from gtloc_forensics.report.template import load_template, load_words


def refuse_unknown(template: str, language: str) -> None:
    """Return when template, language and fonts are there.

    Raises:
        UsageError: when one cannot be had; the message says which.
    """
    refuse_unknown_chapters(load_template(template))
    load_words(template, language)
    try:
        for style in ("", "bold", "italic", "mono"):
            font_name(style)
    except OSError as problem:
        raise UsageError(f"a font of the report cannot be read ({problem}); install the program again") from None
