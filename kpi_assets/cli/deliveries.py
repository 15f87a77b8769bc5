"""`kpi-assets deliveries`: what the ledger knows, and what a person may tell it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpi_assets.cli.console import err, print_table, step
from kpi_assets.cli.reports import ConfigFiles, Home, read_plan
from kpi_assets.errors import InputError, suggest

if TYPE_CHECKING:
    from kpi_assets.ledger import Entry, State
    from kpi_assets.ledger.store import Ledger

app = typer.Typer(
    no_args_is_help=True, help="What was delivered to whom; resend, confirm or forget one; prune old ones."
)

Id = Annotated[int, typer.Argument(metavar="ID", help="Number of the delivery, as `list` shows it.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_(
    report: Annotated[str | None, typer.Option("--report", metavar="ID", help="Only this report.")] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state", help="Only this: claimed, sent, partial, failed, unknown, skipped; repeatable."
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DAY", help="Only what changed on this day (UTC) or later."),
    ] = None,
    home: Home = None,
) -> None:
    """Show deliveries, the newest edition first. What a dead process left open is shown as unknown."""
    from kpi_assets.cli.ledger_tables import deliveries_table
    from kpi_assets.ledger.store import Search

    ledger = _ledger(home)
    ledger.give_up_lapsed(now=_now())
    found = ledger.entries(Search(report=report, states=_states(state), since=_since(since)))
    if not found:
        err.print("no deliveries" + (" like that" if report or state or since else " yet"))
        return
    print_table(deliveries_table(found))
    unknown = [entry for entry in found if entry.state == "unknown"]
    if unknown:
        err.print(
            f"[yellow]{len(unknown)} unknown[/]: look whether it arrived, then `kpi-assets deliveries confirm ID` "
            "if it did, or `kpi-assets deliveries resend ID`"
        )


@app.command("show")
def show(id: Id, home: Home = None) -> None:
    """Everything about one delivery: recipients, receipt, and every attempt."""
    from kpi_assets.cli.ledger_tables import attempts_table, facts_table

    ledger = _ledger(home)
    ledger.give_up_lapsed(now=_now())
    entry = ledger.entry(id)
    print_table(facts_table(entry))
    attempts = ledger.attempts(id)
    if attempts:
        print_table(attempts_table(attempts))


@app.command("resend")
def resend(id: Id, config_file: ConfigFiles = None, yes: Yes = False, home: Home = None) -> None:
    """Deliver the stored document of that edition again, to the same recipients; recorded as forced."""
    from kpi_assets import delivery
    from kpi_assets.cli.progress import describe
    from kpi_assets.session import home_from, open_session

    plan = read_plan(config_file)
    with open_session(plan, home or home_from(os.environ)) as session:
        entry = session.ledger.entry(id)
        if entry.report != plan.id:
            raise InputError(f"delivery {id} is of report '{entry.report}', and -c names '{plan.id}'")
        _ask(yes, f"Send {_named(entry)} again to {', '.join(entry.recipients) or entry.output}?")
        delivered = delivery.resend(session, entry)
    step(describe(delivered), good=delivered.error is None)
    if delivered.error:
        raise typer.Exit(1)


@app.command("confirm")
def confirm(id: Id, home: Home = None) -> None:
    """Tell that an unknown delivery did arrive: it counts as sent from now on."""
    entry = _ledger(home).confirm(id, now=_now())
    step(f"{_named(entry)} counts as sent")


@app.command("forget")
def forget(id: Id, yes: Yes = False, home: Home = None) -> None:
    """Remove a delivery from the ledger: the next run of that edition delivers as if it never had been."""
    ledger = _ledger(home)
    entry = ledger.entry(id)
    _ask(yes, f"Forget {_named(entry)} ({entry.state})? The next run of this edition will deliver it.")
    ledger.forget(id, now=_now())
    step(f"forgot {_named(entry)}")


@app.command("prune")
def prune(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="TIME", help="How old, as 2y, 26w or 400d; at least 7d.")
    ],
    yes: Yes = False,
    home: Home = None,
) -> None:
    """Remove old deliveries from the ledger. What is unknown stays; an edition made again is delivered again."""
    before = _now() - _age(older_than)
    _ask(yes, f"Remove deliveries of editions that ended, and were settled, before {before:%Y-%m-%d}?")
    removed = _ledger(home).prune(before, now=_now())
    what = "delivery" if len(removed) == 1 else "deliveries"
    step(f"removed {len(removed)} {what} from before {before:%Y-%m-%d}")


def _age(written: str) -> timedelta:
    from kpi_assets.style.durations import parse_duration

    try:
        age = timedelta(milliseconds=parse_duration(written))
    except (ValueError, OverflowError):
        age = timedelta(0)
    if not timedelta(days=7) <= age < timedelta(days=36500):
        raise InputError(f"--older-than is '{written}'; write a time of at least 7d, as 2y, 26w or 400d")
    return age


def _ledger(home: Path | None) -> Ledger:
    from kpi_assets.ledger.store import open_ledger
    from kpi_assets.session import home_from

    return open_ledger(home or home_from(os.environ), os.environ)


def _now() -> datetime:
    return datetime.now(UTC)


def _named(entry: Entry) -> str:
    return f"edition {entry.edition} of {entry.report} by {entry.output}"


def _ask(yes: bool, question: str) -> None:
    if not yes:
        typer.confirm(question, abort=True, err=True)


def _states(wanted: list[str] | None) -> tuple[State, ...]:
    from kpi_assets.ledger.model import STATES

    for state in wanted or ():
        if state not in STATES:
            raise InputError(f"--state '{state}' is not known: {suggest(state, STATES)}")
    return tuple(state for state in STATES if state in (wanted or ()))


def _since(day: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None
    except ValueError:
        raise InputError(f"--since is '{day}'; write a day as 2024-11-24") from None
