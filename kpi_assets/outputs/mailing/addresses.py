"""Mail addresses as people write them: one or many, with names or bare, with duplicates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.headerregistry import Address
from email.utils import getaddresses

LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
DOMAIN = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)


def as_list(value: object) -> object:
    """One address or a list of them, as a list; for validators."""
    return (value,) if isinstance(value, str) else value


def normalised(texts: Iterable[str]) -> tuple[str, ...]:
    """Every address once, in order, as `Name <user@host>` or `user@host`; a text may hold several, with commas.

    Raises ValueError that says which one is no address.
    """
    found: dict[str, str] = {}
    for text in texts:
        for name, address in _split(text):
            found.setdefault(_checked(address, text).casefold(), _written(name, _checked(address, text)))
    return tuple(found.values())


def is_address(text: str) -> bool:
    """Is it exactly one mail address, with a name or without?"""
    try:
        return len(normalised([text])) == 1
    except ValueError:
        return False


def bare(text: str) -> str:
    """`user@host` of one normalised address."""
    return _split(text)[0][1]


def header_address(text: str) -> Address:
    """The address for a header of a message."""
    name, address = _split(text)[0]
    user, _, domain = address.rpartition("@")
    return Address(name, user, domain)


def _split(text: str) -> list[tuple[str, str]]:
    pairs = getaddresses([text])
    if not pairs or any(not address for _, address in pairs):
        raise ValueError(
            f"'{text}' is no mail address: write user@host or Name <user@host>; put a name with a comma in quotes"
        )
    return pairs


def _checked(address: str, text: str) -> str:
    """The address with its domain as mail servers write it."""
    user, at, domain = address.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError:
        ascii_domain = ""
    plain = not user.startswith(".") and not user.endswith(".") and ".." not in user
    if at and plain and LOCAL.fullmatch(user) and DOMAIN.fullmatch(ascii_domain):
        return f"{user}@{ascii_domain.lower()}"
    where = "" if address == text else f" in '{text}'"
    raise ValueError(f"'{address}'{where} is no mail address: write user@host or Name <user@host>")


def _written(name: str, address: str) -> str:
    if not name:
        return address
    user, _, domain = address.rpartition("@")
    return str(Address(" ".join(name.split()), user, domain))
