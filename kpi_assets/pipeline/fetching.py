"""First stage: queries -> frames in the store, side by side, bounded per datasource."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kpi_assets.contracts import QueryNote, Recipient, Window
from kpi_assets.errors import (
    ConfigError,
    DataError,
    KpiAssetsError,
    QueryError,
    RetriableError,
    SourceFailedError,
    redact,
    redacted_traceback,
)
from kpi_assets.frames.heal import HealedFrame, heal
from kpi_assets.frames.load import load_frame
from kpi_assets.logs import about, logger
from kpi_assets.pipeline.noting import note_of, unanswered
from kpi_assets.plan import QueryPlan
from kpi_assets.readers import audience_of
from kpi_assets.session import Session

if TYPE_CHECKING:
    import pandas as pd

    from kpi_assets.contracts import Query

log = logger("kpi_assets")


@dataclass(frozen=True)
class Fetched:
    """One query, fetched for every window of the run; `frames` is by edition id, empty when `error` is set.

    `recipient`: whom the rows are for, where they are not for everybody.
    """

    query: QueryPlan
    windows: tuple[Window, ...]
    frames: Mapping[str, HealedFrame] = field(default_factory=dict)
    notes: Mapping[str, QueryNote] = field(default_factory=dict)
    violations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    error: KpiAssetsError | None = None
    recipient: Recipient | None = None

    @property
    def call(self) -> HealedFrame | None:
        """Any of the frames: each tells what the whole call sent, brought and took. None where it failed."""
        return next(iter(self.frames.values()), None)


@dataclass(frozen=True)
class _Job:
    """A query to be fetched, in the session of whom it is for."""

    session: Session
    query: QueryPlan
    windows: tuple[Window, ...]


def fetch_queries(
    session: Session, windows: Sequence[Window], query_ids: Sequence[str] | None = None
) -> Iterator[Fetched]:
    """Bring the frame store up to date for the windows; queries run side by side, bounded per datasource.

    Yields in order of completion. A query that fails is yielded with its error, and its note says so to later stages.
    Where recipients get editions of their own, the query that finds them comes first, and those that ask for one of
    them come last, once for each.
    """
    plan = session.plan
    wanted = plan.queries if query_ids is None else [plan.queries_by_id[i] for i in query_ids]
    who = plan.recipients if plan.is_divided else None
    if who is None:
        yield from _side_by_side([_Job(session, query, tuple(windows)) for query in wanted])
        return
    found = True
    for fetched in _side_by_side([_Job(session, q, tuple(windows)) for q in wanted if q.id == who.query]):
        found = fetched.error is None
        yield fetched
    shared = [query for query in wanted if query.id not in who.queries and query.id != who.query]
    yield from _side_by_side([_Job(session, query, tuple(windows)) for query in shared])
    if found:
        yield from _side_by_side(
            _personal_jobs(session, windows, [q.id for q in wanted if q.id in who.queries])
        )


def _personal_jobs(session: Session, windows: Sequence[Window], query_ids: Sequence[str]) -> list[_Job]:
    """Each query for each recipient, over the windows whose editions she gets."""
    readers: dict[str, Session] = {}
    theirs: dict[str, list[Window]] = {}
    for window in windows if query_ids else ():
        for recipient in audience_of(session, window).recipients:
            if recipient.key not in readers:
                readers[recipient.key] = session.for_recipient(recipient)
            theirs.setdefault(recipient.key, []).append(window)
    return [
        _Job(reader, reader.plan.queries_by_id[id], tuple(theirs[key]))
        for key, reader in readers.items()
        for id in query_ids
    ]


def _side_by_side(jobs: Sequence[_Job]) -> Iterator[Fetched]:
    with _workers({job.query.datasource: job.session for job in jobs}) as pools:
        running = [pools[job.query.datasource].submit(_settled, job) for job in jobs]
        for done in as_completed(running):
            yield done.result()


@contextmanager
def _workers(sessions: Mapping[str, Session]) -> Generator[Mapping[str, ThreadPoolExecutor]]:
    """Threads for each datasource, as many as it bears, so that a slow one holds up nothing but its own queries.

    They are waited for, except where somebody stops the run: a query may take hours.
    """
    pools = {
        datasource: ThreadPoolExecutor(_concurrency(session, datasource), thread_name_prefix="query")
        for datasource, session in sessions.items()
    }
    stopped = False
    try:
        yield pools
    except BaseException as cause:
        stopped = not isinstance(cause, Exception | GeneratorExit)
        raise
    finally:
        for pool in pools.values():
            pool.shutdown(wait=not stopped, cancel_futures=stopped)


def _concurrency(session: Session, datasource: str) -> int:
    try:
        return max(1, session.datasource(datasource).concurrency)
    except (ConfigError, DataError):
        return 1


def _settled(job: _Job) -> Fetched:
    """The query fetched, or why not; with its notes stored."""
    session, query, windows = job.session, job.query, job.windows
    editions = map(session.plan.common_edition, windows)
    with about(session.plan.id, f"queries/{query.id}", *editions):
        try:
            fetched = _fetch(session, query, windows)
            _say(fetched)
        except KpiAssetsError as error:
            log.debug("failed: %s", error)
            fetched = _failed(session, query, windows, error)
        except Exception as error:  # noqa: BLE001 - told in the debug log, without secrets
            log.debug("query %s failed\n%s", query.id, redacted_traceback(session.secrets))
            reason = redact(f"{type(error).__name__}: {error}", session.secrets)
            fetched = _failed(session, query, windows, QueryError(query.id, query.datasource, reason))
    for edition, note in fetched.notes.items():
        session.editions.save_note(session.plan.id, edition, note)
    return replace(fetched, recipient=query.query.recipient)


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
        # Who is on the list no more must get nothing: here no rows are an answer.
        believe_empty=session.plan.recipients is not None and query.id == session.plan.recipients.query,
    )
    frames = {session.plan.edition(window): frame for window, frame in zip(windows, healed, strict=True)}
    notes = {edition: note_of(session, query, frame) for edition, frame in frames.items()}
    broken = {
        session.plan.edition(window): tuple(_violations(session, query, window))
        for window in windows
        if query.query.columns
    }
    return Fetched(query, windows, frames, notes, broken)


def _say(fetched: Fetched) -> None:
    """A line of the log: what the whole call brought. Of what is asked for each recipient only who debugs hears."""
    level = logging.DEBUG if fetched.query.query.recipient else logging.INFO
    if call := fetched.call:
        brought = (call.rows_fetched, call.seconds_fetched, call.fetched)
        log.log(level, "%d rows fetched in %.1f s, queries sent: %d", *brought)
    broken = {edition: found for edition, found in fetched.violations.items() if found}
    if broken:
        first, found = next(iter(broken.items()))
        where = f" in {first} and {len(broken) - 1} more" if len(broken) > 1 else ""
        log.warning("its columns break their contract%s: %s", where, "; ".join(found))


def _violations(session: Session, query: QueryPlan, window: Window) -> Iterator[str]:
    from kpi_assets.frames.contract import violations

    for span in query.spans:
        frame = load_frame(session.frames, session.frame_key(query), query.analysis, span, window)
        yield from (str(violation) for violation in violations(frame, query.query.columns))


def _failed(
    session: Session, query: QueryPlan, windows: tuple[Window, ...], error: KpiAssetsError
) -> Fetched:
    note = replace(unanswered(session, query), error=public_reason(error))
    return Fetched(
        query, windows, notes={session.plan.edition(window): note for window in windows}, error=error
    )


def public_reason(error: KpiAssetsError) -> str:
    """What readers of the report may know of a failure: no query, no host, no exception text."""
    if isinstance(error, RetriableError):
        return SourceFailedError.LATE
    if isinstance(error, QueryError):
        return "the source could not answer the query"
    if isinstance(error, ConfigError):
        return "its configuration is not complete"
    return "its data could not be read"
