"""Google Analytics, X and the view of posts keep the rules that strangers are held to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from kpi_assets.datasources.googleanalytics import GoogleAnalyticsDatasource
from kpi_assets.datasources.twitter import TwitterDatasource
from kpi_assets.testing import DatasourceSuite, ViewSuite
from kpi_assets.views.engagement import EngagementView
from kpi_assets_tests.datasources.ga4_peer import Visit, google, key_file
from kpi_assets_tests.datasources.x_peer import KEYS, post, x
from kpi_assets_tests.views.test_engagement import THREE

NOBODY = "http://127.0.0.1:9"
BERLIN = ZoneInfo("Europe/Berlin")


class TestGoogleAnalytics(DatasourceSuite):
    """A property whose clocks are six hours behind the report's."""

    plugin = GoogleAnalyticsDatasource
    query = "report"
    query_args = {"dimensions": ["dateHour", "country"], "metrics": ["sessions"]}
    time_column = "dateHour"
    refused = "users"

    @pytest.fixture
    def args(self, tmp_path: Path) -> Iterator[Mapping[str, Any]]:
        facts = [
            Visit(datetime(2024, 11, day, hour), {"country": "Mali"}, {"sessions": day * hour})
            for day in range(9, 28)
            for hour in (0, 17, 18, 23)
        ]
        with google(tmp_path, *facts, zone="America/New_York") as (login, _):
            yield {**login, "property_id": 4711, "retry_for": 0}

    @pytest.fixture
    def dead(self, tmp_path: Path) -> Mapping[str, Any]:
        return {
            "key_file": key_file(tmp_path, NOBODY),
            "property_id": 4711,
            "data_url": NOBODY,
            "retry_for": 0,
        }


class TestTwitter(DatasourceSuite):
    """The posts of the account that asks."""

    plugin = TwitterDatasource
    query = "tweets"
    time_column = "time"
    refused = "followers"

    @pytest.fixture
    def args(self) -> Iterator[Mapping[str, Any]]:
        moments = [
            datetime(2024, 11, day, hour, tzinfo=BERLIN) for day in range(9, 28) for hour in (0, 9, 23)
        ]
        with x([post(n, at, likes=n) for n, at in enumerate(moments, 1)]) as (address, _):
            yield {"api_url": address, "pagination_delay_s": 0, "retry_for": 0, **KEYS}

    @pytest.fixture
    def dead(self) -> Mapping[str, Any]:
        return {"api_url": NOBODY, "retry_for": 0, **KEYS}


class TestEngagement(ViewSuite):
    """Three posts."""

    plugin = EngagementView

    @pytest.fixture
    def args(self) -> Mapping[str, Any]:
        return {"username": "quillmoor"}

    @pytest.fixture
    def frames(self) -> Mapping[str, pd.DataFrame]:
        return {"query": THREE}
