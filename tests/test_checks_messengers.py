"""What messengers and networks pass on: recognised by name, folder and what is left in it; told, and nobody accused."""

from __future__ import annotations

from datetime import datetime

import pytest
from builders import a_photo, only

from gtloc_forensics.checks.rules.gf106_file_name import file_name_time
from gtloc_forensics.checks.rules.gf118_platform import platform
from gtloc_forensics.metadata.filenames import name_time
from gtloc_forensics.records import CauseKind, Outcome, TimeKind

NOTHING_LEFT = {"File:ImageWidth": 1600, "File:ImageHeight": 1200}


@pytest.mark.parametrize(
    ("name", "wall", "kind"),
    [
        ("photo_12@15-06-2024_12-34-56.jpg", datetime(2024, 6, 15, 12, 34, 56), TimeKind.LOCAL),
        ("video_3@01-02-2024_03-04-05.mp4", datetime(2024, 2, 1, 3, 4, 5), TimeKind.LOCAL),
        ("00000012-PHOTO-2024-06-15-12-34-56.jpg", datetime(2024, 6, 15, 12, 34, 56), TimeKind.LOCAL),
        ("signal-2024-06-15-12-34-56-789.jpg", datetime(2024, 6, 15, 12, 34, 56, 789_000), TimeKind.LOCAL),
        ("signal-2024-06-15-123456.jpeg", datetime(2024, 6, 15, 12, 34, 56), TimeKind.LOCAL),
        ("photo_2024-06-15_12-34-56.jpg", datetime(2024, 6, 15, 12, 34, 56), TimeKind.LOCAL),
        ("2024-06-15_12-34-56_UTC.jpg", datetime(2024, 6, 15, 12, 34, 56), TimeKind.UTC),
        ("IMG-20240615-WA0001.jpg", datetime(2024, 6, 15), TimeKind.LOCAL),
    ],
)
def test_a_messenger_s_name_tells_a_time(name: str, wall: datetime, kind: TimeKind) -> None:
    reading = name_time(name.encode())
    assert (reading.wall, reading.kind) == (wall, kind)


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("photo_12@15-06-2024_12-34-56.jpg", "Telegram"),
        ("photo_2024-06-15_12-34-56.jpg", "Telegram"),
        ("00000012-PHOTO-2024-06-15-12-34-56.jpg", "WhatsApp"),
        ("IMG-20240615-WA0001.jpg", "WhatsApp"),
        ("signal-2024-06-15-123456.jpeg", "Signal"),
        ("received_1234567890123456.jpeg", "Facebook's Messenger"),
        ("mmexport1718454896000.jpg", "WeChat"),
        ("ChatExport_2024-06-20/photos/a.jpg", "Telegram"),
        ("WhatsApp/Media/WhatsApp Images/a.jpg", "WhatsApp"),
        ("your_facebook_activity/posts/media/Trip_1/a.jpg", "Facebook"),
        ("media/posts/202406/a.jpg", "Instagram"),
    ],
)
def test_what_a_service_made_anew_is_told_and_is_no_accusation(name: str, who: str) -> None:
    found = only(platform, a_photo(name=name, local=None, make=None, model=None, tags=NOTHING_LEFT))
    assert (found.outcome, found.cause.kind) == (Outcome.EXPLAINED, CauseKind.COPY)
    assert f"The file is as {who} leaves what it passes on" in found.summary
    assert "1600 × 1200 pixels" in found.summary


def test_a_file_with_a_camera_s_metadata_in_such_a_folder_is_no_copy_of_a_service() -> None:
    tags = {"IFD0:Make": "Canon", "IFD0:Model": "EOS 80D", **NOTHING_LEFT}
    about = a_photo(name="WhatsApp Images/a.jpg", local="2024-06-15 12:00", make="Canon", model="EOS 80D", tags=tags)
    assert only(platform, about).outcome is Outcome.CONSISTENT


@pytest.mark.parametrize("name", ["WhatsApp Documents/a.jpg", "ChatExport_2024-06-20/files/a.jpg"])
def test_what_was_sent_as_a_file_is_not_said_to_be_made_anew(name: str) -> None:
    assert (
        "passes on"
        not in only(platform, a_photo(name=name, local=None, make=None, model=None, tags=NOTHING_LEFT)).summary
    )


def test_a_screenshot_is_passed_on_by_nobody() -> None:
    found = only(
        platform,
        a_photo(name="Screenshot_20240615-123456.png", local=None, make=None, model=None, tags=NOTHING_LEFT),
    )
    assert "bears marks of a screenshot" in found.summary


@pytest.mark.parametrize("name", ["photo_12@15-06-2024_12-34-56.jpg", "photo_12@15-06-2024_06-34-56.jpg"])
def test_a_messenger_s_name_in_another_zone_is_no_finding(name: str) -> None:
    found = only(file_name_time, a_photo(name=name, local="2024-06-15 10:00", times=(name_time(name.encode()),)))
    assert found.outcome is Outcome.EXPLAINED
    assert "messenger names a file by the clock of whoever received it" in found.summary


def test_a_messenger_s_name_weeks_before_the_capture_is_one() -> None:
    times = (name_time(b"photo_12@15-06-2024_12-34-56.jpg"),)
    found = only(file_name_time, a_photo(local="2024-07-15 10:00", times=times))
    assert "nothing is named before it exists" in found.summary
