"""A plan knows everything that can be known before a run."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kpi_assets import registry
from kpi_assets.config import load_report
from kpi_assets.contracts import Span, Window
from kpi_assets.errors import ConfigError
from kpi_assets.plan import ReportPlan, build_plan, read_plan
from kpi_assets.wording import variables
from kpi_assets_tests.shop import write_report


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return write_report(tmp_path)


def plan_of(file: Path, **environ: str) -> ReportPlan:
    return build_plan(load_report([file]), environ)


def edited(file: Path, old: str, new: str) -> Path:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


def problems_of(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        plan_of(file)
    return [f"{p.position.line if p.position else '?'}: {p.message}" for p in caught.value.problems]


def test_queries_that_say_the_same_are_one(report: Path) -> None:
    """A query written twice is planned once, and both views need it."""
    text = report.read_text(encoding="utf-8")
    twice = text.replace(
        "outputs:",
        text[text.index("  countries:") : text.index("outputs:")].replace("countries:", "again:")
        + "outputs:",
    )
    report.write_text(twice, encoding="utf-8")
    plan = plan_of(report)
    assert [query.id for query in plan.queries] == ["orders_daily", "countries"]
    assert plan.views_by_id["again"].needs == plan.views_by_id["countries"].needs


@pytest.mark.parametrize(
    ("format", "library", "extra"),
    [("xlsx", "openpyxl", "xlsx"), ("pdf", "weasyprint", "pdf"), ("png", "pypdfium2", "pdf")],
)
def test_formats_that_cannot_be_written_here(
    report: Path, monkeypatch: pytest.MonkeyPatch, format: str, library: str, extra: str
) -> None:
    """A format whose library is not installed is a problem of the file, at the output that asks for it."""
    edited(report, "args: {output_dir:", f"args: {{output_format: [html, {format}], output_dir:")
    assert plan_of(report).formats == {"html", format}
    found = registry.find_spec
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == library else found(name))
    (problem,) = problems_of(report)
    assert problem.endswith(
        f"output 'disk': the format {format} needs {library}, which is not installed: "
        f"pip install 'kpi-assets[{extra}]'"
    )


@pytest.mark.parametrize(
    ("section", "plugin", "args", "library", "extra"),
    [
        ("datasources", "mysql", "{host: db}", "pymysql", "mysql"),
        ("datasources", "postgresql", "{host: db}", "psycopg2", "postgres"),
        ("datasources", "duckdb", "{}", "duckdb", "duckdb"),
        ("datasources", "file", "{path: a.csv}", "duckdb", "duckdb"),
        ("datasources", "googleanalytics", "{}", "google.analytics.data_v1beta", "ga4"),
        ("datasources", "twitter", "{bearer_token: abcd}", "tweepy", "x"),
        ("outputs", "s3", "{bucket: b}", "boto3", "s3"),
        ("outputs", "scp", "{host: h, remote_path: /srv}", "paramiko", "scp"),
    ],
)
def test_a_plugin_whose_library_is_missing(
    report: Path,
    monkeypatch: pytest.MonkeyPatch,
    section: str,
    plugin: str,
    args: str,
    library: str,
    extra: str,
) -> None:
    """It is a problem of the file, at the plugin's name, with what to install; nothing is imported for that."""
    edited(report, f"{section}:\n", f"{section}:\n  more: {{plugin: {plugin}, args: {args}}}\n")
    plan_of(report)
    found = registry.find_spec
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == library else found(name))
    (problem,) = problems_of(report)
    assert problem.endswith(
        f"{section.removesuffix('s')} 'more': {plugin} needs {library}, which is not installed: "
        f"pip install 'kpi-assets[{extra}]'"
    )


def test_spans_of_all_views_are_kept_with_the_query(report: Path) -> None:
    """A query knows every span that its views need."""
    spans = plan_of(report).queries_by_id["orders_daily"].spans
    assert set(spans) == {Span(), Span(windows_back=1)}


def test_grain_is_proven_or_window(report: Path) -> None:
    """A query by days is cut by days, one without days is not; the plan says why."""
    plan = plan_of(report)
    grains = {query.id: query.analysis.grain for query in plan.queries}
    assert grains == {"orders_daily": "day", "countries": "window"}
    assert all(query.grain_reason for query in plan.queries)


def test_lineage_names_the_tables(report: Path) -> None:
    """A query knows the tables that it reads."""
    assert plan_of(report).queries_by_id["countries"].analysis.tables == ("orders",)


def test_fingerprint_changes_with_the_text_and_only_then(report: Path) -> None:
    """An edited query gets another fingerprint; the same file gets the same."""
    before, same = plan_of(report), plan_of(report)
    edited(report, "group by country", "group by country order by 1")
    after = plan_of(report)
    assert before.fingerprint == same.fingerprint
    assert before.queries_by_id["countries"].fingerprint != after.queries_by_id["countries"].fingerprint
    assert before.views_by_id["countries"].fingerprint != after.views_by_id["countries"].fingerprint
    assert before.views_by_id["days"].fingerprint == after.views_by_id["days"].fingerprint


def test_every_problem_is_told_at_once(report: Path) -> None:
    """Unknown datasource, plugin, query and columns of the grid are told together, with their lines."""
    edited(report, "datasource: shop\n    query: |", "datasource: shopp\n    query: |")
    edited(report, "plugin: static", "plugin: statik")
    edited(report, "cols: 4", "cols: 40")
    found = problems_of(report)
    assert len(found) >= 3
    assert any("'shopp' is not defined" in line and "did you mean 'shop'" in line for line in found)
    assert any("'statik'" in line and "did you mean 'static'" in line for line in found)
    assert any("cols must be between 1 and theme.num_columns (6), not 40" in line for line in found)
    assert not any(line.startswith("?") for line in found)


def test_what_is_wrong_with_the_file_hides_nothing_of_its_plan(report: Path) -> None:
    """Keys that are unknown or hold the wrong type are told together with wrong plugins, arguments and ids."""
    edited(report, "plugin: single_stat", "plugin: single_sta")
    edited(report, "cols: 4", "cols: many")
    edited(report, "views:", "veiws: {}\nviews:")
    with pytest.raises(ConfigError) as caught:
        read_plan(report, {})
    problems = caught.value.problems
    told = [problem.message.split(":")[0] for problem in problems]
    assert told == [
        "unknown key 'veiws'",
        "no view plugin is called 'single_sta'",
        "view 'days' (table)",
    ]
    lines = [problem.position.line for problem in problems if problem.position]
    assert lines == sorted(lines)


def test_nothing_is_told_that_only_follows_from_another_mistake(report: Path) -> None:
    """Where a datasource is wrong, or stands under a misspelt key, queries that name it are not accused."""
    text = report.read_text(encoding="utf-8")
    edited(report, "datasources:", "datasorces:")
    with pytest.raises(ConfigError) as caught:
        read_plan(report, {})
    assert [problem.message for problem in caught.value.problems] == [
        "unknown key 'datasorces': did you mean 'datasources'?"
    ]
    report.write_text(text.replace("plugin: sqlite", "plugn: sqlite"), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_plan(report, {})
    assert all("shop" in problem.message or "plugn" in problem.message for problem in caught.value.problems)


def test_unknown_query_is_told_with_its_neighbours(report: Path) -> None:
    """A reference to a query that is not there names the near one."""
    edited(
        report,
        "title: Orders per day\n    cols: 4\n    args: {query: {ref: orders_daily}}",
        "title: Orders per day\n    cols: 4\n    args: {query: {ref: orders_dayly}}",
    )
    assert any("did you mean 'orders_daily'" in line for line in problems_of(report))


@pytest.mark.parametrize("sql", ["delete from orders", "select 1; select 2", "drop table orders"])
def test_a_write_is_refused_before_a_run(report: Path, sql: str) -> None:
    """A query that writes, or holds two statements, never reaches a backend."""
    edited(report, "select country, count(*) as orders from orders", sql + " --")
    assert problems_of(report)


def test_edition_names_the_length_only_where_it_is_not_the_reports_own(report: Path) -> None:
    """The regular edition is its key; another length is another edition."""
    plan = plan_of(report)
    assert plan.edition(plan.window("2024-11-24")) == "2024-11-24"
    month = Window.ending("2024-11-24", 30, plan.zone)
    assert plan.edition(month) == "2024-11-24_30d"


def test_both_dates_in_the_file_set_the_reports_own_length(report: Path) -> None:
    """With start and end in the file the regular window is as long as they say."""
    edited(report, "end_date: 2024-11-25", "start_date: 2024-10-26\nend_date: 2024-11-25")
    assert plan_of(report).rule.name == "30 days"


def test_the_title_in_a_text_has_its_days(report: Path) -> None:
    """What `{title}` stands for is the title as the page has it, with its own variables put in."""
    window = Window(date(2024, 11, 18), date(2024, 11, 25), "Europe/Berlin")
    assert variables(plan_of(report), window)["title"] == "Orders 2024-11-18"


def test_outputs_default_to_one_static_output(report: Path) -> None:
    """A file without outputs is written to disk; `outputs: {}` delivers nowhere."""
    text = report.read_text(encoding="utf-8")
    report.write_text(text[: text.index("outputs:")], encoding="utf-8")
    assert [output.plugin for output in plan_of(report).outputs] == ["static"]
    report.write_text(text[: text.index("outputs:")] + "outputs: {}\n", encoding="utf-8")
    assert plan_of(report).outputs == ()


def test_secrets_are_no_part_of_the_plan(report: Path) -> None:
    """A variable's value is neither in the plan's text nor needed to make it."""
    edited(report, "args: {database: ", "args: {timezone: {env: SHOP_ZONE}, database: ")
    plan = plan_of(report, SHOP_ZONE="Asia/Tokyo")
    assert "Asia/Tokyo" not in repr(plan.datasources["shop"].raw_args)
    assert plan_of(report).queries_by_id.keys() == plan.queries_by_id.keys()
