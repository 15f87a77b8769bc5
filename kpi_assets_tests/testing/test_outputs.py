"""The outputs that come with the package keep the rules that strangers are held to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from kpi_assets.outputs.s3 import S3Output
from kpi_assets.outputs.sendgrid import SendGridOutput
from kpi_assets.outputs.slack import SlackOutput
from kpi_assets.outputs.smtp import SmtpOutput
from kpi_assets.outputs.static import StaticOutput
from kpi_assets.outputs.webhook import WebhookOutput
from kpi_assets.testing import FakeMessenger, FakeOutput, OutputSuite
from kpi_assets_tests.outputs.hook_peer import HookPeer, Say, hook_peer
from kpi_assets_tests.outputs.http_peers import KEY, TOKEN, Answer, SendGridPeer, SlackPeer, served
from kpi_assets_tests.outputs.mail_peer import PASSWORD, USER, MailPeer, free_port, mail_server
from kpi_assets_tests.outputs.s3_peer import KEY as S3_KEY
from kpi_assets_tests.outputs.s3_peer import SECRET as S3_SECRET
from kpi_assets_tests.outputs.s3_peer import empty_bucket, s3_server, tree
from kpi_assets_tests.secrets import secret

ANN, BOB = "ann@example.com", "bob@example.com"
HOOK = secret("conformance-hook")
Arrived = Callable[[], Sequence[Any]]


class TestStatic(OutputSuite):
    """Files in a folder."""

    plugin = StaticOutput

    @pytest.fixture
    def args(self, tmp_path: Path) -> Mapping[str, Any]:
        return {"output_dir": str(tmp_path / "site"), "output_format": ["html", "md"]}

    @pytest.fixture
    def arrived(self, tmp_path: Path) -> Arrived:
        def files() -> list[tuple[str, bytes]]:
            found = sorted(path for path in (tmp_path / "site").rglob("*") if path.is_file())
            return [(str(path), path.read_bytes()) for path in found]

        return files

    @pytest.fixture
    def dead(self, tmp_path: Path) -> Mapping[str, Any]:
        (tmp_path / "taken").write_text("a file")
        return {"output_dir": str(tmp_path / "taken" / "site")}


class TestSmtp(OutputSuite):
    """Mail over a real server that wants a login."""

    plugin = SmtpOutput

    @pytest.fixture
    def peer(self, tmp_path: Path) -> Iterator[MailPeer]:
        with mail_server(tmp_path, login=True) as running:
            yield running

    @pytest.fixture
    def args(self, peer: MailPeer) -> Mapping[str, Any]:
        return letter(smtp_host=peer.host, smtp_port=peer.port, ca_file=peer.ca_file)

    @pytest.fixture
    def arrived(self, peer: MailPeer) -> Arrived:
        return lambda: [post.message["Message-ID"] for post in peer.posts]

    @pytest.fixture
    def fail_once(self, peer: MailPeer) -> Callable[[], None]:
        def busy() -> None:
            usual = peer.after_data

            def answer(server: Any) -> str:
                peer.after_data = usual
                return "451 try again later"

            peer.after_data = answer

        return busy

    @pytest.fixture
    def dead(self) -> Mapping[str, Any]:
        return letter(smtp_host="127.0.0.1", smtp_port=free_port(), retry_for=0)


def letter(**more: Any) -> Mapping[str, Any]:
    """A mail to Ann and Bob, with a login."""
    login = {"username": USER, "password": PASSWORD, "timeout": 5, "retry_for": 5}
    return {"email_from": "reports@example.com", "email_to": [ANN, BOB], **login, **more}


class TestWebhook(OutputSuite):
    """A POST, signed."""

    plugin = WebhookOutput

    @pytest.fixture
    def peer(self) -> Iterator[HookPeer]:
        with hook_peer() as running:
            yield running

    @pytest.fixture
    def args(self, peer: HookPeer) -> Mapping[str, Any]:
        return {"url": f"{peer.url}/{HOOK}/kpi", "secret": HOOK, "timeout": 5, "retry_for": 5}

    @pytest.fixture
    def arrived(self, peer: HookPeer) -> Arrived:
        return lambda: [got for got in peer.got if got.method == "POST"]

    @pytest.fixture
    def fail_once(self, peer: HookPeer) -> Callable[[], None]:
        def busy() -> None:
            def forget() -> None:
                peer.got.pop()
                peer.on_taken = lambda: None

            peer.answers.append(Say(503))
            peer.on_taken = forget

        return busy

    @pytest.fixture
    def dead(self) -> Mapping[str, Any]:
        return {"url": f"http://127.0.0.1:{free_port()}/{HOOK}", "secret": HOOK, "timeout": 5, "retry_for": 0}


class TestSendGrid(OutputSuite):
    """Mail through an API."""

    plugin = SendGridOutput

    @pytest.fixture
    def peer(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[SendGridPeer]:
        monkeypatch.delenv("SENDGRID_API_KEY", raising=False)
        account = SendGridPeer()
        with served(account.answer) as account.url:
            yield account

    @pytest.fixture
    def args(self, peer: SendGridPeer) -> Mapping[str, Any]:
        return {**self.given(), "host": peer.url}

    @pytest.fixture
    def arrived(self, peer: SendGridPeer) -> Arrived:
        return lambda: list(peer.sent)

    @pytest.fixture
    def fail_once(self, peer: SendGridPeer) -> Callable[[], None]:
        return lambda: peer.next.append(Answer(503, "busy"))

    @pytest.fixture
    def dead(self) -> Mapping[str, Any]:
        return {**self.given(), "host": f"http://127.0.0.1:{free_port()}", "retry_for": 0}

    def given(self) -> dict[str, Any]:
        who = {"email_from": "reports@example.com", "email_to": [ANN]}
        return {**who, "api_key": KEY, "timeout": 5, "retry_for": 5}


class TestSlack(OutputSuite):
    """A message in a channel."""

    plugin = SlackOutput

    @pytest.fixture
    def peer(self) -> Iterator[SlackPeer]:
        workspace = SlackPeer()
        with served(workspace.answer) as workspace.url:
            yield workspace

    @pytest.fixture
    def args(self, peer: SlackPeer) -> Mapping[str, Any]:
        return {"channels": "#kpis", "api_token": TOKEN, "base_url": f"{peer.url}/api/", "timeout": 5}

    @pytest.fixture
    def arrived(self, peer: SlackPeer) -> Arrived:
        return lambda: [post for post in peer.posts if "thread_ts" not in post]

    @pytest.fixture
    def dead(self) -> Mapping[str, Any]:
        place = f"http://127.0.0.1:{free_port()}/api/"
        return {"channels": "#kpis", "api_token": TOKEN, "base_url": place, "timeout": 2}


class TestS3(OutputSuite):
    """Files in a bucket."""

    plugin = S3Output

    @pytest.fixture
    def bucket(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, Any]]:
        with s3_server() as port:
            yield port, empty_bucket(port, monkeypatch)

    @pytest.fixture
    def args(self, bucket: tuple[int, Any]) -> Mapping[str, Any]:
        keys = {"aws_access_key_id": S3_KEY, "aws_secret_access_key": S3_SECRET, "region_name": "us-east-1"}
        return {"bucket": "reports", "endpoint_url": f"http://127.0.0.1:{bucket[0]}", **keys}

    @pytest.fixture
    def arrived(self, bucket: tuple[int, Any]) -> Arrived:
        return lambda: sorted(tree(bucket[1]).items())


class TestFakeOutput(OutputSuite):
    """The fake that is handed out publishes as an output must."""

    plugin = FakeOutput

    @pytest.fixture(autouse=True)
    def _fake(self) -> None:
        self.fake = FakeOutput()

    def make(self, args: Mapping[str, Any]) -> FakeOutput:
        return self.fake

    @pytest.fixture
    def arrived(self) -> Arrived:
        return lambda: list(self.fake.delivered)


class TestFakeMessenger(TestFakeOutput):
    """The fake that tells people tells each once."""

    plugin = FakeMessenger

    @pytest.fixture(autouse=True)
    def _fake(self) -> None:
        self.fake = FakeMessenger([ANN])
