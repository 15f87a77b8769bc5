"""A process that is killed while it delivers: nothing is lost, nobody gets an edition twice."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from kpi_assets_tests.kills.bench import Bench, bench
from kpi_assets_tests.kills.channels import Told
from kpi_assets_tests.kills.killing import (
    ANY,
    BEFORE_ANSWER,
    BEFORE_CLAIM,
    BEFORE_CONNECT,
    BEFORE_WRITE,
    LINED,
    ON_CONNECT,
    SENDING,
    WRITING,
)
from kpi_assets_tests.kills.races import race
from kpi_assets_tests.kills.trial import trial

POINTS = {
    "smtp": LINED,
    "smtp-postgres": (ON_CONNECT, BEFORE_WRITE),
    "sendgrid": (SENDING, BEFORE_ANSWER),
    "slack": (ON_CONNECT, BEFORE_ANSWER),
    "webhook": (SENDING, BEFORE_WRITE),
    "s3": (SENDING, BEFORE_ANSWER),
    "scp": (SENDING, ANY),
    "static": (WRITING, BEFORE_WRITE),
}
"""All of mail, and of each other channel what it does in its own way; `benchmarks.kills` has them all."""
MARKS = {"scp": [pytest.mark.ssh], "smtp-postgres": [pytest.mark.postgres]}
CASES = [
    pytest.param(name, point, marks=MARKS.get(name, []), id=f"{name}, {point}")
    for name, points in POINTS.items()
    for point in points
]
RACES = [pytest.param(name, marks=MARKS.get(name, [])) for name in ("smtp", "smtp-postgres")]


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A channel with its ledger in SQLite or PostgreSQL."""
    name, _, database = request.param.partition("-")
    more = {"KPI_ASSETS_LEDGER": request.getfixturevalue("ledger_database")} if database else {}
    with bench(name, tmp_path_factory.mktemp(name), more=more) as made:
        yield made


@pytest.fixture(scope="module")
def ledger_database() -> Iterator[str]:
    from kpi_assets_tests.servers import new_database

    with new_database("postgresql") as database:
        yield database.url


@pytest.mark.slow
@pytest.mark.parametrize(("place", "point"), CASES, indirect=["place"])
def test_killed_anywhere_it_is_neither_lost_nor_doubled(place: Bench, point: str) -> None:
    """Killed at the point and run again, people have the edition once or are reported as unknown; pages are whole."""
    found = trial(place, point, random.Random(len(point)))
    assert (found.doubled, found.lost, found.mixed) == (False, False, "")
    ended = (found.state, found.received, found.codes)
    if not isinstance(place.channel, Told):
        assert ended == ("sent", 1, (0,))
    elif point == BEFORE_CLAIM:
        assert (found.at_kill, ended) == ("none", ("sent", 1, (0, 0)))
    elif point in (BEFORE_ANSWER, BEFORE_WRITE):
        assert (found.at_kill, found.received_at_kill, ended) == ("claimed", 1, ("unknown", 1, (1, 1)))
    elif point in (BEFORE_CONNECT, ON_CONNECT):
        assert (found.at_kill, found.received_at_kill, ended) == ("claimed", 0, ("sent", 1, (0, 0)))
    elif point != ANY:
        assert (found.at_kill, found.received_at_kill) == ("claimed", 0)


@pytest.mark.slow
@pytest.mark.parametrize("place", RACES, indirect=True)
def test_two_at_the_same_moment_are_one_message(place: Bench) -> None:
    """Processes that come to the ledger at the same moment are one message; each ends well."""
    for _ in range(3):
        assert race(place, 2) == (1, "sent", (0, 0))
