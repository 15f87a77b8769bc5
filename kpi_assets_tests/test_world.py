"""The world that conftest makes for every test."""

import os
import socket
import time

import pytest

from kpi_assets_tests.conftest import NetworkUsed
from kpi_assets_tests.servers import Database


def test_environment_is_scrubbed() -> None:
    """No report, state folder or Dagster home that a developer has exported leaks into a test; the zone is UTC."""
    assert [name for name in os.environ if name.startswith("KPI_ASSETS_") or name == "DAGSTER_HOME"] == []
    assert os.environ["DAGSTER_DISABLE_TELEMETRY"] == "yes"
    assert time.tzname == ("UTC", "UTC")


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "kpi.example"])
def test_network_is_closed(host: str) -> None:
    """A test that connects beyond this machine ends at once, before anything is sent or looked up."""
    with pytest.raises(NetworkUsed, match="may not reach"):
        socket.create_connection((host, 80), timeout=1)


def test_loopback_is_open() -> None:
    """A server that a test starts on 127.0.0.1 can be reached."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


@pytest.mark.postgres
def test_postgres_database_is_empty(postgres: Database) -> None:
    """Each test gets a PostgreSQL database of its own, without tables."""
    assert _tables(postgres, "public") == []


@pytest.mark.mariadb
def test_mariadb_database_is_empty(mariadb: Database) -> None:
    """Each test gets a MariaDB database of its own, without tables."""
    assert _tables(mariadb, mariadb.database) == []


def _tables(database: Database, schema: str) -> list[object]:
    connection = database.connect()
    with connection.cursor() as cursor:
        cursor.execute("select table_name from information_schema.tables where table_schema = %s", (schema,))
        rows = list(cursor.fetchall())
    connection.close()
    return rows
