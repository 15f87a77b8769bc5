"""Colour arithmetic: contrast as WCAG measures it, and colours derived from few given ones in OKLab.

Everything takes and gives `#rrggbb`. OKLab's lightness runs evenly for the eye from 0 (black) to 1 (white), which
is why dark mode is the light palette mirrored in it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

INK: Final = "#17181c"
WHITE: Final = "#ffffff"
BLACK: Final = "#000000"
DARK_PAPER_LIGHTNESS: Final = 0.195
STEPS: Final = 100

Lab = tuple[float, float, float]


def normalise(color: str) -> str:
    """`#RGB` or `#RRGGBB` as lower-case `#rrggbb`."""
    digits = color.lstrip("#").lower()
    return "#" + ("".join(d * 2 for d in digits) if len(digits) == 3 else digits)


@lru_cache(maxsize=4096)
def luminance(color: str) -> float:
    """Relative luminance (WCAG 2): 0 for black, 1 for white."""
    red, green, blue = _linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2), 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@lru_cache(maxsize=4096)
def lab(color: str) -> Lab:
    """OKLab coordinates."""
    r, g, b = _linear(color)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def from_lab(coordinates: Lab) -> str:
    """The colour at OKLab coordinates; where no screen can show it, the most colourful that can be."""
    lightness, a, b = coordinates
    lightness = min(1.0, max(0.0, lightness))
    low, high = 0.0, 1.0
    if _in_gamut(_to_linear((lightness, a, b))):
        low = 1.0
    else:
        for _ in range(20):
            middle = (low + high) / 2
            inside = _in_gamut(_to_linear((lightness, a * middle, b * middle)))
            low, high = (middle, high) if inside else (low, middle)
    channels = (round(255 * _encode(c)) for c in _to_linear((lightness, a * low, b * low)))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def mix(ground: str, color: str, share: float) -> str:
    """`share` (0 to 1) of `color` on `ground`, evenly for the eye."""
    pairs = zip(lab(ground), lab(color), strict=True)
    lightness, a, b = (one + (other - one) * share for one, other in pairs)
    return from_lab((lightness, a, b))


def with_lightness(color: str, lightness: float) -> str:
    """The same hue at another OKLab lightness."""
    _, a, b = lab(color)
    return from_lab((lightness, a, b))


def legible(color: str, grounds: tuple[str, ...], least: float) -> str:
    """`color`, moved away from the grounds in lightness only as far as `least` contrast on each needs.

    Grounds lie on one side, light or dark. Where even black or white is not enough, that is the answer.
    """
    if _worst(color, grounds) >= least:
        return color
    start, away = lab(color)[0], (0.0 if lab(grounds[0])[0] > 0.5 else 1.0)
    shades = (with_lightness(color, start + (away - start) * step / STEPS) for step in range(1, STEPS + 1))
    found = _first(shades_ok=lambda shade: _worst(shade, grounds) >= least, shades=list(shades))
    return found or (BLACK if away == 0.0 else WHITE)


def faded(color: str, ground: str, least: float) -> str:
    """`color`, faded towards the ground as far as `least` contrast allows (the palette's `soft`)."""
    shades = [mix(ground, color, step / STEPS) for step in range(1, STEPS + 1)]
    return _first(shades_ok=lambda shade: contrast(shade, ground) >= least, shades=shades) or color


def wash(color: str, ground: str, share: float, text: str) -> str:
    """`share` of `color` on `ground`, less where `text` on it would not reach 4.5:1."""
    tries = [share * step / 12 for step in range(12, 0, -1)]
    washes = [mix(ground, color, part) for part in tries]
    return _first(shades_ok=lambda shade: contrast(text, shade) >= 4.5, shades=washes) or ground


def ramp(paper: str, accent: str) -> tuple[str, ...]:
    """Seven steps of one hue, from near the paper through the accent to beyond it."""
    shares = (0.07, 0.19, 0.37, 0.58, 0.79, 1.0)
    lightness = lab(accent)[0]
    beyond = lightness - 0.12 if lab(paper)[0] > 0.5 else lightness + 0.12
    return (*(mix(paper, accent, share) for share in shares), with_lightness(accent, beyond))


def text_on(ground: str) -> str:
    """Ink or white, whichever is read better; pure black where neither reaches 4.5:1."""
    best = max((INK, WHITE), key=lambda color: contrast(color, ground))
    return best if contrast(best, ground) >= 4.5 else BLACK


def mirrored(color: str, paper: str) -> str:
    """The colour of the other mode: as far from that mode's paper as `color` is from `paper`, same hue."""
    distance = abs(lab(paper)[0] - lab(color)[0])
    if is_dark(paper):
        return with_lightness(color, 0.985 - distance * 0.97)
    return with_lightness(color, DARK_PAPER_LIGHTNESS + distance * 0.97)


def is_dark(color: str) -> bool:
    return lab(color)[0] < 0.5


def _first(shades_ok: Callable[[str], bool], shades: list[str]) -> str | None:
    return next((shade for shade in shades if shades_ok(shade)), None)


def _worst(color: str, grounds: tuple[str, ...]) -> float:
    return min(contrast(color, ground) for ground in grounds)


def _linear(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return _decode(red), _decode(green), _decode(blue)


def _decode(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _encode(value: float) -> float:
    value = min(1.0, max(0.0, value))
    return value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def _to_linear(coordinates: Lab) -> tuple[float, float, float]:
    lightness, a, b = coordinates
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _in_gamut(channels: tuple[float, float, float]) -> bool:
    return all(-0.0001 <= channel <= 1.0001 for channel in channels)
