"""The languages of the review pages, and the words that the pages say of themselves."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from gtloc_forensics.errors import UsageError
from gtloc_forensics.report.template import load_words

STATUSES = ("found", "clean", "not_testable", "not_examined")
"""How the examination of a photo can have ended, as the pages name it."""


def languages() -> tuple[str, ...]:
    """Return the languages that the pages speak."""
    folder = files("gtloc_forensics.templates").joinpath("review")
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def page_words(language: str) -> dict[str, str]:
    """Return the words of the pages themselves, filled up from English.

    Raises:
        UsageError: there are no pages in that language.
    """
    if language not in languages():
        raise UsageError(f"there are no review pages in {language!r}; choose one of {', '.join(languages())}")
    folder = files("gtloc_forensics.templates").joinpath("review")
    texts = [folder.joinpath(f"{name}.toml").read_text(encoding="utf-8") for name in ("en", language)]
    return {key: value for text in texts for key, value in tomllib.loads(text).items()}


def first_words(language: str) -> dict[str, Any]:
    """Return what the first rows are shown with before the whole case was read."""
    told = load_words("default", language)
    statuses = {name: told.line(f"status.{name}") for name in STATUSES}
    return {"language": language, "words": page_words(language), "statuses": statuses}


def shell_words(language: str) -> dict[str, str]:
    """Return what the page says before its own script does, as :func:`gtloc_forensics.report.html.shell.shell` asks."""
    words = page_words(language)
    return {"language": language, "title": f"gtloc {words['title']}", "needs_script": words["needs_script"]}
