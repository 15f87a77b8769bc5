from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.config.models import ThemeConfig
from kpi_assets.style import palette as p
from kpi_assets.style.derive import other_mode, solid_fills, weak_pairs
from kpi_assets.style.theme import CHART_FONT, DARK, LIGHT, Palette, Theme, font_stack

KPI_REPORTER = ThemeConfig(
    ui_colors=("#222222", "#888888", "#cccccc", "#ededed", "#ffffff"),
    error_colors=("#8b0000", "#ffcccb"),
    success_colors=("#008000", "#d5ffd5"),
    series_colors=("#0F5F0F", "#2D882D", "#94D794", "#DEA271", "#764013", "#B25B8C", "#5F0F3C"),
    heading_font="Helvetica, Arial",
)
COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
PAPERS = COLORS.map(lambda color: p.with_lightness(color, 0.95))


@st.composite
def legible_themes(draw: st.DrawFn) -> ThemeConfig:
    """A theme whose own colours can be read: any hues on any light paper."""
    paper = draw(PAPERS)

    def text(least: float = 4.6) -> str:
        return p.legible(draw(COLORS), (paper,), least)

    line = p.mix(paper, draw(COLORS), 0.15)
    return ThemeConfig(
        ui_colors=(text(9), text(), text(3.1), line, paper),
        error_colors=(text(),),
        success_colors=(text(), p.mix(paper, draw(COLORS), 0.1)),
        series_colors=tuple(text(3.1) for _ in range(draw(st.integers(1, 8)))),
    )


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_our_own_palettes_are_legible(palette: Palette) -> None:
    """Every pair of our own colours holds the contrasts of the look: 4.5:1 for text, 3:1 for marks."""
    assert weak_pairs(palette) == []


@settings(max_examples=60)
@given(legible_themes())
def test_derived_modes_are_legible(config: ThemeConfig) -> None:
    """From any legible colours, everything derived is legible too, on light and on dark paper."""
    theme = Theme.from_config(config)
    assert weak_pairs(theme.light) == []
    assert weak_pairs(theme.dark) == []
    assert p.is_dark(theme.dark.paper)


@settings(max_examples=30)
@given(legible_themes())
def test_large_fills_stay_visible_on_dark_paper(config: ThemeConfig) -> None:
    """On the dark page large fills keep their colour unless they would sink into the paper."""
    theme = Theme.from_config(config)
    changed = dict(solid_fills(theme.light, theme.dark))
    for color in theme.light.series:
        assert p.contrast(changed.get(color, color), theme.dark.paper) >= 3


def test_nothing_configured_is_ours() -> None:
    """Without colours both modes are the hand-tuned ones."""
    theme = Theme.from_config(ThemeConfig())
    assert (theme.light, theme.dark) == (LIGHT, DARK)


def test_configured_colours_are_taken_as_they_are() -> None:
    """What the YAML says stands where LOOK.md says it stands, even where it is hard to read."""
    theme = Theme.from_config(KPI_REPORTER)
    light = theme.light
    assert (light.ink, light.rule, light.muted) == ("#222222", "#222222", "#888888")
    assert (light.context, light.line, light.paper) == ("#cccccc", "#ededed", "#ffffff")
    assert (light.error, light.error_bg, light.success, light.success_bg) == (
        "#8b0000",
        "#ffcccb",
        "#008000",
        "#d5ffd5",
    )
    assert light.series[:2] == ("#0f5f0f", "#2d882d")
    assert light.accent == light.series[0]
    assert theme.heading_font == "Helvetica, Arial, sans-serif"
    assert any("muted #888888" in sentence for sentence in weak_pairs(light))


def test_the_ancestors_dark_mode_is_legible() -> None:
    """KPI Reporter never had a dark mode; the one derived from its colours can be read."""
    assert weak_pairs(Theme.from_config(KPI_REPORTER).dark) == []


@pytest.mark.parametrize("count", range(1, 5))
def test_few_ui_colours(count: int) -> None:
    """With fewer than five colours the text ones come first and the rest stays ours."""
    light = Theme.from_config(
        ThemeConfig(ui_colors=("#222222", "#555555", "#eeeeee", "#ffffff")[:count])
    ).light
    assert light.ink == "#222222"
    assert light.muted == ("#555555" if count > 1 else LIGHT.muted)
    assert light.paper == {3: "#eeeeee", 4: "#ffffff"}.get(count, LIGHT.paper)


def test_a_dark_theme_is_dark_in_both_modes() -> None:
    """Configured dark paper is what the user wants at noon too; only print turns it round."""
    theme = Theme.from_config(ThemeConfig(ui_colors=("#eeeeee", "#aaaaaa", "#888888", "#333333", "#101010")))
    assert theme.dark == theme.light
    printed = other_mode(theme.light)
    assert not p.is_dark(printed.paper)
    assert weak_pairs(printed) == []


def test_kept_colours_keep_their_tuning() -> None:
    """A theme that changes only the series keeps our dark greys and verdicts."""
    dark = Theme.from_config(ThemeConfig(series_colors=("#aa3377",))).dark
    assert (dark.muted, dark.context, dark.success, dark.error) == (
        DARK.muted,
        DARK.context,
        DARK.success,
        DARK.error,
    )


def test_weak_pairs_names_culprit_and_figure() -> None:
    """A colour that is hard to read is told with its ground, its contrast and what is enough."""
    assert weak_pairs(replace(LIGHT, muted="#bbbbbb"))[0] == (
        "muted #bbbbbb on paper #fbfaf7 has a contrast of 1.8:1; 4.5:1 is readable"
    )


@pytest.mark.parametrize(
    ("given_font", "stack"),
    [
        ("Helvetica, Arial", "Helvetica, Arial, sans-serif"),
        ("Georgia, serif", "Georgia, serif"),
        ("'Fira Sans', sans-serif", "'Fira Sans', sans-serif"),
        ("x;}</style><script>", "xstylescript, sans-serif"),
        ("O'Neil", "ONeil, sans-serif"),
        ("", "sans-serif"),
    ],
)
def test_font_stacks(given_font: str, stack: str) -> None:
    """Fonts end in a generic family and cannot leave the style sheet."""
    assert font_stack(given_font) == stack


def test_chart_fonts_end_in_a_generic_family() -> None:
    """vl_convert drops all text where no family of the stack is known."""
    assert CHART_FONT.endswith(", sans-serif")
