"""Somebody who gets an edition of her own, and the words that stand for her in queries, titles and addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from hashlib import sha256
from typing import Any

RECIPIENT = re.compile(r"\{recipient\.(\w+)\}")
"""`{recipient.region}`: the value of a column of `recipients:`. In queries it is bound, never pasted."""

PREFIX = "recipient."
KEY = "key"
"""The name that stands for a recipient's `key`; no column may be called so."""

_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Recipient:
    """`address` says who it is, as written; `values` are all columns, that of the address among them."""

    address: str
    values: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Names her editions: the same for the same person with the same values. No secret: it can be guessed."""
        others = {name: str(value) for name, value in self.values.items() if value != self.address}
        return sha256(json.dumps([self.identity, others], sort_keys=True).encode()).hexdigest()[:16]

    @property
    def identity(self) -> str:
        """Two recipients are the same person if this is the same."""
        return self.address.strip().casefold()

    def text(self, name: str) -> str:
        """A value on one line of plain text; "" for NULL. KeyError for a name that is no column."""
        return self.key if name == KEY else text_of(self.values[name])

    @property
    def words(self) -> Mapping[str, str]:
        """All values as text, by what stands for them in titles: `recipient.region`."""
        return {f"{PREFIX}{name}": self.text(name) for name in (*self.values, KEY)}

    def place(self, name: str) -> str:
        """The same as a part of a path or an address: letters, digits, `.`, `_` and `-`.

        Raises ValueError where nothing is left of it.
        """
        word = _UNFIT.sub("-", self.text(name)).strip(".-")
        if not word:
            raise ValueError(f"{{recipient.{name}}} cannot be part of a path: {self.text(name)!r}")
        return word


def as_markdown(text: str) -> str:
    """A text inside Markdown, no sign of which means anything."""
    return _MARKDOWN.sub(r"\\\1", text)


def text_of(value: Any) -> str:
    """A value as people write it, on one line."""
    if value is None:
        return ""
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    return " ".join(str(value).split())


def filled(text: str, word: Callable[[str], str]) -> str:
    """`text` with each `{recipient.name}` replaced by what `word` says of the name, which is not looked at again."""
    return RECIPIENT.sub(lambda match: word(match[1]), text)


def names_in(value: Any) -> Iterator[str]:
    """The names of all `{recipient.name}` in texts, however nested, keys of mappings included."""
    if isinstance(value, str):
        yield from RECIPIENT.findall(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from names_in(key)
            yield from names_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from names_in(inner)
    elif template := getattr(value, "template", ""):  # a reference to the environment
        yield from names_in(template)
