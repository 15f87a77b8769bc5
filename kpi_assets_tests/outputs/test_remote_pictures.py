"""Pictures by address: what a mail or a message points to is what the published folder serves."""

from __future__ import annotations

import re
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
