"""Mail servers that nobody here wrote, on loopback, for as long as their block runs."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from servers import NoServer
from targets import serving

from paperbus.local.folder import LOOPBACK, free_port
from paperbus.local.process import Process

USER, PASSWORD = "jane", "correct-horse"

_CONFIG = """
base_dir = {base}/run
state_dir = {base}/run
log_path = {base}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{base}/mail/%u
first_valid_uid = 1
default_internal_user = {internal}
default_login_user = {login}
mail_max_userip_connections = 100
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={base}/home/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
}}
"""


@dataclass(frozen=True)
class MailServer:
    """Where it listens. Mails can be put into `folder` as files, or appended over IMAP."""

    port: int
    folder: Path
    process: Process
    host: str = LOOPBACK
    username: str = USER
    password: str = PASSWORD

    @property
    def credentials(self) -> dict[str, object]:
        return {
            "host": self.host,
            "port": self.port,
            "security": "none",
            "username": self.username,
            "password": self.password,
        }


@contextlib.contextmanager
def dovecot(port: int | None = None) -> Iterator[MailServer]:
    """Dovecot with one user and Maildir, in a folder of its own. Raises NoServer.

    Its processes are not root's, and pytest keeps others out of its folders.
    """
    program = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
    if not program or os.geteuid() != 0:
        raise NoServer(
            "there is no dovecot here, or nobody may start it: apt-get install dovecot-imapd, as root"
        )
    with tempfile.TemporaryDirectory(prefix="dovecot-", ignore_cleanup_errors=True) as folder:
        base = Path(folder)
        base.chmod(0o755)
        mail = base / "mail" / USER
        for each in (base / "run", base / "home" / USER, mail):
            each.mkdir(parents=True)
        subprocess.run(["chown", "-R", "dovecot:dovecot", str(base / "mail"), str(base / "home")], check=True)
        port = port or free_port()
        owner = pwd.getpwnam("dovecot")
        config = base / "dovecot.conf"
        names = {"base": base, "port": port, "password": PASSWORD, "internal": "dovecot", "login": "dovenull"}
        config.write_text(_CONFIG.format(owner=owner.pw_uid, group=owner.pw_gid, **names))
        with serving([program, "-F", "-c", str(config)], port, base / "run") as process:
            yield MailServer(port, mail, process)
