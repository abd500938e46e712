"""A case as a PDF: one pass over a stream of blocks, the same bytes for the same input.

Numbers that are known only at the end (``page x of y``, the table of contents) are
forms that pages refer to before they exist; so nothing is laid out twice and a
report of ten thousand photos is never in memory as a whole. See
docs/decisions/0012-pdf-platypus.md.
"""

from __future__ import annotations

import calendar
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from reportlab import rl_config
from reportlab.lib.pagesizes import A4, letter
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from gtloc_forensics.files.writing import replaced
from gtloc_forensics.records import CaseView, Status
from gtloc_forensics.report.chapters import appendix
from gtloc_forensics.report.chapters.chapters import chapters
from gtloc_forensics.report.chapters.edition import Edition, Part, edition_of
from gtloc_forensics.report.chapters.survey import Progress
from gtloc_forensics.report.drawings.marks import QUIET
from gtloc_forensics.report.exports.custody_lines import custody_lines
from gtloc_forensics.report.exports.findings_json import pieces
from gtloc_forensics.report.pdf.archival import Attachment, attachment, finish
from gtloc_forensics.report.pdf.flowables import flowables
from gtloc_forensics.report.pdf.fonts import font_name, width_of
from gtloc_forensics.report.pdf.paint_pdf import ink, write_line
from gtloc_forensics.report.pdf.paper import RULE, page_form
from gtloc_forensics.report.pdf.signing import SignWith, signed
from gtloc_forensics.report.pdf.tagging import Marks, Tagged
from gtloc_forensics.report.text import plain

_SIZES = {"A4": A4, "letter": letter}
_SIDE, _TOP, _BOTTOM = 52.0, 62.0, 54.0
_AHEAD = 256  # flowables laid out ahead; platypus looks no further than the next few
_FOOTER_SIZE = 6.6


def write_pdf(
    view: CaseView,
    path: Path,
    *,
    report_date: date | datetime,
    template: str = "default",
    language: str = "en",
    only: frozenset[Status] | None = None,
    photo: str = "",
    reviewed: bool = False,
    appendix: Path | None = None,
    sign: SignWith | None = None,
    progress: Progress | None = None,
) -> None:
    """Write the report of a case as a PDF.

    Args:
        view: the case.
        path: where to; replaced at once when the report is complete.
        report_date: printed on the report; a datetime with a zone is printed with it, one without counts UTC.
        template: name of a shipped template or a folder.
        language: a language the template has.
        only: photos of these outcomes alone are shown in full and listed; None shows the found and lists all.
        photo: the number or path of one photo: it alone gets a page, where the template has pages of photos.
        reviewed: every decision of the chain is printed, with its note and the examination that it judged.
        appendix: where the tables go when they are to be a file of their own.
        sign: a key to sign with; the bytes of a signed report differ from run to run.
        progress: called with ``read``, the photos gone through and how many there are, then with ``pages``, the page
            begun and None.

    Raises:
        UsageError: when template or language do not exist or the key cannot be opened.
    """
    edition = edition_of(
        view,
        template=template,
        language=language,
        report_date=report_date,
        only=only,
        photo=photo,
        reviewed=reviewed,
        progress=progress,
    )
    parts = {path: edition}
    if appendix is not None:
        parts = {
            appendix: replace(edition, part=Part.APPENDIX),
            path: replace(edition, part=Part.MAIN, appendix_name=plain(os.fsencode(appendix.name))),
        }
    for target, part in parts.items():
        with replaced(target) as draft:
            _build(part, draft, progress)
            if sign is not None:
                signed(draft, sign)


def _build(edition: Edition, path: Path, progress: Progress | None) -> None:
    _harden()
    document = ReportDocument(edition, path, progress)
    story = Stream(flowables(chapters(edition), width=document.frame_width))
    document.build(story, canvasmaker=document.make_canvas)
    finish(
        path,
        document.marks,
        instant=edition.report_instant,
        title=edition.words.line("cover.title"),
        language=edition.words.language,
        attachments=dict(attachments(edition)),
        link_told=edition.words.line("attached.link"),
    )


def attachments(edition: Edition) -> Iterator[tuple[str, Attachment]]:
    """Yield the files that a report carries: the findings as data, the chain, the model's card.

    A restricted edition carries none of these: they would say what it leaves out. Of a large case the findings stay a
    file of their own, and the table of all photos that is not printed is a file in the report.
    """
    words = edition.words
    if edition.is_large and "table" in edition.chapter_names:
        yield appendix.PHOTOS_CSV, attachment(appendix.photos_csv(edition), "text/csv", words.line("attached.photos"))
    if not edition.carries_data:
        return
    if not edition.is_large:
        findings = pieces(edition.view, reviewed=edition.reviewed)
        yield "findings.json", attachment(findings, "application/json", words.line("attached.findings"))
    yield (
        "custody.jsonl",
        attachment(custody_lines(edition.view), "application/x-ndjson", words.line("attached.custody")),
    )
    if card := edition.view.model_card():
        yield "model-card.md", attachment((card,), "text/markdown", words.line("attached.card"))


def _chain_named(edition: Edition) -> str:
    """Return the custody chain's last hash in words that ``signing.printed_chain`` finds: the report is its anchor."""
    count, last = edition.view.chain_end()
    return f"custody chain SHA-256 {last} of {count} events" if count else ""


def _harden() -> None:
    """Let reportlab fetch nothing, whatever it is given, and write streams as bytes instead of ASCII."""
    rl_config.trustedHosts = ["none.invalid"]
    rl_config.trustedSchemes = []
    rl_config.useA85 = 0


class Stream(list[Flowable]):
    """A story that is produced while it is told: platypus takes from the front, more comes at the back."""

    def __init__(self, source: Iterator[Flowable]) -> None:
        """Take the first flowables from *source*."""
        super().__init__()
        self._source = source
        self._fill()

    def __delitem__(self, index: Any) -> None:
        """Drop what was laid out, and take more from the source."""
        super().__delitem__(index)
        self._fill()

    def _fill(self) -> None:
        while len(self) < _AHEAD:
            following = next(self._source, None)
            if following is None:
                return
            self.append(following)


class ReportCanvas(Canvas):  # type: ignore[misc]
    """A canvas that remembers on which page an anchor came to stand."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Make a canvas as reportlab does, with no anchor met yet."""
        super().__init__(*args, **options)
        self.page_of_anchor: dict[str, int] = {}
        self.page_numbers_asked: list[tuple[str, float]] = []
        self.marks = Marks()
        self.tables: dict[int, tuple[Any, int]] = {}  # by identity, kept so that it stays one
        self._mcid = 0
        self._level = 0  # of the last heading

    def heading(self, level: int) -> str:
        """Return what a heading is told as: no level is left out, as PDF/UA asks, whatever its size is."""
        self._level = min(level, self._level + 1)
        return f"H{self._level}"

    @contextmanager
    def tagged(
        self, kind: str, *, alt: str = "", table: int = 0, row: int = 0, is_link: bool = False
    ) -> Iterator[None]:
        """Say that what is drawn meanwhile is a heading, a paragraph, a figure or a cell; as a whole a link or not."""
        self._code.append(f"/{kind} <</MCID {self._mcid}>> BDC")
        mark = Tagged(self.getPageNumber(), self._mcid, kind, alt, table, row, is_link=is_link)
        first = len(self._annotationrefs)
        self._mcid += 1
        yield
        self._code.append("EMC")
        self.marks.append(replace(mark, links=tuple(range(first, len(self._annotationrefs)))))

    @contextmanager
    def untold(self) -> Iterator[None]:
        """Say that what is drawn meanwhile is furniture, not content."""
        self._code.append("/Artifact BMC")
        yield
        self._code.append("EMC")

    def showPage(self) -> None:
        """End the page; the numbers of marked content begin anew on the next."""
        super().showPage()
        self._mcid = 0


class ReportDocument(BaseDocTemplate):  # type: ignore[misc]
    """Pages with header and footer."""

    def __init__(self, edition: Edition, path: Path, progress: Progress | None) -> None:
        """Prepare the pages of an edition; *progress* is told the number of each."""
        self._edition = edition
        self._progress = progress
        self.marks = Marks()
        width, height = _SIZES.get(edition.template.page, A4)
        self.frame_width = width - 2 * _SIDE
        super().__init__(
            str(path),
            pagesize=(width, height),
            invariant=1,
            pageCompression=1,
            title=edition.words.line("cover.title"),
            author=plain(edition.header.examiner or edition.header.agency or "gtloc_forensics"),
            subject=plain(edition.header.case_number),
            creator=f"gtloc_forensics {edition.version}",
            keywords=_chain_named(edition),
            lang=edition.words.language,
            initialFontName=font_name(),
        )
        frame = Frame(_SIDE, _BOTTOM, self.frame_width, height - _TOP - _BOTTOM, 0, 0, 0, 0, id="page")
        self.addPageTemplates([PageTemplate("page", [frame], onPage=self._furniture)])

    def make_canvas(self, filename: str, **options: Any) -> ReportCanvas:
        """Return a canvas whose document carries the report's date, not today's."""
        canvas = ReportCanvas(filename, **options)
        canvas.setViewerPreference("DisplayDocTitle", "true")
        _stamp(canvas, self._edition.report_instant)
        canvas.showOutline()
        return canvas

    def _furniture(self, canvas: ReportCanvas, _document: BaseDocTemplate) -> None:
        with canvas.untold():
            self._lines_around(canvas)
        if self._progress:
            self._progress("pages", canvas.getPageNumber(), None)

    def _lines_around(self, canvas: ReportCanvas) -> None:
        width, height = self.pagesize
        words, values = self._edition.words, self._edition.furniture
        number = canvas.getPageNumber()
        canvas.setStrokeColor(ink(RULE))
        canvas.setLineWidth(0.5)
        if number > 1:
            canvas.line(_SIDE, height - 46, width - _SIDE, height - 46)
            write_line(canvas, _SIDE, height - 40, words.line("header.left", **values), size=7, color=QUIET)
            _write_right(canvas, width - _SIDE, height - 40, words.line("header.right", **values), 7)
        canvas.line(_SIDE, 40, width - _SIDE, 40)
        write_line(canvas, _SIDE, 30, words.line("footer.left", **values), size=_FOOTER_SIZE, color=QUIET)
        canvas.saveState()
        canvas.translate(width - _SIDE, 30)
        canvas.doForm(f"page-{number}")
        canvas.restoreState()

    def _endBuild(self) -> None:
        self._doSave = 0
        super()._endBuild()
        canvas: ReportCanvas = self.canv
        last = canvas.getPageNumber() - 1
        for number in range(1, last + 1):
            text = self._edition.words.line("footer.page", page=number, pages=last, **self._edition.furniture)
            _define_number(canvas, f"page-{number}", text, _FOOTER_SIZE)
        for anchor, size in dict.fromkeys(canvas.page_numbers_asked):
            _define_number(canvas, page_form(anchor, size), str(canvas.page_of_anchor.get(anchor, "–")), size)
        self.marks = canvas.marks
        canvas.save()


def _write_right(canvas: Canvas, x: float, y: float, text: str, size: float) -> None:
    write_line(canvas, x - width_of(text, "", size), y, text, size=size, color=QUIET)


def _define_number(canvas: Canvas, form: str, text: str, size: float) -> None:
    canvas.beginForm(form, -300, -10, 2, 20)
    _write_right(canvas, 0, 0, text, size)
    canvas.endForm()


def _stamp(canvas: Canvas, instant: datetime) -> None:
    """Give the document *instant* (naive, counts UTC) as its time of creation."""
    stamp = canvas._doc._timeStamp
    stamp.t = calendar.timegm(instant.timetuple())
    stamp.lt = time.gmtime(stamp.t)
    stamp.YMDhms = tuple(stamp.lt)[:6]
    stamp.dhh = stamp.dmm = 0
    stamp.tzname = "UTC"
