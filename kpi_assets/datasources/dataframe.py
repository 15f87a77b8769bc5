"""`plugin: dataframe`: frames that Python code registered by name, for tests and notebooks."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from pydantic import Field

from kpi_assets.contracts import Datasource, PluginArgs, Query, QueryAnalysis, Window
from kpi_assets.datasources.cut import CutError, cut
from kpi_assets.datasources.frame import FrameError, refuse_duplicates
from kpi_assets.errors import PluginError, QueryError, suggest

if TYPE_CHECKING:
    import pandas as pd

    Registered = pd.DataFrame | Callable[[Window], pd.DataFrame]

_registered: dict[str, Registered] = {}


def register_frame(name: str, frame: Registered) -> None:
    """Make a frame known to this process under a name; a second one of the same name replaces the first.

    A callable is asked for the frame of each window, in the thread that fetches.
    """
    _registered[name] = frame


def forget_frame(name: str) -> None:
    """Undo `register_frame`; nothing happens when the name is not known."""
    _registered.pop(name, None)


class DataframeArgs(PluginArgs):
    """Frames registered with `kpi_assets.datasources.dataframe.register_frame`; a query's text is a frame's name."""

    time_column: str | None = Field(
        None, description="Column that frames are cut to the window by; query_args.time_column goes first."
    )
    module: str | None = Field(None, description="Python module imported first: the one that registers them.")


class DataframeDatasource(Datasource):
    """Registered frames; they are copied, never changed."""

    Args = DataframeArgs
    kinds = ("pandas",)

    @classmethod
    def analyse(cls, query: Query, args: Any) -> QueryAnalysis:
        column = _time_column(query, args)
        if not query.text.strip():
            raise QueryError(query.id, query.datasource, "the query is empty: write the name of a frame")
        if column is None:
            return QueryAnalysis("window", "no time_column is named", tables=(query.text.strip(),))
        return QueryAnalysis("day", f"rows are cut to the window by {column}", column, (query.text.strip(),))

    def query(self, query: Query, window: Window) -> pd.DataFrame:
        column = _time_column(query, self.args)
        found = self._frame(query, window)
        try:
            frame = _plain(found, window)
            return frame if column is None else cut(frame, column, window, "make it time with pd.to_datetime")
        except (FrameError, CutError) as error:
            raise QueryError(query.id, self.id, str(error)) from error

    def _frame(self, query: Query, window: Window) -> pd.DataFrame:
        import pandas as pd

        name = query.text.strip()
        self._import()
        if name not in _registered:
            hint = suggest(name, _registered)
            raise QueryError(query.id, self.id, f"no frame is registered as '{name}' in this process: {hint}")
        found = _registered[name]
        frame = cast(object, found(window) if callable(found) else found)
        if not isinstance(frame, pd.DataFrame):
            made = "makes" if callable(found) else "is"
            raise QueryError(query.id, self.id, f"'{name}' {made} {type(frame).__name__}, not a DataFrame")
        return frame

    def _import(self) -> None:
        module: str | None = self.args.module
        if module is None:
            return
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise PluginError(
                f"datasource '{self.id}': module '{module}' cannot be imported: {error}"
            ) from error


def _time_column(query: Query, args: DataframeArgs) -> str | None:
    for name in query.args:
        if name != "time_column":
            hint = suggest(name, ["time_column"])
            raise QueryError(query.id, query.datasource, f"query_args: no argument '{name}': {hint}")
    named: Mapping[str, Any] = query.args
    found = named.get("time_column", args.time_column)
    return None if found is None else str(found)


def _plain(frame: pd.DataFrame, window: Window) -> pd.DataFrame:
    """A copy as views get it: a named index becomes a column, aware times are of the window's zone.

    Raises FrameError for columns, or an index and a column, of one name.
    """
    import pandas as pd

    named = any(name is not None for name in frame.index.names)
    made = frame.reset_index(drop=not named, allow_duplicates=True)
    made.columns = [str(name) for name in made.columns]
    refuse_duplicates(list(made.columns), "rename one of them; a named index is a column too")
    columns = {name: _placed(made[name], window) for name in made.columns}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(made))).copy()


def _holds_time(values: pd.Series[Any]) -> bool:
    """Whether it is time in another dress than pandas' own: of pyarrow, or Python's dates."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(values.dtype, pd.ArrowDtype):
        kind = values.dtype.pyarrow_dtype
        return pa.types.is_timestamp(kind) or pa.types.is_date(kind)
    return values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) == "date"


def _placed(values: pd.Series[Any], window: Window) -> pd.Series[Any]:
    """Moments without a zone are taken as the window's; naive midnights stay days, as do Python's dates."""
    import pandas as pd
    import pyarrow as pa

    from kpi_assets.datasources.times import TimeReader

    if _holds_time(values):
        try:
            values = pd.to_datetime(values.astype(object))
        except pd.errors.OutOfBoundsDatetime:
            return values
    if not pd.api.types.is_datetime64_any_dtype(values):
        return values
    if values.dt.tz is None and (values.dropna() == values.dropna().dt.normalize()).all():
        return values.dt.as_unit("ns")
    arrow = pa.chunked_array([pa.Array.from_pandas(values)])
    made = TimeReader(window.zone, window.zone).from_arrow(str(values.name), arrow)
    return values if made is None else made
