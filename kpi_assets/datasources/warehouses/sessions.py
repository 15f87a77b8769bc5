"""A database whose sessions are told their zone and time limit: naive timestamps mean what they say in the zone."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from kpi_assets.datasources.backend import Job
from kpi_assets.datasources.bounds import is_ambiguous
from kpi_assets.datasources.warehouses.generic import GenericBackend

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection


class SessionBackend(GenericBackend):
    """What Trino and Snowflake have in common."""

    strange: ClassVar = (KeyError, ValueError)

    def bound(self, instant: datetime, zone: str) -> Any:
        """A timestamp that compares in the session's zone; with its offset where the clocks show it twice."""
        return instant.astimezone(UTC) if is_ambiguous(instant, zone) else super().bound(instant, zone)

    def prepare(self, connection: PoolProxiedConnection, job: Job) -> None:
        wanted = (job.zone, job.timeout)
        if connection.info.get("prepared") == wanted:
            return
        cursor = connection.cursor()
        for setting in self.settings(job):
            cursor.execute(setting)
            cursor.fetchall()
        cursor.close()
        connection.info["prepared"] = wanted

    @abstractmethod
    def settings(self, job: Job) -> tuple[str, ...]:
        """The statements that give a session the job's zone and limit."""
