"""What peers of SQL warehouses answer from: DuckDB, so that bounds cut real rows. Only their wire formats are ours."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """An answer; `types` are DuckDB's."""

    names: Sequence[str]
    types: Sequence[str]
    rows: Sequence[Sequence[Any]]


class RefusedError(Exception):
    """The statement is wrong; in DuckDB's words."""


class Duck:
    """A database in memory, in UTC; one statement at a time."""

    def __init__(self, *statements: str) -> None:
        import duckdb

        self.connection = duckdb.connect()
        self.lock = threading.Lock()
        for statement in ("set timezone = 'UTC'", *statements):
            self.connection.execute(statement)

    def ask(self, text: str, params: Any = None, zone: str = "UTC") -> Table:
        """The answer, in a session of this zone. Raises RefusedError."""
        import duckdb

        with self.lock:
            try:
                self.connection.execute(f"set timezone = '{zone}'")
                found = self.connection.execute(text, params)
                names = [column[0] for column in found.description or []]
                types = [str(column[1]) for column in found.description or []]
                return Table(names, types, found.fetchall())
            except duckdb.Error as error:
                raise RefusedError(str(error).splitlines()[0]) from error


SALES = (
    "create table sales (id bigint, sold_at timestamp, moment timestamptz, day date, amount decimal(10, 2), "
    """who varchar, "from" varchar, ratio double)""",
    """insert into sales select i, t, t at time zone 'Europe/Berlin', t::date, i * 1.5,
    case when i % 2 = 0 then 'Zoë ☃' end, 'x', i / 4
    from (values (1, timestamp '2024-11-17 23:59:59'), (2, timestamp '2024-11-18 00:00:00'),
    (3, timestamp '2024-11-24 23:59:59.5'), (4, timestamp '2024-11-25 00:00:00')) as v (i, t)""",
)
"""Rows 2 and 3 lie in the week, by wall time, instant and day."""
