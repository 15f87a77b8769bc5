"""The demo report in somebody's mailbox."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kpi_assets.demo import mail_variables
from kpi_assets_tests.cli.test_commands import kpi_assets
from kpi_assets_tests.outputs.mail_peer import mail_server


@pytest.mark.slow
def test_the_demo_can_be_mailed_with_one_command(tmp_path: Path) -> None:
    """The documented command sends the report with its charts and its PDF to the given address alone."""
    with mail_server(tmp_path, starttls=False) as peer:
        command = ("demo", "--mail-to", "me@example.com", "--smtp", f"127.0.0.1:{peer.port}")
        done = kpi_assets(tmp_path, *command, "--home", str(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    (post,) = peer.posts
    assert post.recipients == ["me@example.com"]
    html = post.message.get_body(("html",))
    assert html is not None
    shown = set(re.findall(r'src="cid:([^"]+)"', html.get_content()))
    assert len(shown) > 5
    assert shown == {p["Content-ID"].strip("<>") for p in post.message.walk() if p["Content-ID"]}
    assert [part.get_content_type() for part in post.message.iter_attachments()] == ["application/pdf"]


@pytest.mark.parametrize(
    ("server", "host", "port"),
    [
        ("localhost", "localhost", "25"),
        ("mail.example.com:587", "mail.example.com", "587"),
        ("[::1]:25", "::1", "25"),
    ],
)
def test_a_server_is_a_host_and_a_port(server: str, host: str, port: str) -> None:
    """`--smtp` takes a host with or without a port."""
    found = mail_variables("me@example.com", server)
    assert (found["KPI_ASSETS_DEMO_SMTP_HOST"], found["KPI_ASSETS_DEMO_SMTP_PORT"]) == (host, port)
