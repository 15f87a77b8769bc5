"""First stage: queries -> frames in the store, side by side, bounded per datasource."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from kpi_assets.contracts import QueryNote, Window
from kpi_assets.errors import (
    ConfigError,
    DataError,
    KpiAssetsError,
    QueryError,
    RetriableError,
    redact,
)
from kpi_assets.frames.contract import violations
from kpi_assets.frames.heal import HealedFrame, heal
from kpi_assets.frames.load import load_frame
from kpi_assets.plan import QueryPlan
from kpi_assets.session import Session

if TYPE_CHECKING:
    import pandas as pd

    from kpi_assets.contracts import Query

log = logging.getLogger("kpi_assets")


@dataclass(frozen=True)
class Fetched:
    """One query, fetched for every window of the run; `frames` is by edition id, empty when `error` is set."""

    query: QueryPlan
    windows: tuple[Window, ...]
    frames: Mapping[str, HealedFrame] = field(default_factory=dict)
    notes: Mapping[str, QueryNote] = field(default_factory=dict)
    violations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    error: KpiAssetsError | None = None


def fetch_queries(
    session: Session, windows: Sequence[Window], query_ids: Sequence[str] | None = None
) -> Iterator[Fetched]:
    """Bring the frame store up to date for the windows; queries run side by side, bounded per datasource.

    Yields in order of completion. A query that fails is yielded with its error, and its note says so to later stages.
    """
    wanted = session.plan.queries if query_ids is None else [session.plan.queries_by_id[i] for i in query_ids]
    if not wanted:
        return
    slots: dict[str, BoundedSemaphore] = {}
    for query in wanted:
        if query.datasource not in slots:
            slots[query.datasource] = BoundedSemaphore(_concurrency(session, query.datasource))
    with _workers(min(len(wanted), 8)) as pool:
        jobs = [pool.submit(_fetch_in_turn, session, query, tuple(windows), slots) for query in wanted]
        for job in as_completed(jobs):
            yield job.result()


@contextmanager
def _workers(count: int) -> Generator[ThreadPoolExecutor]:
    """Threads that are waited for, except where somebody stops the run: a query may take hours."""
    pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="query")
    stopped = False
    try:
        yield pool
    except BaseException as cause:
        stopped = not isinstance(cause, Exception | GeneratorExit)
        raise
    finally:
        pool.shutdown(wait=not stopped, cancel_futures=stopped)


def _concurrency(session: Session, datasource: str) -> int:
    try:
        return max(1, session.datasource(datasource).concurrency)
    except (ConfigError, DataError):
        return 1


def _fetch_in_turn(
    session: Session, query: QueryPlan, windows: tuple[Window, ...], slots: Mapping[str, BoundedSemaphore]
) -> Fetched:
    with slots[query.datasource]:
        try:
            fetched = _fetch(session, query, windows)
        except KpiAssetsError as error:
            fetched = _failed(session, query, windows, error)
        except Exception as error:
            log.debug("query %s failed", query.id, exc_info=True)
            reason = redact(f"{type(error).__name__}: {error}", session.secrets)
            fetched = _failed(session, query, windows, QueryError(query.id, query.datasource, reason))
    for edition, note in fetched.notes.items():
        session.editions.save_note(session.plan.id, edition, note)
    return fetched


def _fetch(session: Session, query: QueryPlan, windows: tuple[Window, ...]) -> Fetched:
    source = session.datasource(query.datasource)

    def ask(asked: Query, window: Window) -> pd.DataFrame:
        return source.query(asked, window)

    healed = heal(
        query.query,
        analysis=query.analysis,
        refresh=query.refresh,
        spans=query.spans or (),
        windows=windows,
        key=session.frame_key(query),
        store=session.frames,
        fetch=ask,
        clock=session.clock,
    )
    frames = {session.plan.edition(window): frame for window, frame in zip(windows, healed, strict=True)}
    notes = {edition: _note(session, query, frame) for edition, frame in frames.items()}
    broken = {
        session.plan.edition(window): tuple(_violations(session, query, window))
        for window in windows
        if query.query.columns
    }
    return Fetched(query, windows, frames, notes, broken)


def _violations(session: Session, query: QueryPlan, window: Window) -> Iterator[str]:
    for span in query.spans:
        frame = load_frame(session.frames, session.frame_key(query), query.analysis, span, window)
        yield from (str(violation) for violation in violations(frame, query.query.columns))


def _note(session: Session, query: QueryPlan, frame: HealedFrame) -> QueryNote:
    return replace(
        _unanswered(session, query),
        rows=frame.rows,
        seconds=frame.seconds,
        fetched_at=frame.fetched_at,
        remark=_remark(frame),
    )


def _unanswered(session: Session, query: QueryPlan) -> QueryNote:
    language = session.plan.datasources[query.datasource].cls.language
    return QueryNote(query.id, query.datasource, query.query.text, language, 0, 0.0, None)


def _remark(frame: HealedFrame) -> str:
    """A source that has lost rows is told of where they are shown: other figures of the page may not have them."""
    if not frame.kept:
        return ""
    days = "a day" if len(frame.kept) == 1 else f"{len(frame.kept)} days"
    return f"{days} came back empty, earlier rows are shown"


def _failed(
    session: Session, query: QueryPlan, windows: tuple[Window, ...], error: KpiAssetsError
) -> Fetched:
    note = replace(_unanswered(session, query), error=public_reason(error))
    return Fetched(
        query, windows, notes={session.plan.edition(window): note for window in windows}, error=error
    )


def public_reason(error: KpiAssetsError) -> str:
    """What readers of the report may know of a failure: no query, no host, no exception text."""
    if isinstance(error, RetriableError):
        return "the source did not answer in time"
    if isinstance(error, QueryError):
        return "the source refused the query"
    if isinstance(error, ConfigError):
        return "its configuration is not complete"
    return "its data could not be read"
