"""The stages in order, without Dagster: what `preview` runs and what the assets call.

Each stage is a generator over windows, so memory stays flat however many editions one run makes. A stage leaves its
results in the stores of the session and yields what happened, errors included; whoever calls decides what an error
means (`on_view_error`).
"""

from kpi_assets.delivery import Delivered, deliver_outputs, foresee_editions, foresee_outputs, resend
from kpi_assets.pipeline.composing import compose_document, compose_documents
from kpi_assets.pipeline.fetching import Fetched, fetch_queries, public_reason
from kpi_assets.pipeline.personal import Composed, compose_for_recipients
from kpi_assets.pipeline.previewing import preview_document
from kpi_assets.pipeline.rendering import FrameShelf, Rendered, render_context, render_view, render_views

__all__ = [
    "Composed",
    "Delivered",
    "Fetched",
    "FrameShelf",
    "Rendered",
    "compose_document",
    "compose_documents",
    "compose_for_recipients",
    "deliver_outputs",
    "fetch_queries",
    "foresee_editions",
    "foresee_outputs",
    "preview_document",
    "public_reason",
    "render_context",
    "render_view",
    "render_views",
    "resend",
]
