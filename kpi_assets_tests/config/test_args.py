from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Annotated, Any, Literal

import pytest
from pydantic import AliasChoices, BaseModel, Field, SecretStr, field_validator, model_validator

from kpi_assets.config import resolve_args, validate_args, written_args
from kpi_assets.config.env import EnvRef
from kpi_assets.config.load import load_sources
from kpi_assets.config.source import Source
from kpi_assets.contracts import PluginArgs
from kpi_assets.errors import ConfigError


class Ref(BaseModel):
    model_config = {"extra": "forbid"}

    ref: str


class PlotArgs(PluginArgs):
    ignored_keys = {"figure": "charts are drawn by Vega-Lite; use `height`"}

    query: str | Ref = Field(description="What is drawn.")
    kind: Literal["line", "bar", "area"] = "line"
    height: int = Field(200, ge=20)
    labels: dict[str, str] = Field(default_factory=dict)
    legend: bool | dict[str, Any] | None = None
    folder: Path = Path()


class ServerArgs(PluginArgs):
    host: str
    port: int = 3306
    password: SecretStr = Field(SecretStr(""), validation_alias=AliasChoices("password", "passwd"))
    mode: Literal["ro", "rw"] = "ro"
    timeout: Annotated[float, Field(gt=0)] = 30

    @field_validator("host")
    @classmethod
    def _no_blank(cls, value: str) -> str:
        if " " in value:
            raise ValueError(f"'{value}' is not a host")
        return value


class UrlArgs(PluginArgs):
    url: str | None = None
    host: str | None = None

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: str | None) -> str | None:
        if value and "://" not in value:
            raise ValueError("write url as dialect://host/database")
        return value

    @model_validator(mode="after")
    def _one(self) -> UrlArgs:
        if not self.url and not self.host:
            raise ValueError("give url or host")
        return self


def check(
    model: type[BaseModel], args: str, environ: dict[str, str] | None = None, kind: str = "views"
) -> Any:
    text = f"{kind}:\n  a:\n    plugin: some\n    args:\n" + "".join(
        f"      {line}\n" for line in dedent(args).strip().splitlines()
    )
    loaded = load_sources([Source("report.yaml", text)])
    instance: Any = getattr(loaded.config, kind)["a"]
    return validate_args(
        model, instance.args, path=(kind, "a", "args"), source_map=loaded.source_map, environ=environ or {}
    )


def told(checked: Any) -> list[tuple[str, str]]:
    assert checked.args is None
    return [
        (str(problem.position).removeprefix("report.yaml:"), problem.message) for problem in checked.problems
    ]


def test_valid_arguments_give_the_model() -> None:
    """What is right comes back as the plugin's own model, with nothing to tell."""
    checked = check(PlotArgs, "query: select 1\nkind: bar")
    assert checked == (PlotArgs(query="select 1", kind="bar"), [], [])


def test_all_mistakes_are_told_at_once_with_plugin_argument_and_remedy() -> None:
    """Each wrong argument is one problem that names view, plugin, argument and what is allowed."""
    checked = check(PlotArgs, "knd: bar\nkind: lines\nheight: tall\nlegend: 5")
    assert told(checked) == [
        ("2:3", "view 'a' (some): argument 'query' is missing: What is drawn."),
        ("5:7", "view 'a' (some): unknown argument 'knd': did you mean 'kind'?"),
        ("6:13", "view 'a' (some): argument 'kind' must be 'line', 'bar' or 'area'; did you mean 'line'?"),
        ("7:15", "view 'a' (some): argument 'height' must be a whole number, not text"),
        (
            "8:15",
            "view 'a' (some): argument 'legend' must be true or false or a mapping (key: value), not a whole number",
        ),
    ]


def test_a_mistyped_required_argument_is_one_problem() -> None:
    """`qery` is told as a typing mistake, not also as a missing `query`."""
    assert told(check(PlotArgs, "qery: select 1")) == [
        ("5:7", "view 'a' (some): unknown argument 'qery': did you mean 'query'?")
    ]


def test_a_union_tells_of_the_member_that_came_furthest() -> None:
    """In `query: {reff: x}` the wrong key is told, not that it is no text."""
    assert told(check(PlotArgs, "query: {reff: x}")) == [
        ("5:15", "view 'a' (some): unknown argument 'query.reff': did you mean 'ref'?")
    ]


def test_bounds_are_told_in_words() -> None:
    """A number out of bounds tells the bound."""
    ((place, message),) = told(check(PlotArgs, "query: x\nheight: 5"))
    assert (place, message) == ("6:15", "view 'a' (some): argument 'height' must be at least 20")


def test_keys_of_kpi_reporter_that_mean_nothing_warn() -> None:
    """An ignored key is dropped with the sentence that says what to do."""
    checked = check(PlotArgs, "query: x\nfigure: big")
    assert checked.args == PlotArgs(query="x")
    (warning,) = checked.warnings
    assert warning.message == (
        "view 'a' (some): argument 'figure' no longer means anything: charts are drawn by Vega-Lite; use `height`"
    )
    assert str(warning.position) == "report.yaml:6:15"


def test_text_arguments_take_what_was_written() -> None:
    """Numbers, dates and words of YAML become the text that stands in the file."""
    args = check(PlotArgs, "query: 1.50\nlabels: {no: no, 1: 2024-11-18, env: prod}\nfolder: 2024").args
    assert (args.query, args.folder) == ("1.50", Path("2024"))
    assert args.labels == {"no": "no", "1": "2024-11-18", "env": "prod"}


def test_one_label_called_env_is_no_variable() -> None:
    """`{env: prod}` is a mapping where the plugin wants one."""
    assert check(PlotArgs, "query: x\nlabels: {env: prod}").args.labels == {"env": "prod"}


def test_a_view_needs_its_variables_when_it_is_planned() -> None:
    """A variable that is not set is a problem at the reference of a view."""
    ((place, message),) = told(check(PlotArgs, "query: ${QUERY}"))
    assert place == "5:14"
    assert "environment variable QUERY is not set" in message


def test_set_variables_are_put_in_and_converted() -> None:
    """Text from the environment becomes the type that the plugin wants."""
    args = check(
        ServerArgs, "host: ${H}\nport: {env: P}\npasswd: ${X}", {"H": "db", "P": "33", "X": "s"}
    ).args
    assert (args.host, args.port, args.password.get_secret_value()) == ("db", 33, "s")


def test_a_datasource_can_be_checked_without_its_secrets() -> None:
    """References of a datasource that are not set leave defaults or stand-ins, and everything else is checked."""
    text = "host: ${H}\nport: ${P}\nmode: {env: M}\npasswd: ${X}\ntimeout: ${T}"
    checked = check(ServerArgs, text, kind="datasources")
    assert not checked.problems
    assert (checked.args.port, checked.args.mode, checked.args.timeout) == (3306, "ro", 30)
    wrong = check(ServerArgs, f"{text}\nextra: 1", kind="datasources")
    assert told(wrong) == [
        (
            "10:7",
            "datasource 'a' (some): unknown argument 'extra': allowed: host, mode, passwd, password, port, timeout",
        ),
    ]


def test_a_check_over_all_arguments_waits_for_unknown_values() -> None:
    """A rule that hangs on a variable that is not set is left to the run."""
    checked = check(UrlArgs, "url: ${URL}", kind="datasources")
    assert (checked.problems, checked.args.url) == ([], "${URL}")
    assert told(check(UrlArgs, "url:", kind="datasources")) == [
        ("4:5", "datasource 'a' (some): give url or host")
    ]


def test_no_message_shows_a_value_of_the_environment() -> None:
    """A plugin's own message that quotes a value has stars where the variable's value was."""
    ((_, message),) = told(check(ServerArgs, "host: ${HOST}", {"HOST": "hunter 2"}, kind="datasources"))
    assert "hunter" not in message
    assert "'***' is not a host (it comes from HOST)" in message


def test_aliases_are_told_as_they_were_written() -> None:
    """A problem with `passwd` points at `passwd`, although the field is called `password`."""
    ((place, message),) = told(check(ServerArgs, "host: x\npasswd: [1]", kind="datasources"))
    assert (place, message) == ("6:15", "datasource 'a' (some): argument 'passwd' must be text, not a list")


def test_what_a_plan_keeps_can_be_validated_without_the_file() -> None:
    """The written arguments keep references, and text stands as it did in YAML."""
    text = "query: 1.50\nlabels: {env: prod}\nfigure: x\nkind: ${KIND}\n"
    loaded = load_sources([Source("report.yaml", f"views: {{a: {{plugin: x, args: {{{_flow(text)}}}}}}}")])
    raw = loaded.config.views["a"].args
    kept = written_args(PlotArgs, raw, path=("views", "a", "args"), source_map=loaded.source_map)
    assert kept == {"query": "1.50", "labels": {"env": "prod"}, "kind": EnvRef("${KIND}")}


def _flow(text: str) -> str:
    return ", ".join(text.strip().splitlines()).replace("${KIND}", "{env: KIND}")


def test_a_run_gets_its_arguments_or_every_missing_variable() -> None:
    """At a run's start all variables must be there; all that are missing are named, values never."""
    args = {"host": 5, "port": "12"}
    path = ("datasources", "a", "args")
    done = resolve_args(ServerArgs, args, path=path, source_map=None, environ={})
    assert (done.host, done.port) == ("5", 12)
    loaded = load_sources(
        [Source("report.yaml", "datasources: {a: {plugin: x, args: {host: {env: H}, passwd: {env: P}}}}")]
    )
    raw = loaded.config.datasources["a"].args
    with pytest.raises(ConfigError) as caught:
        resolve_args(ServerArgs, raw, path=path, source_map=loaded.source_map, environ={})
    assert [problem.message.split(": ")[-2] for problem in caught.value.problems] == [
        "environment variable H is not set",
        "environment variable P is not set",
    ]
