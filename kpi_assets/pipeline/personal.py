"""The documents of a report whose recipients get one each. One that cannot be made does not stop the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kpi_assets.contracts import Document, Recipient, Window
from kpi_assets.errors import KpiAssetsError, RecipientError, redact, redacted_traceback
from kpi_assets.logs import about, logger
from kpi_assets.pipeline.composing import compose_documents
from kpi_assets.readers import audience_of
from kpi_assets.session import Session

log = logger("kpi_assets")


@dataclass(frozen=True)
class Composed:
    """What became of one recipient's document: `document` or `error`; no recipient where a row is nobody's."""

    window: Window
    recipient: Recipient | None
    document: Document | None = None
    error: KpiAssetsError | None = None


def compose_for_recipients(session: Session, windows: Sequence[Window]) -> Iterator[Composed]:
    """Compose and keep the document of each recipient and window from stored blocks.

    Raises DataError where it cannot be known who the recipients are.
    """
    for window in windows:
        audience = audience_of(session, window)
        for recipient in audience.recipients:
            with about(session.plan.id, "document", session.plan.common_edition(window)):
                composed = _composed(session.for_recipient(recipient), recipient, window)
            yield composed
        for fault in audience.faults:
            yield Composed(window, None, error=fault)


def _composed(reader: Session, recipient: Recipient, window: Window) -> Composed:
    plan, edition = reader.plan, reader.plan.edition(window)
    try:
        (document,) = compose_documents(reader, [window])
    except KpiAssetsError as error:
        cause = error if isinstance(error, RecipientError) else RecipientError(recipient.address, str(error))
    except Exception as error:  # noqa: BLE001 - told in the debug log, without secrets
        log.debug("document of %s failed\n%s", edition, redacted_traceback(reader.secrets))
        reason = redact(f"{type(error).__name__}: {error}", reader.secrets)
        cause = RecipientError(recipient.address, f"her document could not be made: {reason}")
    else:
        reader.editions.save_fault(plan.id, edition, "")
        return Composed(window, recipient, document)
    reader.editions.save_fault(plan.id, edition, cause.reason)
    return Composed(window, recipient, error=cause)
