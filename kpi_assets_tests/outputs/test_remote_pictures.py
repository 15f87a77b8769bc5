"""Pictures by address: what a mail or a message points to is what the published folder serves."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from kpi_assets.outputs.mailing.letter import write_letter
from kpi_assets.outputs.smtp import SmtpArgs
from kpi_assets.outputs.static import StaticArgs, StaticOutput
from kpi_assets_tests.outputs.letters import edition


def test_remote_pictures_are_published(tmp_path: Path) -> None:
    """Every address below image_remote_base_url/{id} is a file that `static` wrote, byte for byte."""
    document = edition()
    StaticOutput("pages", StaticArgs(output_dir=tmp_path)).deliver(document)
    args = SmtpArgs.model_validate(
        {
            "email_from": "a@example.com",
            "email_to": "b@example.com",
            "image_strategy": "remote",
            "image_remote_base_url": "https://host/{id}/",
        }
    )
    letter = write_letter(document, args)
    addresses = set(re.findall(r'src="https://host/([^"]+)"', letter.html))
    assert len(addresses) == 3
    for address in addresses:
        assert (tmp_path / address).read_bytes() == document.file(address.partition("/")[2]).content


def test_mail_loads_pictures_from_a_publisher(tmp_path: Path) -> None:
    """With `images_from` a mail's charts are the files below the address in the publisher's receipt."""
    document = replace(edition(), page_url="https://host/week/index.html")
    receipt = StaticOutput("pages", StaticArgs(output_dir=tmp_path)).deliver(document)
    letter = write_letter(replace(document, published={"pages": receipt.files_url}), REMOTE)
    paths = set(re.findall(r'src="https://host/week/([^"]+)"', letter.html))
    assert len(paths) == 3
    assert paths <= {file.path for file in document.files}
    assert letter.pictures == ()


def test_without_an_address_pictures_travel_in_the_mail() -> None:
    """Where the publisher gave no address, the mail holds its charts, and its receipt will say why."""
    letter = write_letter(edition(), REMOTE)
    assert {f"cid:{picture.cid}" for picture in letter.pictures} == set(
        re.findall(r'src="(cid:[^"]+)"', letter.html)
    )
    assert len(letter.pictures) == 3
    assert "charts travel in the mail, since output 'pages' did not publish them" in letter.summary


REMOTE = SmtpArgs.model_validate(
    {
        "email_from": "a@example.com",
        "email_to": "b@example.com",
        "image_strategy": "remote",
        "images_from": "pages",
    }
)
