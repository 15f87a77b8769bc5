"""A server that speaks ClickHouse's HTTP interface and its Native format, uncompressed.

https://clickhouse.com/docs/en/interfaces/http and /native-protocol. What the driver asks of `system.*` when it logs in
is answered here, all else by DuckDB.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kpi_assets_tests.datasources.api import Api, Asked, Reply, serving
from kpi_assets_tests.datasources.duck import Duck, RefusedError, Table

_PARAMETER = re.compile(r"\{(\w+):([^}]+)\}")
_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
"""No overflow, no bucket."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SETTINGS = Table(["name", "value", "readonly"], ["VARCHAR", "VARCHAR", "UTINYINT"], [("readonly", "0", 0)])


@dataclass
class ClickHouse:
    """One database behind one login. `error`: (code, words) of every answer but those of the login."""

    duck: Duck
    login: str = "u:word"
    block: int = 2
    error: tuple[int, str] | None = None
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> Any:
        token = base64.b64encode(self.login.encode()).decode()
        if asked.headers.get("authorization") != f"Basic {token}":
            return _failed(
                516, "u: Authentication failed: password is incorrect (AUTHENTICATION_FAILED)", 403
            )
        info = "client_protocol_version" in asked.params
        text = re.sub(r"\s+FORMAT Native\s*\Z", "", asked.body.decode())
        if text == "SELECT 1 AS check":
            return _native(Table(["check"], ["UTINYINT"], [(1,)]), 10, info=info)
        if "system.settings" in text:
            return _native(_SETTINGS, 10, info=info)
        if "version()" in text:
            return Reply("24.8.1.1\tUTC\n", headers={"X-ClickHouse-Timezone": "UTC"})
        if "currentDatabase()" in text:
            return _native(Table(["currentDatabase()"], ["VARCHAR"], [("default",)]), 10, info=info)
        self.asked.append(asked)
        return _failed(*self.error) if self.error else self._rows(asked, text)

    def _rows(self, asked: Asked, text: str) -> Reply:
        def literal(match: re.Match[str]) -> str:
            value = asked.params[f"param_{match[1]}"].replace("'", "''")
            return (
                f"'{value}'::timestamp at time zone 'UTC'"
                if match[2].startswith("DateTime64")
                else f"'{value}'"
            )

        try:
            zone = asked.params.get("session_timezone", "UTC")
            table = self.duck.ask(_PARAMETER.sub(literal, text), zone=zone)
        except RefusedError as error:
            return _failed(62, f"Syntax error: {error} (SYNTAX_ERROR)")
        return _native(table, self.block, info="client_protocol_version" in asked.params)


@contextmanager
def clickhouse(peer: ClickHouse) -> Iterator[Api]:
    with serving(peer.answer) as api:
        yield api


def _failed(code: int, words: str, status: int = 500) -> Reply:
    text = f"Code: {code}. DB::Exception: {words} (version 24.8.1.1 (official build))\n"
    return Reply(text, status, {"X-ClickHouse-Exception-Code": str(code)})


def _native(table: Table, size: int, *, info: bool = False) -> Reply:
    """Blocks of `size` rows, each with its BlockInfo where the client's protocol has it."""
    starts = range(0, len(table.rows), size) if table.rows else [0]
    body = b"".join(_INFO * info + _block(table, table.rows[start : start + size]) for start in starts)
    headers = {"Content-Type": "application/octet-stream", "X-ClickHouse-Format": "Native"}
    return Reply(body, headers={**headers, "X-ClickHouse-Timezone": "UTC"})


def _block(table: Table, rows: Sequence[Sequence[Any]]) -> bytes:
    parts = [_number(len(table.names)), _number(len(rows))]
    for index, (name, kind) in enumerate(zip(table.names, table.types, strict=True)):
        spoken, pack = _kind(kind)
        values = [row[index] for row in rows]
        parts += [_text(name), _text(f"Nullable({spoken})"), bytes(value is None for value in values)]
        parts += [pack(value) for value in values]
    return b"".join(parts)


def _kind(kind: str) -> tuple[str, Any]:
    """ClickHouse's name of a type of DuckDB, and how a value is written; None as that type's zero."""
    if kind.startswith("DECIMAL"):
        return "Decimal(18, 2)", lambda value: struct.pack("<q", int((value or 0) * 100))
    return {
        "BIGINT": ("Int64", lambda value: struct.pack("<q", value or 0)),
        "INTEGER": ("Int32", lambda value: struct.pack("<i", value or 0)),
        "UTINYINT": ("UInt8", lambda value: struct.pack("<B", value or 0)),
        "DOUBLE": ("Float64", lambda value: struct.pack("<d", value or 0)),
        "VARCHAR": ("String", lambda value: _text(value or "")),
        "DATE": (
            "Date32",
            lambda value: struct.pack("<i", ((value or date(1970, 1, 1)) - _EPOCH.date()).days),
        ),
        "TIMESTAMP": ("DateTime64(6)", _moment),
        "TIMESTAMP WITH TIME ZONE": ("DateTime64(6, 'America/New_York')", _moment),
    }[kind]


def _moment(value: datetime | None) -> bytes:
    instant = (value or _EPOCH).replace(tzinfo=(value and value.tzinfo) or UTC)
    return struct.pack("<q", (instant - _EPOCH) // timedelta(microseconds=1))


def _number(value: int) -> bytes:
    """LEB128, as lengths are written."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _text(value: str) -> bytes:
    return _number(len(value.encode())) + value.encode()
