"""A login over SSH: who the host is, who we are, and what it means when that fails."""

from __future__ import annotations

import base64
import getpass
import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kpi_assets.errors import PluginError, redact
from kpi_assets.registry import install_hint
from kpi_assets.retries import TransientError

if TYPE_CHECKING:
    import paramiko

CLOSED = "Socket is closed"
"""All that paramiko says of a line that broke while something was sent."""
HostKeyPolicy = Literal["reject", "accept_new"]


class HostError(Exception):
    """The host does not take what we bring; trying again does not help."""


class AwayError(TransientError):
    """The host cannot be reached, or the line broke."""


@dataclass(frozen=True)
class Login:
    """How to log in. `connect_kwargs` go to paramiko as they are; `secrets` never show in errors."""

    host: str
    port: int
    user: str | None
    known_hosts: Path
    host_key_policy: HostKeyPolicy
    timeout: float
    connect_kwargs: Mapping[str, Any] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def address(self) -> str:
        """`user@host`, with the port where it is not SSH's own."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user or getpass.getuser()}@{name}" + (f":{self.port}" if self.port != 22 else "")


@contextmanager
def connected(login: Login) -> Generator[paramiko.SFTPClient]:
    """An SFTP session on a host that is the one we know. Raises HostError, AwayError, PluginError without paramiko."""
    client = _library().SSHClient()
    try:
        with told(login, connecting=True):
            sftp = _opened(client, login)
        with told(login):
            yield sftp
    finally:
        client.close()


@contextmanager
def told(login: Login, *, connecting: bool = False) -> Generator[None]:
    """Say in words what goes wrong on the line. What a host has against a file is for others to say."""
    paramiko = _library()
    try:
        yield
    except paramiko.BadHostKeyException as error:
        raise HostError(_other_key(login, error)) from None
    except paramiko.AuthenticationException as error:
        raise HostError(redact(_not_let_in(login, error), login.secrets)) from None
    except (paramiko.SSHException, EOFError, TimeoutError) as error:
        words = redact(f"{type(error).__name__}: {error}".rstrip(": "), login.secrets)
        raise AwayError(f"the line to {login.address} broke ({words})") from None
    except OSError as error:
        if connecting or isinstance(error, ConnectionError) or str(error) == CLOSED:
            raise AwayError(f"{login.address} cannot be reached ({error.strerror or error})") from None
        raise


def fingerprint(key: Any) -> str:
    """As `ssh-keygen -l` shows it."""
    digest = base64.b64encode(sha256(key.asbytes()).digest()).decode().rstrip("=")
    return f"{key.get_name()} SHA256:{digest}"


def _opened(client: paramiko.SSHClient, login: Login) -> paramiko.SFTPClient:
    _open_keys(login.connect_kwargs)
    _trust(client, login)
    settings: dict[str, Any] = {**_timeouts(login.timeout), **login.connect_kwargs}
    client.connect(login.host, port=login.port, username=login.user or getpass.getuser(), **settings)
    sftp = client.open_sftp()
    channel = sftp.get_channel()
    if channel is not None:
        channel.settimeout(login.timeout)
    return sftp


def _open_keys(arguments: Mapping[str, Any]) -> None:
    """Try every key file, since the library would blame the line for what is wrong with one."""
    passphrase = arguments.get("passphrase") or arguments.get("password")
    for path in arguments.get("key_filename", ()):
        if not Path(path).is_file():
            raise HostError(f"there is no key file {path}: correct `key_filename`")
        if not any(_opens(path, given) for given in (None, passphrase)):
            raise HostError(
                f"the key file {path} cannot be opened: check `passphrase`, its rights, and that it is a private key"
            )


def _opens(path: str, passphrase: str | None) -> bool:
    from paramiko import ECDSAKey, Ed25519Key, RSAKey, SSHException

    for kind in (Ed25519Key, ECDSAKey, RSAKey):
        try:
            kind.from_private_key_file(path, passphrase)
        except (SSHException, OSError, ValueError, TypeError):
            continue
        return True
    return False


def _library() -> Any:
    try:
        import paramiko
    except ImportError as error:
        raise PluginError(f"the output scp needs paramiko; {install_hint('paramiko')}") from error
    # It writes tracebacks of what is raised to us as well; every failure is told by the output.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    return paramiko


def _trust(client: paramiko.SSHClient, login: Login) -> None:
    if login.known_hosts.is_file():
        client.load_system_host_keys(str(login.known_hosts))
    client.set_missing_host_key_policy(_policy(login))


def _policy(login: Login) -> paramiko.MissingHostKeyPolicy:
    paramiko = _library()

    class Stranger(paramiko.MissingHostKeyPolicy):
        """What to do with a host that is not in the file: refuse it, or write it down."""

        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            del client
            if login.host_key_policy == "reject":
                raise HostError(_unknown_key(login, hostname, key))
            _remember(login.known_hosts, hostname, key)

    return Stranger()


def _remember(file: Path, hostname: str, key: Any) -> None:
    """Append, so that comments and other people's lines stay."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = file.read_bytes() if file.is_file() else b""
    with file.open("ab") as handle:
        gap = b"\n" if before and not before.endswith(b"\n") else b""
        handle.write(gap + f"{hostname} {key.get_name()} {key.get_base64()}\n".encode())


def _unknown_key(login: Login, hostname: str, key: Any) -> str:
    return (
        f"{hostname} is not in {login.known_hosts}; it shows {fingerprint(key)}. If that is its key, add it: "
        f"ssh-keyscan -p {login.port} {login.host} >> {login.known_hosts}, or set `host_key_policy: accept_new`"
    )


def _other_key(login: Login, error: Any) -> str:
    known = login.host if login.port == 22 else f"[{login.host}]:{login.port}"
    return (
        f"{known} shows another key than {login.known_hosts} knows: {fingerprint(error.key)} instead of "
        f"{fingerprint(error.expected_key)}. Somebody may stand in between, so nothing was sent; if the host was set "
        f"up anew, remove its line: ssh-keygen -R '{known}' -f {login.known_hosts}"
    )


def _not_let_in(login: Login, error: Any) -> str:
    kinds = ", ".join(getattr(error, "allowed_types", ()) or ())
    offered = f" (it takes {kinds})" if kinds else ""
    words = " ".join(str(error).split()).rstrip(".")
    return f"{login.address} does not let us in{offered}: {words}; check `user`, `password`, `key_filename`, the agent"


def _timeouts(seconds: float) -> dict[str, float]:
    return dict.fromkeys(("timeout", "banner_timeout", "auth_timeout", "channel_timeout"), seconds)
