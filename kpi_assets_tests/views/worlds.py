"""What views are rendered in: one window, one context, and frames of every kind."""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Decimal
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from kpi_assets.contracts import RenderContext
from kpi_assets.testing import samples

WEEK = samples.WEEK
SOURCE: dict[str, Any] = {"datasource": "shop", "query": "select 1"}


def context(title: str = "Sign-ups", cols: int = 2, **more: Any) -> RenderContext:
    """A context of the week; `more` overrides its fields."""
    return samples.sample_context(title, cols, **{"view": "signups", "variables": {}, **more})


NUMBERS = st.one_of(st.floats(), st.integers(-(2**70), 2**70), st.none(), st.just(math.inf))
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8).filter(
    lambda text: not {"nan", "inf", "none", "null", "nat", "infinity"} & set(text.lower().split())
)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1))
COLUMNS = st.sampled_from(
    [
        st.floats(),
        st.integers(-(2**62), 2**62),
        NUMBERS,
        TEXTS,
        st.one_of(TEXTS, st.none()),
        st.booleans(),
        st.one_of(st.booleans(), st.none()),
        MOMENTS,
        st.one_of(MOMENTS, st.none()),
        st.dates(),
        st.decimals().filter(lambda number: not number.is_snan()),
        st.just(Decimal("1.10")),
        st.timedeltas(),
        st.none(),
        st.one_of(TEXTS, st.integers(), st.none()),
    ]
)


@st.composite
def frames(draw: st.DrawFn, max_columns: int = 4) -> pd.DataFrame:
    """Any frame: any types, missing values, no rows, no columns, doubled names."""
    rows = draw(st.integers(0, 6))
    count = draw(st.integers(0, max_columns))
    names = draw(
        st.lists(st.sampled_from(["day", "n", "share", "a b", "id"]), min_size=count, max_size=count)
    )
    columns = [draw(st.lists(draw(COLUMNS), min_size=rows, max_size=rows)) for _ in names]
    made = [pd.Series(values, dtype=None if values else object) for values in columns]
    frame = pd.concat(made, axis=1) if made else pd.DataFrame()
    frame.columns = names
    return frame
