"""Arguments of all outputs that publish to another machine."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from kpi_assets.contracts import Format, PluginArgs
from kpi_assets.outputs.contents import beside_something

PublishFormat: TypeAlias = Literal["html", "md", "png", "pdf", "csv", "xlsx"]


def as_list(value: object) -> object:
    """One thing or a list of them, as a list; for validators."""
    return (value,) if isinstance(value, str) else value


class PublishArgs(PluginArgs):
    """In which formats, and what beside the edition."""

    output_format: Annotated[
        tuple[PublishFormat, ...], BeforeValidator(as_list), AfterValidator(beside_something)
    ] = Field(
        ("html",),
        min_length=1,
        description="html, md, png or pdf, or a list of them; csv and xlsx put the tables' rows beside the page.",
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

    def files_url(self, folder: str) -> str:
        """The address of an edition's folder, "" where nobody said where it is served or it holds no page."""
        served = self.public_url if "html" in self.formats else None
        return f"{served.rstrip('/')}/{folder}" if served else ""

    @property
    def formats(self) -> frozenset[Format]:
        """What the document must hold."""
        return frozenset(self.output_format)
