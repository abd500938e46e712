"""Folders to photos, for ever: the endless form of :func:`gtloc_forensics.files.listing.walk`."""

from gtloc_forensics.files.watching.watcher import Arrival, News, Notice, Watcher, watch

__all__ = ["Arrival", "News", "Notice", "Watcher", "watch"]
