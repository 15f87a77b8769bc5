"""The page's style sheet: variables from the theme, `page.css`, and the charts' colours of the other mode."""

from __future__ import annotations

from dataclasses import dataclass

from kpi_assets.reports.words import one_line
from kpi_assets.style.derive import other_mode, solid_fills
from kpi_assets.style.palette import is_dark
from kpi_assets.style.theme import TEXT_FONT, WIDTHS, Palette, Theme

NAMED = [
    "paper",
    "surface",
    "ink",
    "muted",
    "line",
    "rule",
    "tint",
    "context",
    "accent",
    "soft",
    "success",
    "success_bg",
    "error",
    "error_bg",
]
MAPPED = ("paper", "ink", "muted", "line", "tint", "context", "soft", "error", "success", "accent")
PHONE_BELOW = 560
FULL_SIZE = 1024 / 1080
"""The grid is kept while the window shows at least this share of the page's own width."""


@dataclass(frozen=True)
class Sizes:
    """Lengths and break points in CSS pixels. `grid_from`: from this width on the grid, below one column."""

    content: int
    page: int
    margin: int
    gutter: int
    columns: int
    grid_from: int
    phone_below: int
    single: int

    @classmethod
    def of(cls, theme: Theme) -> Sizes:
        page = theme.content_width + 2 * theme.padding_width
        grid_from = max(320, round(page * FULL_SIZE))
        return cls(
            content=theme.content_width,
            page=page,
            margin=theme.padding_width,
            gutter=theme.padding_width,
            columns=theme.num_columns,
            grid_from=grid_from,
            phone_below=min(PHONE_BELOW, grid_from),
            single=WIDTHS["mid"] + 2 * theme.padding_width,
        )


def variables(palette: Palette) -> str:
    """CSS custom properties of one mode."""
    named = [f"--{name.replace('_', '-')}:{getattr(palette, name)}" for name in NAMED]
    series = [f"--s{i}:{color}" for i, color in enumerate(palette.series)]
    heat = [f"--h{i}:{color}" for i, color in enumerate(palette.heat)]
    texts = [f"--t{i}:{color}" for i, color in enumerate(palette.heat_text)]
    return ";".join([*named, *series, *heat, *texts])


def remapped(light: Palette, other: Palette) -> str:
    """Rules that turn the drawn colours into those of the other mode. Large fills change only where they must."""
    plain, thin = _pairs(light, other)
    solid = dict(solid_fills(light, other))
    return _rules(".chart", plain) + _rules(".chart:not(.solid)", thin) + _rules(".chart.solid", solid)


def paper_colors(theme: Theme) -> dict[str, str]:
    """What drawn colours become on white paper."""
    plain, thin = _pairs(theme.light, printed(theme))
    changed = plain | thin if printed(theme) is not theme.light else {}
    return changed | {theme.light.paper: "#ffffff"}


def printed(theme: Theme) -> Palette:
    """Paper is white, so a theme that is dark on screen is turned round for print and for files."""
    return other_mode(theme.light) if is_dark(theme.light.paper) else theme.light


def fonts(theme: Theme) -> tuple[str, str]:
    """Font families of text and of headings, without double quotes: they stand in attributes too."""
    return TEXT_FONT.replace('"', "'"), theme.heading_font.replace('"', "'")


def _pairs(light: Palette, other: Palette) -> tuple[dict[str, str], dict[str, str]]:
    """Colours of the interface and of series, each with its counterpart; a series wins where both are the same."""
    thin = dict(zip(light.series, other.series, strict=True))
    plain: dict[str, str] = {}
    for name in MAPPED:
        plain.setdefault(getattr(light, name), getattr(other, name))
    return {color: to for color, to in plain.items() if color not in thin}, thin


def _rules(selector: str, pairs: dict[str, str]) -> str:
    return "".join(
        f'{selector} [{kind}="{color}"]{{{kind}:{to}}}'
        for color, to in pairs.items()
        for kind in ("fill", "stroke")
        if color != to
    )


def string(text: str) -> str:
    """`text` for the inside of a CSS string in double quotes."""
    plain = one_line(text)
    return "".join(c if c.isalnum() or c in " ,.-–·:%" else f"\\{ord(c):x} " for c in plain)
