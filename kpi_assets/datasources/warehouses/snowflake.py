"""Snowflake through its connector: sessions in the zone of naive timestamps, with a time limit.

Snowflake has no read-only sessions, so only the guard and the role keep statements from writing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from kpi_assets.datasources.backend import Job, Verdict, driver_error, pooled_engine
from kpi_assets.datasources.dialects import SNOWFLAKE, Dialect
from kpi_assets.datasources.warehouses.sessions import SessionBackend

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

_TOO_LONG = {604, 630}
"""Cancelled, and stopped by the statement's or the warehouse's limit."""
_LOGIN = re.compile(r"\b39\d{4}\b|incorrect username or password|authenticat", re.IGNORECASE)


class SnowflakeBackend(SessionBackend):
    """A Snowflake account."""

    dialect: ClassVar[Dialect] = SNOWFLAKE

    def arguments(self) -> Mapping[str, Any]:
        return {"application": "kpi_assets", "login_timeout": 60, **self.connect_args, "paramstyle": "qmark"}

    def settings(self, job: Job) -> tuple[str, ...]:
        seconds = math.ceil(job.timeout)
        return (f"alter session set timezone = '{job.zone}', statement_timeout_in_seconds = {seconds}",)

    def _create_engine(self) -> Engine:
        # Values shall be bound by the server, not written into the text by the client.
        return pooled_engine(self.url.text, self.arguments(), self.concurrency, paramstyle="qmark")

    def shown(self, name: str) -> str:
        """Snowflake writes names without quotes in capitals; they are shown small, as SQLAlchemy does."""
        return name.lower() if name.isupper() else name

    def verdict(self, error: Exception) -> Verdict:
        inner = driver_error(error)
        if getattr(inner, "errno", None) in _TOO_LONG:
            return Verdict.TIMEOUT
        lost = isinstance(inner, OSError) or type(inner).__name__ in ("OperationalError", "InterfaceError")
        return Verdict.AWAY if lost and not _LOGIN.search(str(inner)) else Verdict.REFUSED
