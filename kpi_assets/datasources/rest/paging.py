"""From one page to the next, never in a circle and never without end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import IO
from urllib.parse import urljoin

from kpi_assets.datasources.rest.asking import Paging, compiled
from kpi_assets.datasources.rest.client import Answer, Ask, RefusedError, RestClient, same_origin
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
        here = _first(self.ask, paging)
        seen: set[str] = set()
        for number in range(1, paging.max_pages + 1):
            answer = self.client.send(here, self.deadline)
            with answer.body:
                _refuse_again(here, answer, paging, seen)
                page = self.read(answer)
            yield page
            following = self._next(here, paging, page, answer, number=number)
            if following is None:
                return
            here = following
        raise RefusedError(
            f"there are more than {paging.max_pages} pages: ask for less, or raise `paging.max_pages`"
        )

    def _next(self, here: Ask, paging: Paging, page: Page, answer: Answer, *, number: int) -> Ask | None:
        if paging.kind in ("page", "offset"):
            if not page.rows or (paging.size and page.rows < paging.size):
                return None
            step = 1 if paging.kind == "page" else paging.size or 1
            return _with(here, _param(paging), str(_start(paging) + number * step))
        mark = answer.next_link if paging.kind == "link" else _found(page, paging.next)
        if not mark:
            return None
        if paging.kind == "cursor":
            return _with(here, paging.param, mark)
        return self._elsewhere(here, urljoin(answer.url, mark))

    def _elsewhere(self, here: Ask, url: str) -> Ask:
        if not same_origin(self.ask.url, url):
            raise RefusedError(f"the next page of {self.ask.place} is on another server: {Ask(url).place}")
        return replace(here, url=url, params=())


def _refuse_again(here: Ask, answer: Answer, paging: Paging, seen: set[str]) -> None:
    """Stops walking in a circle: a page that was there, or a server that does not know the parameter."""
    key = f"{here.url} {here.params}"
    if paging.kind in ("page", "offset"):
        key = _digest(answer.body)
    if key in seen:
        parameter = f"does the server know the parameter `{_param(paging)}`?" if paging.kind != "link" else ""
        raise RefusedError(f"a page of {here.place} came again; {parameter}".removesuffix("; "))
    seen.add(key)


def _digest(body: IO[bytes]) -> str:
    """Hash of a body; the body is at its start afterwards."""
    digest = hashlib.sha256()
    while piece := body.read(1 << 16):
        digest.update(piece)
    body.seek(0)
    return digest.hexdigest()


def _first(ask: Ask, paging: Paging) -> Ask:
    if paging.size and paging.size_param:
        ask = _with(ask, paging.size_param, str(paging.size))
    if paging.kind in ("page", "offset"):
        return _with(ask, _param(paging), str(_start(paging)))
    return ask


def _found(page: Page, expression: str) -> str:
    found = compiled(expression).search(page.document)
    if found is not None and not isinstance(found, str | int):
        raise RefusedError(f"`paging.next: {expression}` finds {type(found).__name__}, not text")
    return "" if found in (None, False) else str(found)


def _start(paging: Paging) -> int:
    return paging.start if paging.start is not None else int(paging.kind == "page")


def _param(paging: Paging) -> str:
    return paging.param or paging.kind


def _with(ask: Ask, name: str, value: str) -> Ask:
    return replace(ask, params=(*(pair for pair in ask.params if pair[0] != name), (name, value)))
