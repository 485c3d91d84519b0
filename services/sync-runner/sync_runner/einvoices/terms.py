"""An XML invoice's own words as terms of EN 16931: UBL 2.1 (XRechnung, Peppol) and UN/CEFACT CII (Factur-X).

Only what it says is told; nothing is computed or guessed. No entities, document types or network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_NODES = 400_000
"""10,000 line items have fewer."""
_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_CAC, _CBC = f"{{{_UBL}CommonAggregateComponents-2}}", f"{{{_UBL}CommonBasicComponents-2}}"
_CII = "urn:un:unece:uncefact:data:standard:"
_RSM = f"{{{_CII}CrossIndustryInvoice:100}}"
_RAM = f"{{{_CII}ReusableAggregateBusinessInformationEntity:100}}"
_UDT = f"{{{_CII}UnqualifiedDataType:100}}"
_TYPES = {"380": "invoice", "381": "credit_note", "384": "corrected_invoice", "389": "self_billed_invoice"}
"""BT-3 (UNTDID 1001), as far as EN 16931 uses it; others are left out."""
MOST_TEXT = 500


class NoInvoice(Exception):
    """It is no e-invoice that is known here."""


def terms_of(xml: bytes) -> dict[str, Any]:
    """What the invoice says, by the names of `schemas.documents.Metadata`, with `einvoice` {format, profile}.

    Raises:
        NoInvoice: not XML, not an invoice, or made to hurt (document types, entities, far too much of it).
    """
    from lxml import etree

    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml or b"\0" in xml[:200].replace(b"\xff\xfe", b""):
        raise NoInvoice
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise NoInvoice from None
    if sum(1 for _ in root.iter()) > MOST_NODES:
        raise NoInvoice
    return read(root)


def read(root: Any) -> dict[str, Any]:
    """The terms of a parsed invoice.

    Raises:
        NoInvoice: another kind of XML.
    """
    if root.tag == f"{_RSM}CrossIndustryInvoice":
        return _told(_cii(root))
    for name in ("Invoice", "CreditNote"):
        if root.tag == f"{{{_UBL}{name}-2}}{name}":
            return _told(_ubl(root, name))
    raise NoInvoice


def _ubl(root: Any, name: str) -> Mapping[str, Any]:
    total = f"{_CAC}LegalMonetaryTotal"
    seller, buyer = f"{_CAC}AccountingSupplierParty/{_CAC}Party", f"{_CAC}AccountingCustomerParty/{_CAC}Party"
    currency = _text(root, f"{_CBC}DocumentCurrencyCode")
    due = _text(root, f"{_CBC}DueDate") or _text(root, f"{_CAC}PaymentMeans/{_CBC}PaymentDueDate")
    code = _text(root, f"{_CBC}{name}TypeCode")
    return {
        "document_type": _TYPES.get(code or ""),
        "number": _text(root, f"{_CBC}ID"),
        "issue_date": _day(_text(root, f"{_CBC}IssueDate")),
        "due_date": _day(due),
        "currency": _currency(currency),
        "seller_name": _ubl_name(root, seller),
        "seller_vat_id": _ubl_vat(root, seller),
        "buyer_name": _ubl_name(root, buyer),
        "buyer_vat_id": _ubl_vat(root, buyer),
        "net_amount": _amount(_text(root, f"{total}/{_CBC}TaxExclusiveAmount")),
        "vat_amount": _amount(_in_currency(root, f"{_CAC}TaxTotal/{_CBC}TaxAmount", currency)),
        "gross_amount": _amount(_text(root, f"{total}/{_CBC}TaxInclusiveAmount")),
        "einvoice": {"format": "ubl", "profile": _text(root, f"{_CBC}CustomizationID")},
    }


def _ubl_name(root: Any, party: str) -> str | None:
    legal = _text(root, f"{party}/{_CAC}PartyLegalEntity/{_CBC}RegistrationName")
    return legal or _text(root, f"{party}/{_CAC}PartyName/{_CBC}Name")


def _ubl_vat(root: Any, party: str) -> str | None:
    for scheme in root.findall(f"{party}/{_CAC}PartyTaxScheme"):
        if _text(scheme, f"{_CAC}TaxScheme/{_CBC}ID") == "VAT":
            return _text(scheme, f"{_CBC}CompanyID")
    return None


def _cii(root: Any) -> Mapping[str, Any]:
    document = f"{_RSM}ExchangedDocument"
    trade = f"{_RSM}SupplyChainTradeTransaction"
    settlement = f"{trade}/{_RAM}ApplicableHeaderTradeSettlement"
    agreement = f"{trade}/{_RAM}ApplicableHeaderTradeAgreement"
    total = f"{settlement}/{_RAM}SpecifiedTradeSettlementHeaderMonetarySummation"
    due = f"{settlement}/{_RAM}SpecifiedTradePaymentTerms/{_RAM}DueDateDateTime/{_UDT}DateTimeString"
    currency = _text(root, f"{settlement}/{_RAM}InvoiceCurrencyCode")
    guideline = f"{_RSM}ExchangedDocumentContext/{_RAM}GuidelineSpecifiedDocumentContextParameter/{_RAM}ID"
    return {
        "document_type": _TYPES.get(_text(root, f"{document}/{_RAM}TypeCode") or ""),
        "number": _text(root, f"{document}/{_RAM}ID"),
        "issue_date": _day(_text(root, f"{document}/{_RAM}IssueDateTime/{_UDT}DateTimeString")),
        "due_date": _day(_text(root, due)),
        "currency": _currency(currency),
        "seller_name": _text(root, f"{agreement}/{_RAM}SellerTradeParty/{_RAM}Name"),
        "seller_vat_id": _cii_vat(root, f"{agreement}/{_RAM}SellerTradeParty"),
        "buyer_name": _text(root, f"{agreement}/{_RAM}BuyerTradeParty/{_RAM}Name"),
        "buyer_vat_id": _cii_vat(root, f"{agreement}/{_RAM}BuyerTradeParty"),
        "net_amount": _amount(_text(root, f"{total}/{_RAM}TaxBasisTotalAmount")),
        "vat_amount": _amount(_in_currency(root, f"{total}/{_RAM}TaxTotalAmount", currency)),
        "gross_amount": _amount(_text(root, f"{total}/{_RAM}GrandTotalAmount")),
        "einvoice": {"format": "cii", "profile": _text(root, guideline)},
    }


def _cii_vat(root: Any, party: str) -> str | None:
    for id_ in root.findall(f"{party}/{_RAM}SpecifiedTaxRegistration/{_RAM}ID"):
        if id_.get("schemeID") == "VA":
            return _clean(id_.text)
    return None


def _in_currency(root: Any, path: str, currency: str | None) -> str | None:
    """BT-110: the VAT total may be said a second time, in the currency of accounting."""
    amounts = root.findall(path)
    own = [each for each in amounts if each.get("currencyID") in (None, currency)]
    return own[0].text if own else None


def _text(element: Any, path: str) -> str | None:
    found = element.find(path)
    return None if found is None else _clean(found.text)


def _clean(text: str | None) -> str | None:
    words = " ".join((text or "").split())
    return words[:MOST_TEXT] or None


def _day(text: str | None) -> str | None:
    """`2026-11-22`, also from CII's `20261122` (format 102); what is no day is left out."""
    digits = re.sub(r"\D", "", (text or "")[:10])
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).isoformat()
    except ValueError:
        return None


def _currency(text: str | None) -> str | None:
    return text if text and re.fullmatch("[A-Z]{3}", text) else None


def _amount(text: str | None) -> str | None:
    try:
        amount = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    return format(amount, "f") if amount.is_finite() and abs(amount.adjusted()) < 15 else None


def _told(terms: Mapping[str, Any]) -> dict[str, Any]:
    """Without what was not said."""
    return {name: value for name, value in terms.items() if value is not None}
