"""Faults -> problems: what a value must be, in words, at its place in the file. Never the value itself."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from pydantic import BaseModel

from kpi_assets.config.env import EnvRef
from kpi_assets.config.nodes import Path
from kpi_assets.config.repair import LIST_KINDS, MAPPING_KINDS, MISMATCHES, TEXT_KINDS, Fault, value_at
from kpi_assets.config.shape import fields_at
from kpi_assets.config.source_map import SourceMap
from kpi_assets.errors import Problem, dotted, suggest

SECTIONS = {"datasources": "datasource", "queries": "query", "views": "view", "outputs": "output"}

EXPECTED = {
    **dict.fromkeys(MAPPING_KINDS, "a mapping (key: value)"),
    **dict.fromkeys(LIST_KINDS, "a list"),
    **dict.fromkeys(("string_type", "string_sub_type"), "text"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "decimal_type", "decimal_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing"), "a date (YYYY-MM-DD)"),
    "date_from_datetime_inexact": "a date without a time of day (YYYY-MM-DD)",
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_from_date_parsing"), "a date and time"),
    "none_required": "empty",
    "path_type": "a path",
    "finite_number": "a finite number",
}
BOUNDS = {
    "greater_than_equal": ("at least {}", "ge"),
    "greater_than": ("more than {}", "gt"),
    "less_than_equal": ("at most {}", "le"),
    "less_than": ("less than {}", "lt"),
    "multiple_of": ("a multiple of {}", "multiple_of"),
    "string_too_short": ("at least {} characters long", "min_length"),
    "string_too_long": ("at most {} characters long", "max_length"),
    "string_pattern_mismatch": ("text of the form {}", "pattern"),
    "too_short": ("a list of at least {}", "min_length"),
    "too_long": ("a list of at most {}", "max_length"),
    "literal_error": ("{}", "expected"),
    "enum": ("{}", "expected"),
    "union_tag_invalid": ("one of {}", "expected_tags"),
}
_ALTERNATIVES = re.compile(r", (?=')|(?<=') or (?=')")
_FOUND: tuple[tuple[type[Any] | tuple[type[Any], ...], str], ...] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (date, "a date"),
    (str, "text"),
    (Mapping, "a mapping"),
    (list, "a list"),
)


@dataclass(frozen=True)
class Place:
    """Whose value a path is: `subject` (view 'a' (plot)), `noun` (key or argument), and the dotted rest."""

    subject: str
    noun: str
    name: str

    def says(self, text: str) -> str:
        """A sentence about the value, or about its owner where the value has no name."""
        if not self.name:
            return f"{self.subject or 'the report'} {text}"
        noun = "argument " if self.noun == "argument" else ""
        start = f"{self.subject}: " if self.subject else ""
        return f"{start}{noun}'{self.name}' {text}"


def place_of(path: Path, source_map: SourceMap | None) -> Place:
    """Whose value stands at the path of a report file."""
    if len(path) < 2 or path[0] not in SECTIONS:
        return Place("", "key", dotted(path))
    plugin = source_map.text((*path[:2], "plugin")) if source_map else None
    subject = f"{SECTIONS[str(path[0])]} '{path[1]}'" + (f" ({plugin})" if plugin else "")
    rest = path[2:]
    if len(rest) > 1 and rest[0] == "args":
        return Place(subject, "argument", dotted(rest[1:]))
    return Place(subject, "key", dotted(rest))


@dataclass(frozen=True)
class Writer:
    """Writes the problems of one validation; `data` is what was validated, `prefix` its place in the report.

    `written` is the same data as YAML has it, to tell which values came from the environment.
    """

    model: type[BaseModel]
    data: Mapping[str, Any]
    source_map: SourceMap | None
    prefix: Path = ()
    written: Mapping[str, Any] | None = None

    def problems(self, faults: Iterable[Fault]) -> list[Problem]:
        """One problem per place."""
        listed = list(faults)
        mistyped = {id(fault) for fault in listed if _is_mistyped(fault, listed)}
        return [self._problem(group) for group in _grouped(f for f in listed if id(f) not in mistyped)]

    def _problem(self, group: list[Fault]) -> Problem:
        first = group[0]
        if first.kind == "missing":
            return self._missing(first)
        if first.kind == "extra_forbidden":
            return self._unknown(first)
        path = (*self.prefix, *first.path)
        place = place_of(path, self.source_map)
        if first.kind in ("value_error", "assertion_error"):
            reason = str(first.context.get("error", first.message))
            named = f"'{place.name}': " if first.path and place.name not in reason else ""
            text = f"{place.subject}: {named}{reason}" if place.subject else f"{named}{reason}"
            return self.at(text + self._origin(first.path), path, on_key=not first.path)
        return self.at(place.says(self._must(group)) + self._origin(first.path), path)

    def _must(self, group: list[Fault]) -> str:
        value = value_at(self.data, group[0].path)
        wanted = _either(dict.fromkeys(phrase for fault in group for phrase in expected(fault)))
        if not wanted:
            return f"is not valid: {group[0].message}"
        kinds = {fault.kind for fault in group}
        found = "" if "literal_error" in kinds and isinstance(value, str) else _found(value, wanted)
        tail = found + self._quotes(group[0], value) if kinds & MISMATCHES else ""
        return f"must be {wanted}{tail}{_near(value, group)}"

    def _quotes(self, fault: Fault, value: Any) -> str:
        """Where only quotes are missing: `- #team` is a comment, `label: {stat}` is a mapping."""
        node = self.source_map.node((*self.prefix, *fault.path)) if self.source_map else None
        if fault.kind not in TEXT_KINDS or node is None:
            return ""
        if value is None and "#" in node.mark.source.lines[node.mark.line]:
            return ": what follows a '#' is a comment, so a name such as '#team' needs quotes"
        braced = isinstance(value, Mapping) and all(item is None for item in cast("Any", value).values())
        return ": a text that begins with '{' needs quotes" if braced else ""

    def _missing(self, fault: Fault) -> Problem:
        path = (*self.prefix, *fault.path)
        place = place_of((*path, fault.key), self.source_map)
        field = fields_at(self.model, fault.path).get(fault.key)
        about = f": {field.description}" if field and field.description else ""
        owner = path[:-1] if fault.path == () and self.prefix and path[-1] == "args" else path
        return self.at(place.says(f"is missing{about}"), owner, on_key=True)

    def _unknown(self, fault: Fault) -> Problem:
        path = (*self.prefix, *fault.path)
        place = place_of(path, self.source_map)
        known = fields_at(self.model, fault.path[:-1])
        taken = value_at(self.data, fault.path[:-1])
        near = difflib.get_close_matches(fault.key, [name for name in known if name not in taken], n=1)
        hint = suggest(fault.key, near or known)
        if "args" in known and not hint.startswith("did you mean"):
            hint += "; an argument of the plugin belongs under args"
        start = f"{place.subject}: " if place.subject else ""
        return self.at(f"{start}unknown {place.noun} '{place.name}': {hint}", path, on_key=True)

    def _origin(self, path: Path) -> str:
        ref = value_at(self.written, path) if self.written else None
        return f" (it comes from {' and '.join(ref.names)})" if isinstance(ref, EnvRef) else ""

    def at(self, message: str, path: Path, *, on_key: bool = False) -> Problem:
        """A problem at a path of the report."""
        if self.source_map is None:
            return Problem(message, path)
        return self.source_map.problem(message, path, on_key=on_key)


def expected(fault: Fault) -> list[str]:
    """What the fault's value may be; empty for members of a union that a reader cannot write."""
    if fault.kind in BOUNDS:
        phrase, name = BOUNDS[fault.kind]
        told = str(fault.context.get(name, ""))
        return _ALTERNATIVES.split(told) if phrase == "{}" else [phrase.format(told)]
    return [EXPECTED[fault.kind]] if fault.kind in EXPECTED else []


def _either(phrases: Iterable[str]) -> str:
    *most, last = [*phrases] or [""]
    return f"{', '.join(most)} or {last}" if most else last


def _is_mistyped(fault: Fault, faults: Iterable[Fault]) -> bool:
    """Is a key missing only because it is there under a mistyped name?"""
    if fault.kind != "missing":
        return False
    unknown = [f.key for f in faults if f.kind == "extra_forbidden" and f.path[:-1] == fault.path]
    return bool(difflib.get_close_matches(fault.key, unknown, n=1))


def _grouped(faults: Iterable[Fault]) -> list[list[Fault]]:
    """Faults of one place together; a union's other members are left out where one came further."""
    groups: dict[tuple[Path, str], list[Fault]] = {}
    for fault in faults:
        groups.setdefault((fault.path, fault.key), []).append(fault)
    return [group for group in groups.values() if not _overtaken(group, groups)]


def _overtaken(group: list[Fault], groups: Mapping[tuple[Path, str], list[Fault]]) -> bool:
    path = group[0].path
    if not all(fault.kind in MISMATCHES for fault in group):
        return False
    return any((key and other == path) or other[: len(path)] == path != other for other, key in groups)


def _found(value: Any, wanted: str) -> str:
    if value is None:
        return ", and nothing is written there"
    name = next((name for kind, name in _FOUND if isinstance(value, kind)), "")
    return f", not {name}" if name and name not in wanted else ""


def _near(value: Any, group: list[Fault]) -> str:
    """A did-you-mean among allowed values."""
    allowed = [word for f in group for word in str(f.context.get("expected", "")).split("'")[1::2]]
    near = difflib.get_close_matches(value, allowed, n=1) if isinstance(value, str) else []
    return f"; did you mean '{near[0]}'?" if near else ""
