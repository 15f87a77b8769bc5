"""Arrow columns -> the frame that views get: NumPy types, zone-aware timestamps, days as naive midnights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kpi_assets.datasources.columns import Sink, as_json, is_time, whole
from kpi_assets.datasources.options import QueryOptions
from kpi_assets.datasources.times import TimeReader
from kpi_assets.logs import logger

if TYPE_CHECKING:
    import pandas as pd

log = logger(__name__)


class FrameError(ValueError):
    """The answer cannot be made into a frame as asked; the message says why."""


@dataclass(frozen=True)
class FrameMaker:
    """Makes the frame of one answer. `detect_times`: time is kept as text, so text that is all ISO is time."""

    times: TimeReader
    options: QueryOptions = field(default_factory=QueryOptions)
    detect_times: bool = False

    def frame(self, sink: Sink) -> pd.DataFrame:
        """The frame, with a plain RangeIndex. Raises FrameError."""
        import pandas as pd

        refuse_duplicates(sink.names)
        self._note_missing(sink.names)
        columns = {name: self._series(name, values) for name, values in sink.columns()}
        frame = pd.DataFrame(columns, index=pd.RangeIndex(sink.rows), copy=False)
        return self._typed(self._ordered(frame))

    def _series(self, name: str, values: Any) -> Any:
        values = _tidy(name, values)
        if name in self.options.parse_dates:
            try:
                return self.times.parse(name, values, self.options.parse_dates[name])
            except (ValueError, TypeError, OverflowError) as error:
                raise FrameError(f"parse_dates: column '{name}' cannot be read as time: {error}") from error
        if isinstance(values, list):
            return _objects(values)
        return self._from_arrow(name, values)

    def _from_arrow(self, name: str, values: Any) -> Any:
        import pyarrow as pa

        kind = values.type
        if pa.types.is_temporal(kind) and (found := self.times.from_arrow(name, values)) is not None:
            return found
        if pa.types.is_decimal(kind):
            values = _plain_number(values)
        elif pa.types.is_nested(kind):
            return _objects([None if value is None else as_json(value) for value in values.to_pylist()])
        elif pa.types.is_interval(kind):
            return _objects(
                [None if value is None else _interval_text(value) for value in values.to_pylist()]
            )
        elif pa.types.is_duration(kind):
            values = values.cast(pa.duration("ns"))
        elif pa.types.is_string(kind) and self.detect_times:
            found = self.times.from_text(name, values)
            if found is not None:
                return found
        return values.to_pandas()

    def _ordered(self, frame: pd.DataFrame) -> pd.DataFrame:
        first = self.options.index_col
        _refuse_unknown(first, frame.columns, "index_col")
        if not first:
            return frame
        return frame[[*first, *(name for name in frame.columns if name not in first)]]

    def _typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        for column, kind in self.options.dtype.items():
            _refuse_unknown([] if column is None else [column], frame.columns, "dtype")
            wanted: Any = kind if column is None else {column: kind}
            try:
                frame = frame.astype(wanted)
            except (TypeError, ValueError) as error:
                raise FrameError(f"dtype: {column or 'the columns'} cannot become {kind}: {error}") from error
        return frame

    def _note_missing(self, names: Sequence[str]) -> None:
        missing = [name for name in self.options.parse_dates if name not in names]
        if missing:
            log.warning("parse_dates names %s, but the columns are %s", ", ".join(missing), ", ".join(names))


def refuse_duplicates(names: Sequence[str], advice: str = "give one of them another name with AS") -> None:
    """Raises FrameError when two columns share a name."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise FrameError(f"two columns are called '{twice[0]}': {advice}")


def _refuse_unknown(wanted: Sequence[str], names: Any, what: str) -> None:
    for name in wanted:
        if name not in names:
            raise FrameError(f"{what}: no column '{name}'; the columns are {', '.join(map(str, names))}")


def _tidy(name: str, values: Any) -> Any:
    """A list that is time except for MySQL's zero dates (which its driver gives as text) becomes time with gaps."""
    if not isinstance(values, list):
        return values
    strangers = [value for value in values if value is not None and not is_time(value)]
    if not strangers or not all(isinstance(value, str) and value.startswith("0000-") for value in strangers):
        return values
    log.warning("column '%s': %d zero dates (0000-00-00) became missing values", name, len(strangers))
    return whole([value if is_time(value) else None for value in values])


def _objects(values: list[Any]) -> Any:
    import pandas as pd

    return pd.Series(values, dtype=object)


def _plain_number(values: Any) -> Any:
    """Decimals as floats; those without decimals (DuckDB's sums of integers) as integers while they fit."""
    import pyarrow as pa

    if values.type.scale == 0:
        try:
            return values.cast(pa.int64())
        except pa.ArrowInvalid:
            return values.cast(pa.float64())
    return values.cast(pa.float64())


def _interval_text(value: Any) -> str:
    parts = [(value.months, "months"), (value.days, "days"), (value.nanoseconds / 1e9, "seconds")]
    return " ".join(f"{number:g} {unit}" for number, unit in parts if number) or "0 seconds"
