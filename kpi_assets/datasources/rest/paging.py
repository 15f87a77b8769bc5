"""From one page to the next, never in a circle and never without end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any
from urllib.parse import urljoin

from kpi_assets.datasources.rest.asking import Paging, refuse_lines
from kpi_assets.datasources.rest.client import (
    Answer,
    Ask,
    MissingError,
    RefusedError,
    RestClient,
    same_origin,
)
from kpi_assets.datasources.rest.jmes import compiled
from kpi_assets.datasources.rest.reading import Page
from kpi_assets.datasources.waiting import Deadline

Read = Callable[[Answer], Page]


@dataclass(frozen=True)
class Walk:
    """Every page of an answer, once. Raises RefusedError for a circle and for more than `max_pages`."""

    client: RestClient
    ask: Ask
    paging: Paging | None
    read: Read
    deadline: Deadline

    def __iter__(self) -> Iterator[Page]:
        if self.paging is None:
            answer = self.client.send(self.ask, self.deadline)
            with answer.body:
                yield self.read(answer)
            return
        yield from self._walk(self.paging)

    def _walk(self, paging: Paging) -> Iterator[Page]:
        if paging.kind in ("page", "offset"):
            yield from self._counted(paging)
            return
        here = _first(self.ask, paging)
        seen: set[str] = set()
        for _ in range(paging.max_pages):
            answer = self.client.send(here, self.deadline)
            with answer.body:
                key = f"{here.url} {here.params} {here.body}"
                if key in seen:
                    raise _circle(here, paging)
                seen.add(key)
                page = self.read(answer)
            yield page
            following = self._next(here, paging, page, answer)
            if following is None:
                return
            here = following
        raise _endless(paging)

    def _counted(self, paging: Paging) -> Iterator[Page]:
        """Pages by number. How many records a page has is what the first one shows: a server may give fewer than it
        was asked for. So a first page that is short is the last only when nothing new comes after it."""
        seen: set[str] = set()
        first, at = 0, _start(paging)
        for number in range(paging.max_pages):
            here = _with(_first(self.ask, paging), paging, _param(paging), at)
            page = self._page(here, paging, seen, after_short=number == 1 and _is_short(first, paging))
            if page is None:
                return
            yield page
            first = first or page.records
            if not page.records or (paging.size and page.records < first):
                return
            at += 1 if paging.kind == "page" else page.records
        raise _endless(paging)

    def _page(self, here: Ask, paging: Paging, seen: set[str], *, after_short: bool) -> Page | None:
        """The page; None where there is none any more, as some servers say with 404, or with the last page again."""
        try:
            answer = self.client.send(here, self.deadline)
        except MissingError:
            if not seen:
                raise
            return None
        with answer.body:
            key = _digest(answer.body)
            if key in seen:
                if after_short:
                    return None
                raise _circle(here, paging)
            seen.add(key)
            return self.read(answer)

    def _next(self, here: Ask, paging: Paging, page: Page, answer: Answer) -> Ask | None:
        mark = answer.next_link if paging.kind == "link" else _found(page, paging)
        if mark in ("", None):
            return None
        if paging.kind == "cursor":
            return _with(here, paging, paging.param, mark)
        return self._elsewhere(here, urljoin(answer.url, str(mark)))

    def _elsewhere(self, here: Ask, url: str) -> Ask:
        if not same_origin(self.ask.url, url):
            raise RefusedError(f"the next page of {self.ask.place} is on another server: {Ask(url).place}")
        return replace(here, url=url, params=())


def _circle(here: Ask, paging: Paging) -> RefusedError:
    """A page that was there, or a server that does not know the parameter."""
    parameter = f"; does the server know the parameter `{_param(paging)}`?" if paging.kind != "link" else ""
    return RefusedError(f"a page of {here.place} came again{parameter}")


def _endless(paging: Paging) -> RefusedError:
    return RefusedError(
        f"there are more than {paging.max_pages} pages: ask for less, or raise `paging.max_pages`"
    )


def _is_short(records: int, paging: Paging) -> bool:
    return paging.size is not None and records < paging.size


def _digest(body: IO[bytes]) -> str:
    """Hash of a body; the body is at its start afterwards."""
    digest = hashlib.sha256()
    while piece := body.read(1 << 16):
        digest.update(piece)
    body.seek(0)
    return digest.hexdigest()


def _first(ask: Ask, paging: Paging) -> Ask:
    if paging.size and paging.size_param:
        return _with(ask, paging, paging.size_param, paging.size)
    return ask


def _found(page: Page, paging: Paging) -> str | int | None:
    try:
        refuse_lines(paging, page.form)
    except ValueError as error:
        raise RefusedError(str(error)) from None
    found = compiled(paging.next).search(page.document)
    if found in (None, False):
        return None
    if not isinstance(found, str | int):
        raise RefusedError(f"`paging.next: {paging.next}` finds {type(found).__name__}, not text")
    return found


def _start(paging: Paging) -> int:
    return paging.start if paging.start is not None else int(paging.kind == "page")


def _param(paging: Paging) -> str:
    return paging.param or paging.kind


def _with(ask: Ask, paging: Paging, name: str, value: str | int) -> Ask:
    if paging.in_body:
        return replace(ask, body=_placed(ask.body, name.split("."), value))
    return replace(ask, params=(*(pair for pair in ask.params if pair[0] != name), (name, str(value))))


def _placed(body: Any, way: Sequence[str], value: str | int) -> dict[str, Any]:
    """The body with a value where the way of keys leads."""
    name, *rest = way
    kept = dict(body) if isinstance(body, Mapping) else {}
    return {**kept, name: _placed(kept.get(name), rest, value) if rest else value}
