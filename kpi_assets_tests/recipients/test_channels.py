"""Editions of recipients by every channel: each to its own place or address, nothing of one in another's."""

from __future__ import annotations

import base64
import getpass
import json
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from kpi_assets.delivery import Delivered
from kpi_assets.session import Session, open_session
from kpi_assets_tests.outputs.hook_peer import hook_peer
from kpi_assets_tests.outputs.http_peers import KEY, TOKEN, SendGridPeer, SlackPeer, served
from kpi_assets_tests.outputs.mail_peer import Post, mail_server
from kpi_assets_tests.outputs.remote.ssh_peer import SshPeer
from kpi_assets_tests.outputs.s3_peer import KEY as S3_KEY
from kpi_assets_tests.outputs.s3_peer import SECRET, empty_bucket, s3_server, tree
from kpi_assets_tests.recipients.world import (
    LEADS,
    MAIL,
    NOW,
    change_company,
    make,
    make_company,
    planned,
    write_report,
)

TWO = LEADS[:2]
Got = Mapping[str, str]
"""What each place or address has, as text."""


def session_with(folder: Path, outputs: str, environ: Mapping[str, str], *, more: str = "") -> Session:
    """Two leads and the report with these outputs instead of its own."""
    make_company(folder, TWO)
    file = write_report(folder, lean="images_from" not in outputs)
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{text[: text.index('outputs:')]}{more}\noutputs:\n{outputs}", encoding="utf-8")
    return Session(planned(file), folder / "home", dict(environ), clock=lambda: NOW)


# ---------------------------------------------------------------- the channels

Channel = tuple[str, Mapping[str, str], Callable[[], Got]]


@contextmanager
def slack(folder: Path, patched: pytest.MonkeyPatch) -> Generator[Channel]:
    peer = SlackPeer(channels={"North": "C01", "South": "C02"})
    with served(peer.answer) as peer.url:
        output = f"""\
  chat:
    plugin: slack
    args: {{channels: "#{{recipient.region}}", api_token: {{env: TOKEN}}, base_url: "{peer.url}/api/"}}
"""

        def got() -> Got:
            channels = {post["channel"] for post in peer.posts}
            return {c: json.dumps([p for p in peer.posts if p["channel"] == c]) for c in channels}

        yield output, {"TOKEN": TOKEN}, got


@contextmanager
def sendgrid(folder: Path, patched: pytest.MonkeyPatch) -> Generator[Channel]:
    peer = SendGridPeer()
    with served(peer.answer) as url:
        output = f"""\
  mail:
    plugin: sendgrid
    args: {{email_from: kpi@example.com, email_to: "{{recipient.email}}", api_key: {{env: KEY}}, host: "{url}",
           subject: "Sales of {{recipient.region}}", attachments: [csv]}}
"""

        def got() -> Got:
            assert all(len(mail["personalizations"][0]["to"]) == 1 for mail in peer.sent)
            return {mail["personalizations"][0]["to"][0]["email"]: _told(mail) for mail in peer.sent}

        yield output, {"KEY": KEY}, got


def _told(mail: Mapping[str, object]) -> str:
    attachments = mail.get("attachments")
    assert isinstance(attachments, list)
    enclosed = [base64.b64decode(item["content"]).decode("latin-1") for item in attachments]  # pyright: ignore
    return "\n".join([json.dumps(mail), *enclosed])


@contextmanager
def webhook(folder: Path, patched: pytest.MonkeyPatch) -> Generator[Channel]:
    with hook_peer() as peer:
        output = f"""\
  hook:
    plugin: webhook
    args: {{url: "{peer.url}/of/{{recipient.key}}", include: [html, md], retry_for: 0}}
"""
        yield output, {}, lambda: {sent.path: sent.body.decode() for sent in peer.got}


@contextmanager
def s3(folder: Path, patched: pytest.MonkeyPatch) -> Generator[Channel]:
    with s3_server() as port:
        bucket = empty_bucket(port, patched)
        output = f"""\
  bucket:
    plugin: s3
    args: {{bucket: reports, prefix: "to/{{recipient.key}}", endpoint_url: "http://127.0.0.1:{port}",
           aws_access_key_id: {{env: S3_KEY}}, aws_secret_access_key: {{env: SECRET}}, region_name: us-east-1}}
"""
        yield output, {"S3_KEY": S3_KEY, "SECRET": SECRET}, lambda: _by_folder(tree(bucket))


@contextmanager
def scp(folder: Path, patched: pytest.MonkeyPatch) -> Generator[Channel]:
    peer = SshPeer(folder)
    peer.start()
    try:
        output = f"""\
  server:
    plugin: scp
    args: {{host: 127.0.0.1, port: {peer.port}, user: "{getpass.getuser()}", key_filename: "{peer.key}", agent: false,
           known_hosts: "{peer.known_hosts}", remote_path: "{folder}/to/{{recipient.key}}", retry_for: 0}}
"""
        yield output, {}, lambda: _by_folder(_files_below(folder))
    finally:
        peer.kill()


def _files_below(folder: Path) -> dict[str, bytes]:
    files = [path for path in (folder / "to").rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _by_folder(files: Mapping[str, bytes]) -> Got:
    """What lies below each `to/<key>`."""
    found: dict[str, str] = {}
    for path, content in files.items():
        folder = "/".join(path.split("/")[:2])
        found[folder] = found.get(folder, "") + f"\n{path}\n" + content.decode("utf-8", "replace")
    return found


CHANNELS = (slack, sendgrid, webhook, s3, pytest.param(scp, marks=pytest.mark.ssh))


@pytest.mark.parametrize("channel", CHANNELS)
def test_each_gets_her_own_and_nobody_elses(
    channel: Callable[..., AbstractContextManager[Channel]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two recipients have one delivery each, in two places, with her rows and none of the other's; and only once."""
    with channel(tmp_path, monkeypatch) as (output, environ, got):
        session = session_with(tmp_path, output, environ)
        first, told = make(session), got()
        second = make(session)
        session.close()
        assert [part.error for part in (*first, *second)] == [None] * 4
        assert got().keys() == told.keys()
    assert [part.recipient for part in first] == [lead.email for lead in TWO]
    whose = {place: [lead.marker for lead in TWO if lead.marker in text] for place, text in told.items()}
    assert sorted(whose.values()) == [[lead.marker] for lead in TWO]
    for place, text in told.items():
        (other,) = [lead for lead in TWO if [lead.marker] != whose[place]]
        assert f"{other.amount:,.0f}" not in text
        assert str(other.email) not in text


def test_each_is_judged_by_her_own_rows(tmp_path: Path) -> None:
    """`when` holds for the one with rows and not for the other: one mail; the ledger says why there is no second."""
    with mail_server(tmp_path, starttls=False) as peer:
        output = MAIL.format(port=peer.port).replace("[csv, pdf]", "[]")
        session = session_with(tmp_path, output, {}, more='when: {query: {ref: mine}, rows: "> 0"}')
        change_company(tmp_path, "delete from orders where region = 'South'")
        told = {part.recipient: part for part in make(session)}
        assert [post.recipients for post in peer.posts] == [["ann@example.com"]]
        assert told["ann@example.com"].error is None
        assert told["bob@example.com"].unmet
        states = {entry.recipients: (entry.state, entry.reason) for entry in session.ledger.entries()}
        assert states["bob@example.com",] == (
            "skipped",
            "`when` does not hold: query 'mine' has 0 rows, wanted > 0",
        )
        assert states["ann@example.com",][0] == "sent"

        change_company(tmp_path, "insert into orders values ('2024-11-20 10:00:00', 'South', 'Wvksouth', 5)")
        heal(make(session))
        session.close()
        assert [post.recipients for post in peer.posts] == [["ann@example.com"], ["bob@example.com"]]


def heal(delivered: list[Delivered]) -> None:
    """All went well this time."""
    assert [part.error for part in delivered] == [None] * len(delivered)


@pytest.mark.parametrize("policy", ["all", "notify"])
def test_her_view_is_left_out_for_her_alone(tmp_path: Path, policy: str) -> None:
    """A view's `when` is judged for each; under `skips: all` the page of whom the report's does not hold is missing."""
    output = '  disk: {plugin: static, args: {output_dir: "out/{recipient.region}"}}\n'
    when = f'when: {{query: {{ref: mine}}, rows: "> 0", skips: {policy}}}'
    session_with(tmp_path, output.replace("out/", f"{tmp_path}/out/"), {}, more=when).close()
    file = tmp_path / "sales.yaml"
    view = "  days:\n    plugin: table\n"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace(view, view + '    when: {query: {ref: mine}, rows: "> 0"}\n'), encoding="utf-8"
    )
    change_company(tmp_path, "delete from orders where region = 'South'")
    with open_session(planned(file), tmp_path / "home", {}) as judged:
        heal(make(judged))
    pages = {
        path.parts[-3]: path.read_text(encoding="utf-8") for path in tmp_path.glob("out/*/2024*/index.html")
    }
    assert "Revenue of North" in pages["North"]
    assert pages.keys() == ({"North"} if policy == "all" else {"North", "South"})
    assert "Revenue of South" not in pages.get("South", "")


def test_her_charts_come_from_her_own_page(tmp_path: Path) -> None:
    """With `images_from` each mail loads its charts from below the address of that recipient's edition alone."""
    output = """\
  disk: {plugin: static, args: {output_dir: "OUT/{recipient.region}"}}
""".replace("OUT", f"{tmp_path}/out")
    with mail_server(tmp_path, starttls=False) as peer:
        mail = MAIL.format(port=peer.port).replace("[csv, pdf]", "[]")
        mail += "      image_strategy: remote\n      images_from: disk\n"
        address = "public_url: https://kpi.example.com/{recipient.region}/{id}"
        session = session_with(tmp_path, output + mail, {}, more=address)
        heal(make(session))
        session.close()
    html = {post.recipients[0]: page_of(post) for post in peer.posts}
    for lead, other in ((TWO[0], TWO[1]), (TWO[1], TWO[0])):
        body = html[str(lead.email)]
        assert f'src="https://kpi.example.com/{lead.region}/' in body
        assert f"kpi.example.com/{other.region}/" not in body


def page_of(post: Post) -> str:
    """The mail's HTML."""
    part = post.message.get_body(("html",))
    assert part is not None
    return str(part.get_content())
