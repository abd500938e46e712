"""Content credentials (C2PA): what is signed is read offline, weighed, and compared with the file."""

from __future__ import annotations

import http.server
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("c2pa", reason="the extra c2pa is not installed")

from builders import a_photo, only
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from made_credentials import GENERATED, GENERATED_IN_PART, Signer, certificate, manifest, pem, pem_key

from gtloc_forensics.case.case import open_case
from gtloc_forensics.checks.rules.gf131_credentials_binding import credentials_binding
from gtloc_forensics.checks.rules.gf132_credentials_time import credentials_time
from gtloc_forensics.checks.rules.gf133_credentials_place import credentials_place
from gtloc_forensics.checks.rules.gf134_credentials_making import credentials_making
from gtloc_forensics.errors import UsageError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.metadata.credentials import ContentCredentials, anchors_in
from gtloc_forensics.metadata.credentials.statements import tags_of
from gtloc_forensics.records import CauseKind, Confidence, Finding, Outcome, Severity, TagsRead, Unread

TAKEN = datetime(2024, 6, 15, 12, 0, 30)
SAID = "2024-06-15T12:00:30"
SIGNER = Signer()


def picture(seed: int = 0, kind: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Acme"
    exif.get_ifd(0x8769)[0x9003] = f"{TAKEN:%Y:%m:%d %H:%M:%S}"
    exif.get_ifd(0x8769)[0x9011] = "+02:00"
    out = io.BytesIO()
    drawn = Image.effect_noise((96, 64), 20 + seed).convert("RGB")
    drawn.save(out, kind, exif=exif)
    return out.getvalue()


@pytest.fixture(scope="module")
def readers() -> Iterator[dict[bool, ContentCredentials]]:
    """Give a reader that trusts nobody, and one that trusts the made authority."""
    opened = {False: ContentCredentials(), True: ContentCredentials(SIGNER.root)}
    yield opened
    for reader in opened.values():
        reader.close()


@pytest.fixture
def read(readers: dict[bool, ContentCredentials], tmp_path: Path):
    def ask(content: bytes, *, trusting: bool = False) -> TagsRead | Unread:
        path = tmp_path / "photo"
        path.write_bytes(content)
        (answer,) = readers[trusting].read([bytes(path)])
        return answer

    return ask


def told(rule, answer: TagsRead, **claimed: object) -> Finding:
    return only(rule, a_photo(tags=dict(answer.tags), **{"local": TAKEN, **claimed}))


# --------------------------------------------------------------------------- valid, trusted, changed


def test_a_signed_file_is_valid_and_its_signer_is_trusted_only_by_a_list_that_was_given(read):
    signed = SIGNER.signed(picture(), manifest(captured=SAID))
    plain, trusting = read(signed), read(signed, trusting=True)
    assert plain.tags["Credentials:State"] == ("Valid",)
    assert plain.tags["Credentials:Signer"] == ("Test Camera Signer",)
    assert trusting.tags["Credentials:State"] == ("Trusted",)
    found = told(credentials_binding, plain)
    assert found.outcome is Outcome.CONSISTENT
    assert "whom no list that was given vouches for: valid is not trusted" in found.summary
    assert "on a list of trusted signers" in told(credentials_binding, trusting).summary


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_each_form_of_picture_is_read(read, kind: str):
    media_type = f"image/{kind.lower()}"
    answer = read(SIGNER.signed(picture(kind=kind), manifest(captured=SAID), media_type=media_type))
    assert answer.tags["Credentials:State"] == ("Valid",)


def test_a_file_that_was_changed_after_it_was_signed_is_a_finding_with_innocent_causes(read):
    signed = bytearray(SIGNER.signed(picture(), manifest(captured=SAID)))
    signed[-20] ^= 0xFF
    found = told(credentials_binding, read(bytes(signed), trusting=True))
    assert (found.outcome, found.severity) == (Outcome.SUSPICIOUS, Severity.MEDIUM)
    assert found.cause.kind is CauseKind.CREDENTIALS
    assert "not what was signed" in found.summary
    assert any("wrote metadata" in cause for cause in found.innocent)


def test_statements_that_were_changed_after_they_were_signed_are_told_apart(read):
    signed = SIGNER.signed(picture(), manifest(captured=SAID))
    assert signed.count(SAID.encode()) == 1
    found = told(credentials_binding, read(signed.replace(SAID.encode(), b"2023-06-15T12:00:30")))
    assert "statements in the content credentials were changed" in found.summary
    assert found.severity is Severity.HIGH


def test_a_file_without_credentials_is_not_testable(read):
    answer = read(picture())
    assert dict(answer.tags) == {}
    for rule in (credentials_binding, credentials_time, credentials_place, credentials_making):
        found = told(rule, answer)
        assert found.outcome is Outcome.NOT_TESTABLE
        assert "has no content credentials" in found.summary


def test_credentials_that_nothing_here_can_read_are_not_passed_over_in_silence():
    found = only(credentials_binding, a_photo(local=TAKEN, tags={"JUMBF:JUMDLabel": "c2pa"}))
    assert found.outcome is Outcome.NOT_TESTABLE
    assert "were not read: the extra c2pa is not installed" in found.summary


# --------------------------------------------------------------------------- time and place


def test_the_signed_capture_time_is_compared_with_the_files(read):
    agreeing = told(credentials_time, read(SIGNER.signed(picture(), manifest(captured=SAID))))
    assert agreeing.outcome is Outcome.CONSISTENT
    other = SIGNER.signed(picture(), manifest(captured="2024-06-14T12:00:30"))
    weak, strong = told(credentials_time, read(other)), told(credentials_time, read(other, trusting=True))
    assert "a capture 1 day earlier than the file does" in weak.summary
    assert (weak.outcome, weak.confidence) == (Outcome.SUSPICIOUS, Confidence.WEAK)
    assert any("anybody can sign" in limit for limit in weak.limitations)
    assert strong.confidence is Confidence.STRONG


def test_the_same_instant_on_another_clock_is_no_disagreement(read):
    answer = read(SIGNER.signed(picture(), manifest(captured="2024-06-15T10:00:30Z")))
    assert told(credentials_time, answer, offset=2.0).outcome is Outcome.CONSISTENT


def test_the_moment_at_which_a_camera_says_it_made_the_file_is_compared_too(read):
    answer = read(SIGNER.signed(picture(), manifest(created="2024-06-15T10:00:35Z")))
    assert told(credentials_time, answer, offset=2.0).outcome is Outcome.CONSISTENT
    found = told(credentials_time, read(SIGNER.signed(picture(), manifest(created="2024-06-17T10:00:30Z"))), offset=2.0)
    assert "made the file 2 days after the claimed capture" in found.summary


def test_a_program_that_makes_a_file_later_is_no_contradiction(read):
    edited = manifest(created="2025-01-01T10:00:30Z", source_type="http://example.invalid/digitalArt")
    assert told(credentials_time, read(SIGNER.signed(picture(), edited)), offset=2.0).outcome is Outcome.NOT_TESTABLE


def test_the_signed_place_is_compared_with_the_files(read):
    answer = read(SIGNER.signed(picture(), manifest(position=("48,51.396N", "2,21.132E"))))
    assert told(credentials_place, answer, position=(48.8566, 2.3522)).outcome is Outcome.CONSISTENT
    found = told(credentials_place, answer, position=(43.3, 5.4))
    assert found.outcome is Outcome.SUSPICIOUS
    assert "km from the file's" in found.summary
    assert told(credentials_place, answer).outcome is Outcome.NOT_TESTABLE


# --------------------------------------------------------------------------- how it was made


def test_a_generator_that_declares_itself_is_told(read):
    found = told(credentials_making, read(SIGNER.signed(picture(), manifest(source_type=GENERATED))))
    assert (found.outcome, found.severity, found.cause.kind) == (
        Outcome.SUSPICIOUS,
        Severity.HIGH,
        CauseKind.GENERATED,
    )
    assert "made by a generative model: trainedAlgorithmicMedia" in found.summary
    part = told(credentials_making, read(SIGNER.signed(picture(), manifest(source_type=GENERATED_IN_PART))))
    assert "parts of the picture" in part.summary


def test_declared_edits_are_explained_and_a_plain_capture_agrees(read):
    edited = told(credentials_making, read(SIGNER.signed(picture(), manifest(edits=("c2pa.cropped",)))))
    assert edited.outcome is Outcome.EXPLAINED
    assert "c2pa.cropped" in edited.summary
    plain = told(credentials_making, read(SIGNER.signed(picture(), manifest())))
    assert plain.outcome is Outcome.CONSISTENT
    assert "digitalCapture and no edit" in plain.summary


# --------------------------------------------------------------------------- nothing is fetched


@dataclass
class Service:
    """An HTTP service on this machine that counts what it is asked."""

    url: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(answer=lambda body: b"") -> Iterator[Service]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.asked.append(self.path)
            body = answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service = Service(f"http://127.0.0.1:{server.server_port}/manifest.c2pa")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield service
        server.shutdown()


def test_a_manifest_that_lies_elsewhere_is_never_fetched(read):
    import c2pa

    with serving() as service:
        remote = SIGNER.signed(picture(), manifest(captured=SAID), remote=service.url)
        answer = read(remote)
        assert service.asked == []
        allowed = c2pa.Context.from_dict({"verify": {"remote_manifest_fetch": True}})
        with pytest.raises(c2pa.C2paError):
            c2pa.Reader("image/jpeg", io.BytesIO(remote), context=allowed)
        assert service.asked, "the library would have asked, had it been allowed to"
    assert answer.tags["Credentials:State"] == ("Elsewhere",)
    assert "nothing is fetched" in told(credentials_binding, answer).summary


def test_nobody_is_asked_whether_a_certificate_was_revoked(tmp_path: Path):
    import c2pa

    with serving() as service:
        signer = Signer(asks_at=service.url)
        signed = signer.signed(picture(), manifest(captured=SAID))
        path = tmp_path / "photo.jpg"
        path.write_bytes(signed)
        service.asked.clear()
        reader = ContentCredentials(signer.root)
        try:
            (answer,) = reader.read([bytes(path)])
        finally:
            reader.close()
        assert answer.tags["Credentials:State"] == ("Trusted",)
        assert service.asked == []
        asking = {"verify": {"ocsp_fetch": True}, "trust": {"user_anchors": signer.root.decode()}}
        c2pa.Reader("image/jpeg", io.BytesIO(signed), context=c2pa.Context.from_dict(asking)).close()
        assert service.asked, "the library would have asked, had it been allowed to"


# --------------------------------------------------------------------------- the authority's time


@pytest.fixture(scope="module")
def stamped() -> Iterator[bytes]:
    """Give a signed file with a time stamp of 2024-06-20 by a made authority under the same root."""
    timestamps = pytest.importorskip("pyhanko.sign.timestamps.dummy_client")
    from asn1crypto import keys, tsp, x509
    from asn1crypto import pem as asn1_pem

    key = rsa.generate_private_key(65537, 2048)
    made = certificate("Test Stamps", key, "Test Root", SIGNER.root_key, use=ExtendedKeyUsageOID.TIME_STAMPING)
    _, _, body = asn1_pem.unarmor(pem(made))
    _, _, key_body = asn1_pem.unarmor(pem_key(key))
    _, _, root_body = asn1_pem.unarmor(SIGNER.root)
    authority = timestamps.DummyTimeStamper(
        tsa_cert=x509.Certificate.load(body),
        tsa_key=keys.PrivateKeyInfo.load(key_body),
        certs_to_embed=[x509.Certificate.load(root_body)],
        fixed_dt=datetime(2024, 6, 20, 8, 0, tzinfo=UTC),
    )

    def answer(request: bytes) -> bytes:
        return authority.request_tsa_response(tsp.TimeStampReq.load(request)).dump()

    with serving(answer) as service:
        yield SIGNER.signed(picture(), manifest(captured=SAID), time_stamps=service.url)


def test_a_trusted_time_stamp_from_before_the_claimed_capture_contradicts_it(read, stamped: bytes):
    answer = read(stamped, trusting=True)
    assert answer.tags["Credentials:SignedAt"] == ("2024-06-20T08:00:00+00:00",)
    assert answer.tags["Credentials:TimeStamp"] == ("timeStamp.trusted",)
    assert told(credentials_time, answer).outcome is Outcome.CONSISTENT
    later = [
        found
        for found in credentials_time.function(
            a_photo(tags=dict(answer.tags), local=TAKEN + timedelta(days=30), offset=2.0), None
        )
        if "was signed" in found.summary
    ]
    assert later[0].outcome is Outcome.CONTRADICTION
    weak = read(stamped)
    (found,) = [
        found
        for found in credentials_time.function(
            a_photo(tags=dict(weak.tags), local=TAKEN + timedelta(days=30), offset=2.0), None
        )
        if "was signed" in found.summary
    ]
    assert found.outcome is Outcome.SUSPICIOUS


# --------------------------------------------------------------------------- hostile and damaged


def test_no_cut_or_overwritten_store_costs_more_than_itself(read):
    signed = SIGNER.signed(picture(), manifest(captured=SAID))
    states = set()
    for cut in range(0, len(signed), len(signed) // 12):
        for damaged in (signed[:cut], signed[:cut] + bytes(40) + signed[cut + 40 :], signed[:cut] + signed[cut + 7 :]):
            answer = read(damaged)
            assert isinstance(answer, TagsRead | Unread)
            if isinstance(answer, TagsRead):
                states |= set(answer.tags.get("Credentials:State", ()))
                told(credentials_binding, answer)
    assert states & {"Invalid", "Damaged"}
    assert "Trusted" not in states


def test_a_process_that_dies_over_a_file_is_that_files_failure_and_the_next_is_read(tmp_path: Path):
    reader = ContentCredentials()
    signed = tmp_path / "signed.jpg"
    signed.write_bytes(SIGNER.signed(picture(), manifest(captured=SAID)))
    try:
        assert isinstance(reader.read([bytes(signed)])[0], TagsRead)
        reader._process._child.process.kill()
        reader._process._child.process.wait()
        (died,) = reader.read([bytes(signed)])
        assert isinstance(died, Unread)
        assert "could not be read" in died.reason
        assert reader.read([bytes(signed)])[0].tags["Credentials:State"] == ("Valid",)
    finally:
        reader.close()


@pytest.mark.parametrize(
    "store",
    [
        {"active_manifest": ["x"], "manifests": 3},
        {"active_manifest": "a", "manifests": {"a": {"assertions": [3, {"label": 4}, {"label": "stds.exif"}]}}},
        {
            "active_manifest": "a",
            "validation_state": {"x": 1},
            "manifests": {
                "a": {
                    "signature_info": "none",
                    "claim_generator_info": [{"name": {}}, 7],
                    "ingredients": [{"title": ["x"]}, None],
                    "assertions": [
                        {"label": "c2pa.actions", "data": {"actions": [1, {"action": {"a": 1}, "when": 2**90}]}},
                        {"label": "stds.exif", "data": {"exif:DateTimeOriginal": 5, "exif:GPSLatitude": [1]}},
                        {
                            "label": "c2pa.metadata",
                            "data": {"exif:GPSLatitude": "9" * 9999, "exif:GPSLongitude": 1e999},
                        },
                    ],
                }
            },
        },
    ],
)
def test_statements_of_no_known_form_are_left_out(store: dict):
    tags = tags_of({"store": store})
    answer = TagsRead(tags, ())
    for rule in (credentials_binding, credentials_time, credentials_place, credentials_making):
        told(rule, answer, position=(48.0, 2.0))


def test_a_list_that_cannot_be_used_is_said_at_once(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot be read"):
        anchors_in([tmp_path / "missing.pem"])
    (tmp_path / "a.pem").write_text("nothing")
    with pytest.raises(UsageError, match="holds no certificate"):
        anchors_in([tmp_path / "a.pem"])


# --------------------------------------------------------------------------- through a whole audit


def test_an_audit_tells_what_is_signed_and_names_the_list_it_trusted(tmp_path: Path):
    evidence = tmp_path / "photos"
    evidence.mkdir()
    (evidence / "good.jpg").write_bytes(SIGNER.signed(picture(1), manifest(captured=SAID)))
    changed = bytearray(SIGNER.signed(picture(2), manifest(captured="2024-06-14T12:00:30")))
    changed[-20] ^= 0xFF
    (evidence / "changed.jpg").write_bytes(bytes(changed))
    (evidence / "plain.jpg").write_bytes(picture(3))
    anchors = tmp_path / "trusted.pem"
    anchors.write_bytes(SIGNER.root)
    with open_case(evidence, tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0, trust_anchors=(anchors,)))
        said = {
            (entry.photo.source.display_path, finding.check_id): finding
            for entry in case.view().photos()
            for finding in entry.findings
        }
        assert case.view().environment["metadata reader content credentials"].startswith("1, c2pa-python ")
        assert f"--trust-anchors {anchors}" in case.view().environment["command"]
        again = case.verify(Settings(model="none", jobs=0, trust_anchors=(anchors,)))
        assert (again.differences, again.not_repeated) == ((), ())
        otherwise = case.verify(Settings(model="none", jobs=0))
        assert otherwise.is_valid, "another list of trusted signers is no change of the case"
        assert "another list of trusted signers" in otherwise.not_repeated[0]
    assert "on a list of trusted signers" in said["good.jpg", "GF131"].summary
    assert said["changed.jpg", "GF131"].outcome is Outcome.SUSPICIOUS
    assert "1 day earlier" in said["changed.jpg", "GF132"].summary
    assert said["plain.jpg", "GF131"].outcome is Outcome.NOT_TESTABLE
