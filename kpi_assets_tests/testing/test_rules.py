"""Each rule of the suites catches a plugin that breaks it. The good ones pass: see the neighbouring modules."""

from __future__ import annotations

import base64
import json
import logging
import random
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus

import pandas as pd
import pytest
from pydantic import Field, SecretStr

from kpi_assets.contracts import (
    Block,
    Datasource,
    Document,
    Need,
    Output,
    PluginArgs,
    Prose,
    Query,
    QueryAnalysis,
    Receipt,
    RenderContext,
    View,
    Window,
    handing_over,
)
from kpi_assets.errors import DeliveryError, QueryError
from kpi_assets.testing import WEEK, DatasourceSuite, OutputSuite, ViewSuite
from kpi_assets.testing.secrets import leaks, told
from kpi_assets.testing.watching import watched

ANN, HIDDEN = "ann@example.com", "correct-horse-battery"
DAYS: Any = pd.date_range("2024-11-04", "2024-11-30", tz="Europe/Berlin")
ARGS = {"token": HIDDEN}


class Args(PluginArgs):
    """A token."""

    token: SecretStr = Field(description="A secret.")


class OpenArgs(PluginArgs):
    """A token that is shown."""

    token: str = Field(description="A secret.")


class Good(Datasource):
    """Keeps every rule; the bad ones below break one each."""

    Args: ClassVar[type[PluginArgs]] = Args

    def query(self, query: Query, window: Window) -> pd.DataFrame:
        days = DAYS[(window.starts_at <= DAYS) & (window.ends_at > DAYS)]
        return pd.DataFrame({"time": days, "n": range(len(days))})


class Suite(DatasourceSuite):
    """Holds a datasource to the rules."""

    plugin = Good
    query = "all"
    query_args: ClassVar[Mapping[str, Any]] = {"keys": ["a"]}
    time_column = "time"
    refused = "nonsense"


def suite(bad: type[Any], kind: type[Any] = Suite) -> Any:
    """The suite of a plugin; its tests are called one by one."""
    made = type("Held", (kind,), {"plugin": bad})
    return made()


class Asks(Good):
    def __init__(self, id: str, args: Any) -> None:
        super().__init__(id, args)
        with socket.socket() as line:
            line.connect_ex(("127.0.0.1", 9))


class Reads(Good):
    def __init__(self, id: str, args: Any) -> None:
        super().__init__(id, args)
        self.text = Path(__file__).read_text(encoding="utf-8")


class Starts(Good):
    def __init__(self, id: str, args: Any) -> None:
        super().__init__(id, args)
        subprocess.run([sys.executable, "--version"], check=True, capture_output=True)


class AnalysesByAsking(Good):
    @classmethod
    def analyse(cls, query: Query, args: Any) -> QueryAnalysis:
        socket.getaddrinfo("127.0.0.1", 9)
        return super().analyse(query, args)


class Shows(Good):
    Args = OpenArgs


class IndexesByTime(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        return super().query(query, window).set_index("time")


class IsNaive(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        frame = super().query(query, window)
        return frame.assign(time=frame["time"].dt.tz_localize(None) + pd.Timedelta(hours=1))


class IsUtc(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        frame = super().query(query, window)
        return frame.assign(time=frame["time"].dt.tz_convert("UTC"))


class TakesTheEnd(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        return pd.DataFrame({"time": DAYS[(window.starts_at <= DAYS) & (window.ends_at >= DAYS)]})


class KnowsNoWindow(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        return pd.DataFrame({"time": DAYS})


class ClaimsDays(Good):
    """Numbers the rows of whatever it is asked for: a day is not a part of the week."""

    @classmethod
    def analyse(cls, query: Query, args: Any) -> QueryAnalysis:
        return QueryAnalysis("day", "so it says", "time")


class Rolls(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        return super().query(query, window).assign(n=random.random())


class LendsItsCache(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        kept = self.__dict__.setdefault("kept", {})
        if window not in kept:
            kept[window] = super().query(query, window)
        return kept[window]


class EatsTheQuestion(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        query.args["keys"].append("b")
        return super().query(query, window)


class SharesItsState(Good):
    """Remembers the window in itself, for a moment too long."""

    def query(self, query: Query, window: Window) -> pd.DataFrame:
        self.window = window
        time.sleep(0.01)
        return super().query(query, self.window)


class Logs(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        logging.getLogger("somewhere.deep").debug("logging in with %s", self.args.token.get_secret_value())
        return super().query(query, window)


class Prints(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        sys.stdout.write(f"token {self.args.token.get_secret_value()}\n")
        return super().query(query, window)


class TellsInItsError(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        raise QueryError(query.id, self.id, f"{self.args.token.get_secret_value()} was refused")


class TellsInItsCause(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        try:
            raise OSError(f"GET /?token={self.args.token.get_secret_value()}")
        except OSError as error:
            raise QueryError(query.id, self.id, "it was refused") from error


class LetsOut(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        raise KeyError("time")


class Accepts(Good):
    """Answers nonsense too."""


class ClosesOnce(Good):
    def close(self) -> None:
        del self.args


@pytest.mark.parametrize(
    ("bad", "rule", "says"),
    [
        (Asks, "test_constructor_does_no_io", "socket.connect"),
        (Reads, "test_constructor_does_no_io", "open .*test_rules.py"),
        (Starts, "test_constructor_does_no_io", "subprocess.Popen"),
        (AnalysesByAsking, "test_analysis_does_no_io", "socket.getaddrinfo"),
        (Shows, "test_secrets_do_not_show", "a secret shows in repr"),
        (IndexesByTime, "test_answers_have_the_right_form", "RangeIndex"),
        (IsNaive, "test_answers_have_the_right_form", "without a time zone"),
        (IsUtc, "test_answers_have_the_right_form", "is in UTC, not in the window's zone"),
        (TakesTheEnd, "test_rows_lie_in_the_window", "window's end, which is not included"),
        (KnowsNoWindow, "test_rows_lie_in_the_window", "lies outside"),
        (KnowsNoWindow, "test_another_window_gets_another_answer", "is it ignored"),
        (ClaimsDays, "test_days_make_up_the_window", "the grain is not `day`"),
        (Rolls, "test_the_same_question_gets_the_same_answer", "the second answer is another one"),
        (LendsItsCache, "test_the_same_question_gets_the_same_answer", "the second answer is another one"),
        (EatsTheQuestion, "test_the_question_is_not_changed", "the query's arguments were changed"),
        (SharesItsState, "test_threads_do_not_disturb_each_other", "other answers than one by one"),
        (ClosesOnce, "test_it_can_be_checked_and_closed", "args"),
    ],
)
def test_a_bad_datasource_is_caught(bad: type[Datasource], rule: str, says: str) -> None:
    """The rule fails for the datasource that breaks it, says why, and holds for the good one."""
    args = ARGS
    with pytest.raises((AssertionError, AttributeError), match=says):
        getattr(suite(bad), rule)(args)
    if bad is not ClaimsDays:  # what the good one does not claim is not looked at
        getattr(suite(Good), rule)(args)


class LogsItsLogin(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        login = base64.b64encode(f"ann:{self.args.token.get_secret_value()}".encode())
        logging.getLogger("somewhere.deep").debug("Authorization: Basic %s", login.decode())
        return super().query(query, window)


class AnswersWithIt(Good):
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        return super().query(query, window).assign(url=f"/?token={self.args.token.get_secret_value()}")


class ExplainsWithIt(Good):
    @classmethod
    def analyse(cls, query: Query, args: Any) -> QueryAnalysis:
        return QueryAnalysis("window", f"asked with {args.token.get_secret_value()}")


@pytest.mark.leaks
@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (Logs, "in the log"),
        (LogsItsLogin, "in the log"),
        (Prints, "in standard output"),
        (AnswersWithIt, "in the answer"),
        (ExplainsWithIt, "in what analyse"),
    ],
)
def test_a_talkative_datasource_is_caught(
    bad: type[Datasource],
    says: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A secret in the log, at whatever level and in base64 too, in what is printed, kept or explained is found."""
    with pytest.raises(AssertionError, match=f"a secret shows {says}"):
        suite(bad).test_nothing_secret_is_logged(ARGS, caplog, capfd)
    suite(Good).test_nothing_secret_is_logged(ARGS, caplog, capfd)


@pytest.mark.leaks
@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (TellsInItsError, "a secret shows in the error QueryError"),
        (TellsInItsCause, "chained to"),
        (LetsOut, "KeyError got out"),
        (Accepts, "no error was raised"),
    ],
)
def test_a_bad_refusal_is_caught(
    bad: type[Datasource],
    says: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A secret in an error or below it, an error of another tree, and none at all are found."""
    with pytest.raises(AssertionError, match=says):
        suite(bad).test_a_refusal_is_told_without_secrets(ARGS, caplog, capfd)
    with pytest.raises(AssertionError, match=says):
        suite(bad).test_a_dead_backend_is_told_without_secrets(ARGS, caplog, capfd)


def test_silence_below_an_error_is_heard() -> None:
    """What `from None` hides is not shown by Python, and is not held against the plugin."""

    def fail() -> None:
        try:
            raise OSError(HIDDEN)
        except OSError:
            raise QueryError("q", "d", "no") from None

    with pytest.raises(QueryError) as caught:
        fail()
    assert HIDDEN not in "".join(told(caught.value).values())


def test_importing_is_no_io() -> None:
    """Modules that a constructor imports, and time zones that it reads, do not count as I/O; a file does."""
    sys.modules.pop("this", None)
    with watched() as found:
        __import__("colorsys")
        __import__("zoneinfo").ZoneInfo.no_cache("Asia/Tokyo")
    assert found == []
    with watched() as found, Path(__file__).open(encoding="utf-8"):
        pass
    assert len(found) == 1


def test_what_a_library_in_c_holds_open_is_seen(tmp_path: Path) -> None:
    """A constructor that opens a database by a library that Python does not watch is found while it holds it."""
    import duckdb

    duckdb.connect(tmp_path / "there.duckdb").close()

    class Connects(Good):
        def __init__(self, id: str, args: Any) -> None:
            super().__init__(id, args)
            self.connection = duckdb.connect(tmp_path / "there.duckdb")

        def close(self) -> None:
            self.connection.close()

    with pytest.raises(AssertionError, match=r"constructor of Connects does I/O: left open: .*there\.duckdb"):
        suite(Connects).test_constructor_does_no_io(ARGS)


@pytest.mark.leaks
def test_a_secret_is_known_in_other_writings() -> None:
    """As in an address, in JSON and in a login's base64, wherever it begins there, a secret is the same secret."""
    secret = 'päss "word"/+&'
    logins = [base64.b64encode(f"{user}:{secret}".encode()).decode() for user in ("a", "an", "ann", "anna")]
    texts = [quote(secret), quote_plus(secret), json.dumps(secret), *logins]
    assert len(leaks({text: text for text in texts}, [secret])) == len(texts)
    assert leaks({"a text": " ".join(texts)}, ["another/secret+"]) == []


class WordlessArgs(PluginArgs):
    """Without a word."""

    column: str = ""


class Wordless(Good):
    Args = WordlessArgs


class LaxArgs(PluginArgs):
    """Takes anything."""

    model_config = PluginArgs.model_config | {"extra": "allow"}
    token: SecretStr = Field(description="A secret.")


class Lax(Good):
    Args = LaxArgs


def test_lax_arguments_are_caught() -> None:
    """An argument without a description, and a model that takes unknown keys, are found."""
    with pytest.raises(AssertionError, match=r"without Field\(description=...\): column"):
        suite(Wordless).test_arguments_are_strict_and_explained({})
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        suite(Lax).test_arguments_are_strict_and_explained(ARGS)
    suite(Good).test_arguments_are_strict_and_explained(ARGS)


class GoodView(View):
    """Shows how many rows there are."""

    Args: ClassVar[type[PluginArgs]] = Args

    def needs(self) -> Mapping[str, Need]:
        return {"query": Need(datasource="shop", text="select 1")}

    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        return self.block(context, f"{len(frames['query'])} rows")

    def block(self, context: RenderContext, text: str) -> Block:
        return Block(view=context.view, plugin="good", title=context.title, elements=(Prose(markdown=text),))


class SortsInPlace(GoodView):
    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        frames["query"].sort_values("n", ascending=False, inplace=True)
        return super().render(frames, context)


class AddsAColumn(GoodView):
    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        frames["query"]["share"] = 1.0
        return super().render(frames, context)


class Rolling(GoodView):
    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        return self.block(context, f"id {uuid.uuid4()}")


class Fetches(GoodView):
    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        with socket.socket() as line:
            line.connect_ex(("127.0.0.1", 9))
        return super().render(frames, context)


class SaysNan(GoodView):
    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        return self.block(context, f"mean {float('nan')}")


class NeedsRows(GoodView):
    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        return self.block(context, str(frames["query"]["n"].iloc[0]))


class Forgets(GoodView):
    def needs(self) -> Mapping[str, Need]:
        return {"query": Need()}


class Untitled(GoodView):
    def block(self, context: RenderContext, text: str) -> Block:
        return super().block(context, text).model_copy(update={"title": "Rows"})


@pytest.mark.parametrize(
    ("bad", "rule", "says"),
    [
        (SortsInPlace, "test_frames_are_not_changed", "render.. changed the frame 'query'"),
        (AddsAColumn, "test_frames_are_not_changed", "render.. changed the frame 'query'"),
        (Rolling, "test_the_same_frames_give_the_same_block", "the second block differs"),
        (Fetches, "test_rendering_stays_inside", "socket.connect"),
        (SaysNan, "test_blocks_are_honest", "says nan"),
        (NeedsRows, "test_no_rows_are_no_accident", "out of bounds|out-of-bounds"),
        (Forgets, "test_needs_are_said_without_io", "names no query"),
        (Untitled, "test_every_format_can_be_written", "does not show the title"),
    ],
)
def test_a_bad_view_is_caught(bad: type[View], rule: str, says: str) -> None:
    """The rule fails for the view that breaks it, says why, and holds for the good one."""
    frames = {"query": pd.DataFrame({"n": [1, 2, 3]})}
    with pytest.raises((AssertionError, IndexError), match=says):
        getattr(suite(bad, ViewSuite), rule)(ARGS, {"query": frames["query"].copy()})
    getattr(suite(GoodView, ViewSuite), rule)(ARGS, frames)


class GoodOutput(Output):
    """Puts the page into a dict that all its instances share."""

    Args: ClassVar[type[PluginArgs]] = Args
    there: ClassVar[dict[str, bytes]] = {}
    arrivals: ClassVar[list[str]] = []
    refusals: ClassVar[list[int]] = []

    @property
    def formats(self) -> Any:
        return frozenset({"html"})

    def deliver(self, document: Document) -> Receipt:
        self.refuse()
        self.there[document.edition] = document.file("index.html").content
        return self.receipt(document)

    def refuse(self) -> None:
        if self.refusals:
            self.refusals.pop()
            raise DeliveryError(self.id, "busy")

    def receipt(self, document: Document) -> Receipt:
        effect: Any = self.effect
        return Receipt(self.id, "good", effect, document.edition, document.content_hash, self.recipients)


class Doubles(GoodOutput):
    def deliver(self, document: Document) -> Receipt:
        self.there[f"{document.edition}-{len(self.there)}"] = b"page"
        return self.receipt(document)


class GoodMail(GoodOutput):
    effect = "notify"

    @property
    def recipients(self) -> tuple[str, ...]:
        return (ANN,)

    def deliver(self, document: Document) -> Receipt:
        self.refuse()
        self.arrivals.append(document.edition)
        return self.receipt(document)


class SendsTwice(GoodMail):
    def deliver(self, document: Document) -> Receipt:
        self.arrivals.append(document.edition)
        return super().deliver(document)


class FailsAfterSending(GoodMail):
    def deliver(self, document: Document) -> Receipt:
        self.arrivals.append(document.edition)
        self.refuse()
        return self.receipt(document)


class GoodCaller(GoodMail):
    announces = True

    def deliver(self, document: Document) -> Receipt:
        handing_over()
        return super().deliver(document)


class SaysNothing(GoodMail):
    announces = True


class SaysTooLate(GoodCaller):
    def deliver(self, document: Document) -> Receipt:
        self.arrivals.append(document.edition)
        return super().deliver(document)


class SendsOnCheck(GoodMail):
    def check(self) -> None:
        self.arrivals.append("test")


class Truncates(GoodOutput):
    def deliver(self, document: Document) -> Receipt:
        object.__setattr__(document, "files", document.files[:0])
        return self.receipt(document)


class Lies(GoodOutput):
    def receipt(self, document: Document) -> Receipt:
        return Receipt(self.id, "good", "publish", document.edition, "another hash")


class TellsStrangers(GoodMail):
    def readdressed(self, to: Any) -> Output:
        return self


class Divides(GoodMail):
    def split(self) -> tuple[Output, ...]:
        return (self, self)


@pytest.fixture
def channel() -> Callable[[], list[Any]]:
    """Nothing has arrived yet."""
    for held in (GoodOutput.there, GoodOutput.arrivals, GoodOutput.refusals):
        held.clear()
    return lambda: [*GoodOutput.there.items(), *GoodOutput.arrivals]


@pytest.mark.parametrize(
    ("bad", "rule", "says"),
    [
        (Doubles, "test_one_delivery_arrives_once", "it doubles on retry"),
        (SendsTwice, "test_one_delivery_arrives_once", "2 messages came of 1 parts"),
        (SendsOnCheck, "test_looking_delivers_nothing", "check.. or preview.. delivered something"),
        (Lies, "test_receipts_tell_what_was_done", "content_hash must be the document's"),
    ],
)
def test_a_bad_output_is_caught(
    bad: type[Output], rule: str, says: str, channel: Callable[[], list[Any]]
) -> None:
    """The rule fails for the output that breaks it, says why, and holds for the good ones."""
    with pytest.raises(AssertionError, match=says):
        getattr(suite(bad, OutputSuite), rule)(ARGS, channel)
    for good in (GoodOutput, GoodMail):
        getattr(suite(good, OutputSuite), rule)(ARGS, channel)


@pytest.mark.parametrize(
    ("bad", "rule", "says"),
    [
        (Truncates, "test_the_document_is_not_changed", "deliver.. changed the document"),
        (TellsStrangers, "test_readdressing_tells_nobody_else", "exactly those addresses"),
        (Divides, "test_plain_facts_need_no_io", "must tell all recipients, each once"),
    ],
)
def test_an_output_that_takes_liberties_is_caught(bad: type[Output], rule: str, says: str) -> None:
    """A changed document, an address that is told although another was asked for, and a part too many are found."""
    held = suite(bad, OutputSuite)
    held.__class__.make = lambda self, args: _addressed(bad)
    with pytest.raises(AssertionError, match=says):
        getattr(held, rule)(ARGS)


def _addressed(bad: type[Output]) -> Output:
    """The output, telling two people where it tells any."""
    made = bad("sample", Args.model_validate(ARGS))
    if bad is TellsStrangers:
        type(made).recipients = property(lambda self: (ANN, "bob@example.com"))  # type: ignore[assignment]
    return made


@pytest.mark.parametrize(
    ("bad", "says"), [(SaysNothing, "was not called"), (SaysTooLate, "something had arrived before")]
)
def test_an_output_that_announces_wrongly_is_caught(
    bad: type[Output], says: str, channel: Callable[[], list[Any]]
) -> None:
    """Who promises to say when it hands over, and says it never or too late, is found; who keeps it is not."""
    with pytest.raises(AssertionError, match=says):
        suite(bad, OutputSuite).test_it_says_when_it_hands_over(ARGS, channel)
    suite(GoodCaller, OutputSuite).test_it_says_when_it_hands_over(ARGS, channel)


def test_an_output_that_doubles_after_a_refusal_is_caught(channel: Callable[[], list[Any]]) -> None:
    """A message that has arrived although the error says that it has not would come again: that is found."""

    def fail_once() -> None:
        GoodOutput.refusals.append(1)

    with pytest.raises(AssertionError, match="it would double"):
        suite(FailsAfterSending, OutputSuite).test_a_retry_does_not_double(ARGS, channel, fail_once)
    for good in (GoodOutput, GoodMail):
        GoodOutput.refusals.clear()
        suite(good, OutputSuite).test_a_retry_does_not_double(ARGS, channel, fail_once)


def test_the_week_is_a_week() -> None:
    """The suites' window is seven days, and the week before it has other days."""
    assert WEEK.length == 7
    assert not set(WEEK.days) & set(WEEK.back(1).days)
