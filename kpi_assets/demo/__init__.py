"""The demo: two years of a small software company in an SQLite file, and the weekly report on it.

The company is invented. Its rows are the same on every machine, so the report's numbers are as well.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

REPORT = Path(__file__).parent / "weekly_growth.yaml"
"""The demo's report file. It finds its database and its output folder by the two variables below."""

MAIL = Path(__file__).parent / "mail.yaml"
"""What is merged over the report so that it is mailed too; `mail_variables` are the variables that it needs."""

DATABASE_VARIABLE = "KPI_ASSETS_DEMO_DB"
OUTPUT_VARIABLE = "KPI_ASSETS_DEMO_OUTPUT"

VERSION = 1
"""Counted up with every change of the rows, so that an old demo database is made again."""

SCHEMA = Path(__file__).parent / "schema.sql"


def prepare(state: Path) -> dict[str, str]:
    """The variables that the report needs; seeds the database under `state` unless this version's is there."""
    database = state / "demo" / "demo.db"
    if _version(database) != VERSION:
        seed(database)
    return {DATABASE_VARIABLE: str(database), OUTPUT_VARIABLE: str(state / "demo" / "pages")}


def mail_variables(to: str, server: str) -> dict[str, str]:
    """Whom to mail the report, and through which server: `host` or `host:port`."""
    host, _, port = server.rpartition(":") if server.rpartition(":")[2].isdecimal() else (server, "", "25")
    return {
        "KPI_ASSETS_DEMO_MAIL_TO": to,
        "KPI_ASSETS_DEMO_SMTP_HOST": host.strip("[]"),
        "KPI_ASSETS_DEMO_SMTP_PORT": port,
    }


def seed(path: Path) -> None:
    """Write the database to `path`, replacing what is there; the file appears only when it is whole.

    Moments are text, `YYYY-MM-DD HH:MM:SS`, in the local time of Europe/Berlin.
    """
    from kpi_assets.demo.company import Company

    company = Company()
    company.live()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(unfinished)) as connection:
            connection.executescript(SCHEMA.read_text(encoding="utf-8"))
            for table, rows in company.rows.items():
                places = ", ".join("?" * len(rows[0]))
                connection.executemany(f"insert into {table} values ({places})", rows)  # noqa: S608 - our own names  # nosec B608
            connection.execute(f"pragma user_version = {VERSION}")
            connection.commit()
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _version(path: Path) -> int | None:
    """The version of a seeded database, None where there is none."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("pragma user_version").fetchone()[0]
    except sqlite3.DatabaseError:
        return None
