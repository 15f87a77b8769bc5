"""Database URLs as users write them, completed with the driver that we install."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, repr=False)
class ConnectionUrl:
    """A SQLAlchemy URL. It may hold a password, so it does not show."""

    text: str

    @property
    def backend(self) -> str:
        """`postgresql` of `postgresql+psycopg2://...`; `postgres` and `mariadb` by their family's name."""
        name = self.text.partition(":")[0].partition("+")[0].lower()
        return {"postgres": "postgresql", "mariadb": "mysql"}.get(name, name)

    @property
    def place(self) -> str:
        """Host and port, for messages."""
        netloc = urlsplit(self.text).netloc.rpartition("@")[2]
        return netloc if netloc else ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password, as written and as meant."""
        login = urlsplit(self.text).netloc.rpartition("@")[0]
        password = login.partition(":")[2]
        return tuple({password, unquote(password)} - {""})

    def with_driver(self, driver: str) -> str:
        """The URL with this driver, where the user named none."""
        scheme, colon, rest = self.text.partition(":")
        if "+" in scheme:
            return self.text
        return f"{self.backend}+{driver}{colon}{rest}"
