"""What a run holds open: the plan, the stores under `$KPI_ASSETS_HOME`, and backends whose secrets are resolved late."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from kpi_assets.config.env import resolve_env, secrets_of
from kpi_assets.contracts import Datasource, Output
from kpi_assets.editions import EditionStore
from kpi_assets.frames.store import FrameKey, FrameStore
from kpi_assets.plan import QueryPlan, ReportPlan

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def home_from(environ: Mapping[str, str]) -> Path:
    """`$KPI_ASSETS_HOME`, default `./.kpi_assets`."""
    return Path(environ.get("KPI_ASSETS_HOME") or ".kpi_assets").expanduser().absolute()


@dataclass
class Session:
    """One run over one report. Datasources and outputs are made when first used; `close` gives connections back.

    `clock` stamps when frames were fetched; nothing else below asks for the time.
    """

    plan: ReportPlan
    home: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    clock: Clock = utc_now
    _datasources: dict[str, Datasource] = field(default_factory=dict, init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    @cached_property
    def frames(self) -> FrameStore:
        return FrameStore(self.environ.get("KPI_ASSETS_FRAMES") or self.home / "frames")

    @cached_property
    def editions(self) -> EditionStore:
        return EditionStore(self.home)

    def frame_key(self, query: QueryPlan) -> FrameKey:
        return FrameKey(self.plan.id, query.id, query.fingerprint)

    def datasource(self, id: str) -> Datasource:
        """The backend, made once per session. Raises ConfigError for a variable that is not set."""
        with self._lock:
            if id not in self._datasources:
                source = self.plan.datasources[id]
                args = self._resolved(source.cls.Args, source.raw_args, f"datasource '{id}'")
                self._datasources[id] = source.cls(id, args)
            return self._datasources[id]

    def output(self, id: str) -> Output:
        output = self.plan.outputs_by_id[id]
        return output.cls(id, self._resolved(output.cls.Args, output.raw_args, f"output '{id}'"))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that came from the environment, for redaction."""
        owners = [*self.plan.datasources.values(), *self.plan.outputs]
        return tuple(secret for owner in owners for secret in secrets_of(owner.raw_args, self.environ))

    def _resolved(self, model: Any, raw: Mapping[str, Any], where: str) -> Any:
        args = resolve_env(raw, self.environ, where=where)
        return model.model_validate({k: v for k, v in args.items() if k not in model.ignored_keys})

    def close(self) -> None:
        for source in self._datasources.values():
            source.close()
        self._datasources.clear()


@contextmanager
def open_session(
    plan: ReportPlan, home: Path, environ: Mapping[str, str] | None = None, clock: Clock = utc_now
) -> Iterator[Session]:
    """A session that is closed at the end, whatever happens."""
    session = Session(plan, home, os.environ if environ is None else environ, clock)
    try:
        yield session
    finally:
        session.close()
