"""Google on loopback: the tokens of service accounts, the Data API's runReport, the Admin API's list of accounts.

Requests are read with Google's own message types, strictly; answers are written with them. The numbers are sums over
`facts`, visits with the property's own wall time.
"""

from __future__ import annotations

import json
import operator
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kpi_assets_tests.outputs.http_peers import Answer, Asked, served

ACCOUNT = "report@quillmoor.iam.gserviceaccount.com"
TOKEN = "ya29.very-secret-access-token"
SCOPE = "https://www.googleapis.com/auth/analytics.readonly"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
INTEGERS = frozenset({"sessions", "totalUsers", "screenPageViews", "newUsers", "keyEvents"})
METRICS = INTEGERS | {"bounceRate", "purchaseRevenue", "active7DayUsers"}
TEXTS = frozenset({"country", "sessionMedium", "pagePath", "from", "hostName"})
FORMS = {
    "date": "%Y%m%d",
    "dateHour": "%Y%m%d%H",
    "dateHourMinute": "%Y%m%d%H%M",
    "yearMonth": "%Y%m",
    "isoYearIsoWeek": "%G%V",
    "hour": "%H",
}


@dataclass(frozen=True)
class Visit:
    """What happened at a wall time of the property."""

    at: datetime
    texts: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=lambda: {"sessions": 1})

    def told(self, name: str) -> str:
        return self.at.strftime(FORMS[name]) if name in FORMS else self.texts.get(name, "(not set)")


@dataclass
class Google:
    """What it knows and was asked. `next`: answers that come before it does its work, by path's end."""

    facts: list[Visit] = field(default_factory=list)
    zone: str = "Europe/Berlin"
    accounts: list[dict[str, Any]] = field(default_factory=list)
    next: dict[str, list[Answer]] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    pause: float = 0
    paths: list[str] = field(default_factory=list)
    reports: list[Any] = field(default_factory=list)

    def answer(self, asked: Asked) -> Answer:
        parts = urlsplit(asked.path)
        self.paths.append(parts.path)
        time.sleep(self.pause)
        for end, answers in self.next.items():
            if parts.path.endswith(end) and answers:
                return answers.pop(0)
        if (asked.method, parts.path) == ("POST", "/token"):
            return _token(asked)
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if (asked.method, parts.path) == ("GET", "/v1beta/accountSummaries"):
            return self._summaries(parse_qs(parts.query))
        found = re.fullmatch(r"/v1beta/properties/(\d+):runReport", parts.path)
        if asked.method != "POST" or not found:
            return Answer(404, "<html>Not Found</html>", {"Content-Type": "text/html"})
        return self._report(found[1], json.loads(asked.body))

    def _summaries(self, form: Mapping[str, list[str]]) -> Answer:
        """One account a page, however many are asked for."""
        assert int(form["pageSize"][0]) <= 200
        at = int(form.get("pageToken", ["0"])[0])
        more = {"nextPageToken": str(at + 1)} if at + 1 < len(self.accounts) else {}
        return Answer(200, {"accountSummaries": self.accounts[at : at + 1], **more})

    def _report(self, number: str, body: dict[str, Any]) -> Answer:
        from google.analytics.data_v1beta.types import RunReportRequest
        from google.protobuf import json_format

        if number != "4711":
            return error(
                403, "PERMISSION_DENIED", "User does not have sufficient permissions for this property."
            )
        request = json_format.ParseDict(body, RunReportRequest.pb(RunReportRequest()))
        self.reports.append(request)
        if fault := _fault(request):
            return error(400, "INVALID_ARGUMENT", fault)
        return Answer(200, self._rows(request))

    def _rows(self, request: Any) -> dict[str, Any]:
        dimensions = [item.name for item in request.dimensions]
        metrics = [item.name for item in request.metrics]
        groups: dict[tuple[str, ...], dict[str, float]] = {}
        span = request.date_ranges[0]
        first, last = date.fromisoformat(span.start_date), date.fromisoformat(span.end_date)
        for visit in self.facts:
            if first <= visit.at.date() <= last and _holds(request.dimension_filter, visit.told):
                sums = groups.setdefault(tuple(map(visit.told, dimensions)), dict.fromkeys(metrics, 0))
                for name in metrics:
                    sums[name] += visit.numbers.get(name, 0)
        rows = [
            {**dict(zip(dimensions, key, strict=True)), **sums}
            for key, sums in groups.items()
            if _holds(request.metric_filter, sums.__getitem__)
        ]
        for order in reversed(request.order_bys):
            name = order.dimension.dimension_name or order.metric.metric_name
            rows.sort(key=operator.itemgetter(name), reverse=order.desc)
        page = rows[request.offset : request.offset + request.limit]
        return self._body(request, rows, page)

    def _body(self, request: Any, rows: list[Any], page: list[Any]) -> dict[str, Any]:
        shown = [item.name for item in request.metrics if not item.invisible]
        return {
            "dimensionHeaders": [{"name": item.name} for item in request.dimensions],
            "metricHeaders": [
                {"name": name, "type": "TYPE_INTEGER" if name in INTEGERS else "TYPE_FLOAT"} for name in shown
            ],
            "rows": [
                {
                    "dimensionValues": [{"value": row[item.name]} for item in request.dimensions],
                    "metricValues": [{"value": _number(name, row[name])} for name in shown],
                }
                for row in page
            ],
            **({"rowCount": len(rows)} if rows else {}),
            "metadata": {"currencyCode": "EUR", "timeZone": self.zone, **self.metadata},
            "propertyQuota": {"tokensPerDay": {"consumed": 4, "remaining": 199996}},
            "kind": "analyticsData#runReport",
        }


def error(status: int, name: str, message: str) -> Answer:
    """Google says no."""
    return Answer(status, {"error": {"code": status, "message": message, "status": name}})


@contextmanager
def google(folder: Path, *facts: Visit, **more: Any) -> Iterator[tuple[dict[str, Any], Google]]:
    """Arguments of a datasource on such a Google, and what it was asked."""
    held = Google(list(facts), **more)
    with served(held.answer) as address:
        yield {"key_file": key_file(folder, address), "data_url": address, "admin_url": address}, held


def key_file(folder: Path, address: str, **changes: Any) -> str:
    """The key of the service account, as Google's console writes it."""
    path = folder / "key.json"
    content = {
        "type": "service_account",
        "project_id": "quillmoor",
        "private_key_id": "k1",
        "private_key": private_pem(),
        "client_email": ACCOUNT,
        "client_id": "1",
        "token_uri": f"{address}/token",
    }
    path.write_text(json.dumps({**content, **changes}), encoding="utf-8")
    return str(path)


@cache
def private_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key: Any = None) -> str:
    from cryptography.hazmat.primitives import serialization as s

    made = (key or private_key()).private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
    return made.decode()


def _token(asked: Asked) -> Answer:
    """RFC 7523: the assertion must be signed by the account's key."""
    from cryptography.hazmat.primitives import serialization as s
    from google.auth import jwt
    from google.auth.exceptions import GoogleAuthError

    form = asked.form
    public = private_key().public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
    assert form["grant_type"] == GRANT
    try:
        claims = jwt.decode(form["assertion"], public, audience="https://oauth2.googleapis.com/token")
    except (GoogleAuthError, ValueError):
        return Answer(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
    assert (claims["iss"], claims["scope"]) == (ACCOUNT, SCOPE)
    return Answer(200, {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})


def _fault(request: Any) -> str:
    """What Google refuses of a request."""
    dimensions = [item.name for item in request.dimensions]
    for name in dimensions:
        if name not in TEXTS and name not in FORMS:
            return f"Field {name} is not a valid dimension. For a list of valid dimensions and metrics, see the docs."
    for item in request.metrics:
        if item.name not in METRICS:
            return f"Field {item.name} is not a valid metric. For a list of valid dimensions and metrics, see the docs."
    known = {*dimensions, *(item.name for item in request.metrics)}
    for order in request.order_bys:
        if (order.dimension.dimension_name or order.metric.metric_name) not in known:
            return "Ordering fields must be in the request."
    if not 0 < request.limit <= 250_000 or len(dimensions) > 9 or len(request.metrics) > 10:
        return "The request exceeds a limit."
    return ""


def _number(name: str, value: float) -> str:
    return str(int(value)) if name in INTEGERS else repr(float(value))


def _holds(expression: Any, value: Callable[[str], Any]) -> bool:
    kind = expression.WhichOneof("expr")
    if kind is None:
        return True
    if kind == "not_expression":
        return not _holds(expression.not_expression, value)
    if kind == "filter":
        return _fits(expression.filter, value(expression.filter.field_name))
    parts = (_holds(part, value) for part in getattr(expression, kind).expressions)
    return all(parts) if kind == "and_group" else any(parts)


def _fits(test: Any, value: Any) -> bool:
    if test.WhichOneof("one_filter") == "numeric_filter":
        wanted = test.numeric_filter.value
        number = (
            wanted.int64_value if wanted.WhichOneof("one_value") == "int64_value" else wanted.double_value
        )
        signs = (None, operator.eq, operator.lt, operator.le, operator.gt, operator.ge)
        return bool(signs[test.numeric_filter.operation](value, number))
    text, wanted = value.lower(), test.string_filter.value.lower()
    kinds: dict[int, Callable[[], bool]] = {
        1: lambda: text == wanted,
        4: lambda: wanted in text,
        6: lambda: re.search(test.string_filter.value, value) is not None,
    }
    return kinds[test.string_filter.match_type]()
