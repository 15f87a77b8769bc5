"""Arguments of plugins: checked with the plugin's own model while secrets may still be unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from kpi_assets.config.env import EnvRef, env_refs, secrets_of
from kpi_assets.config.load import not_set
from kpi_assets.config.messages import Writer, place_of
from kpi_assets.config.nodes import Path
from kpi_assets.config.repair import Settled, settle, value_at
from kpi_assets.config.shape import names_of
from kpi_assets.config.source_map import SourceMap
from kpi_assets.errors import ConfigError, Problem, redact

M = TypeVar("M", bound=BaseModel)
LATE = ("datasources", "outputs")


class Checked(NamedTuple):
    """`args` is None exactly where there are problems."""

    args: Any
    problems: list[Problem]
    warnings: list[Problem]


def validate_args(
    model: type[BaseModel],
    args: Mapping[str, Any],
    *,
    path: Path,
    source_map: SourceMap | None,
    environ: Mapping[str, str],
    allow_missing: bool | None = None,
) -> Checked:
    """Validate the arguments at `path` (`("views", id, "args")`) with a plugin's model.

    Variables that are set are put in. One that is not set is a problem, or, with `allow_missing` (default: for
    datasources and outputs, which are resolved when a run starts), leaves a stand-in and the rest is checked.
    """
    lenient = path[0] in LATE if allow_missing is None else allow_missing
    check = _Check(model, path, source_map, environ)
    living, warnings = check.without_ignored(args)
    if not env_refs(living):
        settled = settle(model, living, source_map, path)
        return Checked(settled.model, check.problems(settled, living), warnings)
    written = settle(model, living, source_map, path).data
    missing = [] if lenient else list(check.missing(written, path))
    if missing:
        return Checked(None, missing, warnings)
    settled = settle(model, _resolved(written, environ), source_map, path)
    if settled.model is None and env_refs(settled.data) and check.only_unknown(settled):
        return Checked(_unchecked(model, settled.data), [], warnings)
    return Checked(settled.model, check.problems(settled, written), warnings)


def written_args(
    model: type[BaseModel], args: Mapping[str, Any], *, path: Path, source_map: SourceMap | None
) -> dict[str, Any]:
    """The arguments as the plugin will read them, references kept: keys without meaning dropped, text as written.

    What a plan keeps, so that a run can validate them again without the file.
    """
    living, _ = _Check(model, path, source_map, {}).without_ignored(args)
    return settle(model, living, source_map, path).data


def resolve_args(
    model: type[M],
    args: Mapping[str, Any],
    *,
    path: Path,
    source_map: SourceMap | None,
    environ: Mapping[str, str],
) -> M:
    """The arguments as a run uses them, every variable put in. Raises ConfigError; no message holds a secret."""
    checked = validate_args(
        model, args, path=path, source_map=source_map, environ=environ, allow_missing=False
    )
    if checked.problems:
        raise ConfigError(checked.problems)
    return checked.args


OWN_ID = "its key is its id"
"""KPI Reporter let `id` among the arguments replace the key."""


@dataclass(frozen=True)
class _Check:
    model: type[BaseModel]
    path: Path
    source_map: SourceMap | None
    environ: Mapping[str, str]

    def without_ignored(self, args: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """The arguments that still mean something, and a warning for each other one."""
        ignored: dict[str, str] = {**getattr(self.model, "ignored_keys", {})}
        if "id" not in self.model.model_fields:
            ignored["id"] = OWN_ID
        warnings: list[Problem] = []
        for key in (key for key in args if key in ignored):
            place = place_of((*self.path, key), self.source_map)
            warnings.append(
                self._at(place.says(f"no longer means anything: {ignored[key]}"), (*self.path, key))
            )
        return {key: value for key, value in args.items() if key not in ignored}, warnings

    def problems(self, settled: Settled[Any], written: Mapping[str, Any]) -> list[Problem]:
        writer = Writer(self.model, settled.data, self.source_map, self.path, written)
        secrets = secrets_of(written, self.environ)
        found = sorted(writer.problems(settled.faults), key=_line_and_column)
        return [replace(problem, message=redact(problem.message, secrets)) for problem in found]

    def missing(self, value: Any, path: Path) -> Iterator[Problem]:
        """A problem for each reference to a variable that is not set."""
        if isinstance(value, EnvRef):
            names = [name for name in value.names if name not in self.environ]
            if names:
                yield self._at(
                    f"{place_of(path, self.source_map).says('cannot be resolved')}: {not_set(names)}", path
                )
        elif isinstance(value, Mapping):
            for key, item in value.items():
                yield from self.missing(item, (*path, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.missing(item, (*path, index))

    def only_unknown(self, settled: Settled[Any]) -> bool:
        """Do all faults hang on variables that are not set? A check over all arguments does."""
        return all(
            fault.kind not in ("missing", "extra_forbidden")
            and (not fault.path or _has_ref(settled.data, fault.path))
            for fault in settled.faults
        )

    def _at(self, message: str, path: Path) -> Problem:
        return self.source_map.problem(message, path) if self.source_map else Problem(message, path)


def _line_and_column(problem: Problem) -> tuple[int, int]:
    at = problem.position
    return (at.line, at.column) if at else (0, 0)


def _has_ref(data: Any, path: Path) -> bool:
    return bool(env_refs(value_at(data, path)))


def _unchecked(model: type[BaseModel], data: Mapping[str, Any]) -> BaseModel:
    """The arguments as written, for a plugin that can only judge them when its secrets are known."""
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        for key in names_of(name, field, model):
            if key in data:
                values[name] = _templates(data[key])
    return model.model_construct(**values)


def _templates(value: Any) -> Any:
    return _mapped(value, lambda ref: ref.template)


def _resolved(value: Any, environ: Mapping[str, str]) -> Any:
    """The value with every reference put in whose variables are all set."""
    return _mapped(value, lambda ref: ref.resolve(environ) if all(n in environ for n in ref.names) else ref)


def _mapped(value: Any, change: Any) -> Any:
    if isinstance(value, EnvRef):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, change) for item in value]
    return value
