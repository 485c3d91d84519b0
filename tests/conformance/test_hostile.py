"""What drivers do when a server answers badly, sends us elsewhere, is not who it says, or the line is cut."""

import hashlib
import ipaddress
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from answering import Answering, FtpLine, Line, answering, cut_line, dripping
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from subjects import CANARY, LOOPBACK, Subject, manifest

from providers.content import of_bytes
from providers.drivers import open_driver
from providers.egress import Guard
from providers.errors import LONGEST_WAIT, ProviderError
from providers.http import Http
from providers.reach import Reach
from schemas.reasons import Reason

HTTP = ["webdav", "object"]
PDF = b"%PDF-1.7 " * 1000
MULTISTATUS = b"""<d:multistatus xmlns:d="DAV:"><d:response><d:href>/</d:href>
<d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop>
<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"""
LISTING = b"<ListBucketResult/>"
GOOD: dict[str, Any] = {"PROPFIND": (207, {}, MULTISTATUS), "GET": (200, {}, LISTING)}


def login(kind: str, address: str) -> dict[str, str]:
    if kind == "webdav":
        return {"url": address, "username": "jane", "password": CANARY}
    return {"endpoint": address, "bucket": "papers", "access_key_id": "jane", "secret_access_key": CANARY}


async def checked(kind: str, server: Answering, reach: Reach) -> ProviderError | None:
    try:
        async with open_driver(
            manifest(kind), login(kind, f"http://127.0.0.1:{server.port}"), {}, reach
        ) as driver:
            await driver.check()
    except ProviderError as error:
        return error
    return None


async def put(kind: str, server: Answering, reach: Reach) -> ProviderError:
    credentials = login(kind, f"http://127.0.0.1:{server.port}")
    async with open_driver(manifest(kind), credentials, {}, reach) as driver:
        with pytest.raises(ProviderError) as caught:
            await driver.put("/a.pdf", of_bytes(PDF))
    return caught.value


@pytest.mark.parametrize("kind", HTTP)
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Reason.CREDENTIALS_WRONG),
        (403, Reason.PERMISSION_MISSING),
        (404, Reason.DESTINATION_MISSING),
        (413, Reason.DOCUMENT_REFUSED),
        (423, Reason.LOCKED),
        (503, Reason.PROVIDER_DOWN),
        (507, Reason.QUOTA_FULL),
    ],
)
async def test_what_a_put_meets_is_told_apart(kind: str, status: int, reason: Reason, reach: Reach):
    async with answering(PUT=(status, {}, b"no")) as server:
        error = await put(kind, server, reach)

    assert error.reason is reason


@pytest.mark.parametrize("kind", HTTP)
@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("999999", LONGEST_WAIT)])
@pytest.mark.parametrize(
    ("status", "meaning"),
    [(429, ("rate_limited", Reason.RATE_LIMITED)), (503, ("transient", Reason.PROVIDER_DOWN))],
)
async def test_a_server_that_asks_for_a_wait_gets_it_and_is_not_asked_again(
    kind: str, status: int, meaning: tuple[str, Reason], header: str, seconds: float, *, reach: Reach
):
    async with answering(PUT=(status, {"Retry-After": header}, b"")) as server:
        error = await put(kind, server, reach)
        puts = [method for method, *_ in server.asked if method == "PUT"]

    assert (error.kind, error.reason, error.retry_after) == (*meaning, seconds)
    assert len(puts) == 1


@pytest.mark.parametrize("kind", HTTP)
async def test_a_hiccup_while_looking_is_tried_again(kind: str, reach: Reach):
    async with answering(PROPFIND=(502, {}, b""), GET=(502, {}, b"")) as server:
        error = await checked(kind, server, reach)

    assert error is not None
    assert error.reason is Reason.PROVIDER_DOWN
    assert len(server.asked) == 4


@pytest.mark.parametrize("kind", HTTP)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed_wherever_it_leads(kind: str, status: int, reach: Reach):
    async with answering(**GOOD) as victim:
        home = f"http://127.0.0.1:{victim.port}/latest/meta-data/"
        for where in (home, "http://169.254.169.254/latest/meta-data/"):
            answer = (status, {"Location": where}, b"")
            async with answering(PROPFIND=answer, GET=answer, PUT=answer) as server:
                error = await checked(kind, server, reach)
                refused = await put(kind, server, reach)

            assert error is not None
            assert error.reason in (Reason.PROVIDER_CHANGED, Reason.DESTINATION_MISSING)
            assert refused.reason is Reason.PROVIDER_CHANGED
        assert victim.asked == []


@pytest.mark.parametrize("kind", HTTP)
async def test_the_httpx_side_of_the_stack_is_guarded_as_well(kind: str):
    async with answering(**GOOD) as server, Reach(Guard()) as closed, Reach(Guard(LOOPBACK)) as opened:
        address = f"http://127.0.0.1:{server.port}/"
        with pytest.raises(ProviderError) as caught:
            await closed.http.client.get(address)
        answer = await opened.http.client.get(address)

    assert caught.value.reason is Reason.ADDRESS_REFUSED
    assert answer.status_code == 200
    assert len(server.asked) == 1


@pytest.mark.parametrize("kind", HTTP)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Welcome</html>",
        b"\xff\xfe\x00",
        b'<!DOCTYPE x [<!ENTITY b "bb">]><d:multistatus xmlns:d="DAV:">&b;</d:multistatus>',
        b"<a>" * 100_000,
    ],
)
async def test_an_answer_of_something_else_is_a_changed_provider_not_a_crash(
    kind: str, body: bytes, reach: Reach
):
    async with answering(PROPFIND=(207, {}, body), GET=(200, {}, body)) as server:
        error = await checked(kind, server, reach)

    assert error is None or error.reason is Reason.PROVIDER_CHANGED


async def test_a_file_that_comes_in_drops_is_given_up(reach: Reach):
    patient = Http(reach.guard, reach.clock, patience=0.2)
    async with dripping(announced=1000) as address:
        with pytest.raises(ProviderError) as caught:
            await patient.digest(address, 1000)
    await patient.aclose()

    assert caught.value.reason is Reason.PROVIDER_DOWN


@pytest.mark.parametrize(("size", "known"), [(5, hashlib.sha256(b"bytes").hexdigest()), (4, None), (6, None)])
async def test_a_file_of_another_size_has_no_hash(size: int, known: str | None, reach: Reach):
    async with answering(GET=(200, {}, b"bytes")) as server:
        head, digest = await reach.http.digest(f"http://127.0.0.1:{server.port}/", size)

    assert head.status == 200
    assert digest == known


async def test_a_bucket_with_a_slash_cannot_become_the_host(reach: Reach):
    virtual = manifest("object", addressing="virtual")
    credentials = {**login("object", "http://s3.example:9"), "bucket": "evil.example/x"}
    asked: list[str] = []

    async def names(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async with (
        Reach(Guard(LOOPBACK, names)) as named,
        open_driver(virtual, credentials, {}, named) as driver,
    ):
        with pytest.raises(ProviderError):
            await driver.check()

    assert "evil.example" not in asked


@pytest.mark.parametrize("kind", HTTP)
async def test_cookies_of_one_account_never_reach_another(kind: str, reach: Reach):
    cookie = {"Set-Cookie": "session=jane; Path=/"}
    answers = {method: (status, cookie, body) for method, (status, _, body) in GOOD.items()}
    async with answering(**answers) as server:
        await checked(kind, server, reach)
        await checked(kind, server, reach)

    assert len(server.asked) >= 2
    assert all("cookie" not in headers for _, _, headers in server.asked)


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    """A certificate that it signs itself, for one name, and the file to trust it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    alternative: x509.GeneralName = x509.DNSName(name)
    if name[0].isdigit():
        alternative = x509.IPAddress(ipaddress.ip_address(name))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, *private)
    (folder / "key.pem").write_bytes(pem)
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, str(folder / "cert.pem")


@pytest.mark.parametrize("kind", HTTP)
async def test_a_certificate_counts_only_when_trusted_and_for_this_name(kind: str, tmp_path: Path):
    async def names(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async def says(host: str, port: int, ca_file: str | None) -> Reason | None:
        async with Reach(Guard(LOOPBACK, names), ca_file=ca_file) as reach:
            try:
                async with open_driver(
                    manifest(kind), login(kind, f"https://{host}:{port}"), {}, reach
                ) as driver:
                    await driver.check()
            except ProviderError as error:
                return error.reason
        return None

    tls, trusted = certificate(tmp_path, "dav.example")
    async with answering(tls, **GOOD) as server:
        assert await says("dav.example", server.port, None) is Reason.CERTIFICATE_INVALID
        assert await says("other.example", server.port, trusted) is Reason.CERTIFICATE_INVALID
        assert server.asked == []
        assert await says("dav.example", server.port, trusted) is None


async def test_a_cut_upload_shows_nothing_and_the_next_try_makes_one_right_file(
    subject: Subject, reach: Reach
):
    data, folder = PDF * 60, "/cut-off"
    assert subject.server is not None
    async with subject.open(reach) as driver:
        await driver.make_folder(folder)
    kind = FtpLine if subject.manifest.driver.kind == "ftp" else Line
    async with cut_line(subject.server.port, 200_000, kind) as line:
        with pytest.raises(ProviderError) as caught:
            async with subject.open(reach, **subject.at("127.0.0.1", line.port)) as driver:
                await driver.put(f"{folder}/a.pdf", of_bytes(data))
    seen = subject.look(f"{folder}/a.pdf")
    async with subject.open(reach) as driver:
        await driver.put(f"{folder}/a.pdf", of_bytes(data))

    assert line.cut
    assert caught.value.kind == "transient"
    assert seen is None
    assert subject.look(f"{folder}/a.pdf") == data
    assert {name for name in subject.names() if name.startswith(folder)} == {f"{folder}/a.pdf"}
