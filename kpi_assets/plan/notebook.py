"""What a report file says and what was found wrong with it, while its plan is built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kpi_assets.config import LoadedReport, validate_args, written_args
from kpi_assets.config.models import PluginConfig, ReportConfig
from kpi_assets.contracts.recipient import names_in
from kpi_assets.errors import PluginError, Problem

Path = tuple[str | int, ...]
Config = TypeVar("Config", bound=PluginConfig)


@dataclass
class Notebook:
    """Collects problems and warnings, each with its place in the file."""

    loaded: LoadedReport
    environ: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list[Problem])
    warnings: list[Problem] = field(default_factory=list[Problem])

    @property
    def config(self) -> ReportConfig:
        return self.loaded.config

    def problem(self, message: str, *path: str | int) -> None:
        self.problems.append(self.loaded.problem(message, path))

    def warn(self, messages: Iterable[str], *path: str | int) -> None:
        self.warnings += [self.loaded.problem(message, path) for message in messages]

    def refuse_names(self, value: Any, *path: str | int) -> None:
        """Note a `{recipient.name}` where there are no recipients."""
        for name in dict.fromkeys(names_in(value)):
            self.problem(f"{{recipient.{name}}} has no value: the report has no `recipients`", *path)

    def plugins(
        self, section: str, configs: Mapping[str, Config], find: Callable[[str], Any]
    ) -> Iterator[tuple[str, Config, Any, Any]]:
        """(id, config, class, checked arguments) of every plugin of a section that holds; the others are problems."""
        for id_, config in configs.items():
            try:
                cls = find(config.plugin)
            except PluginError as error:
                self.problem(str(error), section, id_, "plugin")
                continue
            args = self._checked(cls.Args, config.args, (section, id_, "args"))
            if args is not None:
                yield id_, config, cls, args

    def written(self, section: str, id_: str, cls: Any, config: PluginConfig) -> dict[str, Any]:
        """The plugin's arguments as they stand in the file, references to the environment included."""
        return written_args(
            cls.Args, config.args, path=(section, id_, "args"), source_map=self.loaded.source_map
        )

    def _checked(self, model: type[Any], args: Mapping[str, Any], path: Path) -> Any:
        """Validated arguments, or None after noting the problems."""
        checked, problems, warnings = validate_args(
            model, args, path=path, source_map=self.loaded.source_map, environ=self.environ
        )
        self.problems += problems
        self.warnings += warnings
        return checked
