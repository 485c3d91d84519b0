"""A mailbox is imported: from Dovecot, through a worker, into the ledger, GridFS and events."""

import hashlib
from collections.abc import Callable

from import_rig import Box, told
from mails import invoice_mail, pdf
from run_rig import Rig


async def test_every_attachment_is_kept_told_of_and_hashed(box: Box, import_from: Callable[..., Rig]) -> None:
    box.put(*(invoice_mail(n) for n in range(5)))
    rig = import_from("imap", box.server.credentials)

    await rig.set_up(mailbox=box.name)
    await rig.work()

    documents = await told(rig)
    assert {d["sha256"] for d in documents} == {hashlib.sha256(pdf(str(n))).hexdigest() for n in range(5)}
    assert {d["filename"] for d in documents} == {f"R-{n}.pdf" for n in range(5)}
