"""Lines of the log say what they are about, on the console and in Dagster's log of the run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path

import pytest
import stamina
from stamina.instrumentation import get_on_retry_hooks, set_on_retry_hooks

from kpi_assets import load_mapping, preview
from kpi_assets.assets.instance import open_instance
from kpi_assets.assets.run import materialize_editions
from kpi_assets.cli.console import LogLine, not_stopped
from kpi_assets.logs import about, inherited, logger
from kpi_assets.retries import TransientError, attempts
from kpi_assets_tests.assets.reports import ENVIRON, SECRET, SumArgs, days_between, make_plan, windows_of

log = logger("kpi_assets.tests")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, logger="kpi_assets")
    return caplog


def test_lines_begin_with_what_they_are_about(lines: pytest.LogCaptureFixture) -> None:
    """Report, asset and editions stand in front, the inner ones inside, and nothing outside."""
    log.info("free: %d %%", 1)
    with about("weekly", "queries/orders", "2024-11-23", "2024-11-24", "2024-11-25"):
        log.info("%d rows", 3)
        with about("weekly", "views/total", "2024-11-24", "2024-11-24"):
            log.info("100 % of it")
        log.info("on")
    log.info("off")
    assert lines.messages == [
        "free: 1 %",
        "weekly/queries/orders 2024-11-23..2024-11-25: 3 rows",
        "weekly/views/total 2024-11-24: 100 % of it",
        "weekly/queries/orders 2024-11-23..2024-11-25: on",
        "off",
    ]


def test_threads_can_inherit_it(lines: pytest.LogCaptureFixture) -> None:
    """A call that is handed to another thread is about the same; the thread's next call is about nothing."""
    with ThreadPoolExecutor(1) as pool:
        with about("weekly", "queries/orders", "2024-11-24"):
            pool.submit(inherited(log.info), "said").result()
        pool.submit(log.info, "said").result()
    assert lines.messages == ["weekly/queries/orders 2024-11-24: said", "said"]


def test_each_new_try_is_told(lines: pytest.LogCaptureFixture) -> None:
    """A line before each new try names what was raised, without its words, which may hold a secret."""
    with about("weekly", "outputs/board", "2024-11-24"), pytest.raises(ConnectionError):
        try_in_vain(ConnectionError(SECRET))
    assert lines.messages == [f"weekly/outputs/board 2024-11-24: ConnectionError: try {n}" for n in (2, 3)]


def test_a_passing_fault_is_told_in_its_own_words(lines: pytest.LogCaptureFixture) -> None:
    """Where the words are fit to be shown, the line before each new try says them."""
    with about("weekly", "queries/orders", "2024-11-24"), pytest.raises(TransientError):
        try_in_vain(TransientError("http://ci cannot be reached"))
    place = "weekly/queries/orders 2024-11-24"
    assert lines.messages == [f"{place}: http://ci cannot be reached: try {n}" for n in (2, 3)]


def test_what_is_not_retried_is_not_told(lines: pytest.LogCaptureFixture) -> None:
    """An error of another kind goes through at once."""
    with pytest.raises(TimeoutError):
        try_in_vain(TimeoutError())
    assert lines.messages == []


def test_others_tries_are_told_by_stamina() -> None:
    """A project's own hook hears of its own tries, before and after ours, and of none of ours."""
    heard: list[str] = []
    before = get_on_retry_hooks()
    set_on_retry_hooks([lambda details: heard.append(str(details.caused_by))])
    try:
        with pytest.raises(ConnectionError):
            try_in_vain(ConnectionError("ours"))
        with stamina.set_testing(True, attempts=2), pytest.raises(KeyError):
            stamina.retry(on=KeyError)({}.__getitem__)("theirs")
    finally:
        set_on_retry_hooks(before)
    assert heard == ["'theirs'"]


def try_in_vain(error: Exception) -> None:
    """Three tries without waiting; what a ConnectionError makes of it is another one."""
    with stamina.set_testing(True, attempts=3):
        for attempt in attempts(lambda found: isinstance(found, ConnectionError | TransientError), 60):
            with attempt:
                raise error


@pytest.mark.parametrize(("error", "shown"), [(KeyboardInterrupt(), False), (ValueError("no"), True)])
def test_what_ctrl_c_breaks_off_has_no_stack_trace(error: BaseException, shown: bool) -> None:
    """A library that logs the interruption as its own error is not heard; its real errors are."""
    record = logging.LogRecord("pool", logging.ERROR, "", 0, "closing", (), (type(error), error, None))
    assert not_stopped(record) is shown


@pytest.fixture
def console() -> Iterator[StringIO]:
    """What the command line prints of the log."""
    text = StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(LogLine("%(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)
    yield text
    logging.getLogger().removeHandler(handler)


def test_a_runs_lines_are_in_its_log_in_dagster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: pytest.LogCaptureFixture, console: StringIO
) -> None:
    """With the settings of a fresh home, every line names its asset and editions, here and there, and no secret."""
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    lines.set_level(logging.INFO, logger="kpi_assets")
    plan = make_plan(tmp_path, views={"total": SumArgs(fail_on=("2024-11-23",))}, policy="placeholder")
    days = days_between("2024-11-22", "2024-11-24")
    result = materialize_editions(plan, windows_of(plan, *days), home=tmp_path / "home", environ={})
    with open_instance(tmp_path / "home", {}) as instance:
        kept = [entry.user_message for entry in instance.all_logs(result.run_ids[0])]
    said = [line for line in kept if line.startswith("weekly/")]
    assert [line.partition(" in ")[0] for line in said] == [
        f"weekly/{asset} 2024-11-22..2024-11-24: {text}"
        for asset, text in (
            ("queries/signups", "9 rows fetched"),
            ("views/total", "2 drawn, failed"),
            ("document", "3 composed"),
            ("outputs/desk", "3 delivered"),
        )
    ]
    ours = [line for line in console.getvalue().splitlines() if "weekly" in line]
    assert ours == [f"INFO {line}" for line in said]
    assert SECRET not in console.getvalue() + "".join(kept)


def test_a_broken_contract_is_told_where_the_query_is_fetched(
    tmp_path: Path, lines: pytest.LogCaptureFixture
) -> None:
    """A column that is gone and values out of bounds are one line of the log, wherever it runs."""
    (tmp_path / "t.csv").write_text("day,n\n2024-11-18,1\n2024-11-19,200\n", encoding="utf-8")
    report = load_mapping(
        {
            "timezone": "Europe/Berlin",
            "end_date": "2024-11-25",
            "datasources": {"d": {"plugin": "file", "args": {"path": str(tmp_path / "t.csv")}}},
            "queries": {
                "q": {
                    "datasource": "d",
                    "query": "select * from files where day >= {from} and day < {to}",
                    "columns": {"n": {"max": 100}, "kind": {"type": "string"}},
                }
            },
            "views": {"v": {"plugin": "table", "args": {"query": {"ref": "q"}}}},
        },
        id="weekly",
    )
    preview(report, home=tmp_path / "home")
    (told,) = [line for line in lines.messages if "contract" in line]
    assert told.startswith("weekly/queries/q 2024-11-24: its columns break their contract: ")
    assert "'n'" in told
    assert "'kind'" in told
