"""Peers that are down, slow, full or refuse: each is told in plain words, and nothing else is lost by it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kpi_assets import pipeline
from kpi_assets.config import load_report
from kpi_assets.delivery import deliver_outputs
from kpi_assets.plan import build_plan
from kpi_assets.session import open_session
from kpi_assets_tests.cli.test_commands import kpi_assets
from kpi_assets_tests.outputs.http_peers import Answer, SendGridPeer, SlackPeer, refused, served
from kpi_assets_tests.outputs.mail_peer import USER, free_port, mail_server
from kpi_assets_tests.outputs.remote.ssh_peer import SshPeer
from kpi_assets_tests.outputs.s3_peer import s3_server
from kpi_assets_tests.shop import write_report

SMTP = """
    plugin: smtp
    args: {{email_from: shop@example.com, email_to: [{people}], smtp_host: 127.0.0.1, smtp_port: {port}, retry_for: 0,
           timeout: 2{more}}}"""
SENDGRID = """
    plugin: sendgrid
    args: {{email_from: shop@example.com, email_to: ann@example.com, api_key: SG.wrong, host: "{url}", timeout: 1,
           retry_for: 0}}"""
SLACK = """
    plugin: slack
    args: {{channels: [{channels}], api_token: xoxb-wrong, base_url: "{url}/api/", timeout: 1, retry_for: 0}}"""
WEBHOOK = """
    plugin: webhook
    args: {{url: "{url}/x", timeout: 0.5, retry_for: 0}}"""
S3 = """
    plugin: s3
    args: {{bucket: reports, endpoint_url: "{url}", aws_access_key_id: AKIDWRONG, aws_secret_access_key: wrong-secret,
           region_name: us-east-1, timeout: {timeout}, attempts: 1}}"""
SCP = """
    plugin: scp
    args: {{host: 127.0.0.1, port: {port}, remote_path: {site}, key_filename: {key}, known_hosts: {known}, agent: false,
           user: root, timeout: 2, retry_for: 0}}"""
STATIC = """
    plugin: static
    args: {{output_dir: {site}}}"""
TEN = tuple(f"p{n}@example.com" for n in range(9))
BAD = "gone@example.com"


@dataclass(frozen=True)
class Fault:
    """An output whose peer is not well: what is told, and what the ledger knows then."""

    output: str
    words: tuple[str, ...]
    state: str = "failed"
    got: Callable[[], int] = lambda: 0
    """How many messages the peer has in the end."""


Broken = Callable[[Path], AbstractContextManager[Fault]]
FAULTS: dict[str, Broken] = {}


def fault(name: str) -> Callable[[Callable[[Path], Generator[Fault]]], None]:
    """Add a fault to the table."""

    def known(make: Callable[[Path], Generator[Fault]]) -> None:
        FAULTS[name] = contextmanager(make)

    return known


# ---------------------------------------------------------------- servers that are down


@fault("smtp down")
def _(folder: Path) -> Generator[Fault]:
    port = free_port()
    words = (f"nothing answers at 127.0.0.1:{port}; check `smtp_host` and `smtp_port`. Nothing was sent",)
    yield Fault(SMTP.format(people="ann@example.com", port=port, more=""), words)


@fault("sendgrid down")
def _(folder: Path) -> Generator[Fault]:
    url = f"http://127.0.0.1:{free_port()}"
    yield Fault(SENDGRID.format(url=url), (f"{url} cannot be reached", "refused"))


@fault("slack down")
def _(folder: Path) -> Generator[Fault]:
    url = f"http://127.0.0.1:{free_port()}"
    yield Fault(SLACK.format(url=url, channels='"#kpis"'), ("Slack cannot be reached", "refused"))


@fault("webhook down")
def _(folder: Path) -> Generator[Fault]:
    url = f"http://127.0.0.1:{free_port()}"
    yield Fault(WEBHOOK.format(url=url), (f"{url} cannot be reached", "Nothing was accepted"))


@fault("s3 down")
def _(folder: Path) -> Generator[Fault]:
    url = f"http://127.0.0.1:{free_port()}"
    yield Fault(
        S3.format(url=url, timeout=20), (f"{url} cannot be reached: check `endpoint_url` and the network",)
    )


@fault("scp down")
def _(folder: Path) -> Generator[Fault]:
    port = free_port()
    words = (f"root@127.0.0.1:{port} cannot be reached",)
    yield Fault(SCP.format(port=port, site=folder / "srv", key=_key(folder), known=folder / "known"), words)


# ---------------------------------------------------------------- servers that never answer


@contextmanager
def silent() -> Generator[int]:
    """The port of somebody who takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield int(listener.getsockname()[1])


@fault("smtp slow")
def _(folder: Path) -> Generator[Fault]:
    with silent() as port:
        words = (f"127.0.0.1:{port} did not answer within 2 s. Nothing was sent",)
        yield Fault(SMTP.format(people="ann@example.com", port=port, more=""), words)


@fault("sendgrid slow")
def _(folder: Path) -> Generator[Fault]:
    with silent() as port:
        words = (f"http://127.0.0.1:{port} took the request and did not answer", "it may have been sent")
        yield Fault(SENDGRID.format(url=f"http://127.0.0.1:{port}"), words, "unknown")


@fault("slack slow")
def _(folder: Path) -> Generator[Fault]:
    with silent() as port:
        words = ("Slack took the message and did not answer", "it may stand in the channel: look")
        yield Fault(SLACK.format(url=f"http://127.0.0.1:{port}", channels='"#kpis"'), words, "unknown")


@fault("webhook slow")
def _(folder: Path) -> Generator[Fault]:
    with silent() as port:
        words = (f"http://127.0.0.1:{port} took the request and did not answer", "it may have arrived")
        yield Fault(WEBHOOK.format(url=f"http://127.0.0.1:{port}"), words, "unknown")


@fault("s3 slow")
def _(folder: Path) -> Generator[Fault]:
    with silent() as port:
        words = (f"the connection to http://127.0.0.1:{port} broke (ReadTimeoutError): try again",)
        yield Fault(S3.format(url=f"http://127.0.0.1:{port}", timeout=0.5), words)


@fault("scp slow")
def _(folder: Path) -> Generator[Fault]:
    with silent() as port:
        words = (f"the line to root@127.0.0.1:{port} broke", "`latest` still shows a whole edition")
        yield Fault(
            SCP.format(port=port, site=folder / "srv", key=_key(folder), known=folder / "known"), words
        )


# ---------------------------------------------------------------- who may not, or no more


@fault("smtp bad login")
def _(folder: Path) -> Generator[Fault]:
    with mail_server(folder, login=True) as peer:
        more = f", username: {USER}, password: wrong-password, ca_file: {peer.ca_file}"
        words = (f"refused the login of '{USER}' (535", "check `username` and `password`")
        yield Fault(SMTP.format(people="ann@example.com", port=peer.port, more=more), words)


@fault("sendgrid bad key")
def _(folder: Path) -> Generator[Fault]:
    peer = SendGridPeer()
    with served(peer.answer) as url:
        words = ("SendGrid said 401: The provided authorization grant is invalid, expired", "check `api_key`")
        yield Fault(SENDGRID.format(url=url), words, got=lambda: len(peer.sent))


@fault("slack bad token")
def _(folder: Path) -> Generator[Fault]:
    with served(SlackPeer().answer) as url:
        words = ("the token is not valid; copy it again (xoxb-...) and check `api_token`", "invalid_auth")
        yield Fault(SLACK.format(url=url, channels='"#kpis"'), words)


@fault("slack expired token")
def _(folder: Path) -> Generator[Fault]:
    with served(lambda asked: refused("token_expired")) as url:
        words = ("the token has expired; give a new one (Slack said token_expired)",)
        yield Fault(SLACK.format(url=url, channels='"#kpis"'), words)


@fault("webhook refuses")
def _(folder: Path) -> Generator[Fault]:
    with served(lambda asked: Answer(401, "who are you?")) as url:
        yield Fault(WEBHOOK.format(url=url), (f"{url} said 401: who are you?; check `secret` and `headers`",))


def _s3_error(code: str, status: int = 400) -> Callable[[Any], Answer]:
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>said by the service</Message></Error>"
    return lambda asked: Answer(status, text, {"Content-Type": "application/xml"})


@fault("s3 no bucket")
def _(folder: Path) -> Generator[Fault]:
    with s3_server() as port:
        url = f"http://127.0.0.1:{port}"
        # A name of its own: moto keeps the buckets of all servers in one process.
        words = (f"there is no bucket 'nowhere' at {url}: create it, or correct `bucket`",)
        yield Fault(S3.format(url=url, timeout=20).replace("bucket: reports", "bucket: nowhere"), words)


@fault("s3 bad key")
def _(folder: Path) -> Generator[Fault]:
    with served(_s3_error("InvalidAccessKeyId", 403)) as url:
        yield Fault(
            S3.format(url=url, timeout=20),
            (f"the access key is not known at {url}: check `aws_access_key_id`",),
        )


@fault("s3 expired token")
def _(folder: Path) -> Generator[Fault]:
    with served(_s3_error("ExpiredToken")) as url:
        yield Fault(S3.format(url=url, timeout=20), ("the session token has expired: get new credentials",))


@fault("s3 full")
def _(folder: Path) -> Generator[Fault]:
    with served(_s3_error("XMinioStorageFull", 507)) as url:
        words = (f"{url} said XMinioStorageFull when asked to", "in bucket 'reports': said by the service")
        yield Fault(S3.format(url=url, timeout=20), words)


@fault("scp bad key")
def _(folder: Path) -> Generator[Fault]:
    with ssh_server(folder) as peer:
        stranger = _key(folder)
        output = SCP.format(port=peer.port, site=folder / "srv", key=stranger, known=peer.known_hosts)
        words = (
            f"root@127.0.0.1:{peer.port} does not let us in",
            "check `user`, `password`, `key_filename`",
        )
        yield Fault(output, words)


# ---------------------------------------------------------------- one bad address among ten


@fault("smtp one of ten")
def _(folder: Path) -> Generator[Fault]:
    with mail_server(folder, starttls=False) as peer:
        peer.answers[BAD] = "550 5.1.1 no such user"
        people = ", ".join([*TEN[:4], BAD, *TEN[4:]])
        words = (f"refused 1 of 10 recipients, the other 9 got it: {BAD}: 550 5.1.1 no such user",)
        yield Fault(
            SMTP.format(people=people, port=peer.port, more=""), words, "partial", lambda: len(peer.posts)
        )


# ---------------------------------------------------------------- full disks


@contextmanager
def full_disk(folder: Path) -> Generator[Path]:
    """A folder on a file system of its own with 32 KB in all."""
    place = folder / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@fault("static full")
def _(folder: Path) -> Generator[Fault]:
    with full_disk(folder) as site:
        words = (f"the disk of {site} is full; free some space", "Nothing of the edition was put in place")
        yield Fault(STATIC.format(site=site), words, got=lambda: len(_tree(site)))


@fault("scp full")
def _(folder: Path) -> Generator[Fault]:
    with full_disk(folder) as site, ssh_server(folder) as peer:
        output = SCP.format(port=peer.port, site=site, key=peer.key, known=peer.known_hosts)
        words = (
            f"the host refused {site}/",
            "look whether its disk or quota is full",
            "`latest` still shows a whole edition",
        )
        yield Fault(output, words, got=lambda: len([p for p in _tree(site) if p.endswith("index.html")]))


# ---------------------------------------------------------------- the tests


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report whose edition is stored in `home`; it has no outputs yet."""
    folder = tmp_path_factory.mktemp("made")
    file = write_report(folder)
    text = file.read_text(encoding="utf-8")
    chart = "\n  chart: {plugin: plot, title: Orders, args: {query: {ref: orders_daily}, time_column: day}}\n"
    outputs = (
        STATIC.format(site=folder / "out"),
        SMTP.format(people="a@example.com", port=25, more=""),
        SLACK.format(url="http://127.0.0.1:9", channels="x"),
    )
    kinds = "".join(f"\n  o{number}:{output}" for number, output in enumerate(outputs))
    file.write_text(text[: text.index("\noutputs:")] + chart + "outputs:" + kinds, encoding="utf-8")
    plan = build_plan(load_report([file]), {})
    windows = [plan.window("2024-11-24")]
    with open_session(plan, folder / "home", {}) as session:
        for stage in (pipeline.fetch_queries, pipeline.render_views, pipeline.compose_documents):
            list(stage(session, windows))
    return folder


def _named() -> list[Any]:
    marks = {
        "scp bad key": [pytest.mark.ssh],
        "scp full": [pytest.mark.ssh, NEEDS_ROOT],
        "static full": [NEEDS_ROOT],
    }
    return [pytest.param(name, marks=marks.get(name, [])) for name in FAULTS]


NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts small file systems")


@pytest.mark.parametrize("name", _named())
def test_a_fault_is_told_and_costs_nothing_else(made: Path, tmp_path: Path, name: str) -> None:
    """The error names culprit and fix, the ledger has the state, no secret is told, and the other output delivers."""
    with FAULTS[name](tmp_path) as broken:
        found = delivered(made, tmp_path, broken.output)
        error = str(found["broken"].error)
        assert [word for word in broken.words if word not in error] == [], error
        assert not [
            secret
            for secret in ("xoxb-wrong", "SG.wrong", "wrong-secret", "wrong-password")
            if secret in error
        ]
        assert (found["fine"].error, (tmp_path / "fine" / "latest-orders" / "index.html").exists()) == (
            None,
            True,
        )
        assert broken.got() == (1 if broken.state == "partial" else 0)
        assert found["state"] == broken.state


@contextmanager
def ssh_server(folder: Path) -> Generator[SshPeer]:
    """Debian's SSH server, running."""
    place = folder / "sshd"
    place.mkdir()
    peer = SshPeer(place)
    peer.start()
    try:
        yield peer
    finally:
        peer.kill()


def _key(folder: Path) -> Path:
    """A new private key that no host knows."""
    path = folder / "id_stranger"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def _tree(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]


def delivered(made: Path, folder: Path, output: str) -> dict[str, Any]:
    """Deliver the stored edition by the broken output and by another one."""
    text = (made / "orders.yaml").read_text(encoding="utf-8")
    fine = f"\n  fine:{STATIC.format(site=folder / 'fine')}\n"
    file = folder / "orders.yaml"
    file.write_text(
        text[: text.index("\noutputs:")] + f"\noutputs:\n  broken:{output}{fine}", encoding="utf-8"
    )
    shutil.copytree(made / "home", folder / "home")
    plan = build_plan(load_report([file]), {})
    with open_session(plan, folder / "home", {}) as session:
        found: dict[str, Any] = {d.output: d for d in deliver_outputs(session, [plan.window("2024-11-24")])}
        (entry,) = [e for e in session.ledger.entries() if e.output == "broken"]
    return {**found, "state": entry.state}


def test_a_run_with_faults_ends_with_1_and_is_marked_failed(tmp_path: Path) -> None:
    """`kpi-assets run` names each fault, delivers by the others and ends with 1; for Dagster the run has failed."""
    from kpi_assets.assets.instance import open_instance

    port, url = free_port(), f"http://127.0.0.1:{free_port()}"
    with mail_server(tmp_path, starttls=False) as peer:
        outputs = {
            "down": SMTP.format(people="ann@example.com", port=port, more=""),
            "bucket": S3.format(url=url, timeout=20),
            "board": SMTP.format(people="ann@example.com", port=peer.port, more=""),
            "site": STATIC.format(site=tmp_path / "site"),
        }
        file = write_report(tmp_path)
        text = file.read_text(encoding="utf-8")
        told = "".join(f"\n  {name}:{output}" for name, output in outputs.items())
        file.write_text(text[: text.index("\noutputs:")] + f"\noutputs:{told}\n", encoding="utf-8")
        done = kpi_assets(tmp_path, "run", "-c", str(file), "--home", str(tmp_path / "home"))
    assert done.returncode == 1, done.stderr
    assert f"nothing answers at 127.0.0.1:{port}; check `smtp_host` and `smtp_port`" in flat(done.stderr)
    assert f"{url} cannot be reached: check `endpoint_url` and the network" in flat(done.stderr)
    assert (len(peer.posts), (tmp_path / "site" / "latest-orders" / "index.html").exists()) == (1, True)
    with open_instance(tmp_path / "home", {}) as instance:
        assert [run.status.value for run in instance.get_runs()] == ["FAILURE"]


def flat(text: str) -> str:
    """Without the line breaks that a narrow terminal puts in."""
    return " ".join(text.split())
