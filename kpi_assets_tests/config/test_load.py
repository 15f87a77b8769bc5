from __future__ import annotations

from datetime import date
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from kpi_assets.config import (
    LoadedReport,
    default_files,
    load_report,
    refuse_same_ids,
    report_id,
    resolve_plain,
)
from kpi_assets.config.env import EnvRef
from kpi_assets.config.load import load_sources
from kpi_assets.config.source import Source
from kpi_assets.errors import ConfigError, InputError

FUNNEL = """
title: Funnel of trials
interval_days: 14
start_date: '2024-11-11'
end_date: 2024-11-25
timezone: Europe/Paris
license_key: eyJ0eXAi
theme:
  num_columns: 6
  column_width: 86
  padding_width: 20
  heading_font: Georgia, serif
  ui_colors: ['#222222', '#888888', '#cccccc', '#ededed', '#ffffff']
  error_colors: ['#8b0000', '#ffcccb']
  success_colors: ['#008000', '#d5ffd5']
  series_colors: ['#0F5F0F', '#2D882D']
datasources:
  main-db:
    plugin: mysql
    args:
      host: mysql
      user: reporter
      passwd: ${SHOP_PASSWORD}
  prom:
    plugin: prometheus
    args:
      host: prometheus:9090
      basic_auth: {username: reader, password: {env: PROM_PASSWORD}}
views:
  per_day:
    plugin: plot
    title: Trials a day
    description: |
      Every trial.
    cols: 4
    args:
      kind: bar
      datasource: main-db
      query: |
        select day, count(*) as trials from trials where day >= {from} and day < {to} group by day
      query_args: {parse_dates: {day: '%Y-%m-%d'}}
      stacked: yes
      label_map: {no: Norway, 2024: This year}
      plot_rc: {lines.linewidth: 1}
  alerts:
    plugin: prometheus.alert_summary
    args:
      title: Alerts
      cols: 2
      show_timeline: False
      ignore_labels: {team: sandbox}
outputs:
  disk: {plugin: static, args: {output_dir: ./_build, output_format: html}}
  mail:
    plugin: smtp
    args: {email_from: a@example.com, email_to: [b@example.com], smtp_port: 1025}
"""


def load(*texts: str, names: tuple[str, ...] = ("report.yaml", "over.yaml")) -> LoadedReport:
    return load_sources([Source(name, dedent(text)) for name, text in zip(names, texts, strict=False)])


def messages(*texts: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(*texts)
    return [problem.message for problem in caught.value.problems]


def test_a_file_in_kpi_reporters_keys_loads_unchanged() -> None:
    """Every documented key of KPI Reporter is understood."""
    config = load(FUNNEL).config
    assert (config.title, config.interval_days, config.timezone) == ("Funnel of trials", 14, "Europe/Paris")
    assert (config.start_date, config.end_date) == ("2024-11-11", date(2024, 11, 25))
    assert config.theme.series_colors == ("#0F5F0F", "#2D882D")
    assert list(config.views) == ["per_day", "alerts"]
    assert config.views["per_day"].cols == 4
    assert config.views["per_day"].args["label_map"] == {"no": "Norway", "2024": "This year"}
    assert config.outputs is not None
    assert config.outputs["mail"].args["smtp_port"] == 1025


def test_secrets_stay_references() -> None:
    """Both ways of naming a variable give a reference that prints as stars."""
    datasources = load(FUNNEL).config.datasources
    assert datasources["main_db"].args["passwd"] == EnvRef("${SHOP_PASSWORD}")
    assert datasources["prom"].args["basic_auth"]["password"] == EnvRef("${PROM_PASSWORD}")
    assert "SHOP_PASSWORD" not in repr(datasources)


def test_what_a_licence_meant_is_a_warning_that_says_what_to_do() -> None:
    """Keys that no longer mean anything warn at their place instead of failing."""
    warning = next(warning for warning in load(FUNNEL).warnings if "license_key" in warning.message)
    assert "remove the line" in warning.message
    assert str(warning.position) == "report.yaml:7:1"


def test_an_id_with_dashes_gets_a_safe_form_and_references_follow() -> None:
    """`main-db` becomes `main_db` everywhere, with a warning."""
    loaded = load(FUNNEL)
    assert "main_db" in loaded.config.datasources
    assert loaded.config.views["per_day"].args["datasource"] == "main_db"
    assert any("'main-db' goes by the id 'main_db'" in warning.message for warning in loaded.warnings)


def test_references_to_renamed_queries_follow_however_deep() -> None:
    """A `ref` inside a list of a view's arguments follows a renamed query."""
    text = """
    datasources: {my db: {plugin: sqlite}}
    queries: {sign-ups: {datasource: my db, query: select 1}}
    views: {a: {plugin: stats, args: {stats: [{query: {ref: sign-ups}}]}}}
    """
    config = load(text).config
    assert config.queries["sign_ups"].datasource == "my_db"
    assert config.views["a"].args["stats"][0]["query"] == {"ref": "sign_ups"}


def test_ids_that_would_collide_are_refused() -> None:
    """Two ids with one safe form are an error that names the other's line."""
    (message,) = messages("views:\n  a-b: {plugin: text}\n  a.b: {plugin: text}\n")
    assert message == "this view would have the id 'a_b', as the one in line 2 has: rename one of them"


@pytest.mark.parametrize("bad", ["../../etc", "a/b", "..", "' '", '"a\\u0000b"', "a\\b"])
def test_ids_that_could_leave_their_folder_are_refused(bad: str) -> None:
    """What could be a path, or nothing, is no id."""
    (message,) = messages(f"views:\n  {bad}: {{plugin: text}}\n")
    assert "cannot be an id" in message


def test_ids_of_other_alphabets_stay_apart() -> None:
    """Ids that lose letters get a hash, so that two of them never meet."""
    ids = list(
        load(
            "views:\n  продажи: {plugin: text}\n  отказы: {plugin: text}\n  zurück: {plugin: text}\n"
        ).config.views
    )
    assert len(set(ids)) == 3
    assert ids[2] == "zuruck"
    assert all(name.isascii() and name.isidentifier() for name in ids)


@pytest.mark.parametrize(
    ("file", "name"),
    [("weekly.yaml", "weekly"), ("/a/my report-v2.kpi.yml", "my_report_v2_kpi"), ("../../etc", "etc")],
)
def test_a_reports_id_is_the_safe_stem_of_its_first_file(file: str, name: str) -> None:
    """The id holds letters, digits and underscores only."""
    assert report_id([Path(file), Path("over.yaml")]) == name


def test_two_reports_of_one_id_are_refused() -> None:
    """Reports whose state would mix are named together."""
    same = [load("title: a", names=(name,)) for name in ("a/sales-week.yaml", "b/sales_week.yaml")]
    with pytest.raises(InputError, match=r"a/sales-week\.yaml and b/sales_week\.yaml would both be"):
        refuse_same_ids(same)
    refuse_same_ids(same[:1])


def test_the_last_of_several_files_wins() -> None:
    """Mappings merge, lists and single values replace, and errors name the file that won."""
    over = "title: Mine\ntheme: {series_colors: ['#000000']}\nviews: {per_day: {args: {kind: line}}}\n"
    config = load(FUNNEL, over).config
    assert config.title == "Mine"
    assert config.theme.series_colors == ("#000000",)
    assert config.theme.num_columns == 6
    assert config.views["per_day"].args["kind"] == "line"
    assert config.views["per_day"].args["datasource"] == "main_db"
    with pytest.raises(ConfigError) as caught:
        load(FUNNEL, "interval_days: many\n")
    assert [str(problem.position) for problem in caught.value.problems] == ["over.yaml:1:16"]


def test_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """A missing file does not hide the mistakes of another."""
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: [\n")
    with pytest.raises(ConfigError) as caught:
        load_report([tmp_path / "gone.yaml", bad])
    assert len(caught.value.problems) == 2


def test_default_files_lists_every_place_looked_in(tmp_path: Path) -> None:
    """The first place that has a file is taken; without any, all places are named."""
    here, there = tmp_path / "config.yaml", tmp_path / "etc" / "config.yaml"
    with pytest.raises(InputError) as caught:
        default_files((here, there))
    assert str(here) in str(caught.value)
    assert str(there) in str(caught.value)
    here.touch()
    assert default_files((there, here)) == [here]


def test_a_project_s_report_is_named_where_no_file_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a project, whose reports lie in a folder, the message about missing default files says how to name one."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "weekly.yaml").write_text("title: x")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"name one with -c FILE, as in -c reports.weekly\.yaml"):
        default_files((tmp_path / "config.yaml",))


def test_text_is_taken_as_it_is_written() -> None:
    """Where text is wanted, numbers, dates and `no` are not mangled by YAML."""
    text = """
    title: 2024
    locale: no
    tags: {version: 1.10, since: 2024-11-18, env: prod}
    owners: [1.0]
    """
    config = load(text).config
    assert (config.title, config.locale, config.owners) == ("2024", "no", ("1.0",))
    assert config.tags == {"version": "1.10", "since": "2024-11-18", "env": "prod"}


def test_a_mapping_of_one_key_env_is_a_mapping_where_one_is_wanted() -> None:
    """`tags: {env: prod}` is a tag, not a variable, also when variables are resolved."""
    loaded = load("tags: {env: prod}\n")
    assert loaded.config.tags == {"env": "prod"}
    assert resolve_plain(loaded, {}).config.tags == {"env": "prod"}


def test_an_empty_key_counts_as_left_out() -> None:
    """Sections with nothing behind them have their defaults; an instance with nothing behind it is an error."""
    config = load("title:\ntheme:\nviews:\noutputs:\ninterval_days:\n").config
    assert (config.title, config.interval_days, config.outputs, config.views) == (
        "Status report",
        7,
        None,
        {},
    )
    assert messages("views:\n  a:\n") == [
        "view 'a' must be a mapping (key: value), and nothing is written there"
    ]


def test_a_users_own_keys_start_with_x() -> None:
    """`x-` keys hold anchors and are not read."""
    text = "x-base: &base {plugin: text, cols: 2}\nviews:\n  a: {<<: *base}\n  b: {<<: *base, cols: 3}\n"
    assert {id: view.cols for id, view in load(text).config.views.items()} == {"a": 2, "b": 3}


def test_a_views_words_may_stand_in_its_args() -> None:
    """KPI Reporter took title, description and cols from args, where they won; an empty one is ignored."""
    text = "views: {a: {plugin: plot, title: Out, cols: 3, args: {title: In, cols: 0, kind: bar}}}"
    view = load(text).config.views["a"]
    assert (view.title, view.cols, view.args) == ("In", 3, {"kind": "bar"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("titel: x", "unknown key 'titel': did you mean 'title'?"),
        ("on_view_error: placehold", "did you mean 'placeholder'?"),
        ("timezone: Berlin", "no time zone is called that: did you mean 'Europe/Berlin'?"),
        ("timezone: ../../etc/passwd", "write an IANA name"),
        ("schedule: {cron: 6 * *}", "five fields"),
        ("schedule: {crom: 0 6 * * 1}", "unknown key 'schedule.crom': did you mean 'cron'?"),
        ("refresh: often", "must be 'window', 'missing' or a whole number"),
        ("views: [a]", "'views' must be a mapping (key: value), not a list"),
        ("owners: me@example.com", "'owners' must be a list, not text"),
        ("start_date: soon", "'start_date' is not a date: write it as YYYY-MM-DD"),
        ("end_date: 2024-11", "names no whole date"),
        (
            "start_date: 2024-11-18\nend_date: 2024-11-18",
            "'end_date' (2024-11-18, not included) must be later",
        ),
        ("interval_days: 0", "'interval_days' must be at least 1"),
        ("interval_days: true", "'interval_days' must be a whole number, not true or false"),
        ("theme: {num_columns: yes}", "'theme.num_columns' must be a whole number, not true or false"),
        ("refresh: -3", "'refresh' must be 'window', 'missing' or at least 0"),
        ("partitions: {start: 0}", "'partitions.start' must be a date (YYYY-MM-DD), not a whole number"),
        ("schedule: {cron: 61 6 * * 1}", "'schedule.cron' has '61' as minute: write *, 0 to 59"),
        ("schedule: {cron: 0 6 * * moon}", "has 'moon' as weekday: write *, 0 to 7 or sun to sat"),
        ("title: {template: x}", "'title' must be text, not a mapping"),
    ],
)
def test_a_mistake_is_told_with_its_remedy(text: str, message: str) -> None:
    """Each mistake gives one message that says what would be right."""
    (told,) = messages(text)
    assert message in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("start_date: 2024-11-18 12:00", "2024-11-18 12:00 is taken as 2024-11-18 00:00"),
        (
            "timezone: America/New_York\nend_date: '2024-11-18T00:00:00Z'",
            "2024-11-17 19:00 is taken as 2024-11-17",
        ),
        ("end_date: 01/02/2024", "read as 2024-01-02, month first, not as 2024-02-01"),
        ("title: x", "the report has no views"),
    ],
)
def test_what_may_be_meant_otherwise_is_a_warning(text: str, words: str) -> None:
    """Settings that are understood but doubtful load with a warning that says how they were read."""
    assert any(words in warning.message for warning in load(text).warnings)


def test_references_outside_backends_are_resolved_for_the_plan() -> None:
    """Title, numbers and view arguments get their values; datasources and outputs keep references."""
    text = """
    title: Sales of ${TEAM}
    interval_days: ${DAYS}
    theme: {series_colors: ['#000000', '{X}']}
    datasources: {db: {plugin: mysql, args: {password: {env: PASSWORD}}}}
    views: {a: {plugin: text, args: {link_url: {env: URL}, other: {env: UNSET}}}}
    """.replace("'{X}'", "{env: COLOR}")
    loaded = load(text)
    assert loaded.config.interval_days == 7
    config = resolve_plain(
        loaded, {"TEAM": "one", "DAYS": "30", "COLOR": "#ffffff", "URL": "https://x", "PASSWORD": "p"}
    ).config
    assert (config.title, config.interval_days) == ("Sales of one", 30)
    assert config.theme.series_colors == ("#000000", "#ffffff")
    assert config.views["a"].args == {"link_url": "https://x", "other": EnvRef("${UNSET}")}
    assert config.datasources["db"].args["password"] == EnvRef("${PASSWORD}")


def test_variables_that_are_not_set_are_told_all_at_once() -> None:
    """Each missing variable is a problem at its reference."""
    loaded = load("title: ${TEAM}\nowner: {env: OWNER}\n")
    with pytest.raises(ConfigError) as caught:
        resolve_plain(loaded, {})
    told = [(str(problem.position), problem.message.split(":")[0]) for problem in caught.value.problems]
    assert told == [
        ("report.yaml:1:8", "environment variable TEAM is not set"),
        ("report.yaml:2:8", "environment variable OWNER is not set"),
    ]


def test_a_value_from_the_environment_is_judged_but_not_shown() -> None:
    """A variable that does not fit is named; its value is not."""
    loaded = load("interval_days: ${DAYS}\n")
    with pytest.raises(ConfigError) as caught:
        resolve_plain(loaded, {"DAYS": "hunter2"})
    assert "'interval_days' must be a whole number, not text (it comes from DAYS)" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_report_without_references_is_returned_as_it_is() -> None:
    """Nothing to resolve means nothing is validated again."""
    loaded = load("title: x")
    assert resolve_plain(loaded, {}) is loaded


def test_a_hundred_views_keep_their_order_and_their_places(tmp_path: Path) -> None:
    """A long file loads whole, each view at its line."""
    rows = [
        f"  view_{i}: {{plugin: text, title: 'View {i}', args: {{text: '{'x' * 800}'}}}}" for i in range(100)
    ]
    file = tmp_path / "long.yaml"
    file.write_text("views:\n" + "\n".join(rows))
    loaded = load_report([file])
    assert list(loaded.config.views) == [f"view_{i}" for i in range(100)]
    place: Any = loaded.source_map["views", "view_99", "title"]
    assert (place.position.line, place.position.column) == (101, 34)
