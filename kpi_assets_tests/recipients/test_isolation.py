"""Nothing of one recipient's rows reaches another's mail, attachment, stored file, or what Dagster shows to all."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pypdfium2
import pytest

from kpi_assets.assets.run import RunResult, materialize_editions
from kpi_assets.readers import audience_of
from kpi_assets.session import open_session
from kpi_assets_tests.outputs.mail_peer import MailPeer, Post, mail_server
from kpi_assets_tests.recipients.world import KEY, LEADS, Lead, make_company, planned, write_report


@dataclass(frozen=True)
class Ran:
    """A run through Dagster with all outputs, and where its traces are."""

    folder: Path
    peer: MailPeer
    result: RunResult
    keys: dict[str, str]
    """Address -> what names her editions."""

    def trace_of(self, lead: Lead) -> Iterator[tuple[str, str]]:
        """Everything that was made for one recipient, as text: what it is, and what it says."""
        key = self.keys[str(lead.email)]
        for place in (self.folder / "home/editions/sales" / f"{KEY}~{key}", self.folder / "out" / key):
            files = [path for path in place.rglob("*") if path.is_file()]
            assert files
            yield from ((str(path), text) for path in files for text in said(path.name, path.read_bytes()))
        (post,) = [post for post in self.peer.posts if post.recipients == [lead.email]]
        yield from parts_of(post)


def said(name: str, content: bytes) -> Iterator[str]:
    """The text of a file, whatever it is packed in."""
    if content.startswith(b"%PDF"):
        document = pypdfium2.PdfDocument(content)
        for page in document:
            yield page.get_textpage().get_text_range()
    elif content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield from said(member, archive.read(member))
    elif content.startswith(b"PAR1"):
        yield pd.read_parquet(io.BytesIO(content)).to_csv()
    else:
        yield content.decode("utf-8", "replace")
    yield name


def parts_of(post: Post) -> Iterator[tuple[str, str]]:
    yield "headers", "\n".join(f"{name}: {value}" for name, value in post.message.items())
    for part in post.message.walk():
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            name = part.get_filename() or part.get_content_type()
            yield from ((f"mail, {name}", text) for text in said(name, content))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("sales")
    make_company(folder)
    with mail_server(folder, starttls=False) as peer:
        plan = planned(write_report(folder, port=peer.port))
        window = plan.window(KEY)
        result = materialize_editions(plan, [window], home=folder / "home", environ={})
        with open_session(plan, folder / "home", {}) as session:
            keys = {found.address: found.key for found in audience_of(session, window).recipients}
        yield Ran(folder, peer, result, keys)


def others(lead: Lead) -> list[str]:
    """What may not be seen by her: markers, amounts, their sums, and addresses of the others."""
    found: list[str] = []
    for other in LEADS:
        if other is not lead:
            amounts = (f"{other.amount:,.0f}", f"{other.amount:.0f}", f"{other.amount * 7:,.0f}")
            found += [other.marker, str(other.email), *amounts]
    return found


def test_everybody_gets_one_mail_and_one_page(ran: Ran) -> None:
    """The run is good, and each recipient has exactly one mail, addressed to her alone, and one folder."""
    assert ran.result.errors == ()
    assert sorted(post.recipients for post in ran.peer.posts) == sorted([lead.email] for lead in LEADS)
    assert all(post.message["To"] == post.recipients[0] for post in ran.peer.posts)
    assert sorted(path.name for path in (ran.folder / "out").iterdir()) == sorted(ran.keys.values())
    assert len({post.message["Message-ID"] for post in ran.peer.posts}) == len(LEADS)


@pytest.mark.parametrize("lead", LEADS, ids=lambda lead: lead.marker)
def test_her_own_rows_are_everywhere(ran: Ran, lead: Lead) -> None:
    """Mail text, HTML, CSV, PDF, page, Markdown and stored block hold her marker: so absence says something."""
    holding = [what for what, text in ran.trace_of(lead) if lead.marker in text]
    wanted = (
        "text/plain",
        "text/html",
        ".csv",
        ".pdf",
        "index.html",
        "index.md",
        "days.json",
        "document.json",
    )
    for end in wanted:
        assert any(what.endswith((end, f"{end}.zip")) for what in holding), (end, holding)


@pytest.mark.parametrize("lead", LEADS, ids=lambda lead: lead.marker)
def test_nothing_of_the_others_is_anywhere(ran: Ran, lead: Lead) -> None:
    """No mail part, attachment, picture, page or stored file of a recipient holds a word that is another's alone."""
    for what, text in ran.trace_of(lead):
        assert not [word for word in others(lead) if word in text], what


def test_rows_of_two_recipients_never_share_a_file(ran: Ran) -> None:
    """Each stored frame holds the marker of one recipient at most, and each recipient has frames of her own."""
    found: dict[str, set[str]] = {}
    for path in (ran.folder / "home/frames").rglob("*.parquet"):
        text = "\n".join(said(path.name, path.read_bytes()))
        markers = {lead.marker for lead in LEADS if lead.marker in text}
        assert len(markers) <= 1, path
        for marker in markers:
            found.setdefault(marker, set()).add(str(path.parent))
    assert set(found) == {lead.marker for lead in LEADS}
    folders = [folder for places in found.values() for folder in places]
    assert len(folders) == len(set(folders))


def test_what_all_share_holds_nobodys_rows(ran: Ran) -> None:
    """The common edition's folder, Dagster's records and the ledger hold no recipient's marker."""
    common = [path for path in (ran.folder / "home/editions/sales" / KEY).rglob("*") if path.is_file()]
    dagster = [path for path in (ran.folder / "home/dagster").rglob("*") if path.is_file()]
    assert common
    assert dagster
    for path in [*common, *dagster, ran.folder / "home/ledger.db"]:
        content = path.read_bytes()
        assert not [lead.marker for lead in LEADS if lead.marker.encode() in content], path


def test_a_value_that_is_code_is_only_a_value(ran: Ran) -> None:
    """Regions called like SQL find their own seven days, and the company's number is the same for all."""
    for lead in LEADS:
        (page,) = (ran.folder / "out" / ran.keys[str(lead.email)]).glob("2024*/index.html")
        text = page.read_text(encoding="utf-8")
        assert text.count(f"{lead.amount:,.0f}") >= 7
        assert f">{7 * len(LEADS)}<" in text
