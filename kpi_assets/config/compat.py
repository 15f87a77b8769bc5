"""Files of KPI Reporter: keys that went away, arguments that belong elsewhere, ids that need another form.

Works on nodes, before validation, so that every later message still points at what was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kpi_assets.config.ids import safe_id
from kpi_assets.config.messages import SECTIONS
from kpi_assets.config.nodes import Entry, Map, Node, Scalar, walk
from kpi_assets.errors import Problem

LICENCE = "kpi_assets is free software and asks for no licence: remove the line"
DEAD_KEYS: Mapping[str, str] = {
    "license_key": LICENCE,
    "license_file": LICENCE,
    "license": LICENCE,
    "version": "a report file carries no version: remove the line",
}
BESIDE_ARGS = ("title", "description", "cols")
_QUOTED_VARIABLE = re.compile(r"\$\{[A-Z][A-Z0-9_]*\}")
SCRATCH = "x-"
"""Top-level keys that start so are the user's own, e.g. to hold YAML anchors."""


@dataclass
class Modern:
    """The file in today's terms; `renames` maps a section's old ids to those used."""

    root: Map
    warnings: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    renames: dict[str, dict[str, str]] = field(default_factory=dict)


def modernise(root: Map) -> Modern:
    """Drop dead keys, move arguments to their place, make ids safe."""
    modern = Modern(root)
    modern.root = with_entries(root, _living(modern))
    modern.warnings += _quoted_variables(modern.root)
    for section in SECTIONS:
        held = modern.root.entries.get(section)
        if held and isinstance(held.node, Map):
            node = with_entries(held.node, _instances(modern, section, held.node))
            modern.root = with_entries(
                modern.root, {**modern.root.entries, section: replace(held, node=node)}
            )
    return modern


def with_entries(node: Map, entries: Mapping[str, Entry] | Iterable[tuple[str, Entry]]) -> Map:
    """The same mapping with other content."""
    return replace(node, entries=dict(entries))


def follow_renames(data: dict[str, Any], renames: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """References to renamed datasources and queries (`datasource: my-db`, `{ref: my-query}`) follow."""
    keys = {"datasource": renames.get("datasources", {}), "ref": renames.get("queries", {})}
    if not any(keys.values()):
        return data
    return {
        name: _followed(part, keys) if name in ("views", "queries") else part for name, part in data.items()
    }


def _followed(value: Any, keys: Mapping[str, Mapping[str, str]]) -> Any:
    if isinstance(value, list):
        return [_followed(item, keys) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: keys[key].get(item, item) if key in keys and isinstance(item, str) else _followed(item, keys)
        for key, item in value.items()
    }


def _living(modern: Modern) -> Iterator[tuple[str, Entry]]:
    for key, entry in modern.root.entries.items():
        if key in DEAD_KEYS:
            modern.warnings.append(
                entry.key.problem(f"'{key}' no longer means anything: {DEAD_KEYS[key]}", (key,))
            )
        elif not key.startswith(SCRATCH):
            yield key, entry


def _instances(modern: Modern, section: str, held: Map) -> Iterator[tuple[str, Entry]]:
    taken: dict[str, Entry] = {}
    for key, entry in held.entries.items():
        node = _lifted(entry.node, section) if isinstance(entry.node, Map) else entry.node
        name = _name(modern, section, key, entry)
        if name in taken:
            modern.problems.append(_collision(section, name, entry, taken[name]))
            continue
        taken[name] = entry
        if name != key:
            modern.renames.setdefault(section, {})[key] = name
        yield name, replace(entry, node=node)


def _name(modern: Modern, section: str, key: str, entry: Entry) -> str:
    kind = SECTIONS[section]
    name = safe_id(key)
    if name is None:
        text = f"{kind} '{key}' cannot be an id: use letters, digits and _"
        modern.problems.append(entry.key.problem(text, (section, key)))
        return key
    if name != key:
        text = f"{kind} '{key}' goes by the id '{name}' (ids hold letters, digits and _): rename it to that"
        modern.warnings.append(entry.key.problem(text, (section, name)))
    return name


def _quoted_variables(root: Map) -> Iterator[Problem]:
    """KPI Reporter replaced variables only in values without quotes; who writes quotes seldom knows that."""
    for path, node in walk(root):
        if (
            isinstance(node, Scalar)
            and isinstance(node.value, str)
            and _QUOTED_VARIABLE.fullmatch(node.value)
        ):
            text = f"{node.value} stays as it stands, because of its quotes: remove them to have the variable's value"
            yield node.mark.problem(text, path)


def _collision(section: str, name: str, entry: Entry, first: Entry) -> Problem:
    text = (
        f"this {SECTIONS[section]} would have the id '{name}', as the one {first.key.where} has: "
        "rename one of them"
    )
    return entry.key.problem(text, (section, name))


def _lifted(node: Map, section: str) -> Map:
    """KPI Reporter took a view's title, description and cols from its args too; there they win."""
    args = node.entries.get("args")
    if section != "views" or args is None or not isinstance(args.node, Map):
        return node
    inner = args.node.entries
    moved = {key: inner[key] for key in BESIDE_ARGS if key in inner and _says_something(inner[key].node)}
    if not moved:
        return node
    rest = {key: entry for key, entry in inner.items() if key not in BESIDE_ARGS}
    return with_entries(
        node, {**node.entries, **moved, "args": replace(args, node=with_entries(args.node, rest))}
    )


def _says_something(node: Node) -> bool:
    return not isinstance(node, Scalar) or bool(node.value)
