"""`kpi-assets backfill`: what is finished stays finished, whatever happened to the command before."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kpi_assets.cli.app import app
from kpi_assets.cli.bar import Tally, time_left
from kpi_assets_tests.shop import write_report

ROOT = Path(__file__).parents[2]


def backfill(file: Path, first: str, last: str, *more: str) -> Result:
    home = ("--home", str(file.parent / "home"))
    return CliRunner().invoke(app, ["backfill", "-c", str(file), "--from", first, "--to", last, *home, *more])


def stamps(file: Path) -> dict[str, int]:
    """When each edition in the output's folder was written, by its last day but one."""
    folders = (file.parent / "out").glob("2024-*")
    return {folder.name: (folder / "index.html").stat().st_mtime_ns for folder in folders}


def test_what_is_finished_is_not_made_again(tmp_path: Path) -> None:
    """A longer range makes the new editions only; `--again` and `--refresh window` make all of them anew."""
    file = write_report(tmp_path)
    assert backfill(file, "2024-11-20", "2024-11-21").exit_code == 0
    first = stamps(file)
    longer = backfill(file, "2024-11-20", "2024-11-22")
    assert longer.exit_code == 0, longer.stderr
    assert "2 finished already, 1 to make" in longer.stderr
    assert {name: stamps(file)[name] for name in first} == first
    assert "nothing to make" in backfill(file, "2024-11-20", "2024-11-22").stderr
    for option in (("--again",), ("--refresh", "window")):
        before = stamps(file)
        assert "finished already" not in backfill(file, "2024-11-20", "2024-11-22", *option).stderr
        assert all(stamps(file)[name] > stamp for name, stamp in before.items())


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("title: Orders {from}", "title: Orders since {from}"),
        ("count(*) as orders\n", "count(*) + 1 as orders\n"),
        ("/out}", "/elsewhere}"),
        ("static\n", "static\n    # a comment\n"),
    ],
)
def test_a_changed_report_is_made_anew(tmp_path: Path, said: str, instead: str) -> None:
    """Another title, another query and another folder make the editions anew; a comment does not."""
    file = write_report(tmp_path)
    assert backfill(file, "2024-11-20", "2024-11-20").exit_code == 0
    text = file.read_text(encoding="utf-8")
    assert said in text
    file.write_text(text.replace(said, instead), encoding="utf-8")
    done = backfill(file, "2024-11-20", "2024-11-20")
    assert done.exit_code == 0, done.stderr
    assert ("nothing to make" in done.stderr) == ("comment" in instead)


def test_what_lacks_something_is_made_again(tmp_path: Path) -> None:
    """A damaged document, and a view that could not be made, are not finished."""
    file = write_report(tmp_path)
    assert backfill(file, "2024-11-20", "2024-11-21").exit_code == 0
    page = tmp_path / "home" / "editions" / "orders" / "2024-11-20" / "document" / "index.html"
    page.write_text("something else", encoding="utf-8")
    assert "1 finished already, 1 to make" in backfill(file, "2024-11-20", "2024-11-21").stderr

    broken = write_report(tmp_path, policy="placeholder", table="no_such_table", name="broken")
    assert backfill(broken, "2024-11-20", "2024-11-20").exit_code == 0
    again = backfill(broken, "2024-11-20", "2024-11-20")
    assert "finished already" not in again.stderr
    assert "0 of 1 editions are done" in again.stderr


def test_a_limit_that_holds_for_each_edition_holds_for_many(tmp_path: Path) -> None:
    """A report whose editions stay below `max_rows` is made for a range whose days together are beyond it."""
    file = write_report(tmp_path)
    text = file.read_text(encoding="utf-8")
    limited = text.replace("plugin: sqlite\n    args: {", "plugin: sqlite\n    args: {max_rows: 16, ")
    assert limited != text
    file.write_text(limited, encoding="utf-8")
    done = backfill(file, "2024-11-01", "2024-11-24")
    assert done.exit_code == 0, done.stderr
    assert len(stamps(file)) == 24


def test_without_a_terminal_each_edition_has_a_line(tmp_path: Path) -> None:
    """A line per query, then one per edition with how many are done."""
    lines = backfill(write_report(tmp_path), "2024-11-20", "2024-11-22").stderr.splitlines()
    assert lines[0] == "orders  3 editions, 2024-11-20 to 2024-11-22  (Europe/Berlin)"
    assert [line.split(",")[0] for line in lines if " of 3" in line] == [
        f"  ✓ 2024-11-{20 + n}  {n + 1} of 3" for n in range(3)
    ]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_backfill_that_was_stopped_goes_on(tmp_path: Path, how: signal.Signals) -> None:
    """Killed or interrupted after some editions, the same command makes the rest and leaves those as they are."""
    file = write_report(tmp_path)
    # What is finished lies between: a run of 3 is left to make, and a long one.
    assert backfill(file, "2024-10-04", "2024-10-04").exit_code == 0
    command = [
        sys.executable,
        "-m",
        "kpi_assets",
        "backfill",
        "-c",
        str(file),
        "--home",
        str(tmp_path / "home"),
    ]
    command += ["--from", "2024-10-01", "--to", "2024-10-31"]
    assert _stopped(command, " 1 of 30", how) == (130 if how == signal.SIGINT else -how)
    before = stamps(file)
    assert 2 <= len(before) < 31
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert "finished already" in done.stderr
    after = stamps(file)
    assert len(after) == 31
    assert sum(after[name] == stamp for name, stamp in before.items()) >= len(before) - 1


def _stopped(command: list[str], at: str, how: signal.Signals) -> int:
    """How it ends when a line with `at` is answered with the signal, twice, as impatient people do."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if at in line:
                process.send_signal(how)
                process.send_signal(how)
                break
        told = process.stderr.read()
        assert "Traceback" not in told, told
        return process.wait()


def test_the_time_left_goes_by_the_pace_so_far() -> None:
    """Seconds, minutes and hours, in plain words; nothing is foretold before the first step."""
    assert Tally(editions=2, steps=3).total == 6
    assert time_left(10, 1, 4) == "30 s left"
    assert time_left(100, 1, 11) == "17 min left"
    assert time_left(7200, 1, 3) == "4.0 h left"
    assert time_left(0, 0, 3) == "0 s left"
