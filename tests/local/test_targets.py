"""The provider servers that the conformance suite stands on."""

import asyncssh
import httpx
import pytest
from targets import Target


@pytest.mark.parametrize("name", ["rclone_webdav", "wsgidav"])
def test_webdav_takes_a_file_from_who_may_come_in(name: str, request: pytest.FixtureRequest) -> None:
    target: Target = request.getfixturevalue(name)
    auth = (target.username, target.password)

    assert httpx.put(target.url + "a.txt", content=b"hello").status_code == 401
    assert httpx.put(target.url + "a.txt", content=b"hello", auth=auth).status_code == 201
    assert (target.folder / "a.txt").read_bytes() == b"hello"


@pytest.mark.parametrize("name", ["rclone_sftp", "openssh"])
async def test_sftp_takes_a_file_from_who_may_come_in(name: str, request: pytest.FixtureRequest) -> None:
    target: Target = request.getfixturevalue(name)
    login = (
        {"client_keys": [asyncssh.import_private_key(target.private_key)]}
        if target.private_key
        else {"password": target.password, "client_keys": None}
    )
    async with (
        asyncssh.connect(
            target.host, target.port, username=target.username, known_hosts=None, agent_path=None, **login
        ) as connection,
        connection.start_sftp_client() as sftp,
        sftp.open("a.txt", "wb") as file,
    ):
        await file.write(b"hello")

    assert (target.folder / "a.txt").read_bytes() == b"hello"


@pytest.mark.parametrize("name", ["rclone_s3", "moto_s3"])
def test_s3_answers(name: str, request: pytest.FixtureRequest) -> None:
    target: Target = request.getfixturevalue(name)

    assert httpx.get(target.url).headers["content-type"].startswith(("application/xml", "text/"))
