"""Manifests as files: every complaint, at its line and column."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from catalog import reading
from providers import manifests, starter
from providers.drivers import KINDS
from providers.logos import LogoRefused, media_type_of, monogram
from providers.manifests import Broken
from providers.marked import read
from schemas.fields import FieldType

GOOD = """\
id: acme
name: Acme
summary: {en: Files., fr: Des fichiers., de: Dateien.}
extends: webdav
fields:
  url:
    placeholder: https://dav.example.com
driver:
  settings:
    atomic_put: true
"""
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        folder = tmp_path / "acme"
        folder.mkdir(exist_ok=True)
        (folder / "manifest.yaml").write_text(text, encoding="utf-8")
        (folder / "logo.svg").write_text(monogram("Acme"), encoding="utf-8")
        return folder

    return written


def test_a_good_manifest_has_no_complaints_and_takes_over_what_it_does_not_say(write: Write) -> None:
    folder = write(GOOD)
    assert manifests.check(folder) == []
    assert manifests.check(folder / "manifest.yaml") == []

    manifest = manifests.load(folder)
    assert [spec.name for spec in manifest.credentials] == ["url", "username", "password"]
    assert manifest.credentials[0].placeholder is not None
    assert manifest.credentials[0].placeholder.en == "https://dav.example.com"
    assert [spec.name for spec in manifest.options.export] == ["folder", "filename", "clash", "sidecar"]
    assert manifest.driver.settings == {"atomic_put": True}
    assert manifest.aliases == (), "whose words people search for is never taken over"


LOGIN = """\
id: acme
name: Acme
summary: Files.
extends: files
driver: {kind: webdav, settings: {url: "https://{tenant}.example.com", SETTINGS}}
login:
  - ask: credentials
    fields:
      - {name: tenant, label: Tenant, destination: true, pattern: "^[a-z]+$"}
      - {name: username, label: User}
      - {name: password, label: Password, type: password, secret: true}
      - EXTRA
"""


def login(extra: str, settings: str = "atomic_put: true") -> str:
    return LOGIN.replace("EXTRA", extra).replace("SETTINGS", settings)


def choice(number: int) -> str:
    """A field with so many choices."""
    choices = ", ".join(f"{{value: c{n}, label: C}}" for n in range(number))
    return f"{{name: pin, label: Pin, type: choice, choices: [{choices}]}}"


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("id: [", 2, 1, "no YAML"),
        ("- id", 1, 1, "must hold members"),
        ("id: &a acme\nname: *a\n", 1, 5, "Aliases are not read"),
        ("id: !!python/name:os.system acme\n", 1, 5, "Tags are not read"),
        (GOOD + "name: Twice\n", 11, 1, "`name` is said twice"),
        ("[" * 100_000, 1, 33, "nested too deeply"),
        ("- " * 100_000, 1, 65, "nested too deeply"),
        ("a: " + "[" * 300 + "]" * 300, 1, 35, "nested too deeply"),
        ("".join(" " * depth + "a:\n" for depth in range(600)), 33, 33, "nested too deeply"),
        ("a: " + "9" * 400, 1, 4, "too large"),
        ("a: " + "9" * 400 + ".0", 1, 4, "too large"),
        ("a: !!int b", 1, 4, "or is none"),
        ("a: !!float nan", 1, 4, "or is none"),
        ("a: " + "x" * 300_000, 1, 1, "larger than 256 KB"),
        (GOOD.replace("id: acme", "id: other"), 1, 1, "its folder is acme"),
        (GOOD.replace("id: acme", "id: Ac me"), 1, 1, "must be lower-case words"),
        (GOOD.replace("summary:", "sumary:"), 3, 1, "did you mean `summary`?"),
        (GOOD.replace("summary:", "sumary:"), 1, 1, "`summary` is missing"),
        (GOOD.replace("fr: Des", "es: Des"), 3, 23, "`es` is not known"),
        (GOOD.replace("extends: webdav", "extends: webdv"), 4, 1, "no provider or preset `webdv`"),
        (GOOD.replace("  url:", "  adress:"), 6, 3, "no field `adress` to change"),
        (GOOD.replace("placeholder: https", "typ: https"), 7, 5, "`typ` is not known"),
        (GOOD.replace("atomic_put", "atomc_put"), 10, 5, "no setting `atomc_put`"),
        (GOOD + "categories: [storge]\n", 11, 14, "must be 'storage'"),
        (GOOD + "countries: [Germany]\n", 11, 13, "must be two lower-case letters"),
        (GOOD + "limits: {concurrency: many}\n", 11, 10, "`concurrency` must be a valid integer."),
        (GOOD + "options: {export: [{name: k, label: K, secret: true}]}\n", 11, 20, "ask for k at"),
        (GOOD + "aliases:\n\t- x\n", 12, 1, "by spaces, never by tabs"),
        (GOOD + "aliases: [a\nwebsite: b\n", 12, 8, "in what begins in line 11"),
        (GOOD + "website: http://example.com\n", 11, 1, "begins with https://"),
        (GOOD + "logo: {file: none.png}\n", 11, 1, "no logo `none.png`"),
        (GOOD + "logo: {file: ../acme/logo.svg}\n", 11, 1, "no logo"),
        (GOOD + "logo: {source: https://example.com/press}\n", 11, 1, "needs `terms`"),
        (GOOD + "errors: [{status: 403, kind: conflict, reason: exists}]\n", 11, 24, "about the account"),
        (GOOD + "errors: [{status: 500, kind: transient, reason: tired}]\n", 11, 41, "not one of the list"),
        (GOOD.replace("  settings:", "  identity: '{password}'\n  settings:"), 9, 3, "cannot hold the"),
        (GOOD.replace("  settings:", "  identity: '{username'\n  settings:"), 9, 3, "has no other half"),
        (GOOD.replace("atomic_put: true", "forbidden_characters: '<}'"), 10, 5, "has no other half"),
        (GOOD.replace("atomic_put: true", "url: '{adress}'"), 10, 5, "no field of the login asks for"),
        (GOOD + "login: []\n", 11, 1, "needs at least 1"),
        (GOOD + "login: [{show: me}]\n", 11, 9, "starts with one of `ask:`, `confirm:`"),
        (login("{name: pin, label: Pin, type: pasword}"), 12, 33, "must be one of text, password"),
        (login("{name: pin, label: Pin, type: password}"), 12, 33, "say `secret: true`"),
        (login("{name: pin, label: Pin, secret: true, default: x}"), 12, 47, "it has no default"),
        (login('{name: pin, label: Pin, pattern: "["}'), 12, 33, "no regular expression"),
        (login('{name: pin, label: Pin, pattern: "a{99999999999}"}'), 12, 33, "no regular expression"),
        (login(f"{{name: pin, label: Pin, pattern: '{'(' * 3000}{')' * 3000}'}}"), 12, 33, "no regular expr"),
        (login('{name: pin, label: Pin, pattern: "^(a+)+$"}'), 12, 33, "can take hours"),
        (login("{name: pin, label: Pin, min: 3, max: 2}"), 12, 33, "above its `max`"),
        (login('{name: pin, label: Pin, default: {"\\0": 1}}'), 12, 33, "one plain value"),
        (login("{name: pin, label: Pin, type: choice}"), 12, 33, "needs `choices`"),
        (login(choice(51)), 12, 47, "has 51; it may have 50; ask for longer lists with"),
        (login("{name: pin, label: Pin, depends_on: [pan]}"), 12, 33, "no field beside it"),
        (login("{name: pin, label: Pin, shown_when: {pan: [x]}}"), 12, 33, "`depends_on` does not"),
        (login("{name: username, label: Again}"), 1, 1, "names username twice"),
        (login("{name: pin, label: P}", "port: 1"), 5, 72, "has no setting `port`"),
        (login("{name: pin, label: P}").replace("destination: true, ", ""), 6, 1, "give it `destination"),
        (login("{name: pin, label: P}").replace(', pattern: "^[a-z]+$"', ""), 6, 1, "part of a host's name"),
        (login("{name: pin, label: P}").replace("^[a-z]+$", "^.*$"), 6, 1, "none of / : @ ?"),
        (login("{name: pin, label: P}").replace("^[a-z]+$", "^[^.]+$"), 6, 1, "none of / : @ ?"),
        (login("{name: pin, label: P}").replace("name: username", "name: user"), 5, 1, "needs `username`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_place(
    write: Write, text: str, line: int, column: int, said: str
) -> None:
    complaints = manifests.check(write(text))

    assert [(one.line, one.column) for one in complaints if said in one.message] == [(line, column)], (
        complaints
    )


def test_a_list_of_which_nothing_can_be_read_is_not_called_empty_too(write: Write) -> None:
    assert len(manifests.check(write(GOOD + "directions: [exports]\n"))) == 1


def test_a_file_that_is_no_manifest_is_not_taken_for_the_one_beside_it(write: Write) -> None:
    folder = write(GOOD)

    assert "is called manifest.yaml" in str(manifests.check(folder / "logo.svg")[0])


def test_several_things_that_are_wrong_are_all_said(write: Write) -> None:
    text = GOOD.replace("name: Acme", "nam: Acme").replace("id: acme", "id: other") + "website: nowhere\n"

    said = " ".join(str(one) for one in manifests.check(write(text)))
    assert "`nam` is not known" in said
    assert "`name` is missing" in said


def test_what_is_extended_in_a_circle_or_broken_is_said_where_it_is_extended(write: Write) -> None:
    folder = write(GOOD.replace("extends: webdav", "extends: other"))
    other = folder.parent / "other"
    other.mkdir()
    (other / "manifest.yaml").write_text("extends: acme\n")
    assert "in a circle" in str(manifests.check(folder)[0])

    (other / "manifest.yaml").write_text("id: [\n")
    complaint = manifests.check(folder)[0]
    assert (complaint.line, complaint.column) == (4, 1)
    assert "`other` cannot be extended" in complaint.message


def test_words_and_times_stay_what_they_are() -> None:
    members = read(
        b"a: no\nb: 12:30\non: yes\nc: 007\nd: 1e3\ne: ~\nf: true\ng: -4\nh: 1.5\ni: 2026-01-01\n"
    ).members

    assert members == {
        "a": "no", "b": "12:30", "on": "yes", "c": "007", "d": "1e3", "e": "~", "f": True, "g": -4,
        "h": 1.5, "i": "2026-01-01",
    }  # fmt: skip


def test_a_digest_changes_with_every_file_that_counts_and_with_nothing_else(write: Write) -> None:
    folder = write(GOOD)
    whole = manifests.whole(folder)
    again = manifests.digest(folder, "logo.svg", whole.parents)
    assert whole.digest == again
    assert whole.parents == ("webdav", "files", "imports")

    (folder / "notes.txt").write_text("nothing")
    assert manifests.digest(folder, "logo.svg", whole.parents) == again
    (folder / "logo.svg").write_text(monogram("Other"))
    assert manifests.digest(folder, "logo.svg", whole.parents) != again
    parent = folder.parent / "webdav"
    shutil.copytree(manifests.CATALOGUE / "webdav", parent)
    write(GOOD)
    assert manifests.digest(folder, "logo.svg", whole.parents) == again, "the same bytes elsewhere"
    (parent / "manifest.yaml").write_text((parent / "manifest.yaml").read_text() + "\n")
    assert manifests.digest(folder, "logo.svg", whole.parents) != again


@pytest.mark.parametrize(
    "logo",
    [
        b"<html></html>",
        b"<svg xmlns='x'><script>alert(1)</script></svg>",
        b"<svg xmlns='x' onload='alert(1)'></svg>",
        b"<svg xmlns='x'><image href='https://example.com/a.png'/></svg>",
        b'<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>',
        b"GIF89a",
        b"",
    ],
)
def test_a_logo_that_is_more_than_a_drawing_is_refused(logo: bytes) -> None:
    with pytest.raises(LogoRefused):
        media_type_of(logo)


@pytest.mark.parametrize("name", ["Acme Docs", "Crédit Müßig: & Co", "no", "12:30", "'x' \"y\" {z}", "<b>&"])
def test_a_starter_passes_its_own_check(tmp_path: Path, name: str) -> None:
    folder = starter.new(name, tmp_path)

    assert manifests.check(folder) == []
    assert manifests.load(folder).name.en == name
    with pytest.raises(FileExistsError):
        starter.new(name, tmp_path)


def test_a_name_without_letters_makes_no_provider(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs a letter"):
        starter.new("!!!", tmp_path)


def test_a_list_shows_what_is_right_and_what_is_wrong(tmp_path: Path) -> None:
    starter.new("Good", tmp_path)
    bad = starter.new("Bad", tmp_path)
    (bad / "logo.svg").unlink()

    found = {entry.folder.name: entry for entry in starter.entries((tmp_path,))}
    assert found["good"].manifest is not None
    assert found["bad"].manifest is None
    assert "no logo" in found["bad"].complaints[0].message


def test_a_folder_that_cannot_be_read_at_all_keeps_no_other_from_being_read(tmp_path: Path) -> None:
    good, dark = starter.new("Good", tmp_path), starter.new("Dark", tmp_path)
    (dark / "logo.svg").unlink()
    (dark / "logo.svg").symlink_to(tmp_path / ("x" * 300))

    came = reading.read([("odd", tmp_path / "o\0dd"), ("dark", dark), ("good", good)])

    assert list(came.manifests) == ["good"]
    assert came.broken == {
        "odd": ("This provider cannot be read: ValueError.",),
        "dark": ("2:1: There is no logo `logo.svg` beside the manifest that can be read.",),
    }


def test_a_folder_is_read_again_only_where_its_bytes_differ_from_what_is_known(tmp_path: Path) -> None:
    same, edited, new = (starter.new(name, tmp_path) for name in ("Same", "Edited", "New"))
    folders = [(folder.name, folder) for folder in (same, edited, new)]
    known = reading.read(folders[:2]).files
    (edited / "logo.svg").write_text(monogram("Another"))
    os.utime(same / "manifest.yaml", (1, 1))

    assert reading.changed(folders, known) == ["edited", "new"]
    assert reading.changed([("odd", tmp_path / "o\0dd")], {"odd": known["same"]}) == ["odd"]


OURS = [folder.name for folder in manifests.folders(manifests.CATALOGUE)]
CREDENTIALS = {
    "webdav": ["url", "username", "password"],
    "nextcloud": ["url", "username", "password"],
    "sftp": ["host", "port", "username", "password", "private_key", "passphrase"],
    "s3": ["endpoint", "region", "bucket", "access_key_id", "secret_access_key"],
    "ftp": ["host", "security", "port", "username", "password"],
    "email": ["host", "security", "port", "username", "password", "sender"],
}
FILES = ["folder", "filename", "clash", "sidecar"]
EXPORTS = {"smtp": ["to", "subject", "attach"]}


@pytest.mark.parametrize("name", OURS)
def test_ours_are_whole_speak_three_languages_and_show_no_real_logo(name: str) -> None:
    whole = manifests.whole(manifests.CATALOGUE / name)
    manifest = whole.manifest

    assert manifest.logo.source == "monogram"
    assert whole.logo.decode() == monogram(manifest.name.en)
    texts = [manifest.summary]
    for spec in (*manifest.credentials, *manifest.options.export):
        texts += [text for text in (spec.label, spec.help, spec.pattern_message) if text is not None]
    assert all(text.fr and text.de for text in texts)
    options = [spec.name for spec in manifest.options.export]
    assert options == (EXPORTS.get(manifest.driver.kind, FILES) if "export" in manifest.directions else [])
    assert all(spec.secret for spec in manifest.credentials if spec.type is FieldType.PASSWORD)
    assert [spec.name for spec in manifest.credentials] == CREDENTIALS.get(
        name, [spec.name for spec in manifest.credentials]
    )


def test_a_driver_of_a_later_release_is_told(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(cast(dict[str, Any], KINDS), "webdav")

    assert [
        str(one) for one in manifests.check(write(GOOD)) if "no driver webdav in this release" in str(one)
    ]


def test_there_are_enough_of_ours() -> None:
    assert len(OURS) >= 40
    assert CREDENTIALS.keys() <= set(OURS)


def test_a_broken_manifest_says_all_its_complaints_in_one_text(write: Write) -> None:
    with pytest.raises(Broken, match="is missing here"):
        manifests.load(write("id: acme\n"))
