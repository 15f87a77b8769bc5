"""LoadedReport -> ReportPlan."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from kpi_assets import __version__
from kpi_assets.config import LoadedReport, resolve_plain
from kpi_assets.config.models import OutputConfig, ViewConfig
from kpi_assets.config.python import Report, load_python
from kpi_assets.config.zones import machine_zone
from kpi_assets.contracts import Span, View
from kpi_assets.errors import ConfigError, PluginError, suggest
from kpi_assets.plan.automation import plan_watch, warn_of_owner, warn_of_upstream
from kpi_assets.plan.conditions import plan_condition
from kpi_assets.plan.hashing import digest
from kpi_assets.plan.model import ReportPlan
from kpi_assets.plan.notebook import Notebook
from kpi_assets.plan.parts import ConditionPlan, DatasourcePlan, OutputPlan, ViewPlan
from kpi_assets.plan.queries import QueryBook
from kpi_assets.plan.recipients import SAMPLE, check_output, plan_recipients, with_sample
from kpi_assets.plan.rule import rule_of
from kpi_assets.registry import (
    datasource_class,
    install_hint,
    is_installed,
    missing_for,
    output_class,
    view_class,
)
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme

DEFAULT_OUTPUTS = {"static": OutputConfig(plugin="static", redeliver="never")}


def build_plan(report: LoadedReport | Report, environ: Mapping[str, str] | None = None) -> ReportPlan:
    """Resolve and check everything of a report. Raises ConfigError with all problems.

    `environ` is where references are looked up: the process's environment where it is left out.
    """
    loaded = load_python(report) if isinstance(report, Report) else report
    environ = os.environ if environ is None else environ
    plain = resolve_plain(loaded, environ)
    notebook = Notebook(plain, environ, warnings=list(plain.warnings))
    zone = plain.config.timezone or machine_zone(environ)
    datasources = {plan.id: plan for plan in _datasources(notebook)}
    rule = rule_of(notebook, zone)
    queries = QueryBook(notebook, datasources, zone, rule)
    queries.add_named()
    views, outputs = tuple(_views(notebook, queries)), tuple(_outputs(notebook))
    when = plan_condition(queries, notebook.config.when, "when", ("when",))
    recipients = plan_recipients(notebook, queries, views)
    watch = plan_watch(notebook, datasources)
    warn_of_owner(notebook, outputs)
    warn_of_upstream(notebook, any(query.mapped_assets for query in queries.plans.values()))
    if notebook.problems:
        raise ConfigError(notebook.problems)
    return ReportPlan(
        id=plain.id,
        config=plain.config,
        files=tuple(plain.files),
        zone=zone,
        rule=rule,
        theme=_theme(plain),
        numbers=NumberStyle(plain.config.locale),
        datasources=datasources,
        queries=tuple(queries.plans.values()),
        views=views,
        outputs=outputs,
        warnings=tuple(notebook.warnings),
        when=when,
        watch=watch,
        recipients=recipients,
    )


def _theme(loaded: LoadedReport) -> Theme:
    theme, folder = Theme.from_config(loaded.config.theme), loaded.folder
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
        _check_libraries(notebook, (section, id_), config.plugin, cls.libraries)
        yield DatasourcePlan(id_, config.plugin, cls, notebook.written(section, id_, cls, config), args)


def _outputs(notebook: Notebook) -> Iterator[OutputPlan]:
    wanted = notebook.config.outputs
    configs = DEFAULT_OUTPUTS if wanted is None else wanted
    personal = notebook.config.recipients is not None
    checked = with_sample(configs) if personal else configs
    for id_, config, cls, args in notebook.plugins("outputs", checked, output_class):
        raw, made = notebook.written("outputs", id_, cls, configs[id_]), cls(id_, args)
        for format, library in missing_for(made.formats):
            reason = f"the format {format} needs {library}, which is not installed: {install_hint(library)}"
            notebook.problem(f"output '{id_}': {reason}", "outputs", id_, "args")
        _check_libraries(notebook, ("outputs", id_), config.plugin, cls.libraries)
        if made.publisher is not None:
            _check_publisher(notebook, id_, made.publisher, configs)
        if personal:
            check_output(notebook, made, raw)
        else:
            notebook.refuse_names(raw, "outputs", id_, "args")
        whose = SAMPLE if personal else None
        yield OutputPlan(id_, config.plugin, cls, raw, cls.effect, made.formats, config.redeliver, whose)


def _check_libraries(
    notebook: Notebook, place: tuple[str, str], plugin: str, libraries: tuple[str, ...]
) -> None:
    """What is not installed is told with the file, not by the first run."""
    section, id_ = place
    for library in (name for name in libraries if not is_installed(name)):
        needs = f"{section.removesuffix('s')} '{id_}': {plugin} needs {library}, which is not installed"
        notebook.problem(f"{needs}: {install_hint(library)}", *place, "plugin")


def _check_publisher(
    notebook: Notebook, id_: str, publisher: str, configs: Mapping[str, OutputConfig]
) -> None:
    """What an output wants to link must be an output of the same report that puts files somewhere."""
    where = ("outputs", id_, "args", "images_from")
    if publisher not in configs:
        notebook.problem(f"no output is called '{publisher}': {suggest(publisher, configs)}", *where)
        return
    with suppress(PluginError):  # told at the other output
        if output_class(configs[publisher].plugin).effect != "publish":
            notebook.problem(
                f"output '{publisher}' publishes nothing: name one that is static, s3 or scp", *where
            )


def _views(notebook: Notebook, queries: QueryBook) -> Iterator[ViewPlan]:
    for id_, config, cls, args in notebook.plugins("views", notebook.config.views, view_class):
        view: View = cls(args)
        cols = _cols(notebook, id_, config, view)
        needs = queries.answer(id_, view.needs(), ("views", id_, "args"))
        when = plan_condition(queries, config.when, f"{id_}_when", ("views", id_, "when"))
        if needs is not None:
            notebook.warn(view.warnings(), "views", id_, "args")
            print_ = _fingerprint(config, needs, queries, when)
            yield ViewPlan(id_, config.plugin, view, needs, config, cols, print_, when)


def _cols(notebook: Notebook, id_: str, config: ViewConfig, view: View) -> int:
    columns = notebook.config.theme.num_columns
    cols = config.cols or view.default_cols or columns
    if not 1 <= cols <= columns:
        notebook.problem(
            f"cols must be between 1 and theme.num_columns ({columns}), not {cols}", "views", id_, "cols"
        )
    return min(max(cols, 1), columns)


def _fingerprint(
    config: ViewConfig,
    needs: Mapping[str, tuple[str, Span]],
    queries: QueryBook,
    when: ConditionPlan | None,
) -> str:
    asked = [[role, queries.plans[query].fingerprint, str(span)] for role, (query, span) in needs.items()]
    asked += [["when", queries.plans[query].fingerprint] for query in sorted(when.queries if when else ())]
    return digest(__version__, config.model_dump(mode="python", exclude={"owners", "tags"}), asked)
