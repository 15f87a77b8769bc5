"""matplotlib's settings (`plot_rc` of KPI Reporter) as what they mean here. The rest is warned about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kpi_assets.errors import suggest

DASHES = {
    "-": None, "solid": None, "--": (6, 4), "dashed": (6, 4), ":": (2, 3), "dotted": (2, 3), "-.": (6, 3, 2, 3),
    "dashdot": (6, 3, 2, 3),
}  # fmt: skip
SIZES = {"xx-small": 8, "x-small": 9, "small": 10, "medium": 12, "large": 14, "x-large": 17, "xx-large": 20}
NAMED = {
    "b": "#0000ff", "g": "#008000", "r": "#ff0000", "c": "#00bfbf", "m": "#bf00bf", "y": "#bfbf00", "k": "#000000",
    "w": "#ffffff", "black": "#000000", "white": "#ffffff", "red": "#ff0000", "green": "#008000", "blue": "#0000ff",
    "gray": "#808080", "grey": "#808080", "orange": "#ffa500", "purple": "#800080", "C0": "#1f77b4",
}  # fmt: skip
ACCEPTED_SILENTLY = {"timezone", "figure.dpi", "savefig.dpi", "savefig.bbox", "font.family", "font.sans-serif",
                     "axes.spines.top", "axes.spines.right", "figure.autolayout", "path.simplify", "agg.path.chunksize",
                     "date.autoformatter.day", "figure.constrained_layout.use"}  # fmt: skip
"""Settings that are true here anyway, or that only mattered to matplotlib."""


@dataclass
class RcStyle:
    """What `plot_rc` asked for. `config` is Vega-Lite configuration."""

    config: dict[str, Any] = field(default_factory=dict)
    line_width: float | None = None
    dash: tuple[int, ...] | None = None
    marker: bool | None = None
    marker_size: float | None = None
    grid: bool | None = None
    height: int | None = None
    palette: tuple[str, ...] = ()


Setter = Callable[[RcStyle, Any], None]


def read_rc(settings: Mapping[str, Any]) -> RcStyle:
    """The style that known settings ask for; values without sense are left out (`rc_warnings` tells of them)."""
    style = RcStyle()
    for name, value in settings.items():
        setter = SETTERS.get(name)
        if setter is not None:
            _try(setter, style, value)
    return style


def rc_warnings(settings: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each setting that has no effect."""
    for name, value in settings.items():
        if name in ACCEPTED_SILENTLY:
            continue
        if name not in SETTERS:
            hint = suggest(name, SETTERS)
            near = f" ({hint})" if hint.startswith("did you mean") else ""
            words = "the same is said with Vega-Lite's words in `vega_config`"
            yield f"plot_rc: '{name}' has no effect here{near}; {words}"
        elif not _try(SETTERS[name], RcStyle(), value):
            yield f"plot_rc: the value of '{name}' is not understood and has no effect; use `vega_config`"


def _try(setter: Setter, style: RcStyle, value: Any) -> bool:
    try:
        setter(style, value)
    except (TypeError, ValueError, KeyError, IndexError):
        return False
    return True


def _points(value: Any) -> float:
    """A size in pixels; matplotlib's points are printed a third larger on a page of 96 dpi, but 12 px is our text."""
    size = SIZES.get(value) if isinstance(value, str) and not _is_number(value) else float(value)
    if size is None or not 0 < size < 200:
        raise ValueError("not a size")
    return size


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _color(value: Any) -> str:
    text = str(value)
    if text in NAMED:
        return NAMED[text]
    if text.startswith("#") and len(text) in {4, 7}:
        int(text[1:], 16)
        return text
    share = float(text)
    if not 0 <= share <= 1:
        raise ValueError("not a colour")
    return "#" + f"{round(share * 255):02x}" * 3


def _into(*path: str, convert: Callable[[Any], Any]) -> Setter:
    """A setter of one value of the Vega-Lite configuration."""

    def setter(style: RcStyle, value: Any) -> None:
        converted = convert(value)
        place = style.config
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = converted

    return setter


def _attribute(name: str, convert: Callable[[Any], Any]) -> Setter:
    def setter(style: RcStyle, value: Any) -> None:
        setattr(style, name, convert(value))

    return setter


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "yes", "1", "on"}:
        return True
    if str(value).lower() in {"false", "no", "0", "off"}:
        return False
    raise ValueError("neither true nor false")


def _dash(value: Any) -> tuple[int, ...] | None:
    return DASHES[str(value)]


def _marker(value: Any) -> bool:
    return str(value).lower() not in {"none", "", " "}


def _height(value: Any) -> int:
    """matplotlib's (width, height) in inches: the width is the grid's business, the height counts at 96 px an inch."""
    numbers = [float(part) for part in (value.split(",") if isinstance(value, str) else value)]
    return round(min(max(numbers[1] * 96, 80), 2000))


def _cycle(value: Any) -> tuple[str, ...]:
    import re

    found = re.findall(r"#[0-9a-fA-F]{6}\b", str(value))
    if not found:
        raise ValueError("no colours")
    return tuple(found)


def _base_size(style: RcStyle, value: Any) -> None:
    size = _points(value)
    for path in (("axis", "labelFontSize"), ("text", "fontSize"), ("legend", "labelFontSize")):
        style.config.setdefault(path[0], {}).setdefault(path[1], size)


SETTERS: dict[str, Setter] = {
    "lines.linewidth": _attribute("line_width", _points),
    "lines.linestyle": _attribute("dash", _dash),
    "lines.marker": _attribute("marker", _marker),
    "lines.markersize": _attribute("marker_size", lambda v: _points(v) ** 2),
    "axes.grid": _attribute("grid", _boolean),
    "axes.prop_cycle": _attribute("palette", _cycle),
    "figure.figsize": _attribute("height", _height),
    "font.size": _base_size,
    "axes.labelsize": _into("axis", "titleFontSize", convert=_points),
    "axes.labelcolor": _into("axis", "titleColor", convert=_color),
    "axes.titlesize": _into("title", "fontSize", convert=_points),
    "axes.titlecolor": _into("title", "color", convert=_color),
    "axes.edgecolor": _into("axis", "domainColor", convert=_color),
    "axes.linewidth": _into("axis", "domainWidth", convert=_points),
    "axes.facecolor": _into("view", "fill", convert=_color),
    "figure.facecolor": _into("background", convert=_color),
    "savefig.facecolor": _into("background", convert=_color),
    "grid.color": _into("axis", "gridColor", convert=_color),
    "grid.linewidth": _into("axis", "gridWidth", convert=_points),
    "grid.linestyle": _into("axis", "gridDash", convert=lambda v: list(_dash(v) or ())),
    "grid.alpha": _into("axis", "gridOpacity", convert=float),
    "text.color": _into("text", "fill", convert=_color),
    "xtick.labelsize": _into("axisX", "labelFontSize", convert=_points),
    "ytick.labelsize": _into("axisY", "labelFontSize", convert=_points),
    "xtick.color": _into("axisX", "labelColor", convert=_color),
    "ytick.color": _into("axisY", "labelColor", convert=_color),
    "xtick.labelcolor": _into("axisX", "labelColor", convert=_color),
    "ytick.labelcolor": _into("axisY", "labelColor", convert=_color),
    "legend.fontsize": _into("legend", "labelFontSize", convert=_points),
    "legend.title_fontsize": _into("legend", "titleFontSize", convert=_points),
    "legend.labelcolor": _into("legend", "labelColor", convert=_color),
    "legend.edgecolor": _into("legend", "strokeColor", convert=_color),
    "legend.facecolor": _into("legend", "fillColor", convert=_color),
}
"""matplotlib's name -> what it sets here."""
