"""A channel with a report of its own, ready to be delivered over and over."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kpi_assets_tests.kills.books import Books
from kpi_assets_tests.kills.channels import CHANNELS, Channel, Published, Told, Tree, trial_environ
from kpi_assets_tests.kills.errand import BEFORE, EDITION, Forked, Start
from kpi_assets_tests.kills.gate import Gate
from kpi_assets_tests.shop import write_report

LEASE = 0.4
"""Seconds that a dead process counts as alive in a trial."""
UNFINISHED = ".tmp-"
CHART = """
  chart:
    plugin: plot
    title: Orders
    args: {query: {ref: orders_daily}, time_column: day}
outputs:
  out:"""


@dataclass
class Bench:
    """`size` and `seconds` are what an undisturbed delivery sends, is sent and takes.

    For what is published `before` is the place with the edition before in it, and `after` with both.
    """

    name: str
    channel: Channel
    folder: Path
    start: Start = Forked.start
    more: Mapping[str, str] = field(default_factory=dict)
    before: Tree = field(default_factory=dict)
    after: Tree = field(default_factory=dict)
    size: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def report(self) -> Path:
        return self.folder / "orders.yaml"

    @property
    def home(self) -> Path:
        """The home that every trial gets a copy of."""
        return self.folder / "home"

    def environ(self, port: int) -> dict[str, str]:
        return {**trial_environ(self.folder, port), "KPI_ASSETS_LEASE": str(LEASE), **self.more}

    def clear(self, port: int) -> None:
        """As if the edition had never been delivered."""
        if isinstance(self.channel, Told):
            self.channel.on_taken = _nothing
            self.channel.at(port)
            self.channel.forget()
        else:
            self.channel.fill(self.before)

    def received(self) -> int:
        """How often people have the edition; 1 where what is published is what it should be, else 0."""
        if isinstance(self.channel, Told):
            return self.channel.received()
        return int(self.published() == self.after)

    def published(self) -> Tree:
        """What lies in the place, without what a dead process had not finished."""
        tree = self.channel.tree() if isinstance(self.channel, Published) else {}
        return {path: content for path, content in tree.items() if UNFINISHED not in path}

    def mixed(self) -> str:
        """The first file of `latest` that is neither the old nor the new one, or is missing; empty where all are."""
        if isinstance(self.channel, Told):
            return ""
        now = self.published()
        names = {path for path in (*now, *self.before) if path.startswith("latest-")}
        wrong = [p for p in sorted(names) if now.get(p) not in (self.before.get(p), self.after.get(p))]
        return wrong[0] if wrong else ""


@contextmanager
def bench(
    name: str, folder: Path, *, start: Start = Forked.start, more: Mapping[str, str] | None = None
) -> Generator[Bench]:
    """A running peer, a report with two stored editions, and one undisturbed delivery to measure by."""
    with CHANNELS[name](folder) as channel:
        made = Bench(name, channel, folder, start, more or {})
        _write_report(made)
        _store_editions(made)
        with gate_to(made) as gate:
            _measure(made, gate)
        yield made


@contextmanager
def gate_to(bench: Bench, *stops: object) -> Generator[Gate]:
    gate = Gate(bench.channel.port, *stops)  # type: ignore[arg-type]
    try:
        yield gate
    finally:
        gate.close()


@contextmanager
def home_for(bench: Bench) -> Generator[Path]:
    """A copy of the home, thrown away afterwards."""
    home = bench.folder / "trial"
    shutil.copytree(bench.home, home)
    try:
        yield home
    finally:
        shutil.rmtree(home)


def _nothing(*_: object) -> None:
    """Until a trial wants to know."""


def _write_report(bench: Bench) -> None:
    file = write_report(bench.folder)
    text = file.read_text(encoding="utf-8")
    output = CHART + bench.channel.output
    file.write_text(text[: text.index("\noutputs:")] + output, encoding="utf-8")


def _store_editions(bench: Bench) -> None:
    from kpi_assets import pipeline
    from kpi_assets.config import load_report
    from kpi_assets.delivery import deliver_outputs
    from kpi_assets.plan import build_plan
    from kpi_assets.session import open_session

    environ = bench.environ(bench.channel.port)
    plan = build_plan(load_report([bench.report]), environ)
    with open_session(plan, bench.home, environ) as session:
        windows = [plan.window(key) for key in (BEFORE, EDITION)]
        for stage in (pipeline.fetch_queries, pipeline.render_views, pipeline.compose_documents):
            list(stage(session, windows))
        if isinstance(bench.channel, Published):
            assert not [made.error for made in deliver_outputs(session, windows[:1]) if made.error]
            bench.before = bench.published()
    Books(bench.home, environ).clear()
    shutil.rmtree(bench.home / "frames")


def _measure(bench: Bench, gate: Gate) -> None:
    """Twice, since the first errand of all waits for what is loaded once."""
    for _ in range(2):
        with home_for(bench) as home:
            bench.clear(gate.port)
            before, started = dict(gate.passed), time.monotonic()
            environ = bench.environ(gate.port)
            Books(home, environ).clear()
            code = bench.start(bench.report, home, environ).join()
            bench.seconds = time.monotonic() - started
            bench.size = {way: count - before[way] for way, count in gate.passed.items()}
            assert code == 0, (home / "said").read_text(encoding="utf-8")
    bench.after = bench.published()
