"""Of a stored claim what lists and searches read: the rest of its bytes is passed over, not built."""

from __future__ import annotations

from typing import Any

import msgspec


class ClaimBytes(msgspec.Struct):
    """What is compared of every claim; a kind with more fields reads more."""

    local_time: dict[str, Any] = {}
    position: dict[str, Any] = {}
    device: dict[str, Any] = {}

    def place(self) -> tuple[float, float] | None:
        """Return latitude and longitude in degrees, None where it claims no position."""
        value = self.position.get("value")
        return None if value is None else (value["latitude_deg"], value["longitude_deg"])

    def maker(self) -> tuple[str, str, str]:
        """Return make, model and serial number, "" for each that it does not state."""
        make, model, serial = (self.device.get(name) for name in ("make", "model", "serial"))
        return _text(make), _text(model), _text(serial)

    def local(self) -> str:
        """Return the local time in ISO's form, "" where it claims none."""
        return str(self.local_time.get("value", ""))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
