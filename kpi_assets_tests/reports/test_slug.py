from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kpi_assets.reports.slug import LONGEST, slugify

ANY_TEXT = st.text(st.characters(codec=None), max_size=600)


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Weekly growth report", "weekly-growth-report"),
        ("Ops & growth: Q4/2024", "ops-growth-q4-2024"),
        ("Größe, Straße", "grosse-strasse"),
        ("Status report {from}-{to}", "status-report"),
        ("It's 5 o'clock", "its-5-oclock"),
        ("Growth 🎉", "growth"),
    ],
)
def test_latin_titles(title: str, slug: str) -> None:
    """Latin titles become what KPI Reporter made of them, without the edition's variables."""
    assert slugify(title) == slug


@given(ANY_TEXT)
@example("../../etc/passwd")
@example("🎉🎉")
@example("تقرير أسبوعي")
@example("x" * 500)
@example("")
@example("\ud800")
def test_any_title(title: str) -> None:
    """Whatever the title, the slug is a short, plain, non-empty name that is no path."""
    slug = slugify(title)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert len(slug) <= LONGEST + 9


def test_titles_that_lose_letters_stay_apart() -> None:
    """Two titles of which only a number survives in ASCII do not share a folder."""
    assert slugify("Отчёт 1") != slugify("План 1")


def test_long_titles_stay_apart() -> None:
    """Two long titles that differ only at their ends do not share a folder."""
    assert slugify("word " * 100 + "a") != slugify("word " * 100 + "b")
