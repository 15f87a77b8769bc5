from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent
from typing import Annotated, Any, Literal

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError
from pydantic import AliasChoices, BaseModel, BeforeValidator, Field

from kpi_assets import registry
from kpi_assets.config.schema import report_schema
from kpi_assets.contracts import PluginArgs
from kpi_assets_tests.config.test_load import FUNNEL


class Ref(BaseModel):
    ref: str


class SqlArgs(PluginArgs):
    ignored_keys = {"charset": "the server's is used"}

    host: str = Field(description="Name of the server.")
    user: str = ""
    port: int = 3306
    password: str = Field("", validation_alias=AliasChoices("password", "passwd"))


class PrometheusArgs(PluginArgs):
    host: str
    basic_auth: dict[str, str] = Field(default_factory=dict)


class PlotArgs(PluginArgs):
    query: str | Ref
    datasource: str = ""
    kind: Literal["line", "bar"] = "line"
    query_args: dict[str, Any] = Field(default_factory=dict)
    stacked: bool = False
    label_map: dict[str, str] = Field(default_factory=dict)
    plot_rc: dict[str, Any] = Field(default_factory=dict)


class AlertArgs(PluginArgs):
    show_timeline: bool = True
    ignore_labels: dict[str, str] = Field(default_factory=dict)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class StaticArgs(PluginArgs):
    output_dir: str = "_build"
    output_format: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ("html",)


class MailArgs(PluginArgs):
    email_from: str = Field(validation_alias=AliasChoices("email_from", "sender"))
    email_to: tuple[str, ...]
    smtp_port: int = 25


SCHEMA = report_schema(
    {
        "datasources": {"mysql": SqlArgs, "prometheus": PrometheusArgs},
        "views": {"plot": PlotArgs, "prometheus.alert_summary": AlertArgs},
        "outputs": {"static": StaticArgs, "smtp": MailArgs},
    }
)


def mistakes(text: str) -> list[str]:
    """Paths at which the schema refuses a file."""
    data = _text_keys(yaml.safe_load(dedent(text)))
    return [
        "/".join(map(str, error.absolute_path))
        for top in Draft202012Validator(SCHEMA).iter_errors(data)
        for error in _with_causes(top)
    ]


def _with_causes(error: ValidationError) -> Iterator[ValidationError]:
    yield error
    for cause in error.context or ():
        yield from _with_causes(cause)


def _text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {"no" if key is False else str(key): _text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_text_keys(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def test_the_schema_is_a_schema() -> None:
    """What is printed is valid JSON Schema of the draft that it names."""
    assert SCHEMA["$schema"].endswith("2020-12/schema")
    Draft202012Validator.check_schema(SCHEMA)


def test_a_file_in_kpi_reporters_keys_has_no_mistakes() -> None:
    """Every documented key of KPI Reporter passes, with references instead of secrets and plain values."""
    assert mistakes(FUNNEL) == []


def test_every_key_is_described() -> None:
    """An editor can show what each key of ours means."""
    for name in (
        "ReportConfig",
        "ThemeConfig",
        "QueryConfig",
        "ViewConfig",
        "ColumnConfig",
        "ScheduleConfig",
    ):
        part = SCHEMA if name == "ReportConfig" else SCHEMA["$defs"][name]
        assert [key for key, told in part["properties"].items() if not told.get("description")] == []
    assert SCHEMA["$defs"]["datasources.mysql"]["properties"]["host"]["description"] == "Name of the server."


@pytest.mark.parametrize(
    "text",
    [
        "interval_days: {env: DAYS}",
        "interval_days: ${DAYS}",
        "on_view_error: {env: POLICY}",
        "refresh: {env: REFRESH}",
        "owners: [{env: OWNER}]",
        "theme: {series_colors: [{env: COLOR}], num_columns: {env: COLUMNS}}",
        "datasources: {a: {plugin: mysql, args: {host: {env: H}, port: {env: P}, passwd: {env: X}}}}",
        "views: {a: {plugin: plot, args: {query: {ref: q}, kind: {env: KIND}, stacked: {env: S}}}}",
        "outputs: {a: {plugin: static, args: {output_format: html}}}",
        "outputs: {a: {plugin: static, args: {output_format: [html, {env: F}]}}}",
        "outputs: {a: {plugin: smtp, args: {sender: a, email_to: [b]}}}",
        "license_key: x",
        "x-mine: {anything: [1]}",
        "datasources: {a: {plugin: mysql, args: {host: x, charset: utf8}}}",
    ],
)
def test_what_the_loader_takes_the_schema_takes(text: str) -> None:
    """References stand wherever a single value may, and old keys are known."""
    assert mistakes(text) == []


@pytest.mark.parametrize(
    "args",
    [
        "{plugin: plot, args: {query: x, datasource: a, groupby: country}}",
        "{plugin: plot, args: {query: x, datasource: a, groupby: [country, plan]}}",
        "{plugin: heat_table, args: {query: x, datasource: a, rule_before: Oct 14}}",
        "{plugin: prometheus.alert_summary, args: {hide_labels: pod}}",
    ],
)
def test_a_list_of_one_may_be_written_as_it_is(args: str) -> None:
    """What a built-in view takes in place of a list of one, an editor does not mark."""
    views = {
        name: registry.view_class(name).Args for name in ("plot", "heat_table", "prometheus.alert_summary")
    }
    schema = report_schema({"views": views})
    found = Draft202012Validator(schema).iter_errors(yaml.safe_load(f"views: {{v: {args}}}"))
    assert [error.message for error in found] == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("titel: x", ""),
        ("interval_days: many", "interval_days"),
        ("interval_days: {env: 1bad}", "interval_days"),
        ("interval_days: {env: A, more: b}", "interval_days"),
        ("views: {a: {plugin: polt}}", "views/a/plugin"),
        ("views: {a: {plugin: plot}}", "views/a"),
        ("views: {a: {plugin: plot, args: {query: x, kind: pie}}}", "views/a/args/kind"),
        ("views: {a: {plugin: plot, args: {query: x, knd: bar}}}", "views/a/args"),
        ("datasources: {a: {plugin: mysql, args: {port: 1}}}", "datasources/a/args"),
        ("outputs: {a: {plugin: smtp, args: {email_to: [b]}}}", "outputs/a/args"),
        ("theme: {num_columns: 99}", "theme/num_columns"),
    ],
)
def test_mistakes_are_seen_while_typing(text: str, path: str) -> None:
    """The schema refuses what the loader would refuse, at the same place."""
    assert path in mistakes(text)


def test_a_schema_without_plugins_knows_our_own_keys() -> None:
    """Without any plugin the schema takes every plugin name."""
    bare = report_schema({})
    Draft202012Validator(bare).validate({"views": {"a": {"plugin": "anything", "args": {"x": 1}}}})
