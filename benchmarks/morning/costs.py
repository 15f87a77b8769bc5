"""What one report costs on PostgreSQL, measured: a run, a tick of its schedule, a look of its sensor."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy import event
from sqlalchemy.engine import Engine

from benchmarks import data, measure
from benchmarks.growth import PROGRAM
from kpi_assets.assets.build import build_definitions
from kpi_assets.assets.resources import KpiAssetsResource
from kpi_assets.assets.runs import ASSET_JOB, run_request
from kpi_assets.assets.schedules import schedule_name
from kpi_assets.config import load_report
from kpi_assets.plan import ReportPlan, build_plan

REPORT = """\
title: Bench
timezone: UTC
schedule: {{cron: "0 6 * * *"}}
partitions: {{start: 2023-06-01}}
datasources: {{shop: {{plugin: sqlite, args: {{database: {database}}}}}}}
views:
  days:
    plugin: plot
    title: Sign-ups per day
    args: &days
      datasource: shop
      kind: bar
      query: |
        select date(created_at) as day, count(*) as sign_ups from sign_ups
        where created_at >= {{from}} and created_at < {{to}} group by date(created_at)
  rows: {{plugin: table, title: Days, args: {{datasource: shop, query: {query}}}}}
  plans:
    plugin: table
    title: Plans
    args:
      datasource: shop
      query: |
        select plan, count(*) as sign_ups from sign_ups
        where created_at >= {{from}} and created_at < {{to}} group by plan
  total:
    plugin: single_stat
    title: Sign-ups
    args:
      datasource: shop
      query: select count(*) from sign_ups where created_at >= {{from}} and created_at < {{to}}
outputs:
  disk: {{plugin: static, args: {{output_dir: {output}}}}}
"""
SAME = (
    "'select date(created_at) as day, sum(amount) as revenue from sign_ups "
    "where created_at >= {from} and created_at < {to} group by date(created_at)'"
)


@dataclass
class Counter:
    """Statements that were sent to PostgreSQL."""

    statements: int = 0

    def hear(self, connection: Any, *_: Any) -> None:
        self.statements += connection.dialect.name == "postgresql"


@dataclass(frozen=True)
class Cost:
    """Medians of a few: CPU seconds of the process, and statements to PostgreSQL."""

    cpu: float
    statements: float


@dataclass(frozen=True)
class Costs:
    """`cold`: CPU seconds of a run as a process of its own. `events`: that a run leaves in Dagster's records."""

    cold: float
    run: Cost
    tick: Cost
    look: Cost
    events: float


@contextmanager
def counted() -> Generator[Counter]:
    """Counts what SQLAlchemy sends."""
    counter = Counter()
    event.listen(Engine, "after_cursor_execute", counter.hear)
    try:
        yield counter
    finally:
        event.remove(Engine, "after_cursor_execute", counter.hear)


def measured(times: int) -> Costs:
    """All costs, on a database of their own that is dropped at the end."""
    from kpi_assets_tests.servers import PASSWORD, USER, new_database

    with new_database("postgresql") as database, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        url = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{database.port}/{database.database}"
        report = write_report(folder)
        dagster_home = folder / "dagster"
        dagster_home.mkdir()
        settings = f"telemetry: {{enabled: false}}\nstorage: {{postgres: {{postgres_url: {url}}}}}\n"
        (dagster_home / "dagster.yaml").write_text(settings, encoding="utf-8")
        with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
            bench = Bench(folder, build_plan(load_report([report]), {}), instance)
            run, rows = bench.runs(times)
            tick, look = bench.ticks(times), bench.looks(times)
            cold = bench.cold(report, dagster_home, times)
    return Costs(cold, run, tick, look, rows)


def write_report(folder: Path) -> Path:
    database = data.make(folder / "10000.db", 10_000)
    file = folder / "bench.yaml"
    file.write_text(REPORT.format(database=database, query=SAME, output=folder / "out"), encoding="utf-8")
    return file


@dataclass(frozen=True)
class Bench:
    folder: Path
    plan: ReportPlan
    instance: dg.DagsterInstance

    @property
    def home(self) -> KpiAssetsResource:
        return KpiAssetsResource(home=str(self.folder / "home"))

    def runs(self, times: int) -> tuple[Cost, float]:
        """Warm runs of an edition each, and the events that one leaves."""
        repository = build_definitions([self.plan], home=self.home).get_repository_def()
        events: list[int] = []
        days = iter(range(1, 28))

        def run() -> None:
            request = run_request(self.plan, self.plan.window(f"2024-11-{next(days):02d}"), notify=True)
            result = repository.get_job(ASSET_JOB).execute_in_process(
                instance=self.instance,
                partition_key=request.partition_key,
                tags=dict(request.tags),
                asset_selection=list(request.asset_selection or ()),
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
            events.append(len(self.instance.all_logs(result.run_id)))

        cost = costs_of(run, times)
        return cost, statistics.median(events)

    def ticks(self, times: int) -> Cost:
        """A schedule's tick: is there a run of this edition?"""
        repository = build_definitions([self.plan], home=self.home).get_repository_def()
        schedule = repository.get_schedule_def(schedule_name(self.plan.id))
        at = datetime(2024, 12, 24, 6, tzinfo=UTC)

        def tick() -> None:
            schedule.evaluate_tick(
                dg.build_schedule_context(
                    instance=self.instance, scheduled_execution_time=at, repository_def=repository
                )
            )

        return costs_of(tick, times)

    def looks(self, times: int) -> Cost:
        """A look of the catch-up sensor on a quiet day."""
        repository = build_definitions([self.plan], home=self.home).get_repository_def()
        sensor = repository.get_sensor_def(f"{self.plan.id}__catch_up")
        cursor: list[str | None] = [None]

        def look() -> None:
            with dg.build_sensor_context(
                instance=self.instance, cursor=cursor[0], repository_def=repository
            ) as context:
                cursor[0] = sensor.evaluate_tick(context).cursor

        return costs_of(look, times)

    def cold(self, report: Path, dagster_home: Path, times: int) -> float:
        """CPU seconds of `kpi-assets run` as a process, with the same records."""
        env = {"DAGSTER_HOME": str(dagster_home), "KPI_ASSETS_HOME": str(self.folder / "home")}
        ends = iter(range(1, 28))

        def run() -> measure.Cost:
            command = [*PROGRAM, "run", "-c", str(report), "--end-date", f"2024-10-{next(ends):02d}"]
            return measure.run(command, cwd=self.folder, env={**os.environ, **env})

        return measure.median(run, times).cpu


def costs_of(work: Callable[[], None], times: int) -> Cost:
    """Medians over `times` calls, after one that is thrown away."""
    work()
    found: list[Cost] = []
    for _ in range(times):
        started = time.process_time()
        with counted() as counter:
            work()
        found.append(Cost(time.process_time() - started, counter.statements))
    cpu = statistics.median(cost.cpu for cost in found)
    return Cost(cpu, statistics.median(cost.statements for cost in found))
