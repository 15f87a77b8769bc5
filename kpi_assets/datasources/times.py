"""Columns that hold time, as pandas has them: instants zone-aware in the report's zone, days as naive midnights.

A wall time that the clocks show twice (autumn) is read as the first of the two; one that they skip (spring) as the
first instant after the gap. Both choices keep a row on the day that its text says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kpi_assets.datasources.walls import utc_of_walls
from kpi_assets.logs import logger

if TYPE_CHECKING:
    import pandas as pd

log = logger(__name__)

_DAY = r"^\d{4}-\d{2}-\d{2}$"
_MOMENT = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$"
_INSTANT = r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}(:?\d{2})?)$"
_CLOCK = re.compile(r"%[HIMSfpXcTRrszZ]")
_UNITS = ("D", "s", "ms", "us", "ns")


@dataclass(frozen=True)
class TimeReader:
    """`naive_zone`: where wall times without an offset were written down; `zone`: the report's.

    `epoch_unit`: what bare numbers count, where they are to be read as time.
    """

    naive_zone: str
    zone: str
    epoch_unit: str = "s"

    def from_arrow(self, name: str, values: Any) -> pd.Series[Any] | None:
        """Series of an Arrow timestamp or date column; None for other kinds of time (durations, times of day)."""
        import pyarrow as pa

        if pa.types.is_date(values.type):
            return self._naive(name, values.cast(pa.timestamp("ms")))
        if not pa.types.is_timestamp(values.type):
            return None
        naive = self._naive(name, values.cast(pa.timestamp(values.type.unit)))
        return self._aware(naive) if values.type.tz is None else self._instants(naive)

    def from_text(self, name: str, values: Any) -> pd.Series[Any] | None:
        """Series of a text column whose every value is an ISO day or moment; None when one is not, or all are null."""
        import pyarrow as pa
        import pyarrow.compute

        compute: Any = pyarrow.compute
        if values.null_count == len(values):
            return None
        for pattern, kind in (
            (_DAY, pa.date32()),
            (_MOMENT, pa.timestamp("us")),
            (_INSTANT, pa.timestamp("us", "UTC")),
        ):
            if compute.all(compute.match_substring_regex(values, pattern)).as_py():
                try:
                    return self.from_arrow(name, values.cast(kind))
                except pa.ArrowInvalid:  # the 31st of February
                    return None
        return None

    def parse(self, name: str, values: Any, form: str | None) -> pd.Series[Any]:
        """What `parse_dates` asks for; `form` is a strftime format, an epoch unit, or None. Raises ValueError."""
        import pandas as pd

        if not isinstance(values, list):
            if (found := self._recognised(name, values, form)) is not None:
                return found
            values = values.to_pandas()
        series = pd.Series(values)
        if pd.api.types.is_numeric_dtype(series) and (form is None or form in _UNITS):
            unit: Any = form or self.epoch_unit
            return self._instants(pd.to_datetime(series, unit=unit))
        parsed = pd.to_datetime(_texts(series) if form else series, format=None if form in _UNITS else form)
        if getattr(parsed.dtype, "tz", None) is not None:
            return parsed.dt.tz_convert(ZoneInfo(self.zone)).dt.as_unit("ns")
        return parsed if form and not _CLOCK.search(form) else self._aware(parsed)

    def _recognised(self, name: str, values: Any, form: str | None) -> pd.Series[Any] | None:
        import pyarrow as pa

        if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
            return self.from_arrow(name, values)
        if form is None and pa.types.is_string(values.type):
            return self.from_text(name, values)
        return None

    def _naive(self, name: str, values: Any) -> pd.Series[Any]:
        """Nanoseconds without a zone; what they cannot hold (the year 9999) becomes missing, with a warning."""
        import numpy as np
        import pandas as pd

        raw: Any = values.to_numpy()
        unit = np.datetime_data(raw.dtype)[0]
        limits = [np.datetime64(edge, "s").astype(raw.dtype) for edge in ("1678-01-01", "2262-01-01")]
        outside: Any = (raw < limits[0]) | (raw >= limits[1]) if unit != "ns" else np.zeros(len(raw), bool)
        if outside.any():
            log.warning(
                "column '%s': %d dates outside 1678..2261 became missing values", name, int(outside.sum())
            )
            raw = np.where(outside, np.datetime64("NaT"), raw)
        return pd.Series(raw.astype("datetime64[ns]"), copy=False)

    def _aware(self, naive: pd.Series[Any]) -> pd.Series[Any]:
        import pandas as pd

        utc = utc_of_walls(naive.to_numpy("datetime64[ns]"), ZoneInfo(self.naive_zone))
        return self._instants(pd.Series(utc, copy=False))

    def _instants(self, utc: pd.Series[Any]) -> pd.Series[Any]:
        return utc.dt.as_unit("ns").dt.tz_localize("UTC").dt.tz_convert(ZoneInfo(self.zone))


def _texts(series: pd.Series[Any]) -> pd.Series[Any]:
    """Numbers such as 20241118 as text, for a strftime format."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(series):
        return series
    return series.astype("Int64").astype("string")
