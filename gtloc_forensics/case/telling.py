"""What a watch session told already, kept in the case: told once over all restarts, and again until it arrives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from gtloc_forensics.case.notify import Notifier
from gtloc_forensics.store.database import Store

TOLD = "told "
"""How the stage is called under which it is kept that a hook took a message; the hook's name follows."""


class Telling:
    """Tells the hooks of a notifier what they were not told yet."""

    def __init__(self, store: Store, notifier: Notifier) -> None:
        """Remember in *store* what *notifier* was told."""
        self._store = store
        self._notifier = notifier
        self._left: dict[str, tuple[str, Mapping[str, Any]]] = {}  # subject → digest and message

    def tell(self, subject: str, message: Mapping[str, Any]) -> Iterator[str]:
        """Tell every hook that did not take this very message yet; yield what went wrong, a sentence each.

        A hook that cannot have it now gets it with :meth:`again`, or when the session is started anew.

        Args:
            subject: what it is about: a source id, or the case.
            message: a JSON object; its digest tells whether it was told before.
        """
        words = json.dumps(message, sort_keys=True, default=str, ensure_ascii=True)
        digest = hashlib.sha256(words.encode()).hexdigest()[:32]
        left = [name for name in self._notifier.names if not self._was_told(subject, name, digest)]
        if not left:
            self._left.pop(subject, None)
            return
        delivery = self._notifier.deliver(message, to=left)
        if delivery.taken:
            with self._store.writing() as session:
                for name in delivery.taken:
                    self._store.add_result(session, subject, TOLD + name, digest, record="")
        if set(left) - set(delivery.taken):
            self._left[subject] = (digest, message)
        else:
            self._left.pop(subject, None)
        yield from delivery.troubles

    def again(self) -> Iterator[str]:
        """Tell what could not be told before; yield what went wrong, a sentence each."""
        for subject, (_, message) in list(self._left.items()):
            yield from self.tell(subject, message)

    def _was_told(self, subject: str, hook: str, digest: str) -> bool:
        return self._store.result(subject, TOLD + hook, digest, str) is not None
