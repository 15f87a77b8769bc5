"""The `s3` output against a real S3 endpoint on this machine (moto's server)."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from kpi_assets.contracts import Document
from kpi_assets.errors import DeliveryError, PluginError
from kpi_assets.outputs.remote.bucket import Bucket, BucketError
from kpi_assets.outputs.s3 import S3Args, S3Output
from kpi_assets_tests.outputs.remote.cut_line import line_to
from kpi_assets_tests.outputs.remote.pages import BEFORE, LATEST, NAME, document, weeks_in
from kpi_assets_tests.outputs.s3_peer import KEY, SECRET, TOKEN, empty_bucket, s3_server, tree

BOTH = ("html", "md")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of an S3 endpoint."""
    with s3_server() as number:
        yield number


@pytest.fixture
def bucket(port: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    return empty_bucket(port, monkeypatch)


def output(port: int, **args: Any) -> S3Output:
    given: dict[str, Any] = {
        "bucket": "reports",
        "endpoint_url": f"http://127.0.0.1:{port}",
        "aws_access_key_id": KEY,
        "aws_secret_access_key": SECRET,
        "aws_session_token": TOKEN,
        "attempts": 1,
        "output_format": BOTH,
    }
    return S3Output("bucket", S3Args(**{**given, **args}))


def edition(weeks_back: int = 0) -> Document:
    return document(weeks_back, ("html", "md"))


@pytest.mark.parametrize("prefix", ["ops", "ops/", "/ops/", "//ops"])
def test_keys_lie_below_the_prefix(bucket: Any, port: int, prefix: str) -> None:
    """With or without slashes the prefix is a folder, and keys are KPI Reporter's with the slash given."""
    output(port, prefix=prefix).deliver(edition())
    assert {f"ops/{NAME}/index.html", f"ops/{LATEST}/index.html", "ops/index.html"} <= set(tree(bucket))
    assert {key.split("/")[0] for key in tree(bucket)} == {"ops"}


def test_no_prefix_is_the_top(bucket: Any, port: int) -> None:
    """Without a prefix no key starts with a slash."""
    output(port).deliver(edition())
    assert f"{NAME}/index.html" in tree(bucket)
    assert not any(key.startswith("/") for key in tree(bucket))


def test_a_browser_shows_what_is_there(bucket: Any, port: int) -> None:
    """Objects carry their types and charset; what changes is asked for each time, an edition every five minutes."""
    output(port).deliver(edition())
    found = {
        key: bucket.Object(key) for key in (f"{NAME}/index.html", f"{LATEST}/index.html", f"{NAME}/index.md")
    }
    assert {key: (o.content_type, o.cache_control) for key, o in found.items()} == {
        f"{NAME}/index.html": ("text/html; charset=utf-8", "max-age=300"),
        f"{LATEST}/index.html": ("text/html; charset=utf-8", "no-cache"),
        f"{NAME}/index.md": ("text/markdown; charset=utf-8", "max-age=300"),
    }
    assert bucket.Object(f"{NAME}/figures/chart-plot.svg").content_type.startswith("image/svg+xml")


def test_the_receipt_says_where(bucket: Any, port: int) -> None:
    """The receipt holds the page's address: the service's own, or the one where the bucket is served."""
    receipt = output(port, prefix="ops").deliver(edition())
    assert receipt.location == f"http://127.0.0.1:{port}/reports/ops/{NAME}/index.html"
    assert (receipt.plugin, receipt.effect, receipt.files) == ("s3", "publish", 3)
    served = output(port, public_url="https://reports.example.com/").deliver(edition())
    assert served.location == f"https://reports.example.com/{NAME}/index.html"


def test_backfills_leave_latest(bucket: Any, port: int) -> None:
    """Old editions that are delivered after the newest do not become latest."""
    for weeks_back in (0, 2, 1):
        output(port).deliver(edition(weeks_back))
    assert weeks_in(tree(bucket)[f"{LATEST}/index.html"]) == {0}
    assert f'href="../{BEFORE}/index.html">Week before<'.encode() in tree(bucket)[f"{LATEST}/index.html"]


def test_the_same_again_changes_nothing(bucket: Any, port: int) -> None:
    """Delivered twice, the bucket holds the same."""
    output(port).deliver(edition())
    before = tree(bucket)
    output(port).deliver(edition())
    assert tree(bucket) == before


def test_what_an_edition_has_no_more_is_removed(bucket: Any, port: int) -> None:
    """Files of an earlier delivery of the edition go; other folders that begin alike stay."""
    output(port).deliver(edition())
    for key in (f"{NAME}/old/figure.png", f"{NAME}-2/figure.png"):
        bucket.Object(key).put(Body=b"old")
    output(port).deliver(edition())
    assert f"{NAME}/old/figure.png" not in tree(bucket)
    assert f"{NAME}-2/figure.png" in tree(bucket)


def test_many_editions_are_all_seen(bucket: Any, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """More names than one answer of the service holds are read to the end."""
    monkeypatch.setattr("kpi_assets.outputs.remote.bucket.PAGE", 2)
    for number in range(6):
        bucket.Object(f"{number}/x").put(Body=b"")
    output(port).deliver(edition(0))
    output(port).deliver(edition(1))
    assert weeks_in(tree(bucket)[f"{LATEST}/index.html"]) == {0}


def test_a_line_that_breaks_anywhere(bucket: Any, port: int) -> None:
    """Wherever the upload breaks off, latest is whole and of one edition; the next run mends everything."""
    output(port).deliver(edition(1))
    old = tree(bucket)
    with line_to(port) as line:
        output(line.port).deliver(edition(0))
    new, whole = tree(bucket), line.sent
    for budget in range(1000, whole * 9 // 10, whole // 6):
        bucket.objects.delete()
        for key, content in old.items():
            bucket.Object(key).put(Body=content)
        with line_to(port, budget) as line, pytest.raises(DeliveryError) as caught:
            output(line.port).deliver(edition(0))
        assert "`latest` still shows a whole edition" in str(caught.value)
        now = tree(bucket)
        assert all(content in (old.get(key), new.get(key)) for key, content in now.items())
        assert now[f"{LATEST}/index.html"] in (old[f"{LATEST}/index.html"], new[f"{LATEST}/index.html"])
        output(port).deliver(edition(0))
        assert tree(bucket) == new


def test_check_writes_nothing(bucket: Any, port: int) -> None:
    """`check` finds the bucket and leaves it empty."""
    output(port).check()
    assert tree(bucket) == {}


def test_no_bucket(bucket: Any, port: int) -> None:
    """A bucket that is not there is named, with its service and what to do."""
    for act in (lambda o: o.check(), lambda o: o.deliver(edition())):
        with pytest.raises(DeliveryError) as caught:
            act(output(port, bucket="nowhere"))
        assert f"there is no bucket 'nowhere' at http://127.0.0.1:{port}: create it" in str(caught.value)


def test_nobody_answers(bucket: Any) -> None:
    """A service that cannot be reached is named; no key is."""
    with pytest.raises(DeliveryError) as caught:
        output(9).check()
    assert str(caught.value) == (
        "output 'bucket': http://127.0.0.1:9 cannot be reached: check `endpoint_url` and the network"
    )


def test_no_credentials(bucket: Any, port: int) -> None:
    """Without any credentials the message says how to give some."""
    bare = S3Output("b", S3Args(bucket="reports", endpoint_url=f"http://127.0.0.1:{port}", attempts=1))
    with pytest.raises(DeliveryError, match="there are no \\(whole\\) credentials: give `aws_access_key_id`"):
        bare.deliver(edition())


def test_the_dry_run_says_what_would_happen() -> None:
    """The preview names files, bucket and folders, and needs no network."""
    assert output(9, prefix="ops").preview(edition()) == (
        f"would upload 3 file(s) to s3://reports/ops/{NAME} and {LATEST}"
    )


def test_keys_show_nowhere(bucket: Any, port: int, caplog: pytest.LogCaptureFixture) -> None:
    """Neither repr, log (at its finest), receipt nor errors hold a key."""
    caplog.set_level(logging.DEBUG)
    made = output(port)
    told = [repr(made.args), str(made.args), repr(made.deliver(edition())), made.preview(edition())]
    with pytest.raises(DeliveryError) as caught:
        output(port, bucket="nowhere").deliver(edition())
    told += [str(caught.value), caplog.text]
    assert not [secret for secret in (KEY, SECRET, TOKEN) for text in told if secret in text]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"bucket": "b", "aws_access_key_id": "x"}, "go together"),
        ({"bucket": "b", "endpoint": "x"}, "endpoint"),
        ({"bucket": "b", "output_format": "csv"}, "csv goes beside"),
        ({"bucket": "b", "endpoint_url": "http://user:pw@host"}, "endpoint_url"),
    ],
)
def test_arguments_that_cannot_work(args: dict[str, Any], words: str) -> None:
    """Mistakes are found before a run."""
    with pytest.raises(ValidationError, match=words):
        S3Args(**args)


def test_arguments_that_botocore_refuses(bucket: Any, port: int) -> None:
    """An unknown setting under `config` is told in words."""
    with pytest.raises(DeliveryError, match="check the client's arguments"):
        output(port, config={"nonsense": 1}).check()


class Refusing:
    """A client whose every call is answered with an error of the service's."""

    def __init__(self, code: str) -> None:
        self.code = code

    def head_bucket(self, **_: Any) -> None:
        message = f"The words of the service, with {SECRET}"
        raise ClientError({"Error": {"Code": self.code, "Message": message}}, "HeadBucket")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("403", "these credentials may not look in bucket 'reports': allow s3:PutObject"),
        ("AccessDenied", "`latest: false` write an edition alone"),
        ("404", "there is no bucket 'reports' at https://s3.example.com: create it"),
        ("InvalidAccessKeyId", "check `aws_access_key_id`"),
        ("SignatureDoesNotMatch", "check `aws_secret_access_key`"),
        ("ExpiredToken", "the session token has expired"),
        ("RequestTimeTooSkewed", "clock is wrong"),
        ("301", "set `region_name`"),
        ("SlowDown", "is busy: try later"),
        (
            "QuotaExceeded",
            "https://s3.example.com said QuotaExceeded when asked to look in bucket",
        ),
    ],
)
def test_what_the_service_says_in_words(code: str, words: str) -> None:
    """Each refusal is told with its fix, and without keys."""
    with pytest.raises(BucketError) as caught:
        Bucket(Refusing(code), "reports", "", "https://s3.example.com", (SECRET,)).check()
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_without_boto3(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where boto3 is missing, the output says what to install."""
    monkeypatch.setitem(sys.modules, "boto3.session", None)
    with pytest.raises(PluginError, match=re.escape("pip install 'kpi-assets[s3]'")):
        output(port).check()
