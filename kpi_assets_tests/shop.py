"""A small shop in SQLite, and a report on it, for tests of the whole way of the data."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

FIRST = date(2024, 10, 1)
LAST = date(2024, 11, 24)


def orders_on(day: date) -> int:
    """How many orders the shop has on a day: 1 to 9, never the same two days running."""
    return 1 + day.toordinal() % 9


def make_shop(path: Path) -> Path:
    """`orders(placed_at, country, amount)`: `orders_on(day)` orders a day, 10.0 each, one of them from Austria."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table orders (placed_at text, country text, amount real)")
        for n in range((LAST - FIRST).days + 1):
            day = FIRST + timedelta(days=n)
            for order in range(orders_on(day)):
                country = "Austria" if order == 0 else "Germany"
                row = (f"{day} {order:02d}:30:00", country, 10.0)
                connection.execute("insert into orders values (?, ?, ?)", row)
    return path


REPORT = """\
title: Orders {{from}}
timezone: Europe/Berlin
end_date: 2024-11-25
partitions: {{start: 2024-10-01}}
on_view_error: {policy}
datasources:
  shop:
    plugin: sqlite
    args: {{database: {database}}}
queries:
  orders_daily:
    datasource: shop
    query: |
      select date(placed_at) as day, count(*) as orders
      from orders where placed_at >= {{from}} and placed_at < {{to}}
      group by date(placed_at)
views:
  total:
    plugin: single_stat
    title: Orders
    cols: 2
    args: {{query: {{ref: orders_daily}}, comparison: previous, comparison_type: percent}}
  days:
    plugin: table
    title: Orders per day
    cols: 4
    args: {{query: {{ref: orders_daily}}}}
  countries:
    plugin: table
    title: Orders by country
    args:
      datasource: shop
      query: >-
        select country, count(*) as orders from {table}
        where placed_at >= {{from}} and placed_at < {{to}} group by country
outputs:
  disk:
    plugin: static
    args: {{output_dir: {output}}}
"""


def write_report(folder: Path, *, policy: str = "fail", table: str = "orders", name: str = "orders") -> Path:
    """A shop and a report on it in `folder`. `table` breaks the query of `countries` when it is another one."""
    database = folder / "shop.db"
    if not database.exists():
        make_shop(database)
    text = REPORT.format(database=database, output=folder / "out", policy=policy, table=table)
    file = folder / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return file
