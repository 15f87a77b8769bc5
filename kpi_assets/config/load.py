"""YAML files -> LoadedReport. Every problem of every file in one ConfigError."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path as FilePath
from typing import Any, cast

from kpi_assets.config.checks import problems_in, warnings_in
from kpi_assets.config.compat import follow_renames, modernise
from kpi_assets.config.compose import compose
from kpi_assets.config.env import EnvRef
from kpi_assets.config.ids import report_id
from kpi_assets.config.messages import Writer
from kpi_assets.config.models import ReportConfig
from kpi_assets.config.nodes import Map, Path, merge, plain
from kpi_assets.config.repair import Settled, settle
from kpi_assets.config.rest import sound_part
from kpi_assets.config.source import Source, read_source
from kpi_assets.config.source_map import SourceMap
from kpi_assets.errors import ConfigError, InputError, Problem

DEFAULT_FILES = (FilePath("config.yaml"), FilePath("/etc/kpi-assets/config.yaml"))


@dataclass(frozen=True)
class LoadedReport:
    """A report file that holds together; plugins have not been asked yet.

    `config` has EnvRefs inside plugin arguments. Elsewhere a reference reads `${NAME}` (or, where text is not
    wanted, the key's default stands) until `resolve_plain`. `data` is the merged file as plain values,
    references included.
    """

    config: ReportConfig
    id: str
    files: tuple[FilePath, ...]
    source_map: SourceMap = field(repr=False)
    warnings: tuple[Problem, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def problem(self, message: str, path: Path) -> Problem:
        """A problem at the value at `path`, or at what holds it where it is left out."""
        return self.source_map.problem(message, path)

    @property
    def source(self) -> str:
        """Where it is written, for messages."""
        return str(self.files[0]) if self.files else f"a report in Python called '{self.id}'"

    @property
    def folder(self) -> FilePath:
        """Where relative paths are looked up first."""
        return self.files[0].parent if self.files else FilePath()


def load_report(files: Sequence[FilePath] | FilePath | str) -> LoadedReport:
    """Read, merge (the last file wins) and validate. Raises ConfigError with all problems."""
    if isinstance(files, str | FilePath):
        files = [FilePath(files)]
    if not files:
        raise InputError("no report file is named: give one with -c FILE")
    sources: list[Source] = []
    problems: list[Problem] = []
    for file in files:
        try:
            sources.append(read_source(FilePath(file)))
        except ConfigError as error:
            problems += error.problems
    return load_sources(sources, problems)


def load_sources(sources: Sequence[Source], unread: Sequence[Problem] = ()) -> LoadedReport:
    """The same from texts that have been read; `unread` are the problems of those that could not be."""
    roots: list[Map] = []
    problems = list(unread)
    for source in sources:
        try:
            root, found = compose(source)
        except ConfigError as error:
            problems += error.problems
        else:
            roots.append(root)
            problems += found
    if unread or len(roots) < len(sources):
        raise ConfigError(problems)
    files = tuple(FilePath(source.name) for source in sources)
    return validated(roots, id=report_id(files), files=files, problems=problems)


def default_files(places: Sequence[FilePath] = DEFAULT_FILES) -> list[FilePath]:
    """The first default file that is there. Raises InputError that lists every place looked in."""
    for place in places:
        if place.is_file():
            return [place]
    looked = " and ".join(str(place.absolute()) for place in places)
    there = sorted(path for end in ("yaml", "yml") for path in FilePath("reports").glob(f"*.{end}"))
    hint = f", as in -c {there[0]}" if there else ", or start with `kpi-assets init`"
    raise InputError(f"no report file: looked for {looked}; name one with -c FILE{hint}")


def resolve_plain(loaded: LoadedReport, environ: Mapping[str, str]) -> LoadedReport:
    """The report with every reference resolved that is not an argument of a datasource or an output.

    In arguments of views only variables that are set are put in; `validate_args` judges the rest. Raises ConfigError
    for variables that are not set, and for values that do not fit.
    """
    resolver = _Resolver(environ, loaded.source_map)
    data = cast("dict[str, Any]", resolver.of(loaded.data, ()))
    if resolver.problems:
        raise ConfigError(resolver.problems)
    if not resolver.used:
        return loaded
    settled, problems = _checked(data, loaded.source_map, written=loaded.data)
    config, data = settled.model, settled.data
    if config is None or problems:
        raise ConfigError(problems)
    return replace(loaded, config=config, data=data)


def refuse_same_ids(reports: Iterable[LoadedReport]) -> None:
    """Raise InputError when two reports of one project have the same id: their state would mix."""
    listed = list(reports)
    for name, count in Counter(report.id for report in listed).items():
        if count > 1:
            files = " and ".join(report.source for report in listed if report.id == name)
            raise InputError(f"{files} would both be the report '{name}': rename one of the files")


def validated(
    roots: list[Map], *, id: str, files: tuple[FilePath, ...] = (), problems: Sequence[Problem] = ()
) -> LoadedReport:
    """The report that mappings say together; `problems` are those found while they were read. Raises ConfigError."""
    modern = modernise(cast("Map", reduce(merge, roots)))
    source_map = SourceMap(modern.root)
    data = follow_renames(cast("dict[str, Any]", plain(modern.root)), modern.renames)
    settled, found = _checked(data, source_map)
    config, data = settled.model, settled.data
    problems = [*problems, *modern.problems, *found]
    if config is None or problems:
        part = sound_part(data, settled.faults, source_map)
        rest = LoadedReport(part[0], id, files, source_map, data=part[1]) if part else None
        raise ConfigError(_in_order(problems, files), rest)
    warnings = [*_id_warning(files), *modern.warnings, *warnings_in(data, source_map)]
    return LoadedReport(config, id, files, source_map, tuple(warnings), data)


def _checked(
    data: dict[str, Any], source_map: SourceMap, written: Mapping[str, Any] | None = None
) -> tuple[Settled[ReportConfig], list[Problem]]:
    settled = settle(ReportConfig, data, source_map)
    writer = Writer(ReportConfig, settled.data, source_map, written=written)
    problems = [*writer.problems(settled.faults), *problems_in(settled.data, source_map)]
    return settled, problems


def _id_warning(files: tuple[FilePath, ...]) -> list[Problem]:
    if not files:
        return []
    name, stem = report_id(files), files[0].stem
    if name == stem or len(name) == len(stem):  # a dash for an underscore is no news
        return []
    return [Problem(f"{files[0]}: the report goes by the id '{name}' (ids hold letters, digits and _)")]


def _in_order(problems: Iterable[Problem], files: Sequence[FilePath]) -> list[Problem]:
    """By file, then from top to bottom; what has no place comes first."""
    names = [str(file) for file in files]

    def place(problem: Problem) -> tuple[int, int, int]:
        at = problem.position
        return (names.index(at.file), at.line, at.column) if at and at.file in names else (-1, 0, 0)

    return sorted(problems, key=place)


@dataclass
class _Resolver:
    environ: Mapping[str, str]
    source_map: SourceMap
    problems: list[Problem] = field(default_factory=list[Problem])
    used: bool = False

    def of(self, value: Any, path: Path) -> Any:
        """A copy of the value with its references resolved."""
        if isinstance(value, EnvRef):
            return self._resolved(value, path)
        if len(path) == 3 and path[0] in ("datasources", "outputs") and path[2] == "args":
            return value
        if isinstance(value, Mapping):
            return {key: self.of(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.of(item, (*path, index)) for index, item in enumerate(value)]
        return value

    def _resolved(self, ref: EnvRef, path: Path) -> Any:
        missing = [name for name in ref.names if name not in self.environ]
        if not missing:
            self.used = True
            return ref.resolve(self.environ)
        if not (path[0] == "views" and path[2:3] == ("args",)):
            self.problems.append(self.source_map.problem(not_set(missing), path))
        return ref


def not_set(names: Iterable[str]) -> str:
    """The sentence about variables that are not set."""
    return f"environment variable {' and '.join(names)} is not set: export it before the run"
