"""How a query's text is to be understood."""

from __future__ import annotations

from dataclasses import dataclass

from kpi_assets.datasources.bounds import TimestampFormat
from kpi_assets.datasources.dialects import Dialect


@dataclass(frozen=True)
class Reading:
    """What the analysis takes for granted.

    `params`: names of the query's own parameters, or how many there are. `same_zone`: the columns' days are the
    report's days, since no zone of the datasource's own is set. `times`: how columns hold time; text columns are taken
    to hold what `timestamp_format` says.
    """

    dialect: Dialect
    params: tuple[str, ...] | int = 0
    same_zone: bool = True
    times: TimestampFormat = "native"
