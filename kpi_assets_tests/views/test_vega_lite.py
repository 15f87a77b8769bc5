"""The reader's own Vega-Lite is drawn under the theme, from the queries' rows alone."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Block, Picture
from kpi_assets.errors import ViewError
from kpi_assets.views.vega_lite import MOST_ROWS, VegaLiteArgs, VegaLiteView, rows_of
from kpi_assets_tests.views.worlds import SOURCE, context

BAR: dict[str, Any] = {
    "mark": "bar",
    "encoding": {"x": {"field": "plan", "type": "nominal"}, "y": {"field": "n", "type": "quantitative"}},
}
ROWS = pd.DataFrame({"plan": ["a", "b"], "n": [1, 2]})


def render(spec: dict[str, Any], frame: pd.DataFrame = ROWS, **args: Any) -> Block:
    view = VegaLiteView(VegaLiteArgs(**SOURCE, spec=spec, **args))
    return view.render({"query": frame}, context("Plans", cols=3))


def picture(block: Block) -> Picture:
    found = block.elements[0]
    assert isinstance(found, Picture)
    return found


def test_rows_are_the_data() -> None:
    """Without data of its own, the spec gets the query's rows, also under the name `data`."""
    spec = json.loads(picture(render(BAR)).spec)
    assert spec["data"] == {"name": "data"}
    assert spec["datasets"]["data"] == [{"plan": "a", "n": 1}, {"plan": "b", "n": 2}]


def test_each_width_class_has_its_drawing() -> None:
    """A spec without a width is drawn as wide as its place; one with a width keeps it."""
    assert [d.width for d in picture(render(BAR)).drawings] == [504, 652, 358]
    fixed = picture(render({**BAR, "width": 200}))
    assert json.loads(fixed.spec)["width"] == 200


def test_the_user_s_configuration_lies_over_the_theme() -> None:
    """What the spec configures wins; what it does not comes from the theme."""
    spec = json.loads(picture(render({**BAR, "config": {"bar": {"fill": "#123456"}}})).spec)
    assert spec["config"]["bar"]["fill"] == "#123456"
    assert spec["config"]["axis"]["labelColor"] == "#5a5d65"
    assert "#123456" in picture(render({**BAR, "config": {"bar": {"fill": "#123456"}}})).drawings[0].svg


def test_several_queries_fill_named_data() -> None:
    """`datasets` ask further queries, whose rows the spec names."""
    layer = {"mark": "point", "data": {"name": "goals"}, "encoding": BAR["encoding"]}
    args = VegaLiteArgs(
        **SOURCE, spec={"layer": [BAR, layer]}, datasets={"goals": {"query": {"ref": "goals"}}}
    )
    view = VegaLiteView(args)
    assert view.needs()["datasets_goals"].ref == "goals"
    block = view.render({"query": ROWS, "datasets_goals": ROWS}, context())
    assert block.rows == 4


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({}, "draws nothing"),
        ({**BAR, "data": {"url": "https://example.com/x.csv"}}, "loads nothing from elsewhere"),
        ({"mark": {"type": "image", "url": "file:///etc/passwd"}}, "loads nothing from elsewhere"),
        ({**BAR, "data": {"name": "dta"}}, "did you mean 'data'"),
        ({**BAR, "encodng": {}}, "encodng"),
        ({"mark": "bar", "encoding": {"x": {"field": "a", "type": "nominl"}}}, "spec.encoding.x.type"),
        ({"mark": "bar", "encoding": {"x": {"aggregate": "sume", "field": "a"}}}, "'sume' is not one of"),
    ],
)
def test_wrong_specs_are_refused_before_a_run(spec: dict[str, Any], says: str) -> None:
    """The message says where in the spec, and what is allowed."""
    with pytest.raises(ValidationError) as caught:
        VegaLiteArgs(**SOURCE, spec=spec)
    assert says in str(caught.value)


def test_times_are_the_report_s_wall_clock() -> None:
    """Zoned times lose their zone and keep their clock, so that no reader's machine moves them."""
    times = pd.to_datetime(["2024-11-18 08:30"]).tz_localize("Europe/Berlin")
    assert rows_of(pd.DataFrame({"t": times, "v": [float("inf")]}), "v") == [
        {"t": "2024-11-18T08:30:00", "v": None}
    ]


def test_too_many_rows_are_refused() -> None:
    """A chart of rows nobody can see is an error that says what to do."""
    with pytest.raises(ViewError, match="group them in the query"):
        rows_of(pd.DataFrame({"n": range(MOST_ROWS + 1)}), "v")


def test_no_rows_is_told() -> None:
    """A chart without rows is marked empty and says so."""
    block = render(BAR, ROWS[:0])
    assert block.status == "empty"
    assert block.note == "There are no rows in this window."


def test_the_spec_of_the_yaml_is_not_changed() -> None:
    """Rendering twice gives the same, since nothing is written into the arguments."""
    view = VegaLiteView(VegaLiteArgs(**SOURCE, spec=BAR))
    before = json.dumps(view.args.spec)
    first = view.render({"query": ROWS}, context())
    assert view.render({"query": ROWS}, context()) == first
    assert json.dumps(view.args.spec) == before
