"""The views that come with the package keep the rules that strangers are held to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from kpi_assets.testing import WEEK, ViewSuite
from kpi_assets.views.alert_summary import AlertSummaryView
from kpi_assets.views.build_summary import BuildSummaryView
from kpi_assets.views.heat_table import HeatTableView
from kpi_assets.views.plot import PlotView
from kpi_assets.views.single_stat import SingleStatView
from kpi_assets.views.stats import StatsView
from kpi_assets.views.table import TableView
from kpi_assets.views.text import TextView
from kpi_assets.views.vega_lite import VegaLiteView
from kpi_assets_tests.views.test_alert_summary import points
from kpi_assets_tests.views.test_build_summary import job

ASKING = {"datasource": "shop", "query": "select 1"}


def signups() -> pd.DataFrame:
    """Two countries a day, one of them with a gap."""
    days = pd.date_range(WEEK.starts_at, periods=7)
    return pd.DataFrame(
        {
            "time": [*days, *days],
            "country": ["Österreich"] * 7 + ["<Japan>"] * 7,
            "signups": [31.0, 44, 38, None, 52, 40, 47, 3, 5, 4, 2, 6, 1, 9],
        }
    )


class TestPlot(ViewSuite):
    """Lines by group."""

    plugin = PlotView

    @pytest.fixture
    def args(self) -> Mapping[str, Any]:
        return {**ASKING, "groupby": "country"}

    @pytest.fixture
    def frames(self) -> Mapping[str, pd.DataFrame]:
        return {"query": signups()}


class TestBars(TestPlot):
    """Stacked bars by group."""

    @pytest.fixture
    def args(self) -> Mapping[str, Any]:
        return {**ASKING, "groupby": "country", "kind": "bar", "stacked": True}


class TestScatter(TestPlot):
    """Points."""

    @pytest.fixture
    def args(self) -> Mapping[str, Any]:
        return {**ASKING, "kind": "scatter", "groupby": "country"}


class TestComparison(TestPlot):
    """A line against that of the week before."""

    @pytest.fixture
    def args(self) -> Mapping[str, Any]:
        return {**ASKING, "compare": "previous"}

    @pytest.fixture
    def frames(self) -> Mapping[str, pd.DataFrame]:
        frame = signups().loc[:6, ["time", "signups"]]
        return {"query": frame, "previous": frame.assign(time=frame["time"] - pd.Timedelta(days=7))}


class TestSingleStat(ViewSuite):
    """A number against the week before."""

    plugin = SingleStatView

    @pytest.fixture
    def args(self) -> Mapping[str, Any]:
        return {**ASKING, "comparison": "previous", "comparison_type": "percent"}

    @pytest.fixture
    def frames(self) -> Mapping[str, pd.DataFrame]:
        return {"query": pd.DataFrame({"n": [1284]}), "comparison": pd.DataFrame({"n": [1153]})}


class TestStats(ViewSuite):
    """A strip of two numbers."""

    plugin = StatsView

    @pytest.fixture
    def args(self) -> Mapping[str, Any]:
        return {"stats": [{**ASKING, "title": "Sign-ups"}, {**ASKING, "title": "Churn", "unit": "%"}]}

    @pytest.fixture
    def frames(self) -> Mapping[str, pd.DataFrame]:
        return {"stat1_query": pd.DataFrame({"n": [1284]}), "stat2_query": pd.DataFrame({"n": [None]})}


class TestTable(ViewSuite):
    """Rows as they come."""

    plugin = TableView

    @pytest.fixture
    def args(self) -> Mapping[str, Any]:
        return ASKING

    @pytest.fixture
    def frames(self) -> Mapping[str, pd.DataFrame]:
        return {"query": signups()}


class TestHeatTable(ViewSuite):
    """Cohorts."""

    plugin = HeatTableView

    @pytest.fixture
    def args(self) -> Mapping[str, Any]:
        return ASKING

    @pytest.fixture
    def frames(self) -> Mapping[str, pd.DataFrame]:
        return {"query": pd.DataFrame({"cohort": ["Sep 16", "Sep 23"], "1": [0.4, 0.3], "2": [0.2, None]})}


class TestText(ViewSuite):
    """A note with a variable in it."""

    plugin = TextView

    @pytest.fixture
    def args(self) -> Mapping[str, Any]:
        return {"text": "From **{from}** to {to}."}


class TestVegaLite(ViewSuite):
    """A spec of the user's own."""

    plugin = VegaLiteView

    @pytest.fixture
    def args(self) -> Mapping[str, Any]:
        x, y = {"field": "country", "type": "nominal"}, {"field": "signups", "type": "quantitative"}
        return {**ASKING, "spec": {"mark": "bar", "encoding": {"x": x, "y": y}}}

    @pytest.fixture
    def frames(self) -> Mapping[str, pd.DataFrame]:
        return {"query": signups()}


class TestAlertSummary(ViewSuite):
    """Alerts of the week."""

    plugin = AlertSummaryView

    @pytest.fixture
    def frames(self) -> Mapping[str, pd.DataFrame]:
        parts = [points("DiskFull", "2024-11-19 08:00", 3), points("HighLatency", "2024-11-18 01:00", 4)]
        return {"query": pd.concat(parts, ignore_index=True)}


class TestBuildSummary(ViewSuite):
    """Two jobs, one of which has never run."""

    plugin = BuildSummaryView

    @pytest.fixture
    def frames(self) -> Mapping[str, pd.DataFrame]:
        jobs = [job("api", "SFUAS", 85, (10, 10, 10, 20, 20)), job("docs")]
        return {"query": pd.concat(jobs, ignore_index=True)}
