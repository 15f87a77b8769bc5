"""`NumberStyle` against the look's table "Numbers"."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.style.numbers import NumberStyle, plain_spaces
from kpi_assets.testing.blocks import dishonest_words

EN = NumberStyle()
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.text(max_size=5), st.timedeltas()
)
FORMATS = st.sampled_from(
    ["", "integer", "decimal", "percent", "money", "compact", "duration", "bytes", ",.1f", ".3s", "+d", ".2%"]
)
UNITS = st.sampled_from(["", "€", "%", "ms", "points", "/day", "m2"])


@pytest.mark.parametrize(
    ("value", "options", "text"),
    [
        (1284, {}, "1,284"),
        (0.5, {}, "0.5"),
        (1 / 3, {}, "0.333"),
        (1234.5, {}, "1,234.5"),
        (2.5, {"precision": 0}, "3"),
        (48210.4, {"unit": "€"}, "€48,210"),
        (-310, {"unit": "€"}, "−€310"),
        (12.5, {"unit": "€"}, "€12.50"),
        (999.996, {"unit": "€"}, "€1,000"),
        (7.5, {"format": "money"}, "$7.50"),
        (6.8, {"unit": "%"}, "6.8\u202f%"),
        (7, {"unit": "%"}, "7.0\u202f%"),
        (0.068, {"format": "percent"}, "6.8\u202f%"),
        (41, {"unit": "ms"}, "41 ms"),
        (40, {"unit": "/day"}, "40/day"),
        (1234567, {"format": "compact"}, "1.23M"),
        (999950, {"format": "compact", "unit": "€"}, "€1M"),
        (1536000, {"format": "bytes"}, "1.54 MB"),
        (1234.5, {"format": "$,.2f"}, "$1,234.50"),
        (1234, {"format": "+d"}, "+1234"),
        (0.0001, {"format": "+.1%"}, "±0.0\u202f%"),
        (1234567, {"format": ".2s"}, "1.2M"),
        (1234.5, {"format": "{:,.0f}"}, "1,235"),
        (1e300, {}, "1e300"),
        (1e-9, {}, "1e−9"),
        (True, {}, "1"),
        (np.float32(0.1), {}, "0.1"),
        (Decimal("10.10"), {}, "10.1"),
    ],
)
def test_number_prints_the_form_of_the_table(value: object, options: dict[str, object], text: str) -> None:
    """Each kind of number has the form that the look gives it."""
    assert EN.number(value, **options) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, pd.NA, pd.NaT, np.nan, "12", "abc"])
def test_what_is_no_number_is_na(value: object) -> None:
    """Missing, infinite and textual values print n/a in every form."""
    texts = {EN.number(value), EN.signed(value), EN.axis(value), EN.percent(value), EN.duration(value)}
    assert texts == {"n/a"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (11520, "3 h 12 min"),
        (0.041, "41 ms"),
        (0, "0 s"),
        (1.5, "1.5 s"),
        (59.96, "1 min"),
        (3599.6, "1 h"),
        (86399, "1 d"),
        (90061, "1 d 1 h"),
        (-75, "−1 min 15 s"),
        (timedelta(hours=2), "2 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds: object, text: str) -> None:
    """A duration is rounded to the smaller of two units and never shows 60 of one."""
    assert EN.duration(seconds) == text


def test_a_duration_takes_its_unit() -> None:
    """`unit` says in what a duration was measured."""
    assert EN.duration(41, "ms") == "41 ms"
    assert EN.duration(90, "min") == "1 h 30 min"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (20000, "€", "€20k"),
        (0, "€", "€0"),
        (1500, "", "1.5k"),
        (999.9, "", "1k"),
        (40, "%", "40\u202f%"),
        (5, "orders", "5"),
    ],
)
def test_axis_labels_have_three_digits(value: float, unit: str, text: str) -> None:
    """Ticks are short, and units that are words stay in the grey line."""
    assert EN.axis(value, unit) == text


@pytest.mark.parametrize(
    ("locale", "number", "money"),
    [
        ("de_DE", "1.234.567,5", "1.234.568\u202f€"),
        ("fr", "1\u202f234\u202f567,5", "1\u202f234\u202f568\u202f€"),
        ("hi", "12,34,567.5", "€12,34,568"),
        ("pt-BR", "1.234.567,5", "€1.234.568"),
    ],
)
def test_locales_bring_their_separators(locale: str, number: str, money: str) -> None:
    """Groups, decimal sign and the money sign's place follow the locale."""
    style = NumberStyle(locale)
    assert style.number(1234567.5) == number
    assert style.number(1234567.5, unit="€") == money


def test_an_unknown_locale_is_named() -> None:
    """A wrong locale is refused with its name."""
    with pytest.raises(ValueError, match="locale 'xx_YY' is not known"):
        NumberStyle("xx_YY").number(1)


@pytest.mark.parametrize("text", ["precent", ".1x", "0>10", "%d", "{}"])
def test_an_unknown_format_is_named_with_what_is_allowed(text: str) -> None:
    """A wrong format is refused, naming presets and an example."""
    with pytest.raises(ValueError, match=r"is not known.*percent") as caught:
        EN.number(1, format=text)
    assert text in str(caught.value)


def test_share_needs_a_whole() -> None:
    """A share of nothing is n/a."""
    assert EN.share(312, 1284) == "24.3\u202f%"
    assert EN.share(1, 0) == "n/a"


def test_plain_spaces_swaps_the_narrow_space() -> None:
    """Mail and chat get U+00A0."""
    assert plain_spaces(EN.percent(0.5)) == "50.0\u00a0%"


@settings(max_examples=300, deadline=None)
@given(ANYTHING, FORMATS, UNITS, st.one_of(st.none(), st.integers(0, 4)))
def test_no_value_prints_a_word_of_the_machine(
    value: object, form: str, unit: str, precision: int | None
) -> None:
    """Whatever comes in, no NaN, None, inf or hyphen-minus is printed."""
    for text in (EN.number(value, precision, unit, form), EN.signed(value, precision, unit, form)):
        assert text
        assert not dishonest_words(text)
        assert "-" not in text


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e15, 1e15), st.integers(0, 4))
def test_printed_numbers_are_the_nearest(value: float, precision: int) -> None:
    """The printed number differs from the exact one by at most half a unit of its last decimal."""
    printed = Decimal(EN.number(value, precision).replace(",", "").replace("−", "-"))
    assert (
        abs(printed - Decimal(str(value))) <= Decimal(1).scaleb(-precision) / 2
        or value == 0
        or (abs(value) < 1e-6)
    )
