"""LoadedReport -> ReportPlan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from kpi_assets import __version__
from kpi_assets.config import LoadedReport, resolve_plain
from kpi_assets.config.models import OutputConfig, ReportConfig, ViewConfig
from kpi_assets.config.zones import machine_zone
from kpi_assets.contracts import Span, View
from kpi_assets.errors import ConfigError
from kpi_assets.plan.model import DatasourcePlan, OutputPlan, ReportPlan, ViewPlan, digest
from kpi_assets.plan.notebook import Notebook
from kpi_assets.plan.queries import QueryBook
from kpi_assets.registry import datasource_class, output_class, view_class
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme
from kpi_assets.windows import resolve_window

DEFAULT_OUTPUTS = {"static": OutputConfig(plugin="static", redeliver="never")}


def build_plan(loaded: LoadedReport, environ: Mapping[str, str]) -> ReportPlan:
    """Resolve and check everything of a report. Raises ConfigError with all problems."""
    plain = resolve_plain(loaded, environ)
    notebook = Notebook(plain, environ, warnings=list(plain.warnings))
    zone = plain.config.timezone or machine_zone(environ)
    datasources = {plan.id: plan for plan in _datasources(notebook)}
    queries = QueryBook(notebook, datasources, zone)
    queries.add_named()
    views, outputs = tuple(_views(notebook, queries)), tuple(_outputs(notebook))
    if notebook.problems:
        raise ConfigError(notebook.problems)
    return ReportPlan(
        id=plain.id,
        config=plain.config,
        files=tuple(plain.files),
        zone=zone,
        interval_days=_interval_days(plain.config, zone),
        theme=_theme(plain),
        numbers=NumberStyle(plain.config.locale),
        datasources=datasources,
        queries=tuple(queries.plans.values()),
        views=views,
        outputs=outputs,
        warnings=tuple(notebook.warnings),
    )


def _interval_days(config: ReportConfig, zone: str) -> int:
    """With both dates in the file the report's own window is as long as they say."""
    if config.start_date is None or config.end_date is None:
        return config.interval_days
    return resolve_window(config, today=date.min, zone=zone).length


def _theme(loaded: LoadedReport) -> Theme:
    theme, folder = Theme.from_config(loaded.config.theme), Path(loaded.files[0]).parent
    return replace(theme, theme_dir=_beside(folder, theme.theme_dir), logo=_beside(folder, theme.logo))


def _beside(folder: Path, path: str | None) -> str | None:
    """A relative path is meant beside the report file, if something is there, else in the working folder."""
    if not path or Path(path).is_absolute():
        return path
    near = folder / path
    return str(near) if near.exists() else str(Path(path).expanduser())


def _datasources(notebook: Notebook) -> Iterator[DatasourcePlan]:
    section = "datasources"
    for id_, config, cls, args in notebook.plugins(section, notebook.config.datasources, datasource_class):
        yield DatasourcePlan(id_, config.plugin, cls, notebook.written(section, id_, cls, config), args)


def _outputs(notebook: Notebook) -> Iterator[OutputPlan]:
    wanted = notebook.config.outputs
    configs = DEFAULT_OUTPUTS if wanted is None else wanted
    for id_, config, cls, args in notebook.plugins("outputs", configs, output_class):
        raw, formats = notebook.written("outputs", id_, cls, config), cls(id_, args).formats
        yield OutputPlan(id_, config.plugin, cls, raw, cls.effect, formats, config.redeliver)


def _views(notebook: Notebook, queries: QueryBook) -> Iterator[ViewPlan]:
    for id_, config, cls, args in notebook.plugins("views", notebook.config.views, view_class):
        view: View = cls(args)
        cols = _cols(notebook, id_, config, view)
        needs = queries.answer(id_, view.needs())
        if needs is not None:
            notebook.warn(view.warnings(), "views", id_, "args")
            yield ViewPlan(
                id_, config.plugin, view, needs, config, cols, _fingerprint(config, needs, queries)
            )


def _cols(notebook: Notebook, id_: str, config: ViewConfig, view: View) -> int:
    columns = notebook.config.theme.num_columns
    cols = config.cols or view.default_cols or columns
    if not 1 <= cols <= columns:
        notebook.problem(
            f"cols must be between 1 and theme.num_columns ({columns}), not {cols}", "views", id_, "cols"
        )
    return min(max(cols, 1), columns)


def _fingerprint(config: ViewConfig, needs: Mapping[str, tuple[str, Span]], queries: QueryBook) -> str:
    asked = [[role, queries.plans[query].fingerprint, str(span)] for role, (query, span) in needs.items()]
    return digest(__version__, config.model_dump(mode="python", exclude={"owners", "tags"}), asked)
