"""What the ledger keeps, on SQLite and PostgreSQL."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kpi_assets.errors import InputError, redact
from kpi_assets.ledger import Claim, Held, LedgerError, Refused, Terms
from kpi_assets.ledger.model import ONCE, Redeliver
from kpi_assets.ledger.store import Ledger, Search, open_ledger
from kpi_assets_tests.ledger.worlds import MAIL, PAGE, PEOPLE, START, Clock, receipt

OLD = Path(__file__).parents[1] / "golden" / "ledger_v1.sql"
LATER = START + timedelta(minutes=5)


def held(ledger: Ledger, claim: Claim = MAIL, *, now: datetime = START, terms: Terms = ONCE) -> Held:
    got = ledger.claim(claim, now=now, terms=terms)
    assert isinstance(got, Held)
    return got


def refused(ledger: Ledger, claim: Claim = MAIL, *, now: datetime = START, terms: Terms = ONCE) -> Refused:
    got = ledger.claim(claim, now=now, terms=terms)
    assert isinstance(got, Refused)
    return got


def send(ledger: Ledger, claim: Claim = MAIL, *, now: datetime = START) -> int:
    got = held(ledger, claim, now=now)
    ledger.arrived(got, receipt(claim), now=now)
    return got.id


# ---------------------------------------------------------------- claims


def test_a_claim_is_held_once(ledger: Ledger) -> None:
    """The second to claim is told that another process is at it, whatever the order and case of the recipients."""
    held(ledger)
    again = replace(MAIL, recipients=("BOB@example.com", "ada@example.com"))
    assert refused(ledger, again).stop == "busy"


@pytest.mark.parametrize(
    "other",
    [
        replace(MAIL, report="daily"),
        replace(MAIL, start=MAIL.start - timedelta(days=1)),
        replace(MAIL, end=MAIL.end + timedelta(days=1)),
        replace(MAIL, output="team"),
        replace(MAIL, recipients=("eve@example.com",)),
    ],
    ids=["report", "start", "end", "output", "recipients"],
)
def test_other_deliveries_are_claims_of_their_own(ledger: Ledger, other: Claim) -> None:
    """Report, window, output and recipients tell deliveries apart."""
    held(ledger)
    held(ledger, other)
    assert len(ledger.entries()) == 2


def test_what_arrived_is_kept_with_its_receipt(ledger: Ledger) -> None:
    """A settled entry tells who got what when, and through which run."""
    claim = replace(MAIL, run_id="run-1")
    ledger.arrived(held(ledger, claim), receipt(claim, detail="250 OK"), now=LATER)
    entry = ledger.entries()[0]
    assert (entry.state, entry.delivered_at, entry.recipients) == ("sent", LATER, PEOPLE)
    assert (entry.receipt, entry.run_id) == (receipt(claim, detail="250 OK"), "run-1")
    attempts = [(a.number, a.state, a.why, a.started_at, a.ended_at) for a in ledger.attempts(entry.id)]
    assert attempts == [(1, "sent", "first", START, LATER)]


def test_moments_are_utc_wherever_they_come_from(ledger: Ledger) -> None:
    """A clock in another zone and the database's own zone change nothing."""
    from zoneinfo import ZoneInfo

    send(ledger, now=START.astimezone(ZoneInfo("Asia/Tokyo")))
    entry = ledger.entries()[0]
    assert entry.delivered_at == START
    assert entry.delivered_at.tzinfo is UTC


def test_a_dead_process_leaves_doubt(ledger: Ledger) -> None:
    """After the lease nobody delivers it: the entry is unknown, its attempt too, until a person decides."""
    dead = held(ledger)
    assert refused(ledger, now=START + ledger.lease).stop == "unknown"
    assert ledger.entry(dead.id).state == "unknown"
    assert [a.state for a in ledger.attempts(dead.id)] == ["unknown"]
    assert refused(ledger, now=LATER).stop == "unknown"
    assert held(ledger, now=LATER, terms=Terms(force=True)).why == "forced"


def test_a_process_that_is_heard_of_keeps_its_claim(ledger: Ledger) -> None:
    """Renewing moves the end of the lease."""
    mine = held(ledger)
    assert ledger.renew(mine, now=START + timedelta(seconds=50))
    assert refused(ledger, now=START + timedelta(seconds=100)).stop == "busy"


def test_who_was_given_up_too_early_may_still_say_that_it_arrived(ledger: Ledger) -> None:
    """A process that was only slow settles its own doubt, if nobody took the claim meanwhile."""
    slow = held(ledger)
    assert refused(ledger, now=LATER).stop == "unknown"
    assert not ledger.renew(slow, now=LATER)
    ledger.arrived(slow, receipt(), now=LATER)
    assert ledger.entry(slow.id).state == "sent"


def test_who_was_overtaken_does_not_write_over_the_other(ledger: Ledger) -> None:
    """After a forced resend the slow process adds to the history and leaves the entry alone."""
    slow = held(ledger)
    quick = held(ledger, now=LATER, terms=Terms(force=True))
    ledger.arrived(quick, receipt(location="<second>"), now=LATER)
    ledger.failed(slow, "too late", now=LATER)
    entry = ledger.entry(slow.id)
    assert (entry.state, entry.receipt and entry.receipt.location, entry.forced) == ("sent", "<second>", True)
    assert [a.state for a in ledger.attempts(slow.id)] == ["failed", "sent"]


def test_what_publishes_is_replayed_after_a_crash(ledger: Ledger) -> None:
    """A claim of a publishing output stops nobody, during its lease or after."""
    dead = held(ledger, PAGE)
    assert held(ledger, PAGE).why == "publish"
    ledger.arrived(held(ledger, PAGE, now=LATER), receipt(PAGE), now=LATER)
    assert ledger.entry(dead.id).state == "sent"


def test_a_failed_delivery_is_tried_again(ledger: Ledger) -> None:
    """What certainly did not arrive is delivered by the next run."""
    ledger.failed(held(ledger), "server away", now=START)
    assert ledger.entries()[0].reason == "server away"
    assert held(ledger, now=LATER).why == "again"


@pytest.mark.parametrize(
    ("terms", "content"), [(Terms(force=True), "v1"), (Terms(redeliver="on_change"), "v2")]
)
def test_a_second_delivery_that_fails_takes_nothing_away(ledger: Ledger, terms: Terms, content: str) -> None:
    """People who have an edition have it still when a resend fails, so the next run does not send it."""
    first = send(ledger)
    again = held(ledger, replace(MAIL, content_hash=content, run_id="r"), now=LATER, terms=terms)
    ledger.failed(again, "server away", now=LATER)
    entry = ledger.entry(first)
    assert (entry.state, entry.content_hash, entry.delivered_at) == ("sent", "v1", START)
    assert refused(ledger, now=LATER).stop == "done"
    assert held(ledger, replace(MAIL, content_hash=content, run_id="r"), now=LATER, terms=terms)


def test_a_partial_delivery_says_who_has_it(ledger: Ledger) -> None:
    """With one of two refused the entry is partial, and reached holds the other alone."""
    mine = held(ledger)
    ledger.arrived(mine, receipt(refused=["bob@example.com: 550 no such user"]), now=START)
    entry = ledger.entry(mine.id)
    assert (entry.state, entry.reason) == ("partial", "bob@example.com: 550 no such user")
    assert entry.reached < entry.members
    assert len(entry.reached) == 1


def test_people_of_two_audiences_are_not_told_twice_at_once(ledger: Ledger) -> None:
    """A claim to somebody whom another claim is about to tell waits; afterwards he has it."""
    other = replace(MAIL, recipients=(*PEOPLE, "cid@example.com"))
    mine = held(ledger)
    assert refused(ledger, other).stop == "busy"
    ledger.arrived(mine, receipt(), now=START)
    assert refused(ledger, other).stop == "done"
    assert held(ledger, replace(MAIL, recipients=("cid@example.com",)))


def test_skipping_is_recorded_and_changes_nothing_else(ledger: Ledger) -> None:
    """An edition that was not to be sent is in the ledger with the reason; one that was sent stays sent."""
    ledger.skip(MAIL, "no rows", now=START)
    ledger.skip(MAIL, "below 10", now=LATER)
    entry = ledger.entries()[0]
    assert (entry.state, entry.reason, entry.attempts) == ("skipped", "below 10", 0)
    send(ledger, now=LATER)
    ledger.skip(MAIL, "no rows", now=LATER)
    assert ledger.entries()[0].state == "sent"


# ---------------------------------------------------------------- people


def test_a_person_can_confirm_a_doubt_and_nothing_else(ledger: Ledger) -> None:
    """A confirmed delivery counts as sent, with its content; one that is sent cannot be confirmed."""
    mine = held(ledger)
    ledger.in_doubt(mine, "no answer", now=START)
    entry = ledger.confirm(mine.id, now=LATER)
    assert (entry.state, entry.content_hash, entry.delivered_at) == ("sent", "v1", START)
    assert refused(ledger, now=LATER).stop == "done"
    with pytest.raises(InputError, match="is sent"):
        ledger.confirm(mine.id, now=LATER)


def test_what_is_forgotten_is_delivered_again(ledger: Ledger) -> None:
    """After `forget` there is neither row nor history; while a process delivers it is refused."""
    id = send(ledger)
    ledger.forget(id, now=START)
    assert (ledger.entries(), ledger.attempts(id)) == ([], [])
    with pytest.raises(InputError, match="there is no delivery"):
        ledger.entry(id)
    mine = held(ledger)
    assert mine.why == "first"
    with pytest.raises(InputError, match="right now"):
        ledger.forget(mine.id, now=START)


def test_entries_can_be_searched(ledger: Ledger) -> None:
    """By report, output, state, window and the moment of the last change; newest edition first."""
    before = replace(MAIL, start=MAIL.start - timedelta(days=7), end=MAIL.start, edition="2024-11-17")
    old = send(ledger, before)
    new = send(ledger, now=LATER)
    page = held(ledger, PAGE, now=LATER).id
    daily = send(ledger, replace(MAIL, report="daily"))

    def ids(search: Search) -> list[int]:
        return [entry.id for entry in ledger.entries(search)]

    assert ids(Search()) == [daily, new, page, old]
    assert ids(Search(report="weekly", states=("sent",))) == [new, old]
    assert ids(Search(output="disk")) == [page]
    assert ids(Search(since=LATER)) == [new, page]
    assert ids(Search(window=(before.start, before.end))) == [old]


def test_giving_up_the_dead_is_told(ledger: Ledger) -> None:
    """Every claim past its lease is settled and returned: notifications in doubt, publications failed."""
    held(ledger)
    held(ledger, PAGE)
    alive = held(ledger, replace(MAIL, report="daily"), now=LATER)
    given_up = ledger.give_up_lapsed(now=LATER)
    assert {(e.output, e.state) for e in given_up} == {("board", "unknown"), ("disk", "failed")}
    assert ledger.entry(alive.id).state == "claimed"


# ---------------------------------------------------------------- the database


def test_rows_outlive_the_process(tmp_path: Path, environ: dict[str, str], clock: Clock) -> None:
    """What one ledger wrote, another on the same place reads."""
    id = send(open_ledger(tmp_path, environ))
    again = open_ledger(tmp_path, environ)
    assert [entry.id for entry in again.entries()] == [id]
    assert refused(again).stop == "done"


def test_secrets_are_not_kept(tmp_path: Path) -> None:
    """No byte of the ledger's files holds a secret that came in a reason, a receipt or an address."""
    secret = 'hun"ter2é'
    ledger = open_ledger(tmp_path, {}, hide=lambda text: redact(text, [secret]))
    claim = replace(MAIL, recipients=(f"{secret}@example.com",))
    kept = held(ledger, claim)
    ledger.failed(kept, f"login as {secret} refused", now=START)
    said = receipt(claim, location=f"https://{secret}@host/", detail=secret, refused=[f"x: {secret}"])
    ledger.arrived(held(ledger, claim), said, now=START)
    ledger.skip(PAGE, f"{secret} says no", now=START)
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"weekly" in stored
    for form in (secret, secret.replace('"', '\\"'), "hun", "ter2"):
        assert form.encode() not in stored
    entry = ledger.entry(kept.id)
    assert entry.recipients == ("***@example.com",)
    assert refused(ledger, claim).stop == "done"


def test_old_ledgers_are_read(tmp_path: Path) -> None:
    """A file of the first version keeps its rows, their states and their history."""
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        connection.executescript(OLD.read_text(encoding="utf-8"))
    ledger = open_ledger(tmp_path, {})
    found = {(e.report, e.edition, e.output, e.state, e.attempts) for e in ledger.entries()}
    assert found == {
        ("weekly", "2024-11-24", "board", "sent", 2),
        ("weekly", "2024-11-24", "disk", "sent", 1),
        ("weekly", "2024-11-17", "board", "unknown", 1),
    }
    assert refused(ledger).stop == "done"


def test_a_ledger_from_the_future_is_left_alone(tmp_path: Path) -> None:
    """Tables of a later version are refused with the advice to upgrade."""
    open_ledger(tmp_path, {})
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        connection.execute("update kpi_assets_ledger set version = 99")
    with pytest.raises(LedgerError, match=r"version 99.*upgrade"):
        open_ledger(tmp_path, {})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "is not a URL"),
        ("mysql+pymysql://me:hunter2@h/db", "is a mysql URL"),
        (
            "postgresql://me:hunter2@127.0.0.1:1/db",
            r"postgresql\+psycopg2://me:\*\*\*@127.0.0.1:1/db cannot be used",
        ),
        ("postgres://me:hunter2@127.0.0.1:1/db", "cannot be used"),
    ],
)
def test_an_address_that_cannot_be_used_is_explained(tmp_path: Path, url: str, words: str) -> None:
    """The message names the variable or the place, and never the password."""
    with pytest.raises(LedgerError, match=words) as caught:
        open_ledger(tmp_path, {"KPI_ASSETS_LEDGER": url})
    assert "hunter2" not in str(caught.value)
    assert "KPI_ASSETS_LEDGER" in str(caught.value)


def test_a_file_that_is_no_ledger_is_explained(tmp_path: Path) -> None:
    """A file of something else, or a file in the way of the folder, is a LedgerError that names it."""
    (tmp_path / "ledger.db").write_text("this is not a database, it is a letter" * 50)
    with pytest.raises(LedgerError, match=r"ledger\.db cannot be used: .*not a database"):
        open_ledger(tmp_path, {})
    with pytest.raises(LedgerError, match="cannot be made"):
        open_ledger(tmp_path / "ledger.db", {})


def test_force_upon_part_of_an_audience_is_recorded(ledger: Ledger) -> None:
    """Who had it under another audience and is sent it alone gets it by force, also in the history."""
    send(ledger)
    alone = replace(MAIL, recipients=PEOPLE[:1])
    assert refused(ledger, alone).stop == "done"
    assert held(ledger, alone, terms=Terms(force=True)).why == "forced"


def test_refused_by_everybody_is_a_failure(ledger: Ledger) -> None:
    """A receipt that tells of refusals alone leaves nothing delivered: the next run tries again."""
    claim = replace(MAIL, recipients=PEOPLE[:1])
    ledger.arrived(held(ledger, claim), receipt(claim, refused=["ada@example.com: 550 unknown"]), now=START)
    assert ledger.entries()[0].state == "failed"
    assert held(ledger, claim).why == "again"


@pytest.mark.parametrize(("redeliver", "count"), [("never", 2), ("on_change", 1)])
def test_who_has_it_is_not_forgotten_by_a_resend(ledger: Ledger, redeliver: Redeliver, count: int) -> None:
    """A forced resend that one person refuses leaves him with what he had, which under `on_change` is old content."""
    send(ledger)
    changed = replace(MAIL, content_hash="v2")
    again = held(ledger, changed, terms=Terms(force=True, redeliver=redeliver))
    ledger.arrived(again, receipt(changed, refused=["bob@example.com: 550 later"]), now=LATER)
    entry = ledger.entry(again.id)
    assert (entry.state, len(entry.reached)) == ("partial", count)


@pytest.mark.parametrize("written", ["soon", "0", "-3", "nan", "1e300"])
def test_a_lease_is_a_number_of_seconds(tmp_path: Path, written: str) -> None:
    """`KPI_ASSETS_LEASE` sets how long a silent process counts as alive; what is no time is refused by name."""
    assert open_ledger(tmp_path, {"KPI_ASSETS_LEASE": "2.5"}).lease == timedelta(seconds=2.5)
    assert open_ledger(tmp_path, {}).lease == timedelta(seconds=60)
    with pytest.raises(LedgerError, match=f"KPI_ASSETS_LEASE is '{re.escape(written)}'; write a number"):
        open_ledger(tmp_path, {"KPI_ASSETS_LEASE": written})
