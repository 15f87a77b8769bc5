"""What a chart is drawn on: one canvas per width class of the page, and one for mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CanvasClass = Literal["wide", "mid", "phone", "mail"]

MAIL_WIDTH = 552
"""CSS pixels of a chart in mail and chat."""
PANEL_GAP = 24
PANEL_GAP_PHONE = 16


@dataclass(frozen=True)
class Canvas:
    """`width` in CSS pixels; `size` of the type; `paper` is the colour that lies behind, for marks that cut out."""

    width: int
    name: CanvasClass
    size: int = 12
    paper: str = "#ffffff"

    @property
    def phone(self) -> bool:
        return self.name == "phone"

    @property
    def line_height(self) -> int:
        return self.size + 4

    def height(self, asked: int | None = None) -> int:
        """The height asked for, or one that suits the width."""
        if asked:
            return asked
        if self.name == "mail":
            return 300
        if self.width >= 900:
            return 300
        if self.width >= 480:
            return 276
        return 260 if self.phone else 244


@dataclass(frozen=True)
class Padding:
    """Room around the plot for labels, in CSS pixels."""

    left: int = 0
    right: int = 0
    top: int = 0
    bottom: int = 0

    def as_dict(self) -> dict[str, int]:
        return {"left": self.left, "right": self.right, "top": self.top, "bottom": self.bottom}
