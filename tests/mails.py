"""Mails and documents as others write them, made on the spot."""

from email.message import EmailMessage


def pdf(text: str = "") -> bytes:
    """Bytes that begin like a PDF and say something."""
    return b"%PDF-1.4\n% " + text.encode() + b"\n%%EOF\n"


def a_mail(number: object = 1, *attachments: tuple[str, bytes, str], **headers: str) -> bytes:
    """A mail with attachments: (name, bytes, media type)."""
    mail = EmailMessage()
    usual = {
        "From": "Käserei Grünwald <rechnung@kaeserei.example>",
        "To": "jane@firm.example",
        "Subject": f"Rechnung {number}",
        "Message-ID": f"<{number}@kaeserei.example>",
        "Date": "Mon, 16 Nov 2026 09:00:00 +0100",
    }
    for name, value in (usual | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        if value:
            mail[name] = value
    mail.set_content("Anbei unsere Rechnung.")
    for name, data, media_type in attachments:
        kind, _, rest = media_type.partition("/")
        mail.add_attachment(data, maintype=kind, subtype=rest, filename=name)
    return mail.as_bytes()


def invoice_mail(number: object = 1) -> bytes:
    """A mail with one PDF."""
    return a_mail(number, (f"R-{number}.pdf", pdf(str(number)), "application/pdf"))
