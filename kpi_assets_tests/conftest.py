"""The same small world for every test: a clean environment, one time zone, no network beyond this machine."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import settings

from kpi_assets_tests.leaks import _listening, _no_secret_gets_out, pytest_runtest_makereport  # noqa: F401
from kpi_assets_tests.prometheus_server import prometheus_server
from kpi_assets_tests.servers import Database, missing, new_database

# Before anything of ours or of Dagster's is imported: what a developer has exported must not decide a test.
for _name in [name for name in os.environ if name.startswith(("KPI_ASSETS_", "DAGSTER_"))]:
    del os.environ[_name]
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
os.environ["TZ"] = "UTC"
time.tzset()
# Started with `&` by a shell that ignores it: the processes of tests would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A shared machine has slow moments; a test must not fail for that, and must not differ from run to run.
settings.register_profile("kpi_assets", deadline=None, derandomize=True, print_blob=True, database=None)
settings.load_profile("kpi_assets")

SERVERS = ("postgres", "mariadb", "browser", "ssh", "prometheus", "celery")


class NetworkUsed(BaseException):
    """A test tried to leave this machine. Not an Exception: code under test must not retry or swallow it."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests that need a server skip where it is missing, and fail where CI promised it."""
    for marker in SERVERS:
        if item.get_closest_marker(marker) and (reason := missing(marker)):
            advice = f"{reason}; scripts/servers.sh starts it"
            if os.environ.get("CI") == "true":
                pytest.fail(advice, pytrace=False)
            pytest.skip(advice)


@pytest.fixture
def postgres() -> Iterator[Database]:
    """An empty PostgreSQL database; mark the test `postgres`."""
    with new_database("postgresql") as database:
        yield database


@pytest.fixture
def mariadb() -> Iterator[Database]:
    """An empty MariaDB database; mark the test `mariadb`."""
    with new_database("mariadb") as database:
        yield database


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus with a known week; mark the test `prometheus`."""
    with prometheus_server(tmp_path_factory.mktemp("prometheus")) as address:
        yield address


@pytest.fixture(autouse=True)
def _same_environment_afterwards() -> Iterator[None]:
    """Commands and code locations export settings for processes that they start; the next test must not see them."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session", autouse=True)
def _only_this_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
        patch.setattr(socket, "getaddrinfo", _guarded_lookup(socket.getaddrinfo))
        yield


def _guarded(connect: Any) -> Any:
    def guard(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse_strangers(address[0])
        return connect(self, address)

    return guard


def _guarded_lookup(lookup: Any) -> Any:
    def guard(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_strangers(host)
        return lookup(host, *args, **kwargs)

    return guard


def _refuse_strangers(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", "0.0.0.0", "::"):
        return
    try:
        local = ip_address(name).is_loopback
    except ValueError:
        local = False
    if not local:
        raise NetworkUsed(f"a test may not reach {name}: give it a server on 127.0.0.1")
