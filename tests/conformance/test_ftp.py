"""FTP as it is met: TLS of both kinds, addresses behind NAT, servers that lack what newer ones have."""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from servers import NoServer
from subjects import LOOPBACK, Subject, ftp
from targets import Target, vsftpd
from test_hostile import certificate

from providers.content import of_bytes
from providers.drivers import open_driver
from providers.egress import Guard
from providers.errors import ProviderError
from providers.reach import Reach
from schemas.reasons import Reason

PDF = b"%PDF-1.7 " + bytes(range(256)) * 400


@contextmanager
def served(tmp_path: Path, **settings: str) -> Iterator[Target]:
    folder = tmp_path / "files"
    folder.mkdir()
    try:
        with vsftpd(folder, **settings) as target:
            yield target
    except NoServer as missing:
        pytest.skip(str(missing))


def secured(tmp_path: Path, **settings: str) -> dict[str, str]:
    """TLS demanded for both connections, the second of which must continue the first's session."""
    certificate(tmp_path, "ftp.example")
    yes = (
        "ssl_enable",
        "allow_anon_ssl",
        "force_anon_logins_ssl",
        "force_anon_data_ssl",
        "require_ssl_reuse",
    )
    files = {"rsa_cert_file": str(tmp_path / "cert.pem"), "rsa_private_key_file": str(tmp_path / "key.pem")}
    return dict.fromkeys(yes, "YES") | files | {"ssl_ciphers": "HIGH"} | settings


async def names(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


async def moved(subject: Subject, reach: Reach, **changed: str) -> bytes | None:
    async with subject.open(reach, **changed) as driver:
        await driver.make_folder("/in")
        await driver.put("/in/a.pdf", of_bytes(PDF))
        assert await driver.same_bytes("/in/a.pdf", len(PDF), hashlib.sha256(PDF).hexdigest())
        assert [each.value for each in await driver.choices("folder")] == ["/in"]
    return subject.look("/in/a.pdf")


@pytest.mark.parametrize("security", ["explicit", "implicit"])
async def test_over_tls_files_go_in_one_session_and_the_certificate_counts(security: str, tmp_path: Path):
    settings = secured(tmp_path, **({"implicit_ssl": "YES"} if security == "implicit" else {}))
    with served(tmp_path, **settings) as target:
        subject = ftp(target, security=security)
        async with Reach(Guard(LOOPBACK, names), ca_file=str(tmp_path / "cert.pem")) as reach:
            seen = await moved(subject, reach, host="ftp.example")
            with pytest.raises(ProviderError) as other:
                await moved(subject, reach, host="other.example")
        async with Reach(Guard(LOOPBACK, names)) as reach:
            with pytest.raises(ProviderError) as unknown:
                await moved(subject, reach, host="ftp.example")

    assert seen == PDF
    assert other.value.reason is unknown.value.reason is Reason.CERTIFICATE_INVALID


async def test_without_tls_a_public_server_is_never_spoken_to():
    async def public(host: str, port: int) -> Sequence[str]:
        return ["8.8.8.8"]

    subject = ftp(Target("", 21, Path()))
    async with Reach(Guard(LOOPBACK, public)) as reach:
        with pytest.raises(ProviderError) as caught:
            async with subject.open(reach, host="ftp.example"):
                pass

    assert caught.value.reason is Reason.ADDRESS_REFUSED


async def test_a_server_that_speaks_no_tls_is_sent_no_password(tmp_path: Path, reach: Reach):
    with served(tmp_path) as target, pytest.raises(ProviderError) as caught:
        async with ftp(target, security="explicit").open(reach):
            pass

    assert caught.value.kind in ("auth", "config")


@pytest.mark.parametrize(
    "lacks",
    [
        {"cmds_denied": "EPSV", "pasv_address": "10.9.8.7"},
        {"cmds_denied": "EPSV", "pasv_address": "169.254.169.254"},
        {"cmds_denied": "FEAT,MDTM"},
        {"cmds_denied": "FEAT,SIZE,MDTM"},
    ],
    ids=["a private address of PASV", "a metadata address of PASV", "no FEAT", "no SIZE"],
)
async def test_servers_that_lack_something_or_name_an_address_of_their_own_are_used(
    lacks: dict[str, str], tmp_path: Path, reach: Reach
):
    with served(tmp_path, **lacks) as target:
        seen = await moved(ftp(target), reach)

    assert seen == PDF


async def test_where_nothing_is_renamed_files_go_to_their_names_and_the_driver_says_so(
    tmp_path: Path, reach: Reach
):
    with served(tmp_path, cmds_denied="RNFR,RNTO") as target:
        subject = ftp(target)
        async with subject.open(reach) as driver:
            before = driver.capabilities.atomic_put
            await driver.put("/a.pdf", of_bytes(PDF))
            after = driver.capabilities.atomic_put
            with pytest.raises(ProviderError) as caught:
                await driver.put("/a.pdf", of_bytes(b"other"))
            await driver.replace("/a.pdf", of_bytes(b"replaced"), None)

    assert (before, after) == (True, False)
    assert caught.value.kind == "conflict"
    assert subject.look("/a.pdf") == b"replaced"
    assert subject.names() == {"/a.pdf"}


async def test_a_server_that_bears_few_lines_gets_no_more(tmp_path: Path, reach: Reach):
    with served(tmp_path, max_per_ip="2") as target:
        subject = ftp(target)
        async with open_driver(subject.manifest, subject.credentials, {}, reach) as driver:
            await asyncio.gather(*(driver.put(f"/{number}.pdf", of_bytes(PDF)) for number in range(12)))

    assert len(subject.names()) == 12


async def test_a_line_that_was_hung_up_while_it_rested_is_made_anew(
    tmp_path: Path, reach: Reach, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("providers.drivers.ftplines.IDLE_SECONDS", 0.5)
    with served(tmp_path, idle_session_timeout="1") as target:
        subject = ftp(target)
        async with subject.open(reach) as driver:
            await driver.put("/a.pdf", of_bytes(PDF))
            await asyncio.sleep(2.2)
            await driver.put("/b.pdf", of_bytes(PDF))

    assert subject.names() == {"/a.pdf", "/b.pdf"}


@pytest.mark.parametrize("denied", ["SIZE,MDTM,LIST,NLST", "FEAT,SIZE,MDTM,LIST,NLST"])
async def test_a_drop_box_that_shows_nothing_is_told_from_trouble_that_passes(
    denied: str, tmp_path: Path, reach: Reach
):
    with served(tmp_path, cmds_denied=denied) as target:
        async with ftp(target).open(reach) as driver:
            with pytest.raises(ProviderError) as caught:
                await driver.put("/a.pdf", of_bytes(PDF))

    assert (caught.value.reason, caught.value.later) == (Reason.PERMISSION_MISSING, False)
    assert "right to list" in str(caught.value)
    assert ftp(target).names() == set()


@pytest.mark.parametrize("field", ["username", "password", "root"])
async def test_a_setting_of_several_lines_is_no_command(field: str, reach: Reach):
    with pytest.raises(ProviderError) as caught:
        async with ftp(Target("", 9, Path())).open(reach, **{field: "jane\r\nDELE a.pdf"}):
            pass

    assert (caught.value.reason, caught.value.field) == (Reason.INVALID, field)
