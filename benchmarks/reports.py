"""The benchmark report, in keys that KPI Reporter and kpi_assets both understand.

Four views: a line of sign-ups per hour, bars by day, a single stat with its comparison, a table. More views repeat
the four: five distinct queries and two distinct drawings, as a real report repeats itself.
"""

from __future__ import annotations

from pathlib import Path

HEAD = """\
title: Bench
start_date: '2024-11-18'
end_date: '2024-11-25'
interval_days: 7
timezone: UTC
datasources:
  shop:
    plugin: sql
    args: {{driver: sqlite, database: {database}}}
outputs:
  disk:
    plugin: static
    args: {{output_dir: {output}}}
views:
"""

VIEWS = """\
  hours_{n}:
    plugin: plot
    title: Sign-ups per hour
    args:
      datasource: shop
      query: |
        select strftime('%Y-%m-%d %H:00:00', created_at) as hour, count(*) as sign_ups
        from sign_ups where created_at >= {{from}} and created_at < {{to}}
        group by strftime('%Y-%m-%d %H:00:00', created_at)
      query_args: {{parse_dates: [hour]}}
      time_column: hour
      plot_rc: {{timezone: UTC}}
  days_{n}:
    plugin: plot
    title: Sign-ups per day
    args:
      datasource: shop
      kind: bar
      query: |
        select date(created_at) as day, count(*) as sign_ups
        from sign_ups where created_at >= {{from}} and created_at < {{to}}
        group by date(created_at)
      query_args: {{parse_dates: [day]}}
      time_column: day
      plot_rc: {{timezone: UTC}}
  total_{n}:
    plugin: single_stat
    title: Sign-ups
    args:
      datasource: shop
      query: select count(*) from sign_ups where created_at >= {{from}} and created_at < {{to}}
      comparison_query: select count(*) from sign_ups where created_at < {{from}} and created_at >= '2024-11-11'
      comparison_type: percent
  plans_{n}:
    plugin: table
    title: Plans
    args:
      datasource: shop
      query: |
        select plan, count(*) as sign_ups, sum(amount) as revenue
        from sign_ups where created_at >= {{from}} and created_at < {{to}} group by plan
"""


def write(path: Path, *, database: Path, output: Path, views: int) -> Path:
    """A report file of `views` views (a multiple of four)."""
    body = "".join(VIEWS.format(n=n) for n in range(views // 4))
    path.write_text(HEAD.format(database=database, output=output) + body, encoding="utf-8")
    return path
