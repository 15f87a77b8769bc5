"""The year itself: outage, restarts, ticks and looks, one moment after the other."""

from __future__ import annotations

import random
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import time_machine

from benchmarks.year.daemon import MINUTE, Daemon, Tick, moments_of, ticks_between
from benchmarks.year.verdict import Figures, judge
from benchmarks.year.world import KINDS, ZONE, Source, World


@dataclass(frozen=True)
class Script:
    """What happens. `outage`: the day on whose noon the daemon goes; it comes back nine days later.

    `failing`: how likely a query fails. `restarting`, `dying`: how likely the daemon is restarted after a tick, and how
    likely it dies upon one, so that the run that it asked for is never started.
    """

    first: date = date(2024, 1, 1)
    days: int = 366
    outage: date = date(2024, 3, 24)
    seed: int = 1
    failing: float = 0.05
    restarting: float = 0.04
    dying: float = 0.02

    @property
    def gone(self) -> tuple[datetime, datetime]:
        """From noon to noon; Sunday to Tuesday misses two Mondays, and the clocks change in between."""
        noon = datetime(self.outage.year, self.outage.month, self.outage.day, 12, tzinfo=ZoneInfo(ZONE))
        return noon, noon + timedelta(days=9)


def play(script: Script) -> Figures:
    """Live through the days, then count."""
    from kpi_assets_tests.outputs.mail_peer import mail_server

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        peer = stack.enter_context(mail_server(folder, starttls=False))
        source = Source(script.failing, random.Random(script.seed))
        world = World(folder, peer.port, source, script.first)
        world.write(script.days)
        daemon = Daemon(world)
        ticks = _live(script, daemon)
        return judge(daemon, ticks, peer.posts)


def _live(script: Script, daemon: Daemon) -> list[Tick]:
    """Moment by moment; the ticks with what became of them."""
    dice, (gone, back) = random.Random(script.seed + 1), script.gone
    due = ticks_between(script.first, script.days)
    done: list[Tick] = []
    before = due[0].at - 10 * MINUTE
    with time_machine.travel(before, tick=True) as clock:
        daemon.start()
        daemon.look(before, KINDS, awake=False)
        for moment, kinds in moments_of(due, script.gone).items():
            clock.move_to(moment)
            new = [tick for tick in due if before < tick.at <= moment]
            for tick in settle(new, gone, back):
                fate = _fate(tick, dice, script)
                done.append(replace(tick, fate=fate))
                if fate != "missed":
                    daemon.tick(tick, dies=fate == "lost")
            if dice.random() < script.restarting / 5:
                daemon.restart()
            daemon.look(moment, kinds, awake=not before <= gone < moment)
            before = moment
        daemon.stop()
    return done


def settle(new: list[Tick], gone: datetime, back: datetime) -> list[Tick]:
    """After an outage Dagster's scheduler makes up for the newest tick of each schedule, and skips the others."""
    newest = {tick.kind.name: tick for tick in new}
    missed = [
        replace(tick, fate="missed") if gone <= tick.at < back and newest[tick.kind.name] != tick else tick
        for tick in new
    ]
    return sorted(missed, key=lambda tick: tick.at)


def _fate(tick: Tick, dice: random.Random, script: Script) -> str:
    if tick.fate == "missed":
        return "missed"
    return "lost" if dice.random() < script.dying else "ran"
