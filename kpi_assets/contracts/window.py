"""Time: the half-open span of whole days that an edition covers, and the spans its queries need."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field


class WindowRule(ABC):
    """A kind of windows: the last 28 days, whole months, business days..."""

    @property
    @abstractmethod
    def name(self) -> str:
        """As it is written in YAML: `last month`."""

    @property
    @abstractmethod
    def earlier(self) -> str:
        """What the window before one of this kind is called: `the month before`."""

    @abstractmethod
    def newest(self, by: date, zone: str) -> Window:
        """The newest window of this kind that ends by the start of the day `by`."""

    def before(self, window: Window) -> Window:
        """The window that one of this kind is compared with: by default the newest that has ended when it starts."""
        return self.newest(window.start, window.zone)


@dataclass(frozen=True, order=True)
class Window:
    """Whole days `[start, end)` in the time zone `zone` (an IANA name). `end` is not included.

    Days are built from dates in the zone, so a day of 23 or 25 hours at a DST change is still one day.
    `rule` is the kind it was made by, None for one that was chosen by its dates; it is no part of its identity.
    """

    start: date
    end: date
    zone: str
    rule: Annotated[WindowRule | None, Field(exclude=True)] = field(default=None, compare=False, repr=False)

    __pydantic_config__: ClassVar = ConfigDict(arbitrary_types_allowed=True)  # documents are stored as JSON

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"window ends ({self.end}) before it starts ({self.start})")

    @property
    def key(self) -> str:
        """The edition's partition key: the last day inside, `YYYY-MM-DD`."""
        return (self.end - timedelta(days=1)).isoformat()

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)

    @property
    def length(self) -> int:
        """Number of days."""
        return (self.end - self.start).days

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(self.start + timedelta(days=i) for i in range(self.length))

    @property
    def starts_at(self) -> datetime:
        """First instant, zone-aware."""
        return datetime.combine(self.start, time(), ZoneInfo(self.zone))

    @property
    def ends_at(self) -> datetime:
        """First instant after the window, zone-aware."""
        return datetime.combine(self.end, time(), ZoneInfo(self.zone))

    def back(self, windows: int) -> Window:
        """The window that lies `windows` windows earlier, by its rule; without one they all have the same length."""
        if self.rule is None:
            shift = timedelta(days=windows * self.length)
            return Window(self.start - shift, self.end - shift, self.zone)
        found = self
        for _ in range(windows):
            found = self.rule.before(found)
        return found

    @property
    def shift(self) -> timedelta:
        """How much earlier the window before starts: what moves its days onto the days of this one."""
        return self.start - self.back(1).start

    @classmethod
    def ending(cls, key: str | date, length: int, zone: str) -> Window:
        """The window of `length` days whose last day is `key`."""
        last = date.fromisoformat(key) if isinstance(key, str) else key
        return cls(last - timedelta(days=length - 1), last + timedelta(days=1), zone)

    @classmethod
    def of_day(cls, day: date, zone: str) -> Window:
        return cls(day, day + timedelta(days=1), zone)


@dataclass(frozen=True, order=True)
class Span:
    """Which days a view needs of a query, relative to the edition's window.

    `days`: length in days counted back from the span's end; None = the window's own length.
    `windows_back`: how many windows earlier the span ends (1 = the previous window).
    """

    days: int | None = None
    windows_back: int = 0

    def of(self, window: Window) -> Window:
        shifted = window.back(self.windows_back)
        if self.days is None:
            return shifted
        return Window.ending(shifted.last_day, self.days, window.zone)
