"""A report file, from its YAML to a bucket and a webhook: every stage real, both peers on loopback."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kpi_assets import pipeline
from kpi_assets.config import load_report
from kpi_assets.contracts import Document
from kpi_assets.delivery import deliver_outputs, foresee_outputs
from kpi_assets.plan import build_plan
from kpi_assets.session import Session, open_session
from kpi_assets_tests.outputs.hook_peer import hook_peer
from kpi_assets_tests.outputs.remote.cut_line import line_to
from kpi_assets_tests.outputs.s3_peer import KEY, SECRET, empty_bucket, s3_server, tree
from kpi_assets_tests.outputs.test_report_by_mail import made
from kpi_assets_tests.secrets import secret
from kpi_assets_tests.shop import make_shop, write_report

HOOK_SECRET, HOOK_TOKEN = secret("webhook"), secret("path")
OUTPUTS = """
public_url: https://reports.example.com/{{id}}/
outputs:
  hook:
    plugin: webhook
    args:
      url: {hook}/${{HOOK_TOKEN}}
      secret: {{env: HOOK_SECRET}}
      retry_for: 0
  bucket:
    plugin: s3
    args:
      bucket: reports
      prefix: shop
      endpoint_url: http://127.0.0.1:{port}
      aws_access_key_id: {{env: KEY_ID}}
      aws_secret_access_key: {{env: KEY_SECRET}}
      attempts: 1
"""
ENVIRON = {"HOOK_SECRET": HOOK_SECRET, "HOOK_TOKEN": HOOK_TOKEN, "KEY_ID": KEY, "KEY_SECRET": SECRET}


def test_the_report_is_published_twice_and_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs publish twice, with the same bytes, and notify once; no secret is in any file that stays."""
    with s3_server() as port, hook_peer() as peer:
        bucket = empty_bucket(port, monkeypatch)
        with _opened(tmp_path, peer.url, port) as session:
            first = made(session)
            page = tree(bucket)
            second = made(session)
        assert tree(bucket) == page
    assert [(d.output, d.error) for d in (*first, *second)] == [("bucket", None), ("hook", None)] * 2
    assert [bool(d.skipped) for d in (*first, *second)] == [False, False, False, True]
    assert {key.split("/")[1] for key in page} == {
        ".editions.json",
        "index.html",
        "latest-orders",
        "2024-11-18_2024-11-25_orders",
    }
    assert [got.path for got in peer.got] == [f"/{HOOK_TOKEN}"]
    (told,) = [json.loads(got.body) for got in peer.got]
    assert told["links"] == {"page": "https://reports.example.com/2024-11-18_2024-11-25_orders/"}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    secrets = (KEY, SECRET, HOOK_SECRET, HOOK_TOKEN)
    assert [(p, s) for p in files for s in secrets if s.encode() in p.read_bytes()] == []


def test_the_dry_run_sends_nothing(tmp_path: Path) -> None:
    """What would happen is said of each output, with nobody reached."""
    with hook_peer() as peer, _opened(tmp_path, peer.url, 9) as session:
        made_document = _document(session)
        told = [foreseen.text for foreseen in foresee_outputs(session, made_document)]
        assert told[0] == (
            "would upload 1 file(s) to s3://reports/shop/2024-11-18_2024-11-25_orders and latest-orders"
        )
        assert told[1].startswith(f"would POST {made_document.title}, 2024-11-24, to {peer.url} (")
        assert peer.got == []


def test_one_that_fails_does_not_stop_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket whose line breaks fails alone; the next run publishes it and tells nobody twice."""
    with s3_server() as port, hook_peer() as peer, line_to(port, 2000) as line:
        bucket = empty_bucket(port, monkeypatch)
        with _opened(tmp_path, peer.url, line.port) as session:
            first = {d.output: d.error for d in made(session)}
        with _opened(tmp_path, peer.url, port) as session:
            windows = [session.plan.window("2024-11-24")]
            second = {d.output: d.error for d in deliver_outputs(session, windows)}
        assert "shop/latest-orders/index.html" in tree(bucket)
    assert "`latest` still shows a whole edition" in str(first["bucket"])
    assert (first["hook"], second) == (None, {"bucket": None, "hook": None})
    assert len(peer.got) == 1


def _opened(folder: Path, hook: str, port: int) -> Any:
    if not (folder / "shop.db").exists():
        make_shop(folder / "shop.db")
    file = write_report(folder)
    text = file.read_text(encoding="utf-8")
    file.write_text(text[: text.index("\noutputs:")] + OUTPUTS.format(hook=hook, port=port), encoding="utf-8")
    plan = build_plan(load_report([file]), ENVIRON)
    return open_session(plan, folder / "home", ENVIRON, lambda: datetime(2024, 11, 25, 6, tzinfo=UTC))


def _document(session: Session) -> Document:
    windows = [session.plan.window("2024-11-24")]
    for stage in (pipeline.fetch_queries, pipeline.render_views, pipeline.compose_documents):
        list(stage(session, windows))
    return session.editions.load_document(session.plan.id, session.plan.edition(windows[0]))
