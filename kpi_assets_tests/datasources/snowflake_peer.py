"""A server that speaks the protocol of Snowflake's connectors: login-request and query-request, answers as JSON.

One password; bound values of the request's `bindings`; statements are run by DuckDB, names shown in capitals as there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kpi_assets_tests.datasources.api import Api, Asked, serving
from kpi_assets_tests.datasources.duck import Duck, RefusedError, Table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Snowflake:
    """`error`: (code, sqlState, message) of every answer to a question."""

    duck: Duck
    password: str = "word"
    error: tuple[str, str, str] | None = None
    zone: str = "America/Los_Angeles"
    """Of a session, until it says another."""
    statements: list[tuple[str, Any]] = field(default_factory=list)

    def answer(self, asked: Asked) -> Any:
        if asked.path == "/session/v1/login-request":
            return self._login(json.loads(asked.body)["data"])
        if asked.path == "/queries/v1/query-request":
            assert asked.headers["authorization"] == 'Snowflake Token="session-token"'
            return self._query(json.loads(asked.body))
        return _told({})

    def _login(self, data: dict[str, Any]) -> Any:
        if data["PASSWORD"] != self.password:
            return _failed("390100", "08001", "Incorrect username or password was specified.")
        names = {"databaseName": "DB", "schemaName": "PUBLIC", "warehouseName": "WH", "roleName": "PUBLIC"}
        life = {"validityInSeconds": 3600, "masterValidityInSeconds": 14400}
        tokens = {"token": "session-token", "masterToken": "master-token", "sessionId": 1}
        return _told({**tokens, **life, "sessionInfo": names, "parameters": [], "serverVersion": "8.40.1"})

    def _query(self, body: dict[str, Any]) -> Any:
        text = body["sqlText"]
        bindings = body.get("bindings") or {}
        self.statements.append((text, bindings))
        first = text.split(maxsplit=1)[0].upper()
        if found := re.search(r"alter session set timezone = '([^']+)'", text):
            self.zone = found[1]
        if first in ("ALTER", "ROLLBACK"):
            return _rows(Table(["status"], ["VARCHAR"], [("Statement executed successfully.",)]), 8192)
        if "CURRENT_" in text:
            names = [part.strip() for part in text.upper().removeprefix("SELECT").split(",")]
            return _rows(Table(names, ["VARCHAR"] * len(names), [["8.40.1"] * len(names)]), 4096)
        if self.error:
            return _failed(*self.error)
        try:
            values = [_value(bindings[str(number + 1)]) for number in range(len(bindings))]
            return _rows(self.duck.ask(text, values, self.zone), 4096)
        except RefusedError as error:
            return _failed("002003", "42S02", f"SQL compilation error: {error}")


@contextmanager
def snowflake(peer: Snowflake) -> Iterator[Api]:
    with serving(peer.answer) as api:
        yield api


def _told(data: dict[str, Any]) -> Any:
    return {"data": data, "success": True, "code": None, "message": None}


def _failed(code: str, state: str, words: str) -> Any:
    data = {
        "errorCode": code,
        "sqlState": state,
        "queryId": "01b0",
        "internalError": False,
        "pos": -1,
        "line": -1,
    }
    return {"data": data, "success": False, "code": code, "message": words}


def _rows(table: Table, kind: int) -> Any:
    columns = [_column(*pair) for pair in zip(table.names, table.types, strict=True)]
    rows = [[_json(value) for value in row] for row in table.rows]
    return _told(
        {
            "parameters": [{"name": "TIMEZONE", "value": "Europe/Berlin"}],
            "rowtype": columns,
            "rowset": rows,
            "total": len(rows),
            "returned": len(rows),
            "queryId": "01b0a1b2-0000-0000-0000-000000000001",
            "sqlState": None,
            "databaseProvider": None,
            "finalDatabaseName": "DB",
            "finalSchemaName": "PUBLIC",
            "finalWarehouseName": "WH",
            "finalRoleName": "PUBLIC",
            "numberOfBinds": 0,
            "arrayBindSupported": False,
            "statementTypeId": kind,
            "version": 1,
            "sendResultTime": 1,
            "queryResultFormat": "json",
        }
    )


def _column(name: str, kind: str) -> dict[str, Any]:
    known = {
        "BIGINT": ("fixed", 38, 0),
        "INTEGER": ("fixed", 38, 0),
        "DOUBLE": ("real", None, None),
        "DATE": ("date", None, None),
        "TIMESTAMP": ("timestamp_ntz", 0, 6),
        "TIMESTAMP WITH TIME ZONE": ("timestamp_ltz", 0, 6),
        "VARCHAR": ("text", None, None),
    }
    spoken, precision, scale = known.get(kind) or ("fixed", 10, 2)
    size = 16777216 if spoken == "text" else None
    more = {"database": "", "schema": "", "table": "", "collation": None, "byteLength": size, "length": size}
    return {
        "name": name.upper(),
        "type": spoken,
        "precision": precision,
        "scale": scale,
        "nullable": True,
        **more,
    }


def _json(value: Any) -> str | None:
    if isinstance(value, datetime):
        return f"{(value.replace(tzinfo=value.tzinfo or UTC) - _EPOCH) / timedelta(seconds=1):.6f}"
    if isinstance(value, date):
        return str((value - _EPOCH.date()).days)
    return None if value is None else str(value)


def _value(binding: dict[str, Any]) -> Any:
    kind, value = binding["type"], binding["value"]
    if kind.startswith("TIMESTAMP"):
        moment = _EPOCH + timedelta(microseconds=int(value.split()[0]) // 1000)
        return moment.replace(tzinfo=None) if kind == "TIMESTAMP_NTZ" else moment
    return {"FIXED": int, "REAL": float}.get(kind, str)(value)
