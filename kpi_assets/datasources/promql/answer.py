"""Prometheus' JSON -> points -> the frame: time, value, and a column per label."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

OWN = ("time", "value")


class AnswerError(Exception):
    """The answer cannot be made into rows; the message says why."""


class TooManyPointsError(AnswerError):
    """There are more points than are taken."""


@dataclass(frozen=True)
class Series:
    """One series of an answer: milliseconds since 1970, and a number for each."""

    labels: Mapping[str, str]
    times: np.ndarray[Any, np.dtype[np.int64]]
    values: np.ndarray[Any, np.dtype[np.float64]]


def points_of(data: Any) -> Iterator[Series]:
    """The series of a `data` field. Raises AnswerError for what is no matrix, and for native histograms."""
    try:
        kind, result = data["resultType"], data["result"]
        if kind != "matrix":
            raise AnswerError(f"a range query should give a matrix, but the server answers with a {kind}")
        for item in result:
            if item.get("histograms"):
                raise AnswerError(
                    "it gives native histograms, which are no numbers: "
                    "take histogram_quantile(), histogram_count() or histogram_sum() of them"
                )
            yield _series(item["metric"], item["values"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise AnswerError(f"the answer is malformed ({type(error).__name__})") from None


def _series(labels: Any, values: Any) -> Series:
    times = np.fromiter((float(time) * 1000 for time, _ in values), np.float64, len(values))
    numbers = np.array([value for _, value in values], dtype=np.float64)  # reads NaN, +Inf and -Inf too
    named = {str(name): str(text) for name, text in labels.items()}
    return Series(named, np.rint(times).astype(np.int64), numbers)


@dataclass
class Points:
    """The points of all parts of a query, at most `most`."""

    most: int
    parts: list[Series] = field(default_factory=list)
    count: int = 0

    def add(self, series: Series) -> None:
        self.count += len(series.times)
        if self.count > self.most:
            raise TooManyPointsError(
                f"the answer has more than {self.most} points: aggregate in the query, take a longer `step`, "
                "or raise `max_rows`"
            )
        if len(series.times):
            self.parts.append(series)

    def frame(self, zone: str) -> pd.DataFrame:
        """Rows by time, then by labels: the same order whether a window came whole or by days.

        A label that a series does not have is missing. One called time or value is renamed as Prometheus does with
        labels that clash: exported_time. Without points there are no columns either: nobody knows the labels.
        """
        import pandas as pd

        if not self.count:
            return pd.DataFrame(index=pd.RangeIndex(0))
        labels = sorted({name for part in self.parts for name in part.labels})
        parts = sorted(self.parts, key=lambda part: [part.labels.get(name, "") for name in labels])
        sizes = [len(part.times) for part in parts]
        times: Any = np.concatenate([part.times for part in parts])
        order = np.argsort(times, kind="stable")
        moments = pd.Series(times[order].astype("datetime64[ms]")).dt.as_unit("ns").dt.tz_localize("UTC")
        columns: dict[str, Any] = {
            "time": moments.dt.tz_convert(ZoneInfo(zone)),
            "value": np.concatenate([part.values for part in parts])[order],
        }
        for name in labels:
            texts = np.array([part.labels.get(name) for part in parts], dtype=object)
            columns[_free(name, labels)] = np.repeat(texts, sizes)[order]
        return pd.DataFrame(columns, index=pd.RangeIndex(len(order)))


def _free(name: str, labels: list[str]) -> str:
    if name not in OWN:
        return name
    name = f"exported_{name}"
    while name in labels:
        name = f"exported_{name}"
    return name
