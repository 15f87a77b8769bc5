"""YAML as a tree whose every key and value knows where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kpi_assets.config.env import REFERENCE, EnvRef
from kpi_assets.config.scalars import Plain
from kpi_assets.config.source import Mark

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value; `text` is how it is written."""

    value: Plain
    text: str
    mark: Mark
    size: int = 1


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Node, ...]
    mark: Mark
    size: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A key's value, and where the key stands."""

    key: Mark
    node: Node


@dataclass(frozen=True, slots=True)
class Map:
    """Keys are text as written: `on`, `1` and `2024-11-18` too."""

    entries: Mapping[str, Entry]
    mark: Mark
    size: int = 1


Node = Scalar | Sequence | Map


@dataclass
class Plains:
    """Turns nodes into plain dicts and lists with EnvRefs; what was aliased is shared, not copied."""

    seen: dict[int, Any] = field(default_factory=dict)

    def of(self, node: Node) -> Any:
        if isinstance(node, Scalar):
            return node.value
        if id(node) not in self.seen:
            self.seen[id(node)] = self._made(node)
        return self.seen[id(node)]

    def _made(self, node: Sequence | Map) -> Any:
        if isinstance(node, Sequence):
            return [self.of(item) for item in node.items]
        return env_ref(node) or self.as_dict(node)

    def as_dict(self, node: Map) -> dict[str, Any]:
        return {key: self.of(entry.node) for key, entry in node.entries.items()}


def plain(node: Node) -> Any:
    """The node as plain data."""
    return Plains().of(node)


def env_ref(node: Node) -> EnvRef | None:
    """The reference that a mapping of exactly `{env: NAME}` stands for."""
    if not isinstance(node, Map) or set(node.entries) != {"env"}:
        return None
    name = node.entries["env"].node
    template = f"${{{name.text}}}" if isinstance(name, Scalar) else ""
    return EnvRef(template) if REFERENCE.fullmatch(template) else None


def merge(base: Node, over: Node) -> Node:
    """Both files as one: mappings recurse, anything else of `over` replaces; positions follow the winner.

    A key with nothing behind it says nothing, so it does not replace a mapping.
    """
    if not isinstance(base, Map):
        return over
    if not isinstance(over, Map):
        return base if isinstance(over, Scalar) and over.value is None and not over.text else over
    entries = dict(base.entries)
    for key, entry in over.entries.items():
        below = entries.get(key)
        entries[key] = Entry(entry.key, merge(below.node, entry.node)) if below else entry
    return Map(entries, over.mark, 1 + sum(entry.node.size for entry in entries.values()))


def child(node: Node, step: str | int) -> Node | None:
    """The node one step down, if there is one."""
    if isinstance(node, Map) and isinstance(step, str):
        entry = node.entries.get(step)
        return entry.node if entry else None
    if isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step]
    return None


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node with its path, the root first."""
    yield path, node
    if isinstance(node, Map):
        for key, entry in node.entries.items():
            yield from walk(entry.node, (*path, key))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from walk(item, (*path, index))
