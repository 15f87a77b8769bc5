"""Second stage: frames -> blocks, one by one in the report's order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kpi_assets.contracts import BITMAP_FORMATS, Block, QueryNote, Recipient, RenderContext, Span, Window
from kpi_assets.errors import KpiAssetsError, SourceFailedError, ViewError, redact, redacted_traceback
from kpi_assets.frames.load import load_frame
from kpi_assets.frames.needs import slots_of
from kpi_assets.logs import about, logger
from kpi_assets.pipeline.conditions import Judge
from kpi_assets.pipeline.identity import block_origin
from kpi_assets.plan import ReportPlan, ViewPlan
from kpi_assets.readers import readers_of
from kpi_assets.session import Session
from kpi_assets.wording import filled, left_out_block, placeholder_block, variables

if TYPE_CHECKING:
    import pandas as pd

log = logger("kpi_assets")


@dataclass(frozen=True)
class Rendered:
    """One view of one edition. With an `error` the block is the placeholder.

    `unmet` says why the view's `when` does not hold: then the block is left out of the document, unless somebody asked
    to see it all the same. `recipient`: whose edition it is of, where the view is not the same for all.
    """

    view: ViewPlan
    window: Window
    block: Block
    error: KpiAssetsError | None = None
    unmet: str = ""
    recipient: Recipient | None = None


def render_views(
    session: Session,
    windows: Sequence[Window],
    view_ids: Sequence[str] | None = None,
    *,
    everything: bool = False,
) -> Iterator[Rendered]:
    """Render the views of each window, in the report's order, and keep their blocks.

    Where recipients get editions of their own, views that are the same for all are rendered once, then the others for
    each. `everything`: also draw views whose `when` does not hold.
    """
    plan = session.plan
    views = plan.views if view_ids is None else [plan.views_by_id[i] for i in view_ids]
    personal = plan.recipients.views if plan.recipients and plan.is_divided else frozenset[str]()
    shared, theirs = ([view for view in views if (view.id in personal) == wanted] for wanted in (False, True))
    for window in windows:
        yield from _render(session, window, shared, everything=everything)
        for reader in readers_of(session, window) if theirs else ():
            yield from _render(reader, window, theirs, everything=everything)


def _render(
    session: Session, window: Window, views: Sequence[ViewPlan], *, everything: bool
) -> Iterator[Rendered]:
    frames = FrameShelf(session, window)
    for view in views:
        with about(session.plan.id, f"views/{view.id}", session.plan.common_edition(window)):
            rendered = _kept(session, view, window, frames) or _made(
                session, view, window, frames, everything=everything
            )
        yield replace(rendered, recipient=session.plan.recipient)


def _kept(session: Session, view: ViewPlan, window: Window, frames: FrameShelf) -> Rendered | None:
    """The view's stored block, where it was made from exactly what it would be made from now."""
    origin = frames.origin(view)
    block = session.editions.block_of(session.plan.id, session.plan.edition(window), view.id, origin)
    return Rendered(view, window, block) if block else None


def _made(
    session: Session, view: ViewPlan, window: Window, frames: FrameShelf, *, everything: bool
) -> Rendered:
    """The view rendered, and its block kept with what it was made from."""
    rendered = render_view(session, view, window, frames, everything=everything)
    origin = "" if rendered.error else frames.origin(view)
    session.editions.save_block(session.plan.id, session.plan.edition(window), rendered.block, origin)
    return rendered


class FrameShelf:
    """The frames of one edition, each read once however many views want it."""

    def __init__(self, session: Session, window: Window) -> None:
        self._session, self._window = session, window
        self._read: dict[tuple[str, Span], pd.DataFrame] = {}
        self._digests: dict[tuple[str, Span], str] = {}
        self._origins: dict[str, tuple[dict[str, str], str]] = {}
        self._errors = {note.id: note.error for note in notes_of(session, window) if note.error}

    def of(self, view: ViewPlan) -> dict[str, pd.DataFrame]:
        """The view's frames by role. Raises DataError where a query failed or was never run."""
        return {role: self.frame(query, span) for role, (query, span) in view.needs.items()}

    def frame(self, query_id: str, span: Span) -> pd.DataFrame:
        """The query's rows over the edition's span. Raises DataError where it failed or was never run."""
        if query_id in self._errors:
            raise SourceFailedError(query_id, self._errors[query_id])
        if (query_id, span) not in self._read:
            query = self._session.plan.queries_by_id[query_id]
            before = self._digest(query_id, span)
            self._read[query_id, span] = load_frame(
                self._session.frames,
                self._session.frame_key(query),
                query.analysis,
                span,
                self._window,
            )
            # Where another run wrote meanwhile, nobody knows what was read.
            if self._digest_now(query_id, span) != before:
                self._digests[query_id, span] = ""
        return self._read[query_id, span]

    def origin(self, view: ViewPlan) -> str:
        """What decides the view's block, as a hash; "" where that cannot be told."""
        digests = {role: self._digest(query, span) for role, (query, span) in view.needs.items()}
        if view.id not in self._origins or self._origins[view.id][0] != digests:
            context = render_context(self._session.plan, view, self._window)
            self._origins[view.id] = digests, block_origin(view, context, digests)
        return self._origins[view.id][1]

    def _digest(self, query_id: str, span: Span) -> str:
        """A hash of the files that the frame is read from, as they were before; "" where they are not to be trusted."""
        if (query_id, span) not in self._digests:
            self._digests[query_id, span] = self._digest_now(query_id, span)
        return "" if query_id in self._errors else self._digests[query_id, span]

    def _digest_now(self, query_id: str, span: Span) -> str:
        query = self._session.plan.queries_by_id[query_id]
        slots = [slot.name for slot in slots_of(query.analysis.grain, span.of(self._window))]
        return self._session.frames.digest(self._session.frame_key(query), slots)


def notes_of(session: Session, window: Window) -> list[QueryNote]:
    """What is to be told of the queries of an edition; a recipient's has those that are hers and those for all."""
    plan, who = session.plan, session.plan.recipients
    notes = session.editions.load_notes(plan.id, plan.edition(window))
    if plan.recipient is None or who is None:
        return list(notes)
    shared = session.editions.load_notes(plan.id, plan.common_edition(window))
    seen = {query for view in plan.views for query in view.queries}
    hidden = who.queries | ({who.query} - seen)  # how many recipients there are is none of theirs
    return [note for note in notes if note.id in who.queries] + [n for n in shared if n.id not in hidden]


def render_view(
    session: Session, view: ViewPlan, window: Window, frames: FrameShelf, *, everything: bool = False
) -> Rendered:
    """One block; a view that cannot be made becomes a placeholder that carries the error."""
    try:
        unmet = _unmet(session, view, window, frames)
        if unmet and not everything:
            return Rendered(view, window, left_out_block(view, unmet), unmet=unmet)
        block = view.view.render(frames.of(view), render_context(session.plan, view, window))
        return Rendered(view, window, block, unmet=unmet)
    except KpiAssetsError as error:
        cause = error
    except Exception as error:  # noqa: BLE001 - told in the debug log, without secrets
        log.debug("view %s failed\n%s", view.id, redacted_traceback(session.secrets))
        cause = ViewError(view.id, redact(f"{type(error).__name__}: {error}", session.secrets))
    return Rendered(view, window, _placeholder(session, view, window, cause), cause)


def _unmet(session: Session, view: ViewPlan, window: Window, frames: FrameShelf) -> str:
    """Why the view's condition does not hold; "" where it does, or there is none."""
    if view.when is None:
        return ""
    found = Judge(session, window, frames).of(view.when)
    return "" if found.holds else found.reason


def _placeholder(session: Session, view: ViewPlan, window: Window, error: KpiAssetsError) -> Block:
    before = session.editions.find_block(session.plan.id, session.plan.edition(window.back(1)), view.id)
    return placeholder_block(view, error, before, session.plan)


def render_context(plan: ReportPlan, view: ViewPlan, window: Window) -> RenderContext:
    """What the view may know besides its frames."""
    words = variables(plan, window)
    return RenderContext(
        view=view.id,
        window=window,
        title=filled(view.config.title, words).strip(),
        headline=filled(view.config.headline, words).strip(),
        description=filled(view.config.description, words).strip(),
        cols=view.cols,
        width=plan.theme.view_width(view.cols),
        widths=plan.theme.chart_widths(view.cols),
        theme=plan.theme,
        numbers=plan.numbers,
        variables=words,
        pictures=frozenset({"svg", "png"} if plan.formats & BITMAP_FORMATS else {"svg"}),
        findings=plan.config.findings,
    )
