"""Findings say what the printed numbers say, or nothing."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.style.numbers import NumberStyle
from kpi_assets.views import findings
from kpi_assets.views.findings import Finding, RecordWords

EN = NumberStyle()
VALUES = st.lists(
    st.one_of(st.floats(-1e9, 1e9), st.just(math.nan), st.integers(0, 300)), min_size=2, max_size=14
)
BAD = re.compile(r"\b(?:NaN|nan|None|inf|n/a)\b")


def show(value: float) -> str:
    return f"{round(value):,}"


def share(part: float, whole: float) -> str:
    return EN.share(part, whole, 0)


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_a_rise() -> None:
    """The sentence names both numbers and what they are per."""
    assert findings.movement("Sign-ups", 31, 44, show, per="a day") == Finding(
        "Sign-ups rose from 31 to 44 a day"
    )


def test_a_small_change_is_steady() -> None:
    """A change of less than three percent is no rise."""
    found = findings.movement("Sign-ups", 100, 102, show)
    assert found == Finding("Sign-ups held steady at 102")


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
@settings(max_examples=300)
def test_the_direction_agrees_with_the_printed_numbers(before: float, now: float) -> None:
    """`rose` stands only before a larger printed number, `fell` only before a smaller one."""
    found = findings.movement("X", before, now, show)
    assert found is not None
    match = re.match(r"X (rose|fell) from (\S+) to (\S+)$", found.text)
    if match:
        old, new = number(match[2]), number(match[3])
        assert (old < new) if match[1] == "rose" else (old > new)


@given(VALUES, VALUES)
@settings(max_examples=300)
def test_no_sentence_holds_a_missing_number(first: list[float], second: list[float]) -> None:
    """Whatever the values, no sentence says NaN, None, inf or n/a."""
    size = min(len(first), len(second))
    a, b = first[:size], second[:size]
    names = [f"D{i}" for i in range(size)]
    found = [
        findings.peak("X", names, a, show),
        findings.trend("X", a, show, "a day"),
        findings.trend("X", a, show, "a week", ends=True),
        findings.spread("X", names, a, show),
        findings.contribution("X", names, a, b, show=show),
        findings.whole_change("X", a, b, show=show, change=""),
        findings.leader("X", names, a, show=show, share=share),
        findings.mover(names[:2], [a, b], show),
        findings.record("X", a, b[0], RecordWords(show, "week", "90 days")),
    ]
    assert not [one for one in found if one and BAD.search(one.text)]


@given(VALUES)
@settings(max_examples=200)
def test_a_peak_is_the_highest_value(values: list[float]) -> None:
    """What is called the peak is the maximum, and the dip the minimum."""
    found = findings.peak("X", [str(i) for i in range(len(values))], values, show)
    if found is not None:
        known = [v for v in values if not math.isnan(v)]
        at = found.subjects[0]
        assert isinstance(at, int)
        assert values[at] == (max(known) if "peaked" in found.text else min(known))


@given(VALUES, VALUES)
@settings(max_examples=300)
def test_a_contribution_is_a_part_of_the_whole(first: list[float], second: list[float]) -> None:
    """The part named is less than the whole and has its sign."""
    size = min(len(first), len(second))
    found = findings.contribution("X", [f"D{i}" for i in range(size)], first[:size], second[:size], show=show)
    if found is not None:
        match = re.search(r"accounts for (\S+) of the (rise|fall) of (\S+)", found.text)
        assert match is not None
        assert 0 < number(match[1]) < number(match[3])


def test_the_thursday_of_the_target() -> None:
    """One day made more than half of the week's rise."""
    names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    before, now = [181, 188, 190, 183, 170, 118, 123], [189, 197, 201, 251, 198, 121, 127]
    found = findings.contribution("Sign-ups", names, before, now, show=show)
    assert found == Finding("Thursday accounts for 68 of the rise of 131 in sign-ups", (3,))


@pytest.mark.parametrize(
    ("better", "words"), [(None, "highest week"), (True, "best week"), (False, "worst week")]
)
def test_a_record_judges_only_where_it_may(better: bool | None, words: str) -> None:
    """`best` is said only where a good direction was declared."""
    found = findings.record(
        "Sign-ups", [140, 150, 145, 160], 183, RecordWords(show, "week", "90 days", "a day", better)
    )
    assert found == Finding(f"Sign-ups: {words} in 90 days, 183 a day")


def test_a_record_needs_enough_past() -> None:
    """Two earlier weeks make no record."""
    assert findings.record("Sign-ups", [140, 150], 183, RecordWords(show, "week", "90 days")) is None


def test_noise_is_no_trend() -> None:
    """Values that jump up and down have no trend."""
    assert findings.trend("X", [100, 140, 95, 138, 104, 142, 97, 139, 103], show) is None


def test_a_growing_sum_is_told_from_its_first_to_its_last_value() -> None:
    """Where values never fall, the sentence has the numbers at both ends of the line, not means between them."""
    assert findings.trend("X", [721, 735, 735, 760, 790, 800, 807], show) == Finding("X rose from 721 to 807")


WEEK = [True] * 5 + [False] * 2


def test_a_weekend_is_no_fall() -> None:
    """Values that are lower on Saturday and Sunday alone have no trend; those that move on working days too have."""
    assert findings.trend("X", [13, 15, 15, 12, 15, 8, 9], show, at_work=WEEK) is None
    assert findings.mover(["A", "B"], [[13, 15, 15, 12, 15, 8, 9], [1] * 7], show, at_work=WEEK) is None
    mostly = [529, 500, 484, 475, 461, 300, 323]
    assert findings.mover(["A", "B"], [mostly, [1] * 7], show, at_work=WEEK) is None
    falling = findings.trend("X", [50, 46, 44, 30, 28, 8, 10], show, at_work=WEEK)
    assert falling == Finding("X fell from 48 to 9")


def test_the_leader_has_the_share_of_all() -> None:
    """The share counts what is not named, too."""
    found = findings.leader("Sign-ups", ["A", "B"], [50, 30], show=show, share=share, rest=20)
    assert found == Finding("A leads with 50, 50\u202f% of all sign-ups", (0,))


def test_a_tie_has_no_leader() -> None:
    """Two equal values in front are no finding."""
    assert findings.leader("X", ["A", "B", "C"], [50, 50, 1], show=show, share=share) is None


def test_acronyms_keep_their_letters() -> None:
    """Inside a sentence only ordinary words lose their capital."""
    assert findings.inside("MRR of plans") == "MRR of plans"
    assert findings.inside("Sign-ups") == "sign-ups"
