"""Debian's OpenSSH server on this machine, with keys and settings of its own; it can be killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from kpi_assets_tests.servers import SSHD

SETTINGS = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication yes
KbdInteractiveAuthentication no
MaxStartups 100
MaxAuthTries 20
LogLevel ERROR
Subsystem sftp internal-sftp
"""


class SshPeer:
    """`user` logs in with the key file `key`; `known_hosts` knows the host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = folder / "id_user"
        self.known_hosts = folder / "known_hosts"
        self.port = _free_port()
        self._new_key(self.key)
        self.new_host_key()
        shutil.copy(f"{self.key}.pub", folder / "authorized")
        (folder / "config").write_text(SETTINGS.format(port=self.port, folder=folder), encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None
        self.write_known_hosts()

    @property
    def host_key(self) -> str:
        """Kind and key, as in known_hosts."""
        return " ".join((self.folder / "host.pub").read_text(encoding="utf-8").split()[:2])

    def write_known_hosts(self, port: int | None = None) -> None:
        """Know the host, also where it is reached by another port."""
        ports = {self.port, port or self.port}
        lines = [f"[127.0.0.1]:{number} {self.host_key}\n" for number in sorted(ports)]
        self.known_hosts.write_text("".join(lines), encoding="utf-8")

    def new_host_key(self) -> None:
        """Another key for the host; takes effect with the next start."""
        for path in self.folder.glob("host*"):
            path.unlink()
        self._new_key(self.folder / "host")

    def start(self) -> None:
        """Start and wait until it answers."""
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        command = [SSHD, "-D", "-e", "-f", str(self.folder / "config")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError((self.folder / "log").read_text(encoding="utf-8"))

    def kill(self) -> None:
        """kill -9 of the server and of every session that it serves."""
        process, self.process = self.process, None
        if process is None:
            return
        for pid in (process.pid, *_below(process.pid)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait()

    @staticmethod
    def _new_key(path: Path) -> None:
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def encrypted_copy(key: Path, target: Path, passphrase: str) -> Path:
    """The same private key behind a passphrase."""
    shutil.copy(key, target)
    target.chmod(0o600)
    command = ["ssh-keygen", "-q", "-p", "-P", "", "-N", passphrase, "-f", str(target)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return target


def _below(pid: int) -> list[int]:
    """The processes that a process started, and those that they did."""
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):  # a session may end while it is looked for
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in path.read_text(encoding="utf-8").split():
                found += [int(child), *_below(int(child))]
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
