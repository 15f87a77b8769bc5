"""The `scp` output: editions in a folder of a host that SSH reaches."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BeforeValidator, Field, SecretStr

from kpi_assets.contracts import Document, Format, Output, PluginArgs, Receipt
from kpi_assets.errors import DeliveryError
from kpi_assets.outputs.remote.args import PublishArgs, as_list
from kpi_assets.outputs.remote.host import HostFolder, owner_on
from kpi_assets.outputs.remote.publish import Publication
from kpi_assets.outputs.remote.ssh import AwayError, HostError, HostKeyPolicy, Login, connected
from kpi_assets.retries import attempts

T = TypeVar("T")
KeyFiles = Annotated[tuple[Path, ...], BeforeValidator(as_list)]
NO_SUDO = "files are not copied as another user: let `user` write in `remote_path` on the host"


class ConnectArgs(PluginArgs):
    """What KPI Reporter handed to the SSH library."""

    password: SecretStr | None = Field(None, description="Password for the login: write {env: NAME}.")
    passphrase: SecretStr | None = Field(None, description="Passphrase of the key file: write {env: NAME}.")
    key_filename: KeyFiles = Field((), description="Private key file, or a list of them.")
    allow_agent: bool = Field(True, description="Use the keys of the SSH agent.")
    look_for_keys: bool = Field(True, description="Try the keys in ~/.ssh.")
    compress: bool = Field(False, description="Compress what is sent.")
    timeout: float | None = Field(None, gt=0, description="Seconds to wait for a connection.")
    banner_timeout: float | None = Field(
        None, gt=0, description="Seconds to wait for the server's first line."
    )
    auth_timeout: float | None = Field(None, gt=0, description="Seconds to wait for the login.")
    disabled_algorithms: Mapping[str, tuple[str, ...]] | None = Field(
        None, description="Algorithms not to use, by kind, e.g. {pubkeys: [rsa-sha2-256]}."
    )


class ScpArgs(PublishArgs):
    """A host, the login, and a folder there."""

    ignored_keys: ClassVar[Mapping[str, str]] = {"sudo": NO_SUDO, "sudo_password": NO_SUDO}

    host: str = Field(min_length=1, pattern=r"^[^\s@/]+$", description="Name or address of the host.")
    remote_path: str = Field(
        min_length=1,
        description="Folder on the host, made where it does not exist; relative ones start at the user's home.",
    )
    port: int = Field(22, ge=1, le=65535, description="The SSH server's port.")
    user: str | None = Field(None, description="Name for the login; default: the name here.")
    password: SecretStr | None = Field(None, description="Password for the login: write {env: NAME}.")
    key_filename: KeyFiles = Field(
        (), description="Private key file, or a list of them; default: those in ~/.ssh."
    )
    passphrase: SecretStr | None = Field(None, description="Passphrase of the key file: write {env: NAME}.")
    agent: bool = Field(True, description="Use the keys of the SSH agent, if one runs.")
    known_hosts: Path = Field(
        Path("~/.ssh/known_hosts"), description="File of the keys by which hosts are known."
    )
    host_key_policy: HostKeyPolicy = Field(
        "reject",
        description="What to do with a host that is not in known_hosts: reject, or accept_new, which writes its key "
        "down. A key that has changed is always refused.",
    )
    remote_path_owner: str | None = Field(
        None,
        description="Owner of the published files, as name or number; the user must be allowed to give them away.",
    )
    remote_path_group: str | None = Field(None, description="Their group, as name or number.")
    connect_kwargs: ConnectArgs = Field(
        ConnectArgs.model_construct(), description="More settings of the connection, as KPI Reporter's."
    )
    timeout: float = Field(
        30, gt=0, le=600, description="Seconds to wait for a connection and for each answer."
    )
    retry_for: float = Field(
        60, ge=0, le=3600, description="Seconds in which a host that is away is tried again."
    )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        more = self.connect_kwargs
        found = (self.password, self.passphrase, more.password, more.passphrase)
        return tuple(secret.get_secret_value() for secret in found if secret)


class ScpOutput(Output):
    """Uploads `<start>_<end>_<slug>/`, then `latest-<slug>/`, then the archive `index.html`, over SFTP.

    A new edition appears whole, and every file is replaced at once. `latest` is the newest edition that is on the host,
    whichever was made last; its page is written last.
    """

    Args = ScpArgs
    effect = "publish"
    kinds = ("ssh",)
    libraries = ("paramiko",)
    personal: ClassVar = {"remote_path": "place", "public_url": "link"}
    args: ScpArgs

    @property
    def formats(self) -> frozenset[Format]:
        return self.args.formats

    @property
    def login(self) -> Login:
        """Where and as whom."""
        args = self.args
        return Login(
            host=args.host,
            port=args.port,
            user=args.user,
            known_hosts=args.known_hosts.expanduser(),
            host_key_policy=args.host_key_policy,
            timeout=args.timeout,
            connect_kwargs=_connect_kwargs(args),
            secrets=args.secrets,
        )

    @property
    def folder(self) -> str:
        """`remote_path` as SFTP wants it: without a slash at its end, from the home where it is relative."""
        path = self.args.remote_path.removeprefix("~/")
        return path.rstrip("/") or ("/" if path.startswith("/") else ".")

    def deliver(self, document: Document) -> Receipt:
        publication = Publication(document, self.formats)
        self._often(lambda: self._publish(publication), "`latest` still shows a whole edition")
        return Receipt(
            output=self.id,
            plugin="scp",
            effect="publish",
            location=self._location(publication),
            content_hash=document.content_hash,
            files=publication.count,
            detail=f"latest-{document.slug}" if self.args.latest else "",
            files_url=self.args.files_url(publication.edition.name),
        )

    def check(self) -> None:
        self._often(self._look)

    def preview(self, document: Document) -> str:
        publication = Publication(document, self.formats)
        latest = f" and latest-{document.slug}" if self.args.latest else ""
        where = f"{self.login.address}:{self.folder}/{publication.edition.name}"
        return f"would upload {publication.count} file(s) to {where}{latest}"

    def _publish(self, publication: Publication) -> None:
        with connected(self.login) as sftp:
            owner = owner_on(sftp, self.args.remote_path_owner, self.args.remote_path_group)
            place = HostFolder(sftp, self.folder, owner)
            place.check()
            if not self.args.latest:
                publication.publish_alone(place)
                return
            publication.publish(place)
            edition = publication.edition
            place.sweep((edition.name, f"latest-{edition.slug}"), like=edition.link)

    def _look(self) -> None:
        with connected(self.login) as sftp:
            HostFolder(sftp, self.folder).check()

    def _location(self, publication: Publication) -> str:
        link = publication.edition.link
        if self.args.public_url:
            return f"{self.args.public_url.rstrip('/')}/{link}"
        folder = self.folder if self.folder.startswith("/") else f"/~/{self.folder}"
        return f"sftp://{self.login.address}{folder.rstrip('/')}/{link}"

    def _often(self, work: Callable[[], T], state: str = "") -> T:
        """Try again from the start while the host is away: publishing twice is publishing once."""
        with self._told(f". {state}" if state else ""):
            for attempt in attempts(AwayError, self.args.retry_for):
                with attempt:
                    return work()
        raise DeliveryError(self.id, "nothing was tried")  # pragma: no cover

    @contextmanager
    def _told(self, state: str) -> Generator[None]:
        try:
            yield
        except (HostError, AwayError) as error:
            raise DeliveryError(self.id, f"{error}{state}") from None
        except OSError as error:
            reason = f"{error.filename or self.args.host}: {error.strerror or error}"
            raise DeliveryError(self.id, f"{reason}{state}") from None


def _connect_kwargs(args: ScpArgs) -> dict[str, Any]:
    """For paramiko: the output's own arguments over KPI Reporter's."""
    more = args.connect_kwargs
    found: dict[str, Any] = {
        name: getattr(more, name)
        for name in ("compress", "timeout", "banner_timeout", "auth_timeout", "disabled_algorithms")
    }
    keys = [str(path.expanduser()) for path in (*args.key_filename, *more.key_filename)]
    password = args.password or more.password
    passphrase = args.passphrase or more.passphrase
    found |= {
        "password": password.get_secret_value() if password else None,
        "passphrase": passphrase.get_secret_value() if passphrase else None,
        "key_filename": keys or None,
        "allow_agent": args.agent and more.allow_agent,
        "look_for_keys": more.look_for_keys and not (keys or password),
    }
    return {name: value for name, value in found.items() if value is not None}
