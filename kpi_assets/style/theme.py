"""The theme: resolved colours, fonts and grid. `Theme.from_config` fills what the YAML leaves out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kpi_assets.config.models import ThemeConfig

WIDTHS = {"mid": 652, "phone": 358}
"""Chart widths in CSS pixels for one-column pages, by width class."""


@dataclass(frozen=True)
class Palette:
    """Named colours of one mode, `#rrggbb`."""

    paper: str
    surface: str
    ink: str
    muted: str
    line: str
    rule: str
    tint: str
    context: str
    accent: str
    soft: str
    success: str
    success_bg: str
    error: str
    error_bg: str
    series: tuple[str, ...]
    heat: tuple[str, ...]
    heat_text: tuple[str, ...]


LIGHT = Palette(
    paper="#fbfaf7",
    surface="#ffffff",
    ink="#17181c",
    muted="#5a5d65",
    line="#e0ddd5",
    rule="#17181c",
    tint="#e9edf8",
    context="#85888f",
    accent="#2b62d9",
    soft="#678de2",
    success="#0b6b4b",
    success_bg="#dcf1e7",
    error="#b3261e",
    error_bg="#fbe4e0",
    series=("#2b62d9", "#c8800d", "#1ea28f", "#776174", "#a07cdb", "#c92516"),
    heat=("#eef1f9", "#d5dff6", "#b3c6f0", "#87a5e8", "#5a82df", "#2b62d9", "#1d469f"),
    heat_text=("#17181c", "#17181c", "#17181c", "#17181c", "#17181c", "#ffffff", "#ffffff"),
)

DARK = Palette(
    paper="#131418",
    surface="#1b1d22",
    ink="#eeede9",
    muted="#a3a6ae",
    line="#2d2f36",
    rule="#eeede9",
    tint="#1c2540",
    context="#7c7f87",
    accent="#7292f4",
    soft="#4a67b8",
    success="#56c799",
    success_bg="#12352a",
    error="#ff8f82",
    error_bg="#43201d",
    series=("#7292f4", "#ed9e2f", "#68ceaa", "#a089a6", "#c8aefa", "#ec5d4b"),
    heat=("#191d2a", "#1e2947", "#24376b", "#2d4a95", "#4565bd", "#7292f4", "#b3c4fc"),
    heat_text=("#ffffff", "#ffffff", "#ffffff", "#ffffff", "#ffffff", "#17181c", "#17181c"),
)

TEXT_FONT = (
    'Inter, -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Noto Sans", Helvetica, Arial, sans-serif'
)
CHART_FONT = "Inter, Segoe UI, Roboto, Noto Sans, Helvetica, Arial, sans-serif"


@dataclass(frozen=True)
class Theme:
    """Everything that views and formats need to know about the look."""

    light: Palette = LIGHT
    dark: Palette = DARK
    num_columns: int = 6
    column_width: int = 172
    padding_width: int = 24
    heading_font: str = TEXT_FONT
    chart_font: str = CHART_FONT
    theme_dir: str | None = None
    logo: str | None = None
    organisation: str | None = None

    @property
    def content_width(self) -> int:
        return self.num_columns * self.column_width

    def view_width(self, cols: int) -> int:
        """CSS pixels of a view of `cols` columns on the widest page: the target's 328 for 2 of 6."""
        gutter = self.padding_width
        return round(cols * (self.content_width + gutter) / self.num_columns) - gutter

    def chart_widths(self, cols: int) -> tuple[tuple[str, int], ...]:
        """What to draw, widest class first; a drawing that differs by less than 15 % in width is left out."""
        drawn: list[tuple[str, int]] = [("wide", self.view_width(cols))]
        for name, width in WIDTHS.items():
            if abs(width - drawn[-1][1]) / width >= 0.15:
                drawn.append((name, width))
        return tuple(drawn)

    @classmethod
    def from_config(cls, config: ThemeConfig) -> Theme:
        """Light colours from the YAML over ours; dark ones derived where the YAML sets any."""
        from kpi_assets.style.derive import palettes

        light, dark = palettes(config)
        return cls(
            light=light,
            dark=dark,
            num_columns=config.num_columns,
            column_width=config.column_width,
            padding_width=config.padding_width,
            heading_font=font_stack(config.heading_font) if config.heading_font else TEXT_FONT,
            theme_dir=config.theme_dir,
            logo=config.logo,
            organisation=config.organisation,
        )


def font_stack(families: str) -> str:
    """CSS font families, safe in a style sheet and ending in a generic one (else charts lose text)."""
    safe = re.sub(r"[^\w\s,'\"-]", "", families)
    safe = safe if safe.count('"') % 2 == 0 and safe.count("'") % 2 == 0 else re.sub(r"['\"]", "", safe)
    names = [name.strip() for name in safe.split(",") if name.strip()]
    generic = {"sans-serif", "serif", "monospace", "system-ui"}
    return ", ".join(names if names and names[-1] in generic else [*names, "sans-serif"])
