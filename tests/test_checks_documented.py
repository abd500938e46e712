"""Every rule says what it shows, what it cannot, where it is blind and why its threshold is what it is."""

from __future__ import annotations

import importlib.util
import re
from datetime import datetime
from pathlib import Path

import pytest
from builders import PARIS, a_photo, an_image, findings_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gtloc_forensics.checks import Registry, Scope
from gtloc_forensics.checks.plugins import built_in_modules
from gtloc_forensics.records import Absent, Finding, Outcome

DOCS = Path(__file__).parents[1] / "docs"
REGISTRY = Registry(built_in_modules())
OURS = [rule for rule in REGISTRY if rule.check_id.startswith(("GF1", "GF20"))]
HEADINGS = ("Shows:", "Cannot show:", "Blind spots:", "Threshold:")


def ids(rule):
    return rule.check_id


@pytest.mark.parametrize("rule", OURS, ids=ids)
def test_a_rule_documents_itself(rule):
    first, _, rest = rule.explanation.partition("\n")
    assert re.fullmatch(rf"{rule.check_id} — .+\.", first)
    places = [rest.find(heading) for heading in HEADINGS]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("rule", list(REGISTRY), ids=ids)
def test_the_handbook_has_every_rule_as_it_is(rule):
    """After a change of a rule's docstring: ``python docs/write_checks.py``."""
    spec = importlib.util.spec_from_file_location("write_checks", DOCS / "write_checks.py")
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    assert writer.section(rule) in (DOCS / "checks.md").read_text(encoding="utf-8")


def test_the_handbook_has_no_rule_that_does_not_exist():
    written = re.findall(r"^## (GF\d+) ", (DOCS / "checks.md").read_text(encoding="utf-8"), re.M)
    assert written == [rule.check_id for rule in REGISTRY]


def test_the_registry_holds_the_promised_rules():
    assert {f"GF1{number:02d}" for number in range(1, 22)} <= {rule.check_id for rule in REGISTRY}
    assert {"GF201", "GF202"} <= {rule.check_id for rule in REGISTRY}


# --------------------------------------------------------------------------- every rule, whatever comes

HOSTILE = st.one_of(
    st.text(max_size=30),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(["\0" * 40, "‮2024:01:01", "A" * 5000, "nan", "inf", "-inf", "1e999", "9" * 400, "٣:٤:٥"]),
)
TAGS = (
    "ExifIFD:DateTimeOriginal",
    "ExifIFD:CreateDate",
    "IFD0:ModifyDate",
    "ExifIFD:OffsetTime",
    "ExifIFD:OffsetTimeOriginal",
    "Nikon:TimeZone",
    "Nikon:DaylightSavings",
    "ExifIFD:ExifVersion",
    "GPS:GPSTimeStamp",
    "GPS:GPSSpeed",
    "GPS:GPSDOP",
    "GPS:GPSStatus",
    "GPS:GPSMapDatum",
    "GPS:GPSProcessingMethod",
    "GPS:GPSLatitude",
    "GPS:GPSLatitudeRef",
    "ICC-header:ProfileDateTime",
    "XMP-x:XMPToolkit",
    "XMP-xmp:CreateDate",
    "XMP-photoshop:DateCreated",
    "XMP-xmpMM:HistoryWhen",
    "IPTC:DateCreated",
    "IPTC:TimeCreated",
    "QuickTime:CreateDate",
    "ExifIFD:ExifImageWidth",
    "ExifIFD:ExifImageHeight",
    "ExifIFD:FocalLength",
    "ExifIFD:FileSource",
    "IFD0:Software",
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.dictionaries(st.sampled_from(TAGS), HOSTILE),
    st.sampled_from([datetime.min, datetime.max, datetime(2024, 6, 15, 12)]),
    st.sampled_from([None, -12.0, 14.0, 1e6, float("nan")]),
    st.sampled_from([None, datetime.min, datetime.max, datetime(2024, 6, 15, 10)]),
)
def test_no_file_breaks_a_rule(tags, local, offset, gps):
    changes = {} if offset is None else {"subject_to": {"utc_offset_hours": _offset(offset)}}
    photo = a_photo(
        local=local, gps=gps, position=PARIS, tags=tags, image=an_image(), sun=Absent.UNDERIVABLE, ev100=15.0, **changes
    )
    for rule in OURS:
        assert rule.scope is Scope.PHOTO
        findings = findings_of(rule, photo)
        assert findings
        for finding in findings:
            _is_whole(finding, rule.check_id, photo.source.source_id)


def _offset(hours):
    from builders import stated

    return stated(hours, tag="ExifIFD:OffsetTimeOriginal")


def _is_whole(finding: Finding, check_id: str, source_id: str) -> None:
    assert finding.check_id == check_id
    assert finding.source_ids == (source_id,)
    assert finding.summary.strip().endswith((".", "!"))
    assert (finding.cause is not None) == (finding.outcome not in (Outcome.CONSISTENT, Outcome.NOT_TESTABLE))
    if finding.is_found:
        assert finding.innocent, "what is held against a photo names what else could have caused it"
    assert all(isinstance(value, (str, int, float, bool, type(None))) for value in finding.facts.values())
