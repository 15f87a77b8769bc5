"""Benchmark data: one SQLite table of sign-ups, spread evenly over two years."""

from __future__ import annotations

import random
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

FIRST, DAYS = datetime(2023, 1, 2), 728
PLANS = ("Solo", "Team", "Business")


def make(path: Path, rows: int) -> Path:
    """A database of `rows` sign-ups; made once, then reused."""
    if path.exists():
        return path
    rng = random.Random(rows)
    partial = path.with_suffix(".part")
    partial.unlink(missing_ok=True)
    with sqlite3.connect(partial) as connection:
        connection.execute("create table sign_ups (created_at text, plan text, amount real)")
        connection.executemany("insert into sign_ups values (?, ?, ?)", (_row(rng) for _ in range(rows)))
        connection.execute("create index by_time on sign_ups (created_at)")
    connection.close()
    return partial.rename(path)


def _row(rng: random.Random) -> tuple[str, str, float]:
    at = FIRST + timedelta(seconds=rng.randrange(DAYS * 86400))
    return at.strftime("%Y-%m-%d %H:%M:%S"), rng.choice(PLANS), round(rng.random() * 90, 2)
