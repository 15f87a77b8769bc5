"""A database of which we know only what SQLAlchemy knows: no read-only mode, no time limit; rows in chunks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from kpi_assets.datasources.backend import AlchemyBackend, Verdict, driver_error, pooled_engine
from kpi_assets.datasources.dialects import GENERIC, Dialect
from kpi_assets.datasources.urls import ConnectionUrl

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


class GenericBackend(AlchemyBackend):
    """A database by URL. `timeout`: seconds a statement may take, for those that can be told so."""

    dialect: ClassVar[Dialect] = GENERIC
    strange: ClassVar[tuple[type[Exception], ...]] = ()
    """What the driver stumbles with over an answer that is not its server's."""

    def __init__(
        self, url: ConnectionUrl, connect_args: Mapping[str, Any], *, concurrency: int, timeout: float = 300
    ) -> None:
        super().__init__(self._create_engine)
        self.url, self.connect_args, self.concurrency = url, connect_args, concurrency
        self.timeout = timeout

    def arguments(self) -> Mapping[str, Any]:
        """Keyword arguments for the driver; the user's own come first."""
        return self.connect_args

    def _create_engine(self) -> Engine:
        return pooled_engine(self.url.text, self.arguments(), self.concurrency)

    def errors(self) -> tuple[type[Exception], ...]:
        return (*super().errors(), *self.strange)

    def verdict(self, error: Exception) -> Verdict:
        away = type(driver_error(error)).__name__ in ("OperationalError", "InterfaceError")
        return Verdict.AWAY if away or isinstance(error, OSError) else Verdict.REFUSED

    def words(self, error: Exception) -> str:
        inner = driver_error(error)
        if isinstance(inner, self.strange):
            return f"the answer is none of a {self.dialect.name} server ({type(inner).__name__})"
        return super().words(inner)
