"""What happened -> metadata that a person reads in Dagster's UI. Never a secret, never data beyond a thumbnail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import dagster as dg

from kpi_assets.assets.resources import KpiAssetsResource
from kpi_assets.assets.thumbnails import spec_without_data, thumbnail
from kpi_assets.contracts import Block, Document, Receipt, Window
from kpi_assets.delivery import Delivered
from kpi_assets.pipeline import Fetched, Rendered
from kpi_assets.plan import ReportPlan
from kpi_assets.session import Session

Facts = dict[str, Any]


def window_text(window: Window) -> str:
    """`2024-11-18 to 2024-11-24, 7 days, Europe/Berlin`."""
    days = "1 day" if window.length == 1 else f"{window.length} days"
    return f"{window.start} to {window.last_day}, {days}, {window.zone}"


def of_query(plan: ReportPlan, fetched: Fetched, window: Window, *, lean: bool) -> Facts:
    """Facts of a query for one edition; `lean` leaves out what would swell the history of a long backfill."""
    if fetched.error:
        return {"window": window_text(window), "status": "failed", "reason": str(fetched.error)}
    frame = fetched.frames[plan.edition(window)]
    facts: Facts = {
        "window": window_text(window),
        "dagster/partition_row_count": frame.rows,
        "rows fetched": frame.rows_in,
        "queries sent": frame.fetched,
        "seconds": round(frame.seconds, 3),
        "content": frame.content_hash[:16],
    }
    if frame.fetched_at:
        facts["fetched"] = dg.MetadataValue.timestamp(frame.fetched_at)
    if frame.warnings:
        facts["warnings"] = dg.MetadataValue.md("\n".join(f"- {warning}" for warning in frame.warnings))
    if not (lean or fetched.query.query.columns):  # what `columns:` promises says more, and is shown already
        columns = [dg.TableColumn(name, _type(kind)) for name, kind in frame.columns]
        facts["dagster/column_schema"] = dg.TableSchema(columns)
    return facts


def _type(kind: str) -> str:
    """A type as the store writes it, under the names that Dagster's UI has icons for."""
    if kind.startswith(("string", "str", "pyarrow|", "python|")):
        return "string"
    if "|" in kind or kind.startswith(("datetime", "timestamp")):
        return "timestamp"
    plain = kind.lower().rstrip("0123456789")
    return {"uint": "int", "object": "any", "boolean": "bool"}.get(plain, plain)


def query_hashes(plan: ReportPlan, fetched: Fetched, windows: Sequence[Window]) -> list[str]:
    """The content of each edition's frame; a query that failed has none."""
    frames = [fetched.frames.get(plan.edition(window)) for window in windows]
    return [frame.content_hash if frame else sha256(b"failed").hexdigest() for frame in frames]


def changed_days(fetched: Fetched) -> Mapping[str, str]:
    """Partition key -> new content, of days whose stored rows are not what they were."""
    return {
        day.isoformat(): content for frame in fetched.frames.values() for day, content in frame.changed_days
    }


def page(session: Session, home: KpiAssetsResource, window: Window) -> dg.MetadataValue[Any]:
    """Where a person finds the edition: a link if editions are served, else the path (browsers refuse `file://`)."""
    edition, url = session.plan.edition(window), home.served_at(session.plan)
    if url:
        return dg.MetadataValue.url(f"{url}/{quote(session.plan.id)}/{quote(edition)}/document/index.html")
    return dg.MetadataValue.path(
        session.editions.folder(session.plan.id, edition) / "document" / "index.html"
    )


def block_hash(block: Block) -> str:
    return sha256(block.model_dump_json().encode()).hexdigest()


def of_view(rendered: Rendered, where: dg.MetadataValue[Any], *, lean: bool) -> Facts:
    """Facts of a view for one edition; `lean` leaves out what would swell the history of a long backfill."""
    block = rendered.block
    facts: Facts = {
        "report": where,
        "title": block.title,
        "window": window_text(rendered.window),
        "rows": block.rows,
        "status": block.status,
    }
    if block.finding:
        facts["finding"] = block.finding
    if rendered.error:
        facts["reason"] = str(rendered.error)
    if rendered.unmet:
        return {**facts, "status": "left out", "left out": rendered.unmet}
    return facts if lean else {**_small_picture(block), **facts, **_specs(block)}


def _small_picture(block: Block) -> Facts:
    text = thumbnail(block)
    return {"thumbnail": dg.MetadataValue.md(text)} if text else {}


def _specs(block: Block) -> Facts:
    """The Vega-Lite spec of the first chart, data taken out."""
    spec = spec_without_data(block.pictures[0]) if block.pictures else {}
    return {"vega-lite": dg.MetadataValue.json(spec)} if spec else {}


def of_document(document: Document, where: dg.MetadataValue[Any]) -> Facts:
    """Facts of a composed document."""
    missing = [block.title for block in document.blocks if block.status == "placeholder"]
    facts: Facts = {
        "report": where,
        "title": document.title,
        "window": window_text(document.window),
        "views": len(document.blocks),
        "bytes": sum(len(file.content) for file in document.files),
        "files": len(document.files),
        "content": document.content_hash[:16],
    }
    if document.lead:
        facts["lead"] = document.lead
    if document.unmet:
        facts["nobody is told"] = document.unmet
    return {**facts, "placeholders": ", ".join(missing)} if missing else facts


def of_deliveries(parts: Sequence[Delivered], window: Window) -> Facts:
    """Facts of what one output did with one edition."""
    skipped = "; ".join(dict.fromkeys(part.skipped for part in parts if part.skipped))
    facts: Facts = {"window": window_text(window)}
    if all(part.unmet for part in parts):
        return {**facts, "status": "skipped", "skipped": skipped}
    for receipt in [part.receipt for part in parts if part.receipt][-1:]:
        facts |= _of_receipt(receipt)
    recipients = [name for part in parts if part.receipt for name in part.receipt.recipients]
    if recipients:
        facts["recipients"] = ", ".join(dict.fromkeys(recipients))
    if any(part.forced for part in parts):
        facts["status"] = "sent again, forced"
    if all(part.skipped for part in parts):
        facts["status"] = "not again"
    return {**facts, "reason": skipped} if skipped else facts


def _of_receipt(receipt: Receipt) -> Facts:
    location = receipt.location
    is_url = location.startswith(("http://", "https://"))
    facts: Facts = {
        "location": dg.MetadataValue.url(location) if is_url else dg.MetadataValue.path(location),
        "status": "published" if receipt.effect == "publish" else "sent",
        "files": receipt.files,
        "content": receipt.content_hash[:16],
    }
    return {**facts, "detail": receipt.detail} if receipt.detail else facts


def of_withheld(window: Window) -> Facts:
    """Facts of an output that a backfill left alone."""
    reason = "a backfill tells nobody; run the edition alone, or tag the run kpi_assets/notify: true"
    return {"window": window_text(window), "status": "withheld", "reason": reason}
