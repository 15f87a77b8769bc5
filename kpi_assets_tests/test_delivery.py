"""The last stage: stored documents, several outputs, changing audiences."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kpi_assets.contracts import Block, Document, File, Format, Output, PluginArgs, Receipt
from kpi_assets.delivery import Delivered, Foreseen, deliver_outputs, foresee_outputs, resend
from kpi_assets.editions import EditionMissingError
from kpi_assets.errors import DeliveryError, InputError
from kpi_assets.ledger import Held
from kpi_assets.plan import OutputPlan
from kpi_assets.session import Session
from kpi_assets_tests.assets.reports import ENVIRON, SECRET, Desk, make_plan

NOW = datetime(2024, 11, 25, 5, tzinfo=UTC)
KEY = "2024-11-24"


@dataclass
class Town:
    """Who lives where: what each person got, and who cannot be reached."""

    got: dict[str, list[str]] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    broken: BaseException | None = None


TOWN: dict[str, Town] = {}


class MailArgs(PluginArgs):
    to: tuple[str, ...]
    town: str
    each: bool = False
    """Each person is a delivery of its own."""
    fixed: bool = False
    """The audience cannot be changed."""


class Mail(Output):
    """Puts the title into people's letter boxes."""

    Args = MailArgs
    effect = "notify"

    @property
    def formats(self) -> frozenset[Format]:
        return frozenset({"html"})

    @property
    def recipients(self) -> tuple[str, ...]:
        return self.args.to

    def split(self) -> tuple[Output, ...]:
        return tuple(self._to((person,)) for person in self.args.to) if self.args.each else (self,)

    def readdressed(self, to: Sequence[str]) -> Output:
        return super().readdressed(to) if self.args.fixed else self._to(tuple(to))

    def _to(self, people: tuple[str, ...]) -> Mail:
        return Mail(self.id, self.args.model_copy(update={"to": people}))

    def preview(self, document: Document) -> str:
        return f"would mail '{document.title}'"

    def deliver(self, document: Document) -> Receipt:
        town = TOWN[self.args.town]
        if town.broken:
            raise town.broken
        there = tuple(person for person in self.args.to if person not in town.moved)
        for person in there:
            town.got.setdefault(person, []).append(document.title)
        away = tuple(f"{person}: 550 moved away" for person in self.args.to if person in town.moved)
        return Receipt(self.id, "mail", "notify", "<id@kpi>", document.content_hash, there, refused=away)


@dataclass
class World:
    """A report with a mail and a page, its edition stored."""

    session: Session
    town: Town

    def deliver(self, **more: Any) -> dict[str, list[Delivered]]:
        found: dict[str, list[Delivered]] = {}
        for delivered in deliver_outputs(self.session, [self.session.plan.window(KEY)], **more):
            found.setdefault(delivered.output, []).append(delivered)
        return found

    def mailed(self, **more: Any) -> Delivered:
        (delivered,) = self.deliver(**more)["board"]
        return delivered

    def write(self, title: str = "Sign-ups") -> Document:
        plan = self.session.plan
        block = Block(view="total", plugin="sum", title=title)
        file = File("index.html", "text/html", title.encode())
        document = Document(plan.id, title, "sign-ups", KEY, plan.window(KEY), "", (block,), files=(file,))
        self.session.editions.save_document(plan.id, KEY, document)
        return document

    def change(self, output: str = "board", *, redeliver: str | None = None, **args: Any) -> None:
        """Edit the report's file, as it were."""
        plan = self.session.plan
        outputs = [
            replace(o, raw_args={**o.raw_args, **args}, redeliver=redeliver or o.redeliver)
            if o.id == output
            else o
            for o in plan.outputs
        ]
        self.session = replace_session(self.session, replace(plan, outputs=tuple(outputs)))


def replace_session(old: Session, plan: Any) -> Session:
    return Session(plan, old.home, old.environ, clock=old.clock)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    plan = make_plan(tmp_path, outputs={"desk": Desk})
    raw: Mapping[str, Any] = {"to": ("ada", "bob"), "town": str(tmp_path)}
    mail = OutputPlan("board", "mail", Mail, raw, "notify", frozenset({"html"}))
    TOWN[str(tmp_path)] = town = Town()
    world = World(
        Session(replace(plan, outputs=(mail, *plan.outputs)), tmp_path / "home", ENVIRON, clock=lambda: NOW),
        town,
    )
    world.write()
    yield world
    del TOWN[str(tmp_path)]


def test_a_second_run_publishes_and_tells_nobody(world: World) -> None:
    """The page is written again, the mail is not, and its receipt is that of the first run."""
    first, second = world.deliver(), world.deliver()
    assert list(first) == ["desk", "board"]
    assert world.town.got == {"ada": ["Sign-ups"], "bob": ["Sign-ups"]}
    assert [part.skipped for part in second["desk"]] == [""]
    (mail,) = second["board"]
    assert (mail.skipped, mail.error) == ("sent 2024-11-25 05:00 UTC", None)
    assert mail.receipt == first["board"][0].receipt


def test_changed_content_is_not_sent_again_unless_asked(world: World) -> None:
    """`redeliver: never` keeps people in peace, `on_change` sends each content once."""
    world.mailed()
    world.write("Corrected")
    assert "with other content" in world.mailed().skipped
    world.change(redeliver="on_change")
    assert [bool(world.mailed().skipped), bool(world.mailed().skipped)] == [False, True]
    assert world.town.got["ada"] == ["Sign-ups", "Corrected"]


def test_when_it_was_fetched_is_no_change(world: World) -> None:
    """An edition whose page tells another time of fetching is the same to `on_change`."""
    world.change(redeliver="on_change")
    document = world.write()
    world.mailed()
    other = replace(document, files=(File("index.html", "text/html", b"fetched a minute later"),))
    world.session.editions.save_document("weekly", KEY, other)
    assert other.content_hash != document.content_hash
    assert world.mailed().skipped


def test_force_sends_again_once_in_a_run(world: World) -> None:
    """By force people get it again; the same run repeated does not force again."""
    world.mailed(run_id="monday")
    assert world.mailed(force=True, run_id="tuesday").forced
    assert world.mailed(force=True, run_id="tuesday").skipped
    assert world.town.got["ada"] == ["Sign-ups"] * 2


def test_newcomers_get_it_and_the_others_not_again(world: World) -> None:
    """Who is added to an audience gets the edition alone; who is taken out changes nothing."""
    world.mailed()
    world.change(to=("ada", "bob", "cid"))
    receipt = world.mailed().receipt
    assert receipt is not None
    assert receipt.recipients == ("cid",)
    world.change(to=("ada", "cid"))
    assert world.mailed().skipped == "everybody has it already"
    assert world.town.got == {name: ["Sign-ups"] for name in ("ada", "bob", "cid")}


def test_an_output_that_cannot_be_readdressed_says_so(world: World) -> None:
    """With a fixed audience that grew, nobody gets it again and the error tells why."""
    world.mailed()
    world.change(to=("ada", "bob", "cid"), fixed=True)
    assert "cannot be sent to another address (cid)" in str(world.mailed().error)
    assert world.town.got["ada"] == ["Sign-ups"]


def test_who_was_refused_is_tried_again_alone(world: World) -> None:
    """A partial delivery is an error with a receipt; the next run tells the refused and nobody else."""
    world.town.moved.add("bob")
    first = world.mailed()
    assert "bob: 550 moved away" in str(first.error)
    assert first.receipt is not None
    world.town.moved.clear()
    assert world.mailed().error is None
    assert world.town.got == {"ada": ["Sign-ups"], "bob": ["Sign-ups"]}
    assert world.mailed().skipped


def test_parts_are_delivered_each_on_its_own(world: World) -> None:
    """Of an output that splits, each part has an outcome; only the part that failed is tried again."""
    world.change(each=True)
    world.town.moved.add("ada")
    assert [part.error is None for part in world.deliver()["board"]] == [False, True]
    world.town.moved.clear()
    assert [bool(part.skipped) for part in world.deliver()["board"]] == [False, True]
    assert world.town.got == {"ada": ["Sign-ups"], "bob": ["Sign-ups"]}


def test_a_doubt_is_an_error_until_a_person_decides(world: World) -> None:
    """An unknown delivery fails every run, sends nothing, and is settled by `resend`."""
    world.town.broken = DeliveryError("board", "the line broke", ambiguous=True)
    world.mailed()
    world.town.broken = None
    for _ in range(2):
        assert "it is not known whether ada, bob got edition 2024-11-24 (the line broke)" in str(
            world.mailed().error
        )
    assert world.town.got == {}
    assert resend(world.session, world.session.ledger.entries()[0]).forced
    assert world.mailed().skipped
    assert world.town.got == {"ada": ["Sign-ups"], "bob": ["Sign-ups"]}


def test_resending_reaches_the_people_of_then(world: World) -> None:
    """After the audience changed, a resend goes to those whom the entry names."""
    world.mailed()
    world.change(to=("cid",))
    (entry,) = [e for e in world.session.ledger.entries() if e.output == "board"]
    resend(world.session, entry)
    assert world.town.got == {"ada": ["Sign-ups"] * 2, "bob": ["Sign-ups"] * 2}


def test_what_cannot_be_resent_is_explained(world: World) -> None:
    """An output that is gone from the report, or an edition that is gone from the store, is named."""
    world.mailed()
    entry = next(e for e in world.session.ledger.entries() if e.output == "board")
    with pytest.raises(InputError, match="no output 'bord' any more: did you mean 'board'"):
        resend(world.session, replace(entry, output="bord"))
    with pytest.raises(EditionMissingError, match="2024-11-17"):
        resend(world.session, replace(entry, edition="2024-11-17"))


def test_bugs_of_an_output_hide_secrets_and_stop_nobody_else(world: World) -> None:
    """An exception with a secret in it becomes an error without; the page is written; the ledger does not know it."""
    world.town.broken = ZeroDivisionError(f"login {SECRET} refused")
    found = world.deliver()
    assert str(found["board"][0].error) == "output 'board': ZeroDivisionError: login *** refused"
    assert found["desk"][0].error is None
    stored = b"".join(path.read_bytes() for path in world.session.home.glob("ledger.db*"))
    assert b"ZeroDivisionError" in stored
    assert SECRET.encode() not in stored


def test_a_dry_run_says_who_would_get_it_and_who_not(world: World) -> None:
    """Before, after, with a newcomer, and by force: what would happen is told and nothing does."""

    def foreseen(**more: Any) -> Foreseen:
        session = world.session
        document = session.editions.load_document(session.plan.id, KEY)
        (found,) = foresee_outputs(session, document, ["board"], **more)
        return found

    text = "would mail 'Sign-ups'"
    assert foreseen() == Foreseen("board", text, ("ada", "bob"))
    assert (world.town.got, world.session.ledger.entries()) == ({}, [])
    world.mailed()
    assert foreseen() == Foreseen("board", text, ("ada", "bob"), "sent 2024-11-25 05:00 UTC")
    assert foreseen(force=True) == Foreseen("board", text, ("ada", "bob"))
    world.change(to=("ada", "cid"))
    assert foreseen() == Foreseen("board", text, ("cid",))


def test_the_dead_of_other_editions_are_reported(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A run says of every other edition of its report whether a dead process left its delivery open."""
    from kpi_assets.ledger import Claim

    day = world.session.plan.window("2024-11-17")
    claim = Claim("weekly", day.start, day.end, "board", "2024-11-17", recipients=("ada",))
    assert isinstance(world.session.ledger.claim(claim, now=NOW - timedelta(days=7)), Held)
    with caplog.at_level(logging.WARNING, logger="kpi_assets"):
        world.deliver()
        world.deliver()
    assert [record.getMessage().partition(";")[0] for record in caplog.records] == [
        "weekly/outputs/board 2024-11-17: it is not known whether ada got edition 2024-11-17 "
        "(the process that delivered it died before it had an answer)"
    ]
