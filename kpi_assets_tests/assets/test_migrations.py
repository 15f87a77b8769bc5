from __future__ import annotations

from pathlib import Path

import dagster._core.storage.event_log.sqlite.sqlite_event_log as events
import dagster._core.storage.runs.sqlite.sqlite_run_storage as runs
from alembic.script import ScriptDirectory
from dagster._core.storage.sql import get_alembic_config

from kpi_assets.assets.instance import open_instance
from kpi_assets.assets.migrations import read_once

EVENTS, RUNS = get_alembic_config(events.__file__), get_alembic_config(runs.__file__)


def test_databases_share_their_migrations() -> None:
    """Two databases of Dagster's read its migrations once, and learn the same newest revision as without us."""
    plain = ScriptDirectory.from_config(RUNS).as_revision_number("head")
    with read_once():
        first, second = ScriptDirectory.from_config(EVENTS), ScriptDirectory.from_config(RUNS)
        assert first is second
        assert second.as_revision_number("head") == plain


def test_alembic_is_left_as_it_was(home: Path) -> None:
    """After an instance is closed, Alembic reads anew for everybody else."""
    with open_instance(home, {}):
        pass
    assert ScriptDirectory.from_config(RUNS) is not ScriptDirectory.from_config(RUNS)
