"""The hits of a search as one sheet of pictures, each with what its photo claims."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.case.retrieval import Answer, Hit
from gtloc_forensics.case.seen_words import SeenWord
from gtloc_forensics.errors import UsageError
from gtloc_forensics.files.writing import refuse_inside
from gtloc_forensics.records import Sentence, visible

ENDINGS = (".png", ".pdf")
MOST = 500
"""Pictures on a sheet."""


def write(cases: Sequence[CaseFolder], answer: Answer, path: Path, *, title: str) -> Path:
    """Write the hits of *answer* as PNG or PDF, by the file's ending; the case is not touched.

    Args:
        cases: those that were searched.
        answer: its hits.
        path: outside the evidence of all of them.
        title: what was asked.

    Raises:
        EvidenceTreeError: the file would lie inside the evidence.
        UsageError: the ending is another, or there are more hits than a sheet holds.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise UsageError(Sentence("a sheet is a .png or a .pdf, and {name:quoted} is neither", name=visible(path.name)))
    if len(answer.hits) > MOST:
        raise UsageError(Sentence("a sheet holds {most} pictures; ask for fewer with --limit", most=MOST))
    for case in cases:
        refuse_inside(path, case.evidence)
    from gtloc_forensics.report.hit_sheet import Tile, write_pdf, write_png  # slow to come, and a list needs none of it

    by_name = {str(case.folder): case for case in cases}
    pictures = [by_name.get(hit.case, cases[0]).view().preview(hit.source_id) for hit in answer.hits]
    tiles = [
        Tile(picture, visible(hit.name), tuple(map(visible, lines_of(hit))))
        for hit, picture in zip(answer.hits, pictures, strict=True)
    ]
    notes = [f"{word}: {meaning}" for word, meaning in answer.read_as]
    notes.append(f"{answer.matching} of {answer.looked_at} photos; a likeness is a way to look for photos, no evidence")
    notes += [f"{count} could not be compared: {reason}" for reason, count in answer.unknown.items()]
    write_sheet = write_png if ending == ".png" else write_pdf
    write_sheet(path, title=visible(title), notes=tuple(map(visible, notes)), tiles=tiles)
    return path


def lines_of(hit: Hit) -> list[str]:
    """Return what a photo claims and how it was found, line by line."""
    claimed = "claims no time" if hit.local_time is None else f"claims {hit.local_time:%Y-%m-%d %H:%M:%S}"
    where = "claims no place"
    if hit.position is not None:
        where = f"claims {hit.position.latitude_deg:.4f}, {hit.position.longitude_deg:.4f}"
    lines = [claimed, where, hit.place, hit.device, *map(word_told, hit.words)]
    scores = ((hit.likeness, "like"), (hit.composed, "cosine"), (hit.shown, "shown"))
    lines += [f"{name} {value:.3f}" for value, name in scores if value is not None]
    lines.append(f"case {Path(hit.case).name}" if hit.case else "")
    return [line for line in lines if line]


def word_told(seen: SeenWord) -> str:
    """Return how surely a thing is seen and how often that is right."""
    share, low, high = (100 * value for value in seen.precision)
    right = f"right for {share:.0f} % ({low:.0f}–{high:.0f} %) of those measured"
    told = f"over its threshold, {right}" if seen.is_told else "under its threshold"
    return f"{'without ' * seen.is_absent}{seen.name}: seen {seen.probability:.2f}, {told}"
