"""Which property is meant, where it is not written as a number."""

from __future__ import annotations

from collections.abc import Sequence

from kpi_assets.datasources.ga4.client import Property
from kpi_assets.datasources.web import RefusedError

MOST_SHOWN = 20


def chosen(found: Sequence[Property], account: str | None, property: str | None) -> Property:
    """The one property of that name or number, in an account of that. Raises RefusedError if there is not one."""
    fits = [
        item
        for item in found
        if _is(account, item.account, item.account_name) and _is(property, item.number, item.name)
    ]
    if len(fits) == 1:
        return fits[0]
    if not found:
        raise RefusedError("the service account may read no property: add its address to one as Viewer")
    asked = " and ".join(
        f"{name} '{value}'"
        for name, value in (("account_like", account), ("property_like", property))
        if value
    )
    if not fits:
        raise RefusedError(f"no property fits {asked}; there are {_shown(found)}")
    which = f"{asked} fits" if asked else "the service account may read"
    raise RefusedError(f"{which} several properties, write `property_id`: {_shown(fits)}")


def _is(wanted: str | None, number: str, name: str) -> bool:
    """Equal to the name or the number, as in KPI Reporter; nothing wanted is always so."""
    return not wanted or wanted.casefold() in (number, name.casefold())


def _shown(properties: Sequence[Property]) -> str:
    names = [f"{item.number} ({item.name}, account {item.account_name})" for item in properties[:MOST_SHOWN]]
    more = len(properties) - MOST_SHOWN
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
