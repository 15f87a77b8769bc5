"""The suite for authors of datasources. Needs pytest."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from kpi_assets.contracts import Datasource, Query, QueryAnalysis, Window
from kpi_assets.testing.frames import frame_problems, rows_of, window_problems
from kpi_assets.testing.plugins import PluginSuite
from kpi_assets.testing.samples import WEEK
from kpi_assets.testing.secrets import leaks
from kpi_assets.testing.verdict import insist, nothing_wrong
from kpi_assets.testing.watching import watched

if TYPE_CHECKING:
    import pandas as pd


class DatasourceSuite(PluginSuite):
    """What every datasource must keep. Subclass it as `Test...`, say `plugin` and `query`, override the fixture `args`.

    The backend must have other rows for `window` than for the window before it.
    """

    plugin: ClassVar[type[Datasource]]
    query: ClassVar[str]
    """A text that the backend answers with rows of the window."""
    query_args: ClassVar[Mapping[str, Any]] = {}
    window: ClassVar[Window] = WEEK
    time_column: ClassVar[str | None] = None
    """The column of the answer that tells each row's moment or day; None where rows have none."""
    ignores_window: ClassVar[bool] = False
    """True for what only knows the present, such as a list of jobs. Say it, or the suite takes it for a mistake."""
    refused: ClassVar[str | None] = None
    """A text that the backend refuses; None where there is none."""

    @pytest.fixture
    def dead(self) -> Mapping[str, Any] | None:
        """Arguments that lead to nobody, with short deadlines; None skips what is tested with them."""
        return None

    def question(self) -> Query:
        return Query("sample", "sample", self.query, copy.deepcopy(dict(self.query_args)))

    def ask(self, source: Datasource, window: Window | None = None) -> pd.DataFrame:
        return source.query(self.question(), window or self.window)

    def test_analysis_does_no_io(self, args: Mapping[str, Any]) -> None:
        """analyse() opens nothing and says the same twice."""
        model = self.plugin.Args.model_validate(dict(args))
        with watched() as found:
            first: Any = self.plugin.analyse(self.question(), model)
        insist(found == [], f"{self.plugin.__name__}.analyse does I/O: {', '.join(found)}")
        insist(isinstance(first, QueryAnalysis), "analyse() must return a QueryAnalysis")
        insist(
            self.plugin.analyse(self.question(), model) == first,
            "analyse() says another thing when it is asked again",
        )

    def test_answers_have_the_right_form(self, args: Mapping[str, Any]) -> None:
        """An answer is a DataFrame of named columns with a RangeIndex, and moments are in the window's zone."""
        source = self.make(args)
        try:
            nothing_wrong(frame_problems(self.ask(source), self.window))
        finally:
            source.close()

    def test_rows_lie_in_the_window(self, args: Mapping[str, Any]) -> None:
        """No row is before the window or at its end, for the window and for a single day."""
        if self.time_column is None:
            pytest.skip("rows have no time: `time_column` is None")
        source = self.make(args)
        try:
            for window in (self.window, Window.of_day(self.window.start, self.window.zone)):
                nothing_wrong(window_problems(self.ask(source, window), self.time_column, window))
        finally:
            source.close()

    def test_another_window_gets_another_answer(self, args: Mapping[str, Any]) -> None:
        """The window decides what rows come back."""
        if self.ignores_window:
            pytest.skip("it only knows the present: `ignores_window`")
        source = self.make(args)
        try:
            now, before = (rows_of(self.ask(source, w)) for w in (self.window, self.window.back(1)))
        finally:
            source.close()
        insist(now or before, "there are no rows in either window: give the backend some")
        insist(now != before, f"{self.window} and the window before it get the same answer: is it ignored?")

    def test_days_make_up_the_window(self, args: Mapping[str, Any]) -> None:
        """Where the grain is `day`, the days' answers together are the window's answer."""
        source = self.make(args)
        if self.plugin.analyse(self.question(), source.args).grain != "day":
            pytest.skip("the grain is `window`")
        try:
            whole = rows_of(self.ask(source))
            days = [Window.of_day(day, self.window.zone) for day in self.window.days]
            parts = sorted(row for day in days for row in rows_of(self.ask(source, day)))
        finally:
            source.close()
        insist(parts == whole, "the grain is not `day`: the days' rows are not the window's rows")

    def test_the_same_question_gets_the_same_answer(self, args: Mapping[str, Any]) -> None:
        """Asked twice it answers the same, whatever the caller has done to the first answer."""
        source = self.make(args)
        try:
            first = self.ask(source)
            kept = first.copy(deep=True)
            first.drop(first.index, inplace=True)
            again = self.ask(source)
        finally:
            source.close()
        insist(rows_of(again) == rows_of(kept), "the second answer is another one")
        insist(list(again.columns) == list(kept.columns), "the columns of the second answer are others")

    def test_the_question_is_not_changed(self, args: Mapping[str, Any]) -> None:
        """Neither the query's arguments nor the datasource's are written to."""
        source, query = self.make(args), self.question()
        given, own = copy.deepcopy(dict(query.args)), source.args.model_copy(deep=True)
        try:
            source.query(query, self.window)
        finally:
            source.close()
        insist(dict(query.args) == given, "the query's arguments were changed")
        insist(source.args == own, "the datasource's arguments were changed")

    def test_threads_do_not_disturb_each_other(self, args: Mapping[str, Any]) -> None:
        """As many questions at once as `concurrency` allows are answered as one is."""
        source = self.make(args)
        insist(source.concurrency >= 1, "concurrency must be at least 1")
        windows = [self.window, self.window.back(1)] * 4
        try:
            alone = [rows_of(self.ask(source, window)) for window in windows[:2]] * 4
            with ThreadPoolExecutor(min(source.concurrency, 8)) as pool:
                found = list(pool.map(lambda window: rows_of(self.ask(source, window)), windows))
        finally:
            source.close()
        insist(found == alone, "questions asked at once get other answers than one by one")

    def test_nothing_secret_is_logged(
        self, args: Mapping[str, Any], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Neither the log, at any level, nor what is printed, nor the answer, nor the analysis holds a secret."""
        source = self.make(args)
        try:
            with self.discreet(source, caplog, capfd):
                frame = self.ask(source)
        finally:
            source.close()
        kept = {
            "the answer, which is stored": frame.to_csv(index=False),
            "what analyse() says, which Dagster shows": repr(
                self.plugin.analyse(self.question(), source.args)
            ),
        }
        nothing_wrong(leaks(kept, self.secrets_of(source)))

    def test_a_refusal_is_told_without_secrets(
        self, args: Mapping[str, Any], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """What the backend refuses is an error of kpi_assets that tells no secret."""
        if self.refused is None:
            pytest.skip("nothing is refused: `refused` is None")
        source = self.make(args)
        try:
            with self.discreet(source, caplog, capfd), self.complains(source):
                source.query(Query("sample", "sample", self.refused, dict(self.query_args)), self.window)
        finally:
            source.close()

    def test_a_dead_backend_is_told_without_secrets(
        self,
        dead: Mapping[str, Any] | None,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """A backend that is not there is an error of kpi_assets that tells no secret."""
        if dead is None:
            pytest.skip("the fixture `dead` gives no arguments")
        source = self.make(dead)
        try:
            with self.discreet(source, caplog, capfd), self.complains(source):
                self.ask(source)
        finally:
            source.close()

    def test_it_can_be_checked_and_closed(self, args: Mapping[str, Any]) -> None:
        """check() passes, and close() may be called twice, also on what was never used."""
        source = self.make(args)
        source.close()
        source = self.make(args)
        source.check()
        source.close()
        source.close()
