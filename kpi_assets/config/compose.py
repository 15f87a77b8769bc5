"""YAML text -> nodes, by libyaml's events: positions for everything, no recursion, nothing constructed but data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NoReturn

import yaml

from kpi_assets.config.nodes import Entry, Map, Node, Scalar, Sequence
from kpi_assets.config.scalars import Plain, plain_value
from kpi_assets.config.source import LINE_BREAK, Mark, Source
from kpi_assets.errors import ConfigError, Problem

MAX_DEPTH = 64
MAX_ALIASED = 100_000
TAG = "tag:yaml.org,2002:"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

HINTS = {
    "found a tab character that violates indentation": "a tab stands where YAML wants spaces: indent with spaces",
    "mapping values are not allowed in this context": "a ':' cannot stand here: put the text in quotes, "
    "or check the indentation",
    "found unexpected end of stream": "the file ends inside a quoted text: the closing quote is missing",
    "did not find expected ',' or '}'": "a ',' or '}' is missing",
    "did not find expected ',' or ']'": "a ',' or ']' is missing",
    "did not find expected key": "a key is expected here: check the indentation and the quotes above",
    "could not find expected ':'": "a ':' is missing after the key",
    "did not find expected '-' indicator": "a '-' is expected here: check the indentation of the list",
    "found undefined tag handle": "YAML tags are not supported: remove it",
}


def compose(source: Source) -> tuple[Map, list[Problem]]:
    """The file's mapping, with every problem that does not stop reading. Raises ConfigError for one that does."""
    builder = _Builder(source)
    try:
        for event in _events(source.text):
            builder.take(event)
    except yaml.YAMLError as error:
        raise ConfigError([*builder.problems, _syntax_problem(source, error)]) from None
    root = builder.root
    if not isinstance(root, Map):
        raise ConfigError([*builder.problems, _not_a_mapping(source, root)])
    return root, builder.problems


def _events(text: str) -> Iterator[Any]:
    loader = _LOADER(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


def _not_a_mapping(source: Source, root: Node | None) -> Problem:
    expected = "a report is a mapping of keys such as title, datasources, views"
    if root is None or (isinstance(root, Scalar) and root.value is None):
        return source.mark(0, 0).problem(f"the file is empty: {expected}")
    found = "a list" if isinstance(root, Sequence) else "a single value"
    return root.mark.problem(f"the file holds {found}: {expected}")


@dataclass
class _Frame:
    """A mapping or list that is still open."""

    mark: Mark
    anchor: str | None
    is_map: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    merged: list[Map] = field(default_factory=list)
    key: tuple[str, Mark, bool] | None = None
    size: int = 1


@dataclass
class _Builder:
    """Takes events one by one; `root` is the document's node."""

    source: Source
    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Frame] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    aliased: int = 0
    documents: int = 0

    def take(self, event: Any) -> None:
        handler = _HANDLERS.get(type(event))
        if handler:
            handler(self, event)

    def start_document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            self._stop(event, "a second document starts here: a report file holds one; remove the '---'")

    def start_collection(self, event: Any) -> None:
        mark = self._mark(event)
        if len(self.stack) >= MAX_DEPTH:
            self._stop(event, f"nested deeper than {MAX_DEPTH} levels")
        if event.tag not in (None, "!", TAG + "map", TAG + "seq"):
            self._unsupported_tag(event)
        if self._expects_key():
            self._stop(
                event, "a key must be text, not a list or a mapping; in braces write quotes or {env: NAME}"
            )
        self.stack.append(_Frame(mark, event.anchor, isinstance(event, yaml.MappingStartEvent)))

    def end_collection(self, event: Any) -> None:
        del event
        frame = self.stack.pop()
        for below in frame.merged:
            for key, entry in below.entries.items():
                frame.entries.setdefault(key, entry)
        node: Node
        if frame.is_map:
            size = 1 + sum(entry.node.size for entry in frame.entries.values())
            node = Map(frame.entries, frame.mark, size)
        else:
            node = Sequence(tuple(frame.items), frame.mark, frame.size)
        self._name(frame.anchor, node)
        self._add(node)

    def scalar(self, event: Any) -> None:
        mark = self._mark(event)
        is_plain = event.implicit[0] and event.tag is None
        if self._expects_key():
            self.stack[-1].key = (event.value, mark, is_plain and event.value == "<<")
            return
        value = plain_value(event.value) if is_plain else self._tagged(event)
        node = Scalar(value, event.value, mark)
        self._name(event.anchor, node)
        self._add(node)

    def alias(self, event: Any) -> None:
        if any(frame.anchor == event.anchor for frame in self.stack):
            self._stop(event, f"'*{event.anchor}' contains itself: write the part out once more")
        node = self.anchors.get(event.anchor)
        if node is None:
            self._stop(event, f"'*{event.anchor}' refers to an anchor '&{event.anchor}' that is not above it")
        self.aliased += node.size
        if self.aliased > MAX_ALIASED:
            self._stop(event, f"the aliases stand for more than {MAX_ALIASED:,} values: write fewer of them")
        if self._expects_key():
            if not isinstance(node, Scalar):
                self._stop(event, "a key must be text, not a list or a mapping")
            self.stack[-1].key = (node.text, self._mark(event), False)
            return
        self._add(node)

    def _expects_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].is_map and self.stack[-1].key is None

    def _name(self, anchor: str | None, node: Node) -> None:
        if anchor:
            self.anchors[anchor] = node

    def _add(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        if not frame.is_map:
            frame.items.append(node)
            frame.size += node.size
        elif frame.key:
            name, mark, is_merge = frame.key
            frame.key = None
            if is_merge:
                self._merge(frame, node, mark)
            else:
                self._put(frame, name, Entry(mark, node))

    def _put(self, frame: _Frame, name: str, entry: Entry) -> None:
        first = frame.entries.setdefault(name, entry)
        if first is not entry:
            line = first.key.position.line
            message = f"key '{name}' stands twice, first in line {line}: keep one of them"
            self.problems.append(entry.key.problem(message))

    def _merge(self, frame: _Frame, node: Node, mark: Mark) -> None:
        parts = node.items if isinstance(node, Sequence) else (node,)
        for part in parts:
            if isinstance(part, Map):
                frame.merged.append(part)
            else:
                self.problems.append(
                    mark.problem("'<<' takes a mapping or a list of mappings: write `<<: *name`")
                )

    def _tagged(self, event: Any) -> Plain:
        """The value of a scalar that is quoted, a block, or carries a tag."""
        if event.tag in (None, "!", TAG + "str"):
            return event.value
        value = plain_value(event.value)
        if event.tag not in {TAG + name for name in _KINDS}:
            self._unsupported_tag(event)
        elif not isinstance(value, _KINDS[event.tag.removeprefix(TAG)]):
            self.problems.append(self._mark(event).problem(f"this is no {event.tag.removeprefix(TAG)}"))
        return value

    def _unsupported_tag(self, event: Any) -> None:
        tag = event.tag.replace(TAG, "!!")
        self.problems.append(self._mark(event).problem(f"YAML tag '{tag}' is not supported: remove it"))

    def _mark(self, event: Any) -> Mark:
        start, end = event.start_mark, event.end_mark
        same_line = start.line == end.line and end.column > start.column
        stop = end.column if same_line else start.column + 1
        return self.source.mark(start.line, start.column, stop)

    def _stop(self, event: Any, message: str) -> NoReturn:
        raise ConfigError([*self.problems, self._mark(event).problem(message)])


_KINDS: dict[str, type[Any] | tuple[type[Any], ...]] = {
    "int": int,
    "float": (float, int),
    "bool": bool,
    "null": type(None),
    "timestamp": date,
}
_HANDLERS: dict[type[Any], Callable[[_Builder, Any], None]] = {
    yaml.DocumentStartEvent: _Builder.start_document,
    yaml.MappingStartEvent: _Builder.start_collection,
    yaml.SequenceStartEvent: _Builder.start_collection,
    yaml.MappingEndEvent: _Builder.end_collection,
    yaml.SequenceEndEvent: _Builder.end_collection,
    yaml.ScalarEvent: _Builder.scalar,
    yaml.AliasEvent: _Builder.alias,
}


def _syntax_problem(source: Source, error: yaml.YAMLError) -> Problem:
    """The parser's complaint in our words, at its place."""
    if isinstance(error, yaml.reader.ReaderError):
        return _bad_character(source, error)
    complaint = str(getattr(error, "problem", None) or error)
    begun_at = "context_mark" if complaint == "found unexpected end of stream" else "problem_mark"
    mark: Any = getattr(error, begun_at, None)
    place = source.mark(mark.line, mark.column) if mark else source.mark(0, 0)
    return place.problem(_explained(source, place, complaint))


def _bad_character(source: Source, error: yaml.reader.ReaderError) -> Problem:
    offset = len(source.text.encode()[: int(error.position)].decode("utf-8", "ignore"))
    code = f"U+{ord(source.text[offset]):04X}" if offset < len(source.text) else "at the end"
    return source.mark_at(offset).problem(f"the character {code} is not allowed in YAML: remove it")


def _explained(source: Source, place: Mark, complaint: str) -> str:
    raw = LINE_BREAK.split(source.text)
    line = raw[place.line] if place.line < len(raw) else ""
    here = line[place.column : place.column + 1]
    if complaint == "found character that cannot start any token":
        if here == "\t":
            return HINTS["found a tab character that violates indentation"]
        return f"no value can start with '{here}': put it in quotes"
    if "${" in line and complaint.startswith("did not find expected ','"):
        return "${NAME} cannot stand inside {...} or [...]: write {env: NAME} there"
    if complaint == "did not find expected node content":
        return "a value is missing: what follows a '#' is a comment, so a name such as '#team' needs quotes"
    if re.search(r":\s+\{\w+\}\s*\S", line):
        return "a text that begins with '{' needs quotes, e.g. '{stat} users'"
    return HINTS.get(complaint, f"not valid YAML: {complaint}")
