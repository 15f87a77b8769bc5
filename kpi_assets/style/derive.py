"""Palettes from the few colours that a YAML gives: the rest is derived and held to the look's contrasts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kpi_assets.style import palette as p
from kpi_assets.style.theme import DARK, LIGHT, Palette

if TYPE_CHECKING:
    from kpi_assets.config.models import ThemeConfig

TEXT, MARK = 4.5, 3.0
"""Least contrast of text and of marks."""
SLACK = 0.06
"""Aimed at above the least, so that rounding to 8-bit channels never falls below it."""


def palettes(config: ThemeConfig) -> tuple[Palette, Palette]:
    """Light and dark palette: ours where none is configured. Dark paper is dark in both modes."""
    given = (config.ui_colors, config.error_colors, config.success_colors, config.series_colors)
    if not any(given):
        return LIGHT, DARK
    light = light_palette(config)
    return light, (light if p.is_dark(light.paper) else other_mode(light))


def light_palette(config: ThemeConfig) -> Palette:
    """The configured colours as they are, ours where none are given, and what follows from them."""
    base = replace(LIGHT, **_ui(_normal(config.ui_colors)))
    success, success_bg = _pair(config.success_colors, LIGHT.success, base.paper)
    error, error_bg = _pair(config.error_colors, LIGHT.error, base.paper)
    series = _normal(config.series_colors) or LIGHT.series
    base = replace(base, success=success, error=error, success_bg=success_bg, error_bg=error_bg)
    return _completed(replace(base, series=series), series[0])


def other_mode(palette: Palette) -> Palette:
    """The palette on paper of the opposite lightness: OKLab mirrored, contrasts tested again."""
    paper = p.mirrored(palette.paper, palette.paper)
    surface = p.mix(paper, p.WHITE, 0.04) if p.is_dark(paper) else p.WHITE
    series = tuple(p.legible(_brighter(c, paper), (paper,), MARK + SLACK) for c in palette.series)
    accent = p.legible(series[0], (paper,), TEXT + SLACK)
    grounds = (paper, surface, p.mix(paper, accent, 0.12))

    def text(color: str) -> str:
        return p.legible(_mirrored(color, palette.paper), grounds, TEXT + SLACK)

    def verdict(color: str, ground: str) -> str:
        return p.legible(_verdict(color, paper), (paper, ground), TEXT + SLACK)

    success_bg, error_bg = (_mirrored(c, palette.paper) for c in (palette.success_bg, palette.error_bg))
    base = replace(
        palette,
        paper=paper,
        ink=text(palette.ink),
        rule=text(palette.rule),
        muted=text(palette.muted),
        line=_mirrored(palette.line, palette.paper),
        context=p.legible(_mirrored(palette.context, palette.paper), (paper,), MARK + SLACK),
        success=verdict(palette.success, success_bg),
        success_bg=success_bg,
        error=verdict(palette.error, error_bg),
        error_bg=error_bg,
        series=series,
    )
    return _completed(replace(base, surface=surface), accent)


def solid_fills(light: Palette, dark: Palette) -> tuple[tuple[str, str], ...]:
    """Colours of large fills that must change on the dark page: only those that would sink into its paper."""
    return tuple(
        (color, p.legible(color, (dark.paper,), MARK + SLACK))
        for color in light.series
        if p.contrast(color, dark.paper) < MARK
    )


def weak_pairs(palette: Palette) -> list[str]:
    """What is hard to read in a palette, a sentence each: the measures of the look."""
    paper = ("paper", palette.paper)
    texts = {name: getattr(palette, name) for name in ("ink", "muted", "success", "error", "accent")}
    marks = {name: getattr(palette, name) for name in ("context", "soft")}
    marks |= {f"series[{i}]": color for i, color in enumerate(palette.series)}
    found = [_weak(name, color, paper, TEXT) for name, color in texts.items()]
    found += [_weak(name, color, paper, MARK) for name, color in marks.items()]
    for ground in ("tint", "surface"):
        found.append(_weak("muted", palette.muted, (ground, getattr(palette, ground)), TEXT))
    pairs = zip(palette.heat_text, palette.heat, strict=True)
    found += [_weak("heat text", text, (f"heat[{i}]", step), TEXT) for i, (text, step) in enumerate(pairs)]
    return [sentence for sentence in found if sentence]


def _weak(name: str, color: str, ground: tuple[str, str], least: float) -> str:
    where, below = ground
    ratio = p.contrast(color, below)
    if ratio >= least:
        return ""
    return f"{name} {color} on {where} {below} has a contrast of {ratio:.1f}:1; {least}:1 is readable"


def _completed(base: Palette, accent: str) -> Palette:
    """Fill what follows from paper, text colours and accent."""
    paper = base.paper
    accent = p.legible(accent, (paper,), TEXT + SLACK)
    readable = base.muted if p.contrast(base.muted, paper) >= TEXT else base.ink
    heat = p.ramp(paper, accent)
    plain = base.surface if p.contrast(readable, base.surface) >= TEXT else paper
    return replace(
        base,
        accent=accent,
        surface=plain if plain != paper else p.wash(base.ink, paper, 0.05, readable),
        soft=p.faded(accent, paper, MARK + SLACK),
        tint=p.wash(accent, paper, 0.12, readable),
        heat=heat,
        heat_text=tuple(p.text_on(step) for step in heat),
    )


def _ui(colors: tuple[str, ...]) -> dict[str, str]:
    """Names for `ui_colors`: text from the front; paper, hairlines and context from the end."""
    named: dict[str, str] = {}
    size = len(colors)
    if size >= 1:
        named |= {"ink": colors[0], "rule": colors[0]}
    if size >= 2:
        named["muted"] = colors[1]
    for back, name in enumerate(("paper", "line", "context"), start=1):
        if size - back >= 2:
            named[name] = colors[-back]
    return named


def _pair(colors: tuple[str, ...] | None, text: str, paper: str) -> tuple[str, str]:
    given = _normal(colors)
    text = given[0] if given else p.legible(text, (paper,), TEXT + SLACK)
    return text, (given[1] if len(given) > 1 else p.mix(paper, text, 0.12))


OURS = {
    ours: tuned
    for name in ("muted", "line", "context", "success", "success_bg", "error", "error_bg")
    for ours, tuned in [(getattr(LIGHT, name), getattr(DARK, name))]
} | dict(zip(LIGHT.series, DARK.series, strict=True))
"""Our own colours on dark paper were tuned by hand; a theme that keeps some of them keeps that tuning."""


def _mirrored(color: str, paper: str) -> str:
    return p.mirrored(color, paper) if p.is_dark(paper) else OURS.get(color) or p.mirrored(color, paper)


def _brighter(color: str, paper: str) -> str:
    """A hue for thin marks on the other paper: brighter on dark, deeper on light."""
    lightness = p.lab(color)[0]
    if not p.is_dark(paper):
        return p.with_lightness(color, max(0.3, lightness - 0.14))
    return OURS.get(color) or p.with_lightness(color, min(0.9, lightness + 0.14))


def _verdict(color: str, paper: str) -> str:
    """Coloured text on the other paper."""
    lightness = p.lab(color)[0]
    if not p.is_dark(paper):
        return p.with_lightness(color, min(0.47, lightness))
    return OURS.get(color) or p.with_lightness(color, max(0.75, lightness))


def _normal(colors: tuple[str, ...] | None) -> tuple[str, ...]:
    return tuple(p.normalise(color) for color in colors or ())
