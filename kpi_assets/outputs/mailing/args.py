"""Arguments that all channels with mail have, whichever way it leaves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, cast
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from kpi_assets.contracts import Document, Format, PluginArgs
from kpi_assets.contracts.plugins import Personal
from kpi_assets.errors import suggest
from kpi_assets.outputs.mailing.addresses import as_list, normalised

PERSONAL: Mapping[str, Personal] = {
    "email_to": "address",
    "cc": "nobody",
    "bcc": "nobody",
    "subject": "text",
    "image_remote_base_url": "link",
}
Attachment = Literal["pdf", "png", "csv", "xlsx"]
VARIABLE = re.compile(r"\{(\w+)\}")
ADDRESS = ":/?#[]@!$&'()*+,;=%~"
"""What means something in an address, and is not escaped in it."""
VARIABLES = ("subject", "title", "lead", "report", "edition", "from", "to", "end", "days", "id", "title_slug")


def _one(texts: tuple[str, ...]) -> tuple[str, ...]:
    found = normalised(texts)
    if len(found) != 1:
        raise ValueError("one address is wanted here")
    return found


Addresses = Annotated[tuple[str, ...], BeforeValidator(as_list), AfterValidator(normalised)]
OneAddress = Annotated[tuple[str, ...], BeforeValidator(as_list), AfterValidator(_one)]


def known_variables(text: str) -> str:
    """`text`, if every `{name}` in it is one that we fill; for validators."""
    for name in VARIABLE.findall(text):
        if name not in VARIABLES:
            raise ValueError(f"{{{name}}} means nothing here: {suggest(name, VARIABLES)}")
    return text


Template = Annotated[str, AfterValidator(known_variables)]


class LetterArgs(PluginArgs):
    """From whom, to whom, and what is in it."""

    email_from: OneAddress = Field(description="Sender: user@host or Name <user@host>.")
    email_to: Addresses = Field(
        min_length=1, description="Recipients: one address or a list; names are allowed."
    )
    cc: Addresses = Field((), description="Recipients of a copy, seen by all.")
    bcc: Addresses = Field((), description="Recipients of a copy that the others do not see.")
    reply_to: Addresses = Field((), description="Where answers go; default: the sender.")
    subject: Template = Field(
        "{subject}",
        min_length=1,
        description="Subject line; {subject} is the generated one, and {title}, {lead}, {from}, {to}, {end}, {days}, "
        "{report}, {edition} are filled in.",
    )
    image_strategy: Literal["embed", "remote"] = Field(
        "embed",
        description="embed: charts travel in the mail. remote: they are loaded from image_remote_base_url.",
    )
    image_remote_base_url: Template | None = Field(
        None,
        description="Where the edition's files are served, e.g. https://host/{id}; {title_slug}, {report} and "
        "{edition} are filled in too.",
    )
    images_from: str | None = Field(
        None,
        description="With `remote`: id of an output of this report that publishes the page; charts are loaded from "
        "where it put them. They travel in the mail where that has no address, or failed.",
    )
    attachments: Annotated[tuple[Attachment, ...], BeforeValidator(as_list)] = Field(
        (), description="pdf, png, csv or xlsx, or a list of them: the whole report, or its numbers."
    )
    max_attachment_mb: float = Field(
        10,
        gt=0,
        le=30,
        description="What is larger is left out, and the mail says so; in megabytes, all together.",
    )
    list_unsubscribe: str | None = Field(
        None,
        pattern=r"^(https://|mailto:)[!-;=?-~]+$",
        description="Where readers can leave the list: https://... (one click, by POST) or mailto:...",
    )

    @model_validator(mode="after")
    def _remote_needs_an_address(self) -> LetterArgs:
        if self.images_from and self.image_remote_base_url:
            raise ValueError("`images_from` and `image_remote_base_url` both say where charts are: keep one")
        if self.image_strategy == "remote" and not (self.image_remote_base_url or self.images_from):
            raise ValueError(
                "image_strategy: remote needs image_remote_base_url, e.g. https://host/{id}, or images_from, the id of "
                "an output that publishes"
            )
        return self

    @property
    def formats(self) -> frozenset[Format]:
        """What the document must hold. Arguments that wait for the environment may still be as written."""
        attached = cast("Sequence[Format]", as_list(self.attachments))
        return frozenset[Format](("mail", *attached))


def picture_base(document: Document, base_url: str | None, publisher: str | None) -> tuple[str, str]:
    """The address below which readers load the document's pictures; "" and why, where a publisher did not give one."""
    if not publisher:
        return base_url or "", ""
    base = document.published.get(publisher, "")
    return base, "" if base else f"output '{publisher}' did not publish them under an address"


def filled(template: str, document: Document) -> str:
    """The template with the document's words put in."""
    words = variables(document)
    return VARIABLE.sub(lambda match: words[match[1]], template)


def under(base: str, document: Document, path: str) -> str:
    """The address of a document's file below `base`, whose variables are filled in; blanks and accents escaped."""
    words = {name: quote(word) for name, word in variables(document).items()}
    address = VARIABLE.sub(lambda match: words[match[1]], base)
    return f"{quote(address.rstrip('/'), safe=ADDRESS)}/{quote(path)}"


def variables(document: Document) -> Mapping[str, str]:
    """What `{name}` stands for. `id` and `title_slug` are KPI Reporter's: `<start>_<end>_<slug>` and the slug."""
    window = document.window
    return {
        "subject": document.subject or document.title,
        "title": document.title,
        "lead": document.lead,
        "report": document.report,
        "edition": document.edition,
        "from": window.start.isoformat(),
        "to": window.end.isoformat(),
        "end": window.last_day.isoformat(),
        "days": str(window.length),
        "id": f"{window.start}_{window.end}_{document.slug}",
        "title_slug": document.slug,
    }
