"""Second stage: frames -> blocks, one by one in the report's order."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpi_assets.contracts import BITMAP_FORMATS, Block, RenderContext, Span, Window
from kpi_assets.errors import KpiAssetsError, SourceFailedError, ViewError, redact
from kpi_assets.frames.load import load_frame
from kpi_assets.plan import ReportPlan, ViewPlan
from kpi_assets.session import Session
from kpi_assets.wording import filled, placeholder_block, variables

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger("kpi_assets")


@dataclass(frozen=True)
class Rendered:
    """One view of one edition. With an `error` the block is the placeholder."""

    view: ViewPlan
    window: Window
    block: Block
    error: KpiAssetsError | None = None


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
        self._read: dict[tuple[str, Span], pd.DataFrame] = {}
        edition = session.plan.edition(window)
        self._errors = {
            note.id: note.error
            for note in session.editions.load_notes(session.plan.id, edition)
            if note.error
        }

    def of(self, view: ViewPlan) -> dict[str, pd.DataFrame]:
        """The view's frames by role. Raises DataError where a query failed or was never run."""
        return {role: self._frame(query, span) for role, (query, span) in view.needs.items()}

    def _frame(self, query_id: str, span: Span) -> pd.DataFrame:
        if query_id in self._errors:
            raise SourceFailedError(query_id, self._errors[query_id])
        if (query_id, span) not in self._read:
            query = self._session.plan.queries_by_id[query_id]
            self._read[query_id, span] = load_frame(
                self._session.frames,
                self._session.frame_key(query),
                query.analysis,
                span,
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
