"""What happened where each recipient has an edition of her own -> one result per asset, with counts per recipient.

No row, finding or picture of a recipient's goes into metadata: it is seen by whoever may see the graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from kpi_assets.assets.metadata import Facts, changed_days, window_text
from kpi_assets.contracts import Window
from kpi_assets.delivery import Delivered
from kpi_assets.errors import KpiAssetsError, RecipientError
from kpi_assets.pipeline import Composed, Fetched, Rendered

SHOWN = 50
"""How many recipients are listed by name."""


def of_query(parts: Sequence[Fetched], window: Window) -> Facts:
    """Facts of a query for one edition: how many rows each recipient has."""
    theirs = {_address(part): part for part in parts if window in part.windows}
    rows = {name: sum(_rows(part, window)) for name, part in theirs.items() if not part.error}
    failed = {name: str(part.error) for name, part in theirs.items() if part.error}
    return {
        **_facts(window, theirs, failed),
        "dagster/partition_row_count": sum(rows.values()),
        "rows": _listed(rows),
    }


def of_view(parts: Sequence[Rendered], window: Window) -> Facts:
    """Facts of a view for one edition: of how many rows each recipient's block is made."""
    theirs = {_address(part): part for part in parts if part.window == window}
    failed = {name: str(part.error) for name, part in theirs.items() if part.error}
    rows = {name: part.block.rows for name, part in theirs.items() if not part.error}
    return {**_facts(window, theirs, failed), "rows": _listed(rows)}


def of_document(parts: Sequence[Composed], window: Window) -> Facts:
    """Facts of the documents of one edition."""
    theirs = [part for part in parts if part.window == window]
    made = {part.recipient.address: part.document for part in theirs if part.recipient and part.document}
    failed = {_whose(part.error): str(part.error) for part in theirs if part.error}
    editions = {name: document.edition for name, document in made.items()}
    return {**_facts(window, [*made, *failed], failed), "editions": _listed(editions)}


def query_hash(parts: Iterable[Fetched]) -> str:
    """The content of all recipients' rows."""
    found = [
        f"{part.query.fingerprint}:{frame.content_hash}" for part in parts for frame in part.frames.values()
    ]
    return combined(found)


def changed(parts: Iterable[Fetched]) -> Mapping[str, str]:
    """Partition key -> new content, of days in which some recipient's rows are not what they were."""
    found: dict[str, list[str]] = {}
    for part in parts:
        for day, content in changed_days(part).items():
            found.setdefault(day, []).append(f"{part.query.fingerprint}:{content}")
    return {day: combined(contents) for day, contents in found.items()}


def combined(contents: Iterable[str]) -> str:
    """One hash of several, in whatever order they came."""
    return sha256("\n".join(sorted(contents)).encode()).hexdigest()


def missed(parts: Iterable[Delivered]) -> list[KpiAssetsError]:
    """One error for each recipient who did not get an edition, with what every output says of it."""
    told: dict[tuple[str, str], list[str]] = {}
    for part in parts:
        if part.error and part.recipient:
            reason = part.error.reason if isinstance(part.error, RecipientError) else str(part.error)
            told.setdefault((part.recipient, part.window.key), []).append(reason)
    return [
        RecipientError(who, f"did not get edition {key}: {'; '.join(dict.fromkeys(reasons))}")
        for (who, key), reasons in told.items()
    ]


def _facts(window: Window, names: Iterable[str], failed: Mapping[str, str]) -> dict[str, Any]:
    facts: dict[str, Any] = {"window": window_text(window), "recipients": len(list(names))}
    return {**facts, "failed": len(failed), "reason": _listed(failed)} if failed else facts


def _listed(values: Mapping[str, object]) -> str:
    lines = [f"{name}: {value}" for name, value in list(values.items())[:SHOWN]]
    more = len(values) - SHOWN
    return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)


def _rows(part: Fetched, window: Window) -> list[int]:
    return [frame.rows for frame in part.frames.values() if frame.window == window]


def _address(part: Fetched | Rendered) -> str:
    return part.recipient.address if part.recipient else ""


def _whose(error: KpiAssetsError | None) -> str:
    return error.recipient if isinstance(error, RecipientError) else ""
