"""A chart drawn for every width class that the page shows, and once more for mail where mail is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from kpi_assets.contracts import Drawing, Picture, RenderContext
from kpi_assets.views.charts import render
from kpi_assets.views.charts.canvas import MAIL_WIDTH, Canvas, CanvasClass
from kpi_assets.views.charts.sheet import Chart, merged, to_spec
from kpi_assets.views.charts.sheet import vega_config as theme_config

MakeChart = Callable[[Canvas], "Chart | Mapping[str, Any]"]


def draw(  # noqa: PLR0913 - independent options, all but three by keyword
    make_chart: MakeChart,
    context: RenderContext,
    alt: str,
    *,
    name: str = "chart",
    title: str = "",
    solid: bool = False,
    link_url: str | None = None,
    vega_config: Mapping[str, Any] | None = None,
    widths: Sequence[tuple[str, int]] | None = None,
    mail_width: int = MAIL_WIDTH,
) -> Picture:
    """The picture of a chart: `make_chart` is called once per width class, and its charts drawn.

    `vega_config` is laid over the theme's configuration. `widths` default to the context's. `alt` states the finding.
    """
    theme = context.theme
    drawings: list[Drawing] = []
    first = ""
    for wanted, width in widths or context.widths:
        canvas = Canvas(width, cast(CanvasClass, wanted), 12, theme.light.paper)
        text = spec_of(make_chart, context, canvas, vega_config)
        raw = render.svg(context.view, text, theme.chart_font)
        first = first or text
        prefix = unique(context.view, name, wanted)
        picture = render.tidy(raw, prefix, alt, theme.chart_font)
        drawings.append(
            Drawing(width_class=cast(Any, wanted), width=width, height=render.height_of(raw), svg=picture)
        )
    png, png_height = None, 0
    if "png" in context.pictures:
        canvas = Canvas(mail_width, "mail", 15, "#ffffff")
        png = render.png(context.view, spec_of(make_chart, context, canvas, vega_config))
        png_height = render.png_height(png)
    return Picture(
        name=name,
        alt=alt,
        title=title,
        drawings=tuple(drawings),
        spec=first,
        png=png,
        png_width=mail_width if png else 0,
        png_height=png_height,
        solid=solid,
        link_url=link_url,
    )


def spec_of(
    make_chart: MakeChart, context: RenderContext, canvas: Canvas, over: Mapping[str, Any] | None = None
) -> str:
    """The spec's text for one canvas."""
    config = theme_config(context.theme, canvas)
    return render.spec_text(to_spec(make_chart(canvas), merged(config, over or {})))


def unique(view: str, name: str, wanted: str) -> str:
    """A prefix for ids that no other drawing of the page has, safe in an attribute whatever the view is called."""
    digest = hashlib.sha256(f"{view}\0{name}".encode()).hexdigest()[:8]
    return f"c{digest}{wanted[0]}"
