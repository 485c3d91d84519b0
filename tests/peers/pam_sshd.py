"""OpenSSH with PAM that asks for a password, then for the code of an authenticator app."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin")
MODULE = "pam_google_authenticator.so"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEH"
PASSWORD = "correct horse battery"


def missing() -> str | None:
    """Why there is none here."""
    modules = [path for path in ("/lib", "/usr/lib") if list(Path(path).glob(f"*/security/{MODULE}"))]
    if os.geteuid() != 0:
        return "by capability: its PAM service is a file that only root writes"
    if SSHD is None or not modules:
        return "there is no sshd with PAM here: apt-get install openssh-server libpam-google-authenticator"
    return None


@dataclass(frozen=True)
class PamServer:
    host: str
    port: int
    username: str = "root"


@contextmanager
def pam_sshd(folder: Path) -> Iterator[PamServer]:
    """A server of its own: its PAM service is a file that goes away again."""
    name = f"paperbus-{os.getpid()}"
    (folder / "secret").write_text(f'{SECRET}\n" RATE_LIMIT 30 30\n" DISALLOW_REUSE\n" TOTP_AUTH\n')
    (folder / "secret").chmod(0o600)
    (folder / "check").write_text(f"#!/bin/sh\n[ \"$(cat | tr -d '\\000')\" = '{PASSWORD}' ]\n")
    (folder / "check").chmod(0o700)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "host"], check=True)
    pam = Path("/etc/pam.d") / name
    pam.write_text(
        f"auth requisite pam_exec.so expose_authtok quiet {folder}/check\n"
        f"auth required {MODULE} secret={folder}/secret user=root no_strict_owner\n"
        "account required pam_permit.so\nsession required pam_permit.so\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nUsePAM yes\nPermitRootLogin yes\n"
        "KbdInteractiveAuthentication yes\nPasswordAuthentication no\nPubkeyAuthentication no\n"
        f"AuthenticationMethods keyboard-interactive\nPidFile none\nMaxStartups 50\n"
        "Subsystem sftp internal-sftp\nStrictModes no\n"
    )
    (folder / name).symlink_to(str(SSHD))
    Path("/run/sshd").mkdir(exist_ok=True)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [folder / name, "-D", "-e", "-r", "-f", folder / "config"], stdout=log, stderr=log
        )
    try:
        _listening(port)
        yield PamServer("127.0.0.1", port)
    finally:
        server.terminate()
        server.wait(10)
        pam.unlink()


def _listening(port: int) -> None:
    for _ in range(100):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("sshd does not listen")
