"""Loggers whose lines say which report, asset and edition they are about, wherever they end up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_about: ContextVar[str] = ContextVar("about", default="")


class Lines(logging.LoggerAdapter[logging.Logger]):
    """Puts what the work at hand is about in front of each line."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        said = _about.get()
        return (f"{said}: {msg}" if said else msg), kwargs


def logger(name: str) -> Lines:
    """The logger of a module. Its lines are those of `logging.getLogger(name)`, with what they are about in front."""
    return Lines(logging.getLogger(name), {})


@contextmanager
def about(report: str, asset: str, *editions: str) -> Generator[None]:
    """Lines logged inside begin with the asset and its editions: `weekly/queries/orders 2024-11-24`.

    Several editions are told by the first and the last. The ids are put in as they are: none holds a percent sign.
    """
    told = "..".join(dict.fromkeys((editions[0], editions[-1]))) if editions else ""
    token = _about.set(f"{report}/{asset} {told}".strip())
    try:
        yield
    finally:
        _about.reset(token)


def inherited(call: Callable[P, T]) -> Callable[P, T]:
    """The call for another thread, where its lines are about the same as here."""
    said = _about.get()

    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        token = _about.set(said)
        try:
            return call(*args, **kwargs)
        finally:
            _about.reset(token)

    return told
