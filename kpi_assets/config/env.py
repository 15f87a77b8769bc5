"""References to environment variables: written in YAML, resolved when a run starts, printed as `***`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kpi_assets.errors import ConfigError, Problem

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, repr=False)
class EnvRef:
    """A string that needs the environment; `template` holds one or more `${NAME}`."""

    template: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(REFERENCE.findall(self.template))

    def resolve(self, environ: Mapping[str, str]) -> str:
        """The string with every variable put in; KeyError names the first that is not set."""
        return REFERENCE.sub(lambda match: environ[match.group(1)], self.template)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Only a reference itself fills a field of this type; a mapping that looks like one does not."""
        from pydantic_core import core_schema

        del source, handler
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        del schema, handler
        return {"type": "object", "properties": {"env": {"type": "string"}}, "required": ["env"]}

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


def resolve_env(value: Any, environ: Mapping[str, str], *, where: str) -> Any:
    """A copy of nested dicts and lists with every EnvRef resolved.

    Raises ConfigError naming all variables that are not set; `where` tells whose value it is.
    """
    missing = sorted({name for ref in env_refs(value) for name in ref.names if name not in environ})
    if missing:
        names = ", ".join(missing)
        raise ConfigError(
            [
                Problem(
                    f"{where} needs environment variable {names}, which is not set: export it before the run"
                )
            ]
        )
    return _replace(value, lambda ref: ref.resolve(environ))


def env_refs(value: Any) -> list[EnvRef]:
    """Every EnvRef inside nested dicts and lists."""
    if isinstance(value, EnvRef):
        return [value]
    if isinstance(value, Mapping):
        return [ref for item in value.values() for ref in env_refs(item)]
    if isinstance(value, list | tuple):
        return [ref for item in value for ref in env_refs(item)]
    return []


def secrets_of(value: Any, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of every variable that is referred to, for redaction."""
    return tuple(environ[name] for ref in env_refs(value) for name in ref.names if environ.get(name))


def _replace(value: Any, put: Any) -> Any:
    if isinstance(value, EnvRef):
        return put(value)
    if isinstance(value, Mapping):
        return {key: _replace(item, put) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replace(item, put) for item in value]
    return value
