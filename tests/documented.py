"""Answers of providers, made up here in the shapes that we believe their documentation to have.

They prove that a manifest reads such answers, not that its provider gives them: no account was asked. What
was compared with public sources is in docs/imports.md.
"""

import base64
from typing import Any

from mails import pdf

PDF = pdf("a document")
B64 = base64.b64encode(PDF).decode()
Answers = dict[str, Any]
"""By path, or by path and page (`/list?page=2`); bytes are a file."""


def answers(origin: str) -> dict[str, tuple[Answers, list[str]]]:
    """For each provider: its answers, and the names of the documents that are in them."""
    voucher = {
        "id": "57b8d457-1fc2-4aa7-af6c-1fc2a0ea8b7b",
        "voucherType": "invoice",
        "voucherStatus": "open",
        "voucherNumber": "RE1019",
        "createdDate": "2026-06-22T21:22:21.000+02:00",
        "updatedDate": "2026-06-22T21:22:21.000+02:00",
        "contactName": "Bike & Ride GmbH",
        "currency": "EUR",
    }
    return {
        "lexware-office": (
            {
                "/v1/profile": {"organizationId": "aa93", "companyName": "Testfirma GmbH"},
                "/v1/voucherlist": {"content": [voucher], "first": True, "last": True, "totalPages": 1},
                f"/v1/invoices/{voucher['id']}/file": PDF,
                f"/v1/credit-notes/{voucher['id']}/file": PDF,
            },
            ["RE1019", "RE1019", "RE1019"],
        ),
        "sevdesk": (
            {
                "/Invoice": {
                    "objects": [
                        {
                            "id": "1",
                            "invoiceNumber": "RE-1001",
                            "status": "200",
                            "create": "2026-06-01T10:00:00+02:00",
                            "update": "x",
                        },
                        {"id": "2", "invoiceNumber": None, "create": "2026-06-01T10:00:00+02:00"},
                        {"id": "3", "invoiceNumber": "RE-1002", "status": "100", "create": "2026-06-01"},
                    ]
                },
                "/Invoice/1/getPdf": {
                    "objects": {
                        "filename": "RE-1001.pdf",
                        "mimeType": "application/pdf",
                        "base64encoded": True,
                        "content": B64,
                    }
                },
            },
            ["RE-1001.pdf"],
        ),
        "easybill": (
            {
                "/documents": {
                    "page": 1,
                    "pages": 1,
                    "items": [
                        {"id": 7, "number": "2026-7", "created_at": "2026-06-01 10:00:00", "edited_at": "y"}
                    ],
                },
                "/documents/7/pdf": PDF,
            },
            ["2026-7.pdf"],
        ),
        "billomat": (
            {
                "/invoices": {
                    "invoices": {
                        "invoice": {
                            "id": "1",
                            "invoice_number": "RE123",
                            "created": "2026-06-01T10:00:00+01:00",
                        },
                        "@total": "1",
                    }
                },
                "/invoices/1/pdf": {"pdf": {"id": "4882", "filename": "invoice_123.pdf", "base64file": B64}},
            },
            ["RE123.pdf"],
        ),
        "holded": (
            {
                "/documents/invoice": [
                    {"id": "5a", "docNumber": "F170001", "date": 1780000000, "contactName": "Jane"}
                ],
                "/documents/invoice?page=2": [],
                "/documents/invoice/5a/pdf": {"status": 1, "data": B64},
            },
            ["F170001.pdf"],
        ),
        "pennylane": (
            {
                "/customer_invoices": {
                    "items": [
                        {
                            "id": 42,
                            "invoice_number": "F-2026-1",
                            "public_file_url": f"{origin}/files/42",
                            "updated_at": "2026-06-01T10:00:00Z",
                        }
                    ],
                    "has_more": False,
                    "next_cursor": None,
                },
                "/supplier_invoices": {
                    "items": [
                        {
                            "id": 43,
                            "invoice_number": "2026/7",
                            "filename": "receipt.jpg",
                            "public_file_url": f"{origin}/files/42",
                            "updated_at": "2026-06-01T10:00:00Z",
                        }
                    ],
                    "has_more": False,
                    "next_cursor": None,
                },
                "/files/42": PDF,
            },
            ["F-2026-1.pdf", "receipt.jpg"],
        ),
        "qonto": (
            {
                "/transactions": {
                    "transactions": [
                        {
                            "id": "t",
                            "label": "Amazon",
                            "attachment_ids": ["a-1"],
                            "updated_at": "2026-06-01T10:00:00Z",
                        }
                    ],
                    "meta": {"current_page": 1, "next_page": None},
                },
                "/attachments/a-1": {"attachment": {"id": "a-1", "url": f"{origin}/files/a-1"}},
                "/files/a-1": PDF,
            },
            ["Amazon"],
        ),
        "stripe": (
            {
                "/v1/invoices": {
                    "object": "list",
                    "has_more": False,
                    "data": [
                        {
                            "id": "in_1",
                            "number": "A1-0001",
                            "created": 1780000000,
                            "invoice_pdf": f"{origin}/invoice/x/pdf",
                        },
                        {"id": "in_2", "number": None, "created": 1780000000, "invoice_pdf": None},
                    ],
                },
                "/invoice/x/pdf": PDF,
            },
            ["A1-0001.pdf"],
        ),
        "chargebee": (
            {
                "/invoices": {
                    "list": [{"invoice": {"id": "__demo_inv__1", "date": 1780000000, "currency_code": "USD"}}]
                },
                "/invoices/__demo_inv__1/pdf": {
                    "download": {"download_url": f"{origin}/files/1", "valid_till": 1780000600}
                },
                "/files/1": PDF,
            },
            ["__demo_inv__1.pdf"],
        ),
        "mollie": (
            {
                "/v2/invoices": {
                    "count": 1,
                    "_embedded": {
                        "invoices": [
                            {
                                "resource": "invoice",
                                "id": "inv_xBEbP9rvAq",
                                "reference": "2026.10000",
                                "issuedAt": "2026-08-31",
                                "netAmount": {"value": "45.00", "currency": "EUR"},
                                "grossAmount": {"value": "54.45", "currency": "EUR"},
                                "_links": {"pdf": {"href": f"{origin}/merchant/download/invoice/xBEbP9rvAq"}},
                            }
                        ]
                    },
                    "_links": {"next": None},
                },
                "/merchant/download/invoice/xBEbP9rvAq": PDF,
            },
            ["2026.10000.pdf"],
        ),
        "moneybird": (
            {
                "/x/documents/purchase_invoices.json": [
                    {
                        "id": "1",
                        "reference": "2026-1",
                        "date": "2026-06-01",
                        "version": 3,
                        "attachments": [{"id": "9", "filename": "scan.pdf"}],
                    },
                    {"id": "2", "reference": "2026-2", "attachments": []},
                ],
                "/x/documents/purchase_invoices/1/attachments/9/download": PDF,
            },
            ["scan.pdf"],
        ),
        "paperless-ngx": (
            {
                "/api/documents/": {
                    "count": 1,
                    "next": None,
                    "results": [
                        {
                            "id": 3,
                            "original_file_name": "brief.pdf",
                            "added": "2026-06-01T10:00:00Z",
                            "modified": "2026-06-02T10:00:00Z",
                        }
                    ],
                },
                "/api/documents/3/download/": PDF,
            },
            ["brief.pdf"],
        ),
        "invoice-ninja": (
            {
                "/api/v1/invoices": {
                    "data": [
                        {
                            "id": "k1",
                            "number": "0001",
                            "updated_at": 1780000000,
                            "created_at": 1780000000,
                            "invitations": [{"key": "abc"}],
                        }
                    ],
                    "meta": {"pagination": {"total": 1}},
                },
                "/api/v1/invoice/abc/download": PDF,
            },
            ["0001.pdf"],
        ),
        "dolibarr": (
            {
                "/api/index.php/invoices": [
                    {
                        "id": "1",
                        "ref": "FA2606-0001",
                        "status": "1",
                        "date_creation": 1780000000,
                        "last_main_doc": "facture/FA2606-0001/FA2606-0001.pdf",
                    },
                    {
                        "id": "2",
                        "ref": "(PROV2)",
                        "status": "0",
                        "last_main_doc": "facture/(PROV2)/(PROV2).pdf",
                    },
                    {"id": "3", "ref": "FA2606-0002", "last_main_doc": "facture/FA2606-0002/FA2606-0002.odt"},
                    {"id": "4", "ref": "FA2606-0003", "last_main_doc": None},
                ],
                "/api/index.php/documents/download": {
                    "filename": "FA2606-0001.pdf",
                    "content": B64,
                    "encoding": "base64",
                },
            },
            ["FA2606-0001.pdf"],
        ),
    }
