"""A real S3 endpoint on this machine (moto's server), and a bucket in it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from kpi_assets_tests.secrets import secret

KEY, SECRET, TOKEN = secret("AKIA"), secret("s3/weekly+"), secret("s3-session")


@contextmanager
def s3_server() -> Iterator[int]:
    """The port of a running endpoint."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield server.get_host_and_port()[1]
    finally:
        server.stop()


def empty_bucket(port: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket called `reports`, as boto3's resource; nothing of this machine's own set-up is used."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    keys = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
    service = boto3.resource("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", **keys)
    made = service.Bucket("reports")
    made.create()
    made.objects.delete()
    return made


def tree(bucket: Any) -> dict[str, bytes]:
    """Every object's content, by key."""
    return {found.key: found.get()["Body"].read() for found in bucket.objects.all()}
