"""A folder in a bucket: S3 and whatever speaks its protocol."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kpi_assets.contracts import File
from kpi_assets.errors import redact

PAGE = 1000
"""Most names in one answer of the service."""
LASTING, CHANGING = "max-age=300", "no-cache"
TEXTS = ("text/", "application/json", "image/svg+xml")
ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
RIGHTS = "s3:PutObject, s3:GetObject, s3:DeleteObject and s3:ListBucket"
ADVICE = {
    "NoSuchBucket": "there is no bucket '{bucket}' at {endpoint}: create it, or correct `bucket`, `endpoint_url` or "
    "`region_name`",
    "AccessDenied": "these credentials may not {doing} in bucket '{bucket}': allow "
    + RIGHTS
    + " on it (s3:PutObject and `latest: false` write an edition alone)",
    "InvalidAccessKeyId": "the access key is not known at {endpoint}: check `aws_access_key_id`",
    "SignatureDoesNotMatch": "the secret key is refused at {endpoint}: check `aws_secret_access_key`",
    "ExpiredToken": "the session token has expired: get new credentials",
    "InvalidToken": "the session token is refused: get new credentials",
    "RequestTimeTooSkewed": "this machine's clock is wrong: set it",
    "PermanentRedirect": "bucket '{bucket}' is in another region: set `region_name`",
    "AuthorizationHeaderMalformed": "bucket '{bucket}' is in another region: set `region_name`",
    "SlowDown": "{endpoint} is busy: try later",
    "ServiceUnavailable": "{endpoint} is busy: try later",
}
SAME = {
    "404": "NoSuchBucket",
    "403": "AccessDenied",
    "Forbidden": "AccessDenied",
    "AllAccessDisabled": "AccessDenied",
    "301": "PermanentRedirect",
    "IllegalLocationConstraintException": "PermanentRedirect",
    "400": "AuthorizationHeaderMalformed",
    "TokenRefreshRequired": "ExpiredToken",
    "RequestExpired": "RequestTimeTooSkewed",
    "503": "SlowDown",
}


class BucketError(Exception):
    """The bucket did not do what was asked; the text says why and what to do, without keys."""


@dataclass(frozen=True, repr=False)
class Bucket:
    """Objects below a prefix, as a `Place`. `client` is boto3's; `secrets` never show in errors."""

    client: Any
    bucket: str
    prefix: str
    endpoint: str
    secrets: tuple[str, ...] = ()

    def check(self) -> None:
        """Look whether the bucket is there and may be used; nothing is written."""
        with self._told("look"):
            self.client.head_bucket(Bucket=self.bucket)

    def names(self) -> frozenset[str]:
        with self._told("list"):
            return frozenset(self._listed(self.prefix, delimiter="/"))

    def read(self, path: str) -> bytes | None:
        with self._told("read"):
            return self._unless_absent(self.client.get_object, path, lambda found: found["Body"].read())

    def has(self, path: str) -> bool:
        with self._told("read"):
            return self._unless_absent(self.client.head_object, path, lambda _: True) is True

    def write(self, file: File, *, lasting: bool = False) -> None:
        with self._told("write"):
            self.client.put_object(
                Bucket=self.bucket,
                Key=self.prefix + file.path,
                Body=file.content,
                ContentType=_content_type(file.media_type),
                CacheControl=LASTING if lasting else CHANGING,
            )

    def write_folder(self, name: str, files: Sequence[File]) -> None:
        for file in files:
            self.write(File(f"{name}/{file.path}", file.media_type, file.content), lasting=True)

    def tidy(self, name: str, keep: Collection[str]) -> None:
        """Remove what lies in a folder besides `keep`. Raises BucketError."""
        with self._told("delete"):
            folder = f"{self.prefix}{name}/"
            stale = [path for path in self._listed(folder) if path not in keep]
            for path in stale:
                self.client.delete_object(Bucket=self.bucket, Key=folder + path)

    def _listed(self, prefix: str, delimiter: str = "") -> Iterator[str]:
        """What follows the prefix in the keys; with a delimiter only up to it."""
        pages = self.client.get_paginator("list_objects_v2")
        where = {"Bucket": self.bucket, "Prefix": prefix, "Delimiter": delimiter}
        for page in pages.paginate(**where, PaginationConfig={"PageSize": PAGE}):
            for found in page.get("CommonPrefixes", ()):
                yield str(found["Prefix"]).removeprefix(prefix).removesuffix("/")
            for found in page.get("Contents", ()):
                yield str(found["Key"]).removeprefix(prefix)

    def _unless_absent(self, ask: Any, path: str, take: Any) -> Any:
        from botocore.exceptions import ClientError

        try:
            return take(ask(Bucket=self.bucket, Key=self.prefix + path))
        except ClientError as error:
            if _code(error) in ABSENT:
                return None
            raise

    @contextmanager
    def _told(self, doing: str) -> Generator[None]:
        """Say every failure in words."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            raise BucketError(redact(self._advice(error, doing), self.secrets)) from None
        except BotoCoreError as error:
            raise BucketError(redact(_plain(error, self.endpoint), self.secrets)) from None

    def _advice(self, error: Any, doing: str) -> str:
        code = _code(error)
        advice = ADVICE.get(SAME.get(code, code))
        if advice:
            return advice.format(bucket=self.bucket, endpoint=self.endpoint, doing=doing)
        words = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
        return f"{self.endpoint} said {code} when asked to {doing} in bucket '{self.bucket}': {words[:300]}"


def client_trouble(error: Exception, secrets: Sequence[str]) -> BucketError:
    """Why no client can be made from the arguments."""
    return BucketError(redact(f"{_sentence(error)}; check the client's arguments", secrets))


def _plain(error: Any, endpoint: str) -> str:
    """What botocore's own exceptions mean."""
    match type(error).__name__:
        case "NoCredentialsError" | "PartialCredentialsError" | "CredentialRetrievalError":
            return (
                "there are no (whole) credentials: give `aws_access_key_id` and `aws_secret_access_key`, or set up "
                "those of the environment, profile or machine"
            )
        case "SSLError":
            return (
                f"the certificate of {endpoint} cannot be verified: set `verify` to its authority's PEM file"
            )
        case "ParamValidationError":
            return f"{_sentence(error)}: correct `bucket` or `prefix`"
        case "EndpointConnectionError" | "ConnectTimeoutError" | "ProxyConnectionError":
            return f"{endpoint} cannot be reached: check `endpoint_url` and the network"
        case name if name.endswith(("TimeoutError", "ClosedError", "HTTPClientError", "IncompleteReadError")):
            return f"the connection to {endpoint} broke ({name}): try again"
        case _:
            return _sentence(error)


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", "without a reason"))


def _content_type(media_type: str) -> str:
    return f"{media_type}; charset=utf-8" if media_type.startswith(TEXTS) else media_type
