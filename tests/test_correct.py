"""Plans: what is proposed, how a plan is written and read, and what each tag becomes."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from builders import LONDON, NEW_YORK, PARIS, a_claim, a_photo
from hypothesis import assume, given
from hypothesis import strategies as st

from gtloc_forensics.correct import Change, Order, Plan, Quantity, assignments, merged, plan, planfile
from gtloc_forensics.correct import changes as lines
from gtloc_forensics.correct.camera_clocks import whole_minutes
from gtloc_forensics.correct.proposals import propose
from gtloc_forensics.correct.repairs import (
    GpsRepair,
    Subject,
    day_month_swapped,
    from_neighbours,
    from_reference,
    from_track,
    gps_repaired,
    moved_to_zone,
    relabelled,
    shifted,
    subject,
    subjects,
)
from gtloc_forensics.correct.request import read_reference
from gtloc_forensics.correct.stamps import Precision, Stamp, parsed
from gtloc_forensics.correct.tracks import Fix, Track, along, read_gpx
from gtloc_forensics.errors import PlanError
from gtloc_forensics.records import Cause, ClockModel, Confidence, Finding, Outcome, Position, Severity, source_id_of

SHA = "0" * 64


def a_subject(name: str = "a.jpg", **claimed) -> Subject:
    return subject(name.encode(), SHA, a_claim(name=name, **claimed))


def a_line(
    name: bytes = b"a.jpg", quantity=Quantity.LOCAL_TIME, old="2024-06-15 12:00:00", new="2024-06-15 13:00:00", **more
) -> Change:
    return Change(name, SHA, quantity, old, new, more.pop("reason", "why"), more.pop("strength", 1.0), **more)


def news(changes) -> dict[Quantity, str]:
    return {change.quantity: change.new for change in changes}


# ----------------------------------------------------------------- plans as files

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
names = st.binary(min_size=1, max_size=30).filter(
    lambda name: b"\0" not in name and not {b"", b".", b".."} & set(name.split(b"/"))
)


@given(name=names, reason=texts, strength=st.floats(0, 1), locked=st.booleans(), notes=st.lists(texts, max_size=3))
def test_a_plan_is_read_back_as_it_was_written_whatever_the_names(name, reason, strength, locked, notes):
    plan = Plan((a_line(name, reason=reason, strength=round(strength, 4), locked=locked),), tuple(notes))
    assert planfile.loads(planfile.dumps(plan)) == plan


def test_nothing_in_a_plan_can_hide_or_reorder_what_a_person_reads():
    text = planfile.dumps(Plan((a_line("a\u202ecod.gpj".encode(), reason='x"\nnew = "2000"\u200b'),)))
    assert "\u202e" not in text
    assert "\u200b" not in text
    assert '\\"\\u000Anew' in text


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('new = "2024-06-15 13:00:00"', 'new = "yesterday"', "change 1.*not a time"),
        ('new = "2024-06-15 13:00:00"', 'new = "2024-02-30 13:00:00"', "not a time"),
        ('tag = "DateTimeOriginal"', 'tag = "Orientation"', "cannot be corrected|can be corrected"),
        ('photo = "a.jpg"', 'photo = "../a.jpg"', "not a path below"),
        ('photo = "a.jpg"', 'photo = "/etc/passwd"', "not a path below"),
        ("strength = 1.0", "strength = 7", "between 0 and 1"),
        ("locked = false", "locked = 1", "wrong kind"),
        ("locked = false", 'locked = false\nrun = "rm"', "unknown word"),
        ("format = 1", "format = 9", "format 9"),
        ('sha256 = "0', 'sha256 = "x', "sha256"),
        ("[[change]]", "[change]", "two brackets"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused_in_words(old, new, reason):
    text = planfile.dumps(Plan((a_line(),)))
    assert old in text
    with pytest.raises(PlanError, match=reason):
        planfile.loads(text.replace(old, new))


def test_two_lines_about_one_thing_are_refused():
    with pytest.raises(PlanError, match="two lines"):
        Plan((a_line(), a_line(new="2024-06-15 14:00:00")))


def test_a_locked_line_stands_through_a_later_plan_and_others_do_not(tmp_path):
    mine = a_line(new="2024-06-15 12:00:00", reason="it was right", locked=True)
    plan = Plan((mine, a_line(b"b.jpg")))
    later = [a_line(new="2024-06-15 18:00:00"), a_line(b"c.jpg")]
    again = merged(plan, later)
    assert again.changes == (mine, a_line(b"c.jpg"))
    planfile.write(again, tmp_path / "plan.toml")
    assert planfile.read(tmp_path / "plan.toml") == again
    assert [path.name for path in tmp_path.iterdir()] == ["plan.toml"]


def test_what_a_person_wrote_beside_the_lines_of_a_plan_stays_when_it_is_planned_anew(tmp_path):
    path = tmp_path / "plan.toml"
    planfile.write(Plan((a_line(), a_line(b"b.jpg")), ("a note",)), path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# A correction plan.")
    mine = text.replace('new = "2024-06-15 13:00:00"', 'new = "2024-06-15 13:00:00"  # as the diary says', 1)
    path.write_text("# Trip of June, checked by me\n" + mine, encoding="utf-8")
    later = Plan((a_line(locked=True), a_line(b"c.jpg")), ("another note",))
    planfile.write(later, path)
    again = path.read_text(encoding="utf-8")
    assert "# Trip of June, checked by me" in again
    assert "# as the diary says" in again
    assert "another note" in again
    assert "a note" not in again.replace("another note", "")
    assert planfile.read(path) == later


# ----------------------------------------------------------------- values


@given(st.datetimes(min_value=datetime(1, 1, 1)))
def test_times_survive_being_written(moment):
    assert lines.read_time(lines.write_time(moment)) == moment


@given(st.integers(-12 * 60, 14 * 60))
def test_offsets_survive_being_written(minutes):
    assert lines.read_offset(lines.write_offset(minutes / 60)) == pytest.approx(minutes / 60)


def test_an_offset_of_minus_half_an_hour_keeps_its_sign():
    assert lines.write_offset(-0.5) == "-00:30"
    assert lines.write_offset(-5.5) == "-05:30"  # Immich 14824
    assert lines.write_offset(-0.0) == "+00:00"


@given(st.integers(-(10**8), 10**8))
def test_shifts_survive_being_written(seconds):
    assert lines.read_shift(lines.write_shift(seconds)) == seconds


@pytest.mark.parametrize("text", ["1", "+3", "1:2:3:4", "", "+", "1h", "12:61", "+1:00", "-6:00", "01:02:00"])
def test_a_shift_without_an_unmistakable_unit_is_refused(text):
    """A bare 1 is an hour to exiftool's shifts and a second to its geosync (field.md B1)."""
    with pytest.raises(PlanError, match="not a shift"):
        lines.read_shift(text)


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_positions_survive_to_a_centimetre(latitude, longitude):
    again = lines.read_position(lines.write_position(Position(latitude, longitude)))
    assert again.latitude_deg == pytest.approx(latitude, abs=1e-7)
    assert again.longitude_deg == pytest.approx(longitude, abs=1e-7)


@given(
    wall=st.datetimes(min_value=datetime(1800, 1, 1), max_value=datetime(2300, 1, 1)),  # others are of other eras
    fraction=st.sampled_from(["", "0", "25", "007"]),
    zone=st.sampled_from(["", "Z", "+05:30", "-11:00"]),
    precision=st.sampled_from(Precision),
)
def test_a_stamp_is_read_as_it_is_written(wall, fraction, zone, precision):
    assume(precision is Precision.SECOND or not fraction)
    assume(precision is not Precision.DAY or not zone)
    kept = {Precision.DAY: {"hour": 0, "minute": 0, "second": 0}, Precision.MINUTE: {"second": 0}}.get(precision, {})
    stamp = Stamp(wall.replace(microsecond=0, **kept), precision, fraction, zone)
    assert parsed(stamp.exif()) == stamp


@pytest.mark.parametrize("text", ["0000:00:00 00:00:00", "2024:13:01 00:00:00", "    :  :     :  :  ", "2024", "", "x"])
def test_what_is_no_date_is_not_shifted(text):
    assert parsed(text) is None


# ----------------------------------------------------------------- clock, zone, both


def test_a_shift_moves_the_clock_and_keeps_seconds_and_subseconds():
    subject = a_subject(local=datetime(2024, 6, 15, 23, 59, 58, 250_000), offset=2.0)
    (line,) = shifted([subject], lines.read_shift("+01:02:00"))
    assert line.new == "2024-06-16 01:01:58.25"
    assert line.quantity is Quantity.LOCAL_TIME


def test_a_shift_into_summer_time_takes_the_legal_offset_along_unless_the_zone_is_kept():
    subject = a_subject(local="2024-03-30 12:00:00", offset=1.0, position=PARIS)
    assert news(shifted([subject], 2 * 86400)) == {
        Quantity.LOCAL_TIME: "2024-04-01 12:00:00", Quantity.OFFSET: "+02:00"
    }  # fmt: skip
    assert news(shifted([subject], 2 * 86400, keep_zone=True)) == {Quantity.LOCAL_TIME: "2024-04-01 12:00:00"}


def test_the_zone_can_change_without_the_clock_and_the_instant_without_either():
    subject = a_subject(local="2024-07-01 12:00:00", offset=0.0)
    assert news(relabelled([subject], "Europe/Berlin")) == {Quantity.OFFSET: "+02:00"}
    assert news(moved_to_zone([subject], "Asia/Kolkata")) == {
        Quantity.LOCAL_TIME: "2024-07-01 17:30:00", Quantity.OFFSET: "+05:30",
    }  # fmt: skip


def test_in_an_hour_that_comes_twice_the_gps_clock_says_which_one():
    for gps, offset in (("2024-10-27 00:30:00", "+02:00"), ("2024-10-27 01:30:00", "+01:00")):
        subject = a_subject(local="2024-10-27 02:30:00", gps=gps)
        assert news(relabelled([subject], "Europe/Berlin"))[Quantity.OFFSET] == offset


def test_gps_time_stays_where_it_is_the_truth_and_moves_where_it_moved_with_the_clock():
    wrong = a_subject(local="2024-06-15 18:00:00", offset=2.0, gps="2024-06-15 10:00:00", position=PARIS)
    assert Quantity.GPS_TIME not in news(shifted([wrong], -6 * 3600))
    together = a_subject(local="2024-06-15 12:00:00", offset=2.0, gps="2024-06-15 09:59:58", position=PARIS)
    assert news(shifted([together], 3600))[Quantity.GPS_TIME] == "2024-06-15 10:59:58"
    assert Quantity.GPS_TIME not in news(moved_to_zone([together], "Asia/Tokyo"))


def test_one_reference_photo_sets_the_clock_of_its_camera_alone():
    photos = [
        a_subject("a.jpg", local="2024-01-01 10:00:00", serial="1"),
        a_subject("b.jpg", local="2024-01-02 10:00:00", serial="1"),
        a_subject("c.jpg", local="2024-01-02 10:00:00", serial="2"),
    ]
    changes = from_reference(photos, b"a.jpg", datetime(2024, 1, 1, 11, 2, 0))
    assert {change.relative: change.new for change in changes} == {
        b"a.jpg": "2024-01-01 11:02:00", b"b.jpg": "2024-01-02 11:02:00",
    }  # fmt: skip
    assert "+01:02:00" in changes[0].reason


def test_day_and_month_are_exchanged_only_where_both_could_be_either():
    made = day_month_swapped([a_subject(local=local) for local in ("2024-03-04 05:06:07",)])
    assert news(made)[Quantity.LOCAL_TIME] == "2024-04-03 05:06:07"
    assert not day_month_swapped([a_subject(local=local) for local in ("2024-03-13 05:06:07", "2024-03-03 00:00:00")])


def test_a_camera_is_chosen_by_serial_or_by_make_and_model():
    photos = [a_photo(name="a.jpg", serial="77"), a_photo(name="b.jpg", make="Brown", model="Box")]
    assert [photo.relative for photo in subjects(photos, camera="77")] == [b"a.jpg"]
    assert [photo.relative for photo in subjects(photos, camera="Brown Box")] == [b"b.jpg"]
    with pytest.raises(PlanError, match="no photo by"):
        subjects(photos, camera="78")


# ----------------------------------------------------------------- positions


def test_slips_of_the_hand_in_positions_are_undone_and_impossible_results_left_out():
    subject = a_subject(position=NEW_YORK)
    assert news(gps_repaired([subject], GpsRepair.EAST_WEST))[Quantity.POSITION] == "40.7128000, 74.0060000"
    assert news(gps_repaired([subject], GpsRepair.SWAP))[Quantity.POSITION] == "-74.0060000, 40.7128000"
    assert not gps_repaired([a_subject(position=(10.0, 120.0))], GpsRepair.SWAP)


def test_a_photo_without_position_takes_the_one_between_its_neighbours():
    photos = [
        a_subject("a.jpg", local="2024-06-15 12:00:00", offset=0.0, position=(50.0, 0.0)),
        a_subject("b.jpg", local="2024-06-15 12:10:00", offset=0.0),
        a_subject("c.jpg", local="2024-06-15 12:20:00", offset=0.0, position=(52.0, 0.0)),
        a_subject("d.jpg", local="2024-06-15 15:00:00", offset=0.0),
    ]
    changes = from_neighbours(photos)
    assert {change.relative: change.new for change in changes} == {b"b.jpg": "51.0000000, 0.0000000"}


@given(st.floats(-89, 89), st.floats(-180, 180), st.floats(-89, 89), st.floats(-180, 180), st.floats(0, 1))
def test_a_point_on_the_way_is_on_the_way(lat1, lon1, lat2, lon2, part):
    start, end = Position(lat1, lon1), Position(lat2, lon2)
    whole, first = _arc(start, end), _arc(start, along(start, end, part))
    assume(1e-6 < whole < np.pi - 1e-3)
    assert first == pytest.approx(part * whole, abs=1e-6)


def _arc(a: Position, b: Position) -> float:
    lat1, lon1, lat2, lon2 = np.radians([a.latitude_deg, a.longitude_deg, b.latitude_deg, b.longitude_deg])
    h = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return float(2 * np.arcsin(min(1.0, np.sqrt(h))))


GPX = """<?xml version="1.0"?>
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="48.0" lon="2.0"><time>2024-06-15T10:00:00Z</time></trkpt>
<trkpt lat="48.1" lon="2.1"><time>2024-06-15T10:10:00Z</time></trkpt>
<trkpt lat="91" lon="2.1"><time>2024-06-15T10:11:00Z</time></trkpt>
<trkpt lat="48.2" lon="2.2"><ele>5</ele></trkpt>
<trkpt lat="48.4" lon="2.4"><time>2024-06-15T16:20:00+04:00</time></trkpt>
</trkseg></trk></gpx>"""


def test_a_track_is_read_in_utc_and_says_nothing_across_its_gaps(tmp_path):
    (tmp_path / "t.gpx").write_text(GPX)
    track = read_gpx([tmp_path / "t.gpx"])
    assert [fix.utc_time.hour for fix in track.fixes] == [10, 10, 12]
    half = track.at(datetime(2024, 6, 15, 10, 5))
    assert (half.latitude_deg, half.longitude_deg) == pytest.approx((48.05, 2.05), abs=1e-4)
    assert track.at(datetime(2024, 6, 15, 11, 15)) is None  # two hours between points
    assert track.at(datetime(2024, 6, 15, 12, 40)) == Position(48.4, 2.4)
    assert track.at(datetime(2024, 6, 15, 13, 0)) is None


def test_a_track_agrees_with_exiftools_geotag(tmp_path):
    """exiftool 12.57 -geotag, an authority for the same interpolation; linear there, a great circle here."""
    import shutil

    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    from PIL import Image

    (tmp_path / "t.gpx").write_text(GPX)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg")
    command = [
        "exiftool",
        "-q",
        "-n",
        "-overwrite_original",
        "-geotag",
        "t.gpx",
        "-geotime=2024:06:15 10:04:00Z",
        "a.jpg",
    ]
    subprocess.run(command, cwd=tmp_path, check=True)
    out = subprocess.run(["exiftool", "-n", "-s3", "-GPSLatitude", "-GPSLongitude", "a.jpg"], cwd=tmp_path,
                         capture_output=True, text=True, check=True).stdout.split()  # fmt: skip
    ours = read_gpx([tmp_path / "t.gpx"]).at(datetime(2024, 6, 15, 10, 4))
    assert [ours.latitude_deg, ours.longitude_deg] == pytest.approx([float(angle) for angle in out], abs=1e-4)


def test_a_track_moves_by_the_cameras_clock_error_in_seconds():
    fixes = tuple(Fix(datetime(2024, 6, 15, 10, minute), Position(48.0 + minute / 100, 2.0)) for minute in range(30))
    subject = a_subject(local="2024-06-15 10:10:30", offset=0.0)
    (line,) = from_track([subject], Track(fixes), clock_ahead_s=30)
    assert line.new == "48.1000000, 2.0000000"


@pytest.mark.parametrize(
    "text",
    [
        "<gpx></gpx>",
        "not xml",
        '<!DOCTYPE x [<!ENTITY a "b">]><gpx><trk/></gpx>',
        GPX.encode("utf-16").decode("latin-1"),
    ],
)
def test_what_is_no_track_is_refused(tmp_path, text):
    (tmp_path / "t.gpx").write_text(text, encoding="latin-1")
    with pytest.raises(PlanError):
        read_gpx([tmp_path / "t.gpx"])


# ----------------------------------------------------------------- proposals


def a_model(kind="constant offset", offset=6.0, probability=0.97, **more) -> ClockModel:
    interval = None if offset is None else (offset - 0.02, offset + 0.02)
    values = {
        "device_key": "serial:1", "label": "Acme One", "kind": kind, "offset_hours": offset,
        "interval_hours": interval, "probability": probability, "photos": 2, "evidence": (), "summary": "as it is",
    }  # fmt: skip
    return ClockModel(**{**values, **more})


def a_finding(
    subject: Subject,
    kind: str,
    *,
    offset=None,
    check="GF101",
    outcome=Outcome.SUSPICIOUS,
    confidence=Confidence.STRONG,
    **facts,
) -> Finding:
    return Finding(check, (source_id_of(subject.relative),), outcome, Severity.MEDIUM, confidence, "a finding",
                   facts=facts, cause=Cause(kind, subject.device_key, offset))  # fmt: skip


def test_a_clock_model_speaks_for_all_photos_of_its_device_and_no_other():
    photos = [
        a_subject(f"{name}.jpg", local="2024-06-15 18:00:00", serial=serial)
        for name, serial in zip("abc", "112", strict=True)
    ]
    for photo in photos[:2]:
        assert photo.device_key == "serial:1"
    made = propose(photos, clocks=[a_model()]).changes
    assert {change.relative: change.new for change in made} == {
        b"a.jpg": "2024-06-15 12:00:00", b"b.jpg": "2024-06-15 12:00:00",
    }  # fmt: skip
    assert all(change.strength == 0.97 for change in made)
    assert not propose(photos, clocks=[a_model(probability=0.8)]).changes


def test_two_kinds_of_one_repair_count_together():
    offsets = np.arange(-12, 12, 0.25, dtype=np.float32)
    mass = np.zeros_like(offsets)
    mass[np.argmin(abs(offsets - 6))] = 0.98
    mass[0] = 0.02
    model = a_model(probability=0.6, posterior_offsets_hours=offsets, posterior_mass=mass)
    (change,) = propose([a_subject(local="2024-06-15 18:00:00", serial="1")], clocks=[model]).changes
    assert change.strength == pytest.approx(0.98, abs=1e-3)


def a_series(ahead_hours, *, name="p", start="2024-06-10 12:00:00", count=4, lag_s=2, **more) -> list[Subject]:
    """Return photos of one camera in Paris, hours apart, whose wall clock is ahead of what GPS and place tell."""
    first = datetime.fromisoformat(start)
    out = []
    for number in range(count):
        true = first + timedelta(hours=3 * number)
        local = lines.write_time(true + timedelta(hours=ahead_hours))
        gps = lines.write_time(true - timedelta(hours=2, seconds=lag_s))
        values = {"local": local, "gps": gps, "position": PARIS, "serial": "1"} | more
        out.append(a_subject(f"{name}{number}.jpg", **values))
    return out


def test_a_piecewise_clock_is_set_piece_by_piece_as_the_gps_clocks_of_each_piece_say():
    photos = [*a_series(2, name="a"), *a_series(-1, name="b", start="2024-06-14 12:00:00")]
    ids = [source_id_of(photo.relative) for photo in photos]
    model = a_model("piecewise", None, segments=((ids[0], ids[3], 2.2), (ids[4], ids[7], -1.1)))
    made = propose(photos, clocks=[model]).changes
    assert [change.new[11:16] for change in made] == ["12:00", "15:00", "18:00", "21:00"] * 2
    assert {change.quantity for change in made} == {Quantity.LOCAL_TIME}


def test_a_piece_of_a_clock_that_rests_on_old_fixes_is_left_as_it_is():
    right = a_series(0, name="a")
    old = [
        a_subject(
            f"b{n}.jpg", local=f"2024-06-11 10:{m}:00", gps=f"2024-06-11 07:{m - 9}:00", position=PARIS, serial="1"
        )
        for n, m in enumerate((31, 33))
    ]
    ids = [source_id_of(photo.relative) for photo in (*right, *old)]
    model = a_model("piecewise", None, segments=((ids[0], ids[3], 0.0), (ids[4], ids[5], 1.15)))
    proposal = propose([*right, *old], clocks=[model])
    assert not proposal.changes
    assert "do not agree on an amount" in proposal.notes[0]


@pytest.mark.parametrize("kind", ["reset", "drift"])
def test_what_was_wrong_by_an_unknown_amount_is_a_note_never_a_guess(kind):
    proposal = propose([a_subject(serial="1")], clocks=[a_model(kind, None)])
    assert not proposal.changes
    assert "not known" in proposal.notes[0]


@pytest.mark.parametrize("kind", ["right", "undetermined"])
def test_a_clock_that_was_right_or_unknown_proposes_nothing(kind):
    proposal = propose([a_subject(serial="1")], clocks=[a_model(kind, 0.0)])
    assert not proposal.changes
    assert proposal.notes == ("no finding of this case is one that a correction of times or positions could put right",)


def test_the_repaired_time_gets_the_offset_legal_at_the_place_where_the_stated_one_is_not():
    home = a_subject(local="2024-06-15 12:00:00", offset=2.0, position=LONDON, serial="1")
    made = propose([home], clocks=[a_model("wrong zone", 1.0)]).changes
    assert news(made) == {Quantity.LOCAL_TIME: "2024-06-15 11:00:00", Quantity.OFFSET: "+01:00"}


def test_a_clock_that_gps_denies_is_moved_by_what_the_gps_clocks_agree_on_not_by_the_model():
    photos = a_series(8, lag_s=10)
    made = propose(photos, clocks=[a_model("wrong zone", 9.0, interval_hours=(8.1, 9.6))]).changes
    assert [change.new for change in made] == [f"2024-06-10 {hour}:00:00" for hour in (12, 15, 18, 21)]
    assert not [change for change in made if change.quantity is Quantity.GPS_TIME]


def test_half_a_day_is_moved_in_the_direction_that_the_dates_of_gps_tell():
    for ahead in (12, -12):
        made = propose(a_series(ahead), clocks=[a_model("am/pm", -12.0)]).changes
        assert [change.new[:13] for change in made] == [f"2024-06-10 {hour}" for hour in (12, 15, 18, 21)]


def test_photos_without_gps_of_a_camera_that_gps_denies_are_moved_with_the_others():
    alone = a_subject("x.jpg", local="2024-06-12 20:00:00", serial="1")
    made = propose([*a_series(8), alone], clocks=[a_model("wrong zone", 8.0)]).changes
    assert {change.relative: change.new for change in made}[b"x.jpg"] == "2024-06-12 12:00:00"


def test_a_clock_that_some_gps_times_confirm_and_others_deny_is_left_with_a_reason():
    photos = [*a_series(0, name="a"), *a_series(5, name="b", count=3)]
    proposal = propose(photos, clocks=[a_model("constant offset", 5.0)])
    assert not proposal.changes
    assert "4 photos of 7 confirmed" in proposal.notes[0]
    assert "--from-reference" in proposal.notes[0]


def test_an_instant_that_gps_confirms_is_never_moved_whatever_is_found():
    """The position of such a file lies elsewhere; moving its clock to fit it would put a true time wrong."""
    moved = a_subject(local="2022-02-05 14:20:45", offset=-9.0, gps="2022-02-05 23:20:44", position=(25.76, -80.19))
    for kind, offset in (("zone", -4.0), ("clock-offset", -4.0), ("dst", 1.0), ("position", None)):
        found = [a_finding(moved, kind, offset=offset, confidence=Confidence.DECISIVE)]
        proposal = propose([moved], findings=found, clocks=[a_model("dst", 1.0, device_key=moved.device_key)])
        assert not proposal.changes, kind
        assert "confirms the instant" in proposal.notes[0], kind


@pytest.mark.parametrize(
    "gps",
    [
        ["1970-01-01 00:00:00"] * 4,
        [f"1980-01-06 {hour:02d}:00:02" for hour in (10, 13, 16, 19)],  # a receiver counting on from its zero
        ["2024-06-11 20:00:00"] * 4,
        [f"2024-05-03 {hour:02d}:00:00" for hour in (10, 13, 16, 19)],  # one GPS date that never changes
        [f"20{year}-02-11 11:12:40" for year in (25, 19, 12, 22)],
        [f"2004-10-25 {hour:02d}:00:00" for hour in (10, 13, 16, 19)],  # 1,024 weeks
    ],
)
def test_gps_times_that_do_not_behave_like_a_clock_move_nothing(gps):
    photos = [
        a_subject(f"{n}.jpg", local=f"2024-06-10 {hour}:00:00", gps=moment, position=PARIS, serial="1")
        for n, (hour, moment) in enumerate(zip((12, 15, 18, 21), gps, strict=True))
    ]
    found = [a_finding(photo, "clock-offset", offset=3.0) for photo in photos]
    proposal = propose(photos, findings=found, clocks=[a_model("constant offset", 3.0)])
    assert not proposal.changes
    assert proposal.notes


def test_a_year_that_stuck_is_put_right_though_whole_days_are_between_the_clocks():
    photos = [
        a_subject(
            f"{n}.jpg", local=f"2016-07-15 10:{n:02d}:03", gps=f"2023-07-15 08:{n:02d}:03", position=PARIS, serial="1"
        )
        for n in (0, 7, 14)
    ]
    made = propose(photos, clocks=[a_model("constant offset", -61344.0)]).changes
    assert [change.new[:16] for change in made] == [f"2023-07-15 10:{n:02d}" for n in (0, 7, 14)]


def test_a_camera_whose_positions_lost_their_sign_is_not_taken_for_a_wrong_clock():
    """New York written as 74 degrees east: the clock kept New York's time, and fits Kyrgyzstan ten hours ahead."""
    photos = [
        a_subject(f"{n}.jpg", local=f"2024-06-10 {hour:02d}:00:00", gps=f"2024-06-10 {hour + 4}:00:00",
                  position=(40.71, 74.01), serial="1")
        for n, hour in enumerate((8, 11, 14, 17))
    ]  # fmt: skip
    found = [a_finding(photo, "clock-offset", offset=-10.0) for photo in photos]
    assert not propose(photos, findings=found, clocks=[a_model("wrong zone", -10.0)]).changes


def test_a_camera_without_gps_is_set_by_one_that_was_at_the_same_places_and_that_gps_confirms():
    phone = a_series(0, name="p", serial="2", offset=2.0)
    camera = [a_subject(f"c{n}.jpg", local=f"2024-06-10 {hour}:00:00", serial="1") for n, hour in enumerate((20, 23))]
    met = replace(
        a_finding(
            camera[0],
            "clock-offset",
            offset=8.02,
            check="GF410",
            difference_s=28870.0,
            device="serial:1",
            other_device="serial:2",
        ),
        source_ids=tuple(source_id_of(photo.relative) for photo in (*camera, *phone)),
    )
    made = propose([*phone, *camera], findings=[met]).changes
    assert {change.relative: change.new[11:16] for change in made} == {b"c0.jpg": "12:00", b"c1.jpg": "15:00"}
    other_way = replace(
        met,
        cause=Cause("clock-offset", "serial:2", 8.02),
        facts={"difference_s": -28870.0, "device": "serial:2", "other_device": "serial:1"},
    )
    assert propose([*phone, *camera], findings=[other_way]).changes == made


def test_lines_weaker_than_asked_for_are_counted_in_a_note():
    weak = a_model(probability=0.8)
    proposal = propose([a_subject(local="2024-06-15 18:00:00", serial="1")], clocks=[weak])
    assert not proposal.changes
    assert "lines for 1 photo are left out: their strength, 0.80 at most, is under 0.90" in proposal.notes[0]


def test_a_clock_that_is_off_by_hours_known_to_hours_gets_a_note_that_names_what_settles_it():
    wide = a_model("wrong zone", 9.5, probability=0.95, interval_hours=(7.1, 12.1))
    proposal = propose([a_subject(local="2024-06-15 18:00:00", serial="1")], clocks=[wide])
    assert not proposal.changes
    assert "by how much is not known" in proposal.notes[0]
    assert "+09:30:00, strength 0.95" in proposal.notes[0]
    assert "--from-reference PHOTO=TIME" in proposal.notes[0]


def test_a_written_zone_that_alone_is_wrong_is_repaired_as_a_zone():
    photo = a_subject(local="2021-02-11 17:02:47", offset=-5.0, gps="2021-02-11 16:02:46", position=(53.55, 9.99))
    made = propose([photo], findings=[a_finding(photo, "zone", offset=-6.0, check="GF102")]).changes
    assert news(made) == {Quantity.OFFSET: "+01:00"}


def test_what_was_explained_brings_no_line():
    zone = a_subject("z.jpg", local="2023-10-30 07:25:40", offset=1.0, position=(35.01, 135.77))
    day = a_subject("d.jpg", local="2008-10-22 16:28:39", gps="2008-10-23 14:27:07")
    proposal = propose(
        [zone, day],
        findings=[
            a_finding(zone, "zone", offset=-8.0, check="GF102", outcome=Outcome.EXPLAINED),
            a_finding(day, "day-bug", outcome=Outcome.EXPLAINED, residual_s=-86400.0 + 92),
        ],
    )
    assert not proposal.changes
    assert any("--zone ZONE --keep-instant" in note for note in proposal.notes)
    assert any("its GPS time" in note for note in proposal.notes)


def test_one_file_alone_never_moves_a_clock():
    for gps in ("2024-06-15 09:00:00", "2024-06-13 05:01:19", "2031-02-11 11:12:40"):
        photo = a_subject(local="2024-06-15 18:00:00", gps=gps, position=PARIS)
        found = [a_finding(photo, "clock-offset", offset=7.0, confidence=Confidence.DECISIVE)]
        proposal = propose([photo], findings=found, least_strength=0.3)
        assert not proposal.changes
        assert "--from-reference" in proposal.notes[0]


def test_findings_that_mean_different_causes_give_a_note():
    photo = a_subject(local="2024-06-15 18:00:00", serial="1")
    clock = a_finding(photo, "clock-offset", offset=6.0)
    place = a_finding(photo, "position", check="GF409")
    proposal = propose([photo], findings=[clock, place])
    assert not proposal.changes
    assert "decide by hand" in proposal.notes[0]


def test_a_lost_sign_is_put_back_where_the_photos_of_that_day_were_there():
    day = [
        a_subject(f"{n}.jpg", local=f"2024-06-15 1{n}:00:00", offset=10.0, position=(-33.9, 151.2)) for n in range(3)
    ]
    lost = a_subject("lost.jpg", local="2024-06-15 11:30:00", offset=10.0, position=(33.87, 151.2))
    found = [a_finding(lost, "position", check="GF119", confidence=Confidence.WEAK)]
    assert news(propose([*day, lost], findings=found).changes) == {Quantity.POSITION: "-33.8700000, 151.2000000"}
    assert not propose([lost], findings=found).changes
    assert not propose([*day, lost]).changes  # nothing was found


def test_coordinates_out_of_range_are_exchanged_where_the_clocks_fit_the_place():
    tags = {
        "GPS:GPSLatitude": 151.2093,
        "GPS:GPSLatitudeRef": "N",
        "GPS:GPSLongitude": 33.8688,
        "GPS:GPSLongitudeRef": "W",
    }
    fits = a_subject("a.jpg", local="2021-10-08 12:00:00", offset=11.0, tags=tags)
    (line,) = propose([fits]).changes
    assert (line.old, line.new) == ("151.2093000, -33.8688000", "-33.8688000, 151.2093000")
    denies = a_subject("b.jpg", local="2021-10-08 12:00:00", offset=2.0, tags=tags)
    proposal = propose([denies])
    assert not proposal.changes
    assert "--gps swap" in proposal.notes[0]
    (ordered,) = gps_repaired([denies], GpsRepair.SWAP)
    assert ordered.new == line.new
    assert planfile.loads(planfile.dumps(Plan((ordered,)))).changes == (ordered,)


def test_a_plan_without_lines_says_why():
    assert "could put right" in propose([a_subject()]).notes[0]


@given(st.integers(-(10**6), 10**6))
def test_a_shift_is_rounded_to_minutes_only_by_seconds(seconds):
    assert abs(whole_minutes(seconds) - seconds) <= 5


# ----------------------------------------------------------------- tags in step


def a_goal(tags, **new) -> assignments.Goal:
    quantities = {"local": Quantity.LOCAL_TIME, "offset": Quantity.OFFSET, "gps": Quantity.GPS_TIME}
    made = [a_line(quantity=quantities[name], old="", new=value) for name, value in new.items()]
    return assignments.goal_of(made, tags)


def written(tags, media_type="image/jpeg", **new) -> dict[str, str]:
    return dict(assignments.embedded(a_goal(tags, **new), tags, media_type))


def test_an_xmp_time_with_a_zone_of_its_own_gets_the_zone_that_now_holds():
    tags = {
        "ExifIFD:DateTimeOriginal": ("2024:06:15 12:00:00",),
        "ExifIFD:OffsetTimeOriginal": ("+02:00",),
        "XMP-photoshop:DateCreated": ("2024:06:15 10:00:00Z",),
    }
    out = written(tags, local="2024-06-15 13:00:00")
    assert out["XMP-photoshop:DateCreated"] == "2024:06:15 13:00:00+02:00"


def test_a_date_without_a_time_stays_one_and_a_date_put_right_before_stays_right():
    tags = {
        "ExifIFD:DateTimeOriginal": ("2024:06:15 23:30:00",),
        "XMP-photoshop:DateCreated": ("2024:06:15",),
        "XMP-xmp:CreateDate": ("2024:06:16 00:30:00",),
    }
    out = written(tags, local="2024-06-16 00:30:00")
    assert out["XMP-photoshop:DateCreated"] == "2024:06:16"
    assert "XMP-xmp:CreateDate" not in out


def test_a_scan_keeps_the_distance_between_taking_and_digitising():
    tags = {"ExifIFD:DateTimeOriginal": ("1987:06:15 12:00:00",), "ExifIFD:CreateDate": ("2019:01:02 03:04:05",)}
    out = written(tags, local="1987-06-15 13:00:00")
    assert out["ExifIFD:CreateDate"] == "2019:01:02 04:04:05"


def test_movie_clocks_count_utc_and_a_local_one_is_set_right():
    tags = {
        "Keys:CreationDate": ("2024:06:15 12:00:00+02:00",),
        "QuickTime:CreateDate": ("2024:06:15 10:00:00",),
        "Track1:MediaCreateDate": ("2024:06:15 12:00:01",),
    }
    out = written(tags, "video/quicktime", local="2024-06-15 13:00:00")
    assert out["QuickTime:CreateDate"] == "2024:06:15 11:00:00"
    assert out["QuickTime:MediaCreateDate"] == "2024:06:15 11:00:00"
    assert out["Keys:CreationDate"] == "2024:06:15 13:00:00+02:00"
    assert not [tag for tag in out if tag.startswith("ExifIFD")]


def test_a_file_without_any_time_gets_one_and_a_time_zeroed_by_the_camera_is_replaced():
    assert written({}, local="2024-06-15 13:00:00") == {"ExifIFD:DateTimeOriginal": "2024:06:15 13:00:00"}
    tags = {"ExifIFD:DateTimeOriginal": ("0000:00:00 00:00:00",), "ExifIFD:CreateDate": ("0000:00:00 00:00:00",)}
    assert written(tags, local="2024-06-15 13:00:00") == {"ExifIFD:DateTimeOriginal": "2024:06:15 13:00:00"}


def test_the_fraction_of_a_gps_second_is_kept():
    tags = {"GPS:GPSTimeStamp": ("10:00:00.33",), "GPS:GPSDateStamp": ("2024:06:15",)}
    out = written(tags, gps="2024-06-16 10:00:00")
    assert (out["GPS:GPSDateStamp"], out["GPS:GPSTimeStamp"]) == ("2024:06:16", "10:00:00.33")


@given(
    wall=st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)),
    seconds=st.integers(-(10**7), 10**7),
    zone=st.sampled_from(["", "Z", "+02:00"]),
)
def test_tags_that_agreed_before_agree_afterwards(wall, seconds, zone):
    wall = wall.replace(microsecond=0)
    text = Stamp(wall).exif()
    tags = dict.fromkeys(("ExifIFD:DateTimeOriginal", "ExifIFD:CreateDate", "IFD0:ModifyDate"), (text,))
    tags |= dict.fromkeys(("XMP-photoshop:DateCreated", "XMP-xmp:CreateDate"), (text + zone,))
    new = wall + timedelta(seconds=seconds)
    out = {tag: value[0] for tag, value in tags.items()} | written(tags, local=lines.write_time(new))
    assert {value[:19] for value in out.values()} == {Stamp(new).exif()}


# ----------------------------------------------------------------- orders


def an_order(photos=(), *, findings=(), clocks=(), earlier=None, **fields):
    more = {} if earlier is None else {"earlier": earlier}
    return plan(Order(**fields), photos, findings=findings, clocks=clocks, **more)


def test_an_order_for_one_camera_leaves_the_others_alone():
    photos = [a_photo(name=f"{serial}.jpg", local="2024-06-15 12:00:00", serial=serial) for serial in "123"]
    made = an_order(photos, offset="-00:30:00", camera="2")
    assert [(change.relative, change.new) for change in made.changes] == [(b"2.jpg", "2024-06-15 11:30:00")]


def test_an_order_for_a_folder_or_a_photo_leaves_the_others_alone():
    photos = [a_photo(name=name, local="2024-06-15 12:00:00") for name in ("a/1.jpg", "a/2.jpg", "ab/3.jpg", "b/4.jpg")]
    made = an_order(photos, offset="+01:00:00", only=(b"a", b"b/4.jpg"))
    assert [change.relative for change in made.changes] == [b"a/1.jpg", b"a/2.jpg", b"b/4.jpg"]
    with pytest.raises(PlanError, match="no photo"):
        an_order(photos, offset="+01:00:00", only=(b"c",))


def test_an_order_for_nothing_gets_what_the_case_proposes_and_keeps_what_was_locked():
    photos = [a_photo(name=f"{name}.jpg", local="2024-06-15 18:00:00", serial="1") for name in "ab"]
    digest = photos[0].source.sha256
    locked = Change(
        b"a.jpg", digest, Quantity.LOCAL_TIME, "2024-06-15 18:00:00", "2024-06-15 18:00:00", "no", 1.0, True
    )
    made = an_order(photos, clocks=[a_model()], earlier=Plan((locked,)))
    assert [change.new[11:13] for change in made.changes] == ["18", "12"]
    assert made.changes[0] == locked


def test_keywords_say_what_was_found_by_outcome_and_cause():
    photo = a_photo(name="a.jpg", serial="1")
    found = a_finding(subject(b"a.jpg", SHA, photo.claim), "clock-offset", outcome=Outcome.CONTRADICTION)
    made = an_order([photo], findings=[found], keywords=True)
    assert [change.new for change in made.changes] == ["gtloc|contradiction|clock-offset"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"offset": "+01:00:00", "zone": "Europe/Berlin", "keep_instant": True}, "--offset and --zone"),
        ({"offset": "+01:00:00", "zone": "Europe/Berlin", "keep_zone": True}, "--keep-zone"),
        ({"swap_day_month": True, "zone": "Europe/Berlin"}, "--zone and --swap-day-month"),
        ({"neighbours": True, "gps": GpsRepair.SWAP}, "one after the other"),
        ({"replace_positions": True}, "add --track"),
        ({"clock_ahead_s": 3.0}, "add --track"),
        ({"keep_instant": True}, "add --zone"),
        ({"keep_zone": True}, "add --offset"),
        ({"least_strength": 90}, "between 0 and 1"),
        ({"zone": "Europe/Berlim"}, "no time zone"),
        ({"zone": "../../etc/passwd"}, "no time zone"),
        ({"reference": "a.jpg"}, "PHOTO="),
        ({"reference": "a.jpg=noon"}, "not a time"),
        ({"camera": "nobody", "offset": "+01:00:00"}, "no photo by"),
    ],
)
def test_an_order_that_cannot_be_meant_is_refused_in_words(fields, reason):
    with pytest.raises(PlanError, match=reason):
        an_order([a_photo(name="a.jpg")], **fields)


def test_a_reference_names_photos_with_any_bytes_and_equals_signs():
    name, moment = read_reference("trip/a=b\udcff.jpg=2024-06-15 12:00:00")
    assert name == b"trip/a=b\xff.jpg"
    assert moment == datetime(2024, 6, 15, 12)


# ----------------------------------------------------------------- orders together, and why they change nothing


def a_track(folder, *hours, day="2024-02-10"):
    points = "".join(
        f'<trkpt lat="21.{hour}" lon="-86.8"><time>{day}T{hour}:{minute:02d}:00Z</time></trkpt>'
        for hour in hours
        for minute in (0, 20, 40)
    )
    (folder / "t.gpx").write_text(f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>")
    return (folder / "t.gpx",)


def test_a_zone_and_a_track_place_a_camera_that_states_no_zone_in_one_order(tmp_path):
    photos = [a_photo(name="a.jpg", local="2024-02-10 10:00:00")]
    tracks = a_track(tmp_path, 15)
    made = an_order(photos, zone="America/Cancun", tracks=tracks)
    assert news(made.changes) == {Quantity.OFFSET: "-05:00", Quantity.POSITION: "21.1500000, -86.8000000"}
    alone = an_order(photos, tracks=tracks)
    assert not alone.changes
    assert "--zone ZONE" in alone.notes[0]


def test_a_clock_set_and_a_track_in_one_order_use_the_new_time(tmp_path):
    photos = [a_photo(name="a.jpg", local="2024-02-10 13:00:00", offset=-5.0)]
    made = an_order(photos, offset="-03:00:00", tracks=a_track(tmp_path, 15))
    assert news(made.changes)[Quantity.POSITION] == "21.1500000, -86.8000000"


def test_a_track_leaves_the_position_that_a_camera_wrote_unless_told_otherwise(tmp_path):
    photos = [a_photo(name="a.jpg", local="2024-02-10 10:00:00", offset=-5.0, position=PARIS)]
    tracks = a_track(tmp_path, 15)
    kept = an_order(photos, tracks=tracks)
    assert not kept.changes
    assert "a.jpg: it has a position of its own, which stays; --replace-positions overwrites it" in kept.notes[0]
    told = an_order(photos, tracks=tracks, replace_positions=True)
    assert news(told.changes) == {Quantity.POSITION: "21.1500000, -86.8000000"}


def test_neighbours_place_what_a_track_does_not_reach(tmp_path):
    photos = [
        a_photo(name="a.jpg", local="2024-02-10 10:00:00", offset=-5.0),
        a_photo(name="b.jpg", local="2024-02-11 10:00:00", offset=-5.0, position=PARIS),
        a_photo(name="c.jpg", local="2024-02-11 10:05:00", offset=-5.0),
        a_photo(name="d.jpg", local="2024-02-13 10:05:00", offset=-5.0),
    ]
    made = an_order(photos, tracks=a_track(tmp_path, 15), neighbours=True)
    assert {change.relative for change in made.changes} == {b"a.jpg", b"c.jpg"}
    assert any("d.jpg" in note and "within 30 minutes" in note for note in made.notes)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"offset": "+01:00:00"}, "no capture time"),
        ({"zone": "Europe/Berlin"}, "no capture time"),
        ({"neighbours": True}, "no capture time"),
        ({"gps": GpsRepair.SWAP}, "no position to repair"),
        ({"keywords": True}, "nothing was found"),
    ],
)
def test_an_order_that_applies_to_nothing_says_so(fields, why):
    made = an_order([a_photo(name="a.jpg", local=None)], **fields)
    assert not made.changes
    assert why in made.notes[0]


def test_an_order_that_leaves_a_time_confirmed_by_gps_says_so():
    photo = a_photo(name="a.jpg", local="2024-06-15 12:00:00", offset=2.0, gps="2024-06-15 10:00:00", position=PARIS)
    assert "confirms the time as it is" in an_order([photo], offset="+01:00:00").notes[0]
