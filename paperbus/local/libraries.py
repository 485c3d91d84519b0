"""Shared libraries that a packaged program needs and this system lacks, and what installs them."""

import platform
import re
import shutil
import subprocess
from pathlib import Path

from paperbus.local.errors import LibraryMissing, NotPackaged

# Library: the package's name with (apt, dnf, zypper).
PACKAGES = {
    "libcurl": ("libcurl4", "libcurl", "libcurl4"),
    "libssl": ("libssl3", "openssl-libs", "libopenssl3"),
    "libcrypto": ("libssl3", "openssl-libs", "libopenssl3"),
    "libgssapi_krb5": ("libgssapi-krb5-2", "krb5-libs", "krb5"),
    "libkrb5": ("libkrb5-3", "krb5-libs", "krb5"),
    "liblzma": ("liblzma5", "xz-libs", "liblzma5"),
    "libz": ("zlib1g", "zlib", "libz1"),
    "libstdc++": ("libstdc++6", "libstdc++", "libstdc++6"),
    "libresolv": ("libc6", "glibc", "glibc"),
}
MANAGERS = ("apt-get", "dnf", "zypper")


def this_system() -> str:
    return f"{platform.system()} {platform.machine()}"


def require_libraries(title: str, program: Path) -> None:
    """See that `program --version` runs. Raises LibraryMissing; NotPackaged where it is no program."""
    try:
        result = subprocess.run(  # noqa: S603  a program of ours
            [program, "--version"], capture_output=True, text=True, check=False
        )
    except OSError as error:  # another processor, or no loader of that name (musl)
        raise NotPackaged(title, this_system()) from error
    if result.returncode:
        absent = missing_libraries(program) or _named_by_loader(result.stderr)
        raise LibraryMissing(title, absent, install_command(absent))


def missing_libraries(program: Path) -> list[str]:
    """All that are missing, as `ldd` sees it; none where there is no ldd."""
    if not (ldd := shutil.which("ldd")):
        return []
    text = subprocess.run([ldd, program], capture_output=True, text=True, check=False).stdout  # noqa: S603  ours
    return re.findall(r"^\s*(\S+) => not found", text, re.MULTILINE)


def install_command(libraries: list[str], manager: str | None = None) -> str:
    """What an administrator types to get them, for the package manager that is here."""
    manager = manager or next((name for name in MANAGERS if shutil.which(name)), MANAGERS[0])
    column = MANAGERS.index(manager)
    stems = [library.split(".so")[0] for library in libraries]
    names = dict.fromkeys(PACKAGES[stem][column] if stem in PACKAGES else stem for stem in stems)
    return f"{manager} install {' '.join(names)}"


def _named_by_loader(text: str) -> list[str]:
    return re.findall(r"loading shared libraries: (\S+?):", text) or ["a shared library"]
