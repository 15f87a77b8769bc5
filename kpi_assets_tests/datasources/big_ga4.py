"""A Google with very many rows, made page by page as text, so that the server is not what needs memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from kpi_assets_tests.datasources.ga4_peer import TOKEN
from kpi_assets_tests.outputs.http_peers import Answer, Asked, served

ROWS = 150_000
ROW = (
    '{"dimensionValues":[{"value":"202411%02d"},{"value":"/shop/item-%07d"},{"value":"Köln"}],'
    '"metricValues":[{"value":"2"},{"value":"0.125"}]}'
)


@contextmanager
def many() -> Iterator[str]:
    """The address of the server."""
    with served(_answer) as address:
        yield address


def _answer(asked: Asked) -> Answer:
    if asked.path == "/token":
        return Answer(200, {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})
    request = json.loads(asked.body)
    first, size = int(request.get("offset", 0)), int(request["limit"])
    rows = ",".join(ROW % (18 + n * 7 // ROWS, n) for n in range(first, min(first + size, ROWS)))
    dimensions = json.dumps(request["dimensions"])
    head = f'"dimensionHeaders":{dimensions},"rowCount":{ROWS},"metadata":{{"timeZone":"Europe/Berlin"}}'
    kinds = '[{"name":"sessions","type":"TYPE_INTEGER"},{"name":"bounceRate","type":"TYPE_FLOAT"}]'
    text = f'{{{head},"metricHeaders":{kinds},"rows":[{rows}]}}'
    return Answer(200, text, {"Content-Type": "application/json"})
