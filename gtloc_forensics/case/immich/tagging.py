"""What was found as tags on the server: ``gtloc/suspicious/clock-offset``. Only tags of ours are ever taken off."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from gtloc_forensics.case.immich.assets import Index
from gtloc_forensics.case.immich.server import Server
from gtloc_forensics.correct.proposals import keywords_of, ranked
from gtloc_forensics.errors import CaseError
from gtloc_forensics.files.writing import write_text
from gtloc_forensics.records import Finding, source_id_of

MOST_AT_ONCE = 500


def wanted(index: Index, findings: Iterable[Finding]) -> dict[str, tuple[str, ...]]:
    """Return the tags of each photo of the server with something found, gravest first."""
    about: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.is_found and finding.source_ids:
            about[finding.source_ids[0]].append(finding)
    out: dict[str, tuple[str, ...]] = {}
    for fetched in index.by_asset.values():
        words = keywords_of(ranked(about.get(source_id_of(fetched.path), [])))
        if words:
            out[fetched.asset_id] = tuple(word.replace("|", "/") for word in words)
    return out


def tag(server: Server, folder: Path, now: dict[str, tuple[str, ...]]) -> tuple[int, int]:
    """Make the tags on the server those of *now*; return how many were put on and taken off.

    What was put on is kept in ``tags.json`` of the folder, so that a finding that is gone loses its tag, and no
    tag that a person gave is touched.
    """
    path = folder / "tags.json"
    before = _kept(path)
    put, off = _pairs(now) - _pairs(before), _pairs(before) - _pairs(now)
    ids = server.tags(sorted({name for _, name in put | off})) if put | off else {}
    held = {asset_id: set(names) for asset_id, names in before.items()}
    for pairs, act, call in ((put, set.add, server.tag), (off, set.discard, server.untag)):
        for name, asset_ids in _by_tag(pairs).items():
            for start in range(0, len(asset_ids), MOST_AT_ONCE):
                part = asset_ids[start : start + MOST_AT_ONCE]
                call(ids[name], part)
                for asset_id in part:
                    act(held.setdefault(asset_id, set()), name)
                kept = {asset_id: sorted(names) for asset_id, names in held.items() if names}
                write_text(path, json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return len(put), len(off)


def _kept(path: Path) -> dict[str, tuple[str, ...]]:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        return {}
    try:
        return {str(asset_id): tuple(names) for asset_id, names in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise CaseError(f"{path} is damaged; move it away, and take the old gtloc tags off by hand") from error


def _pairs(tags: dict[str, tuple[str, ...]]) -> set[tuple[str, str]]:
    return {(asset_id, name) for asset_id, names in tags.items() for name in names}


def _by_tag(pairs: set[tuple[str, str]]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = defaultdict(list)
    for asset_id, name in sorted(pairs):
        out[name].append(asset_id)
    return out
