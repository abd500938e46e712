"""Corrections carried out: what is written where, what is refused, and that every byte comes back."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from gtloc_forensics.correct import (
    WORDS,
    Beside,
    Change,
    ClientTagger,
    Copies,
    InPlace,
    Journal,
    Plan,
    Quantity,
    Sidecars,
    SidecarStyle,
    Workshop,
    apply,
    files,
    proof,
    resume,
    undo,
)
from gtloc_forensics.errors import CaseBusy, CorrectionStopped, EvidenceTreeError, ToolFailed, UsageError
from gtloc_forensics.metadata.exiftool import ExifTool

pytestmark = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

OLD, NEW = "2022-04-02 15:10:51", "2022-04-02 09:10:51"
SHOT = (
    ("IFD0:Make", "Acme"),
    ("ExifIFD:DateTimeOriginal", "2022:04:02 15:10:51"),
    ("ExifIFD:CreateDate", "2022:04:02 15:10:51"),
    ("IFD0:ModifyDate", "2022:04:02 15:10:51"),
    ("ExifIFD:SubSecTimeOriginal", "37"),
)


@pytest.fixture(scope="module")
def client():
    with ExifTool() as tool:
        yield tool


@pytest.fixture
def evidence(tmp_path):
    folder = tmp_path / "evidence"
    folder.mkdir()
    return folder


@pytest.fixture
def shop(client, tmp_path):
    """Return a function that runs something with a fresh workshop on the one journal of this test."""
    told = []

    def at_work(action, **more):
        with Journal(tmp_path / "case" / "corrections") as journal:

            def witness(*event):
                told.append(event)

            return action(workshop=Workshop(journal, ClientTagger(client), witness, **more))

    at_work.told = told
    return at_work


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def a_jpeg(client, path: Path, *tags: tuple[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise((48, 32), 40).convert("RGB").save(path, "JPEG", quality=80)
    assert client.write(os.fsencode(path), list(tags or SHOT)).done
    return path


def change(path: Path, evidence: Path, quantity=Quantity.LOCAL_TIME, old=OLD, new=NEW, **more) -> Change:
    relative = os.fsencode(path.relative_to(evidence))
    return Change(
        relative, sha(path), quantity, old, new, more.pop("reason", "a test"), more.pop("strength", 1.0), **more
    )


def tags_of(client, path: Path):
    return client.read([os.fsencode(path)])[0].tags


def snapshot(folder: Path) -> dict[str, tuple]:
    return {
        str(path.relative_to(folder)): (sha(path), path.stat().st_mtime_ns, path.stat().st_mode)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def carry_out(shop, plan, evidence, destination, **more):
    return shop(lambda workshop: apply(plan, evidence=evidence, destination=destination, workshop=workshop), **more)


# ----------------------------------------------------------------- sidecars


def test_a_sidecar_goes_to_a_mirror_tree_and_the_evidence_stays_as_it_was(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "trip" / "a.jpg")
    before = snapshot(evidence)
    plan = Plan((change(photo, evidence), change(photo, evidence, Quantity.OFFSET, "", "-06:00")))
    os.utime(photo, ns=(1_400_000_000_000_000_000, photo.stat().st_mtime_ns))
    result = carry_out(shop, plan, evidence, Sidecars(tmp_path / "mirror"))
    sidecar = tmp_path / "mirror" / "trip" / "a.jpg.xmp"
    assert [member.target for member in result.corrected] == [sidecar]
    tags = tags_of(client, sidecar)
    for tag in ("XMP-exif:DateTimeOriginal", "XMP-photoshop:DateCreated", "XMP-xmp:CreateDate"):
        assert tags[tag] == ("2022:04:02 09:10:51.37-06:00",)
    assert photo.stat().st_atime_ns == 1_400_000_000_000_000_000
    assert snapshot(evidence) == before


def test_other_peoples_xmp_is_merged_whichever_way_the_sidecar_is_named(client, shop, evidence, tmp_path):
    for name, beside in (("a.jpg", "a.jpg.xmp"), ("b.jpg", "b.xmp")):
        a_jpeg(client, evidence / name)
        sidecar = evidence / beside
        client.write(
            os.fsencode(sidecar), [("XMP-xmp:Rating", "4"), ("XMP-dc:Subject", "sea"), ("XMP-dc:Creator", "N.")]
        )
    plan = Plan(
        tuple(
            line
            for name in ("a.jpg", "b.jpg")
            for line in (
                change(evidence / name, evidence),
                change(evidence / name, evidence, Quantity.KEYWORDS, "", "gtloc|time|corrected"),
            )
        )
    )
    carry_out(shop, plan, evidence, Sidecars(tmp_path / "mirror"))
    for beside in ("a.jpg.xmp", "b.xmp"):
        tags = tags_of(client, tmp_path / "mirror" / beside)
        assert tags["XMP-xmp:Rating"] == (4,)
        assert tags["XMP-dc:Creator"] == ("N.",)
        assert tags["XMP-dc:Subject"] == ("sea", "corrected")
        assert tags["XMP-lr:HierarchicalSubject"] == ("gtloc|time|corrected",)
        assert tags["XMP-digiKam:TagsList"] == ("gtloc/time/corrected",)
        assert tags["XMP-exif:DateTimeOriginal"][0].startswith("2022:04:02 09:10:51")


def test_two_photos_that_would_share_a_sidecar_are_not_both_written(client, shop, evidence, tmp_path):
    for name in ("a.jpg", "a.jpeg"):
        a_jpeg(client, evidence / name)
    (evidence / "a.xmp").write_text("whose?")
    plan = Plan(tuple(change(evidence / name, evidence) for name in ("a.jpg", "a.jpeg")))
    result = carry_out(shop, plan, evidence, Sidecars(tmp_path / "mirror", SidecarStyle.REPLACED))
    assert len(result.corrected) == 1
    assert "share its sidecar" in result.refused[0].reason


def test_a_second_correction_builds_on_the_first_sidecar(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    mirror = Sidecars(tmp_path / "mirror")
    carry_out(shop, Plan((change(photo, evidence),)), evidence, mirror)
    place = change(photo, evidence, Quantity.POSITION, "", "-33.8688000, 151.2093000")
    carry_out(shop, Plan((place,)), evidence, mirror)
    tags = tags_of(client, tmp_path / "mirror" / "a.jpg.xmp")
    assert tags["XMP-exif:DateTimeOriginal"][0].startswith("2022:04:02 09:10:51")
    assert tags["XMP-exif:GPSLatitude"] == (pytest.approx(-33.8688, abs=1e-6),)
    assert tags["XMP-exif:GPSLongitude"] == (pytest.approx(151.2093, abs=1e-6),)
    assert not [tag for tag in tags if tag.endswith("Ref")]  # XMP has no GPSLatitudeRef (field.md B1)


def test_a_name_too_long_for_its_sidecar_is_refused_and_the_other_style_fits(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg").rename(evidence / ("n" * 249 + ".jpg"))
    plan = Plan((change(photo, evidence),))
    result = carry_out(shop, plan, evidence, Sidecars(tmp_path / "mirror"))
    assert "too long" in result.refused[0].reason
    result = carry_out(shop, plan, evidence, Sidecars(tmp_path / "mirror", SidecarStyle.REPLACED))
    assert result.corrected


# ----------------------------------------------------------------- copies


def test_a_copy_is_corrected_in_step_with_times_and_pixels_kept(client, shop, evidence, tmp_path):
    photo = a_jpeg(
        client,
        evidence / "a.jpg",
        *SHOT,
        ("ExifIFD:OffsetTimeOriginal", "+00:00"),
        ("ExifIFD:OffsetTime", "+00:00"),
        ("XMP-photoshop:DateCreated", "2022:04:02 15:10:51.37+00:00"),
        ("XMP-xmp:CreateDate", "2022:04:02 15:10:51"),
        ("IPTC:DateCreated", "2022:04:02"),
        ("IPTC:TimeCreated", "15:10:51+00:00"),
    )
    photo.chmod(0o640)
    os.utime(photo, ns=(1, 1_500_000_000_000_000_000))
    plan = Plan((change(photo, evidence), change(photo, evidence, Quantity.OFFSET, "+00:00", "-06:00")))
    result = carry_out(shop, plan, evidence, Copies(tmp_path / "fixed"))
    copy = tmp_path / "fixed" / "a.jpg"
    assert [member.after for member in result.corrected] == [sha(copy)]
    tags = tags_of(client, copy)
    assert tags["ExifIFD:DateTimeOriginal"] == tags["ExifIFD:CreateDate"] == tags["IFD0:ModifyDate"]
    assert tags["ExifIFD:DateTimeOriginal"] == ("2022:04:02 09:10:51",)
    assert str(tags["ExifIFD:SubSecTimeOriginal"][0]) == "37"
    assert tags["ExifIFD:OffsetTimeOriginal"] == tags["ExifIFD:OffsetTime"] == ("-06:00",)
    assert tags["XMP-photoshop:DateCreated"] == ("2022:04:02 09:10:51.37-06:00",)
    assert tags["XMP-xmp:CreateDate"] == ("2022:04:02 09:10:51",)
    assert (tags["IPTC:DateCreated"], tags["IPTC:TimeCreated"]) == (("2022:04:02",), ("09:10:51-06:00",))
    assert proof.picture_digest(copy) == proof.picture_digest(photo)
    assert copy.stat().st_mtime_ns == 1_500_000_000_000_000_000
    assert copy.stat().st_mode == photo.stat().st_mode


def test_an_editors_later_date_stays_when_the_cameras_clock_is_moved(client, shop, evidence, tmp_path):
    tags = [tag if tag[0] != "IFD0:ModifyDate" else ("IFD0:ModifyDate", "2023:01:01 08:00:00") for tag in SHOT]
    photo = a_jpeg(client, evidence / "a.jpg", *tags)
    carry_out(shop, Plan((change(photo, evidence),)), evidence, Copies(tmp_path / "fixed"))
    assert tags_of(client, tmp_path / "fixed" / "a.jpg")["IFD0:ModifyDate"] == ("2023:01:01 08:00:00",)


def test_a_copy_never_takes_the_place_of_somebody_elses_file(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    (tmp_path / "fixed").mkdir()
    (tmp_path / "fixed" / "a.jpg").write_text("not ours")
    plan = Plan((change(photo, evidence),))
    result = carry_out(shop, plan, evidence, Copies(tmp_path / "fixed"))
    assert "exists and was not made by a correction" in result.refused[0].reason
    assert (tmp_path / "fixed" / "a.jpg").read_text() == "not ours"


def test_a_target_behind_a_symbolic_link_is_refused(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "trip" / "a.jpg")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "fixed").mkdir()
    (tmp_path / "fixed" / "trip").symlink_to(elsewhere)
    result = carry_out(shop, Plan((change(photo, evidence),)), evidence, Copies(tmp_path / "fixed"))
    assert "symbolic link" in result.refused[0].reason
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("name", [b"\xff\xfe.jpg", b"a\nb.jpg", b" lead.jpg", b"#hash.jpg", b"-dash.jpg", b'q"$@x.jpg'])
def test_any_name_can_be_corrected(client, shop, evidence, tmp_path, name):
    photo = Path(os.fsdecode(os.fsencode(evidence) + b"/" + name))
    shutil.copy(a_jpeg(client, tmp_path / "plain.jpg"), photo)
    plan = Plan((change(photo, evidence),))
    copies, mirror = Copies(tmp_path / "fixed"), Sidecars(tmp_path / "mirror")
    assert carry_out(shop, plan, evidence, copies).corrected[0].relative == name
    assert carry_out(shop, plan, evidence, mirror).corrected
    assert sorted(os.listdir(os.fsencode(evidence))) == [name]


def test_a_file_that_changed_since_the_plan_is_refused_and_the_others_are_not(client, shop, evidence, tmp_path):
    first, second, third = (a_jpeg(client, evidence / f"{name}.jpg") for name in "abc")
    plan = Plan(tuple(change(photo, evidence) for photo in (first, second, third)))
    first.write_bytes(first.read_bytes() + b"more")
    second.unlink()
    result = carry_out(shop, plan, evidence, Copies(tmp_path / "fixed"))
    assert {refusal.relative: refusal.reason[:20] for refusal in result.refused} == {
        b"a.jpg": "it changed since the",
        b"b.jpg": "it is not there any ",
    }
    assert [photo.relative for photo in result.corrected] == [b"c.jpg"]


def test_a_line_that_locks_things_as_they_are_changes_nothing_and_is_no_failure(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    result = carry_out(
        shop, Plan((change(photo, evidence, new=OLD, locked=True),)), evidence, Copies(tmp_path / "fixed")
    )
    assert not result.corrected
    assert not result.refused
    assert not (tmp_path / "fixed").exists()


def test_a_line_added_by_hand_with_a_wrong_old_time_is_refused(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    plan = Plan((change(photo, evidence, old="2022-04-02 15:20:51"),))
    result = carry_out(shop, plan, evidence, Copies(tmp_path / "fixed"))
    assert "the file says 2022-04-02 15:10:51" in result.refused[0].reason


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")
def test_an_original_keeps_its_owner(client, shop, evidence):
    photo = a_jpeg(client, evidence / "a.jpg")
    os.chown(photo, 1234, 2345)
    carry_out(shop, Plan((change(photo, evidence),)), evidence, InPlace(WORDS, is_evidence=False))
    assert (photo.stat().st_uid, photo.stat().st_gid) == (1234, 2345)
    shop(undo)
    assert (photo.stat().st_uid, photo.stat().st_gid) == (1234, 2345)


def test_a_file_that_changes_while_it_is_corrected_is_left_with_its_change(client, shop, evidence):
    photo = a_jpeg(client, evidence / "a.jpg")
    plan = Plan((change(photo, evidence),))
    changed = photo.read_bytes() + b"somebody else's"

    def meanwhile(path):
        digest = proof.picture_digest(path)
        photo.write_bytes(changed)
        return digest

    result = carry_out(shop, plan, evidence, InPlace(WORDS, is_evidence=False), digest=meanwhile)
    assert "changed since the plan" in result.refused[0].reason
    assert photo.read_bytes() == changed
    assert os.listdir(evidence) == ["a.jpg"]


def test_the_digest_of_changed_iptc_follows_it(client, shop, evidence, tmp_path):
    """MWG: IPTCDigest says whether IPTC or XMP is newer; exiftool 12.57 counts CurrentIPTCDigest."""
    photo = a_jpeg(client, evidence / "a.jpg", *SHOT, ("IPTC:DateCreated", "2022:04:02"),
                   ("IPTC:TimeCreated", "15:10:51+00:00"), ("Photoshop:IPTCDigest", "new"))  # fmt: skip
    carry_out(shop, Plan((change(photo, evidence),)), evidence, Copies(tmp_path / "fixed"))
    before, after = tags_of(client, photo), tags_of(client, tmp_path / "fixed" / "a.jpg")
    assert after["Photoshop:IPTCDigest"] != before["Photoshop:IPTCDigest"]
    assert after["Photoshop:IPTCDigest"] == after["File:CurrentIPTCDigest"]


def test_a_picture_that_cannot_be_proven_unchanged_is_left_to_sidecars(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    plan = Plan((change(photo, evidence),))
    result = carry_out(shop, plan, evidence, Copies(tmp_path / "fixed"), digest=lambda path: None)
    assert "use a sidecar" in result.refused[0].reason
    assert not list((tmp_path / "fixed").iterdir())


def test_a_write_that_damages_the_picture_or_another_tag_is_never_let_through(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    plan = Plan((change(photo, evidence),))

    class Careless(ClientTagger):
        extra: tuple = ()

        def write(self, path, assignments):
            super().write(path, [*assignments, *self.extra])
            if not self.extra:
                with Image.open(path) as picture:
                    exif, flipped = picture.info["exif"], picture.transpose(Image.Transpose.ROTATE_180)
                flipped.save(path, "JPEG", exif=exif)

    for extra, reason in (((), "picture would have changed"), ((("IFD0:Artist", "me"),), "IFD0:Artist was changed")):
        tagger = Careless(client)
        tagger.extra = extra
        with Journal(tmp_path / "case2") as journal:
            result = apply(
                plan, evidence=evidence, destination=Copies(tmp_path / "fixed"), workshop=Workshop(journal, tagger)
            )
        assert reason in result.refused[0].reason
    assert not list((tmp_path / "fixed").iterdir())


def test_a_tool_that_fails_on_one_photo_leaves_it_and_goes_on(client, shop, evidence, tmp_path):
    photos = [a_jpeg(client, evidence / f"{name}.jpg") for name in "ab"]

    class Fails(ClientTagger):
        def write(self, path, assignments):
            if not Fails.failed:
                Fails.failed = True
                raise ToolFailed("exiftool gave no answer within 30 s")
            super().write(path, assignments)

    Fails.failed = False
    plan = Plan(tuple(change(photo, evidence) for photo in photos))
    with Journal(tmp_path / "case2") as journal:
        shop_ = Workshop(journal, Fails(client))
        result = apply(plan, evidence=evidence, destination=Copies(tmp_path / "fixed"), workshop=shop_)
    assert "no answer" in result.refused[0].reason
    assert [photo.relative for photo in result.corrected] == [b"b.jpg"]


# ----------------------------------------------------------------- in place, and undoing


def test_originals_are_changed_only_in_so_many_words_and_never_in_evidence(client, shop, evidence):
    with pytest.raises(UsageError, match="--yes-change-originals"):
        InPlace("yes", is_evidence=False)
    with pytest.raises(UsageError, match="marked as evidence"):
        InPlace(WORDS, is_evidence=True)


def test_undo_restores_the_exact_bytes_and_times_of_an_original(client, shop, evidence):
    photo = a_jpeg(client, evidence / "a.jpg")
    photo.chmod(0o640)
    os.utime(photo, ns=(1_400_000_000_000_000_000, 1_500_000_000_000_000_000))
    before = snapshot(evidence)
    result = carry_out(shop, Plan((change(photo, evidence),)), evidence, InPlace(WORDS, is_evidence=False))
    assert tags_of(client, photo)["ExifIFD:DateTimeOriginal"] == ("2022:04:02 09:10:51",)
    assert photo.stat().st_mtime_ns == 1_500_000_000_000_000_000
    assert sha(photo) == result.corrected[0].after != result.corrected[0].before
    undone = shop(undo)
    assert undone.corrected and not undone.refused
    assert snapshot(evidence) == before
    with pytest.raises(UsageError, match="nothing to undo"):
        shop(undo)


def test_two_corrections_of_one_original_are_undone_the_last_one_first(client, shop, evidence):
    photo = a_jpeg(client, evidence / "a.jpg")
    states = [sha(photo)]
    for old, new in ((OLD, NEW), (NEW, "2022-04-03 09:10:51")):
        carry_out(shop, Plan((change(photo, evidence, old=old, new=new),)), evidence, InPlace(WORDS, is_evidence=False))
        states.append(sha(photo))
    assert len(set(states)) == 3
    refused = shop(lambda workshop: undo(workshop, transaction="T0001")).refused
    assert "changed since" in refused[0].reason
    shop(lambda workshop: undo(workshop, transaction="T0002"))
    assert sha(photo) == states[1]
    shop(undo)
    assert sha(photo) == states[0]


def test_undo_leaves_alone_what_somebody_changed_since(client, shop, evidence, tmp_path):
    photos = [a_jpeg(client, evidence / f"{name}.jpg") for name in "ab"]
    plan = Plan(tuple(change(photo, evidence) for photo in photos))
    carry_out(shop, plan, evidence, Sidecars(tmp_path / "mirror"))
    (tmp_path / "mirror" / "a.jpg.xmp").write_text("edited by a person")
    result = shop(undo)
    assert [refusal.relative for refusal in result.refused] == [b"a.jpg"]
    assert (tmp_path / "mirror" / "a.jpg.xmp").read_text() == "edited by a person"
    assert not (tmp_path / "mirror" / "b.jpg.xmp").exists()


def test_undoing_a_sidecar_that_was_merged_gives_the_earlier_one_back(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    client.write(os.fsencode(mirror / "a.jpg.xmp"), [("XMP-xmp:Rating", "2")])
    before = snapshot(mirror)
    carry_out(shop, Plan((change(photo, evidence),)), evidence, Sidecars(mirror))
    assert snapshot(mirror) != before
    shop(undo)
    assert snapshot(mirror) == before


def test_a_photo_with_two_names_is_not_parted_from_its_other_name(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    os.link(photo, evidence / "b.jpg")
    plan = Plan((change(photo, evidence),))
    result = carry_out(shop, plan, evidence, InPlace(WORDS, is_evidence=False))
    assert "hard links" in result.refused[0].reason
    assert sha(photo) == sha(evidence / "b.jpg")
    copied = carry_out(shop, plan, evidence, Copies(tmp_path / "fixed"))
    assert copied.corrected
    assert os.stat(tmp_path / "fixed" / "a.jpg").st_nlink == 1


def test_an_output_or_a_journal_inside_the_evidence_is_refused(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    (tmp_path / "way_in").symlink_to(evidence)
    for folder in (evidence, evidence / "xmp", tmp_path / "way_in" / "xmp"):
        for destination in (Sidecars(folder), Copies(folder)):
            with pytest.raises(EvidenceTreeError):
                carry_out(shop, Plan((change(photo, evidence),)), evidence, destination)
    assert os.listdir(evidence) == ["a.jpg"]


def test_a_target_behind_a_link_into_the_evidence_is_refused_for_each_photo(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "trip" / "a.jpg")
    (tmp_path / "fixed").mkdir()
    (tmp_path / "fixed" / "trip").symlink_to(evidence / "trip")
    before = snapshot(evidence)
    result = carry_out(shop, Plan((change(photo, evidence),)), evidence, Copies(tmp_path / "fixed"))
    assert result.refused
    assert snapshot(evidence) == before


def test_a_second_mount_of_the_evidence_is_the_evidence(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    done = subprocess.run(["mount", "--bind", evidence, mounted], capture_output=True)
    if done.returncode:
        pytest.skip("this user may not mount")
    try:
        for destination in (Copies(mounted), Copies(mounted / "deeper"), Sidecars(mounted)):
            with pytest.raises(EvidenceTreeError):
                carry_out(shop, Plan((change(photo, evidence),)), evidence, destination)
    finally:
        subprocess.run(["umount", mounted], check=True)
    assert os.listdir(evidence) == ["a.jpg"]


def test_the_refusal_names_options_that_correct_has(client, shop, evidence):
    photo = a_jpeg(client, evidence / "a.jpg")
    with pytest.raises(EvidenceTreeError, match="--sidecars or --copy"):
        carry_out(shop, Plan((change(photo, evidence),)), evidence, Copies(evidence / "out"))


# ----------------------------------------------------------------- from any working directory


def test_a_relative_destination_is_finished_and_undone_from_anywhere(client, shop, evidence, tmp_path, monkeypatch):
    photos = [a_jpeg(client, evidence / f"{name}.jpg") for name in "ab"]
    for place in ("here", "elsewhere"):
        (tmp_path / place).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    carry_out(shop, Plan(tuple(change(photo, evidence) for photo in photos)), evidence, Copies(Path("fixed")))
    assert sorted(os.listdir("fixed")) == ["a.jpg", "b.jpg"]
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert len(shop(undo).corrected) == 2
    assert os.listdir(tmp_path / "here" / "fixed") == []
    assert os.listdir(tmp_path / "elsewhere") == []


def test_undoing_names_a_target_that_is_not_there_and_stays_open(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    carry_out(shop, Plan((change(photo, evidence),)), evidence, Copies(tmp_path / "fixed"))
    copy = tmp_path / "fixed" / "a.jpg"
    away = copy.rename(tmp_path / "moved.jpg")
    for _ in range(2):
        result = shop(undo)
        assert not result.corrected
        assert f"{copy} is not there" in result.refused[0].reason
    away.rename(copy)
    assert len(shop(undo).corrected) == 1
    assert not copy.exists()


def test_a_relative_path_in_the_journal_of_an_earlier_version_is_refused_in_words(tmp_path):
    with pytest.raises(CorrectionStopped, match="without its folder"):
        files.absolute("cp/a.jpg")


# ----------------------------------------------------------------- beside the photos


def test_sidecars_beside_the_photos_are_written_merged_and_undone(client, shop, evidence):
    photos = [a_jpeg(client, evidence / "trip" / f"{name}.jpg") for name in "ab"]
    client.write(os.fsencode(evidence / "trip" / "b.xmp"), [("XMP-xmp:Rating", "4")])
    before = snapshot(evidence)
    plan = Plan(tuple(change(photo, evidence) for photo in photos))
    result = carry_out(shop, plan, evidence, Beside(is_evidence=False))
    assert not result.refused
    assert sorted(os.listdir(evidence / "trip")) == ["a.jpg", "a.jpg.xmp", "b.jpg", "b.xmp"]
    assert tags_of(client, evidence / "trip" / "b.xmp")["XMP-xmp:Rating"] == (4,)
    assert [sha(photo) for photo in photos] == [before[f"trip/{photo.name}"][0] for photo in photos]
    shop(undo)
    assert snapshot(evidence) == before


def test_nothing_is_written_beside_the_photos_of_a_case_marked_as_evidence():
    with pytest.raises(UsageError, match="marked as evidence"):
        Beside(is_evidence=True)


# ----------------------------------------------------------------- the journal and the custody chain


def test_every_file_is_told_to_the_custody_chain_with_hashes_before_and_after(client, shop, evidence):
    photo = a_jpeg(client, evidence / "a.jpg")
    before = sha(photo)
    carry_out(shop, Plan((change(photo, evidence),)), evidence, InPlace(WORDS, is_evidence=False))
    after = sha(photo)
    shop(undo)
    steps = [(subject, detail["step"]) for _, subject, detail in shop.told]
    assert steps == [
        ("a.jpg", "apply"),
        ("transaction T0001", "commit"),
        ("a.jpg", "undo"),
        ("transaction T0001", "undone"),
    ]
    assert (shop.told[0][2]["sha256_before"], shop.told[0][2]["sha256_after"]) == (before, after)
    assert (shop.told[2][2]["sha256_before"], shop.told[2][2]["sha256_after"]) == (after, before)


def test_an_altered_journal_is_not_believed(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    carry_out(shop, Plan((change(photo, evidence),)), evidence, Sidecars(tmp_path / "mirror"))
    path = tmp_path / "case" / "corrections" / "journal.jsonl"
    altered = path.read_text().replace(sha(photo)[:8], "00000000") if sha(photo)[:8] in path.read_text() else None
    text = altered or path.read_text().replace('"step":"intend"', '"step":"refused"')
    path.write_text(text)
    with pytest.raises(CorrectionStopped, match="altered"):
        shop(undo)


def test_a_torn_last_line_is_a_step_that_never_happened(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    carry_out(shop, Plan((change(photo, evidence),)), evidence, Sidecars(tmp_path / "mirror"))
    path = tmp_path / "case" / "corrections" / "journal.jsonl"
    whole = path.read_bytes()
    for cut in (1, 7, 40):
        path.write_bytes(whole[:-cut])
        with Journal(path.parent) as journal:
            assert len(journal.entries) == len(whole.splitlines()) - 1
            journal.append("T0001", "commit")
        with Journal(path.parent) as journal:
            assert len(journal.entries) == len(whole.splitlines())
        path.write_bytes(whole)


def test_two_programs_cannot_correct_one_case_at_a_time(tmp_path):
    with Journal(tmp_path / "j"), pytest.raises(CaseBusy), Journal(tmp_path / "j"):
        pass


def test_a_plan_altered_after_the_start_is_not_resumed(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    plan = Plan((change(photo, evidence),))
    with pytest.raises(CorrectionStopped, match="No space"):
        carry_out(shop, plan, evidence, Copies(tmp_path / "fixed"), digest=_disk_full)
    path = tmp_path / "case" / "corrections" / "T0001.plan.toml"
    path.write_text(path.read_text().replace("09:10", "03:10"))
    with pytest.raises(CorrectionStopped, match="altered"):
        shop(resume)


# ----------------------------------------------------------------- disks that are full or cannot be written


def _disk_full(path):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_stops_the_transaction_leaves_nothing_half_written_and_resumes(client, shop, evidence, tmp_path):
    photos = [a_jpeg(client, evidence / f"{name}.jpg") for name in "abc"]
    plan = Plan(tuple(change(photo, evidence) for photo in photos))
    asked = []

    def full_at_the_second(path):
        asked.append(path)
        if len(asked) > 2:
            _disk_full(path)
        return proof.picture_digest(path)

    copies = Copies(tmp_path / "fixed")
    with pytest.raises(CorrectionStopped, match="resume or undo"):
        carry_out(shop, plan, evidence, copies, digest=full_at_the_second)
    assert os.listdir(tmp_path / "fixed") == ["a.jpg"]
    with pytest.raises(UsageError, match="interrupted"):
        carry_out(shop, plan, evidence, copies)
    assert len(shop(resume).corrected) == 3
    assert sorted(os.listdir(tmp_path / "fixed")) == ["a.jpg", "b.jpg", "c.jpg"]
    assert shop(resume) is None


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_stops_before_anything_is_changed(
    client, shop, evidence, tmp_path, monkeypatch, number
):
    photo = a_jpeg(client, evidence / "a.jpg")
    before = snapshot(evidence)
    honest = files.copy_bytes

    def copy(source, target):
        if evidence in target.parents:
            raise OSError(number, os.strerror(number))
        return honest(source, target)

    monkeypatch.setattr(files, "copy_bytes", copy)
    with pytest.raises(CorrectionStopped):
        carry_out(shop, Plan((change(photo, evidence),)), evidence, InPlace(WORDS, is_evidence=False))
    assert snapshot(evidence) == before
    monkeypatch.undo()
    shop(undo)
    assert snapshot(evidence) == before


def test_a_folder_without_permission_leaves_its_photos_and_says_so(client, shop, evidence, tmp_path, monkeypatch):
    photo = a_jpeg(client, evidence / "a.jpg")

    def denied(folder):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(
        files,
        "make_folder",
        lambda folder, honest=files.make_folder: denied(folder) if "fixed" in str(folder) else honest(folder),
    )
    result = carry_out(shop, Plan((change(photo, evidence),)), evidence, Copies(tmp_path / "fixed"))
    assert "Permission denied" in result.refused[0].reason


# ----------------------------------------------------------------- proofs


def test_the_picture_digest_sees_one_changed_pixel_and_ignores_metadata(client, tmp_path):
    photo = a_jpeg(client, tmp_path / "a.jpg")
    digest = proof.picture_digest(photo)
    client.write(os.fsencode(photo), [("IFD0:Artist", "somebody")])
    assert proof.picture_digest(photo) == digest
    picture = Image.new("RGB", (9, 9), (10, 20, 30))
    picture.save(tmp_path / "b.png")
    first = proof.picture_digest(tmp_path / "b.png")
    picture.putpixel((3, 3), (11, 20, 30))
    picture.save(tmp_path / "b.png")
    assert proof.picture_digest(tmp_path / "b.png") != first


def test_a_broken_jpeg_is_proven_by_its_coded_data_and_other_things_not_at_all(client, tmp_path):
    photo = a_jpeg(client, tmp_path / "a.jpg")
    photo.write_bytes(photo.read_bytes()[:-30])
    digest = proof.picture_digest(photo)
    assert digest.startswith("coded:")
    client.write(os.fsencode(photo), [("IFD0:Artist", "somebody")])
    assert proof.picture_digest(photo) == digest
    data = bytearray(photo.read_bytes())
    data[-5] ^= 1
    photo.write_bytes(data)
    assert proof.picture_digest(photo) != digest
    (tmp_path / "x.heic").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 40)
    assert proof.picture_digest(tmp_path / "x.heic") is None


def a_movie(path: Path, created: str, media_data: bytes = b"\1\2\3" * 99) -> Path:
    """Write the least MP4 that exiftool reads and writes: one video track, clocks counting seconds from 1904."""
    from datetime import datetime

    def box(kind: bytes, *parts: bytes) -> bytes:
        body = b"".join(parts)
        return (len(body) + 8).to_bytes(4, "big") + kind + body

    clock = int((datetime.fromisoformat(created) - datetime(1904, 1, 1)).total_seconds()).to_bytes(4, "big") * 2
    zero = bytes(4)
    mvhd = box(b"mvhd", zero, clock, (600).to_bytes(4, "big"), bytes(4 + 76 + 4))
    tkhd = box(b"tkhd", zero, clock, (1).to_bytes(4, "big"), bytes(4 + 4 + 52 + 8))
    mdhd = box(b"mdhd", zero, clock, (600).to_bytes(4, "big"), bytes(8))
    hdlr = box(b"hdlr", bytes(8), b"vide", bytes(13))
    moov = box(b"moov", mvhd, box(b"trak", tkhd, box(b"mdia", mdhd, hdlr)))
    path.write_bytes(box(b"ftyp", b"mp42", zero, b"mp42isom") + moov + box(b"mdat", media_data))
    return path


def test_a_movies_clocks_are_written_in_utc_on_every_track_and_its_media_data_stays(client, shop, evidence, tmp_path):
    # A camera five hours ahead that wrote local time where the format counts UTC.
    movie = a_movie(evidence / "a.mp4", "2022-04-02 15:10:51")
    old = tags_of(client, movie)
    assert old["QuickTime:CreateDate"] == old["Track1:MediaCreateDate"] == ("2022:04:02 15:10:51",)
    plan = Plan((change(movie, evidence, old="2022-04-02 15:10:51", new="2022-04-02 10:10:51"),
                 change(movie, evidence, Quantity.OFFSET, "", "-06:00")))  # fmt: skip
    result = carry_out(shop, plan, evidence, Copies(tmp_path / "fixed"))
    assert not result.refused
    tags = tags_of(client, tmp_path / "fixed" / "a.mp4")
    for tag in ("QuickTime:CreateDate", "QuickTime:ModifyDate", "Track1:TrackCreateDate", "Track1:MediaCreateDate"):
        assert tags[tag] == ("2022:04:02 16:10:51",)
    assert proof.picture_digest(tmp_path / "fixed" / "a.mp4") == proof.picture_digest(movie)
    other = a_movie(tmp_path / "b.mp4", "2022-04-02 15:10:51", b"\1\2\4" * 99)
    assert proof.picture_digest(other) != proof.picture_digest(movie)


def test_the_journal_is_plain_json_lines_that_chain(client, shop, evidence, tmp_path):
    photo = a_jpeg(client, evidence / "a.jpg")
    carry_out(shop, Plan((change(photo, evidence),)), evidence, Sidecars(tmp_path / "mirror"))
    lines = (tmp_path / "case" / "corrections" / "journal.jsonl").read_bytes().splitlines(keepends=True)
    rows = [json.loads(line) for line in lines]
    assert [row["step"] for row in rows] == ["begin", "intend", "ready", "done", "commit"]
    for earlier, row in zip(lines, rows[1:], strict=False):
        assert row["previous_hash"] == hashlib.sha256(earlier).hexdigest()
