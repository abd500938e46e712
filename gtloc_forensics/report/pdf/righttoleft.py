"""Right-to-left scripts for a medium that sets from left to right.

A PDF draws characters in the order given, so Hebrew and Arabic are put in the order
in which they are seen, and Arabic letters in the form that their neighbours ask
for. This is the part of Unicode's bidirectional algorithm (UAX #9) that file names
need: one level, numbers inside, brackets mirrored. Directional controls never get
here: they are visible by then (:mod:`.text`). HTML needs none of it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import pairwise

_STRONG = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_LONGEST_LINE = 48  # characters; a longer run may be broken into lines, so its words keep their order
_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")
_NUMBER = re.compile(r"[0-9\u0660-\u0669\u06f0-\u06f9]+(?:[.,:/][0-9\u0660-\u0669\u06f0-\u06f9]+)*")


def visual(text: str) -> str:
    """Return *text* as it is seen on a line that begins at the left."""
    if not _STRONG.search(text):
        return text
    pieces, start = [], 0
    for first, last in _runs(text):
        pieces += [text[start:first], _seen(text[first:last])]
        start = last
    return "".join([*pieces, text[start:]])


def _runs(text: str) -> list[tuple[int, int]]:
    """Return the stretches from a right-to-left letter to the last one, or number, before a left-to-right letter."""
    kinds = [unicodedata.bidirectional(character) for character in text]
    runs: list[tuple[int, int]] = []
    first = last = letter = -1
    for index, kind in enumerate([*kinds, "L"]):
        if kind in ("R", "AL") or (kind == "NSM" and letter == index):
            first = index if first < 0 else first
            last = letter = index + 1
        elif first >= 0 and kind in ("EN", "AN"):
            last = index + 1
        elif kind == "L" and first >= 0:
            runs.append((first, last if _balanced(text[first:last]) else letter))
            first = -1
    return runs


def _balanced(run: str) -> bool:
    return all(run.count(left) == run.count(right) for left, right in ("()", "[]", "{}"))


def _seen(run: str) -> str:
    if len(run) > _LONGEST_LINE:
        return " ".join(_turned(word) for word in run.split(" "))
    return _turned(run)


def _turned(run: str) -> str:
    """Reverse a run, but not its numbers nor what belongs to one letter."""
    turned = "".join(reversed(_clusters(_joined(run)))).translate(_MIRRORED)
    return _NUMBER.sub(lambda number: number.group()[::-1], turned)


def _clusters(text: str) -> list[str]:
    clusters: list[str] = []
    for character in text:
        if clusters and unicodedata.combining(character):
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


# --------------------------------------------------------------------------- Arabic letters

_LAM, _ALEFS = "\u0644", "\u0622\u0623\u0625\u0627"
_FORM_ASKED = {  # (tied to the letter before, leads to the one after)
    (False, False): "<isolated>",
    (True, False): "<final>",
    (False, True): "<initial>",
    (True, True): "<medial>",
}


@cache
def _forms() -> dict[tuple[str, str], str]:
    """Return (form, letters) → presentation form, as Unicode's compatibility decompositions have it."""
    forms: dict[tuple[str, str], str] = {}
    for code in (*range(0xFB50, 0xFDF0), *range(0xFE70, 0xFEFD)):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) >= 2 and parts[0] in ("<isolated>", "<final>", "<initial>", "<medial>"):
            letters = "".join(chr(int(part, 16)) for part in parts[1:])
            forms.setdefault((parts[0], letters), chr(code))
    return forms


def _joined(text: str) -> str:
    """Give every Arabic letter the form that its neighbours ask for; lam and alef become one."""
    forms = _forms()
    letters = _ligated(text)
    solid = [index for index, letter in enumerate(letters) if not unicodedata.combining(letter[0])]
    tied = {after for before, after in pairwise(solid) if _joins(letters[before], letters[after])}
    leads = {before for before, after in pairwise(solid) if after in tied}
    asked = (_FORM_ASKED[index in tied, index in leads] for index in range(len(letters)))
    return "".join(forms.get((form, letter), letter) for form, letter in zip(asked, letters, strict=True))


def _ligated(text: str) -> list[str]:
    letters: list[str] = []
    for character in text:
        if letters and letters[-1] == _LAM and character in _ALEFS:
            letters[-1] += character
        else:
            letters.append(character)
    return letters


def _joins(before: str, after: str) -> bool:
    """Whether two letters in a row are written together: the first can lead, the second can follow."""
    forms = _forms()
    return ("<initial>", before) in forms and ("<final>", after) in forms
