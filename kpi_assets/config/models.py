"""The shape of a report file. Field descriptions are the reference: `kpi-assets schema` and the docs print them.

Instances come from `kpi_assets.config.load_report`; strings written `{env: NAME}`, or holding `${NAME}` in a plain
scalar, arrive as `EnvRef` and are resolved late.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from kpi_assets.config.base import Model
from kpi_assets.config.env import EnvRef
from kpi_assets.config.recipients import RecipientsConfig
from kpi_assets.config.when import ConditionConfig, WhenConfig

Days = Annotated[int, Field(ge=0)]


class ThemeConfig(Model):
    """Colours, fonts and grid. Every key may be left out; dark mode is derived from the light colours."""

    num_columns: int = Field(6, ge=1, le=24, description="Columns of the page's grid.")
    column_width: int = Field(172, ge=20, le=600, description="Width of a grid column in CSS pixels.")
    padding_width: int = Field(24, ge=0, le=200, description="Page margin and gutter in CSS pixels.")
    theme_dir: str | None = Field(
        None, description="Folder whose templates and style sheets replace ours, looked in first."
    )
    ui_colors: tuple[str, ...] | None = Field(
        None, description="Ink, muted text, context, hairlines, paper: #rrggbb, from dark to light."
    )
    error_colors: tuple[str, ...] | None = Field(None, description="Text colour and light ground for bad.")
    success_colors: tuple[str, ...] | None = Field(None, description="Text colour and light ground for good.")
    series_colors: tuple[str, ...] | None = Field(
        None, description="Colours of series; the first is also the accent."
    )
    heading_font: str | None = Field(None, description="CSS font families for headings.")
    logo: str | None = Field(
        None, description="Path of an SVG or PNG logo, drawn 24 px high at the top left."
    )
    organisation: str | None = Field(None, description="Name beside the logo.")

    @field_validator("ui_colors", "error_colors", "success_colors", "series_colors")
    @classmethod
    def _hex_colors(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        import re

        for color in value or ():
            if not re.fullmatch(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})", color):
                raise ValueError(f"'{color}' is not a colour; write it as #rrggbb")
        return value


class ColumnConfig(Model):
    """What a column of a query promises. Broken promises fail the query's asset check."""

    type: Literal["string", "integer", "float", "number", "boolean", "date", "datetime"] | None = Field(
        None, description="Type of the values: string, integer, float, number, boolean, date, datetime."
    )
    nullable: bool = Field(True, description="May values be missing?")
    unique: bool = Field(False, description="Must all values differ?")
    min: float | str | None = Field(None, description="Least allowed value.")
    max: float | str | None = Field(None, description="Greatest allowed value.")
    allowed: tuple[Any, ...] | None = Field(None, description="The allowed values.")
    description: str = Field("", description="What the column means; shown in the Dagster UI.")


class PluginConfig(Model):
    """A plugin and its arguments."""

    plugin: str = Field(description="Name of the plugin; `kpi-assets plugins` lists them.")
    args: dict[str, Any] = Field(default_factory=dict, description="Arguments of the plugin.")


class DatasourceConfig(PluginConfig):
    """A backend that answers queries."""


class OutputConfig(PluginConfig):
    """A channel that delivers the report."""

    redeliver: Literal["never", "on_change"] = Field(
        "never",
        description="May people get an edition again? on_change: when its content is another than they got.",
    )


class QueryConfig(Model):
    """A named query that several views share: `query: {ref: name}`."""

    datasource: str = Field(description="Id of the datasource.")
    query: str = Field(description="Text in the datasource's language; {from}, {to}, {interval} are bound.")
    query_args: dict[str, Any] = Field(default_factory=dict, description="Options of the datasource.")
    grain: Literal["auto", "day", "window"] = Field(
        "auto", description="Cut by days, or run over the whole window; auto proves what is safe."
    )
    refresh: Literal["window", "missing"] | Days | None = Field(
        None,
        description="Which stored days are fetched again: window (all that the edition shows), missing (none), "
        "or a number (the last N days); default: the report's.",
    )
    columns: dict[str, ColumnConfig] = Field(default_factory=dict, description="Contract of the columns.")
    tables: dict[str, str] = Field(
        default_factory=dict, description="Maps a table it reads onto an asset key of yours (a/b/c)."
    )
    description: str = Field("", description="What the rows are; shown in the Dagster UI.")
    owners: tuple[str, ...] = Field((), description="Mail addresses or team:name.")
    tags: dict[str, str] = Field(default_factory=dict, description="Tags of the asset.")


class ViewConfig(PluginConfig):
    """One piece of the report."""

    title: str = Field("", description="What is measured. The finding, where there is one, stands above it.")
    headline: str = Field("", description="Your own finding; replaces the one computed from the data.")
    description: str = Field("", description="A sentence under the title.")
    cols: int | None = Field(None, description="Columns taken in the grid; default: the whole row.")
    when: ConditionConfig | None = Field(
        None, description="The view is left out of editions in which this condition does not hold."
    )
    owners: tuple[str, ...] = Field((), description="Mail addresses or team:name.")
    tags: dict[str, str] = Field(default_factory=dict, description="Tags of the asset.")


class PartitionsConfig(Model):
    """The days that exist as partitions."""

    start: date = Field(date(2020, 1, 1), description="First day.")


class ScheduleConfig(Model):
    """When editions are made."""

    cron: str = Field(description="Five cron fields, e.g. '0 6 * * 1' for Mondays at 06:00.")
    timezone: str | None = Field(None, description="IANA zone of the cron; default: the report's.")
    enabled: bool = Field(True, description="false: off, until somebody switches it on in the Dagster UI.")


class WatchConfig(Model):
    """A query that is asked again and again: when its answer changes, the newest edition is made."""

    datasource: str = Field(description="Id of the datasource.")
    query: str = Field(description="What moves when there is news, e.g. select max(updated_at) from orders.")
    query_args: dict[str, Any] = Field(default_factory=dict, description="Options of the datasource.")
    every: str = Field("5 minutes", description="How often it is asked: 30 s, 5 minutes, 2h; 30 s at least.")


class HolidaysConfig(Model):
    """Which days are no business days, besides weekends."""

    country: str | None = Field(None, description="ISO code of the country, e.g. DE.")
    subdivision: str | None = Field(None, description="A part of it with holidays of its own, e.g. BY.")
    free: tuple[date, ...] = Field((), description="Further days off.")
    worked: tuple[date, ...] = Field((), description="Days that are worked although they would be free.")


class ReportConfig(Model):
    """A KPI report: datasources, views and outputs."""

    title: str | EnvRef = Field("Status report", description="Title; {from}, {to}, {end} stand for days.")
    description: str = Field("", description="What the report is for; shown in the Dagster UI.")
    lead: str = Field("", description="Opening sentences; default: computed from the first findings.")
    interval_days: int = Field(7, ge=1, le=3660, description="Length of the window in days.")
    window: str | None = Field(
        None,
        description="Kind of window, instead of `interval_days`: yesterday, last_week, last_month, last_quarter, "
        "last_year, week_to_date, month_to_date, quarter_to_date, year_to_date, 28 days, 5 business days.",
    )
    week_starts: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = (
        Field("monday", description="First day of the weeks that `window:` means.")
    )
    holidays: str | HolidaysConfig | None = Field(
        None,
        description="Public holidays for business days: DE, DE-BY, or {country, subdivision, free, worked}.",
    )
    start_date: date | datetime | str | None = Field(None, description="First day of the window (included).")
    end_date: date | datetime | str | None = Field(
        None, description="Day after the window's last (not included); default: today."
    )
    timezone: str | None = Field(
        None, description="IANA time zone, e.g. Europe/Berlin; default: the machine's."
    )
    locale: str = Field("en", description="Language of number and date formats, e.g. en, de_DE, fr.")
    findings: bool = Field(True, description="Compute findings as titles; false keeps your titles alone.")
    interactive: bool = Field(False, description="Add tooltips and zoom to the page (one script, offline).")
    theme: ThemeConfig = Field(
        default_factory=lambda: ThemeConfig.model_validate({}), description="Colours, fonts, grid."
    )
    datasources: dict[str, DatasourceConfig] = Field(default_factory=dict, description="Backends by id.")
    queries: dict[str, QueryConfig] = Field(default_factory=dict, description="Named queries by id.")
    views: dict[str, ViewConfig] = Field(default_factory=dict, description="Views by id, in order.")
    outputs: dict[str, OutputConfig] | None = Field(
        None, description="Channels by id; default: one `static` output."
    )
    partitions: PartitionsConfig = Field(
        default_factory=lambda: PartitionsConfig.model_validate({}), description="Days that exist."
    )
    grain: Literal["auto", "day", "window"] = Field("auto", description="Default grain of queries.")
    refresh: Literal["window", "missing"] | Days = Field(
        "window", description="Default refresh of queries: window, missing, or a number of days."
    )
    tables: dict[str, str] = Field(default_factory=dict, description="Tables onto asset keys, all queries.")
    owner: str | None = Field(None, description="Who is told of failures: mail address or Slack channel.")
    owners: tuple[str, ...] = Field((), description="Owners shown in the Dagster UI.")
    tags: dict[str, str] = Field(default_factory=dict, description="Tags of all assets of the report.")
    schedule: ScheduleConfig | None = Field(None, description="When editions are made.")
    upstream: bool = Field(
        False,
        description="Make editions as soon as the assets that `tables:` names have the whole window; with a "
        "`schedule`, not before its time either.",
    )
    watch: WatchConfig | None = Field(
        None, description="Make the newest edition when a query's answer changes."
    )
    catch_up: Literal["latest", "all", "none"] = Field(
        "latest",
        description="After an outage all missed editions are made; which of them people get.",
    )
    when: WhenConfig | None = Field(
        None, description="Editions in which this condition does not hold are made, but nobody is told."
    )
    recipients: RecipientsConfig | tuple[dict[str, str | int | float | bool | date | None], ...] | None = (
        Field(
            None,
            description="Who gets an edition of her own, with rows that are hers: {query: ...} with a row for each, "
            "or a list of mappings with an `email` and what else {recipient.name} is to stand for.",
        )
    )
    on_view_error: Literal["fail", "placeholder"] = Field(
        "fail", description="fail: nothing is sent. placeholder: the block says so, the rest is sent."
    )
    public_url: str | None = Field(
        None,
        description="Where editions are served, for links in mail and chat. May hold {id}, {title_slug}, {report}, "
        "{edition}, {from}, {to}, {end}; without any, the path of a stored edition is added.",
    )
