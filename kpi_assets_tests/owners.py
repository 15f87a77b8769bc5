"""Reports whose owner can be told: by mail, through the real mail server of the tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kpi_assets.outputs.mailing.addresses import is_address
from kpi_assets.outputs.smtp import SmtpArgs, SmtpOutput
from kpi_assets.plan import ReportPlan
from kpi_assets_tests.assets.reports import Desk, DeskArgs, make_plan
from kpi_assets_tests.outputs.mail_peer import MailPeer

OWNER = "ops@example.com"


class StaffedDeskArgs(DeskArgs):
    port: int


class StaffedDesk(Desk):
    """A desk with somebody at it who can mail to the owner."""

    Args = StaffedDeskArgs
    args: StaffedDeskArgs

    @classmethod
    def tells(cls, to: str) -> bool:
        return is_address(to)

    def tell(self, to: str, subject: str, text: str) -> None:
        args = {
            "email_from": "reports@example.com",
            "email_to": "board@example.com",
            "smtp_host": "127.0.0.1",
            "smtp_port": self.args.port,
            "retry_for": 0,
        }
        SmtpOutput(self.id, SmtpArgs.model_validate(args)).tell(to, subject, text)


def owned_plan(
    folder: Path, peer: MailPeer, *, config: Mapping[str, Any] | None = None, **more: Any
) -> ReportPlan:
    """The small report of the Dagster tests, with an owner."""
    output = {"port": peer.port, **more.pop("output", {})}
    return make_plan(
        folder,
        config={"owner": OWNER, **(config or {})},
        outputs={"desk": StaffedDesk},
        output=output,
        **more,
    )


def notes_in(peer: MailPeer) -> list[tuple[str, str]]:
    """(subject, text) of what the owner got."""
    assert all(post.recipients == [OWNER] for post in peer.posts)
    return [(str(post.message["Subject"]), str(post.message.get_content())) for post in peer.posts]
