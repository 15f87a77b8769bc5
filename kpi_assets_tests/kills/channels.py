"""The peers on loopback, each with the output that delivers to it and with what it got."""

from __future__ import annotations

import getpass
import os
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kpi_assets_tests.outputs.hook_peer import hook_peer
from kpi_assets_tests.outputs.http_peers import KEY as SENDGRID_KEY
from kpi_assets_tests.outputs.http_peers import TOKEN, Answer, Asked, SendGridPeer, SlackPeer, served
from kpi_assets_tests.outputs.mail_peer import mail_server

Tree = Mapping[str, bytes]


@dataclass
class Told:
    """A channel that people see. `on_taken` is called when the peer has a message, before it answers."""

    output: str
    port: int
    received: Callable[[], int]
    forget: Callable[[], None]
    at: Callable[[int], None] = lambda port: None
    """Tells the peer by which port it is reached."""
    on_taken: Callable[[], None] = lambda: None


@dataclass
class Published:
    """A channel that is only written to. `port` 0: it is a folder of this machine."""

    output: str
    port: int
    fill: Callable[[Tree], None]
    """Make the place hold this and nothing else."""
    tree: Callable[[], Tree]


Channel = Told | Published

SMTP = """
    plugin: smtp
    args: {email_from: shop@example.com, email_to: [ann@example.com, bob@example.com], smtp_host: 127.0.0.1,
           smtp_port: {env: PORT}, retry_for: 30}
"""
SENDGRID = """
    plugin: sendgrid
    args:
      email_from: shop@example.com
      email_to: [ann@example.com, bob@example.com]
      api_key: {env: KEY}
      host: http://127.0.0.1:${PORT}
"""
SLACK = """
    plugin: slack
    args:
      channels: "#kpis"
      api_token: {env: TOKEN}
      base_url: http://127.0.0.1:${PORT}/api/
"""
WEBHOOK = """
    plugin: webhook
    args:
      url: http://127.0.0.1:${PORT}/edition
      include: html
      retry_for: 30
"""
S3 = """
    plugin: s3
    args:
      bucket: reports
      endpoint_url: http://127.0.0.1:${PORT}
      aws_access_key_id: {env: KEY}
      aws_secret_access_key: {env: SECRET}
      region_name: us-east-1
      output_format: [html, md]
"""
SCP = """
    plugin: scp
    args: {host: 127.0.0.1, port: {env: PORT}, user: {env: WHO}, remote_path: {env: FOLDER}, key_filename: {env: FILE},
           known_hosts: {env: KNOWN}, host_key_policy: accept_new, agent: false, output_format: [html, md],
           retry_for: 30}
"""
STATIC = """
    plugin: static
    args: {output_dir: {env: FOLDER}, output_format: [html, md]}
"""
ENVIRON = {"KEY": SENDGRID_KEY, "TOKEN": TOKEN, "SECRET": "s3cr3t/weekly+key", "WHO": getpass.getuser()}
"""What every errand's environment has; port, folder and files come with the trial."""


@contextmanager
def smtp(folder: Path) -> Generator[Told]:
    with mail_server(folder, starttls=False) as peer:
        made = Told(SMTP, peer.port, lambda: len(peer.posts), peer.posts.clear)

        def taken(server: object) -> str:
            made.on_taken()
            return "250 queued as 4711"

        peer.after_data = taken
        yield made


@contextmanager
def sendgrid(folder: Path) -> Generator[Told]:
    peer = SendGridPeer()
    made = Told(SENDGRID, 0, lambda: len(peer.sent), peer.sent.clear)
    with _serving(made, peer.answer, lambda: len(peer.sent)):
        yield made


@contextmanager
def slack(folder: Path) -> Generator[Told]:
    """What counts are messages; the replies in their threads are part of them."""
    peer = SlackPeer()

    def messages() -> int:
        return len([post for post in peer.posts if not post.get("thread_ts")])

    made = Told(SLACK, 0, messages, peer.posts.clear)
    made.at = lambda port: setattr(peer, "url", f"http://127.0.0.1:{port}")
    with _serving(made, peer.answer, messages):
        yield made


@contextmanager
def webhook(folder: Path) -> Generator[Told]:
    with hook_peer() as peer:
        made = Told(WEBHOOK, peer.server.server_port, lambda: len(peer.got), peer.got.clear)
        peer.on_taken = lambda: made.on_taken()  # noqa: PLW0108 - set anew by each trial
        yield made


@contextmanager
def s3(folder: Path) -> Generator[Published]:
    import boto3

    from kpi_assets_tests.outputs.s3_peer import s3_server

    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    with s3_server() as port:
        resource: Any = boto3.resource  # pyright: ignore[reportUnknownMemberType]
        bucket = resource(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id=SENDGRID_KEY,
            aws_secret_access_key=ENVIRON["SECRET"],
        ).Bucket("reports")
        bucket.create()

        def fill(tree: Tree) -> None:
            bucket.objects.delete()
            for key, content in tree.items():
                bucket.put_object(Key=key, Body=content)

        yield Published(S3, port, fill, lambda: {o.key: o.get()["Body"].read() for o in bucket.objects.all()})


@contextmanager
def scp(folder: Path) -> Generator[Published]:
    from kpi_assets_tests.outputs.remote.ssh_peer import SshPeer

    peer = SshPeer(folder)
    shutil.copy(peer.key, folder / "key")
    peer.start()
    try:
        yield _folder(SCP, peer.port, folder / "site")
    finally:
        peer.kill()


@contextmanager
def static(folder: Path) -> Generator[Published]:
    yield _folder(STATIC, 0, folder / "site")


CHANNELS: Mapping[str, Callable[[Path], AbstractContextManager[Channel]]] = {
    "smtp": smtp,
    "sendgrid": sendgrid,
    "slack": slack,
    "webhook": webhook,
    "s3": s3,
    "scp": scp,
    "static": static,
}


def trial_environ(folder: Path, port: int) -> dict[str, str]:
    """The environment of an errand: nothing of this machine's own agents, keys and profiles."""
    mine = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "KPI_ASSETS_", "SSH_"))}
    return {
        **mine,
        **ENVIRON,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PORT": str(port),
        "FOLDER": str(folder / "site"),
        "FILE": str(folder / "key"),
        "KNOWN": str(folder / "known"),
    }


def _folder(output: str, port: int, site: Path) -> Published:
    def fill(tree: Tree) -> None:
        shutil.rmtree(site, ignore_errors=True)
        for path, content in tree.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_bytes(content)

    def tree() -> Tree:
        found: dict[str, bytes] = {}
        paths = [Path(folder) / name for folder, _, names in os.walk(site) for name in names]
        for path in paths:
            with suppress(FileNotFoundError, NotADirectoryError):  # it may go meanwhile
                found[str(path.relative_to(site))] = path.read_bytes()
        return {path: content for path, content in found.items() if path != ".lock"}

    return Published(output, port, fill, tree)


@contextmanager
def _serving(made: Told, answer: Callable[[Asked], Answer], count: Callable[[], int]) -> Generator[None]:
    def answering(asked: Asked) -> Answer:
        before = count()
        found = answer(asked)
        if count() > before:
            made.on_taken()
        return found

    with served(answering) as url:
        made.port = int(url.rpartition(":")[2])
        made.at(made.port)
        yield
