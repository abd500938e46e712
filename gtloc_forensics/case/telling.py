"""What a watch session told already, kept in the case: told once over all restarts, and again until it arrives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gtloc_forensics.case.notify import Notifier
from gtloc_forensics.store.database import Store

TELLING, TOLD = "telling ", "told "
"""How the stages are called under which it is kept that a hook is about to be told, and that it took the message.

The hook's name follows. The first is there so that nobody is told what could not be kept as told.
"""


class Telling:
    """Tells the hooks of a notifier what they were not told yet."""

    def __init__(self, store: Store, notifier: Notifier) -> None:
        """Remember in *store* what *notifier* was told."""
        self._store = store
        self._notifier = notifier
        self._left: dict[str, tuple[str, Mapping[str, Any]]] = {}  # subject → digest and message
        self._taken: dict[tuple[str, str, str], None] = {}  # (subject, stage, digest) told and still to be kept

    def tell(self, subject: str, message: Mapping[str, Any]) -> Iterator[str]:
        """Tell every hook that did not take this very message yet; yield what went wrong, a sentence each.

        A hook that cannot have it now gets it with :meth:`again`, or when the session is started anew.

        Args:
            subject: what it is about: a source id, or the case.
            message: a JSON object; its digest tells whether it was told before.

        Raises:
            WorkspaceFull: there is no room to keep that it was told. So it was told nobody, and is with :meth:`again`;
                or somebody was, which is kept with :meth:`again`.
        """
        words = json.dumps(message, sort_keys=True, default=str, ensure_ascii=True)
        digest = hashlib.sha256(words.encode()).hexdigest()[:32]
        left = [name for name in self._notifier.names if not self._was_told(subject, name, digest)]
        if not left:
            self._left.pop(subject, None)
            return
        self._left[subject] = (digest, message)
        self._keep([(subject, TELLING + name, digest) for name in left])
        delivery = self._notifier.deliver(message, to=left)
        if not set(left) - set(delivery.taken):
            self._left.pop(subject, None)
        self._taken |= dict.fromkeys((subject, TOLD + name, digest) for name in delivery.taken)
        yield from delivery.troubles
        self._keep_taken()

    def again(self) -> Iterator[str]:
        """Tell what could not be told before; yield what went wrong, a sentence each.

        Raises:
            WorkspaceFull: see :meth:`tell`.
        """
        self._keep_taken()
        for subject, (_, message) in list(self._left.items()):
            yield from self.tell(subject, message)

    def _keep_taken(self) -> None:
        self._keep(list(self._taken))
        self._taken.clear()

    def _keep(self, keys: Sequence[tuple[str, str, str]]) -> None:
        if keys:
            with self._store.writing() as session:
                for subject, stage, digest in keys:
                    self._store.add_result(session, subject, stage, digest, record="")

    def _was_told(self, subject: str, hook: str, digest: str) -> bool:
        if (subject, TOLD + hook, digest) in self._taken:
            return True
        return self._store.result(subject, TOLD + hook, digest, str) is not None
