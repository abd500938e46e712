"""``python -m gtloc_forensics`` is ``gtloc``."""

from __future__ import annotations

from gtloc_forensics.cli.main import gtloc

if __name__ == "__main__":
    gtloc()
