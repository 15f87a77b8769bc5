"""Reports said in Python -> LoadedReport: the checks of a file, with paths of keys where a file has lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import PurePath
from typing import Any, cast

from pydantic import BaseModel, Field

from kpi_assets.config.env import EnvRef
from kpi_assets.config.ids import MAX_LENGTH, SAFE
from kpi_assets.config.load import LoadedReport, validated
from kpi_assets.config.models import ReportConfig
from kpi_assets.config.nodes import Entry, Map, Node, Scalar, Sequence
from kpi_assets.config.source import Mark, Source
from kpi_assets.errors import InputError, Problem

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Report(ReportConfig):
    """A report said in Python, with every key that a report file has, and its id.

    Sections take models or mappings: `views={"total": {"plugin": "single_stat", "args": {...}}}`. Relative paths are
    meant in the working folder. Raises pydantic's ValidationError for what is no report; what plugins say of their
    arguments comes from `build_plan`.
    """

    id: str = Field(
        pattern=f"^{SAFE.pattern}$",
        max_length=MAX_LENGTH,
        description="What the stem of a report file is: names its assets and its state. Letters, digits and _.",
    )


def env(name: str) -> EnvRef:
    """What `{env: NAME}` is in a file: a value that is read from the environment when a run starts; prints as `***`."""
    if not _NAME.fullmatch(name):
        raise InputError(f"env() takes the name of an environment variable: {name!r} is none")
    return EnvRef(f"${{{name}}}")


def load_python(report: Report) -> LoadedReport:
    """The report as if it came from a file. Raises ConfigError with all problems."""
    return load_mapping({name: value for name, value in _said(report).items() if name != "id"}, id=report.id)


def load_mapping(data: Mapping[str, Any], *, id: str) -> LoadedReport:
    """A report from what a YAML file would hold, as Python values; `id` is what the file's stem would be.

    References are `env("NAME")` or `{"env": "NAME"}`, anywhere; text holding `${NAME}` is only text. Raises
    ConfigError with all problems, each with its path of keys.
    """
    if not SAFE.fullmatch(id) or len(id) > MAX_LENGTH:
        raise InputError(f"'{id}' cannot be the id of a report: use letters, digits and _")
    return validated([cast("Map", _node(data))], id=id)


class _Nowhere(Mark):
    """The mark of values that stand in no file."""

    @property
    def where(self) -> str:
        return "before it"

    def problem(self, message: str, path: tuple[str | int, ...] = ()) -> Problem:
        return Problem(message, path)


_NOWHERE = _Nowhere(Source("", ""), 0, 0, 0)


def _said(model: BaseModel) -> dict[str, Any]:
    """What was set; pydantic's own dump would take references apart."""
    fields, was_set = type(model).model_fields, model.model_fields_set
    return {field.alias or name: getattr(model, name) for name, field in fields.items() if name in was_set}


def _node(value: Any) -> Node:
    if isinstance(value, BaseModel):
        value = _said(value)
    if isinstance(value, Mapping):
        entries = {str(key): Entry(_NOWHERE, _node(item)) for key, item in value.items()}
        return Map(entries, _NOWHERE, 1 + sum(entry.node.size for entry in entries.values()))
    if isinstance(value, list | tuple | set | frozenset):
        items = tuple(_node(item) for item in value)
        return Sequence(items, _NOWHERE, 1 + sum(item.size for item in items))
    plain = str(value) if isinstance(value, PurePath) else value
    return Scalar(plain, _text(plain), _NOWHERE)


def _text(value: Any) -> str:
    """How YAML would write a single value, for fields that want text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, EnvRef):
        return value.template
    return str(value) if isinstance(value, str | int | float | date) else ""
