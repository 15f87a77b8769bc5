"""What `format:` may say: a preset (`integer`, `money`, ...) or a pattern of d3's kind (`,.1f`, `.1%`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, cast

from kpi_assets.errors import suggest

Kind = Literal[
    "auto", "integer", "decimal", "percent", "money", "compact", "duration", "bytes", "significant"
]

PRESETS = ("integer", "decimal", "percent", "money", "compact", "duration", "bytes")

PATTERN = re.compile(
    r"(?P<sign>[-+]?)(?P<symbol>\$?)(?P<group>,?)(?:\.(?P<places>\d{1,2}))?(?P<trim>~?)(?P<type>[df%s]?)"
)


@dataclass(frozen=True)
class NumberFormat:
    """A parsed `format:`.

    `places`: decimals (significant digits for `significant`); None = what suits the kind. `plus` prints the
    sign of positive numbers too. `money`: a money sign is wanted even where no unit is given.
    """

    kind: Kind = "auto"
    places: int | None = None
    group: bool = True
    trim: bool = False
    plus: bool = False
    money: bool = False


@lru_cache(maxsize=256)
def parse_format(text: str) -> NumberFormat:
    """The meaning of `text`; ValueError names what is allowed."""
    text = text.strip()
    if not text:
        return NumberFormat()
    if text in PRESETS:
        return NumberFormat(cast("Kind", text), money=text == "money")
    inner = text[2:-1] if text.startswith("{:") and text.endswith("}") else text
    match = PATTERN.fullmatch(inner)
    if match is None:
        near = suggest(text, PRESETS) if text.isalpha() else f"allowed: {', '.join(PRESETS)}"
        raise ValueError(
            f"format '{text}' is not known; {near}, or a pattern like ',.1f', '$,.0f', '.1%', '.3s'"
        )
    return _from_pattern(match)


def _from_pattern(match: re.Match[str]) -> NumberFormat:
    places = int(match["places"]) if match["places"] else None
    kinds: dict[str, Kind] = {"d": "integer", "f": "decimal", "%": "percent", "s": "significant", "": "auto"}
    return NumberFormat(
        kind=kinds[match["type"]],
        places=places,
        group=bool(match["group"]),
        trim=bool(match["trim"]),
        plus=match["sign"] == "+",
        money=bool(match["symbol"]),
    )


def check_format(text: str) -> str:
    """`text` if it is a format; for validators of arguments."""
    parse_format(text)
    return text
