"""E-invoices for the demo: PDFs with EN 16931 XML inside (Factur-X, CII), all names and numbers made up."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

PARTIES = (
    ("Käserei Grünwald GmbH", "DE136695976"),
    ("Imprimerie de l'Été SARL", "FR40303265045"),
    ("Harbour & Sons Ltd", "IE6388047V"),
)
BUYER = ("Jane's Bakery", "FR83404833048")
VAT = Decimal("0.20")


@dataclass(frozen=True)
class Invoice:
    """One invoice of the demo: its bytes, and what the platform knows of it."""

    number: str
    day: date
    seller: tuple[str, str]
    net: Decimal
    filename: str
    content: bytes

    @property
    def vat(self) -> Decimal:
        """VAT at 20 %, to the cent."""
        return (self.net * VAT).quantize(Decimal("0.01"))

    @property
    def sha256(self) -> str:
        """SHA-256 of its bytes, hex."""
        return hashlib.sha256(self.content).hexdigest()

    def metadata(self) -> dict[str, Any]:
        """What `DocumentReceived` tells of it, in the terms of EN 16931."""
        return {
            "document_type": "invoice",
            "number": self.number,
            "issue_date": self.day.isoformat(),
            "due_date": (self.day + timedelta(days=30)).isoformat(),
            "currency": "EUR",
            "seller_name": self.seller[0],
            "seller_vat_id": self.seller[1],
            "buyer_name": BUYER[0],
            "buyer_vat_id": BUYER[1],
            "net_amount": str(self.net),
            "vat_amount": str(self.vat),
            "gross_amount": str(self.net + self.vat),
        }


def invoices(count: int, last: date, series: str = "R") -> Iterator[Invoice]:
    """`count` invoices, one a week, the last of them of day `last`."""
    for index in range(count):
        day = last - timedelta(weeks=count - 1 - index)
        seller, net = PARTIES[index % len(PARTIES)], Decimal(100 + 37 * index).quantize(Decimal("0.01"))
        number = f"{series}-{day:%Y}-{1001 + index}"
        draft = Invoice(number, day, seller, net, f"{day} {seller[0]} {number}.pdf", b"")
        yield Invoice(number, day, seller, net, draft.filename, _pdf(draft))


def _pdf(invoice: Invoice) -> bytes:
    """A page that people read, with the XML that machines read inside."""
    from facturx import generate_from_binary
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    page = io.BytesIO()
    canvas = Canvas(page, pagesize=A4, invariant=1)
    canvas.setTitle(invoice.number)
    lines = (
        (24, f"Invoice {invoice.number}"),
        (12, f"{invoice.seller[0]}  ({invoice.seller[1]})"),
        (12, f"To {BUYER[0]}  ({BUYER[1]})"),
        (12, f"Date {invoice.day}"),
        (12, f"Net {invoice.net} EUR   VAT 20 % {invoice.vat} EUR   Total {invoice.net + invoice.vat} EUR"),
    )
    height = 770
    for size, text in lines:
        canvas.setFont("Helvetica", size)
        canvas.drawString(60, height, text)
        height -= size * 2
    canvas.save()
    whole: bytes = generate_from_binary(page.getvalue(), _xml(invoice), flavor="factur-x", level="minimum")
    return whole


def _xml(invoice: Invoice) -> bytes:
    """The invoice as UN/CEFACT CII, profile Factur-X MINIMUM (Factur-X 1.0, EN 16931 semantics)."""
    total = invoice.net + invoice.vat
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
 xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
 xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
 <rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter>
  <ram:ID>urn:factur-x.eu:1p0:minimum</ram:ID>
 </ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
 <rsm:ExchangedDocument><ram:ID>{invoice.number}</ram:ID><ram:TypeCode>380</ram:TypeCode>
  <ram:IssueDateTime>
   <udt:DateTimeString format="102">{invoice.day:%Y%m%d}</udt:DateTimeString>
  </ram:IssueDateTime>
 </rsm:ExchangedDocument>
 <rsm:SupplyChainTradeTransaction>
  <ram:ApplicableHeaderTradeAgreement>
   <ram:SellerTradeParty><ram:Name>{escape(invoice.seller[0])}</ram:Name>
    <ram:PostalTradeAddress><ram:CountryID>{invoice.seller[1][:2]}</ram:CountryID></ram:PostalTradeAddress>
    <ram:SpecifiedTaxRegistration>
     <ram:ID schemeID="VA">{invoice.seller[1]}</ram:ID>
    </ram:SpecifiedTaxRegistration>
   </ram:SellerTradeParty>
   <ram:BuyerTradeParty><ram:Name>{escape(BUYER[0])}</ram:Name></ram:BuyerTradeParty>
  </ram:ApplicableHeaderTradeAgreement>
  <ram:ApplicableHeaderTradeDelivery/>
  <ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
   <ram:SpecifiedTradeSettlementHeaderMonetarySummation>
    <ram:TaxBasisTotalAmount>{invoice.net}</ram:TaxBasisTotalAmount>
    <ram:TaxTotalAmount currencyID="EUR">{invoice.vat}</ram:TaxTotalAmount>
    <ram:GrandTotalAmount>{total}</ram:GrandTotalAmount><ram:DuePayableAmount>{total}</ram:DuePayableAmount>
   </ram:SpecifiedTradeSettlementHeaderMonetarySummation>
  </ram:ApplicableHeaderTradeSettlement>
 </rsm:SupplyChainTradeTransaction>
</rsm:CrossIndustryInvoice>
""".encode()
