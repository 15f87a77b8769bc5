"""Dagster's database migrations, read once.

For every database that Dagster opens, one per run among them, Alembic reads the same 90 files to learn which revision
is the newest. They belong to the installed package and do not change while a process lives. Without this module
everything works, a tenth of a second slower.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from alembic.config import Config
from alembic.script import ScriptDirectory


@contextmanager
def read_once() -> Generator[None]:
    """Within, databases whose migrations lie in the same folder share what Alembic has read."""
    plain = ScriptDirectory.__dict__["from_config"]
    known: dict[str, ScriptDirectory] = {}

    def shared(config: Config) -> ScriptDirectory:
        folder = config.get_main_option("script_location") or ""
        if folder not in known:
            known[folder] = plain.__get__(None, ScriptDirectory)(config)
        return known[folder]

    ScriptDirectory.from_config = staticmethod(shared)
    try:
        yield
    finally:
        ScriptDirectory.from_config = plain
