"""What differs between two examinations: photos, outcomes, versions."""

from __future__ import annotations

from dataclasses import replace

from fake_case import FakeCase, a_finding, an_entry

from gtloc_forensics.case.contrast import contrast
from gtloc_forensics.records import Outcome, RuleNote, Status


def entry(name, *findings, sha256=""):
    made = an_entry(name, *findings)
    if not sha256:
        return made
    return replace(made, photo=replace(made.photo, source=replace(made.photo.source, sha256=sha256)))


def test_the_same_case_does_not_differ():
    case = FakeCase([entry("a.jpg", a_finding("GF101", "a.jpg", Outcome.CONSISTENT))], environment={"Python": "3.11"})
    found = contrast(case, case)
    assert not found.differs
    assert (found.same, found.versions) == (1, ())


def test_new_gone_and_renamed_photos_are_told_apart():
    first = FakeCase([entry("a.jpg", sha256="1"), entry("b.jpg", sha256="2"), entry("c.jpg", sha256="3")])
    second = FakeCase([entry("a.jpg", sha256="1"), entry("z/b.jpg", sha256="2"), entry("d.jpg", sha256="4")])
    found = contrast(first, second)
    assert (found.new, found.gone, found.moved) == (("d.jpg",), ("c.jpg",), (("b.jpg", "z/b.jpg"),))
    assert found.differs


def test_another_outcome_names_the_rules_behind_it():
    first = FakeCase([entry("a.jpg", a_finding("GF101", "a.jpg", Outcome.CONSISTENT))])
    second = FakeCase(
        [
            entry(
                "a.jpg",
                a_finding("GF101", "a.jpg", Outcome.CONTRADICTION),
                a_finding("GF201", "a.jpg", Outcome.SUSPICIOUS),
                a_finding("GF301", "a.jpg", Outcome.NOT_TESTABLE),
            )
        ]
    )
    (other,) = contrast(first, second).other
    assert (other.before, other.after, other.content_differs) == (Status.CLEAN, Status.FOUND, False)
    assert other.rules == (("GF101", "consistent", "contradiction"), ("GF201", "", "suspicious"))


def test_other_bytes_under_the_same_name_are_said():
    found = contrast(FakeCase([entry("a.jpg", sha256="1")]), FakeCase([entry("a.jpg", sha256="2")]))
    assert [other.content_differs for other in found.other] == [True]


def test_other_versions_are_told_and_are_no_difference_of_the_photos():
    first = FakeCase(
        [], environment={"exiftool": "12.57", "command": "x"}, notes=(RuleNote("GF101", "a", version="1"),)
    )
    second = FakeCase(
        [], environment={"exiftool": "13.00", "command": "y"}, notes=(RuleNote("GF101", "a", version="2"),)
    )
    found = contrast(first, second)
    assert found.versions == (("exiftool", "12.57", "13.00"), ("rule GF101", "1", "2"))
    assert not found.differs


def test_the_command_says_it_in_lines_and_as_json(tmp_path):
    import json
    import shutil
    from pathlib import Path

    import pytest
    from click.testing import CliRunner

    from gtloc_forensics.case.case import open_case
    from gtloc_forensics.cli.main import gtloc
    from gtloc_forensics.examination.settings import Settings

    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    example = Path(__file__).parents[1] / "examples" / "case_folder" / "kestrion"
    for folder, names in (("one", ["KES_0441.JPG"]), ("two", ["KES_0441.JPG", "KES_0415.JPG"])):
        (tmp_path / folder).mkdir()
        for name in names:
            shutil.copy(example / name, tmp_path / folder)
        with open_case(tmp_path / folder, tmp_path / f"{folder}.audit") as case:
            case.audit(Settings(model="none", jobs=0))
    cases = [str(tmp_path / "one.audit"), str(tmp_path / "two.audit")]
    done = CliRunner().invoke(gtloc, ["compare", *cases])
    assert done.exit_code == 1
    assert "new      KES_0415.JPG" in done.output
    assert "1 new photo, 0 gone, 0 renamed" in done.output
    assert json.loads(CliRunner().invoke(gtloc, ["compare", "--json", *cases]).output)["new"] == ["KES_0415.JPG"]
    assert CliRunner().invoke(gtloc, ["compare", cases[0], cases[0]]).exit_code == 0


def test_two_examinations_of_one_case_are_kept_and_compared(tmp_path):
    import json
    import shutil
    from pathlib import Path

    import pytest
    from click.testing import CliRunner

    from gtloc_forensics.cli.main import gtloc

    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    photos = Path(__file__).parents[1] / "examples" / "case_folder" / "kestrion"
    folder = tmp_path / "photos"
    folder.mkdir()
    case = str(tmp_path / "x.audit")
    audit = ["audit", str(folder), "-o", case, "--model", "none", "--jobs", "0", "--no-report"]
    shutil.copy(photos / "KES_0420.JPG", folder)
    assert CliRunner().invoke(gtloc, audit).exit_code == 3, "without a model nothing is wholly examined"
    alone = CliRunner().invoke(gtloc, ["compare", case])
    assert alone.exit_code == 2 and "keeps one examination" in alone.stderr
    shutil.copy(photos / "KES_0415.JPG", folder)
    assert CliRunner().invoke(gtloc, audit).exit_code == 3, "without a model nothing is wholly examined"

    done = CliRunner().invoke(gtloc, ["compare", case])
    assert done.exit_code == 1
    assert "new      KES_0415.JPG" in done.output
    backwards = CliRunner().invoke(gtloc, ["compare", case, "--examinations", "2", "1", "--json"])
    assert json.loads(backwards.output)["gone"] == ["KES_0415.JPG"]
    assert CliRunner().invoke(gtloc, ["compare", case, "--examinations", "1", "1"]).exit_code == 0
    listed = CliRunner().invoke(gtloc, ["compare", case, "--list"]).output.splitlines()
    assert [line.split()[0] for line in listed] == ["1", "2"]
    assert "1 photo," in listed[0] and "2 photos," in listed[1]
    missing = CliRunner().invoke(gtloc, ["compare", case, "--examinations", "1", "7"])
    assert missing.exit_code == 2 and "it holds 1 to 2" in missing.stderr
    both = CliRunner().invoke(gtloc, ["compare", case, case, "--list"])
    assert both.exit_code == 2 and "leave SECOND out" in both.stderr
