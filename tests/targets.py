"""Provider servers that nobody here wrote, on loopback, each for as long as its block runs.

rclone, moto and wsgidav are Python packages; sshd comes from the distribution (`make test` installs it).
"""

import contextlib
import getpass
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from servers import NoServer

from paperbus.local.folder import LOOPBACK, answers, free_port
from paperbus.local.process import Process

USER = "jane"
PASSWORD = "correct horse"
HERE = Path(sys.executable).parent  # the packages' programs lie beside Python


@dataclass(frozen=True)
class Target:
    """Where a server listens, who may come in, and the folder where what it takes can be seen."""

    url: str
    port: int
    folder: Path
    username: str = USER
    password: str = PASSWORD
    private_key: str = ""
    host: str = LOOPBACK
    process: Process | None = None  # to kill or to stop


@contextlib.contextmanager
def rclone_webdav(folder: Path, port: int | None = None) -> Iterator[Target]:
    port = port or free_port()
    with _rclone("webdav", folder, port, "--user", USER, "--pass", PASSWORD) as process:
        yield Target(f"http://{LOOPBACK}:{port}/", port, folder, process=process)


@contextlib.contextmanager
def rclone_sftp(folder: Path, port: int | None = None) -> Iterator[Target]:
    """Its host key is a new one each time that `folder`'s neighbour `rclone-cache` is new."""
    port = port or free_port()
    with _rclone("sftp", folder, port, "--user", USER, "--pass", PASSWORD) as process:
        yield Target(f"sftp://{LOOPBACK}:{port}", port, folder, process=process)


@contextlib.contextmanager
def rclone_s3(folder: Path, port: int | None = None) -> Iterator[Target]:
    """Each folder directly in `folder` is a bucket; `username` is the access key id."""
    port = port or free_port()
    with _rclone("s3", folder, port, "--auth-key", f"{USER},{PASSWORD}") as process:
        yield Target(f"http://{LOOPBACK}:{port}", port, folder, process=process)


@contextlib.contextmanager
def moto_s3(folder: Path, port: int | None = None) -> Iterator[Target]:
    """AWS's S3 as moto plays it; keeps objects in memory, so `folder` stays empty. Takes any key."""
    port = port or free_port()
    command = [str(HERE / "moto_server"), "-H", LOOPBACK, "-p", str(port)]
    with serving(command, port, folder) as process:
        yield Target(f"http://{LOOPBACK}:{port}", port, folder, process=process)


@contextlib.contextmanager
def rclone_ftp(folder: Path, port: int | None = None, *options: str) -> Iterator[Target]:
    """It knows MLST and renames over files; with `--cert` and `--key` it speaks TLS."""
    port = port or free_port()
    with _rclone("ftp", folder, port, "--user", USER, "--pass", PASSWORD, *options) as process:
        yield Target(f"ftp://{LOOPBACK}:{port}", port, folder, process=process)


@contextlib.contextmanager
def rclone_http(folder: Path, port: int | None = None) -> Iterator[Target]:
    """Shows what is in `folder` to everybody; takes nothing."""
    port = port or free_port()
    with _rclone("http", folder, port) as process:
        yield Target(f"http://{LOOPBACK}:{port}/", port, folder, process=process)


@contextlib.contextmanager
def vsftpd(folder: Path, port: int | None = None, **settings: str) -> Iterator[Target]:
    """The FTP server of many web hosts: no MLST, no MLSD. Raises NoServer.

    It has no users but the system's, so the anonymous one is let in, with a password from a list. `settings`
    are its own, such as `ssl_enable="YES"`.
    """
    program = shutil.which("vsftpd") or shutil.which("vsftpd", path="/usr/sbin:/usr/local/sbin")
    if not program or os.geteuid() != 0:
        raise NoServer("there is no vsftpd here, or nobody may start it: apt-get install vsftpd, as root")
    port = port or free_port()
    (folder.parent / f"vsftpd-{port}.words").write_text(f"{PASSWORD}\n")
    everything = {
        "listen": "YES",
        "background": "NO",
        "listen_address": LOOPBACK,
        "listen_port": str(port),
        "anonymous_enable": "YES",
        "ftp_username": getpass.getuser(),
        "anon_root": str(folder),
        "secure_email_list_enable": "YES",
        "email_password_file": str(folder.parent / f"vsftpd-{port}.words"),
        "write_enable": "YES",
        "anon_upload_enable": "YES",
        "anon_mkdir_write_enable": "YES",
        "anon_other_write_enable": "YES",
        "anon_world_readable_only": "NO",
        "anon_umask": "022",
        "run_as_launching_user": "YES",  # else it wants a root folder that nobody may write to
        "seccomp_sandbox": "NO",
        "session_support": "NO",
        **settings,
    }
    config = folder.parent / f"vsftpd-{port}.conf"
    config.write_text("".join(f"{name}={value}\n" for name, value in everything.items()))
    with serving([program, str(config)], port, folder) as process:
        yield Target(f"ftp://{LOOPBACK}:{port}", port, folder, "anonymous", process=process)


@contextlib.contextmanager
def wsgidav(folder: Path, port: int | None = None) -> Iterator[Target]:
    """A WebDAV server in Python, with Digest and Basic."""
    port = port or free_port()
    config = folder.parent / f"wsgidav-{port}.yaml"
    config.write_text(
        f"host: {LOOPBACK}\nport: {port}\nprovider_mapping: {{'/': '{folder}'}}\n"
        f"simple_dc: {{user_mapping: {{'*': {{'{USER}': {{password: '{PASSWORD}'}}}}}}}}\n"
        "http_authenticator: {accept_basic: true, accept_digest: true, default_to_digest: false}\n"
    )
    with serving([str(HERE / "wsgidav"), "--config", str(config), "--quiet"], port, folder) as process:
        yield Target(f"http://{LOOPBACK}:{port}/", port, folder, process=process)


@contextlib.contextmanager
def openssh(folder: Path, port: int | None = None) -> Iterator[Target]:
    """OpenSSH's own sshd, SFTP only, by key alone (it has no users but the system's). Raises NoServer."""
    sshd = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if not sshd:
        raise NoServer("there is no sshd here: apt-get install openssh-server")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd as root wants it
    port = port or free_port()
    private = folder.parent / f"sshd-{port}"
    private.mkdir(mode=0o700)
    for name in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(private / name)]
        subprocess.run(command, check=True)
    config = private / "sshd_config"
    config.write_text(
        f"ListenAddress {LOOPBACK}\nPort {port}\nHostKey {private}/host\nPidFile none\n"
        f"AuthorizedKeysFile {private}/user.pub\nPasswordAuthentication no\nUsePAM no\nStrictModes no\n"
        f"PermitRootLogin yes\nSubsystem sftp internal-sftp -d {folder}\n"
    )
    with serving([sshd, "-D", "-e", "-f", str(config)], port, folder) as process:
        key = (private / "user").read_text()
        address = f"sftp://{LOOPBACK}:{port}"
        yield Target(address, port, folder, getpass.getuser(), "", private_key=key, process=process)


@contextlib.contextmanager
def _rclone(protocol: str, folder: Path, port: int, *options: str) -> Iterator[Process]:
    command = [str(HERE / "rclone"), "serve", protocol, str(folder), "--addr", f"{LOOPBACK}:{port}"]
    apart = ["--config", os.devnull, "--cache-dir", str(folder.parent / "rclone-cache")]
    with serving([*command, *apart, *options], port, folder) as process:
        yield process


@contextlib.contextmanager
def serving(command: Sequence[str], port: int, folder: Path) -> Iterator[Process]:
    log = folder.parent / f"{Path(command[0]).name}-{port}.log"
    process = Process(command, log=log)
    try:
        _wait_until_it_answers(process, port, log)
        yield process
    finally:
        process.kill()


def _wait_until_it_answers(process: Process, port: int, log: Path) -> None:
    for _ in range(600):
        if answers(port):
            return
        if process.ended is not None:
            break
        time.sleep(0.05)
    raise NoServer(f"{process.command[0]} does not answer on port {port}: {log.read_text()[-500:]}")
