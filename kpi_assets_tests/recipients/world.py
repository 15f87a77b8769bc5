"""A company with regions, whose leads get their own numbers by mail and in folders of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from kpi_assets import pipeline
from kpi_assets.config import load_report
from kpi_assets.delivery import Delivered, deliver_outputs
from kpi_assets.plan import ReportPlan, build_plan
from kpi_assets.session import Session

KEY = "2024-11-24"
NOW = datetime(2024, 11, 25, 6, tzinfo=UTC)
FIRST, DAYS = date(2024, 11, 11), 14


@dataclass(frozen=True)
class Lead:
    """A recipient. Her rows, and nobody else's, hold `marker` and add up to `amount` a day."""

    email: str | None
    region: str
    marker: str
    amount: float
    setting: str = "{}"


LEADS = (
    Lead("ann@example.com", "North", "Qzxnorth", 1913577.0),
    Lead("bob@example.com", "South", "Wvksouth", 2827463.0),
    Lead("cyd@example.com", "x' OR 1=1 --", "Jxqquote", 3741259.0),
    Lead("dee@example.com", "%' UNION SELECT", "Kzvunion", 4659371.0),
)

REPORT = """\
title: Sales {{recipient.region}}
timezone: Europe/Berlin
end_date: 2024-11-25
partitions: {{start: 2024-11-01}}
on_view_error: {policy}
datasources:
  company:
    plugin: sqlite
    args: {{database: {folder}/company.db}}
queries:
  leads:
    datasource: company
    query: select email, region, setting from leads order by rowid
  mine:
    datasource: company
    query: |
      select date(placed_at) as day, rep, sum(amount) as revenue, json({{recipient.setting}}) as setting
      from orders where placed_at >= {{from}} and placed_at < {{to}} and region = {{recipient.region}}
      group by date(placed_at), rep
recipients:
  query: {{ref: leads}}
views:
  hello:
    plugin: text
    args: {{text: "For {{recipient.email}} in {{recipient.region}}."}}
  days:
    plugin: table
    title: Revenue of {{recipient.region}} by person
    args: {{query: {{ref: mine}}}}
  revenue:
    plugin: plot
    title: Revenue
    args:
      datasource: company
      query: >-
        select date(placed_at) as day, rep, sum(amount) as revenue from orders
        where placed_at >= {{from}} and placed_at < {{to}} and region = {{recipient.region}}
        group by date(placed_at), rep
      time_column: day
  company:
    plugin: single_stat
    title: Orders of the company
    args:
      datasource: company
      query: select count(*) as orders from orders where placed_at >= {{from}} and placed_at < {{to}}
outputs:
  disk:
    plugin: static
    args: {{output_dir: "{folder}/out/{{recipient.key}}", output_format: [html, md]}}
"""
MAIL = """\
  mail:
    plugin: smtp
    args:
      email_from: kpi@example.com
      email_to: "{{recipient.email}}"
      smtp_host: 127.0.0.1
      smtp_port: {port}
      subject: Sales of {{recipient.region}}
      attachments: [csv, pdf]
      retry_for: 0
"""


def make_company(folder: Path, leads: Sequence[Lead] = LEADS) -> None:
    """`leads` and `orders` in `company.db`: one order a day and region."""
    with closing(sqlite3.connect(folder / "company.db")) as connection, connection:
        connection.execute("create table leads (email text, region text, setting text)")
        connection.execute("create table orders (placed_at text, region text, rep text, amount real)")
        for lead in leads:
            connection.execute("insert into leads values (?, ?, ?)", (lead.email, lead.region, lead.setting))
            for n in range(DAYS):
                row = (f"{FIRST + timedelta(days=n)} 10:00:00", lead.region, lead.marker, lead.amount)
                connection.execute("insert into orders values (?, ?, ?, ?)", row)


def change_company(folder: Path, *statements: str) -> None:
    """Edit the data."""
    with closing(sqlite3.connect(folder / "company.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def write_report(folder: Path, *, port: int = 0, policy: str = "fail", lean: bool = False) -> Path:
    """The report in `sales.yaml`; with a mail server's port it is mailed too. `lean`: without chart and attachments."""
    text = REPORT.format(folder=folder, policy=policy) + (MAIL.format(port=port) if port else "")
    if lean:
        chart, company = text.index("  revenue:\n"), text.index("  company:\n    plugin: single_stat")
        text = (text[:chart] + text[company:]).replace("attachments: [csv, pdf]", "attachments: []")
    file = folder / "sales.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def planned(file: Path) -> ReportPlan:
    return build_plan(load_report([file]), {})


def make(session: Session) -> list[Delivered]:
    """All stages for one edition; what became of its deliveries."""
    windows = [session.plan.window(KEY)]
    for _ in pipeline.fetch_queries(session, windows):
        pass
    for _ in pipeline.render_views(session, windows):
        pass
    for _ in pipeline.compose_for_recipients(session, windows):
        pass
    return list(deliver_outputs(session, windows))
