"""Words written by people: Markdown with the report's variables in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from kpi_assets.contracts import Block, Need, PluginArgs, Prose, RenderContext, View
from kpi_assets.contracts.recipient import PREFIX, as_markdown
from kpi_assets.views.composing import compose

if TYPE_CHECKING:
    import pandas as pd

WIDE = 6
LONG = 300
"""Characters below which a text is not worth two columns."""


class TextArgs(PluginArgs):
    """Arguments of a text."""

    text: str = Field(description="Markdown; {title}, {from}, {to}, {end}, {days} and so on are filled in.")
    columns: int | None = Field(
        None, ge=1, le=2, description="Columns; default: 2 where it is long and wide."
    )

    @field_validator("text")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("the text is empty; write something or remove the view")
        return value


class TextView(View):
    """A note. Raw HTML in it is escaped by every format."""

    Args = TextArgs
    kinds = ("markdown",)

    args: TextArgs

    def needs(self) -> Mapping[str, Need]:
        return {}

    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        del frames
        markdown = filled(self.args.text, context.variables).strip()
        prose = Prose(markdown=markdown, columns=self.args.columns or _columns(markdown, context.cols))
        return compose(context, "text", (prose,), rows=0, days="")


def filled(text: str, variables: Mapping[str, str]) -> str:
    """`text` with each known `{name}` replaced; other braces stay. A recipient's values are no Markdown."""
    words = {
        name: as_markdown(value) if name.startswith(PREFIX) else value for name, value in variables.items()
    }
    return re.sub(r"\{([\w.]+)\}", lambda match: words.get(match[1], match[0]), text)


def _columns(markdown: str, cols: int) -> int:
    return 2 if cols >= WIDE and len(markdown) >= LONG else 1
