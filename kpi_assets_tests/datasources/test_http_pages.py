"""Pages of `plugin: http` whose end is not plain to see: nothing is left out, and nothing comes twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kpi_assets.errors import QueryError
from kpi_assets_tests.datasources.api import Asked, Reply, serving
from kpi_assets_tests.datasources.helpers import ask, make
from kpi_assets_tests.datasources.test_http import got, refused

RECORDS = [{"n": n, "open": n % 3 == 0} for n in range(25)]
CSV = {"Content-Type": "text/csv"}


def capped(asked: Asked) -> dict[str, Any]:
    """Ten records at once, whatever is asked for."""
    size = min(int(asked.params["limit"]), 10)
    at = int(asked.params["offset"]) if "offset" in asked.params else (int(asked.params["page"]) - 1) * size
    return {"items": RECORDS[at : at + size]}


def by_tens(asked: Asked, records: list[dict[str, Any]]) -> Reply:
    """Ten records a page, and 404 beyond the last page."""
    at = (int(asked.params["page"]) - 1) * 10
    return Reply(records[at : at + 10]) if at < len(records) else Reply({"detail": "Invalid page."}, 404)


@pytest.mark.parametrize("kind", ["page", "offset"])
@pytest.mark.parametrize("size", [4, 10, 100])
def test_a_server_that_gives_less_than_it_is_asked_for(kind: str, size: int) -> None:
    """A first page that is shorter than `size` is not taken for the last one."""
    found = got(capped, records="items", paging={"kind": kind, "size": size, "size_param": "limit"})
    assert list(found["n"]) == list(range(25))


@pytest.mark.parametrize(
    "records",
    ["items[?open]", "items | [?open].{n: n}", "sort_by(items, &n)[?open]", "items[?open].{n: n} | []"],
)
@pytest.mark.parametrize("kind", ["page", "offset"])
def test_a_filter_in_records_does_not_end_the_pages(records: str, kind: str) -> None:
    """A page is short only when the server sent few records, not when `records` keeps few of them."""
    found = got(capped, records=records, paging={"kind": kind, "size": 10, "size_param": "limit"})
    assert list(found["n"]) == [record["n"] for record in RECORDS if record["open"]]


def test_a_page_of_which_nothing_is_kept_is_not_the_last() -> None:
    """Where no size is known, only a page that the server sent empty is the end."""
    found = got(lambda asked: by_tens(asked, RECORDS), records="[?n > `20`]", paging={"kind": "page"})
    assert list(found["n"]) == [21, 22, 23, 24]


@pytest.mark.parametrize("paging", [{"kind": "page"}, {"kind": "page", "size": 10}], ids=str)
@pytest.mark.parametrize("rows", [7, 20, 25])
def test_not_found_after_the_last_page_is_the_end(paging: dict[str, Any], rows: int) -> None:
    """A 404 ends the pages, also where the last one is full; on the first page it is an error."""
    assert len(got(lambda asked: by_tens(asked, RECORDS[:rows]), paging=paging)) == rows
    assert "answers 404" in refused(lambda _: Reply("gone", 404), paging=paging)


def test_a_server_that_repeats_its_last_page() -> None:
    """A single short page that comes again is all there is."""
    assert len(got(lambda _: RECORDS[:4], paging={"kind": "page", "size": 10})) == 4


def test_the_place_is_sent_in_the_body() -> None:
    """Cursors and sizes are keys of the body, at the depth that dots say, with their type; the rest of it stays."""

    def answer(asked: Asked) -> dict[str, Any]:
        body = json.loads(asked.body)
        assert (asked.params, body["query"]) == ({}, "{ orders }")
        assert {"first": 10, "from": 1731884400}.items() <= body["variables"].items()
        at = body["variables"].get("after", 0)
        return {"data": {"orders": RECORDS[at : at + 10], "end": at + 10 if at < 20 else None}}

    paging = {"kind": "cursor", "next": "data.end", "param": "variables.after"}
    paging |= {"size": 10, "size_param": "variables.first", "in_body": True}
    body = {"query": "{ orders }", "variables": {"from": "{from:epoch}"}}
    found = got(answer, method="POST", body=body, records="data.orders", paging=paging)
    assert list(found["n"]) == list(range(25))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"paging": {"kind": "next", "next": "a[["}}, "paging: 'a[[' is not JMESPath"),
        (
            {"paging": {"kind": "page", "parm": "p"}},
            "query_args.paging: no argument 'parm': did you mean 'param'?",
        ),
        ({"paging": {"kind": "page", "in_body": True}}, "`in_body` needs `method: POST`"),
        ({"paging": {"kind": "next", "next": "a"}, "format": "csv"}, "use link, page or offset"),
    ],
)
def test_pages_that_cannot_be_walked_are_not_begun(options: dict[str, Any], words: str) -> None:
    """Paging that cannot work is refused before anything is sent."""
    with serving(lambda _: []) as api:
        source = make("http", base_url=api.url)
        with pytest.raises(QueryError) as caught:
            ask(source, "orders", **options)
    assert words in str(caught.value)
    assert api.asked == []


def test_the_next_page_is_not_looked_for_in_csv() -> None:
    """Where only the answer shows that it is CSV, its first page is not given out for the whole."""
    paging = {"kind": "cursor", "next": "next", "param": "at"}
    words = refused(lambda _: Reply("n\n1\n", headers=CSV), paging=paging)
    assert "looks for the next page in JSON, and the answer is csv" in words


@pytest.mark.parametrize("text", ["größe\n1\n", "n\nZoë\n"], ids=["name", "value"])
def test_csv_in_another_charset_is_told(text: str) -> None:
    """Names and values that are not UTF-8 are an error of the query, not bytes in a report."""
    words = refused(lambda _: Reply(text.encode("latin-1"), headers=CSV))
    assert "utf-8" in words.lower()


def test_no_content_is_no_rows() -> None:
    """204 says that there is nothing; an empty body of another status is still no JSON."""
    assert len(got(lambda _: Reply("", 204))) == 0
    assert "not JSON" in refused(lambda _: Reply(""))
