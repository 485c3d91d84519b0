"""The papers keep up with the code: every path, setting, topic and command that they name exists."""

from __future__ import annotations

import re
import subprocess
from importlib.metadata import PackageMetadata, distributions
from pathlib import Path

import click
import pytest

from kit.settings import Settings
from paperbus.cli import COMMANDS, paperbus
from providers.manifests import load
from schemas.reasons import Reason
from schemas.topics import TOPICS

ROOT = Path(__file__).parents[2]
PAPERS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(ROOT.glob("services/*/README.md")),
]
PATH = re.compile(
    r"`((?:schemas|kit|providers|web|console|services|paperbus|examples|deploy|tests|bench|docs)/[\w./-]+)`"
)


def text(path: Path) -> str:
    return path.read_text("utf-8")


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.relative_to(ROOT).as_posix())
def test_every_path_that_a_paper_names_exists(paper: Path) -> None:
    named = {*PATH.findall(text(paper)), *re.findall(r"\]\((?!http|#)([^)#]+)\)", text(paper))}
    missing = [path for path in named if not (ROOT / path).exists() and not (paper.parent / path).exists()]

    assert missing == []


def test_every_setting_is_in_the_example_and_no_other() -> None:
    named = set(re.findall(r"^#([A-Z_]+?)(?:_FILE)?=", text(ROOT / ".env.example"), re.MULTILINE))

    assert named - {"KAFKA_CA"} | {"KAFKA_CA_FILE"} == {name.upper() for name in Settings.model_fields}


def test_every_topic_is_in_the_architecture() -> None:
    table = text(ROOT / "ARCHITECTURE.md")
    rows = {row[0]: row[1] for row in re.findall(r"^\| `([\w.]+)` \| [^|]+ \| (\d+) \|", table, re.MULTILINE)}

    assert rows == {topic.name: str(topic.partitions) for topic in TOPICS}


def test_every_command_that_the_papers_name_exists() -> None:
    named = {
        found for paper in PAPERS for found in re.findall(r"`(?:\.venv/bin/)?paperbus ([a-z]+)", text(paper))
    }

    assert named <= set(COMMANDS)


def test_every_call_of_a_group_that_the_papers_name_exists() -> None:
    words = re.compile(r"`(?:\.venv/bin/)?paperbus ((?:admin|provider|keys) [^`]+)")
    named = {found for paper in PAPERS for found in words.findall(text(paper))}

    assert [call for call in sorted(named) if not _is_called(paperbus, call.split())] == []


def _is_called(command: click.Command, words: list[str]) -> bool:
    """Whether these words lead from group to group to a command; what follows it are its arguments."""
    while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z]+", words[0]):
        found = command.get_command(click.Context(command), words.pop(0))
        if found is None:
            return False
        command = found
    return True


def test_every_reason_is_explained_once() -> None:
    rows = re.findall(r"^\| ((?:`[a-z_]+`(?:, )?)+) \|", text(ROOT / "docs/reasons.md"), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([a-z_]+)`", row)]

    assert sorted(named) == sorted(reason.value for reason in Reason if reason is not Reason.OTHER)


def test_every_paper_is_named_in_the_readme() -> None:
    readme = text(ROOT / "README.md")

    assert [one.name for one in (ROOT / "docs").glob("*.md") if one.name not in readme] == []


def test_every_library_that_asks_more_than_to_be_named_is_in_the_notice() -> None:
    """As their own metadata say; those of other systems are not installed here."""
    pinned = {
        name.lower()
        for file in ROOT.glob("requirements*.txt")
        for name in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", text(file), re.MULTILINE)
    }
    installed = {one.metadata["Name"].lower(): one.metadata for one in distributions()}
    demanding = {
        name for name in pinned & set(installed) if re.search(r"GPL|MPL|EPL|Mozilla", _terms(installed[name]))
    }
    notice = text(ROOT / "NOTICE").lower()

    assert {"certifi", "trytond"} <= demanding
    assert [name for name in sorted(demanding) if name not in notice] == []


def _terms(about: PackageMetadata) -> str:
    said = [about.get("License-Expression", ""), (about.get("License") or "")[:100]]
    return " ".join(said + [one for one in about.get_all("Classifier", []) if one.startswith("License")])


def test_no_committed_file_names_a_registry() -> None:
    hosts = "|".join(
        ("py" + "pi\\.org", "python" + "hosted", "npm" + "js\\.org", "maven" + "\\.(org|apache)")
    )
    found = subprocess.run(
        ["git", "grep", "-nIE", hosts, "--", ".", ":!*.svg"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.stdout == ""


def test_the_readme_names_every_provider() -> None:
    manifests = (load(path.parent) for path in (ROOT / "providers/catalogue").glob("*/manifest.yaml"))
    words = " ".join(text(ROOT / "README.md").split())

    assert [manifest.name.en for manifest in manifests if manifest.name.en not in words] == []
