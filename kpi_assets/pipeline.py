"""The stages in order, without Dagster: what `preview` runs and what the assets call.

Each stage is a generator over windows, so memory stays flat however many editions one run makes. A stage leaves its
results in the stores of the session and yields what happened, errors included; whoever calls decides what an error
means (`on_view_error`).
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from kpi_assets.contracts import BITMAP_FORMATS, Block, Document, QueryNote, RenderContext, Window
from kpi_assets.delivery import Delivered, deliver_outputs, foresee_outputs, resend
from kpi_assets.errors import (
    ConfigError,
    DataError,
    KpiAssetsError,
    QueryError,
    RetriableError,
    SourceFailedError,
    ViewError,
    redact,
)
from kpi_assets.frames.contract import violations
from kpi_assets.frames.heal import HealedFrame, heal
from kpi_assets.frames.load import load_frame
from kpi_assets.plan import QueryPlan, ReportPlan, ViewPlan
from kpi_assets.session import Session
from kpi_assets.wording import placeholder_block, variables

if TYPE_CHECKING:
    import pandas as pd

    from kpi_assets.contracts import Query

log = logging.getLogger("kpi_assets")

__all__ = [
    "Delivered",
    "Fetched",
    "FrameShelf",
    "Rendered",
    "check_window",
    "compose_document",
    "compose_documents",
    "deliver_outputs",
    "fetch_queries",
    "foresee_outputs",
    "public_reason",
    "render_context",
    "render_view",
    "render_views",
    "resend",
]


@dataclass(frozen=True)
class Fetched:
    """One query, fetched for every window of the run; `frames` is by edition id, empty when `error` is set."""

    query: QueryPlan
    windows: tuple[Window, ...]
    frames: Mapping[str, HealedFrame] = field(default_factory=dict)
    notes: Mapping[str, QueryNote] = field(default_factory=dict)
    violations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    error: KpiAssetsError | None = None


@dataclass(frozen=True)
class Rendered:
    """One view of one edition. With an `error` the block is the placeholder."""

    view: ViewPlan
    window: Window
    block: Block
    error: KpiAssetsError | None = None


# ---------------------------------------------------------------- queries


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
        frame = load_frame(
            session.frames, session.frame_key(query), query.query, query.analysis, span, window
        )
        yield from (str(violation) for violation in violations(frame, query.query.columns))


def _note(session: Session, query: QueryPlan, frame: HealedFrame) -> QueryNote:
    source = session.plan.datasources[query.datasource]
    return QueryNote(
        id=query.id,
        datasource=query.datasource,
        text=query.query.text,
        language=source.cls.language,
        rows=frame.rows,
        seconds=frame.seconds,
        fetched_at=frame.fetched_at,
    )


def _failed(
    session: Session, query: QueryPlan, windows: tuple[Window, ...], error: KpiAssetsError
) -> Fetched:
    source = session.plan.datasources[query.datasource]
    note = QueryNote(
        id=query.id,
        datasource=query.datasource,
        text=query.query.text,
        language=source.cls.language,
        rows=0,
        seconds=0.0,
        fetched_at=None,
        error=public_reason(error),
    )
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


# ---------------------------------------------------------------- views


def render_views(
    session: Session, windows: Sequence[Window], view_ids: Sequence[str] | None = None
) -> Iterator[Rendered]:
    """Render the views of each window, in the report's order, and keep their blocks."""
    views = session.plan.views if view_ids is None else [session.plan.views_by_id[i] for i in view_ids]
    for window in windows:
        frames = FrameShelf(session, window)
        for view in views:
            rendered = render_view(session, view, window, frames)
            session.editions.save_block(session.plan.id, session.plan.edition(window), rendered.block)
            yield rendered


class FrameShelf:
    """The frames of one edition, each read once however many views want it."""

    def __init__(self, session: Session, window: Window) -> None:
        self._session, self._window = session, window
        self._read: dict[tuple[str, object], pd.DataFrame] = {}
        edition = session.plan.edition(window)
        self._errors = {
            note.id: note.error
            for note in session.editions.load_notes(session.plan.id, edition)
            if note.error
        }

    def of(self, view: ViewPlan) -> dict[str, pd.DataFrame]:
        """The view's frames by role. Raises DataError where a query failed or was never run."""
        return {role: self._frame(query, span) for role, (query, span) in view.needs.items()}

    def _frame(self, query_id: str, span: object) -> pd.DataFrame:
        if query_id in self._errors:
            raise SourceFailedError(query_id, self._errors[query_id])
        if (query_id, span) not in self._read:
            query = self._session.plan.queries_by_id[query_id]
            self._read[query_id, span] = load_frame(
                self._session.frames,
                self._session.frame_key(query),
                query.query,
                query.analysis,
                span,  # pyright: ignore[reportArgumentType]
                self._window,
            )
        return self._read[query_id, span]


def render_view(session: Session, view: ViewPlan, window: Window, frames: FrameShelf) -> Rendered:
    """One block; a view that cannot be made becomes a placeholder that carries the error."""
    try:
        block = view.view.render(frames.of(view), render_context(session.plan, view, window))
        return Rendered(view, window, block)
    except KpiAssetsError as error:
        cause = error
    except Exception as error:
        log.debug("view %s failed", view.id, exc_info=True)
        cause = ViewError(view.id, redact(f"{type(error).__name__}: {error}", session.secrets))
    return Rendered(view, window, _placeholder(session, view, window, cause), cause)


def _placeholder(session: Session, view: ViewPlan, window: Window, error: KpiAssetsError) -> Block:
    before = session.editions.find_block(session.plan.id, session.plan.edition(window.back(1)), view.id)
    return placeholder_block(view, error, before, session.plan)


def render_context(plan: ReportPlan, view: ViewPlan, window: Window) -> RenderContext:
    """What the view may know besides its frames."""
    words = variables(plan, window)
    return RenderContext(
        view=view.id,
        window=window,
        title=_filled(view.config.title, words),
        headline=_filled(view.config.headline, words),
        description=_filled(view.config.description, words),
        cols=view.cols,
        width=plan.theme.view_width(view.cols),
        widths=plan.theme.chart_widths(view.cols),
        theme=plan.theme,
        numbers=plan.numbers,
        variables=words,
        pictures=frozenset({"svg", "png"} if plan.formats & BITMAP_FORMATS else {"svg"}),
        findings=plan.config.findings,
    )


def _filled(text: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    return text.strip()


# ---------------------------------------------------------------- documents


def compose_documents(session: Session, windows: Sequence[Window]) -> Iterator[Document]:
    """Compose and keep the document of each window from its stored blocks. Raises DataError when a block is missing."""
    for window in windows:
        edition = session.plan.edition(window)
        blocks = [
            session.editions.load_block(session.plan.id, edition, view.id) for view in session.plan.views
        ]
        document = compose_document(session, window, blocks)
        session.editions.save_document(session.plan.id, edition, document)
        yield document


def compose_document(session: Session, window: Window, blocks: Sequence[Block]) -> Document:
    """The document of one edition; nothing is stored."""
    from kpi_assets.reports.compose import compose
    from kpi_assets.wording import document_meta

    plan = session.plan
    notes = session.editions.load_notes(plan.id, plan.edition(window))
    by_id = {note.id: note for note in notes}
    ordered = [by_id[query.id] for query in plan.queries if query.id in by_id]
    return compose(document_meta(plan, window, ordered), blocks, plan.formats, plan.theme, plan.numbers)


def check_window(plan: ReportPlan, window: Window, today: date) -> str | None:
    """Why an edition of this window cannot be made, or None."""
    if window.end > today:
        return (
            f"the window ends on {window.last_day}, which is not over in {plan.zone}; "
            f"the last whole day is {date.fromordinal(today.toordinal() - 1)}"
        )
    if window.last_day < plan.first_day:
        return (
            f"the edition {window.key} lies before partitions.start ({plan.first_day}); set an earlier start"
        )
    return None
