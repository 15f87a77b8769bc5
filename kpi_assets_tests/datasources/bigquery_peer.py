"""A server that speaks BigQuery's REST API (jobs.query, jobs.getQueryResults, tabledata in its f/v form).

Behind a service account's token; parameters are named and typed; statements are run by DuckDB.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kpi_assets_tests.datasources.api import Api, Asked, Reply, serving
from kpi_assets_tests.datasources.duck import Duck, RefusedError, Table
from kpi_assets_tests.datasources.ga4_peer import key_file

TOKEN = "ya29.very-secret"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROJECT = "/bigquery/v2/projects/quillmoor"
_DATA = "datasets/_anon/tables/anon1/data"
_JOB = {
    "kind": "bigquery#job",
    "id": "quillmoor:EU.job_1",
    "jobReference": {"projectId": "quillmoor", "jobId": "job_1", "location": "EU"},
    "configuration": {
        "jobType": "QUERY",
        "query": {
            "query": "",
            "destinationTable": {"projectId": "quillmoor", "datasetId": "_anon", "tableId": "anon1"},
        },
    },
    "status": {"state": "DONE"},
    "statistics": {"query": {"statementType": "SELECT"}},
}
"""Of a query whose answer is longer than its first page: the rest lies in a table of its own."""
_TYPES = {
    "BIGINT": "INTEGER",
    "INTEGER": "INTEGER",
    "DOUBLE": "FLOAT",
    "DATE": "DATE",
    "TIMESTAMP": "DATETIME",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "VARCHAR": "STRING",
}


@dataclass
class BigQuery:
    """`page`: rows of a page. `error`: (status, reason, message) of every answer to a question."""

    duck: Duck
    page: int = 2
    error: tuple[int, str, str] | None = None
    queries: list[dict[str, Any]] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    _table: Table = field(default_factory=lambda: Table([], [], []))

    def answer(self, asked: Asked) -> Any:
        if asked.path == "/token":
            return {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return _failed(401, "authError", "Invalid Credentials")
        if asked.method == "POST" and asked.path == f"{_PROJECT}/queries":
            return self._query(json.loads(asked.body))
        if asked.method == "GET" and asked.path == f"{_PROJECT}/jobs/job_1":
            return _JOB
        if asked.method == "GET" and asked.path in (f"{_PROJECT}/queries/job_1", f"{_PROJECT}/{_DATA}"):
            token = asked.params.get("pageToken", "0")
            self.pages.append(token)
            return self._answer(int(token))
        return _failed(404, "notFound", f"Not found: {asked.method} {asked.path}")

    def _query(self, body: dict[str, Any]) -> Any:
        self.queries.append(body)
        if self.error:
            return _failed(*self.error)
        zone = {each["key"]: each["value"] for each in body["connectionProperties"]}["time_zone"]
        params = {each["name"]: _value(each) for each in body.get("queryParameters", [])}
        try:
            text = re.sub(r"@(\w+)", r"$\1", body["query"]).replace("`", '"')
            self._table = self.duck.ask(text, params or None, zone)
        except RefusedError as error:
            return _failed(400, "invalidQuery", str(error))
        return self._answer(0)

    def _answer(self, start: int) -> Any:
        table = self._table
        fields = [
            {"name": name, "type": _TYPES.get(kind, "NUMERIC"), "mode": "NULLABLE"}
            for name, kind in zip(table.names, table.types, strict=True)
        ]
        rows = [
            {"f": [{"v": _json(value)} for value in row]} for row in table.rows[start : start + self.page]
        ]
        end = start + self.page
        more = {"pageToken": str(end)} if end < len(table.rows) else {}
        return {
            "kind": "bigquery#queryResponse",
            "jobReference": {"projectId": "quillmoor", "jobId": "job_1", "location": "EU"},
            "jobComplete": True,
            "schema": {"fields": fields},
            "totalRows": str(len(table.rows)),
            "rows": rows,
            "totalBytesProcessed": "0",
            "cacheHit": False,
            **more,
        }


@contextmanager
def bigquery(peer: BigQuery, folder: Path) -> Iterator[tuple[Api, str]]:
    """The server, and the SQLAlchemy URL of a project on it; BIGQUERY_EMULATOR_HOST leads the client there."""
    with serving(peer.answer) as api:
        yield api, f"bigquery://quillmoor/shop?credentials_path={key_file(folder, api.url)}"


def _failed(status: int, reason: str, words: str) -> Reply:
    error = {
        "code": status,
        "message": words,
        "errors": [{"reason": reason, "message": words, "domain": "global"}],
    }
    return Reply({"error": error}, status)


def _json(value: Any) -> str | None:
    if isinstance(value, datetime):
        aware = value.tzinfo is not None
        return str((value - _EPOCH) // timedelta(microseconds=1)) if aware else value.isoformat()
    return None if value is None else str(value)


def _value(parameter: dict[str, Any]) -> Any:
    kind, value = parameter["parameterType"]["type"], parameter["parameterValue"].get("value")
    if value is None:
        return None
    if kind in ("TIMESTAMP", "DATETIME"):
        return datetime.fromisoformat(value)
    return {"INT64": int, "FLOAT64": float}.get(kind, str)(value)
