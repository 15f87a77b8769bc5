"""Commands about deliveries: what the ledger knows, a person's word, doctor and send-test."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

from kpi_assets.cli.app import app
from kpi_assets.cli.ledger_tables import attempts_table, deliveries_table, facts_table
from kpi_assets.errors import InputError, KpiAssetsError
from kpi_assets.ledger import Held, Terms
from kpi_assets.ledger.store import Ledger, open_ledger
from kpi_assets_tests.ledger.worlds import MAIL, PAGE, START, receipt
from kpi_assets_tests.shop import write_report

GOLDEN = Path(__file__).parents[1] / "golden" / "deliveries.txt"


def invoke(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=answer)


def claimed(ledger: Ledger, claim: object = MAIL, hours: float = 0, **terms: bool) -> Held:
    held = ledger.claim(claim, now=START + timedelta(hours=hours), terms=Terms(**terms))  # pyright: ignore
    assert isinstance(held, Held)
    return held


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose ledger has one delivery in every state."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KPI_ASSETS_HOME", str(tmp_path / "home"))
    ledger = open_ledger(tmp_path / "home", {})
    people = tuple(f"{name}@example.com" for name in ("ada", "bob", "cid", "dan"))
    ledger.arrived(claimed(ledger), receipt(), now=START)
    ledger.arrived(claimed(ledger, hours=2, force=True), receipt(), now=START + timedelta(hours=2, seconds=3))
    ledger.arrived(claimed(ledger, PAGE), receipt(PAGE, location="/srv/weekly/index.html"), now=START)
    some = replace(MAIL, output="team", recipients=people)
    ledger.arrived(
        claimed(ledger, some), receipt(some, refused=[f"{people[1]}: 550 no such user"]), now=START
    )
    before = replace(MAIL, start=MAIL.start - timedelta(7), end=MAIL.start, edition="2024-11-17")
    ledger.in_doubt(claimed(ledger, before), "the line broke after the last byte", now=START)
    ledger.failed(claimed(ledger, replace(before, output="team")), "server away", now=START)
    ledger.skip(replace(before, report="alarms", output="ops"), "`when` does not hold: 0 rows", now=START)
    return tmp_path / "home"


def test_the_table_can_be_read(home: Path) -> None:
    """What `list` and `show` print is the golden page, a hundred signs wide."""
    ledger, page = open_ledger(home, {}), StringIO()
    console = Console(file=page, width=100, color_system=None)
    console.print(deliveries_table(ledger.entries()))
    console.print(attempts_table(ledger.attempts(1)))
    text = "\n".join(line.rstrip() for line in page.getvalue().splitlines()) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ((), {1, 2, 3, 4, 5, 6}),
        (("--report", "alarms"), {6}),
        (("--state", "unknown", "--state", "failed"), {4, 5}),
        (("--since", "2024-11-26"), set[int]()),
    ],
)
def test_list_can_be_narrowed(home: Path, options: tuple[str, ...], ids: set[int]) -> None:
    """By report, states and day; nothing found is said on standard error."""
    done = invoke("deliveries", "list", *options)
    assert done.exit_code == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert {int(row[0]) for row in rows if row and row[0].isdigit()} == ids
    assert ("no deliveries like that" in done.stderr) is (not ids)


@pytest.mark.parametrize("option", [("--state", "snet"), ("--since", "monday")])
def test_list_refuses_what_it_does_not_know(home: Path, option: tuple[str, str]) -> None:
    """A state or day that cannot be read is an error that names it."""
    error = invoke("deliveries", "list", *option).exception
    assert isinstance(error, InputError)
    assert option[1] in str(error)


def test_show_tells_everything(home: Path) -> None:
    """`show` names recipients, receipt and every attempt; an unknown number is refused."""
    text = invoke("deliveries", "show", "1").stdout
    for word in ("ada@example.com", "bob@example.com", "<2024-11-24.weekly@kpi>", "first", "forced", "3.0"):
        assert word in text
    assert isinstance(invoke("deliveries", "show", "99").exception, InputError)


def test_forget_asks_first(home: Path) -> None:
    """Without a yes nothing is forgotten; with it, or with `--yes`, the row is gone."""
    ledger = open_ledger(home, {})
    assert invoke("deliveries", "forget", "1", answer="n\n").exit_code == 1
    assert len(ledger.entries()) == 6
    assert invoke("deliveries", "forget", "1", answer="y\n").exit_code == 0
    assert invoke("deliveries", "forget", "2", "--yes").exit_code == 0
    assert {entry.id for entry in ledger.entries()} == {3, 4, 5, 6}


def test_confirm_settles_a_doubt(home: Path) -> None:
    """An unknown delivery counts as sent after `confirm`."""
    assert invoke("deliveries", "confirm", "4").exit_code == 0
    assert open_ledger(home, {}).entry(4).state == "sent"


def test_resend_delivers_the_stored_document(home: Path, tmp_path: Path) -> None:
    """`resend` writes the edition again from the store, after asking; another report's is refused."""
    file = write_report(tmp_path)
    assert invoke("run", "-c", str(file)).exit_code == 0
    ledger = open_ledger(home, {})
    entry = next(entry for entry in ledger.entries() if entry.report == "orders")
    page = tmp_path / "out/2024-11-18_2024-11-25_orders/index.html"
    page.unlink()
    assert invoke("deliveries", "resend", str(entry.id), "-c", str(file), answer="n\n").exit_code == 1
    assert not page.exists()
    assert invoke("deliveries", "resend", str(entry.id), "-c", str(file), "--yes").exit_code == 0
    assert page.exists()
    assert ledger.entry(entry.id).attempts == 2
    error = invoke("deliveries", "resend", "1", "-c", str(file), "--yes").exception
    assert "of report 'weekly', and -c names 'orders'" in str(error)


def test_doctor_says_what_is_wrong_in_a_line_each(home: Path, tmp_path: Path) -> None:
    """All is well, then the database is gone: its line says so, the others stay well, and the exit code is 1."""
    file = write_report(tmp_path)
    well = invoke("doctor", "-c", str(file))
    assert (well.exit_code, well.stdout.count("✓")) == (0, 3)
    (tmp_path / "shop.db").unlink()
    ill = invoke("doctor", "-c", str(file))
    assert (ill.exit_code, ill.stdout.count("✓"), ill.stdout.count("✗")) == (1, 2, 1)
    assert len(ill.stdout.splitlines()) == 3
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").write_text("a file in the way")
    assert "cannot be a folder, a file is in the way" in invoke("doctor", "-c", str(file)).stdout


def test_doctor_looks_at_the_ledger(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that cannot be reached is one of the lines, without its password."""
    monkeypatch.setenv("KPI_ASSETS_LEDGER", "postgresql://me:hunter2@127.0.0.1:1/db")
    done = invoke("doctor", "-c", str(write_report(tmp_path)))
    assert done.exit_code == 1
    assert "✗ ledger" in done.stdout
    assert "hunter2" not in done.stdout


def test_a_partial_delivery_shows_who_got_it(home: Path) -> None:
    """`show` has those who got it, and those who were refused with the reason, apart."""
    ledger = open_ledger(home, os.environ)
    held = claimed(ledger, replace(MAIL, output="few"))
    refused = ("bob@example.com: 550 no such user",)
    ledger.arrived(held, receipt(MAIL, refused=refused), now=START)
    text = StringIO()
    Console(file=text, width=100).print(facts_table(ledger.entry(held.id)))
    assert re.search(
        r"who got it +ada@example.com *\n +who did not +bob@example.com: 550 no such user", text.getvalue()
    )
    assert text.getvalue().count("bob@") == 1


def test_send_test_needs_somebody_to_tell(home: Path, tmp_path: Path) -> None:
    """A report that only publishes has nothing to test; an output without addresses says so; nothing is recorded."""
    file = write_report(tmp_path)
    none = invoke("send-test", "-c", str(file), "--to", "me@example.com").exception
    assert isinstance(none, KpiAssetsError)
    assert "no output that people see" in str(none)
    done = invoke("send-test", "-c", str(file), "--to", "me@example.com", "--output", "disk")
    assert done.exit_code == 1
    assert "cannot be sent to another address (me@example.com)" in done.stderr
    assert all(entry.report != "orders" for entry in open_ledger(home, {}).entries())


def test_old_deliveries_are_pruned(home: Path) -> None:
    """`prune` removes what is old and settled, keeps what is unknown or still young, and asks first."""
    ledger = open_ledger(home, {})
    assert invoke("deliveries", "prune", "--older-than", "1w", answer="n\n").exit_code == 1
    assert invoke("deliveries", "prune", "--older-than", "90y", "--yes").exit_code == 0
    before = len(ledger.entries())
    ledger.failed(claimed(ledger, replace(MAIL, output="late")), "away", now=datetime.now(UTC))
    done = invoke("deliveries", "prune", "--older-than", "1w", "--yes")
    assert f"removed {before - 1} deliveries" in done.stderr
    assert {(entry.output, entry.state) for entry in ledger.entries()} == {
        ("board", "unknown"),
        ("late", "failed"),
    }


@pytest.mark.parametrize("age", ["6d", "-1y", "soon", "", "9" * 400 + "y"])
def test_an_age_must_be_one(home: Path, age: str) -> None:
    """What is no age, or so short that last week's edition would be sent again, is refused by name."""
    error = invoke("deliveries", "prune", "--older-than", age, "--yes").exception
    assert isinstance(error, InputError)
    assert f"--older-than is '{age}'" in str(error)
