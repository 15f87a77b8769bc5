"""ClickHouse through clickhouse-connect: parameters bound by the server, read-only, blocks of rows as they come."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from kpi_assets.datasources.backend import Job, NoRowsError, Verdict, driver_error, pooled_engine
from kpi_assets.datasources.columns import Sink
from kpi_assets.datasources.dialects import CLICKHOUSE, Dialect
from kpi_assets.datasources.tokens import Statement, Value
from kpi_assets.datasources.warehouses.generic import GenericBackend

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import PoolProxiedConnection

_TOO_LONG = {159, 160}
_PASSING = {3, 74, 95, 96, 198, 201, 202, 203, 209, 210, 225, 236, 242, 243, 279, 285, 319, 425, 439, 999}
"""Network, replicas, quotas and too many queries at once, from ClickHouse's ErrorCodes."""
_CODE = re.compile(r"[Cc]ode:? (\d+)")
_PASSING_STATUS = re.compile(
    r"HTTP(?: driver received HTTP)? status(?: code)?:? (?:429|502|503|504)\b", re.IGNORECASE
)
_GRACE = 30


class ClickHouseBackend(GenericBackend):
    """A ClickHouse server over HTTP."""

    dialect: ClassVar[Dialect] = CLICKHOUSE
    strange: ClassVar = (KeyError, ValueError, IndexError, AttributeError)

    def arguments(self) -> Mapping[str, Any]:
        # The server's own limit shall end a query that takes too long, with words of its own.
        own = {"send_receive_timeout": math.ceil(self.timeout) + _GRACE, "query_retries": 0}
        return {**own, **self.connect_args}

    def _create_engine(self) -> Engine:
        url = self.url.text.partition(":")[2]
        return pooled_engine(f"clickhousedb+connect:{url}", self.arguments(), self.concurrency)

    def bound(self, instant: datetime, zone: str) -> Any:
        """The instant itself: DateTime columns are instants, whatever zone they are shown in."""
        del zone
        return instant.astimezone(UTC)

    def _fetch(self, connection: PoolProxiedConnection, job: Job, sink: Sink) -> None:
        raw: Any = connection.driver_connection
        text, values = typed(job.statement)
        stream = raw.client.query_row_block_stream(
            text, parameters=values, settings=settings_of(job), tz_mode="aware"
        )
        with stream:
            if not stream.source.column_names:
                raise NoRowsError
            sink.start(list(stream.source.column_names))
            for block in stream:
                rows = list(block)
                if rows:
                    sink.add_rows(rows)

    def verdict(self, error: Exception) -> Verdict:
        inner = driver_error(error)
        found = _CODE.search(str(inner))
        code = int(found.group(1)) if found else None
        if code in _TOO_LONG:
            return Verdict.TIMEOUT
        if code is not None:
            return Verdict.AWAY if code in _PASSING else Verdict.REFUSED
        if "Unexpected response" in str(inner):  # what answers is no ClickHouse
            return Verdict.REFUSED
        lost = isinstance(inner, OSError) or type(inner).__name__ in (
            "OperationalError",
            "StreamFailureError",
        )
        return Verdict.AWAY if lost or _PASSING_STATUS.search(str(inner)) else Verdict.REFUSED


def settings_of(job: Job) -> dict[str, Any]:
    """`readonly: 2` lets nothing but reading through and still allows the other settings."""
    return {
        "readonly": 2,
        "max_execution_time": math.ceil(job.timeout),
        "session_timezone": job.zone,
    }


def typed(statement: Statement) -> tuple[str, dict[str, Any]]:
    """The text with `{name:Type}` parameters, and their values."""
    values = {f"kpi_{number}": value for number, value in enumerate(statement.values)}
    names = iter(values)
    text = "".join(
        f"{{{next(names)}:{_type(part.value)}}}" if isinstance(part, Value) else part
        for part in statement.parts
    )
    return text, values


def _type(value: Any) -> str:
    if value is None:
        return "Nullable(String)"
    if isinstance(value, datetime):
        return "DateTime64(6, 'UTC')"
    kinds = {bool: "Bool", int: "Int64", float: "Float64", date: "Date32", Decimal: "Decimal(38, 9)"}
    return kinds.get(type(value), "String")
