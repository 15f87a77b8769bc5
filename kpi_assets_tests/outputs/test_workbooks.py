"""The workbook of an edition by every way out that takes files."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Document, Format, PluginArgs
from kpi_assets.outputs.hook.body import enclosed
from kpi_assets.outputs.mailing.letter import write_letter
from kpi_assets.outputs.remote.publish import Publication
from kpi_assets.outputs.s3 import S3Args
from kpi_assets.outputs.scp import ScpArgs
from kpi_assets.outputs.sendgrid import SendGridArgs
from kpi_assets.outputs.smtp import SmtpArgs
from kpi_assets.outputs.static import StaticArgs, StaticOutput
from kpi_assets.outputs.webhook import WebhookArgs
from kpi_assets.reports.compose import compose
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme
from kpi_assets_tests.outputs.mail_peer import mail_server
from kpi_assets_tests.outputs.test_smtp import output as smtp_output
from kpi_assets_tests.reports.samples import every_kind, meta

NAME = "2024-11-18_2024-11-25_weekly-growth-report"


def document(*formats: Format) -> Document:
    return compose(meta(), every_kind(), frozenset(formats), Theme(), NumberStyle())


def sheets(content: bytes) -> list[str]:
    return openpyxl.load_workbook(io.BytesIO(content)).sheetnames


def test_static_puts_numbers_beside_the_page(tmp_path: Path) -> None:
    """The edition's folder and `latest` have the page, the CSV files and the workbook; only what was asked for."""
    made = document("html", "csv", "xlsx")
    StaticOutput(
        "site", StaticArgs.model_validate({"output_dir": tmp_path, "output_format": ["html", "csv", "xlsx"]})
    ).deliver(made)
    for folder in (tmp_path / NAME, tmp_path / "latest-weekly-growth-report"):
        assert sheets((folder / "data" / "report.xlsx").read_bytes())[0] == "About"
        assert len(list((folder / "data").glob("*.csv"))) == 4
    other = tmp_path / "other"
    StaticOutput(
        "site", StaticArgs.model_validate({"output_dir": other, "output_format": ["html", "xlsx"]})
    ).deliver(made)
    assert [path.name for path in (other / NAME / "data").iterdir()] == ["report.xlsx"]


def test_mail_has_it_attached(tmp_path: Path) -> None:
    """A mail with `attachments: xlsx` carries the workbook, named after report and edition, as it was made."""
    made = document("mail", "xlsx")
    with mail_server(tmp_path, starttls=False) as peer:
        receipt = smtp_output(peer, attachments="xlsx").deliver(made)
        (part,) = peer.posts[0].message.iter_attachments()
    assert part.get_filename() == "weekly-growth-report-2024-11-24.xlsx"
    assert part.get_content_type().endswith("spreadsheetml.sheet")
    assert part.get_content() == made.file("data/report.xlsx").content
    assert "1 attachment" in receipt.detail


def test_letters_of_sendgrid_have_it_too() -> None:
    """What goes through SendGrid is the same letter."""
    letter = {"email_from": "a@example.com", "email_to": "b@example.com", "attachments": ["xlsx"]}
    made = document("mail", "xlsx")
    args = SendGridArgs.model_validate(letter)
    assert "xlsx" in args.formats
    (enclosure,) = write_letter(made, args).attachments
    assert sheets(enclosure.content) == sheets(made.file("data/report.xlsx").content)


@pytest.mark.parametrize("formats", [("html", "xlsx"), ("html", "csv", "xlsx")])
def test_forms_buckets_and_hosts_get_it(formats: tuple[Format, ...]) -> None:
    """Webhooks, S3 and SCP get the workbook where it was asked for, and CSV only where that was, too."""
    made = document("html", "csv", "xlsx")
    for files in (enclosed(made, formats), Publication(made, frozenset(formats)).folder):
        kinds = {file.path.rpartition(".")[2] for file in files if file.path.startswith("data/")}
        assert kinds == set(formats) - {"html"}


@pytest.mark.parametrize(
    ("model", "args"),
    [
        (StaticArgs, {}),
        (S3Args, {"bucket": "reports"}),
        (ScpArgs, {"host": "web1", "remote_path": "/srv"}),
    ],
)
def test_rows_alone_are_no_edition(model: type[PluginArgs], args: Mapping[str, Any]) -> None:
    """What is published needs something to read: rows lie beside it."""
    for formats in (["xlsx"], ["csv", "xlsx"]):
        with pytest.raises(ValidationError, match="goes beside html or md: add one of them"):
            model.model_validate({**args, "output_format": formats})
    assert model.model_validate({**args, "output_format": ["md", "xlsx"]})


def test_every_list_that_has_csv_has_xlsx() -> None:
    """No channel takes the one and not the other."""
    for model in (StaticArgs, S3Args, ScpArgs, SmtpArgs, SendGridArgs, WebhookArgs):
        said = json.dumps(model.model_json_schema())
        assert ('"csv"' in said, '"xlsx"' in said) == (True, True), model.__name__
