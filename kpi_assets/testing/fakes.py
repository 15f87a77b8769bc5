"""Plugins that record what is asked of them, to be put in the place of real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from kpi_assets.contracts import Datasource, Document, Format, Output, PluginArgs, Query, Receipt, Window
from kpi_assets.errors import QueryError, suggest
from kpi_assets.plan import DatasourcePlan, OutputPlan, ReportPlan
from kpi_assets.session import Session

if TYPE_CHECKING:
    import pandas as pd

    Answer = pd.DataFrame | Exception | Callable[[Window], pd.DataFrame]


class FakeArgs(PluginArgs):
    """Takes nothing."""


class FakeDatasource(Datasource):
    """Answers a query's text with a frame, raises what is an error, asks what can be called. `asked` has all questions.

    A text without an answer of its own gets that of "", if there is one.
    """

    Args = FakeArgs
    kinds = ("fake",)

    def __init__(self, answers: Mapping[str, Answer], id: str = "fake") -> None:
        super().__init__(id, FakeArgs())
        self.answers = answers
        self.asked: list[tuple[Query, Window]] = []
        self._lock = Lock()

    def query(self, query: Query, window: Window) -> pd.DataFrame:
        with self._lock:
            self.asked.append((query, window))
        text = query.text.strip()
        if text not in self.answers and "" not in self.answers:
            raise QueryError(
                query.id, self.id, f"the fake has no answer to '{text}': {suggest(text, self.answers)}"
            )
        answer = self.answers.get(text, self.answers.get(""))
        if isinstance(answer, Exception):
            raise answer
        return (answer(window) if callable(answer) else answer).copy()  # pyright: ignore[reportOptionalMemberAccess]


class FakeOutput(Output):
    """Publishes into `delivered`, where an edition that comes again takes its place; or raises `error`."""

    Args = FakeArgs
    kinds = ("fake",)

    def __init__(
        self, id: str = "fake", *, formats: Sequence[Format] = ("html",), error: Exception | None = None
    ) -> None:
        super().__init__(id, FakeArgs())
        self.delivered: list[Document] = []
        self.error = error
        self._formats = frozenset(formats)

    @property
    def formats(self) -> frozenset[Format]:
        return self._formats

    def deliver(self, document: Document) -> Receipt:
        if self.error is not None:
            raise self.error
        self.keep(document)
        return Receipt(
            output=self.id,
            plugin="fake",
            effect="notify" if self.effect == "notify" else "publish",
            location=f"fake:{document.edition}",
            content_hash=document.content_hash,
            recipients=self.recipients,
            files=len(document.files),
        )

    def keep(self, document: Document) -> None:
        name = (document.report, document.edition)
        self.delivered = [kept for kept in self.delivered if (kept.report, kept.edition) != name]
        self.delivered.append(document)


class FakeMessenger(FakeOutput):
    """Tells people: every delivery is another entry of `delivered`."""

    effect = "notify"

    def __init__(
        self,
        told: Sequence[str],
        id: str = "fake",
        *,
        formats: Sequence[Format] = ("html",),
        error: Exception | None = None,
    ) -> None:
        super().__init__(id, formats=formats, error=error)
        self.told = tuple(told)

    @property
    def recipients(self) -> tuple[str, ...]:
        return self.told

    def keep(self, document: Document) -> None:
        self.delivered.append(document)


@dataclass(frozen=True)
class _Stage:
    datasources: Mapping[str, Datasource] = field(default_factory=dict[str, Datasource])
    outputs: Mapping[str, Output] = field(default_factory=dict[str, Output])

    def datasource(self, plan: DatasourcePlan, environ: Mapping[str, str]) -> Datasource:
        from kpi_assets.session import make_datasource

        return self.datasources.get(plan.id) or make_datasource(plan, environ)

    def output(self, plan: OutputPlan, environ: Mapping[str, str]) -> Output:
        from kpi_assets.session import make_output

        return self.outputs.get(plan.id) or make_output(plan, environ)


def fake_session(
    plan: ReportPlan,
    home: Path,
    *,
    datasources: Mapping[str, Datasource] | None = None,
    outputs: Mapping[str, Output] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Session:
    """A session of the report in which the named datasources and outputs are yours; the others are real."""
    stage = _Stage(datasources or {}, outputs or {})
    return Session(plan, home, environ or {}, make_datasource=stage.datasource, make_output=stage.output)
