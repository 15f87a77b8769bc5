"""Which keys a model knows at a path, read from its type hints."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

from kpi_assets.config.nodes import Path

Model = type[BaseModel]


def names_of(name: str, field: FieldInfo, model: Model) -> tuple[str, ...]:
    """Every key that fills the field, the documented one first."""
    aliases: list[str] = [field.alias] if field.alias else []
    validation = field.validation_alias
    if isinstance(validation, str):
        aliases.append(validation)
    elif isinstance(validation, AliasChoices):
        aliases += [choice for choice in validation.choices if isinstance(choice, str)]
    by_name = not aliases or bool(model.model_config.get("populate_by_name"))
    found = [name, *aliases] if by_name else aliases
    return tuple(dict.fromkeys(found))


def fields_at(model: Model, path: Path) -> dict[str, FieldInfo]:
    """Key -> field of whatever models can stand at the path; empty where none can."""
    found: dict[str, FieldInfo] = {}
    for candidate in models_at(model, path):
        for name, field in candidate.model_fields.items():
            found.update(dict.fromkeys(names_of(name, field, candidate), field))
    return found


def models_at(model: Model, path: Path) -> list[Model]:
    """The models that can stand at the path."""
    hints: list[Any] = [model]
    for step in path:
        hints = [inner for hint in hints for inner in _step(hint, step)]
    return [hint for outer in hints for hint in _plain_hints(outer) if _is_model(hint)]


def synonyms(model: Model, path: Path, key: str) -> tuple[str, ...]:
    """The other keys that fill the same field."""
    for candidate in models_at(model, path):
        for name, field in candidate.model_fields.items():
            names = names_of(name, field, candidate)
            if key in names or key == name:
                return names
    return ()


def _step(hint: Any, step: str | int) -> Iterator[Any]:
    for inner in _plain_hints(hint):
        if _is_model(inner):
            for name, field in inner.model_fields.items():
                if step in names_of(name, field, inner):
                    yield field.annotation
        else:
            yield from _item(inner)


def _item(hint: Any) -> Iterator[Any]:
    origin, args = get_origin(hint), get_args(hint)
    if not isinstance(origin, type) or not args:
        return
    if issubclass(origin, Mapping):
        yield args[-1]
    elif issubclass(origin, Sequence | set | frozenset):
        yield from (arg for arg in args if arg is not Ellipsis)


def _plain_hints(hint: Any) -> Iterator[Any]:
    """The hint without Annotated, aliases and unions."""
    if type(hint).__name__ == "TypeAliasType":
        yield from _plain_hints(hint.__value__)
    elif get_origin(hint) is Annotated:
        yield from _plain_hints(get_args(hint)[0])
    elif get_origin(hint) in (Union, types.UnionType):
        for arg in get_args(hint):
            yield from _plain_hints(arg)
    else:
        yield hint


def _is_model(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)
