"""What must hold after the year, counted from what people got, what the stores hold and what was launched."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from benchmarks.year.daemon import Daemon, Run, Tick
from benchmarks.year.world import BOARD, KINDS, OWNER, ZONE
from kpi_assets.editions import EditionStore

if TYPE_CHECKING:
    from kpi_assets_tests.outputs.mail_peer import Post

TRIES = 3
RECOVERED, FAILED = "is well again", " failed"

Key = tuple[str, str]
"""Report and edition."""


@dataclass(frozen=True)
class Figures:
    """The year in numbers. `broken` are sentences on what should have held and did not: none is the aim.

    `left_alone`: editions whose three runs all failed. `withheld`: made, and by policy not delivered to people.
    """

    days: int
    ticks: int
    ticks_missed: int
    ticks_lost: int
    restarts: int
    looks: int
    queries: int
    queries_failed: int
    runs: int
    runs_failed: int
    editions: int
    left_alone: int
    delivered: int
    delivered_twice: int
    withheld: int
    owner_told_of_failures: int
    owner_told_of_recoveries: int
    broken: tuple[str, ...]


@dataclass(frozen=True)
class Year:
    """The evidence."""

    ticks: Sequence[Tick]
    runs: Sequence[Run]
    got: Counter[tuple[str, str, str]]
    notes: Sequence[str]
    made: frozenset[Key]

    def runs_of(self, key: Key) -> list[Run]:
        return [run for run in self.runs if (run.report, run.edition) == key]

    def left_alone(self, key: Key) -> bool:
        runs = self.runs_of(key)
        return len(runs) >= TRIES and not any(run.good for run in runs)

    def copies(self, key: Key) -> list[int]:
        """How often each of the board got it."""
        return [self.got[(person, *key)] for person in BOARD]


def judge(daemon: Daemon, ticks: Sequence[Tick], posts: Sequence[Post]) -> Figures:
    """Count, and say what is broken."""
    year = Year(ticks, daemon.runs, _received(posts), _notes(posts), frozenset(_made(daemon)))
    wanted = {key_of(tick): tick for tick in ticks}
    copies = [year.copies(key) for key in wanted]
    source = daemon.world.source
    return Figures(
        days=len({tick.at.astimezone(ZoneInfo(ZONE)).date() for tick in ticks}),
        ticks=len(ticks),
        ticks_missed=sum(tick.fate == "missed" for tick in ticks),
        ticks_lost=sum(tick.fate == "lost" for tick in ticks),
        restarts=daemon.restarts,
        looks=daemon.looks,
        queries=source.asked,
        queries_failed=source.failed,
        runs=len(year.runs),
        runs_failed=sum(not run.good for run in year.runs),
        editions=len(year.made),
        left_alone=sum(year.left_alone(key) for key in wanted),
        delivered=sum(sum(each) > 0 for each in copies),
        delivered_twice=sum(max(each) > 1 for each in copies),
        withheld=sum(
            sum(each) == 0 and not year.left_alone(key) for key, each in zip(wanted, copies, strict=True)
        ),
        owner_told_of_failures=sum(FAILED in note for note in year.notes),
        owner_told_of_recoveries=sum(RECOVERED in note for note in year.notes),
        broken=(*_ticks(year), *_editions(year, wanted), *_deliveries(year, wanted), *_owner(year)),
    )


def key_of(tick: Tick) -> Key:
    return tick.kind.name, tick.edition


# ---------------------------------------------------------------- the evidence


def _received(posts: Sequence[Post]) -> Counter[tuple[str, str, str]]:
    """(person, report, edition) -> how often."""
    found: Counter[tuple[str, str, str]] = Counter()
    for post in posts:
        if OWNER not in post.recipients:
            report, edition = str(post.message["Subject"]).split()
            found.update((person, report, edition) for person in post.recipients)
    return found


def _notes(posts: Sequence[Post]) -> list[str]:
    """What the owner got, in order: subject and text."""
    theirs = [post.message for post in posts if OWNER in post.recipients]
    return [f"{message['Subject']}\n{message.get_content()}" for message in theirs]


def _made(daemon: Daemon) -> Iterator[Key]:
    store = EditionStore(daemon.world.home)
    for kind in KINDS:
        for edition in store.editions(kind.name):
            store.load_document(kind.name, edition)
            yield kind.name, edition


# ---------------------------------------------------------------- what must hold


def _ticks(year: Year) -> Iterator[str]:
    """One tick a day, also on the days on which clocks change."""
    days = Counter(tick.at.astimezone(ZoneInfo(ZONE)).date() for tick in year.ticks if tick.kind is KINDS[0])
    first, last = min(days), max(days)
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        if days[day] != 1:
            yield f"the daily schedule ticked {days[day]} times on {day}"


def _editions(year: Year, wanted: dict[Key, Tick]) -> Iterator[str]:
    for key in wanted:
        if key not in year.made and not year.left_alone(key):
            yield f"edition {key} does not exist"
    for key in year.made - set(wanted):
        yield f"edition {key} was made, and nobody asked for it"


def _deliveries(year: Year, wanted: dict[Key, Tick]) -> Iterator[str]:
    for key, tick in wanted.items():
        copies, expected = year.copies(key), _expected(year, tick)
        if any(count != expected for count in copies):
            yield f"edition {key} ({tick.fate}) reached {BOARD} {copies} times, expected {expected}"


def _expected(year: Year, tick: Tick) -> int:
    """How often each must have got the edition, by what `catch_up` promises."""
    if year.left_alone(key_of(tick)):
        return 0
    match tick.kind.policy:
        case "all":
            return 1
        case "latest":
            return int(tick.fate != "missed")
        case _:
            return int(tick.fate == "ran" and year.runs_of(key_of(tick))[0].good)


def _owner(year: Year) -> Iterator[str]:
    told = Counter(run for note in year.notes if FAILED in note for run in re.findall(r"Run: (\S+)", note))
    for run in year.runs:
        if told[run.id] != (not run.good):
            yield f"of run {run.id} ({run.report} {run.edition}) the owner was told {told[run.id]} times"
    for kind in KINDS:
        yield from _recoveries(year, kind.name)


def _recoveries(year: Year, report: str) -> Iterator[str]:
    """After trouble, and before the next, one recovery; none without trouble."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for note in year.notes:
        subject = note.splitlines()[0]
        if f"] {report}" in subject:
            kinds[report].append("well" if RECOVERED in subject else "failed")
    said = kinds[report]
    for before, after in zip(["well", *said], said, strict=False):
        if before == after == "well":
            yield f"the owner of {report} was told of a recovery without trouble before it"
    good = [run.good and run.notify for run in year.runs if run.report == report]
    if said and said[-1] == "failed" and good and good[-1]:
        yield f"the owner of {report} was not told that all is well again"
