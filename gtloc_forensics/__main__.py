"""``python -m gtloc_forensics`` is ``gtloc``."""

from __future__ import annotations

from gtloc_forensics.cli.programs import run_gtloc

if __name__ == "__main__":
    run_gtloc()
