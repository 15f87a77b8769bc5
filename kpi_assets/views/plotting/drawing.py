"""A story as pictures: which kind of chart it is, and its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from kpi_assets.contracts import Element
from kpi_assets.views.charts.canvas import Canvas
from kpi_assets.views.charts.columns import columns, fits
from kpi_assets.views.charts.picture import draw
from kpi_assets.views.charts.rows import rows
from kpi_assets.views.charts.scatter import scatter
from kpi_assets.views.charts.sheet import Chart, merged
from kpi_assets.views.charts.timeline import timeline
from kpi_assets.views.plotting import captions, telling
from kpi_assets.views.plotting.barplots import bar_scene, too_many
from kpi_assets.views.plotting.clouds import cloud_of
from kpi_assets.views.plotting.data import PlotData
from kpi_assets.views.plotting.multiples import panels
from kpi_assets.views.plotting.rc import read_rc
from kpi_assets.views.plotting.story import Story
from kpi_assets.views.plotting.timelines import empty_scene, form_of, time_story

Hook = Callable[[Chart], Chart]


@dataclass(frozen=True)
class Drawn:
    """What was made of a story; `data` is what is shown."""

    elements: tuple[Element, ...]
    data: PlotData
    finding: str


def draw_story(story: Story, hook: Hook) -> Drawn:
    """The charts of a story."""
    if story.data.empty:
        scene = empty_scene(story)
        return _picture(story, lambda canvas: hook(timeline(scene, story.look, canvas)), story.data, False)
    if story.args.small_multiples and len(story.data.series) > 1 and not story.data.empty:
        found = telling.find(story, story.data)
        return Drawn((panels(story, hook),), story.data, found.text if found else "")
    if story.args.kind == "scatter":
        return _scatter(story, hook)
    if story.args.kind == "bar" and not too_many(story):
        return _bars(story, hook)
    if story.args.kind == "bar":
        note = "There are too many bars to tell apart, so they are drawn as an area."
        story = replace(story, args=story.args.model_copy(update={"kind": "area", "bar_labels": False}),
                        data=replace(story.data, notes=(*story.data.notes, note)))  # fmt: skip
    return _lines(story, hook)


def _lines(story: Story, hook: Hook) -> Drawn:
    told = time_story(story)

    def make(canvas: Canvas) -> Chart:
        return hook(timeline(told.scene, story.look, canvas))

    return _picture(story, make, told.data, form_of(story) == "stacked")


def _bars(story: Story, hook: Hook) -> Drawn:
    first = bar_scene(story)
    found = telling.find(story, first.data)
    subjects = frozenset(s for s in (found.subjects if found else ()) if isinstance(s, int))
    single = first.scene.single
    scene = bar_scene(story, subjects).scene if subjects and single else first.scene

    def make(canvas: Canvas) -> Chart:
        upright = story.look.rotation or fits(scene, canvas) or first.data.index == "time"
        return hook((columns if upright else rows)(scene, story.look, canvas))

    return _picture(story, make, first.data, True)


def _scatter(story: Story, hook: Hook) -> Drawn:
    cloud, data = cloud_of(story)
    return _picture(story, lambda canvas: hook(scatter(cloud, story.look, canvas)), data, False)


def _picture(story: Story, make: Callable[[Canvas], Chart], data: PlotData, solid: bool) -> Drawn:
    found = telling.find(story, data)
    alt = captions.alternative(story, data, found)
    rc = read_rc(story.args.plot_rc)
    picture = draw(
        make,
        story.context,
        alt,
        title=story.measure,
        solid=solid,
        link_url=story.args.link_url,
        vega_config=merged(rc.config, story.args.vega_config),
    )
    return Drawn((picture,), data, found.text if found else "")
