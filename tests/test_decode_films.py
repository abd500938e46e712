"""Films beside the photos: a key frame that stands for each, the device and zone they tell, and their live photos."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from builders import a_claim, a_summary, when
from click.testing import CliRunner
from PIL import Image
from test_case import photo as make_photo
from test_metadata import claim

from gtloc_forensics.case.case import open_case
from gtloc_forensics.checks import Context, not_testable
from gtloc_forensics.checks.rules.gf403_bursts import bursts
from gtloc_forensics.checks.rules.gf406_duplicates import duplicates
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.decode import Decoder, Job
from gtloc_forensics.decode.films import key_frame
from gtloc_forensics.decode.pixels import Decoded, decode
from gtloc_forensics.errors import DecodeRefused, MissingExtra
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.metadata import burst_id
from gtloc_forensics.records import DeviceGroup, ImageFacts, Outcome

MOST = 10**8
SKY, FIELD = 200, 90


def picture(width: int = 320, height: int = 240) -> np.ndarray:
    shown = np.full((height, width, 3), FIELD, np.uint8)
    shown[: height // 2] = SKY
    return shown


def film(path: Path, *, dark: int = 0, frames: int = 10, turned: int = 0) -> Path:
    """Make a film of *frames* frames, a key frame every fifth, of which the first *dark* show nothing."""
    av = pytest.importorskip("av", reason="the extra video is not installed")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 320, 240, "yuv420p", 5
        for number in range(frames):
            shown = np.zeros((240, 320, 3), np.uint8) if number < dark else picture()
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        container.mux(stream.encode())
    if turned:
        subprocess.run(["exiftool", "-q", "-overwrite_original", f"-Rotation={turned}", str(path)], check=True)
    return path


def brightness(shown: Image.Image, column: float, row: float) -> int:
    return int(np.asarray(shown.convert("L"))[int(row * shown.height), int(column * shown.width)])


def test_a_film_gives_a_key_frame(tmp_path: Path) -> None:
    frame = key_frame(film(tmp_path / "a.mp4"), "video/mp4", most_pixels=MOST)
    assert frame.picture.size == (320, 240)
    assert brightness(frame.picture, 0.5, 0.2) == pytest.approx(SKY, abs=4)
    assert frame.at_s == 0.0


def test_a_dark_beginning_is_passed_over(tmp_path: Path) -> None:
    frame = key_frame(film(tmp_path / "a.mp4", dark=5), "video/mp4", most_pixels=MOST)
    assert frame.at_s == 0.5
    assert brightness(frame.picture, 0.5, 0.2) == pytest.approx(SKY, abs=4)


def test_a_film_that_stays_dark_is_shown_as_it_is(tmp_path: Path) -> None:
    frame = key_frame(film(tmp_path / "a.mp4", dark=60, frames=60), "video/mp4", most_pixels=MOST)
    assert brightness(frame.picture, 0.5, 0.2) < 10


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize(("turned", "sky"), [(90, (0.9, 0.5)), (180, (0.5, 0.9)), (270, (0.1, 0.5))])
def test_a_film_is_upright_as_it_is_shown(tmp_path: Path, turned: int, sky: tuple[float, float]) -> None:
    frame = key_frame(film(tmp_path / "a.mp4", turned=turned), "video/mp4", most_pixels=MOST)
    assert brightness(frame.picture, *sky) == pytest.approx(SKY, abs=4), "the sky is where the film shows it"


def test_a_film_too_large_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    with pytest.raises(DecodeRefused, match="megapixels"):
        key_frame(film(tmp_path / "a.mp4"), "video/mp4", most_pixels=1000)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_film_cut_short_is_refused_or_shown_never_a_crash(tmp_path: Path, share: float) -> None:
    whole = film(tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: max(24, int(len(whole) * share))])
    with pytest.raises(DecodeRefused, match="cannot be decoded"):
        key_frame(tmp_path / "cut.mp4", "video/mp4", most_pixels=MOST)


def test_a_film_goes_the_same_way_as_a_picture(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4")
    made = decode(path, "1", "video/mp4", short_side=120)
    assert made.pixels.rgb.shape == (120, 160, 3)
    assert made.image.note == "key frame at 0.0 s of a video"
    with Decoder(1) as decoder:  # in a process of its own, within its limits
        ((_, confined),) = decoder.stream([Job(path, "1", "video/mp4", short_side=120)], window=1)
    assert isinstance(confined, Decoded)
    assert confined.image == made.image


def test_without_the_package_a_film_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(tmp_path / "a.mp4")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtra) as raised:
        decode(path, "1", "video/mp4")
    assert raised.value.extra == "video"


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_a_film_is_examined_beside_the_photos(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    path = film(folder / "a.mp4")
    said = ["-Keys:Make=Apple", "-Keys:Model=iPhone 12", "-Keys:CreationDate=2024:06:15 12:00:30+02:00",
            "-Keys:GPSCoordinates=48.8566, 2.3522, 35"]  # fmt: skip
    subprocess.run(["exiftool", "-q", "-overwrite_original", *said, str(path)], check=True)
    with open_case(folder, tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        (entry,) = case.view().photos()
    photo = entry.photo
    assert isinstance(photo.image, ImageFacts)
    assert (photo.claim.local_time.value, photo.claim.utc_offset_hours.value) == (datetime(2024, 6, 15, 12, 0, 30), 2.0)
    assert photo.claim.position.value.latitude_deg == pytest.approx(48.8566)
    assert photo.claim.device.name == "Apple iPhone 12"
    light = [finding for finding in entry.findings if finding.check_id.startswith("GF2")]
    assert {finding.outcome for finding in light} == {Outcome.NOT_TESTABLE}, "a film writes no exposure"


# --------------------------------------------------------------------------- what films say


def test_a_film_of_sony_s_tells_its_zone_and_its_camera() -> None:
    made = claim(
        {
            "XML:CreationDateValue": "2024:06:15 12:00:30+02:00",
            "XML:DeviceManufacturer": "Sony",
            "XML:DeviceModelName": "ILCE-7M3",
            "QuickTime:CreateDate": "2024:06:15 10:00:30",
        }
    )
    assert (made.local_time.value, made.utc_offset_hours.value) == (datetime(2024, 6, 15, 12, 0, 30), 2.0)
    assert made.device.key == "model:sony|ilce-7m3", "as its photos have it"


def test_a_film_of_an_android_telephone_names_it() -> None:
    made = claim({"Keys:AndroidMake": "Google", "Keys:AndroidModel": "Pixel 8"})
    assert made.device.key == "model:google|pixel 8"


# --------------------------------------------------------------------------- live photos

NOW = Context(when("2026-01-01"))
LOOK = 0x0F0F_3C3C_55AA_F00F


def halves(**of_film: object) -> list:
    still = a_summary("a.heic", media_type="image/heic", local_time="2024-06-15 12:00:30", perceptual_hash=LOOK)
    changes = {"local_time": "2024-06-15 18:00:30", "perceptual_hash": LOOK, "media_type": "video/quicktime"}
    return [still, a_summary(**{"name": "a.MOV", **changes, **of_film})]


@pytest.mark.parametrize("name", ["a.MOV", "A.mp4"])
def test_the_film_of_a_live_photo_is_no_look_alike_of_its_picture(name: str) -> None:
    told = list(duplicates.function(halves(name=name), NOW))
    assert not any(finding.is_found for finding in told)
    assert not_testable("GF406", halves(name=name)[1].source_id, "").outcome in {finding.outcome for finding in told}


def test_another_film_with_another_time_is_a_look_alike() -> None:
    told = list(duplicates.function(halves(name="b.mov"), NOW))
    assert any(finding.is_found for finding in told)


def test_the_halves_of_a_live_photo_share_a_name() -> None:
    still = a_claim(tags={"Apple:ContentIdentifier": "1234-ABCD"})
    moving = a_claim(tags={"Keys:ContentIdentifier": "1234-ABCD"})
    assert burst_id(still) == burst_id(moving) == "1234-ABCD"


def test_halves_whose_times_disagree_are_a_finding() -> None:
    pair = [*halves()]
    pair = [a_summary(**{name: getattr(half, name) for name in ("name", "media_type", "local_time")}, burst_id="1")
            for half in pair]  # fmt: skip
    told = list(bursts.function(DeviceGroup("serial:1", "one", "", tuple(pair)), NOW))
    assert [finding.outcome for finding in told if finding.is_found] == [Outcome.SUSPICIOUS]


# --------------------------------------------------------------------------- corrected with the rest of their camera


def dates_of(path: Path) -> dict[str, str]:
    command = ["exiftool", "-s", "-api", "QuickTimeUTC=0", "-QuickTime:CreateDate", "-Keys:CreationDate",
               "-Track1:MediaCreateDate", str(path)]  # fmt: skip
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in lines}


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_a_film_is_corrected_with_the_photos_of_its_camera_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    make_photo(folder / "a.jpg", 1, taken="2024:06:15 12:00:30")
    path = film(folder / "b.mov")
    said = ["-Keys:Make=Canon", "-Keys:Model=Canon EOS 80D", "-Keys:CreationDate=2024:06:15 12:10:30+02:00",
            "-QuickTime:CreateDate=2024:06:15 10:10:30", "-Track1:MediaCreateDate=2024:06:15 10:10:30"]  # fmt: skip
    subprocess.run(["exiftool", "-q", "-overwrite_original", *said, str(path)], check=True)
    before = path.read_bytes()
    with open_case(folder, tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
    run = CliRunner()
    for arguments in (["--offset", "-01:02:00"], ["--apply", "--in-place", "--yes-change-originals"]):
        done = run.invoke(gtloc, ["correct", str(tmp_path / "case"), *arguments])
        assert done.exit_code == ExitCode.CLEAN, done.output
    assert dates_of(path)["CreateDate"] == "2024:06:15 09:08:30"
    assert dates_of(path)["CreationDate"] == "2024:06:15 11:08:30+02:00"
    assert dates_of(path)["MediaCreateDate"] == "2024:06:15 09:08:30"
    undone = run.invoke(gtloc, ["correct", str(tmp_path / "case"), "--undo"])
    assert undone.exit_code == ExitCode.CLEAN, undone.output
    assert path.read_bytes() == before
