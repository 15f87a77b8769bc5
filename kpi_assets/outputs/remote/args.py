"""Arguments of all outputs that publish to another machine."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from kpi_assets.contracts import Format, PluginArgs

PublishFormat: TypeAlias = Literal["html", "md", "png", "pdf", "csv"]


def as_list(value: object) -> object:
    """One thing or a list of them, as a list; for validators."""
    return (value,) if isinstance(value, str) else value


class PublishArgs(PluginArgs):
    """In which formats, and what beside the edition."""

    output_format: Annotated[tuple[PublishFormat, ...], BeforeValidator(as_list)] = Field(
        ("html",),
        min_length=1,
        description="html, md, png or pdf, or a list of them; csv puts the tables' rows beside the page.",
    )
    latest: bool = Field(
        True,
        description="Keep `latest-<slug>/`, links between editions and an archive page; false writes the edition's own "
        "files alone and reads nothing.",
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s?#]+$",
        description="Where the folder is served, e.g. https://reports.example.com; receipts then say that address.",
    )

    @model_validator(mode="after")
    def _csv_lies_beside_something(self) -> PublishArgs:
        if set(self.output_format) == {"csv"}:
            raise ValueError("output_format: csv goes beside html or md; add one of them")
        return self

    @property
    def formats(self) -> frozenset[Format]:
        """What the document must hold."""
        return frozenset(self.output_format)
