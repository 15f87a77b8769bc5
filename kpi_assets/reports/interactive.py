"""`interactive: true`: one script per page that puts live charts over the drawings. Without it the drawings stay."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from kpi_assets.contracts import Block, Picture
from kpi_assets.reports.trust import trusted

SCRIPT = Path(__file__).parent / "templates" / "interactive.js"


class Interactive:
    """The specs of a page's charts and the numbers under which the script finds them.

    Windows narrower than `from_width` CSS pixels keep the drawings.
    """

    def __init__(self, blocks: Sequence[Block], *, from_width: int) -> None:
        self._from_width = from_width
        self._specs: list[str] = []
        self._numbers: dict[int, int] = {}
        for picture in _charts(blocks):
            self._numbers[id(picture)] = len(self._specs)
            self._specs.append(picture.spec)

    def attribute(self, picture: Picture) -> Markup:
        """` data-chart="3"` on the element around the picture; "" for one without a spec."""
        number = self._numbers.get(id(picture))
        return Markup() if number is None else trusted(f' data-chart="{number}"')

    def script(self) -> Markup:
        """The runtime, the specs as data and our few lines; "" where no chart has a spec."""
        if not self._specs:
            return Markup()
        specs = "[" + ",".join(_data(spec) for spec in self._specs) + "]"
        return trusted(
            f"<script>{runtime()}</script>\n"
            f'<script type="application/json" id="chart-specs">{specs}</script>\n'
            f'<script data-from="{self._from_width}">'
            f"{SCRIPT.read_text(encoding='utf-8')}</script>\n"
        )


@lru_cache(maxsize=1)
def runtime() -> str:
    """Vega, Vega-Lite and Vega-Embed as vl_convert bundles them, safe inside a script element."""
    import vl_convert

    bundle: Any = vl_convert.javascript_bundle  # its stub asks for arguments that have defaults
    return str(bundle()).replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _charts(blocks: Sequence[Block]) -> Iterator[Picture]:
    """Charts that stand alone; sparklines and small multiples stay as they are."""
    for block in blocks:
        yield from (e for e in block.elements if isinstance(e, Picture) and e.spec)


def _data(spec: str) -> str:
    """A spec as JSON that cannot end its script element."""
    return json.dumps(json.loads(spec), separators=(",", ":")).replace("<", "\\u003c")
