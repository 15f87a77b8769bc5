"""Hours on the days when clocks change."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_assets.contracts import Picture, Window
from kpi_assets.errors import ViewError
from kpi_assets.views.figures.history import days_of_column
from kpi_assets.views.plot import PlotView
from kpi_assets.views.plotting.args import PlotArgs
from kpi_assets.views.plotting.folds import instants, is_again, walls
from kpi_assets_tests.views.worlds import SOURCE, context

ZONES = (
    "Europe/Berlin",
    "America/Sao_Paulo",
    "America/Havana",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "UTC",
)


def hours(day: date, zone: str) -> pd.DataFrame:
    """Ten of something in every hour of a day, as a backend gives them."""
    window = Window.of_day(day, zone)
    first, end = window.starts_at.astimezone(UTC), window.ends_at.astimezone(UTC)
    times = pd.date_range(first, end, freq="h", inclusive="left")
    return pd.DataFrame({"time": times.tz_convert(zone), "load": 10})


def drawn(day: date, kind: str) -> tuple[str, list[dict[str, object]]]:
    """The title and the rows of a chart of a Berlin day."""
    where = context("Load", window=Window.of_day(day, "Europe/Berlin"))
    view = PlotView(PlotArgs.model_validate({**SOURCE, "kind": kind}))
    block = view.render({"query": hours(day, "Europe/Berlin")}, where)
    picture = block.elements[0]
    assert isinstance(picture, Picture)
    return block.title, json.loads(picture.spec)["datasets"]["values"]


@pytest.mark.parametrize(("day", "count"), [(date(2024, 10, 27), 25), (date(2024, 3, 31), 23)])
def test_every_hour_of_a_changing_day_has_its_own_place(day: date, count: int) -> None:
    """A line has 25 or 23 points, an hour apart: none is added to its namesake, none stands for an hour that is not."""
    title, rows = drawn(day, "line")
    assert (title, [row["y"] for row in rows]) == ("Load held steady at 10 an hour", [10] * count)
    times = [datetime.fromisoformat(str(row["x"])) for row in rows]
    assert {b - a for a, b in pairwise(times)} == {timedelta(hours=1)}


@pytest.mark.parametrize(("day", "count"), [(date(2024, 10, 27), 25), (date(2024, 3, 31), 23)])
def test_bars_of_a_changing_day_are_as_many_as_its_hours(day: date, count: int) -> None:
    """Both hours from 02:00 to 03:00 have their bar in autumn; in spring there is none for them."""
    title, rows = drawn(day, "bar")
    assert (title, [row["y"] for row in rows]) == ("Load held steady at 10 an hour", [10] * count)
    assert len({row["x"] for row in rows}) == count


@given(st.lists(st.datetimes(datetime(2017, 1, 1), datetime(2025, 1, 1)), max_size=5), st.sampled_from(ZONES))
def test_wall_times_are_as_many_as_moments(moments: list[datetime], zone: str) -> None:
    """Moments to the second become wall times and moments again; only the second of two equal ones is marked."""
    at = pd.Series(
        [moment.replace(microsecond=0, tzinfo=UTC) for moment in moments], dtype="datetime64[us, UTC]"
    )
    found = walls(at, zone)
    assert [is_again(wall) for wall in found] == [
        bool(moment.astimezone(ZoneInfo(zone)).fold) for moment in at
    ]
    assert list(instants(pd.Index(found), zone).floor("s")) == list(at)


def test_days_of_a_sparkline_are_not_guessed() -> None:
    """Days written month first or day first are refused, since half of the readers would mean another day."""
    frame = pd.DataFrame({"day": ["03/04/2024", "04/04/2024"], "n": [1, 2]})
    with pytest.raises(ViewError, match="'day' holds no days or times that can be read"):
        days_of_column("stat", frame, "day", "UTC")
    iso = pd.DataFrame({"day": ["2024-04-03", None]})
    assert days_of_column("stat", iso, "day", "UTC") == [date(2024, 4, 3), None]
