"""The JSON Schema of report files, for editors: our own keys, and the arguments of every plugin that is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, BeforeValidator

from kpi_assets.config.compat import BESIDE_ARGS, DEAD_KEYS
from kpi_assets.config.models import ReportConfig
from kpi_assets.config.shape import names_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REF = "#/$defs/"
CONFIGS = {"datasources": "DatasourceConfig", "views": "ViewConfig", "outputs": "OutputConfig"}
SCALARS = frozenset({"string", "integer", "number", "boolean"})
NAME = "[A-Za-z_][A-Za-z0-9_]*"
ENV_REF: dict[str, Any] = {
    "description": "A value from the environment, resolved when a run starts: {env: NAME} or ${NAME}.",
    "anyOf": [
        {
            "type": "object",
            "properties": {"env": {"type": "string", "pattern": f"^{NAME}$"}},
            "required": ["env"],
            "additionalProperties": False,
        },
        {"type": "string", "pattern": f"\\$\\{{{NAME}\\}}"},
    ],
}

Schema = dict[str, Any]
PluginModels = Mapping[str, Mapping[str, type[BaseModel]]]


def report_schema(plugin_models: PluginModels) -> Schema:
    """Draft 2020-12. `plugin_models`: `datasources`, `views`, `outputs` -> plugin name -> its `Args` model."""
    schema = ReportConfig.model_json_schema(ref_template=REF + "{model}")
    defs: Schema = schema.pop("$defs", {})
    for kind, config in CONFIGS.items():
        models = plugin_models.get(kind, {})
        for plugin, model in models.items():
            defs |= _args_defs(f"{kind}.{plugin}", model, kind)
        if config in defs and models:
            defs[config] = _by_plugin(defs[config], kind, models)
    schema["properties"] |= {key: _dead(reason) for key, reason in DEAD_KEYS.items()}
    schema["patternProperties"] = {"^x-": {"description": "Your own, e.g. YAML anchors; not read."}}
    schema = {"$schema": DIALECT, "title": "KPI report", **_open(schema, top=True)}
    schema["$defs"] = {name: _open(part, top=True) for name, part in defs.items()} | {"EnvRef": ENV_REF}
    return schema


def _args_defs(name: str, model: type[BaseModel], kind: str) -> Schema:
    """The model's schema and those it uses, under names of their own."""
    own = model.model_json_schema(ref_template=f"{REF}{name}.{{model}}")
    parts = own.pop("$defs", {})
    _accept_single_items(own, model)
    _add_synonyms(own, model)
    ignored: Mapping[str, str] = getattr(model, "ignored_keys", {})
    extra = {key: _dead(reason) for key, reason in ignored.items()}
    if kind == "views":
        extra |= {key: {"deprecated": True, "description": "Belongs beside args."} for key in BESIDE_ARGS}
    own["properties"] = {**extra, **own.get("properties", {})}
    return {name: own, **{f"{name}.{part}": schema for part, schema in parts.items()}}


def _accept_single_items(schema: Schema, model: type[BaseModel]) -> None:
    """A list that the model makes from a single value may be written as that value."""
    for name, field in model.model_fields.items():
        shown: Schema = schema.get("properties", {}).get(field.alias or name, {})
        items = shown.get("items")
        if isinstance(items, dict) and any(isinstance(part, BeforeValidator) for part in field.metadata):
            told = {key: shown.pop(key) for key in ("title", "description", "default") if key in shown}
            schema["properties"][field.alias or name] = {**told, "anyOf": [shown, items]}


def _add_synonyms(schema: Schema, model: type[BaseModel]) -> None:
    """Every key that fills a field is known, and any one of them satisfies `required`."""
    properties: Schema = schema.setdefault("properties", {})
    required: list[str] = schema.get("required", [])
    for name, field in model.model_fields.items():
        names = names_of(name, field, model)
        shown = next((key for key in names if key in properties), None)
        if shown is None or len(names) == 1:
            continue
        properties.update(dict.fromkeys(names, properties[shown]))
        if shown in required:
            required.remove(shown)
            schema.setdefault("allOf", []).append({"anyOf": [{"required": [key]} for key in names]})


def _by_plugin(config: Schema, kind: str, models: Mapping[str, type[BaseModel]]) -> Schema:
    """The `plugin` names known here, and for each the arguments that it takes."""
    plugin = {**config["properties"]["plugin"], "enum": sorted(models)}
    rules: list[Schema] = []
    for name, model in sorted(models.items()):
        then: Schema = {"properties": {"args": {"$ref": f"{REF}{kind}.{name}"}}}
        if any(field.is_required() for field in model.model_fields.values()):
            then["required"] = ["args"]
        rules.append(
            {"if": {"properties": {"plugin": {"const": name}}, "required": ["plugin"]}, "then": then}
        )
    return {**config, "properties": {**config["properties"], "plugin": plugin}, "allOf": rules}


def _dead(reason: str) -> Schema:
    return {"deprecated": True, "description": f"No longer means anything: {reason}"}


def _open(schema: Any, *, top: bool = False) -> Any:
    """The schema with an environment reference allowed wherever a scalar is."""
    if not isinstance(schema, dict):
        return schema
    opened = {key: _opened_part(key, part) for key, part in schema.items()}
    if top or not _is_scalar(schema):
        return _with_member(opened)
    kept = {
        key: opened.pop(key) for key in ("title", "description", "default", "deprecated") if key in opened
    }
    return {**kept, "anyOf": [opened, {"$ref": REF + "EnvRef"}]}


def _opened_part(key: str, part: Any) -> Any:
    if key in ("properties", "patternProperties", "$defs"):
        return {name: _open(inner) for name, inner in part.items()}
    if key in ("items", "additionalProperties", "then", "contains"):
        return _open(part, top=key == "then")
    if key in ("prefixItems", "allOf"):
        return [_open(inner, top=key == "allOf") for inner in part]
    if key in ("anyOf", "oneOf"):
        return [_open(inner, top=_is_scalar(inner)) for inner in part]
    return part


def _with_member(schema: Schema) -> Schema:
    """A union of which a scalar is a member gets the reference as one more."""
    for key in ("anyOf", "oneOf"):
        if any(_is_scalar(member) for member in schema.get(key, ())):
            members = [*schema[key], {"$ref": REF + "EnvRef"}]
            rest = {name: part for name, part in schema.items() if name != key}
            return {**rest, "anyOf": members}
    return schema


def _is_scalar(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    return schema.get("type") in SCALARS or "const" in schema or "enum" in schema
