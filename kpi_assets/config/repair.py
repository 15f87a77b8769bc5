"""Validation that forgives what YAML and late secrets make unavoidable.

- A field that wants text gets a number, date or `no` as it was written.
- A key with nothing behind it counts as left out.
- `{env: prod}` is a mapping where a mapping is wanted, and a reference to a variable elsewhere.
- A reference that is not resolved yet has a stand-in, so that everything else can be checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, ValidationError

from kpi_assets.config.env import EnvRef, env_refs
from kpi_assets.config.nodes import Map, Path, Plains
from kpi_assets.config.shape import fields_at, names_of, synonyms
from kpi_assets.config.source_map import SourceMap

M = TypeVar("M", bound=BaseModel)
MAX_ROUNDS = 8
_BARE_NUMBER = re.compile(r"[-+]?[0-9.]+")

MAPPING_KINDS = frozenset(
    {"dict_type", "model_type", "model_attributes_type", "mapping_type", "dataclass_type"}
)
TEXT_KINDS = frozenset({"string_type", "path_type"})
LIST_KINDS = frozenset({"list_type", "tuple_type", "set_type", "frozen_set_type", "iterable_type"})
SCALAR_KINDS = frozenset(
    {
        *(
            "string_type",
            "path_type",
            "int_type",
            "int_parsing",
            "int_from_float",
            "float_type",
            "float_parsing",
        ),
        *(
            "bool_type",
            "bool_parsing",
            "decimal_type",
            "decimal_parsing",
            "none_required",
            "literal_error",
            "enum",
        ),
        *("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
        *("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "is_instance_of"),
    }
)
MISMATCHES = MAPPING_KINDS | LIST_KINDS | SCALAR_KINDS


@dataclass(frozen=True)
class Fault:
    """An error of pydantic with a path into the data; `key` is the missing or unknown key."""

    kind: str
    path: Path
    key: str
    context: Mapping[str, Any]
    message: str


@dataclass(frozen=True)
class Settled(Generic[M]):
    """`model` is None where faults remain; `data` is the input after repairs, references still in it."""

    model: M | None
    faults: tuple[Fault, ...]
    data: dict[str, Any]


class StandIn(str):
    """Takes the place of a reference whose value is not known yet."""

    __slots__ = ()


def settle(
    model: type[M], data: dict[str, Any], source_map: SourceMap | None, prefix: Path = ()
) -> Settled[M]:
    """Validate, repair, validate again, until it holds or nothing more can be repaired."""
    repairs = _Repairs(model, source_map, prefix)
    trial = data
    faults: tuple[Fault, ...] = ()
    for _ in range(MAX_ROUNDS):
        try:
            made = model.model_validate(trial)
        except ValidationError as error:
            faults = _faults(model, trial, error)
        else:
            strange = tuple(_misread(trial, made))
            return Settled(None if strange else made, strange, data)
        before = trial
        for fault in faults:
            data, trial = repairs.lasting(data, fault), repairs.lasting(trial, fault)
            trial = repairs.stand_in(trial, fault)
        if trial is before:
            break
    return Settled(None, faults, data)


def value_at(data: Any, path: Path) -> Any:
    """What stands at the path; None where there is nothing."""
    for step in path:
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def put(data: Any, path: Path, value: Any) -> Any:
    """A copy of the data with the value at the path; other parts are shared, not copied."""
    if not path:
        return value
    inner = put(value_at(data, path[:1]), path[1:], value)
    if isinstance(data, list):
        return [inner if index == path[0] else item for index, item in enumerate(data)]
    return {**data, path[0]: inner}


def drop(data: Any, path: Path) -> Any:
    """A copy of the data without the key at the path."""
    holder = {key: value for key, value in value_at(data, path[:-1]).items() if key != path[-1]}
    return put(data, path[:-1], holder)


@dataclass(frozen=True)
class _Repairs:
    model: type[BaseModel]
    source_map: SourceMap | None
    prefix: Path

    def lasting(self, data: dict[str, Any], fault: Fault) -> dict[str, Any]:
        """Repairs that only put right how YAML was read."""
        value = value_at(data, fault.path)
        if not fault.path or fault.kind not in MISMATCHES:
            return data
        if isinstance(value, EnvRef):
            as_map = self._as_map(fault.path) if fault.kind in MAPPING_KINDS else None
            return put(data, fault.path, as_map) if as_map else data
        if value is None and self._optional(data, fault.path):
            return drop(data, fault.path)
        if fault.kind in TEXT_KINDS and isinstance(value, bool | int | float | date):
            return put(data, fault.path, self._text(fault.path, value))
        return data

    def stand_in(self, trial: dict[str, Any], fault: Fault) -> dict[str, Any]:
        """A value that lets the rest be checked, where a reference is in the way."""
        value = value_at(trial, fault.path)
        if isinstance(value, EnvRef):
            return put(trial, fault.path, StandIn(value.template))
        if not fault.path or fault.kind in ("missing", "extra_forbidden") or not _unresolved(value):
            return trial
        if self._optional(trial, fault.path):
            return drop(trial, fault.path)
        return (
            trial if not isinstance(value, StandIn) or value == "1" else put(trial, fault.path, StandIn("1"))
        )

    def _as_map(self, path: Path) -> dict[str, Any] | None:
        node = self.source_map.node((*self.prefix, *path)) if self.source_map else None
        return Plains().as_dict(node) if isinstance(node, Map) else None

    def _optional(self, data: dict[str, Any], path: Path) -> bool:
        """Is it a field that may be left out?"""
        if not isinstance(value_at(data, path[:-1]), Mapping):
            return False
        field = fields_at(self.model, path[:-1]).get(str(path[-1]))
        return field is not None and not field.is_required()

    def _text(self, path: Path, value: object) -> str:
        written = self.source_map.text((*self.prefix, *path)) if self.source_map else None
        return written or str(value)


def _unresolved(value: Any) -> bool:
    if isinstance(value, StandIn):
        return True
    if isinstance(value, list):
        return any(_unresolved(item) for item in value)
    if isinstance(value, Mapping):
        return any(_unresolved(item) for item in value.values())
    return bool(env_refs(value))


def _faults(model: type[BaseModel], data: Any, error: ValidationError) -> tuple[Fault, ...]:
    found: list[Fault] = []
    for raw in error.errors(include_url=False, include_input=False):
        loc = raw["loc"]
        key = str(loc[-1]) if loc and raw["type"] in ("missing", "extra_forbidden") else ""
        steps = loc[:-1] if raw["type"] == "missing" else loc
        path = _path(model, data, steps)
        found.append(Fault(raw["type"], path, key, raw.get("ctx", {}), raw["msg"]))
    return tuple(found)


def _misread(written: Any, made: Any, path: Path = ()) -> Iterator[Fault]:
    """What pydantic takes although nobody means it: `true` for 1, and a number for the seconds since 1970."""
    if isinstance(written, Mapping):
        for key, item in cast("Mapping[Any, Any]", written).items():
            yield from _misread(item, _part(made, key), (*path, key))
    elif isinstance(written, list) and isinstance(made, tuple | list):
        for index, pair in enumerate(
            zip(cast("list[Any]", written), cast("Sequence[Any]", made), strict=False)
        ):
            yield from _misread(*pair, (*path, index))
    elif isinstance(written, bool) and isinstance(made, int | float) and not isinstance(made, bool):
        yield Fault("int_type" if isinstance(made, int) else "float_type", path, "", {}, "a truth value")
    elif isinstance(made, date) and not isinstance(written, StandIn) and _BARE_NUMBER.fullmatch(str(written)):
        yield Fault("date_type", path, "", {}, "a bare number")


def _part(made: Any, key: str) -> Any:
    """What became of a key: the field of that name or alias, or the entry."""
    if isinstance(made, Mapping):
        return cast("Mapping[str, Any]", made).get(key)
    if not isinstance(made, BaseModel):
        return None
    fields = type(made).model_fields
    name = (
        key
        if key in fields
        else next((n for n, f in fields.items() if key in names_of(n, f, type(made))), "")
    )
    return getattr(made, name, None)


def _path(model: type[BaseModel], data: Any, loc: tuple[int | str, ...]) -> Path:
    """Pydantic's location without the names of union members and aliases that it mixes in."""
    path: Path = ()
    found: str | int | None
    for step in loc:
        if isinstance(data, Mapping):
            names = (step, *synonyms(model, path, str(step))) if step not in data else (step,)
            found = next((name for name in names if name in data), None)
        else:
            found = step if isinstance(data, list) and isinstance(step, int) and step < len(data) else None
        if found is not None:
            path, data = (*path, found), cast("Any", data)[found]
    return path
