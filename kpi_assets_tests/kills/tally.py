"""Counts what trials showed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kpi_assets_tests.kills.trial import Outcome

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "kills.json"
Race = tuple[int, str, tuple[int, ...]]


@dataclass
class Tally:
    """Of one channel; `through` is `stage` or `cli`, `ledger` where claims were kept."""

    channel: str
    through: str
    ledger: str
    seed: int
    kills: list[Outcome] = field(default_factory=list)
    races: list[Race] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.channel}, {self.through}, {self.ledger}"

    @property
    def bad(self) -> int:
        """Trials in which an edition was lost or doubled, or `latest` was not whole."""
        wrong = [found for found in self.kills if found.doubled or found.lost or found.mixed]
        return len(wrong) + sum(race[0] != 1 for race in self.races)

    def told(self) -> str:
        return f"{self.name}: {json.dumps(self.figures())}"

    def figures(self) -> dict[str, Any]:
        kills = self._kill_figures() if self.kills else {}
        races = (
            {"races": len(self.races), "raced_twice": sum(r[0] > 1 for r in self.races)} if self.races else {}
        )
        lost = {"raced_never": sum(r[0] < 1 for r in self.races)} if self.races else {}
        return {**kills, **races, **lost}

    def _kill_figures(self) -> dict[str, Any]:
        found = self.kills
        return {
            "kills": len(found),
            "seed": self.seed,
            "doubled": sum(o.doubled for o in found),
            "lost": sum(o.lost for o in found),
            "latest_mixed": sum(bool(o.mixed) for o in found),
            "killed_after_the_end": sum(not o.alive for o in found),
            "points": dict(sorted(Counter(o.point for o in found).items())),
            "ledger_at_kill": dict(sorted(Counter(o.at_kill for o in found).items())),
            "arrived_before_kill": sum(o.received_at_kill > 0 for o in found),
            "state_in_the_end": dict(sorted(Counter(o.state for o in found).items())),
            "unknown_that_had_arrived": sum(o.state == "unknown" and o.received > 0 for o in found),
            "unknown_that_had_not": sum(o.state == "unknown" and o.received == 0 for o in found),
        }


def keep(tally: Tally, path: Path = RESULTS) -> None:
    """Write the figures beside those of other channels."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    entry = {**known.get(tally.name, {}), **tally.figures()}
    text = json.dumps({**known, tally.name: entry}, indent=1, sort_keys=True)
    path.write_text(f"{text}\n", encoding="utf-8")
