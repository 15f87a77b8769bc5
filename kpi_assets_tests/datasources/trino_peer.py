"""A server that speaks Trino's client protocol (https://trino.io/docs/current/develop/client-protocol.html).

It knows `SET SESSION`, `SET TIME ZONE`, `EXECUTE IMMEDIATE`, and one password; statements are run by DuckDB.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from kpi_assets_tests.datasources.api import Api, Asked, Reply, serving
from kpi_assets_tests.datasources.duck import Duck, RefusedError, Table

_IMMEDIATE = re.compile(r"EXECUTE IMMEDIATE '(?P<text>(?:[^']|'')*)'(?: USING (?P<values>.*))?\Z", re.DOTALL)
_SET = re.compile(r"SET SESSION (\w+) = '([^']*)'|SET TIME ZONE '([^']*)'")


@dataclass
class Trino:
    """`page`: rows of a page. `error`: told instead of an answer to everything but settings."""

    duck: Duck
    page: int = 2
    error: dict[str, Any] | None = None
    statements: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    _pages: dict[str, Iterator[Any]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    url: str = ""

    def answer(self, asked: Asked) -> Any:
        if not asked.headers.get("x-trino-user"):
            return Reply("User must be set", 401)
        if asked.method == "DELETE":
            self.cancelled.append(asked.path)
            return Reply("", 204)
        if asked.method == "POST" and asked.path == "/v1/statement":
            return self._begin(asked)
        name = asked.path.split("/")[4] if asked.path.startswith("/v1/statement/executing/") else ""
        return next(self._pages[name]) if name in self._pages else Reply("no such query", 404)

    def _begin(self, asked: Asked) -> Any:
        name, text = f"20241125_000000_{next(self._numbers):05}_peer", asked.body.decode()
        self.statements.append(text)
        self._pages[name] = self._results(name, text, _session(asked))
        return {**self._result(name, "QUEUED"), "nextUri": self._uri(name, 0)}

    def _results(self, name: str, text: str, session: dict[str, str]) -> Iterator[Any]:
        if match := _SET.match(text):
            key, value = (match[1], match[2]) if match[1] else ("time_zone_id", match[3])
            body = {**self._result(name, "FINISHED"), "updateType": "SET SESSION"}
            yield Reply(body, headers={"X-Trino-Set-Session": f"{key}={value}"})
            return
        try:
            if self.error and "SELECT 1" not in text:
                raise RefusedError
            table = self.duck.ask(_plain(text), zone=session.get("time_zone_id", "UTC"))
        except RefusedError as error:
            told = self.error or {
                "message": str(error),
                "errorCode": 46,
                "errorName": "TABLE_NOT_FOUND",
                "errorType": "USER_ERROR",
            }
            yield {**self._result(name, "FAILED"), "error": {"failureInfo": {"type": "x"}, **told}}
            return
        yield from self._data(name, table)

    def _data(self, name: str, table: Table) -> Iterator[Any]:
        columns = [_column(*pair) for pair in zip(table.names, table.types, strict=True)]
        yield {**self._result(name, "RUNNING"), "columns": columns, "nextUri": self._uri(name, 1)}
        for number, start in enumerate(range(0, len(table.rows), self.page), 2):
            rows = [[_json(value) for value in row] for row in table.rows[start : start + self.page]]
            body = {**self._result(name, "RUNNING"), "columns": columns, "data": rows}
            yield {**body, "nextUri": self._uri(name, number)}
        yield {**self._result(name, "FINISHED"), "columns": columns}

    def _result(self, name: str, state: str) -> dict[str, Any]:
        return {
            "id": name,
            "infoUri": f"{self.url}/ui/query.html?{name}",
            "stats": {"state": state},
            "warnings": [],
        }

    def _uri(self, name: str, token: int) -> str:
        return f"{self.url}/v1/statement/executing/{name}/slug/{token}"


@contextmanager
def trino(peer: Trino) -> Iterator[Api]:
    with serving(peer.answer) as api:
        peer.url = api.url
        yield api


def _session(asked: Asked) -> dict[str, str]:
    pairs = (part.split("=", 1) for part in asked.headers.get("x-trino-session", "").split(",") if part)
    return {name.strip(): unquote_plus(value) for name, value in pairs}


def _plain(text: str) -> str:
    """The statement of an EXECUTE IMMEDIATE with its values in it."""
    match = _IMMEDIATE.match(text)
    if match is None:
        return text
    values: Sequence[str] = (match["values"] or "").split(",")
    pieces = match["text"].replace("''", "'").split("?")
    return "".join(
        itertools.chain(*itertools.zip_longest(pieces, values if match["values"] else [], fillvalue=""))
    )


def _column(name: str, kind: str) -> dict[str, Any]:
    known = {
        "BIGINT": ("bigint", []),
        "INTEGER": ("integer", []),
        "DOUBLE": ("double", []),
        "DATE": ("date", []),
        "TIMESTAMP": ("timestamp", [6]),
        "TIMESTAMP WITH TIME ZONE": ("timestamp with time zone", [6]),
        "VARCHAR": ("varchar", [2147483647]),
    }
    raw, numbers = known.get(kind) or ("decimal", [int(part) for part in re.findall(r"\d+", kind)])
    written = f"({','.join(map(str, numbers))})" if numbers else ""
    full = f"timestamp{written} with time zone" if raw == "timestamp with time zone" else f"{raw}{written}"
    arguments = [{"kind": "LONG", "value": number} for number in numbers]
    return {"name": name, "type": full, "typeSignature": {"rawType": raw, "arguments": arguments}}


def _json(value: Any) -> Any:
    if value is None or isinstance(value, int | float | str):
        return value
    moment = hasattr(value, "tzinfo")
    if not moment:
        return str(value)
    text = value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return f"{text} {value.tzinfo}" if value.tzinfo else text
