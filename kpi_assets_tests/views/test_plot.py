"""Plots mean what KPI Reporter's meant, without its errors: gaps, whole bars, labels that do not collide."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kpi_assets.contracts import Block, Panel, Panels, Picture, RenderContext, Span, Window
from kpi_assets.errors import ViewError
from kpi_assets.views.charts import render
from kpi_assets.views.plot import PlotView
from kpi_assets.views.plotting.args import PlotArgs
from kpi_assets.views.plotting.story import Story
from kpi_assets_tests.views.worlds import SOURCE, WEEK, context, frames

GOLDEN = Path(__file__).parent.parent / "golden" / "views"
THIS, BEFORE = [189, 197, 201, 251, 198, 121, 127], [181, 188, 190, 183, 170, 118, 123]


def plot(
    frame: pd.DataFrame | dict[str, pd.DataFrame], where: RenderContext | None = None, **args: Any
) -> Block:
    rows = frame if isinstance(frame, dict) else {"query": frame}
    return PlotView(PlotArgs(**{**SOURCE, **args})).render(rows, where or context("Sign-ups per day"))


def daily(values: list[float | None], last: date = date(2024, 11, 24)) -> pd.DataFrame:
    days = [last - timedelta(days=len(values) - 1 - i) for i in range(len(values))]
    return pd.DataFrame({"time": pd.to_datetime(days), "sign_ups": values})


def picture(block: Block) -> Picture:
    found = block.elements[0]
    assert isinstance(found, Picture)
    return found


def spec(block: Block) -> dict[str, Any]:
    return json.loads(picture(block).spec)


def values(block: Block) -> list[Any]:
    return [row["y"] for row in spec(block)["datasets"]["values"]]


def words(block: Block) -> list[str]:
    return [row["text"] for row in spec(block)["datasets"].get("words", [])]


# ---------------------------------------------------------------------- time


def test_the_axis_covers_the_window() -> None:
    """The axis runs from the window's first instant to its end, whatever rows there are."""
    found = spec(plot(daily([5, 7], date(2024, 11, 21))))
    assert found["layer"][0]["encoding"]["x"]["scale"]["domain"] == ["2024-11-17T23:00Z", "2024-11-24T23:00Z"]


def test_a_missing_day_is_a_gap() -> None:
    """A day without a row breaks the line; a zero is a value."""
    frame = daily([1, 0, 3, 4, 5, 6, 7]).drop(index=3)
    assert values(plot(frame)) == [1, 0, 3, None, 5, 6, 7]


def test_every_day_of_the_window_has_its_place() -> None:
    """Bars are bands: seven days are seven whole places, also where a day has no row."""
    frame = daily([1, 2, 3, 4, 5, 6, 7]).drop(index=[0, 6])
    places = spec(plot(frame, kind="bar"))["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert places == [f"2024-11-{day}" for day in range(18, 25)]


def test_the_day_of_the_clock_change_is_one_day() -> None:
    """Daily values around a change of the clock stand at the middle of their days, of 23 or 25 hours."""
    window = Window(date(2024, 10, 24), date(2024, 10, 31), "Europe/Berlin")
    frame = daily([1, 2, 3, 4, 5, 6, 7], date(2024, 10, 30))
    at = [row["x"] for row in spec(plot(frame, context(window=window)))["datasets"]["values"]]
    assert at[2:5] == ["2024-10-26T10:00Z", "2024-10-27T10:30Z", "2024-10-28T11:00Z"]


@pytest.mark.parametrize(
    "times",
    [
        pd.to_datetime(["2024-11-18", "2024-11-19"]),
        pd.to_datetime(["2024-11-18", "2024-11-19"]).tz_localize("Europe/Berlin"),
        ["2024-11-18", "2024-11-19"],
        ["2024-11-18T00:00:00+01:00", "2024-11-18T23:00:00Z"],
        [pd.Timestamp("2024-11-18", tz="Europe/Berlin"), pd.Timestamp("2024-11-18 23:00", tz="UTC")],
        [date(2024, 11, 18), date(2024, 11, 19)],
    ],
)
def test_days_in_any_form_are_the_same_days(times: Any) -> None:
    """Naive, zoned, mixed zones, ISO texts and dates all mean the report's days."""
    frame = pd.DataFrame({"time": pd.Series(list(times)), "n": [1, 2]})
    rows = spec(plot(frame))["datasets"]["values"]
    assert [row["x"] for row in rows[:2]] == ["2024-11-18T11:00Z", "2024-11-19T11:00Z"]


def test_rows_outside_the_window_are_told() -> None:
    """Rows before the window are not drawn, and the block says so."""
    block = plot(daily([float(i) for i in range(9)]))
    assert len(values(block)) == 7
    assert "2 values lie outside the days shown" in block.note


def test_a_history_asks_for_more_days_and_tints_the_window() -> None:
    """`history` widens what is asked for and drawn; the window is tinted and named."""
    view = PlotView(PlotArgs(**SOURCE, history=28, rolling=7))
    assert view.needs()["query"].span == Span(days=34)
    block = plot(daily([float(100 + i % 7) for i in range(34)]), history=28, rolling=7)
    assert "window" in spec(block)["datasets"]
    assert "Nov 18–24" in words(block)
    assert values(block)[0] is not None


def test_a_rolling_mean_leaves_single_days_as_dots() -> None:
    """The line is the mean, the days are dots, and the grey line says so."""
    block = plot(daily([float(v) for v in range(1, 35)]), history=28, rolling=7)
    assert values(block)[-1] == 31
    assert len(spec(block)["datasets"]["dots"]) == 28
    assert "the line is the 7-day mean" in block.subtitle


def without_sundays(values: list[float | None]) -> pd.DataFrame:
    """The days of the window and before, but for Sundays, the last of which ends the window."""
    frame = daily(values)
    return frame[pd.to_datetime(frame["time"]).dt.dayofweek != 6]


def test_days_without_rows_count_as_zero_where_asked() -> None:
    """With `fill: zero` a mean over a week has seven days, though on Sundays there are no rows; else they are gaps."""
    rows = without_sundays([70.0] * 34)
    filled = plot(rows, history=28, rolling=7, fill="zero")
    assert values(filled)[-1] == 60
    assert [row["y"] for row in spec(filled)["datasets"]["dots"]].count(0) == 4
    gaps = plot(rows, history=28, rolling=7)
    assert 0 not in [row["y"] for row in spec(gaps)["datasets"]["dots"]]


def test_a_series_without_a_row_counts_as_zero_where_asked() -> None:
    """With groupby each series has its zeros; a row that holds no value stays a gap."""
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(["2024-11-18", "2024-11-18", "2024-11-20", "2024-11-21"]),
            "plan": ["a", "b", "a", "a"],
            "n": [1.0, 2.0, 3.0, None],
        }
    )
    zeros = PlotView(PlotArgs(**SOURCE, groupby=("plan",), fill="zero"))
    story = Story.of(zeros.args, {"query": frame}, context())
    nan = float("nan")
    assert story.data.values("a") == pytest.approx([1, 0, 3, nan, 0, 0, 0], nan_ok=True)
    assert story.data.values("b") == pytest.approx([2, 0, 0, 0, 0, 0, 0], nan_ok=True)


# ---------------------------------------------------------------------- series


def test_other_columns_of_text_are_dropped_with_a_note() -> None:
    """As KPI Reporter did: columns without numbers are not drawn."""
    block = plot(daily([1, 2, 3]).assign(country="DE"))
    assert values(block)[-1] == 3
    assert "country" in block.note


def test_only_text_is_refused_by_name() -> None:
    """Nothing to plot is an error that names the columns."""
    frame = pd.DataFrame({"time": pd.to_datetime(["2024-11-18"]), "city": ["Bonn"]})
    with pytest.raises(ViewError, match=r"nothing to plot.*'city'"):
        plot(frame)


def test_an_unknown_groupby_column_gets_a_hint() -> None:
    """A misspelt column is answered with the near one."""
    with pytest.raises(ViewError, match="did you mean 'plan'"):
        plot(daily([1]).assign(plan="a"), groupby="plann")


def test_groups_are_series_in_order() -> None:
    """Groups split the rows; label_map names and orders them."""
    frame = pd.concat([daily([1, 2]).assign(plan=plan) for plan in ("b", "a", "c")])
    block = plot(frame, groupby="plan", label_map={"c": "Cee"})
    names = spec(block)["layer"][1]["encoding"]["color"]["scale"]["domain"]
    assert names == ["Cee", "a", "b"]


def test_missing_days_of_a_group_stay_gaps() -> None:
    """A group without a row on a day has a gap there, not a zero."""
    frame = pd.concat([daily([1, 2, 3]).assign(plan="a"), daily([1, 2, 3]).assign(plan="b").drop(index=1)])
    rows = [row for row in spec(plot(frame, groupby="plan"))["datasets"]["values"] if row["series"] == "b"]
    assert [row["y"] for row in rows][-3:] == [1, None, 3]


def test_grouped_bars_stand_beside_each_other() -> None:
    """Several series have an offset each: KPI Reporter drew them over each other."""
    frame = daily(THIS).assign(refunds=[1, 2, 3, 4, 5, 6, 7])
    bars = spec(plot(frame, kind="bar"))["layer"][1]["encoding"]
    assert bars["xOffset"]["field"] == "series"


def test_many_series_become_five_and_other() -> None:
    """A stack of more than six series adds the small ones up, and says which."""
    frame = pd.concat([daily([i, i]).assign(plan=f"P{i}") for i in range(1, 10)])
    block = plot(frame, kind="area", groupby="plan")
    names = {row["series"] for row in spec(block)["datasets"]["values"]}
    assert names == {"P9", "P8", "P7", "P6", "P5", "Other"}
    assert "Other: P1, P2, P3, P4." in block.note


def test_many_lines_keep_the_small_ones_in_grey() -> None:
    """Lines are never added up: the five largest are named, the others are drawn without a name."""
    frame = pd.concat([daily([i, i]).assign(plan=f"P{i}") for i in range(1, 10)])
    found = spec(plot(frame, groupby="plan"))["datasets"]
    assert {row["series"] for row in found["values"]} == {"P9", "P8", "P7", "P6", "P5"}
    assert {row["series"] for row in found["others"]} == {"P1", "P2", "P3", "P4"}


def test_repeated_times_are_added_up_with_a_note() -> None:
    """Two rows of one day are summed, and the reader is told."""
    frame = pd.concat([daily([1, 2]), daily([10])])
    block = plot(frame)
    assert values(block)[-1] == 12
    assert "added up" in block.note


def test_repeated_percentages_are_averaged() -> None:
    """Percentages are never summed."""
    block = plot(pd.concat([daily([40]), daily([60])]), unit="%")
    assert values(block)[-1] == 50
    assert "averaged" in block.note


def test_infinite_values_are_gaps_with_a_note() -> None:
    """What is infinite has no place on an axis."""
    block = plot(daily([1, float("inf"), 3]))
    assert values(block)[-2] is None
    assert "1 infinite value is drawn as a gap." in block.note


@pytest.mark.parametrize("kind", ["line", "bar", "area", "scatter"])
@pytest.mark.parametrize("frame", [daily([]), daily([None, None]), pd.DataFrame()])
def test_no_values_keep_title_and_axes(kind: str, frame: pd.DataFrame) -> None:
    """An empty plot keeps its title and days, and says in a sentence that there is nothing."""
    block = plot(frame, kind=kind)
    assert block.status == "empty"
    assert block.title == "Sign-ups per day"
    assert f"No {'values' if len(frame) else 'sign-ups'} in this window." in words(block)


def test_one_point_is_visible() -> None:
    """A single value is a dot, since a line needs two."""
    assert len(spec(plot(daily([5])))["datasets"]["dots"]) == 1


def test_a_million_rows_make_a_small_spec() -> None:
    """Long series are thinned to what a screen shows, keeping lowest and highest, and the block says so."""
    count = 1_000_000
    times = pd.date_range("2024-11-18", periods=count, freq="604800us")
    frame = pd.DataFrame({"time": times, "n": [(i * 7919) % 1000 for i in range(count)]})
    frame.loc[500_000, "n"] = 5000
    block = plot(frame)
    assert len(picture(block).spec) < 150_000
    assert 5000 in values(block)
    assert "lowest and highest" in block.note


# ---------------------------------------------------------------------- words


def test_the_finding_is_the_title_and_the_measure_the_grey_line() -> None:
    """The sentence stands above, what is measured and the days beneath, numbers in the alternative text."""
    block = plot(
        {"query": daily(THIS), "previous": daily(BEFORE, date(2024, 11, 17))}, kind="bar", compare="previous"
    )
    assert block.title == "Thursday accounts for 68 of the rise of 131 in sign-ups"
    assert block.subtitle == "Sign-ups per day, Nov 18–24. Line across the bar: the week before."
    assert "251" in picture(block).alt


def test_without_findings_the_title_is_the_measure() -> None:
    """`findings: false` keeps the YAML's title alone."""
    block = plot(daily(THIS), context("Sign-ups per day", findings=False))
    assert (block.title, block.subtitle) == ("Sign-ups per day", "Nov 18–24")


def test_a_headline_of_the_yaml_wins() -> None:
    """A person's finding replaces ours, also in the alternative text."""
    block = plot(daily(THIS), context("Sign-ups", headline="We won the cup"))
    assert block.title == "We won the cup"
    assert picture(block).alt.startswith("We won the cup.")


def test_the_numbers_stand_in_a_table() -> None:
    """Each value can be read beneath the chart; a gap is n/a, never blank."""
    table = plot(daily([1, 2, 3]).drop(index=1)).numbers
    assert table is not None
    assert [[cell.text for cell in row] for row in table.rows][-3:] == [["Nov 22", "1"], ["Nov 24", "3"]][-3:]


def test_values_and_changes_stand_beneath_bars() -> None:
    """Weekday, value and change are printed under each bar, as in the target."""
    block = plot(
        {"query": daily(THIS), "previous": daily(BEFORE, date(2024, 11, 17))}, kind="bar", compare="previous"
    )
    assert {"Thu", "251", "+37\u202f%", "week before"} <= set(words(block))


def test_small_multiples_share_one_scale() -> None:
    """Panels have one value axis and one sentence of numbers each."""
    frame = pd.concat([daily([i, 2 * i]).assign(plan=f"P{i}") for i in (10, 3)])
    panels = plot(frame, groupby="plan", small_multiples=True).elements[0]
    assert isinstance(panels, Panels)
    assert [panel.name for panel in panels.panels] == ["P10", "P3"]
    scales = {str(json.loads(p.picture.spec)["layer"][0]["encoding"]["y"]["scale"]) for p in panels.panels}
    assert len(scales) == 1
    assert panels.panels[0].note == "10 to 20 a day"
    assert len({json.loads(p.picture.spec)["width"] for p in panels.panels}) == 1


def small_multiples(series: dict[str, list[float | None]], **args: Any) -> tuple[Block, tuple[Panel, ...]]:
    frame = pd.concat([daily(numbers).assign(plan=name) for name, numbers in series.items()])
    block = plot(frame, groupby="plan", small_multiples=True, history=28, **args)
    panels = block.elements[0]
    assert isinstance(panels, Panels)
    return block, panels.panels


def test_small_multiples_say_what_their_title_says() -> None:
    """Single days scatter: a panel tells the trend of the title, or the mean, never its first and last day."""
    rising: list[float | None] = [100 + i + (-1) ** i * 2 for i in range(28)]
    noisy: list[float | None] = [50 + (-1) ** i * 9 for i in range(28)]
    block, panels = small_multiples({"Up": rising, "Noise": noisy})
    assert block.title == "Up rose most, from 104 to 123 a day"
    assert [panel.note for panel in panels] == ["104 to 123 a day", "50 a day on average"]


def test_small_multiples_are_never_narrower_than_their_labels() -> None:
    """Four panels stand side by side in a wide view, two by two in half a page, and below each other in one column."""
    frame = pd.concat([daily([1, 2]).assign(plan=f"P{i}") for i in range(4)])
    for cols, across in ((6, 4), (4, 4), (3, 2), (1, 1)):
        panels = plot(frame, context("Plans", cols), groupby="plan", small_multiples=True).elements[0]
        assert isinstance(panels, Panels)
        assert panels.across == across


def test_a_line_in_one_column_keeps_its_room() -> None:
    """In a column of the grid the last value is left to the title, so that there is a line to see."""
    narrow = plot(daily(THIS), context("Sign-ups", 1))
    assert "127" not in words(narrow)
    assert spec(narrow)["width"] > 60
    assert "127" in words(plot(daily(THIS), context("Sign-ups", 2)))


def test_small_multiples_have_the_colours_of_their_keys() -> None:
    """Of many series the five largest are coloured, as in a chart of all, and so are the squares beside their names."""
    _, panels = small_multiples(
        {f"S{i}": [10 * i + 1, 10 * i + 2] for i in range(9)}, color={"S1": "#123456"}
    )
    drawn = [json.loads(panel.picture.spec)["layer"][1]["mark"]["stroke"] for panel in panels]
    light = context().theme.light
    keys = [panel.color or light.series[panel.series] for panel in panels]
    assert keys == drawn
    assert len(set(drawn[:5])) == 5
    assert set(drawn[5:]) == {light.context, "#123456"}


def test_labels_of_bars_are_shortened_before_they_are_left_out() -> None:
    """Values that are too wide for their bars stand there in short, in all of one chart alike."""
    large = plot(daily([3_201_118_199, 3_291_680_917]), context("Users", 3), kind="bar", bar_labels=True)
    assert [word for word in words(large) if word[0].isdigit()] == ["3.2B", "3.29B"]
    frame = pd.concat([daily([508.2, 317.34] * 3).assign(plan=f"P{i}") for i in range(4)])
    grouped = plot(frame, context("Revenue", 6), kind="bar", groupby="plan", bar_labels=True, unit="€")
    assert [word for word in words(grouped) if word[-1].isdigit()] == ["508", "317"] * 12


def test_long_names_that_begin_alike_are_told_apart_by_their_ends() -> None:
    """Names that would look the same when cut at their end are cut in the middle."""
    names = [
        f"Customer acquisition through {way} campaigns ({part})"
        for way, part in (("a", "EMEA"), ("b", "AMER"))
    ]
    frame = pd.DataFrame({"name": [*names, "Short one that still needs a row"], "n": [3, 2, 1]})
    found = words(plot(frame, kind="bar", time_column="name"))
    assert any(word.startswith("Customer") and word.endswith("(EMEA)") for word in found)
    assert len({word for word in found if word.startswith("Customer")}) == 2


def test_a_month_of_which_only_the_end_was_asked_for_has_no_place() -> None:
    """A history that begins on the last day of a month begins with the next one."""
    months = pd.DataFrame(
        {"time": pd.to_datetime(["2024-09-01", "2024-10-01", "2024-11-01"]), "n": [1, 2, 3]}
    )
    drawn = spec(plot(months, kind="bar", history=86))["datasets"]["values"]
    assert [row["x"] for row in drawn] == ["2024-09-01", "2024-10-01", "2024-11-01"]
    places = spec(plot(months, kind="bar", history=86))["datasets"]["places"]
    assert [row["x"] for row in places] == ["2024-09-01", "2024-10-01", "2024-11-01"]


def test_columns_without_values_are_named() -> None:
    """A column that holds nothing in the window is not drawn, and a note says so."""
    assert plot(daily(THIS).assign(visits=None)).note == "No values: visits."


def test_a_peak_is_named_only_where_its_name_covers_nothing() -> None:
    """Among many points the name of the highest is left out: the title tells it."""
    crowd = [60 + (i * 37) % 52 for i in range(90)]
    crowd[-2] = 112
    crowded = words(
        plot(daily([float(v) for v in crowd]), context("X", 2), history=90, rolling=7, kind="line")
    )
    alone = words(
        plot(daily([50.0] * 88 + [112.0, 50.0]), context("X", 2), history=90, rolling=7, kind="line")
    )
    assert "Saturday 112" in alone
    assert "Saturday 112" not in crowded


def test_incidents_are_ringed_and_named() -> None:
    """An incident has a ring at its value, a bold day and a few grey words."""
    block = plot(daily(THIS), incidents=[{"at": "2024-11-21", "note": "form down"}])
    assert [row["y"] for row in spec(block)["datasets"]["rings"]] == [251]
    assert {"Nov 21", "form down"} <= set(words(block))


# ---------------------------------------------------------------------- pictures


def test_one_drawing_per_width_class() -> None:
    """The page's widths are drawn, each at its own size."""
    where = context(cols=6)
    drawings = picture(plot(daily(THIS), where)).drawings
    assert [(d.width_class, d.width) for d in drawings] == list(where.widths)
    assert all(f'width="{d.width}"' in d.svg for d in drawings)


def test_a_bitmap_only_where_it_is_asked_for() -> None:
    """Mail and chat get a bitmap 552 px wide; a page alone does not pay for one."""
    assert picture(plot(daily(THIS))).png is None
    with_png = picture(plot(daily(THIS), context(pictures=frozenset({"svg", "png"}))))
    assert with_png.png is not None
    assert with_png.png_width == 552


@pytest.mark.parametrize("kind", ["line", "bar", "area", "scatter"])
def test_the_same_rows_give_the_same_bytes(kind: str) -> None:
    """An edition made again is equal, drawn afresh or from the cache."""
    first = plot(daily(THIS), kind=kind)
    render.forget()
    assert plot(daily(THIS), kind=kind) == first


def test_a_subclass_can_change_the_chart() -> None:
    """post_plot gets an Altair chart with the rows, and what it returns is drawn."""

    class Marked(PlotView):
        def post_plot(self, chart: Any, frame: pd.DataFrame, context: RenderContext) -> Any:
            goal = alt.Chart(alt.Data(values=[{"goal": float(frame["sign_ups"].mean())}]))
            return (chart + goal.mark_rule(stroke="#b3261e").encode(y="goal:Q")).properties(height=120)

    block = Marked(PlotArgs(**SOURCE)).render({"query": daily(THIS)}, context())
    found = spec(block)
    assert found["height"] == 120
    assert found["layer"][-1]["mark"]["stroke"] == "#b3261e"
    assert "#b3261e" in picture(block).drawings[0].svg


def test_a_view_s_own_configuration_wins() -> None:
    """vega_config lies over the theme, plot_rc beneath it."""
    found = spec(
        plot(daily(THIS), plot_rc={"xtick.labelsize": 9}, vega_config={"axisX": {"labelFontSize": 14}})
    )
    assert found["config"]["axisX"]["labelFontSize"] == 14


# ---------------------------------------------------------------------- arguments


def test_settings_of_matplotlib_are_kept_or_named() -> None:
    """Known settings have their effect; the others warn and name vega_config."""
    view = PlotView(
        PlotArgs(**SOURCE, plot_rc={"lines.linewidth": 5, "svg.fonttype": "none", "timezone": "UTC"})
    )
    assert len(view.warnings()) == 1
    assert "'svg.fonttype'" in view.warnings()[0]
    assert "vega_config" in view.warnings()[0]
    assert '"strokeWidth":5' in picture(plot(daily(THIS), plot_rc={"lines.linewidth": 5})).spec


def test_all_keys_of_the_ancestor_are_known() -> None:
    """A plot of a KPI Reporter file is accepted as it is."""
    args = PlotArgs(
        **SOURCE,
        query_args={"parse_dates": ["time"]},
        time_column="time",
        kind="bar",
        groupby="plan",
        stacked=True,
        legend={"loc": "upper left", "ncol": 2},
        label_map={"a": "A"},
        bar_labels=True,
        xtick_rotation=45,
        link_url="https://example.com",
        plot_rc={"figure.figsize": [8, 3]},
    )
    assert PlotView(args).warnings() == ()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"kind": "pie"}, "line"),
        ({"rolling": 7, "kind": "bar"}, "kind: line"),
        ({"fill": "zero", "kind": "scatter"}, "not for scatter"),
        ({"compare": "previous", "history": 28}, "exclude"),
        ({"color": "blue"}, "#rrggbb"),
        ({"format": "percnt"}, "percent"),
        ({"groupb": "plan"}, "groupb"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(args: dict[str, Any], says: str) -> None:
    """The message names what is allowed."""
    with pytest.raises(ValidationError, match=re.escape(says)):
        PlotArgs(**SOURCE, **args)


ARGS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["line", "bar", "area", "scatter"]),
        "stacked": st.booleans(),
        "groupby": st.sampled_from(["n", "share", "day"]),
        "time_column": st.sampled_from(["day", "n", "id"]),
        "bar_labels": st.booleans(),
        "history": st.sampled_from([7, 30, 3000]),
        "unit": st.sampled_from(["€", "%", "ms"]),
        "legend": st.sampled_from([True, False, None]),
        "format": st.sampled_from(["percent", "compact"]),
    },
)
BAD = re.compile(r"\b(?:NaN|nan|None|inf|NaT|undefined)\b")


@given(frames(), ARGS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_frame_is_drawn_or_refused(frame: pd.DataFrame, args: dict[str, Any]) -> None:
    """Whatever a query returns, a plot is drawn without a missing number in its words, or refused with a ViewError."""
    try:
        block = plot(frame, **args)
    except ViewError:
        return
    texts = " ".join([block.title, block.subtitle, block.note, *(p.alt for p in block.pictures)])
    cells = " ".join(str(v) for v in [*frame.columns, *frame.to_numpy().ravel()])
    assert BAD.search(cells) or not BAD.search(texts)
    assert not [d for p in block.pictures for d in p.drawings if "NaN" in d.svg]


# ---------------------------------------------------------------------- golden


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("plot_line", {}),
        ("plot_bar_compare", {"kind": "bar", "compare": "previous"}),
        ("plot_area_stacked", {"kind": "area", "groupby": "plan"}),
        ("plot_scatter", {"kind": "scatter"}),
    ],
)
def test_golden_specs(name: str, args: dict[str, Any]) -> None:
    """The Vega-Lite of small charts is as reviewed."""
    rows = {"query": daily(THIS)}
    if "groupby" in args:
        rows["query"] = pd.concat(
            [daily([4, 5, 6]).assign(plan="Team"), daily([1, 2, 2]).assign(plan="Solo")]
        )
    if "compare" in args:
        rows["previous"] = daily(BEFORE, date(2024, 11, 17))
    assert WEEK.key == "2024-11-24"
    found = spec(plot(rows, **args))
    del found["config"]
    expected = json.loads((GOLDEN / f"{name}.vl.json").read_text())
    assert found == expected


@pytest.mark.parametrize("weeks", [7, 13, 26, 52])
@pytest.mark.parametrize("cols", [2, 3, 4, 6])
def test_labels_stand_under_their_own_bars(weeks: int, cols: int) -> None:
    """Each printed week stands at the middle of that week's bar, however many labels there is room for."""
    starts = pd.date_range(end="2024-11-18", periods=weeks, freq="7D")
    frame = pd.DataFrame({"time": starts, "n": [float(100 + i) for i in range(weeks)]})
    block = plot(frame, context("Orders", cols=cols), kind="bar", history=7 * weeks, bar_labels=True)
    found = spec(block)
    step = found["width"] / weeks
    svg = picture(block).drawings[0].svg
    labels = re.findall(r'<text[^>]*transform="translate\(([\d.]+),[\d.]+\)"[^>]*>([A-Z][a-z]{2} \d+)<', svg)
    names = [f"{start:%b} {start.day}" for start in starts]
    assert len(labels) >= 2
    for x, name in labels:
        assert float(x) == pytest.approx((names.index(name) + 0.5) * step, abs=1.5)


def test_columns_beside_each_other_are_no_parts_of_a_whole() -> None:
    """Of stacked columns none is said to be a share of all: trials and those of them that converted overlap."""
    both = daily([15.0, 21, 19, 20, 15, 15, 14]).rename(columns={"sign_ups": "started"})
    both["converted"] = [4, 5, 7, 5, 4, 6, 6]
    block = plot(both, kind="bar", stacked=True)
    assert "of all" not in block.title
    assert "leads" not in block.title


def test_lines_are_not_added_up() -> None:
    """Of lines, which may be loads, no sum and no share of a sum is told."""
    days = pd.to_datetime([f"2024-11-{day}" for day in range(18, 25) for _ in range(2)])
    loads = pd.DataFrame({"time": days, "host": ["a", "b"] * 7, "load": [30.0, 80.0] * 7})
    assert "leads" not in plot(loads, context("CPU busy"), groupby="host").title
    assert "leads" in plot(loads, context("Orders"), groupby="host", kind="bar", stacked=True).title
