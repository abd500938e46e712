"""What the review service holds of a case between requests."""

from __future__ import annotations

import threading

from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.case.reviewing import reading
from gtloc_forensics.case.reviewing.pages import Pages, dumped
from gtloc_forensics.case.reviewing.pictures import Pictures
from gtloc_forensics.case.reviewing.reading import Listing, Row
from gtloc_forensics.case.reviewing.windows import WHOLE, Windows
from gtloc_forensics.errors import CaseError, ForensicsError


class StillReading(CaseError):
    """The case is still being read; ask again."""


class Halted(CaseError):
    """The service ends; what was being read is read no further."""


class Desk:
    """The case as the service shows it: read once, read again after a new examination."""

    def __init__(self, case: CaseFolder, *, examiner: str, language: str) -> None:
        """Take the case; nothing is read before it is asked for."""
        self.case = case
        self.examiner = examiner
        self.language = language
        self.done = 0
        self._listing: Listing | None = None
        self._windows: Windows | None = None
        self._rows: list[Row] = []
        self._shown: tuple[tuple[Listing, str], bytes] | None = None
        self._reading: threading.Thread | None = None
        self._trouble: ForensicsError | None = None
        self._turn = threading.Lock()
        self._halted = threading.Event()
        self.pictures = Pictures(case)

    @property
    def may_write(self) -> bool:
        """Whether decisions are taken: somebody is named, and the case can be written."""
        return bool(self.examiner) and not self.case.store.is_read_only

    def listing(self) -> Listing | None:
        """Return what was read of the newest examination; None while it is being read.

        Raises:
            ForensicsError: the case cannot be read.
        """
        with self._turn:
            if self._trouble is not None:
                trouble, self._trouble = self._trouble, None
                raise trouble
            view = self.case.view()
            if self._listing is not None and self._listing.view.examination_id == view.examination_id:
                return self._listing
            if self._reading is None or not self._reading.is_alive():
                self.done, self._rows = 0, []
                self._reading = threading.Thread(target=self._read, daemon=True)
                self._reading.start()
        return None

    def _read(self) -> None:
        try:
            self._listing = reading.read(self.case.view(), told=self._told, into=self._rows)
        except ForensicsError as error:
            self._trouble = error

    def _told(self, done: int) -> None:
        if self._halted.is_set():
            raise Halted("the review ends")
        self.done = done

    def halt(self) -> None:
        """End whatever is read of the case: a search or a first look would go on for as long as it takes."""
        self._halted.set()

    def pages(self, language: str) -> Pages:
        """Return the pages in a language.

        Raises:
            StillReading: the case is still being read.
            UsageError: there is no such language.
        """
        return Pages(self.read(), language or self.language)

    def shown_case(self, language: str) -> bytes:
        """Return the case as the page first asks for it; of a large case it is made once; raises as :meth:`pages`."""
        pages = self.pages(language)
        made_of = (self.read(), pages.language)
        if self._shown is None or self._shown[0] != made_of:
            whole = len(made_of[0].rows) <= WHOLE
            shown = pages.case(whole=whole) | {"examiner": self.examiner, "may_write": self.may_write}
            self._shown = (made_of, dumped(shown))
        return self._shown[1]

    def read_so_far(self, most: int) -> list[Row]:
        """Return the first rows of a case that is still being read."""
        return self._rows[:most]

    def windows(self) -> Windows:
        """Return the list, to be asked for a piece at a time.

        Raises:
            StillReading: the case is still being read.
        """
        listing = self.read()
        with self._turn:
            if self._windows is None or self._windows.listing is not listing:
                self._windows = Windows(listing)
            return self._windows

    def read(self) -> Listing:
        """Return what was read of the newest examination.

        Raises:
            StillReading: it is still being read.
        """
        listing = self.listing()
        if listing is None:
            raise StillReading("the case is still being read")
        return listing

    def close(self) -> None:
        """Give back what the pictures needed; nothing reads the case any more."""
        self.halt()
        if self._reading is not None:
            self._reading.join()
        self.pictures.close()
