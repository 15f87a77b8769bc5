"""Finds secrets in arguments, and the places where they show."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretStr

_SECRET_NAME = re.compile(
    r"passw|passphrase|(?:^|_)pwd(?:$|_)|secret|token|api_?key|access_?key|private_?key|credential", re.I
)
SHORTEST = 4
"""Characters; what is shorter stands in any text by chance."""
_HARMLESS_NAME = re.compile(r"_(?:url|file|path|name|column|param|id)$", re.I)


def secrets_in(args: Any, name: str = "") -> Iterator[str]:
    """Every value in the arguments that must not be shown: what is a SecretStr, and what is called like a secret."""
    if isinstance(args, SecretStr):
        yield args.get_secret_value()
    elif isinstance(args, str):
        if _SECRET_NAME.search(name) and not _HARMLESS_NAME.search(name):
            yield args
    else:
        for key, value in _parts(args, name):
            yield from secrets_in(value, key)


def _parts(args: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(args, BaseModel):
        yield from ((field, getattr(args, field)) for field in type(args).model_fields)
    elif isinstance(args, Mapping):
        yield from ((str(key), value) for key, value in cast("Mapping[Any, Any]", args).items())
    elif isinstance(args, list | tuple):
        yield from ((name, value) for value in cast("Iterable[Any]", args))


def leaks(texts: Mapping[str, str], secrets: Iterable[str]) -> list[str]:
    """One sentence for each text in which a secret stands; the sentence does not repeat it.

    Written as in an address, as JSON or in base64, it is the same secret.
    """
    hidden = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
    return [f"a secret shows in {where}" for where, text in texts.items() if any(s in text for s in hidden)]


def _forms(secret: str) -> Iterator[str]:
    """The secret as it is and as it travels; a login's base64 begins at any of three places in a group of bytes."""
    yield from (secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1])
    content = secret.encode()
    for before in range(3):
        whole = base64.b64encode(b"." * before + content)[math.ceil(before * 8 / 6) :].rstrip(b"=").decode()
        sure = whole[: (len(content) * 8 - (-before * 8) % 6) // 6]
        if len(sure) >= 2 * SHORTEST:
            yield sure


def shown(plugin: Any) -> dict[str, str]:
    """The texts in which a plugin and its arguments are shown by debuggers, logs and dumps."""
    args = plugin.args
    return {
        "repr() of the plugin": repr(plugin),
        "str() of the plugin": str(plugin),
        "repr() of its arguments (use pydantic's SecretStr)": repr(args),
        "str() of its arguments (use pydantic's SecretStr)": str(args),
        "the dump of its arguments (use pydantic's SecretStr)": json.dumps(
            args.model_dump(mode="json"), default=str, ensure_ascii=False
        ),
    }


def told(error: BaseException) -> dict[str, str]:
    """The texts of an error and of everything that Python would print below it."""
    texts: dict[str, str] = {}
    seen: BaseException | None = error
    while seen is not None and len(texts) < 20:
        name = type(seen).__name__
        where = (
            f"the error {name}" if seen is error else f"{name}, which the error is chained to (`from None`)"
        )
        texts[where] = f"{seen}\n{seen!r}"
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return texts
