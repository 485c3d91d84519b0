"""Why a Kafka cannot be used, found out by asking one of its servers. It repairs and repeats nothing."""

from __future__ import annotations

import asyncio
import ssl

WITHIN = 3.0


async def why_not(bootstrap: str, tls: ssl.SSLContext | None) -> str:
    """What is wrong with the first of `bootstrap` (host:port, …), as half a sentence that says what to do."""
    host, _, port = bootstrap.split(",", maxsplit=1)[0].strip().rpartition(":")
    try:
        async with asyncio.timeout(WITHIN):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port), ssl=tls)
            writer.close()
    except ssl.SSLCertVerificationError as refused:
        return f"its certificate does not count ({refused.verify_message}): check KAFKA_CA_FILE and the name"
    except ssl.SSLError:
        return "it does not speak TLS there: name its SASL_SSL listener"
    except (OSError, TimeoutError, ValueError):
        return "it does not answer: start it, or check the address"
    if tls is None:
        return "it answers, but not as Kafka without TLS: set KAFKA_SECURITY=sasl_ssl, or look at its log"
    return "it refuses the login: check KAFKA_USERNAME and KAFKA_PASSWORD (SCRAM-SHA-512)"
