"""A sidecar of ours as darktable reads it: the corrected time, place and hierarchical keywords arrive."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
from datetime import datetime, timedelta

import pytest
from PIL import Image

from gtloc_forensics.correct import Change, ClientTagger, Journal, Plan, Quantity, Sidecars, Workshop, apply
from gtloc_forensics.metadata.exiftool import ExifTool

pytestmark = [
    pytest.mark.skipif(shutil.which("darktable-cli") is None, reason="darktable-cli is not installed"),
    pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed"),
]


@pytest.fixture
def library(tmp_path):
    """Let darktable import a photo with our sidecar beside it; return its library and its tags database."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    photo = pictures / "a.jpg"
    Image.effect_noise((96, 64), 40).convert("RGB").save(photo, "JPEG")
    with ExifTool() as client, Journal(tmp_path / "journal") as journal:
        client.write(os.fsencode(photo), [("ExifIFD:DateTimeOriginal", "2022:04:02 15:10:51"), ("IFD0:Make", "Acme")])
        digest = hashlib.sha256(photo.read_bytes()).hexdigest()
        wanted = (
            (Quantity.LOCAL_TIME, "2022-04-02 15:10:51", "2022-04-02 09:10:51"),
            (Quantity.POSITION, "", "-33.8688000, 151.2093000"),
            (Quantity.KEYWORDS, "", "gtloc|time|corrected"),
        )
        plan = Plan(tuple(Change(b"a.jpg", digest, *line, "a test", 1.0) for line in wanted))
        mirror = Sidecars(tmp_path / "mirror")
        apply(plan, evidence=pictures, destination=mirror, workshop=Workshop(journal, ClientTagger(client)))
    shutil.copy(tmp_path / "mirror" / "a.jpg.xmp", pictures)
    config = tmp_path / "darktable"
    config.mkdir()
    command = ["darktable-cli", str(photo), str(tmp_path / "out.jpg"), "--core", "--disable-opencl"]
    folders = ["--configdir", str(config), "--cachedir", str(config), "--library", str(tmp_path / "library.db")]
    subprocess.run([*command, *folders], check=True, capture_output=True, timeout=120)
    return tmp_path / "library.db", config / "data.db"


def test_darktable_reads_time_place_and_keywords_from_a_sidecar_of_ours(library):
    images, tags = (sqlite3.connect(path) for path in library)
    ((latitude, longitude, taken),) = images.execute("SELECT latitude, longitude, datetime_taken FROM images")
    assert (latitude, longitude) == pytest.approx((-33.8688, 151.2093), abs=1e-6)
    # darktable 4 counts microseconds of local time from the year 1
    assert datetime(1, 1, 1) + timedelta(microseconds=taken) == datetime(2022, 4, 2, 9, 10, 51)
    assert ("gtloc|time|corrected",) in tags.execute("SELECT name FROM tags").fetchall()
    images.close()
    tags.close()
