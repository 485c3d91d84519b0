"""What e-invoices say of themselves, and files that are made to hurt."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import pytest

from paperbus.demo.invoices import invoices
from sync_runner.einvoices.child import pdf
from sync_runner.einvoices.reader import Reader
from sync_runner.einvoices.terms import NoInvoice, terms_of

CAC, CBC = (
    "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
)
PARTY = (
    "<cac:Party><cac:PartyTaxScheme><cbc:CompanyID>{vat}</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID>"
    "</cac:TaxScheme></cac:PartyTaxScheme><cac:PartyLegalEntity><cbc:RegistrationName>{name}"
    "</cbc:RegistrationName></cac:PartyLegalEntity></cac:Party>"
)


def ubl(lines: int = 1, kind: str = "Invoice", code: str = "380") -> bytes:
    """An XRechnung in UBL, as far as its head goes."""
    line = (
        "<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:LineExtensionAmount>1"
        "</cbc:LineExtensionAmount></cac:InvoiceLine>"
    )
    return (
        f'<?xml version="1.0"?><{kind} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{kind}-2"'
        f' xmlns:cac="{CAC}" xmlns:cbc="{CBC}"><cbc:CustomizationID>urn:cen.eu:en16931:2017#compliant#urn'
        ":xeinkauf.de:kosit:xrechnung_3.0</cbc:CustomizationID><cbc:ID>R-7</cbc:ID><cbc:IssueDate>2026-11-16</cbc:IssueDate>"
        f"<cbc:DueDate>2026-12-16</cbc:DueDate><cbc:{kind}TypeCode>{code}</cbc:{kind}TypeCode>"
        "<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode><cac:AccountingSupplierParty>"
        + PARTY.format(vat="DE136695976", name="Käserei")
        + "</cac:AccountingSupplierParty><cac:AccountingCustomerParty>"
        + PARTY.format(vat="FR83404833048", name="Jane")
        + '</cac:AccountingCustomerParty><cac:TaxTotal><cbc:TaxAmount currencyID="EUR">19.00</cbc:TaxAmount>'
        "</cac:TaxTotal><cac:LegalMonetaryTotal><cbc:TaxExclusiveAmount>100.00</cbc:TaxExclusiveAmount>"
        "<cbc:TaxInclusiveAmount>119.00</cbc:TaxInclusiveAmount></cac:LegalMonetaryTotal>"
        + line * lines
        + f"</{kind}>"
    ).encode()


WANTED = {
    "document_type": "invoice",
    "number": "R-7",
    "issue_date": "2026-11-16",
    "due_date": "2026-12-16",
    "currency": "EUR",
    "seller_name": "Käserei",
    "seller_vat_id": "DE136695976",
    "buyer_name": "Jane",
    "buyer_vat_id": "FR83404833048",
    "net_amount": "100.00",
    "vat_amount": "19.00",
    "gross_amount": "119.00",
}


def test_an_xrechnung_in_ubl_tells_its_terms() -> None:
    said = terms_of(ubl())

    assert {name: said[name] for name in WANTED} == WANTED
    assert said["einvoice"]["format"] == "ubl"


def test_a_credit_note_and_ten_thousand_lines_are_read() -> None:
    assert terms_of(ubl(kind="CreditNote", code="381"))["document_type"] == "credit_note"
    assert terms_of(ubl(lines=10_000))["number"] == "R-7"


def test_a_type_that_is_not_known_is_not_guessed() -> None:
    assert "document_type" not in terms_of(ubl(code="999"))


def test_a_factur_x_pdf_tells_its_terms() -> None:
    made = next(invoices(1, date(2026, 11, 16)))

    said = pdf(made.content)["terms"]

    assert {name: said[name] for name in ("number", "gross_amount", "seller_vat_id")} == {
        "number": made.number,
        "gross_amount": str(made.net + made.vat),
        "seller_vat_id": made.seller[1],
    }
    assert said["einvoice"]["format"] == "cii"


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'


@pytest.mark.parametrize(
    "xml",
    [
        LAUGHS,
        b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        LAUGHS.decode().encode("utf-16"),
        LAUGHS.decode().encode("utf-7"),
        b"<a>" * 100_000,
        b"no xml",
        b"",
        b"<Invoice>of nobody's</Invoice>",
    ],
)
def test_what_is_made_to_hurt_or_is_no_invoice_says_nothing(xml: bytes) -> None:
    with pytest.raises(NoInvoice):
        terms_of(xml)


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    reader = Reader(patience=20)
    yield reader
    await reader.close()


async def test_a_locked_pdf_is_told_from_one_that_only_forbids_printing(reader: Reader) -> None:
    assert (await reader.pdf(protected("secret"))).locked
    assert not (await reader.pdf(protected(""))).locked


def protected(password: str) -> bytes:
    import io

    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt(password, "owner", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


async def test_a_process_that_takes_too_long_or_dies_is_replaced_and_the_file_stays_unread() -> None:
    reader = Reader(patience=0.0)
    assert (await reader.xml(ubl())).unread
    reader._patience = 20

    assert (await reader.xml(ubl())).terms["number"] == "R-7"

    assert reader._child is not None
    reader._child.kill()
    await reader._child.wait()
    assert (await reader.xml(ubl())).terms["number"] == "R-7"
    await reader.close()


async def test_a_pdf_without_anything_inside_starts_no_process(reader: Reader) -> None:
    said = await reader.pdf(b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj")

    await asyncio.sleep(0)
    assert (dict(said.terms), said.unread, reader._child) == ({}, False, None)
