"""The `scp` output against Debian's OpenSSH server on this machine."""

from __future__ import annotations

import getpass
import logging
import os
import pwd
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Document
from kpi_assets.errors import DeliveryError, PluginError
from kpi_assets.outputs.scp import ScpArgs, ScpOutput
from kpi_assets_tests.outputs.remote.cut_line import CutLine, line_to
from kpi_assets_tests.outputs.remote.pages import BEFORE, LATEST, NAME, document, weeks_in
from kpi_assets_tests.outputs.remote.ssh_peer import SshPeer, encrypted_copy
from kpi_assets_tests.secrets import secret

PASSWORD, PASSPHRASE = secret("scp-word"), secret("scp-phrase")
NEEDS_SERVER = pytest.mark.ssh


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshPeer]:
    """A running server; neither this machine's agent nor its keys are used."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    folder = tmp_path / "sshd"
    folder.mkdir()
    made = SshPeer(folder)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The folder on the host, which is this machine."""
    return tmp_path / "srv" / "www" / "reports"


def output(peer: SshPeer, site: Path | str, **args: Any) -> ScpOutput:
    given: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": peer.port,
        "remote_path": str(site),
        "key_filename": str(peer.key),
        "known_hosts": peer.known_hosts,
        "output_format": ("html", "md"),
        "timeout": 10,
        "retry_for": 0,
    }
    return ScpOutput("web", ScpArgs(**{**given, **args}))


def edition(weeks_back: int = 0) -> Document:
    return document(weeks_back, ("html", "md"))


def tree(site: Path) -> dict[str, bytes]:
    return {str(path.relative_to(site)): path.read_bytes() for path in site.rglob("*") if path.is_file()}


def refusal(made: ScpOutput) -> str:
    with pytest.raises(DeliveryError) as caught:
        made.deliver(edition())
    return str(caught.value)


@NEEDS_SERVER
def test_what_lies_where(peer: SshPeer, site: Path) -> None:
    """Folders are made; edition, latest and archive lie under KPI Reporter's names; nothing unfinished stays."""
    receipt = output(peer, f"{site}/").deliver(edition())
    assert {path for path in tree(site) if path != ".editions.json"} == {
        "index.html",
        *(f"{name}/index.{kind}" for name in (NAME, LATEST) for kind in ("html", "md")),
        f"{NAME}/figures/chart-plot.svg",
    }
    user = getpass.getuser()
    assert receipt.location == f"sftp://{user}@127.0.0.1:{peer.port}{site}/{NAME}/index.html"
    assert (receipt.plugin, receipt.effect, receipt.files) == ("scp", "publish", 3)


@NEEDS_SERVER
def test_the_receipt_says_where_it_is_served(peer: SshPeer, site: Path) -> None:
    """With `public_url` the receipt holds the address that readers open."""
    receipt = output(peer, site, public_url="https://web1/reports").deliver(edition())
    assert receipt.location == f"https://web1/reports/{NAME}/index.html"


@NEEDS_SERVER
def test_backfills_leave_latest(peer: SshPeer, site: Path) -> None:
    """Old editions that are delivered after the newest are linked, and do not become latest."""
    for weeks_back in (0, 2, 1):
        output(peer, site).deliver(edition(weeks_back))
    page = (site / LATEST / "index.html").read_bytes()
    assert weeks_in(page) == {0}
    assert f'href="../{BEFORE}/index.html">Week before<'.encode() in page


@NEEDS_SERVER
def test_an_edition_is_replaced(peer: SshPeer, site: Path) -> None:
    """Delivered again, an edition loses the files that it has no more; others' files stay."""
    output(peer, site).deliver(edition())
    before = tree(site)
    for stale in (site / NAME / "old" / "figure.png", site / "else" / "figure.png"):
        stale.parent.mkdir()
        stale.write_bytes(b"old")
    output(peer, site).deliver(edition())
    assert tree(site) == {**before, "else/figure.png": b"old"}


@NEEDS_SERVER
def test_what_a_dead_process_left_is_swept(peer: SshPeer, site: Path) -> None:
    """Unfinished names go when they are old; those of a process that may live stay."""
    output(peer, site).deliver(edition())
    for name, age in ((".tmp-old", 7200), (".tmp-new", 0)):
        (site / name).mkdir()
        (site / name / "index.html").write_bytes(b"half")
        when = (site / NAME / "index.html").stat().st_mtime - age
        os.utime(site / name, (when, when))
    output(peer, site).deliver(edition())
    assert {path.name for path in site.iterdir() if path.name.startswith(".tmp-")} == {".tmp-new"}


@NEEDS_SERVER
def test_a_server_that_is_killed_anywhere(peer: SshPeer, site: Path) -> None:
    """Wherever the server is killed, latest is whole and of one edition; the next run mends everything."""
    output(peer, site).deliver(edition(1))
    old = tree(site)
    with line_to(peer.port) as line:
        peer.write_known_hosts(line.port)
        output(peer, site, port=line.port).deliver(edition(0))
    new, whole = tree(site), line.sent
    for budget in range(2000, whole * 9 // 10, whole // 10):
        for path in [path for path in site.rglob("*") if path.is_file()]:
            path.unlink()
        for path, content in old.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_bytes(content)
        (site / NAME / "figures").rmdir()
        (site / NAME).rmdir()
        with line_to(peer.port, budget, peer.kill) as line:
            peer.write_known_hosts(line.port)
            told = refusal(output(peer, site, port=line.port))
        assert "`latest` still shows a whole edition" in told
        seen = {path: content for path, content in tree(site).items() if ".tmp-" not in path}
        assert all(content in (old.get(path), new.get(path)) for path, content in seen.items())
        assert f"{NAME}/index.html" in seen or not (site / NAME).exists()
        peer.start()
        output(peer, site).deliver(edition(0))
        assert {path: content for path, content in tree(site).items() if ".tmp-" not in path} == new


@NEEDS_SERVER
def test_a_host_that_is_away_is_tried_again(peer: SshPeer, site: Path) -> None:
    """A server that comes back within `retry_for` gets the edition."""
    back: list[CutLine] = []
    with line_to(peer.port, 3000) as line:
        port = line.port
        line.when_cut = lambda: back.append(CutLine(peer.port, 1 << 40, lambda: None, port))
        peer.write_known_hosts(port)
        output(peer, site, port=port, retry_for=20).deliver(edition())
    back[0].close()
    assert weeks_in((site / LATEST / "index.html").read_bytes()) == {0}


@NEEDS_SERVER
def test_an_unknown_host_is_refused(peer: SshPeer, site: Path, tmp_path: Path) -> None:
    """A host that known_hosts does not know gets nothing; the message shows its fingerprint and the way out."""
    empty = tmp_path / "known"
    told = refusal(output(peer, site, known_hosts=empty))
    assert f"[127.0.0.1]:{peer.port} is not in {empty}; it shows ssh-ed25519 SHA256:" in told
    assert f"ssh-keyscan -p {peer.port} 127.0.0.1 >> {empty}, or set `host_key_policy: accept_new`" in told
    assert not site.exists()
    assert not empty.exists()


@NEEDS_SERVER
def test_a_new_host_is_written_down(peer: SshPeer, site: Path, tmp_path: Path) -> None:
    """With accept_new the key is added to the file, whose other lines stay, and checked from then on."""
    known = tmp_path / "known"
    known.write_text("# ours\nother.example.com ssh-ed25519 AAAA broken", encoding="utf-8")
    made = output(peer, site, known_hosts=known, host_key_policy="accept_new")
    made.deliver(edition())
    assert known.read_text(encoding="utf-8") == (
        f"# ours\nother.example.com ssh-ed25519 AAAA broken\n[127.0.0.1]:{peer.port} {peer.host_key}\n"
    )
    made.deliver(edition())
    assert len(known.read_text(encoding="utf-8").splitlines()) == 3


@NEEDS_SERVER
@pytest.mark.parametrize("policy", ["reject", "accept_new"])
def test_a_changed_host_key_is_refused(peer: SshPeer, site: Path, policy: str) -> None:
    """Another key than the known one is refused under either policy, and nothing is sent."""
    peer.kill()
    peer.new_host_key()
    peer.start()
    told = refusal(output(peer, site, host_key_policy=policy))
    assert "shows another key than" in told
    assert re.search(r"ssh-ed25519 SHA256:\S+ instead of ssh-ed25519 SHA256:", told)
    assert f"remove its line: ssh-keygen -R '[127.0.0.1]:{peer.port}' -f {peer.known_hosts}" in told
    assert not site.exists()


@NEEDS_SERVER
def test_a_wrong_password(peer: SshPeer, site: Path) -> None:
    """A refused login says what the server takes and which arguments to look at, not the password."""
    told = refusal(output(peer, site, key_filename=(), password=PASSWORD))
    assert "does not let us in" in told
    assert "check `user`, `password`, `key_filename`" in told
    assert PASSWORD not in told


@NEEDS_SERVER
def test_a_key_behind_a_passphrase(peer: SshPeer, site: Path, tmp_path: Path) -> None:
    """A key file's passphrase opens it; a wrong one is told as such."""
    locked = encrypted_copy(peer.key, tmp_path / "locked", PASSPHRASE)
    told = refusal(output(peer, site, key_filename=str(locked), passphrase="wrong"))
    assert f"the key file {locked} cannot be opened: check `passphrase`" in told
    output(peer, site, key_filename=str(locked), passphrase=PASSPHRASE).deliver(edition())
    assert (site / LATEST / "index.html").is_file()


@NEEDS_SERVER
def test_a_key_file_that_is_not_there(peer: SshPeer, site: Path) -> None:
    """A missing key file is named."""
    told = refusal(output(peer, site, key_filename="/nowhere/id"))
    assert "there is no key file /nowhere/id: correct `key_filename`" in told


@NEEDS_SERVER
def test_kpi_reporters_connect_kwargs(peer: SshPeer, site: Path) -> None:
    """The login may stand under connect_kwargs."""
    more = {"key_filename": str(peer.key), "timeout": 5, "look_for_keys": False}
    output(peer, site, key_filename=(), connect_kwargs=more).deliver(edition())
    assert (site / NAME / "index.html").is_file()


@NEEDS_SERVER
def test_a_file_in_the_way(peer: SshPeer, site: Path) -> None:
    """Where the folder cannot be made, delivery and check say which path is in the way."""
    site.parent.mkdir(parents=True)
    site.write_text("a file")
    assert str(site) in refusal(output(peer, site))
    with pytest.raises(DeliveryError, match="is a file: choose another `remote_path`"):
        output(peer, site).check()


@NEEDS_SERVER
def test_check_writes_nothing(peer: SshPeer, site: Path) -> None:
    """`check` logs in and leaves the host as it was."""
    output(peer, site).check()
    assert not site.exists()
    assert not site.parent.exists()


@NEEDS_SERVER
@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_files_are_given_to_their_owner(peer: SshPeer, site: Path) -> None:
    """Owner and group apply to every file and folder that is made, by name or number."""
    output(peer, site, remote_path_owner="nobody", remote_path_group="60").deliver(edition())
    for path in (site / LATEST / "index.html", site / NAME, site / NAME / "figures" / "chart-plot.svg", site):
        found = path.stat()
        assert (found.st_uid, found.st_gid) == (pwd.getpwnam("nobody").pw_uid, 60)


@NEEDS_SERVER
def test_an_owner_that_is_not_there(peer: SshPeer, site: Path) -> None:
    """An owner that the host does not know is named before anything is written."""
    told = refusal(output(peer, site, remote_path_owner="wwwdata-typo"))
    assert "/etc/passwd on the host has no 'wwwdata-typo': correct `remote_path_owner`" in told
    assert not site.exists()


@NEEDS_SERVER
def test_secrets_show_nowhere(peer: SshPeer, site: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither repr, log (at its finest), receipt nor errors hold a password or a passphrase."""
    caplog.set_level(logging.DEBUG)
    more = {"password": PASSWORD + "2", "passphrase": PASSPHRASE + "2"}
    made = output(peer, site, password=PASSWORD, passphrase=PASSPHRASE, connect_kwargs=more)
    told = [
        repr(made.args),
        str(made.args),
        repr(made.login),
        repr(made.deliver(edition())),
        made.preview(edition()),
    ]
    told += [refusal(output(peer, site, key_filename=(), password=PASSWORD)), caplog.text]
    assert not [secret for secret in (PASSWORD, PASSPHRASE) for text in told if secret in text]


def test_nobody_answers(tmp_path: Path) -> None:
    """A host that cannot be reached is named."""
    args = ScpArgs(
        host="127.0.0.1", port=9, user="deploy", remote_path="/srv", retry_for=0, known_hosts=tmp_path / "k"
    )
    with pytest.raises(DeliveryError, match=re.escape("output 'web': deploy@127.0.0.1:9 cannot be reached")):
        ScpOutput("web", args).check()


def test_the_dry_run_says_what_would_happen() -> None:
    """The preview names files, login and folders, and needs no network."""
    made = ScpOutput("web", ScpArgs(host="web1", user="deploy", remote_path="~/reports/"))
    assert made.preview(document()) == f"would upload 1 file(s) to deploy@web1:reports/{NAME} and {LATEST}"


@pytest.mark.parametrize(
    "args",
    [{"host": "deploy@web1"}, {"port": 0}, {"remote_path": ""}, {"host_key_policy": "ignore"}, {"hots": 1}],
)
def test_arguments_that_cannot_work(args: dict[str, Any]) -> None:
    """Mistakes are found before a run."""
    with pytest.raises(ValidationError):
        ScpArgs(**{"host": "web1", "remote_path": "/srv", **args})


def test_without_paramiko(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where paramiko is missing, the output says what to install."""
    monkeypatch.setitem(sys.modules, "paramiko", None)
    with pytest.raises(PluginError, match=re.escape("pip install 'kpi-assets[scp]'")):
        ScpOutput("web", ScpArgs(host="web1", remote_path="/srv")).check()
