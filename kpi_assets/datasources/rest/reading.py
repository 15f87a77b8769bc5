"""An answer -> records -> columns: JSON by JMESPath, JSON lines, CSV."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, cast
from urllib.parse import urlsplit

from kpi_assets.datasources.columns import as_json, compact
from kpi_assets.datasources.frame import refuse_duplicates
from kpi_assets.datasources.rest.asking import HttpQuery
from kpi_assets.datasources.rest.client import Answer, RefusedError
from kpi_assets.datasources.rest.jmes import compiled, sent

_SIMPLE = re.compile(r"\w+(\.\w+)*")


@dataclass(frozen=True)
class Part:
    """Some rows: name -> Arrow array or list."""

    rows: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """One answer, read. `document` is the JSON it was, for finding the next page.

    `sent` is how many records it came with, where that is known and may be more than the rows.
    """

    parts: tuple[Part, ...]
    document: Any = None
    form: str = "json"
    sent: int | None = None

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def records(self) -> int:
        return self.rows if self.sent is None else self.sent


def read_page(answer: Answer, options: HttpQuery) -> Page:
    """The rows of an answer. Raises RefusedError for what is not what it should be; it quotes no data."""
    if answer.status == 204:
        return Page(())
    body = _unpacked(answer.body)
    form = options.format or _format(answer)
    if form == "csv":
        return Page(tuple(_csv(body, options, answer)), form=form)
    if form == "jsonl":
        lines = (line for line in body if line.strip())
        return Page((_part([_record(_parsed(line, answer)) for line in lines]),), form=form)
    document = _parsed(body.read(), answer)
    part = _part([_record(value) for value in _records(document, options.records)])
    return Page((part,), document, sent=sent(document, options.records) if options.records else None)


def _unpacked(body: IO[bytes]) -> IO[bytes]:
    packed = body.read(2) == b"\x1f\x8b"
    body.seek(0)
    return cast(IO[bytes], gzip.open(body)) if packed else body


def _format(answer: Answer) -> str:
    """What the server calls it, or else the address's suffix; JSON where neither says."""
    kind = answer.headers.get("content-type", "").lower()
    path = urlsplit(answer.url).path.lower().removesuffix(".gz")
    for form, kinds, suffixes in (
        ("jsonl", ("ndjson", "jsonl", "json-lines", "jsonlines"), (".jsonl", ".ndjson")),
        ("csv", ("csv",), (".csv",)),
    ):
        if any(word in kind for word in kinds) or ("json" not in kind and path.endswith(suffixes)):
            return form
    return "json"


def _parsed(text: bytes, answer: Answer) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        kind = answer.headers.get("content-type", "").partition(";")[0] or "of no stated type"
        where = (
            f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        )
        advice = "; it may be the page of a login" if "html" in kind else ""
        raise RefusedError(f"the answer is not JSON{where}: it is {kind}{advice}") from None


def _records(document: Any, expression: str) -> Sequence[Any]:
    found = _searched(document, expression) if expression else document
    if isinstance(found, list):
        return found
    if isinstance(found, Mapping):
        if not expression and (lists := [name for name, value in found.items() if _is_table(value)]):
            keys = ", ".join(map(str, found))
            raise RefusedError(
                f"the answer is an object with {keys}: say where its records are, such as `records: {lists[0]}`"
            )
        return [found]
    if found is None:
        return []
    raise RefusedError(f"`records: {expression}` finds {type(found).__name__}, not a list of records")


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict | list)


def _searched(document: Any, expression: str) -> Any:
    from jmespath.exceptions import JMESPathError

    try:
        found = compiled(expression).search(document)
    except JMESPathError as error:
        raise RefusedError(
            f"`records: {expression}` does not fit the answer ({type(error).__name__})"
        ) from None
    if found is None and not _is_null(document, expression):
        keys = f"; its keys are {', '.join(map(str, document))}" if isinstance(document, Mapping) else ""
        raise RefusedError(f"`records: {expression}` finds nothing in the answer{keys}")
    return found


def _is_null(document: Any, expression: str) -> bool:
    """Whether the place is there and says null, as some servers write an empty list."""
    if not _SIMPLE.fullmatch(expression):
        return False
    *way, last = expression.split(".")
    for name in way:
        document = document.get(name) if isinstance(document, Mapping) else None
    return isinstance(document, Mapping) and last in document


def _record(value: Any) -> dict[str, Any]:
    """A record without nesting: objects become columns `a.b`, lists JSON text; a bare value is called `value`."""
    if isinstance(value, list):
        raise RefusedError(
            "the records are lists: name their fields in `records`, such as `rows[].{day: [0], n: [1]}`"
        )
    return dict(_flat(value, "")) if isinstance(value, Mapping) else {"value": value}


def _flat(record: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", as_json(value) if isinstance(value, list) else value


def _part(records: Sequence[Mapping[str, Any]]) -> Part:
    names = dict.fromkeys(name for record in records for name in record)
    return Part(len(records), {name: compact([record.get(name) for record in records]) for name in names})


def _csv(body: IO[bytes], options: HttpQuery, answer: Answer) -> Iterable[Part]:
    import pyarrow as pa
    from pyarrow import csv

    if not body.read(1):
        return
    body.seek(0)
    charset = re.search(r"charset=[\"']?([\w-]+)", answer.headers.get("content-type", ""))
    reading = csv.ReadOptions(encoding=charset.group(1) if charset else "utf-8", use_threads=False)
    try:
        table = csv.read_csv(
            body, reading, csv.ParseOptions(delimiter=options.delimiter, newlines_in_values=True)
        )
        names = table.column_names
    except (pa.ArrowInvalid, UnicodeError, LookupError) as error:
        words = re.sub(r"(Expected \d+ columns, got \d+).*", r"\1", " ".join(str(error).split()))
        raise RefusedError(f"the answer cannot be read as CSV: {words[:200]}") from None
    refuse_duplicates(names)
    if odd := [
        name for name, kind in zip(names, table.schema.types, strict=True) if pa.types.is_binary(kind)
    ]:
        raise RefusedError(
            f"column '{odd[0]}' of the CSV is not UTF-8, and the server names no other charset in Content-Type"
        )
    for batch in table.to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]:
        yield Part(batch.num_rows, dict(zip(names, batch.columns, strict=True)))
