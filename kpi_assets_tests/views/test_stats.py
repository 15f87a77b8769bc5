"""Several key figures as one strip."""

from __future__ import annotations

import pandas as pd
import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Stats
from kpi_assets.testing.blocks import assert_honest_block
from kpi_assets.views.stats import StatsView
from kpi_assets_tests.views.worlds import SOURCE, context


def test_a_strip_keeps_its_figures_apart() -> None:
    """Each figure has its own frames, name and words, and its reason for n/a."""
    items = [
        {**SOURCE, "title": "Sign-ups", "comparison": "previous"},
        {**SOURCE, "label": "Churn", "unit": "%"},
    ]
    view = StatsView(StatsView.Args.model_validate({"stats": items}))
    assert list(view.needs()) == ["stat1_query", "stat1_comparison", "stat2_query"]
    frames = {
        "stat1_query": pd.DataFrame({"n": [1284]}),
        "stat1_comparison": pd.DataFrame({"n": [1153]}),
        "stat2_query": pd.DataFrame({"n": [None]}),
    }
    block = view.render(frames, context("Key figures", cols=6))
    assert_honest_block(block)
    strip = block.elements[0]
    assert isinstance(strip, Stats)
    assert [(stat.label, stat.value) for stat in strip.stats] == [("Sign-ups", "1,284"), ("Churn", "n/a")]
    assert block.finding == "Sign-ups rose 11.4\u202f% to 1,284"
    assert [stat.note for stat in strip.stats] == ["", "All values of this window are missing."]
    assert (block.status, block.rows) == ("ok", 3)


def test_a_figure_without_a_name_is_refused() -> None:
    """A strip of nameless numbers says nothing."""
    with pytest.raises(ValidationError, match="figure 1 has no title"):
        StatsView.Args.model_validate({"stats": [dict(SOURCE)]})
