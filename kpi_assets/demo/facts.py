"""What is fixed about the demo company: days, countries, plans, rhythms, and the events that its report tells of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

FIRST_DAY = date(2022, 11, 28)
"""A Monday; 104 whole weeks follow."""
LAST_DAY = date(2024, 11, 24)
ZONE = "Europe/Berlin"

OUTAGE_DAY = date(2024, 10, 29)
OUTAGE_HOURS = range(8, 17)
"""The sign-up form was down for these nine hours."""
ONBOARDING_DAY = date(2024, 10, 14)
"""From this week on new accounts come back more often."""
LAUNCH = {date(2024, 11, 21): 0.44, date(2024, 11, 22): 0.16}
"""Day -> extra sign-ups as a share of a normal day, most of them from the United States."""
LEAVING = (date(2024, 10, 14), date(2024, 10, 27), 1.35)
"""In these two weeks more customers left than usual; from the first day to the last, and how many times as many."""
ACTIVITY_SINCE = date(2024, 7, 1)
CLOCK_CHANGES = frozenset({date(2023, 3, 26), date(2023, 10, 29), date(2024, 3, 31), date(2024, 10, 27)})
"""On these days 02:00 to 03:00 does not exist or exists twice; nothing is recorded then."""

WEEKDAYS = (0.158, 0.163, 0.166, 0.167, 0.150, 0.098, 0.098)
"""How a week's sign-ups fall on Monday to Sunday."""


@dataclass(frozen=True)
class Country:
    """Where accounts come from. `conversion` is sign-ups per visit; None where visits are not measured."""

    name: str
    weight: float
    conversion: float | None
    hours_late: int = 0


COUNTRIES = (
    Country("Germany", 26.0, 0.081),
    Country("United States", 11.5, 0.058, 7),
    Country("United Kingdom", 9.8, 0.067, 1),
    Country("France", 8.6, 0.062),
    Country("Netherlands", 6.8, 0.078),
    Country("Austria", 5.9, 0.083),
    Country("Switzerland", 4.7, 0.076),
    Country("Spain", 4.1, 0.058),
    Country("Poland", 3.5, None),
    Country("Sweden", 2.7, 0.071),
    Country("Italy", 2.4, 0.061),
    Country("Belgium", 2.2, 0.070),
    Country("Denmark", 2.0, 0.074),
    Country("Canada", 1.8, 0.060, 7),
    Country("Ireland", 1.6, 0.066, 1),
    Country("Norway", 1.4, 0.072),
    Country("Portugal", 1.3, 0.059, 1),
    Country("Czechia", 1.2, 0.064),
    Country("Brazil", 1.1, 0.052, 4),
    Country("India", 1.4, 0.047, -4),
)
LAUNCH_COUNTRIES = tuple(8.0 if c.name == "United States" else c.weight / 40 for c in COUNTRIES)

CHANNELS = ("search", "recommendation", "newsletter", "partner", "advertising")
CHANNEL_WEIGHTS = (42.0, 25.0, 12.0, 9.0, 12.0)


@dataclass(frozen=True)
class Plan:
    """A price list entry. `trials` is its share of sign-ups; `leave` the share that ends at each renewal."""

    id: str
    name: str
    euros_per_seat: int
    seats: tuple[int, ...]
    trials: float
    leave: float
    at_start: int
    per_week: tuple[float, float, float]
    """New subscriptions a week: in the first week, 13 weeks before the end, and at the end."""


PLANS = (
    Plan("team", "Team", 16, (3, 4, 5, 5, 6, 8, 9), 31.0, 0.016, 120, (7.0, 12.5, 25.0)),
    Plan("business", "Business", 12, (10, 14, 15, 16, 20), 10.0, 0.011, 25, (2.0, 4.3, 6.2)),
    Plan("solo", "Solo", 26, (1,), 49.0, 0.030, 260, (15.0, 29.5, 30.0)),
    Plan("education", "Education", 4, (6, 8, 10), 10.0, 0.026, 40, (2.6, 5.0, 5.6)),
)

OFFICE_HOURS = (1, 1, 0.5, 0.5, 0.6, 1, 2, 5, 10, 14, 15, 13, 9, 11, 14, 14, 12, 9, 7, 6, 6, 5, 4, 2)
LEISURE_HOURS = (2, 1, 0.6, 0.5, 0.5, 0.6, 1, 2, 4, 6, 8, 8, 7, 7, 7, 8, 8, 8, 8, 9, 9, 8, 6, 4)

COME_BACK = (0.41, 0.36, 0.32, 0.28, 0.265, 0.26, 0.25, 0.24, 0.235, 0.23, 0.225, 0.22)
COME_BACK_SINCE_ONBOARDING = (0.48, 0.415, 0.37, 0.35, 0.34, 0.33, 0.32, 0.31, 0.30, 0.295, 0.29, 0.285)
"""Share of a week's accounts that are active one, two, three... weeks later."""

TOPICS = ("Billing", "Import", "Sign-in", "Editor", "Other")
TOPIC_WEIGHTS = (24.0, 22.0, 16.0, 26.0, 12.0)
REFUND_REASONS = ("charged twice", "cancelled late", "goodwill")
