"""Time: the half-open span of whole days that an edition covers, and the spans its queries need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, order=True)
class Window:
    """Whole days `[start, end)` in the time zone `zone` (an IANA name). `end` is not included.

    Days are built from dates in the zone, so a day of 23 or 25 hours at a DST change is still one day.
    """

    start: date
    end: date
    zone: str

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
        """The window of the same length that lies `windows` windows earlier."""
        shift = timedelta(days=windows * self.length)
        return Window(self.start - shift, self.end - shift, self.zone)

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
