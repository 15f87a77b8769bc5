"""The `s3` output: editions in a bucket of S3, or of anything that speaks its protocol."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from kpi_assets.contracts import Document, Format, Output, Receipt
from kpi_assets.errors import DeliveryError, PluginError
from kpi_assets.logs import logger
from kpi_assets.outputs.remote.args import PublishArgs
from kpi_assets.outputs.remote.bucket import Bucket, BucketError, client_trouble
from kpi_assets.outputs.remote.publish import Publication
from kpi_assets.registry import install_hint

log = logger("kpi_assets")
UNTOUCHED = "`latest` still shows a whole edition; run it again when that is mended"


class S3Args(PublishArgs):
    """A bucket, a folder in it, and the arguments of boto3's client."""

    bucket: str = Field(min_length=1, pattern=r"^\S+$", description="Name of the bucket; it must be there.")
    prefix: str = Field(
        "",
        description="Folder in the bucket, with or without a slash at its end; default: the top. Slashes in front are "
        "dropped.",
    )
    endpoint_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s@]+$",
        description="Address of a service other than AWS, e.g. http://minio:9000.",
    )
    region_name: str | None = Field(
        None, description="Region, e.g. eu-central-1; default: the environment's."
    )
    aws_access_key_id: SecretStr | None = Field(
        None, description="Access key: write {env: NAME}; default: the environment's, profile's or machine's."
    )
    aws_secret_access_key: SecretStr | None = Field(None, description="Its secret: write {env: NAME}.")
    aws_session_token: SecretStr | None = Field(
        None, description="Token of temporary credentials: write {env: NAME}."
    )
    aws_account_id: str | None = Field(None, description="Account id, for endpoints that need it.")
    profile_name: str | None = Field(None, description="Profile of ~/.aws/config to take credentials from.")
    use_ssl: bool = Field(True, description="TLS, where `endpoint_url` does not say.")
    verify: bool | str = Field(
        True, description="PEM file of the authority that signed the service's certificate."
    )
    api_version: str | None = Field(None, description="Version of the API; default: the newest.")
    config: Mapping[str, Any] = Field(
        default_factory=dict,
        repr=False,
        description="Arguments of botocore's Config, e.g. {s3: {addressing_style: path}}.",
    )
    timeout: float = Field(
        30, gt=0, le=600, description="Seconds to wait for a connection and for each answer."
    )
    attempts: int = Field(5, ge=1, le=20, description="How often each request is tried, with growing pauses.")

    @field_validator("prefix")
    @classmethod
    def _as_folder(cls, prefix: str) -> str:
        inner = prefix.strip().lstrip("/")
        return f"{inner.rstrip('/')}/" if inner else ""

    @model_validator(mode="after")
    def _keys_are_whole(self) -> S3Args:
        if (self.aws_access_key_id is None) != (self.aws_secret_access_key is None):
            raise ValueError(
                "`aws_access_key_id` and `aws_secret_access_key` go together: give both or neither"
            )
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        found = (self.aws_access_key_id, self.aws_secret_access_key, self.aws_session_token)
        return tuple(secret.get_secret_value() for secret in found if secret)


class S3Output(Output):
    """Uploads `<start>_<end>_<slug>/`, then `latest-<slug>/`, then the archive `index.html`, below the prefix.

    `latest` is the newest edition that is in the bucket, whichever was made last; its page is written last.
    """

    Args = S3Args
    effect = "publish"
    kinds = ("s3",)
    libraries = ("boto3",)
    personal: ClassVar = {"prefix": "place", "bucket": "place", "public_url": "link"}
    args: S3Args

    @property
    def formats(self) -> frozenset[Format]:
        return self.args.formats

    def deliver(self, document: Document) -> Receipt:
        publication = Publication(document, self.formats)
        detail = ""
        with self._told(f". {UNTOUCHED}"):
            bucket = self._bucket()
            if self.args.latest:
                publication.publish(bucket)
                detail = f"latest-{document.slug}"
                self._tidy(bucket, publication)
            else:
                publication.publish_alone(bucket)
        return Receipt(
            output=self.id,
            plugin="s3",
            effect="publish",
            location=self._location(bucket, publication),
            content_hash=document.content_hash,
            files=publication.count,
            detail=detail,
            files_url=self.args.files_url(publication.edition.name),
        )

    def check(self) -> None:
        with self._told():
            self._bucket().check()

    def preview(self, document: Document) -> str:
        publication = Publication(document, self.formats)
        latest = f" and latest-{document.slug}" if self.args.latest else ""
        where = f"s3://{self.args.bucket}/{self.args.prefix}"
        return f"would upload {publication.count} file(s) to {where}{publication.edition.name}{latest}"

    def _bucket(self) -> Bucket:
        client = _client(self.args)
        endpoint = _without_login(str(client.meta.endpoint_url))
        return Bucket(client, self.args.bucket, self.args.prefix, endpoint, self.args.secrets)

    def _location(self, bucket: Bucket, publication: Publication) -> str:
        if self.args.public_url:
            return f"{self.args.public_url.rstrip('/')}/{publication.edition.link}"
        key = quote(f"{self.args.bucket}/{self.args.prefix}{publication.edition.link}")
        return f"{bucket.endpoint}/{key}"

    def _tidy(self, bucket: Bucket, publication: Publication) -> None:
        """What the edition had before and has no more is removed; who may not delete still publishes."""
        try:
            bucket.tidy(publication.edition.name, {file.path for file in publication.folder})
        except BucketError as error:
            log.warning("output '%s': files of an earlier delivery stay: %s", self.id, error)

    @contextmanager
    def _told(self, state: str = "") -> Generator[None]:
        try:
            yield
        except BucketError as error:
            raise DeliveryError(self.id, f"{error}{state}") from None


def _client(args: S3Args) -> Any:
    """Raises PluginError without boto3, BucketError for arguments that it does not take."""
    try:
        from boto3.session import Session
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise PluginError(f"the output s3 needs boto3; {install_hint('boto3')}") from error
    # At level DEBUG botocore writes headers to its log, session tokens among them.
    logging.getLogger("botocore").setLevel(logging.INFO)
    settings: dict[str, Any] = {
        "connect_timeout": args.timeout,
        "read_timeout": args.timeout,
        "retries": {"mode": "standard", "total_max_attempts": args.attempts},
        **(_FOR_OTHERS if args.endpoint_url else {}),
        **args.config,
    }
    try:
        session = Session(profile_name=args.profile_name)
        return session.client("s3", config=Config(**settings), **_client_arguments(args))
    except (BotoCoreError, ValueError, TypeError) as error:
        raise client_trouble(error, args.secrets) from None


_FOR_OTHERS = {
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}
"""Many services that speak S3's protocol refuse the checksums that boto3 adds for AWS."""


def _client_arguments(args: S3Args) -> dict[str, Any]:
    plain = ("endpoint_url", "region_name", "use_ssl", "verify", "api_version", "aws_account_id")
    secret = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    found = {name: getattr(args, name) for name in plain}
    found |= {name: value.get_secret_value() for name in secret if (value := getattr(args, name))}
    return {name: value for name, value in found.items() if value is not None}


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
