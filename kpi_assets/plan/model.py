"""The plan of a report: its parts, and what can be asked of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kpi_assets import __version__
from kpi_assets.config.models import ReportConfig
from kpi_assets.contracts import (
    Format,
    Recipient,
    Window,
    WindowRule,
)
from kpi_assets.contracts.document import PERSONAL
from kpi_assets.errors import InputError, Problem
from kpi_assets.plan.hashing import digest
from kpi_assets.plan.parts import (
    ConditionPlan,
    DatasourcePlan,
    OutputPlan,
    QueryPlan,
    RecipientsPlan,
    ViewPlan,
)
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme

if TYPE_CHECKING:
    from kpi_assets.plan.automation import WatchPlan


@dataclass(frozen=True)
class ReportPlan:
    """A report that can run. `rule` is the kind of its regular windows.

    With `recipients` nobody gets the report as it stands: `for_recipient` is the plan of what one of them gets.
    """

    id: str
    config: ReportConfig
    files: tuple[Path, ...]
    zone: str
    rule: WindowRule
    theme: Theme
    numbers: NumberStyle
    datasources: Mapping[str, DatasourcePlan]
    queries: tuple[QueryPlan, ...]
    views: tuple[ViewPlan, ...]
    outputs: tuple[OutputPlan, ...]
    warnings: tuple[Problem, ...] = ()
    when: ConditionPlan | None = None
    recipients: RecipientsPlan | None = None
    recipient: Recipient | None = None
    watch: WatchPlan | None = None

    @property
    def is_divided(self) -> bool:
        """Do recipients get editions of their own, and is this not yet the plan of one?"""
        return self.recipients is not None and self.recipient is None

    def is_personal(self, *, query: str) -> bool:
        """Is the query asked for each recipient?"""
        return self.recipients is not None and query in self.recipients.queries

    def for_recipient(self, recipient: Recipient) -> ReportPlan:
        """The report as one recipient gets it: her values bound in queries, her editions apart from all others."""
        personal = self.recipients.queries if self.recipients else frozenset[str]()
        return replace(
            self,
            queries=tuple(q.for_recipient(recipient) if q.id in personal else q for q in self.queries),
            outputs=tuple(replace(output, recipient=recipient) for output in self.outputs),
            recipient=recipient,
        )

    @property
    def title(self) -> str:
        return str(self.config.title)

    @property
    def source(self) -> str:
        """Where the report is written, for messages."""
        return str(self.files[0]) if self.files else f"a report in Python called '{self.id}'"

    @property
    def first_day(self) -> date:
        return self.config.partitions.start

    @cached_property
    def queries_by_id(self) -> Mapping[str, QueryPlan]:
        return {query.id: query for query in self.queries}

    @cached_property
    def views_by_id(self) -> Mapping[str, ViewPlan]:
        return {view.id: view for view in self.views}

    @cached_property
    def outputs_by_id(self) -> Mapping[str, OutputPlan]:
        return {output.id: output for output in self.outputs}

    @cached_property
    def owner_output(self) -> OutputPlan | None:
        """The channel that the owner is told through: the first output that can write to such an address."""
        owner = self.config.owner
        return next((o for o in self.outputs if owner is not None and o.cls.tells(owner)), None)

    @property
    def formats(self) -> frozenset[Format]:
        """Every format that some output wants; HTML always, since the edition's page is kept."""
        wanted: frozenset[Format] = frozenset({"html"})
        return wanted.union(*(output.formats for output in self.outputs))

    @cached_property
    def fingerprint(self) -> str:
        """Changes with anything that the document is made from, except data."""
        look = self.config.model_dump(
            mode="json", include={"title", "lead", "theme", "locale", "findings", "public_url", "when"}
        )
        views = [view.fingerprint for view in self.views]
        more = [self.config.model_dump(mode="json", include={"recipients"})] if self.recipients else []
        return digest(__version__, look, views, self.template_hash, *more)

    @property
    def made_by(self) -> str:
        """Kept with every document: changes with anything that decides its files, except data."""
        return digest(self.fingerprint, sorted(self.formats))

    @cached_property
    def template_hash(self) -> str:
        """Hash of the user's own templates, so that an edit marks documents stale."""
        folder = self.theme.theme_dir
        if not folder or not Path(folder).is_dir():
            return ""
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return digest(*[[path.name, path.read_bytes().hex()] for path in files])

    def window(self, key: str | date) -> Window:
        """The regular window whose last day is `key`. Raises InputError where none ends on that day."""
        day = date.fromisoformat(key) if isinstance(key, str) else key
        window = self.rule.newest(day + timedelta(days=1), self.zone)
        if window.last_day != day:
            raise InputError(
                f"no edition of {self.id} ends on {day}: its window is '{self.rule.name}', and the newest that has "
                f"ended by then is {window.start} to {window.last_day}; ask for {window.key}"
            )
        return window

    def windows(self, first: date, last: date) -> tuple[Window, ...]:
        """The regular windows whose last day lies from `first` to `last`, both included; oldest first."""
        found: list[Window] = []
        window = self.rule.newest(last + timedelta(days=1), self.zone)
        while window.last_day >= first:
            found.append(window)
            window = self.rule.newest(window.last_day, self.zone)
        return tuple(reversed(found))

    def refusal(self, window: Window, today: date) -> str | None:
        """Why an edition of this window cannot be made, or None. `today` is the day it is in the report's zone."""
        if window.end > today:
            return (
                f"the window ends on {window.last_day}, which is not over in {self.zone}; "
                f"the last whole day is {today - timedelta(days=1)}"
            )
        if window.last_day < self.first_day:
            return f"the edition {window.key} lies before partitions.start ({self.first_day}); set an earlier start"
        return None

    def edition(self, window: Window) -> str:
        """The edition's id: its key, with the length where the window is not the report's own, and with whose it is."""
        own = f"{PERSONAL}{self.recipient.key}" if self.recipient else ""
        return f"{self.common_edition(window)}{own}"

    def common_edition(self, window: Window) -> str:
        """The same without what names the recipient: where that of an edition lies which all of them share."""
        return window.key if self.is_regular(window) else f"{window.key}_{window.length}d"

    def is_regular(self, window: Window) -> bool:
        """Is it the report's own window for the day that it ends on?"""
        return window == self.rule.newest(window.end, self.zone)
