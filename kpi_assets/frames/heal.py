"""Self-healing: bring a query's stored frames up to date for the editions of a run.

A fresh install, a week's outage and a normal morning are the same code: ask the store which days of the windows it has,
fetch what is missing or due again (each run of days in one ranged query, split by day), and store every day as soon as
it is there. Whatever ends the process leaves whole days, and the next run fetches the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from kpi_assets.contracts import FrameInfo, Query, QueryAnalysis, Refresh, Span, Window
from kpi_assets.errors import DataError, TooMuchError
from kpi_assets.frames.encoded import combined_hash
from kpi_assets.frames.needs import Needs, Slot, batches
from kpi_assets.frames.store import FrameKey, FrameStore, StoredFrame
from kpi_assets.logs import logger

if TYPE_CHECKING:
    import pandas as pd

log = logger("kpi_assets.frames")

Fetch = Callable[[Query, Window], "pd.DataFrame"]
Clock = Callable[[], datetime]
Columns = tuple[tuple[str, str], ...]

CHUNK_DAYS = 92
"""A ranged query covers at most so many days, so that memory does not grow with the length of a backfill."""

CHUNK_ROWS = 1_000_000
"""And fewer days where those that are known hold so many rows."""


@dataclass(frozen=True)
class HealedFrame:
    """What one edition stands on after healing.

    `infos`: every stored frame that the edition needs, by slot, oldest first. `content_hash` covers all of them.
    `rows_in`: rows fetched by this call for those slots; `rows_stored`: rows that lie there now. `changed_days`: days
    whose stored rows are not what they were before, with their new hash, the edition's own day included; in a backfill
    a day is told by the first edition that needs it. `fetched`: backend queries of the whole call, not of this edition;
    `rows_fetched` and `seconds_fetched`: what they brought, and how long the backend took.
    `asked`: was any of the edition's own rows asked for by this call?
    `kept`: slots of the edition that came back empty now, so that their earlier rows stand. `columns`: (name, pandas
    type) of its newest rows; `drift`: how they differ from `columns_before`, those of the fetch before, in words.
    """

    window: Window
    rows_in: int
    rows_stored: int
    content_hash: str
    infos: Mapping[str, FrameInfo]
    changed_days: tuple[tuple[date, str], ...]
    warnings: tuple[str, ...]
    fetched: int
    rows_fetched: int = 0
    seconds_fetched: float = 0.0
    asked: bool = True
    kept: tuple[str, ...] = ()
    columns: Columns = ()
    columns_before: Columns = ()
    drift: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows that the edition's views are given."""
        return self.rows_stored

    @property
    def seconds(self) -> float:
        """The backend's time for all of the frames, whenever they were fetched."""
        return sum(info.seconds for info in self.infos.values())

    @property
    def fetched_at(self) -> datetime | None:
        """When the newest of the frames was fetched."""
        return max((info.fetched_at for info in self.infos.values()), default=None)


def heal(  # noqa: PLR0913 - the facts of a query plan, and the three doors to the world
    query: Query,
    *,
    analysis: QueryAnalysis,
    refresh: Refresh,
    spans: Sequence[Span],
    windows: Sequence[Window],
    key: FrameKey,
    store: FrameStore,
    fetch: Fetch,
    clock: Clock,
    chunk_days: int = CHUNK_DAYS,
    chunk_rows: int = CHUNK_ROWS,
    believe_empty: bool = False,
) -> tuple[HealedFrame, ...]:
    """Fetch what the windows' editions need and do not have; one result per window, in their order.

    `believe_empty`: an answer without rows replaces stored ones, which otherwise are kept.
    Lets the datasource's errors through: days stored before one stay. Raises DataError when rows get lost on the way.
    """
    needs = Needs(analysis.grain, refresh, tuple(spans) or (Span(),), tuple(windows))
    healer = _Healer(query, analysis, key, store, fetch, clock, believe_empty)
    healer.look_at(needs.slots)
    for batch in batches(needs.due(healer.stored), lambda: healer.days_at_once(chunk_days, chunk_rows)):
        healer.fetch(batch)
    return tuple(healer.results(needs))


@dataclass
class _Healer:
    """One call of `heal`: what is stored, what was fetched, what must be said."""

    query: Query
    analysis: QueryAnalysis
    key: FrameKey
    store: FrameStore
    ask: Fetch
    clock: Clock
    believe_empty: bool = False
    stored: dict[Slot, StoredFrame] = field(default_factory=dict)
    rows_in: dict[Slot, int] = field(default_factory=dict)
    changed: dict[Slot, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    kept: set[Slot] = field(default_factory=set[Slot])
    fetched: int = 0
    seconds: float = 0.0
    newest: StoredFrame | None = None
    most: int = CHUNK_DAYS
    ranged: bool = True
    drift: tuple[str, ...] = ()
    columns_before: Columns = ()

    def look_at(self, slots: Sequence[Slot]) -> None:
        """Learn what is stored of the slots; files that are there and cannot be read are told of."""
        present = self.store.present_slots(self.key)
        there = {slot.name: slot for slot in slots if slot.name in present}
        heads = self.store.heads(self.key, list(there))
        self.stored = {there[name]: head for name, head in heads.items()}
        filled = [slot for slot, head in self.stored.items() if head.info.rows]
        self.newest = self.stored[max(filled)] if filled else None
        damaged = [name for name in there if name not in heads]
        if damaged:
            self._warn(f"stored rows of {', '.join(sorted(damaged))} could not be read and are fetched again")

    def days_at_once(self, most: int, rows: int) -> int:
        """How many days to ask for, by the rows of the days that are known so far, and by what was too much."""
        most = min(most, self.most)
        known = sum(head.info.rows for head in self.stored.values())
        return min(most, max(1, rows * len(self.stored) // known)) if known else most

    def fetch(self, batch: Sequence[Slot]) -> None:
        """Fetch neighbouring slots in one query where their rows can be told apart, else one by one."""
        column = self.analysis.day_column if self.ranged else None
        if len(batch) > 1 and column is not None:
            try:
                if self._fetch_range(batch, column):
                    return
            except TooMuchError as error:
                self._fetch_in_parts(batch, error)
                return
        for slot in batch:
            frame, seconds, at = self._ask(slot.span)
            self._keep(slot, frame, seconds, at)

    def _fetch_in_parts(self, batch: Sequence[Slot], error: TooMuchError) -> None:
        """How many days are asked for at once is our choice: who answers for one day must not fail for many."""
        self.most = (len(batch) + 1) // 2
        log.info("%d days at once are too much, %d are asked for: %s", len(batch), self.most, error)
        rest = batch
        while rest:
            part, rest = rest[: self.most], rest[self.most :]
            self.fetch(part)

    def _fetch_range(self, batch: Sequence[Slot], column: str) -> bool:
        """One query for a run of days. False where its rows cannot be split: then nothing has been stored."""
        from kpi_assets.frames.split import UnsplittableError, split_by_day

        window = Window(batch[0].span.start, batch[-1].span.end, batch[0].span.zone)
        frame, seconds, at = self._ask(window)
        try:
            days = split_by_day(frame, column, window)
        except UnsplittableError as error:
            self.ranged = False
            self._warn(f"{error}; each day is asked for alone")
            return False
        parted = sum(len(rows) for rows in days.values())
        if parted != len(frame):
            raise DataError(f"query '{self.query.id}': {len(frame)} rows came, {parted} were split into days")
        for slot in batch:
            self._keep(slot, days[slot.span.start], seconds / len(batch), at)
        return True

    def _ask(self, window: Window) -> tuple[pd.DataFrame, float, datetime]:
        asked_at = self.clock()
        frame = self.ask(self.query, window)
        answered_at = self.clock()
        self.fetched += 1
        seconds = max(0.0, (answered_at - asked_at).total_seconds())
        self.seconds += seconds
        return frame, seconds, answered_at

    def _keep(self, slot: Slot, frame: pd.DataFrame, seconds: float, at: datetime) -> None:
        """Store a slot's rows; no rows in place of some are not believed."""
        before = self.stored.get(slot)
        self.rows_in[slot] = len(frame)
        if before and before.info.rows and not len(frame) and not self.believe_empty:
            self.kept.add(slot)
            self._warn(
                f"{slot.name} came back empty, {before.info.rows} stored rows are kept "
                "(does the source delete old rows? then set `refresh: missing`)"
            )
            return
        after = self.store.write(self.key, slot.name, frame, seconds=seconds, fetched_at=at)
        if after.info.rows != len(frame):
            raise DataError(f"query '{self.query.id}': {len(frame)} rows came, {after.info.rows} were stored")
        self.stored[slot] = after
        self._watch_columns(before or self.newest, after)
        if before is None or before.info.content_hash != after.info.content_hash:
            self.changed[slot] = after.info.content_hash

    def _watch_columns(self, before: StoredFrame | None, after: StoredFrame) -> None:
        """Tell once when the answer's columns are not what they were; frames without rows know no types."""
        from kpi_assets.frames.drift import drift

        if self.drift or before is None or not before.info.rows or not after.info.rows:
            return
        self.drift = drift(before.columns, after.columns)
        if self.drift:
            self.columns_before = before.columns
            self._warn(f"its columns changed: {'; '.join(self.drift)}")

    def results(self, needs: Needs) -> Iterator[HealedFrame]:
        """One result per window, from what is known; nothing is read again."""
        untold = dict(self.changed)
        for window in needs.windows:
            slots = needs.of(window)
            infos = {slot.name: self.stored[slot].info for slot in slots}
            told = [slot for slot in slots if slot in untold and slot.is_partition_beside(window)]
            yield HealedFrame(
                window=window,
                rows_in=sum(self.rows_in.get(slot, 0) for slot in slots),
                rows_stored=sum(info.rows for info in infos.values()),
                content_hash=combined_hash([(name, info.content_hash) for name, info in infos.items()]),
                infos=infos,
                changed_days=tuple((slot.span.last_day, untold.pop(slot)) for slot in told),
                warnings=tuple(self.warnings),
                fetched=self.fetched,
                rows_fetched=sum(self.rows_in.values()),
                seconds_fetched=self.seconds,
                asked=any(slot in self.rows_in for slot in slots),
                kept=tuple(slot.name for slot in slots if slot in self.kept),
                columns=self._columns(slots),
                columns_before=self.columns_before,
                drift=self.drift,
            )

    def _columns(self, slots: Sequence[Slot]) -> Columns:
        """Those of the newest slot with rows, else of the newest: frames without rows know names alone."""
        filled = [slot for slot in slots if self.stored[slot].info.rows]
        return self.stored[(filled or slots)[-1]].columns if slots else ()

    def _warn(self, text: str) -> None:
        message = f"query '{self.query.id}': {text}"
        self.warnings.append(message)
        log.warning(message)
