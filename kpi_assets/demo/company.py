"""Two years of a small software company, lived day by day: who signs up, pays, stays, leaves and asks for help."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from kpi_assets.demo import facts
from kpi_assets.demo.dice import Dice, Share, total
from kpi_assets.demo.facts import COUNTRIES, PLANS, Country, Plan

Row = tuple[object, ...]
SEED = 6
ALL_LAUNCH_COUNTRIES = total(facts.LAUNCH_COUNTRIES)
RENEWAL = timedelta(days=28)


@dataclass(frozen=True)
class Trial:
    """An account that does not pay yet."""

    account: int
    since: date


@dataclass
class Subscription:
    """A paying account; `place` is its row in `Company.rows["subscriptions"]`."""

    place: int
    plan: Plan
    euros: int
    clock: str


class Company:
    """`rows` holds the rows of each table, in the order of its columns, once `live` has been called."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = defaultdict(list)
        # One stream per subject, so that a change to one leaves the others as they are.
        self._people, self._money, self._help, self._use = (Dice(SEED + number) for number in range(4))
        self._shares: defaultdict[tuple[object, ...], Share] = defaultdict(Share)
        self._turns: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)
        self._trials: dict[str, list[Trial]] = {plan.id: [] for plan in PLANS}
        self._renewals: defaultdict[date, list[Subscription]] = defaultdict(list)

    def live(self) -> None:
        """Go through all days."""
        self.rows["plans"] = [(plan.id, plan.name, float(plan.euros_per_seat)) for plan in PLANS]
        self._customers_from_before()
        for number, day in enumerate(days()):
            week = number / 7
            self._sign_ups(day, week)
            self._renew(day, leaving=leaving(day, week))
            self._subscribe(day, week)
            self._tickets(day)
        self._activity()

    # ------------------------------------------------------------ customers

    def _customers_from_before(self) -> None:
        for plan in PLANS:
            for number in range(plan.at_start):
                since = facts.FIRST_DAY - timedelta(days=1 + number * 196 // plan.at_start)
                account = self._account(since, self._people.index([c.weight for c in COUNTRIES]), plan)
                self._start(plan, account, since)

    def _sign_ups(self, day: date, week: float) -> None:
        normal = weekly_sign_ups(week) * facts.WEEKDAYS[day.weekday()] * season(day)
        normal = self._people.about(normal, 0.04)
        extra = normal * facts.LAUNCH.get(day, 0.0)
        for place, country in enumerate(COUNTRIES):
            expected = (
                normal * country.weight / sum(c.weight for c in COUNTRIES)
                + extra * facts.LAUNCH_COUNTRIES[place] / ALL_LAUNCH_COUNTRIES
            )
            due = self._share("sign-up", country.name).take(self._people.about(expected, 0.12))
            for _ in range(due):
                plan = PLANS[self._people.index([p.trials for p in PLANS])]
                account = self._account(day, place, plan)
                if account:
                    self._trials[plan.id].append(Trial(account, day))
            self._visits(day, country, expected, launched=bool(extra))

    def _account(self, day: date, place: int, plan: Plan) -> int:
        """A new account's number, or 0 where the form was down."""
        clock = self._clock(self._people, day, COUNTRIES[place])
        if day == facts.OUTAGE_DAY and int(clock[:2]) in facts.OUTAGE_HOURS:
            return 0
        number = len(self.rows["accounts"]) + 1
        channel = facts.CHANNELS[self._people.index(facts.CHANNEL_WEIGHTS)]
        self.rows["accounts"].append((number, f"{day} {clock}", COUNTRIES[place].name, channel, plan.id))
        return number

    def _visits(self, day: date, country: Country, sign_ups: float, *, launched: bool) -> None:
        if country.conversion is None:
            return
        curious = 0.9 if launched and country.name == "United States" else 1.0
        tired = 0.955 if day > date(2024, 11, 17) else 1.0
        visits = self._people.about(sign_ups / (country.conversion * curious * tired), 0.06)
        self.rows["visits"].append((f"{day} 23:55:00", country.name, self._people.whole(visits)))

    @staticmethod
    def _clock(dice: Dice, day: date, country: Country) -> str:
        hours = facts.OFFICE_HOURS if day.weekday() < 5 else facts.LEISURE_HOURS
        hour = (dice.index(hours) + country.hours_late) % 24
        if hour == 2 and day in facts.CLOCK_CHANGES:
            hour = 3
        return f"{hour:02}:{dice.below(60):02}:{dice.below(60):02}"

    # ------------------------------------------------------------ money

    def _subscribe(self, day: date, week: float) -> None:
        for plan in PLANS:
            a_day = new_per_week(plan, week) * school_year(plan, day) * facts.WEEKDAYS[day.weekday()]
            due = self._share("subscribe", plan.id).take(self._money.about(a_day, 0.2))
            for _ in range(due):
                if account := self._trial_to_convert(plan, day):
                    self._start(plan, account, day)

    def _trial_to_convert(self, plan: Plan, day: date) -> int:
        """An account that has tried the plan for ten days to four weeks; 0 when there is none."""
        trials = self._trials[plan.id]
        while trials and (day - trials[0].since).days > 28:
            trials.pop(0)
        ready = sum((day - trial.since).days >= 10 for trial in trials)
        return trials.pop(self._money.below(ready)).account if ready else 0

    def _start(self, plan: Plan, account: int, day: date) -> None:
        number = len(self.rows["subscriptions"]) + 1
        seats = plan.seats[next(self._turns[plan.id]) % len(plan.seats)]
        clock = self._clock(self._money, day, COUNTRIES[0])
        self.rows["subscriptions"].append((number, account, plan.id, seats, f"{day} {clock}", None))
        subscription = Subscription(number - 1, plan, seats * plan.euros_per_seat, clock)
        if day >= facts.FIRST_DAY:
            self._charge(subscription, day)
        renewal = day + RENEWAL
        while renewal < facts.FIRST_DAY:
            renewal += RENEWAL
        self._renewals[renewal].append(subscription)

    def _renew(self, day: date, *, leaving: float) -> None:
        for subscription in self._renewals.pop(day, ()):
            plan = subscription.plan
            if self._share("leave", plan.id).take(plan.leave * leaving):
                row = self.rows["subscriptions"][subscription.place]
                self.rows["subscriptions"][subscription.place] = (*row[:5], f"{day} {subscription.clock}")
                continue
            self._charge(subscription, day)
            self._renewals[day + RENEWAL].append(subscription)

    def _charge(self, subscription: Subscription, day: date) -> None:
        number = len(self.rows["invoice_lines"]) + 1
        euros = subscription.euros
        tax = round(euros * 19) / 100
        row = (
            number,
            subscription.place + 1,
            subscription.plan.id,
            f"{day} {subscription.clock}",
            euros,
            tax,
        )
        self.rows["invoice_lines"].append(row)
        if self._share("refund").take(0.012):
            back = day + timedelta(days=1 + self._money.below(6))
            if back <= facts.LAST_DAY:
                reason = facts.REFUND_REASONS[self._money.below(len(facts.REFUND_REASONS))]
                at = f"{back} {self._clock(self._money, back, COUNTRIES[0])}"
                self.rows["refunds"].append((len(self.rows["refunds"]) + 1, number, at, euros, reason))

    # ------------------------------------------------------------ use and help

    def _tickets(self, day: date) -> None:
        customers = sum(len(due) for due in self._renewals.values())
        expected = 0.028 * customers * facts.WEEKDAYS[day.weekday()]
        for _ in range(self._share("ticket").take(self._help.about(expected, 0.3))):
            self._ticket(day, facts.TOPICS[self._help.index(facts.TOPIC_WEIGHTS)])
        for _ in range(34 if day == facts.OUTAGE_DAY else 0):
            self._ticket(day, "Sign-in")

    def _ticket(self, day: date, topic: str) -> None:
        slow = self._help.share()
        minutes = int(8 + 90 * slow + 700 * slow * slow * slow * slow)
        at = f"{day} {self._clock(self._help, day, COUNTRIES[0])}"
        self.rows["tickets"].append((len(self.rows["tickets"]) + 1, at, topic, minutes))

    def _activity(self) -> None:
        last_week = monday(facts.LAST_DAY)
        for number, created_at, *_ in self.rows["accounts"]:
            week = monday(date.fromisoformat(str(created_at)[:10]))
            if week < facts.ACTIVITY_SINCE:
                continue
            since_onboarding = week >= facts.ONBOARDING_DAY
            chances = facts.COME_BACK_SINCE_ONBOARDING if since_onboarding else facts.COME_BACK
            for later, chance in enumerate(chances, start=1):
                active = week + timedelta(weeks=later)
                if active <= last_week and self._use.share() < chance:
                    self.rows["activity"].append((number, active.isoformat()))

    def _share(self, *what: object) -> Share:
        return self._shares[what]


def days() -> Iterator[date]:
    """All days of the two years."""
    for number in range((facts.LAST_DAY - facts.FIRST_DAY).days + 1):
        yield facts.FIRST_DAY + timedelta(days=number)


def monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def weekly_sign_ups(week: float) -> float:
    """Growth of about 1.3 % a week; the product of whole weeks, since powers differ between machines."""
    level = 101.0
    for _ in range(int(week)):
        level *= 1.0131
    return level * (1 + 0.0131 * (week - int(week)))


def season(day: date) -> float:
    """Quiet weeks around the turn of the year and in August."""
    if (day.month, day.day) >= (12, 22) or (day.month, day.day) <= (1, 2):
        return 0.5
    return 0.93 if day.month == 8 else 1.0


def new_per_week(plan: Plan, week: float) -> float:
    """New subscriptions a week: straight lines from the first week over the 13th last to the last."""
    first, middle, last = plan.per_week
    if week < 91:
        return first + (middle - first) * week / 91
    return middle + (last - middle) * (week - 91) / 13


def leaving(day: date, week: float) -> float:
    """How many customers leave, measured by the plans' usual share; fewer from year to year."""
    first, last, times = facts.LEAVING
    return (1.35 - 0.55 * week / 104) * (times if first <= day <= last else 1.0)


def school_year(plan: Plan, day: date) -> float:
    """Education plans start in September."""
    if plan.id != "education":
        return 1.0
    since = (day - date(day.year, 8, 28)).days
    return 1.0 + max(0.0, 1.9 - abs(since - 12) / 14) if since >= 0 else 1.0
