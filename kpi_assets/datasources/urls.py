"""Database URLs as users write them, completed with the driver that we install."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, SecretStr

_FAMILIES = {"postgres": "postgresql", "mariadb": "mysql", "clickhousedb": "clickhouse"}
_FORM = "dialect+driver://user:password@host:port/database"


@dataclass(frozen=True, repr=False)
class ConnectionUrl:
    """A SQLAlchemy URL. It may hold a password, so it does not show."""

    text: str

    @property
    def backend(self) -> str:
        """`postgresql` of `postgresql+psycopg2://...`; `postgres` and its like by their family's name."""
        name = self.text.partition(":")[0].partition("+")[0].lower()
        return _FAMILIES.get(name, name)

    @property
    def driver(self) -> str:
        """`psycopg2` of `postgresql+psycopg2://...`; empty where none is named."""
        return self.text.partition(":")[0].partition("+")[2].lower()

    @property
    def place(self) -> str:
        """Host and port, for messages."""
        return re.split(r"[/?#]", self._parts[1])[0]

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password, as written and as meant; whole, even if it holds signs that should be encoded."""
        password = self._parts[0].partition(":")[2]
        return tuple({password, unquote(password)} - {""})

    @property
    def fault(self) -> str:
        """What keeps it from being a URL, without any part of it; empty where nothing does, or a variable is open."""
        if "${" in self.text:
            return ""
        if not re.match(r"[A-Za-z][\w.+-]*://", self.text):
            return f"is not a URL: write {_FORM}"
        login, place = self._parts
        if self.backend == "sqlite":
            return ""
        if "@" in login:
            return "has a user or password with an @: write it as %40"
        if not re.fullmatch(r"(?:\[[^\]]*\]|[^:/?#]*)(?::[0-9]{1,5})?(?:[/?#].*)?", place, re.DOTALL):
            return f"has a port that is not a number: write {_FORM}"
        return ""

    @property
    def _parts(self) -> tuple[str, str]:
        """User with password, and what follows the @ behind them. An @ after a `?` belongs to an option."""
        rest = self.text.partition("://")[2]
        head = rest.partition("?")[0]
        at = (head if "@" in head else rest).rfind("@")
        return rest[: max(at, 0)], rest[at + 1 :]

    def with_driver(self, driver: str) -> str:
        """The URL with this driver, where the user named none."""
        scheme, colon, rest = self.text.partition(":")
        if "+" in scheme:
            return self.text
        return f"{self.backend}+{driver}{colon}{rest}"


def _checked(url: SecretStr) -> SecretStr:
    if fault := ConnectionUrl(url.get_secret_value()).fault:
        raise ValueError(f"`url` {fault}")
    return url


Url = Annotated[SecretStr, AfterValidator(_checked)]
"""The type of `url` arguments; refuses what no driver could use."""
