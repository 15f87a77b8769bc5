"""Trino through its own client: sessions in the zone of naive timestamps, with a time limit.

The client knows no read-only transactions, so only the guard and the user's rights keep statements from writing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from kpi_assets.datasources.backend import Job, Verdict, driver_error
from kpi_assets.datasources.dialects import TRINO, Dialect
from kpi_assets.datasources.warehouses.sessions import SessionBackend

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection

_PASSING = frozenset(
    (
        *("SERVER_STARTING_UP", "SERVER_SHUTTING_DOWN", "NO_NODES_AVAILABLE", "CLUSTER_OUT_OF_MEMORY"),
        *("QUERY_QUEUE_FULL", "REMOTE_TASK_ERROR", "REMOTE_HOST_GONE", "PAGE_TRANSPORT_TIMEOUT"),
        "TOO_MANY_REQUESTS_FAILED",
    )
)
_TOO_LONG = frozenset(("EXCEEDED_TIME_LIMIT",))
_PASSING_STATUS = ("error 429", "error 502", "error 503", "error 504")


class TrinoBackend(SessionBackend):
    """A Trino server."""

    dialect: ClassVar[Dialect] = TRINO

    def arguments(self) -> Mapping[str, Any]:
        return {"source": "kpi_assets", **self.connect_args}

    def settings(self, job: Job) -> tuple[str, ...]:
        limit = f"SET SESSION query_max_execution_time = '{job.timeout:.3f}s'"
        return limit, f"SET TIME ZONE '{job.zone}'"

    def drop_cursor(self, cursor: Any) -> None:
        """The server goes on with a query until it is told that nobody wants it."""
        with contextlib.suppress(*self.errors()):
            cursor.cancel()

    def finish(self, connection: PoolProxiedConnection) -> None:
        """Nothing is open: every statement is a transaction of its own."""

    def errors(self) -> tuple[type[Exception], ...]:
        from trino.exceptions import HttpError

        return (*super().errors(), HttpError)

    def verdict(self, error: Exception) -> Verdict:
        inner = driver_error(error)
        if isinstance(inner, self.strange):  # requests' error over broken JSON is an OSError besides
            return Verdict.REFUSED
        name = getattr(inner, "error_name", None)
        if name in _TOO_LONG:
            return Verdict.TIMEOUT
        lost = isinstance(inner, OSError) or type(inner).__name__ == "TrinoConnectionError"
        return Verdict.AWAY if lost or name in _PASSING or _status_passes(inner) else Verdict.REFUSED

    def words(self, error: Exception) -> str:
        inner = driver_error(error)
        name = getattr(inner, "error_name", None)
        said = getattr(inner, "message", None)
        return " ".join(f"{name}: {said}".split()) if name else super().words(inner)


def _status_passes(error: Exception) -> bool:
    return type(error).__name__.startswith("Http") and str(error).startswith(_PASSING_STATUS)
