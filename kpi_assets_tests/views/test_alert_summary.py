"""prometheus.alert_summary: which alerts fired, how often, how long."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Block, Picture, Table
from kpi_assets.testing.blocks import assert_honest_block
from kpi_assets.views.alert_summary import AlertSummaryArgs, AlertSummaryView
from kpi_assets_tests.views.worlds import WEEK, context

ZONE = WEEK.zone


def points(name: str, start: str, count: int, step: str = "15min", **labels: str) -> pd.DataFrame:
    """An alert that fires at `count` points from a time in Berlin."""
    times = pd.date_range(pd.Timestamp(start, tz=ZONE), periods=count, freq=step).as_unit("ns")
    return pd.DataFrame(
        {
            "time": times,
            "value": 1.0,
            "__name__": "ALERTS",
            "alertname": name,
            "alertstate": "firing",
            **labels,
        }
    )


def shown(*parts: pd.DataFrame, **args: Any) -> Block:
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    before = frame.copy()
    block = AlertSummaryView(AlertSummaryArgs(**args)).render({"query": frame}, context("Pages", 6))
    pd.testing.assert_frame_equal(frame, before)
    assert_honest_block(block)
    return block


def rows(block: Block) -> list[list[str]]:
    table = next((element for element in block.elements if isinstance(element, Table)), None)
    return [[cell.text for cell in row] for row in table.rows] if table else []


def spans(block: Block) -> list[dict[str, Any]]:
    picture = next(element for element in block.elements if isinstance(element, Picture))
    return json.loads(picture.spec)["datasets"]["fired"]


def test_alerts_are_counted_and_timed_longest_first() -> None:
    """Count, total time and the last firing, in the report's own time; the finding says it in a sentence."""
    block = shown(
        points("DiskFull", "2024-11-19 08:00", 1),
        points("HighLatency", "2024-11-18 01:00", 4),
        points("HighLatency", "2024-11-20 02:00", 1),
        points("HighLatency", "2024-11-21 14:30", 2),
    )
    assert rows(block) == [
        ["HighLatency", "1 h 45 min", "3×", "Thu, Nov 21, 14:30 to 15:00"],
        ["DiskFull", "15 min", "1×", "Tue, Nov 19, 08:00 to 08:15"],
    ]
    assert block.finding == "HighLatency fired 3 times, 1 h 45 min in all, the longest of 2 alerts"


def test_the_timeline_stands_at_the_right_hours() -> None:
    """Half past two in Berlin is 13:30 in UTC, which the chart's axis counts in."""
    block = shown(points("A", "2024-11-21 14:30", 2))
    assert [(row["x"], row["x2"]) for row in spans(block)] == [("2024-11-21T13:30Z", "2024-11-21T14:00Z")]
    picture = block.elements[0]
    assert isinstance(picture, Picture)
    assert picture.alt == "Alert timeline: A fired once, for 30 min."


def test_hidden_labels_do_not_make_two_firings_of_one() -> None:
    """Two instances at one time are one firing; two teams are two, whose common time counts once."""
    parts = [
        points("A", "2024-11-19 08:00", 2, instance="a", team="x"),
        points("A", "2024-11-19 08:15", 2, instance="b", team="x"),
        points("A", "2024-11-19 08:00", 4, instance="c", team="y"),
    ]
    assert rows(shown(*parts))[0][1:3] == ["1 h", "2×"]
    assert rows(shown(*parts, hide_labels=["instance", "team"]))[0][1:3] == ["1 h", "1×"]
    assert rows(shown(*parts, hide_labels=[]))[0][1:3] == ["1 h", "3×"]


@pytest.mark.parametrize(
    ("args", "names"),
    [
        ({"labels": {"severity": "crit"}}, {"A"}),
        ({"labels": {"severity": "^(critical|warning)$"}}, {"A", "B"}),
        ({"labels": {"nowhere": "."}}, set()),
        ({"ignore_labels": {"team": "sand"}}, {"A", "C"}),
        ({"ignore_labels": {"nowhere": "."}}, {"A", "B", "C"}),
        ({"labels": {"severity": "w"}, "ignore_labels": {"team": "sandbox"}}, set()),
    ],
)
def test_labels_choose_alerts_by_search(args: dict[str, Any], names: set[str]) -> None:
    """A part of the value is enough; an alert or a world without the label is no match."""
    block = shown(
        points("A", "2024-11-19 08:00", 1, severity="critical", team="core"),
        points("B", "2024-11-19 08:00", 1, severity="warning", team="sandbox"),
        points("C", "2024-11-19 08:00", 1),
        **args,
    )
    assert {row[0] for row in rows(block)} == names
    assert block.status == ("ok" if names else "empty")


def test_pending_alerts_do_not_count() -> None:
    """Only what fires."""
    pending = points("A", "2024-11-19 08:00", 3).assign(alertstate="pending")
    block = shown(pending)
    assert block.elements[0].model_dump()["markdown"] == "No alerts."


def test_no_rows_and_no_columns_say_no_alerts() -> None:
    """An empty answer is good news."""
    assert shown().elements[0].model_dump()["markdown"] == "No alerts."


def test_what_fires_at_the_end_of_the_window_is_cut_there_and_said() -> None:
    """An alert at 23:50 with a resolution of 15 minutes has fired for ten minutes in this window."""
    block = shown(points("A", "2024-11-24 23:50", 1))
    assert rows(block) == [["A", "10 min", "1×", "Sun, Nov 24, 23:50, still firing"]]


def test_an_alert_over_a_change_of_clocks_lasts_as_long_as_it_did() -> None:
    """From 01:00 to 04:00 on the night of 25 hours are four hours."""
    from datetime import date

    from kpi_assets.contracts import Window

    frame = points("A", "2024-10-27 01:00", 4, "1h")
    view = AlertSummaryView(AlertSummaryArgs(resolution="1h"))
    window = Window(date(2024, 10, 21), date(2024, 10, 28), ZONE)
    block = view.render({"query": frame}, context("Pages", 6, window=window))
    assert rows(block) == [["A", "4 h", "1×", "Sun, Oct 27, 01:00 to 04:00"]]


def test_the_timeline_can_be_left_out_and_made_tall() -> None:
    """`show_timeline` and `timeline_height`."""
    alert = points("A", "2024-11-19 08:00", 1)
    assert [type(element) for element in shown(alert, show_timeline=False).elements] == [Table]
    short, tall = (shown(alert, timeline_height=height).pictures[0].drawings[0].height for height in (10, 60))
    assert tall - short == 50


def test_many_alerts_are_cut_and_that_is_said() -> None:
    """The table has `max_rows` rows, the timeline twelve strips."""
    block = shown(*(points(f"A{i:02}", "2024-11-19 08:00", 1) for i in range(20)), max_rows=5)
    assert len(rows(block)) == 5
    assert "Showing 5 of 20 alerts." in block.note
    assert len(spans(block)) == 12
    assert block.finding == "20 alerts fired, A00 fired once, for 15 min"


def test_names_in_any_script_are_drawn() -> None:
    """Quotes, signs and emoji break nothing."""
    block = shown(points('Zürich "<&>" 火事 ☃', "2024-11-19 08:00", 1))
    assert rows(block)[0][0] == 'Zürich "<&>" 火事 ☃'


def test_the_query_is_alerts_at_the_resolution() -> None:
    """Datasource `prometheus` by default, step = resolution."""
    need = AlertSummaryView(AlertSummaryArgs(resolution="5m")).needs()["query"]
    assert (need.datasource, need.text, need.args) == ("prometheus", "ALERTS", {"step": "5m"})


@pytest.mark.parametrize(
    ("args", "words"),
    [({"resolution": "often"}, "no duration"), ({"labels": {"a": "("}}, "no regular expression")],
)
def test_mistakes_are_told_before_the_run(args: dict[str, Any], words: str) -> None:
    """Durations and regular expressions are checked with the file."""
    with pytest.raises(ValidationError, match=words):
        AlertSummaryArgs(**args)
