"""Who sent it: a signature as Standard Webhooks (https://www.standardwebhooks.com) describes it."""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha256

from kpi_assets.contracts import Document

PREFIX = "whsec_"


def delivery_id(document: Document, output: str) -> str:
    """The same for every attempt to tell one place of one edition with one content."""
    window = document.window
    parts = [document.report, str(window.start), str(window.end), window.zone, output, document.message_hash]
    if document.edition != document.common_edition:  # two recipients' editions may say the same
        parts.append(document.edition)
    return f"kpi-{sha256(chr(0).join(parts).encode()).hexdigest()[:40]}"


def key_of(secret: str) -> bytes:
    """The bytes that a secret stands for: base64 after `whsec_`, else its own. Raises ValueError."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("what follows whsec_ is not base64") from None


def signature_headers(secret: str | None, id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Id and time of the message and, with a secret, the proof that both and the body are ours."""
    headers = {"webhook-id": id, "webhook-timestamp": str(timestamp), "Idempotency-Key": id}
    if secret:
        signed = f"{id}.{timestamp}.".encode() + body
        digest = hmac.new(key_of(secret), signed, sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers
