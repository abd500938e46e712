"""Right-to-left scripts for a medium that sets from left to right.

A PDF draws characters in the order given, so Hebrew and Arabic are put in the order
in which they are seen (Unicode's bidirectional algorithm, UAX #9, by python-bidi), and
Arabic letters in the form that their neighbours ask for (by arabic-reshaper). Directional
controls never get here: they are visible by then (:mod:`.text`). HTML needs none of it.
"""

from __future__ import annotations

import re
from functools import cache

from arabic_reshaper import ArabicReshaper
from bidi import get_display

_STRONG = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_ARABIC = re.compile("[\u0600-\u06ff]")
_POINTED = re.compile(
    "([\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4]+)(.)"
)
_PARTNERS = {"(": ")", "[": "]", "{": "}", "<": ">", "«": "»"}
_LONGEST_LINE = 48  # characters; a longer text may be broken into lines, so its words keep their order


def visual(text: str) -> str:
    """Return *text* as it is seen on a line that begins at the left."""
    if not _STRONG.search(text):
        return text
    if len(text) > _LONGEST_LINE:
        return " ".join(_seen(word) for word in text.split(" "))
    return _seen(text)


def _seen(text: str) -> str:
    joined = _reshaper().reshape(text) if _ARABIC.search(text) else text
    turned = str(get_display(joined, base_dir="L"))
    if _mirrored(joined) == joined:  # where brackets are in order, those that now run backwards were turned
        turned = _mirrored(turned)
    # A point is drawn after its letter, also where the letters run backwards (UAX #9, L3, which is left to us).
    return _POINTED.sub(lambda pointed: pointed[2] + pointed[1][::-1], turned)


def _mirrored(text: str) -> str:
    """Return *text* with each pair of brackets that stands closing first the right way round (UAX #9, L4)."""
    letters, waiting = list(text), list[int]()
    for index, letter in enumerate(text):
        before = text[waiting[-1]] if waiting else ""
        if _PARTNERS.get(letter, "-") == before:
            letters[waiting.pop()], letters[index] = letter, before
        elif _PARTNERS.get(before) == letter:
            waiting.pop()
        elif letter in _PARTNERS or letter in _PARTNERS.values():
            waiting.append(index)
    return "".join(letters)


@cache
def _reshaper() -> ArabicReshaper:
    return ArabicReshaper({"delete_harakat": False, "delete_tatweel": False})  # nothing of a name is lost
