"""What is found in mails, archives and wrappers, however broken."""

import io
import struct
import zipfile
from email.message import EmailMessage

import pytest
from mails import a_mail, pdf

from sync_runner.opening import opening
from sync_runner.opening.archives import BOMB, BROKEN, LOCKED
from sync_runner.opening.blobs import Blob
from sync_runner.opening.kinds import Kind, contradicts, looks
from sync_runner.opening.mails import SEALED
from sync_runner.opening.opening import open_up
from sync_runner.opening.pieces import FULL, MOST_PIECES, Opened, clean
from sync_runner.opening.tnef import BROKEN as BROKEN_TNEF

PDF = ("R-1.pdf", pdf("1"), "application/pdf")


def opened(data: bytes, name: str = "message.eml", said: str | None = "message/rfc822") -> Opened:
    return open_up(Blob.of(data), name, said)


def names(found: Opened) -> list[tuple[str, str]]:
    return [(piece.path, piece.filename) for piece in found.found]


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_the_text_of_a_mail_is_no_document_and_its_attachments_are() -> None:
    assert names(opened(a_mail(1, PDF))) == [("2", "R-1.pdf")]


def test_two_attachments_of_one_name_are_two_documents() -> None:
    found = opened(a_mail(1, PDF, ("R-1.pdf", pdf("other"), "application/pdf")))

    assert names(found) == [("2", "R-1.pdf"), ("3", "R-1.pdf")]


def test_attachments_of_a_forwarded_mail_are_found() -> None:
    outer = EmailMessage()
    outer["Subject"] = "Fwd"
    outer.set_content("See below.")
    inner = EmailMessage()
    inner.set_content("Our invoice.")
    inner.add_attachment(PDF[1], maintype="application", subtype="pdf", filename="inner.pdf")
    outer.add_attachment(inner)

    assert [name for _, name in names(opened(outer.as_bytes()))] == ["inner.pdf"]


def test_a_picture_within_the_text_is_hidden_and_one_that_is_attached_is_not() -> None:
    mail = EmailMessage()
    mail.set_content("hi")
    mail.add_attachment(
        b"\x89PNG\r\n\x1a\n1", "image", "png", filename="logo.png", disposition="inline", cid="<1>"
    )
    mail.add_attachment(b"\x89PNG\r\n\x1a\n2", "image", "png", filename="scan.png")

    assert [(p.filename, p.hidden) for p in opened(mail.as_bytes()).found] == [
        ("logo.png", True),
        ("scan.png", False),
    ]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('filename="Rechnung_M=?utf-8?q?=C3=BC?=ller.pdf"', "Rechnung_Müller.pdf"),
        ("filename*=utf-8''R%C3%A9sum%C3%A9.pdf", "Résumé.pdf"),
        ("filename*=klingon''x.pdf", "x.pdf"),
        ('filename="=?x-unknown?b?w7xiZXI=?=.pdf"', "über.pdf"),
        ('filename="../../etc/passwd.pdf"', "passwd.pdf"),
        ('filename="C:\\\\Users\\\\jane\\\\r.pdf"', "r.pdf"),
        (f'filename="{"a" * 1000}.pdf"', f"{'a' * 251}.pdf"),
        ('filename="a\u202egpj.pdf"', "agpj.pdf"),
        ("", "attachment.pdf"),
    ],
)
def test_odd_names_become_plain_ones(header: str, name: str) -> None:
    mail = (
        "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: application/pdf\r\n"
        f"Content-Disposition: attachment; {header}\r\n\r\n%PDF-1.4\r\n--x--\r\n"
    ).encode()

    assert [piece.filename for piece in opened(mail).found] == [name]


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\0\0\0",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: application/pdf\r\n",
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
        b"Content-Type: =?bad?=\r\nContent-Disposition: attachment; filename*0*=\xff\xfe\r\n\r\nx",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\n" * 5000,
    ],
)
def test_broken_mails_are_read_as_far_as_they_go(broken: bytes) -> None:
    assert all(not piece.blob.size or piece.filename for piece in opened(broken).found)


@pytest.mark.parametrize("encoding", ["8bit", "binary", "8BIT "])
@pytest.mark.parametrize("charset", ["", "; charset=utf-8", "; charset=klingon"])
@pytest.mark.parametrize(
    "data", ["<?xml version='1.0'?><a>Käse</a>".encode(), b"%PDF-1.4\r\xff\xfe\x00\n\n1"]
)
def test_attachments_that_are_sent_as_they_are_keep_their_bytes(
    data: bytes, charset: str, encoding: str
) -> None:
    mail = (
        f"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: application/xml{charset}\r\n"
        f"Content-Disposition: attachment; filename=r\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    found = opened(mail.encode() + data + b"\r\n--x--\r\n")

    assert [piece.blob.whole() for piece in found.found] == [data]


def test_base64_with_dirt_in_it_is_decoded() -> None:
    mail = (
        b"Content-Type: application/pdf; name=r.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        b"JVBE\r\n*Ri0x*\xfcLj\r\nQ\r\n"
    )

    assert opened(mail).found[0].blob.whole() == b"%PDF-1.4"


def test_an_encrypted_mail_is_left_with_a_reason() -> None:
    mail = b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\r\nMIIB"

    found = opened(mail)

    assert (found.found, [left.why for left in found.left]) == ([], [SEALED])


def test_an_archive_is_unpacked_and_its_names_are_only_names() -> None:
    found = opened(
        zipped(**{"a/R.pdf": pdf("1"), "../../x.pdf": pdf("2"), "__MACOSX/._R.pdf": b"x"}), "r.zip", None
    )

    assert names(found) == [("!a/R.pdf", "R.pdf"), ("!../../x.pdf", "x.pdf")]


def test_a_bomb_is_left_with_a_reason() -> None:
    found = opened(zipped(**{"big.pdf": b"\0" * (300 * 1024 * 1024), "good.pdf": pdf()}), "b.zip", None)

    assert [piece.filename for piece in found.found] == ["good.pdf"]
    assert [left.why for left in found.left] == [BOMB]


def test_too_many_files_in_an_archive_are_a_bomb() -> None:
    found = opened(zipped(**{f"{n}.pdf": b"x" for n in range(MOST_PIECES + 1)}), "b.zip", None)

    assert ([*found.found], [left.why for left in found.left]) == ([], [BOMB])


def test_archives_within_archives_end_somewhere() -> None:
    data = zipped(**{"r.pdf": pdf()})
    for _ in range(20):
        data = zipped(**{"deeper.zip": data})

    found = opened(data, "z.zip", None)

    assert (found.found, len(found.left)) == ([], 1)


def test_a_locked_and_a_damaged_archive_are_told_apart() -> None:
    plain = bytearray(zipped(**{"r.pdf": pdf()}))
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        plain[plain.index(sign) + at] |= 1

    assert [left.why for left in opened(bytes(plain), "r.zip", None).left] == [LOCKED]
    assert [left.why for left in opened(b"PK\x03\x04 cut off", "r.zip", None).left] == [BROKEN]


def tnef(*attachments: tuple[str, bytes]) -> bytes:
    def attribute(level: int, id_: int, value: bytes) -> bytes:
        return struct.pack("<BII", level, id_, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)

    out = struct.pack("<IH", 0x223E9F78, 1)
    for name, data in attachments:
        out += attribute(2, 0x00069002, b"\0" * 14)
        out += attribute(2, 0x00018010, name.encode("cp1252") + b"\0")
        out += attribute(2, 0x0006800F, data)
    return out


def test_the_attachments_of_winmail_dat_are_found() -> None:
    mail = a_mail(
        1, ("winmail.dat", tnef(("Müller.pdf", pdf("1")), ("b.pdf", pdf("2"))), "application/ms-tnef")
    )

    assert names(opened(mail)) == [("2!1", "Müller.pdf"), ("2!2", "b.pdf")]
    assert [left.why for left in opened(tnef(("a.pdf", pdf()))[:40], "winmail.dat", None).left] == [
        BROKEN_TNEF
    ]


def test_a_mail_in_an_archive_in_a_mail_is_opened() -> None:
    found = opened(a_mail(1, ("mails.zip", zipped(**{"m.eml": a_mail(2, PDF)}), "application/zip")))

    assert names(found) == [("2!m.eml.2", "R-1.pdf")]


def test_what_is_more_than_a_thousand_is_left_and_said_once() -> None:
    found = Opened()
    for number in range(MOST_PIECES + 5):
        found.add(str(number), f"{number}.pdf", None, b"x")

    assert (len(found.found), [left.why for left in found.left]) == (MOST_PIECES, [FULL])


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (b"%PDF-1.7", "r.pdf", Kind.PDF),
        (b"junk before\n%PDF-1.7", "r", Kind.PDF),
        (b"<?xml version='1.0'?><a/>", "r.xml", Kind.XML),
        ("<?xml version='1.0'?><a/>".encode("utf-16"), "r.xml", Kind.XML),
        (b"\xff\xd8\xff\xe0", "r.jpg", Kind.IMAGE),
        (b"PK\x03\x04", "r.docx", Kind.OFFICE),
        (b"PK\x03\x04", "r.zip", Kind.ZIP),
        (b"MZ\x90\0", "r.pdf", Kind.PROGRAM),
        (b"#!/bin/sh", "r.pdf", Kind.PROGRAM),
        (b"hello", "r.txt", Kind.OTHER),
        (b"", "r.pdf", Kind.OTHER),
    ],
)
def test_a_file_is_what_its_bytes_say(head: bytes, name: str, kind: Kind) -> None:
    assert looks(head, name, "application/pdf").kind is kind


def test_a_name_that_lies_is_found_out() -> None:
    assert contradicts("r.pdf", looks(b"<html>", "r.pdf", None))
    assert not contradicts("r.pdf", looks(b"%PDF-1.4", "r.pdf", "text/html"))


@pytest.mark.parametrize("name", ["", "/", "..", "a/..", "\0", "con.pdf"])
def test_no_name_is_dangerous_or_empty(name: str) -> None:
    safe = clean(name)

    assert safe
    assert "/" not in safe
    assert safe not in (".", "..")


def test_a_mail_that_is_too_large_to_be_opened_is_left_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MOST_MAIL", 1000)

    found = opened(a_mail(1, ("big.pdf", pdf("x" * 2000), "application/pdf")))

    assert (found.found, [left.why for left in found.left]) == ([], [opening.TOO_LARGE])


def test_a_mail_of_two_thousand_nested_parts_is_told_of_and_stops_nothing() -> None:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth)
        for depth in range(2000)
    )
    found = opened(nested + b"Content-Type: text/plain\r\n\r\nx")
    assert [left.why for left in found.left] == [opening.BROKEN]


def test_archives_of_archives_of_archives_are_opened_up_to_a_number() -> None:
    inner = zipped()
    for _ in range(3):
        inner = zipped(**{f"{number}.zip": inner for number in range(16)})
    found = opened(inner, "bomb.zip", "application/zip")
    assert [left.why for left in found.left] == [FULL]
    assert not found.found
