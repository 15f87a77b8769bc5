"""What a run holds open: the plan, the stores under `$KPI_ASSETS_HOME`, and backends with their secrets."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kpi_assets.config.env import resolve_env, secrets_of
from kpi_assets.contracts import Datasource, Output, Recipient
from kpi_assets.editions import EditionStore
from kpi_assets.errors import ConfigError, Problem, redact
from kpi_assets.frames.memory import return_large_arrays
from kpi_assets.frames.store import FrameKey, FrameStore
from kpi_assets.plan import DatasourcePlan, OutputPlan, QueryPlan, ReportPlan
from kpi_assets.plan.recipients import args_for

if TYPE_CHECKING:
    from kpi_assets.ledger.store import Ledger

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def home_from(environ: Mapping[str, str]) -> Path:
    """`$KPI_ASSETS_HOME`, default `./.kpi_assets`."""
    return Path(environ.get("KPI_ASSETS_HOME") or ".kpi_assets").expanduser().absolute()


def make_datasource(plan: DatasourcePlan, environ: Mapping[str, str]) -> Datasource:
    """The backend with its secrets put in. Raises ConfigError for a variable that is not set."""
    return plan.cls(plan.id, _resolved(plan.cls.Args, plan.raw_args, environ, f"datasource '{plan.id}'"))


def make_output(plan: OutputPlan, environ: Mapping[str, str]) -> Output:
    """The output with its secrets put in. Raises ConfigError for a variable that is not set."""
    args = _resolved(
        plan.cls.Args, plan.raw_args, environ, f"output '{plan.id}'", put_in=partial(args_for, plan)
    )
    return plan.cls(plan.id, args)


def _resolved(
    model: Any,
    raw: Mapping[str, Any],
    environ: Mapping[str, str],
    where: str,
    *,
    put_in: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
) -> Any:
    """Checked arguments. `put_in` comes after the references: what it puts in can refer to nothing."""
    args = put_in(resolve_env(raw, environ, where=where))
    try:
        return model.model_validate({k: v for k, v in args.items() if k not in model.ignored_keys})
    except ValidationError as error:
        secrets = secrets_of(raw, environ)
        raise ConfigError(
            [
                Problem(redact(f"{where}: {'.'.join(map(str, found['loc']))}: {found['msg']}", secrets))
                for found in error.errors(include_input=False, include_url=False)
            ]
        ) from None


@dataclass
class Session:
    """One run over one report. Datasources and outputs are made when first used; `close` gives connections back.

    `clock` stamps when frames were fetched; nothing else below asks for the time. `make_datasource` and `make_output`
    are replaced by Dagster's resources.
    """

    plan: ReportPlan
    home: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    clock: Clock = utc_now
    make_datasource: Callable[[DatasourcePlan, Mapping[str, str]], Datasource] = make_datasource
    make_output: Callable[[OutputPlan, Mapping[str, str]], Output] = make_output
    _datasources: dict[str, Datasource] = field(default_factory=dict, init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    @cached_property
    def frames(self) -> FrameStore:
        return_large_arrays()
        return FrameStore(self.environ.get("KPI_ASSETS_FRAMES") or self.home / "frames")

    @cached_property
    def editions(self) -> EditionStore:
        return EditionStore(self.home)

    @cached_property
    def history(self) -> EditionStore:
        """The editions that were kept, also where this session keeps its own elsewhere (a preview)."""
        return EditionStore(self.home)

    @cached_property
    def ledger(self) -> Ledger:
        """What was delivered. Raises LedgerError where it cannot be opened."""
        from kpi_assets.ledger.store import open_ledger

        return open_ledger(self.home, self.environ, hide=lambda text: redact(text, self.secrets))

    @property
    def address(self) -> str:
        """Whose edition is made or delivered, "" where it is for all."""
        return self.plan.recipient.address if self.plan.recipient else ""

    def for_recipient(self, recipient: Recipient) -> Session:
        """The same session over what one recipient gets; stores and backends are shared, and closed with this one."""
        personal = copy(self)
        personal.plan = self.plan.for_recipient(recipient)
        return personal

    def frame_key(self, query: QueryPlan) -> FrameKey:
        return FrameKey(self.plan.id, query.id, query.fingerprint)

    def datasource(self, id: str) -> Datasource:
        """The backend, made once per session. Raises ConfigError for a variable that is not set."""
        with self._lock:
            if id not in self._datasources:
                self._datasources[id] = self.make_datasource(self.plan.datasources[id], self.environ)
            return self._datasources[id]

    def output(self, id: str) -> Output:
        return self.make_output(self.plan.outputs_by_id[id], self.environ)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that came from the environment, for redaction."""
        owners = [*self.plan.datasources.values(), *self.plan.outputs]
        return tuple(secret for owner in owners for secret in secrets_of(owner.raw_args, self.environ))

    def close(self) -> None:
        for source in self._datasources.values():
            source.close()
        self._datasources.clear()


@contextmanager
def open_session(
    plan: ReportPlan, home: Path, environ: Mapping[str, str] | None = None, clock: Clock = utc_now
) -> Generator[Session]:
    """A session that is closed at the end, whatever happens."""
    session = Session(plan, home, os.environ if environ is None else environ, clock)
    try:
        yield session
    finally:
        session.close()
