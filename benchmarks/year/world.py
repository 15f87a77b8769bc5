"""What the simulated year runs on: a shop, three reports on it, and a door to the shop that does not always open."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from kpi_assets.assets import keys
from kpi_assets.assets.build import build_definitions
from kpi_assets.assets.resources import DatasourceResource, KpiAssetsResource
from kpi_assets.config import load_report
from kpi_assets.contracts import Datasource
from kpi_assets.errors import QueryError
from kpi_assets.plan import DatasourcePlan, ReportPlan, build_plan

ZONE = "Europe/Berlin"
BOARD, OWNER = ("ada@example.com", "bob@example.com"), "ops@example.com"

REPORT = """\
title: Orders of {name}
timezone: {zone}
window: {window}
partitions: {{start: {start}}}
schedule: {{cron: "{cron}"}}
catch_up: {policy}
owner: {owner}
datasources: {{shop: {{plugin: sqlite, args: {{database: {database}}}}}}}
queries:
  orders:
    datasource: shop
    query: |
      select date(placed_at) as day, count(*) as orders from orders
      where placed_at >= {{from}} and placed_at < {{to}} group by date(placed_at)
views:
  total: {{plugin: single_stat, title: Orders, args: {{query: {{ref: orders}}}}}}
  days: {{plugin: table, title: Orders per day, args: {{query: {{ref: orders}}}}}}
outputs:
  disk: {{plugin: static, args: {{output_dir: {output}}}}}
  board:
    plugin: smtp
    args: {{email_from: kpi@example.com, email_to: [{board}], subject: "{name} {{edition}}",
           smtp_host: 127.0.0.1, smtp_port: {port}}}
"""


@dataclass(frozen=True)
class Kind:
    """One of the reports. `weekday`: of its ticks (0 is Monday); None where it ticks every day."""

    name: str
    window: str
    cron: str
    policy: str
    weekday: int | None = None


KINDS = (
    Kind("daily", "yesterday", "30 2 * * *", "latest"),
    Kind("weekly", "last_week", "0 6 * * 1", "all", weekday=0),
    Kind("quiet", "last_week", "0 7 * * 1", "none", weekday=0),
)
"""02:30 is the hour that one day of the year does not have, and another has twice."""


@dataclass
class Source:
    """The shop. Each query fails with this probability; what failed is counted."""

    failing: float
    dice: random.Random
    failed: int = 0
    asked: int = 0

    def answer(self, query: str) -> None:
        """Raises QueryError, now and then."""
        self.asked += 1
        if self.dice.random() < self.failing:
            self.failed += 1
            raise QueryError(query, "shop", "the shop did not answer (simulated)")


@dataclass(frozen=True)
class World:
    """Folder, mail server and shop. Everything that is kept between restarts lies in the folder."""

    folder: Path
    port: int
    source: Source
    first: date
    plans: tuple[ReportPlan, ...] = field(default=())

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def read(self) -> tuple[ReportPlan, ...]:
        """The plans, from the files, as whenever a code location loads."""
        return tuple(build_plan(load_report([self._file(kind)]), {}) for kind in KINDS)

    def definitions(self) -> dg.Definitions:
        """The code location: the product's own, with the shop's door replaced, as docs/python.md says."""
        plans = self.read()
        made = build_definitions(plans, home=KpiAssetsResource(home=str(self.home)))
        return dg.Definitions(
            assets=made.assets,
            schedules=made.schedules,
            sensors=made.sensors,
            executor=made.executor,
            resources={**(made.resources or {}), **self._doors(plans)},
        )

    def _doors(self, plans: tuple[ReportPlan, ...]) -> Mapping[str, Any]:
        door = door_to(self.source)
        return {
            keys.datasource_resource(plan.id, "shop"): door(
                report=plan.id, datasource="shop", plugin="sqlite"
            )
            for plan in plans
        }

    def _file(self, kind: Kind) -> Path:
        return self.folder / f"{kind.name}.yaml"

    def write(self, days: int) -> None:
        """The shop's rows, and the report files."""
        make_shop(self.folder / "shop.db", self.first - timedelta(days=40), days + 60)
        for kind in KINDS:
            text = REPORT.format(
                **vars(kind),
                zone=ZONE,
                start=self.first - timedelta(days=31),
                owner=OWNER,
                board=", ".join(BOARD),
                database=self.folder / "shop.db",
                output=self.folder / "out",
                port=self.port,
            )
            self._file(kind).write_text(text, encoding="utf-8")


def door_to(source: Source) -> type[DatasourceResource]:
    """A resource whose backend asks the source first whether it answers at all."""

    class Door(DatasourceResource):
        def make(self, plan: DatasourcePlan, environ: Mapping[str, str]) -> Datasource:
            shop = super().make(plan, environ)
            ask = shop.query

            def query(query: Any, window: Any) -> Any:
                source.answer(query.id)
                return ask(query, window)

            shop.query = query
            return shop

    return Door


def make_shop(path: Path, first: date, days: int) -> None:
    """Three to nine orders on each day."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table orders (placed_at text)")
        for day in (first + timedelta(days=n) for n in range(days)):
            rows = [(f"{day} {hour + 8:02d}:15:00",) for hour in range(3 + day.toordinal() % 7)]
            connection.executemany("insert into orders values (?)", rows)
