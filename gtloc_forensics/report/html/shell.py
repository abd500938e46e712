"""The page that holds the review: a template of Jinja2 that escapes what is put in, but its own module and policy."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

import jinja2


def shell(*, language: str, title: str, needs_script: str, code: str = "") -> str:
    """Return the page as a service sends it, or, with *code*, as it opens from a file.

    A browser loads no module from a file and runs one that the page holds, and its policy names that one by its hash.

    Args:
        language: of the page, as HTML names it.
        title: of the window, until the pages name the case.
        needs_script: what stands there where scripts are switched off.
        code: the pages' own module.

    Raises:
        ValueError: the module could end the element that it stands in.
    """
    if "</script" in code or "<!--" in code:
        raise ValueError("the module of the pages cannot stand in a page: it holds a mark that ends a script")
    policy = ""
    if code:
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        policy = (
            f"default-src 'none'; script-src 'self' file: 'sha256-{digest}'; style-src 'self' file:; "
            "img-src 'self' file:; base-uri 'none'; form-action 'none'"
        )
    return _template().render(
        language=language,
        title=title,
        needs_script=needs_script,
        policy=policy,
        code=code,
    )


@cache
def _template() -> jinja2.Template:
    """Return the template that ships; where it asks for what is not there it fails."""
    place = files("gtloc_forensics.templates").joinpath("review", "index.html")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(place.read_text(encoding="utf-8"))
