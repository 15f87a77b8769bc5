"""What a run asks of a backend, counted at the backend."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from kpi_assets import pipeline
from kpi_assets.assets.run import materialize_editions
from kpi_assets.config import load_report
from kpi_assets.plan import ReportPlan, build_plan
from kpi_assets.session import Session
from kpi_assets_tests.datasources.api import Asked, serving

HEAD = """\
title: Desk
timezone: Europe/Berlin
end_date: 2024-11-25
datasources:
  desk: {{plugin: http, args: {{base_url: {url}, concurrency: {concurrency}, retry_for: 0}}}}
outputs: {{disk: {{plugin: static, args: {{output_dir: {out}}}}}}}
"""
TWICE = """\
queries:
  tickets: {datasource: desk, query: tickets}
views:
  list: {plugin: table, args: {query: {ref: tickets}}}
  total: {plugin: single_stat, args: {query: {ref: tickets}}}
  again: {plugin: table, args: {datasource: desk, query: inline}}
  more: {plugin: table, args: {datasource: desk, query: inline}}
"""
TWO_SOURCES = """\
views:
  first: {plugin: table, args: {datasource: desk, query: first}}
  second: {plugin: table, args: {datasource: shop, query: second}}
"""


def _plan(folder: Path, text: str) -> ReportPlan:
    file = folder / "desk.yaml"
    file.write_text(text, encoding="utf-8")
    return build_plan(load_report([file]), {})


def fetched(folder: Path, text: str) -> list[str]:
    """What failed of the queries of one edition."""
    plan = _plan(folder, text)
    session = Session(plan, folder / "home", {}, clock=lambda: datetime(2024, 11, 25, 5, tzinfo=UTC))
    windows = [plan.window("2024-11-24")]
    failed = [str(each.error) for each in pipeline.fetch_queries(session, windows) if each.error]
    failed += [str(each.error) for each in pipeline.render_views(session, windows) if each.error]
    session.close()
    return failed


def test_what_two_views_show_is_asked_once(tmp_path: Path) -> None:
    """A query that two views refer to, and one that two views hold word by word, are one request each."""
    with serving(lambda _: [{"tickets": 3}]) as api:
        head = HEAD.format(url=api.url, concurrency=4, out=tmp_path / "out")
        assert fetched(tmp_path, head + TWICE) == []
        assert Counter(asked.path for asked in api.asked) == {"/tickets": 1, "/inline": 1}


def test_queries_run_side_by_side_within_the_bound(tmp_path: Path) -> None:
    """Nobody is answered before three have asked, so three are under way at once; a fourth never is."""
    gate, lock = threading.Barrier(3, timeout=60), threading.Lock()
    under_way: list[int] = [0, 0]

    def answer(_: Asked) -> list[dict[str, int]]:
        with lock:
            under_way[0] += 1
            under_way[1] = max(under_way)
        gate.wait()
        with lock:
            under_way[0] -= 1
        return [{"tickets": 3}]

    queries = "".join(f"  q{n}: {{datasource: desk, query: path{n}}}\n" for n in range(6))
    views = "".join(f"  v{n}: {{plugin: table, args: {{query: {{ref: q{n}}}}}}}\n" for n in range(6))
    with serving(answer) as api:
        head = HEAD.format(url=api.url, concurrency=3, out=tmp_path / "out")
        assert fetched(tmp_path, f"{head}queries:\n{queries}views:\n{views}") == []
        assert len(api.asked) == 6
    assert under_way[1] == 3


def test_a_run_asks_its_datasources_side_by_side(tmp_path: Path) -> None:
    """In a Dagster run neither of two datasources, of one query at once each, answers before both are asked."""
    gate = threading.Barrier(2, timeout=60)

    def answer(_: Asked) -> list[dict[str, int]]:
        gate.wait()
        return [{"tickets": 3}]

    with serving(answer) as api:
        head = HEAD.format(url=api.url, concurrency=1, out=tmp_path / "out")
        other = f"  shop: {{plugin: http, args: {{base_url: {api.url}, concurrency: 1, retry_for: 0}}}}\n"
        text = head.replace("outputs:", f"{other}outputs:") + TWO_SOURCES
        plan = _plan(tmp_path, text)
        made = materialize_editions(plan, [plan.window("2024-11-24")], home=tmp_path / "home", environ={})
        assert made.success
        assert {asked.path for asked in api.asked} == {"/first", "/second"}
