"""Which days are worked: weekends and public holidays of a country, and days that the report names itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from kpi_assets.errors import suggest

if TYPE_CHECKING:
    from holidays import HolidayBase

ONE_DAY = timedelta(days=1)
WEEKEND = frozenset({5, 6})
"""Saturday and Sunday, where no country says otherwise."""


@dataclass(frozen=True)
class Workdays:
    """Business days. `country`: ISO 3166 code; `subdivision`: a part of it (`BY`). Without one only weekends are free.

    `free` and `worked` are days of the report's own: a company holiday, a Saturday that is worked.
    """

    country: str | None = None
    subdivision: str | None = None
    free: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()

    def __contains__(self, day: date) -> bool:
        if day in self.worked or day in self.free:
            return day in self.worked
        return day.weekday() not in self._weekend and day not in self._public(day.year)

    def upto(self, day: date) -> date:
        """The newest business day that is not later than `day`. Raises ValueError where a year has none."""
        for back in range(366):
            found = day - back * ONE_DAY
            if found in self:
                return found
        raise ValueError(f"no business day in the year up to {day}: look at `holidays`")

    def free_days(self, first: date, last: date) -> Iterator[date]:
        """The days from `first` to `last` (included) that are not worked."""
        return (
            day for day in (first + n * ONE_DAY for n in range((last - first).days + 1)) if day not in self
        )

    @property
    def _weekend(self) -> Collection[int]:
        return _calendar(self.country, self.subdivision).weekend if self.country else WEEKEND

    def _public(self, year: int) -> frozenset[date]:
        return _public_holidays(self.country, self.subdivision, year) if self.country else frozenset()


def known_place(country: str, subdivision: str | None) -> str:
    """ "" where the country and its part are known, else a sentence that says which are allowed."""
    import holidays

    countries = holidays.list_supported_countries()
    if country not in countries:
        return f"holidays of '{country}' are not known: {suggest(country, sorted(countries))}"
    if subdivision and subdivision not in countries[country]:
        parts = sorted(countries[country])
        hint = suggest(subdivision, parts) if parts else "the country has no parts"
        return f"'{subdivision}' is no part of {country} that has holidays of its own: {hint}"
    return ""


@lru_cache(maxsize=16)
def _calendar(country: str, subdivision: str | None) -> HolidayBase:
    import holidays

    return holidays.country_holidays(country, subdiv=subdivision)


@lru_cache(maxsize=512)
def _public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    import holidays

    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))
