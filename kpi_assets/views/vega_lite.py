"""The reader's own Vega-Lite chart over the rows of one or several queries."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from pydantic import Field, field_validator, model_validator

from kpi_assets.contracts import Block, Need, PluginArgs, RenderContext, View
from kpi_assets.errors import ViewError, suggest
from kpi_assets.views.asking import QueryRef, need
from kpi_assets.views.composing import compose, days_of, measure_of

if TYPE_CHECKING:
    import pandas as pd

    from kpi_assets.views.charts.canvas import Canvas

MAIN = "data"
MOST_ROWS = 20_000
COMPOSED = ("hconcat", "vconcat", "concat", "repeat", "facet")
BODIES = ("mark", "layer", *COMPOSED)


class DatasetArgs(PluginArgs):
    """One more query, whose rows the spec names `{name: ...}`."""

    datasource: str | None = Field(None, description="Id of the datasource; default: the view's.")
    query: str | QueryRef = Field(description="Text of the query, or {ref: id}.")
    query_args: dict[str, Any] = Field(default_factory=dict, description="Options of the datasource.")


class VegaLiteArgs(PluginArgs):
    """A Vega-Lite specification and the queries that fill it."""

    datasource: str | None = Field(None, description="Id of the datasource.")
    query: str | QueryRef | None = Field(None, description="Its rows are the data, and the data set `data`.")
    query_args: dict[str, Any] = Field(default_factory=dict, description="Options of the datasource.")
    datasets: dict[str, DatasetArgs] = Field(
        default_factory=dict, description="More queries by data set name."
    )
    spec: dict[str, Any] = Field(description="Vega-Lite specification; the theme lies beneath its `config`.")
    alt: str = Field("", description="The chart in words, for those who cannot see it; state the finding.")
    height: int | None = Field(None, ge=80, le=2000, description="Height in CSS pixels, where spec has none.")
    link_url: str | None = Field(None, description="Where a click on the chart leads.")

    @field_validator("spec")
    @classmethod
    def _drawable(cls, spec: dict[str, Any]) -> dict[str, Any]:
        if not any(key in spec for key in BODIES):
            raise ValueError(f"the specification draws nothing: give it one of {', '.join(BODIES)}")
        for path, url in _urls(spec):
            if not url.startswith("data:"):
                raise ValueError(
                    f"{path} is an address: a report loads nothing from elsewhere; "
                    "name the rows of a query ({name: ...} of `datasets`) instead"
                )
        if problem := schema_problem(spec):
            raise ValueError(problem)
        return spec

    @model_validator(mode="after")
    def _has_data(self) -> VegaLiteArgs:
        names = {*self.datasets, *self.spec.get("datasets", {})} | (
            {MAIN} if self.query is not None else set()
        )
        if MAIN in self.datasets and self.query is not None:
            raise ValueError("the data set `data` is given twice: by query and under datasets")
        for name in _named(self.spec):
            if name not in names:
                raise ValueError(
                    f"spec names the data set '{name}', which is not given: {suggest(name, names)}"
                )
        return self


class VegaLiteView(View):
    """A free-form chart, drawn under the theme."""

    Args = VegaLiteArgs
    kinds = ("vegalite",)

    args: VegaLiteArgs

    def needs(self) -> Mapping[str, Need]:
        args = self.args
        found: dict[str, Need] = {}
        if args.query is not None:
            found["query"] = need(args.query, args.datasource, args.query_args)
        for name, one in args.datasets.items():
            found[f"datasets_{name}"] = need(one.query, one.datasource or args.datasource, one.query_args)
        return found

    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        from kpi_assets.views.charts.picture import draw

        data = {
            (MAIN if role == "query" else role.removeprefix("datasets_")): rows_of(frame, context.view)
            for role, frame in frames.items()
        }
        measure = measure_of(context)
        picture = draw(
            lambda canvas: self._spec(data, canvas),
            context,
            self.args.alt or f"{measure}, {days_of(context)}.",
            title=measure,
            link_url=self.args.link_url,
        )
        count = sum(len(frame) for frame in frames.values())
        nothing = bool(frames) and count == 0
        return compose(
            context,
            "vega_lite",
            (picture,),
            rows=count,
            note="There are no rows in this window." if nothing else "",
            status="empty" if nothing else "ok",
        )

    def _spec(self, data: Mapping[str, list[dict[str, Any]]], canvas: Canvas) -> dict[str, Any]:
        """The user's specification with rows, and with the canvas's size where it sets none."""
        spec = copy.deepcopy(self.args.spec)
        spec["datasets"] = {**spec.get("datasets", {}), **data}
        if "data" not in spec and MAIN in data:
            spec["data"] = {"name": MAIN}
        if not any(key in spec for key in COMPOSED):
            spec.setdefault("width", canvas.width)
            spec.setdefault("height", self.args.height or canvas.height())
        return {**spec, "autosize": spec.get("autosize") or _autosize(spec)}


def schema_problem(spec: Mapping[str, Any]) -> str:
    """What Vega-Lite's schema has against a specification, in a sentence; empty where nothing."""
    import altair
    from jsonschema import ValidationError

    try:
        altair.Chart.from_dict({"data": {"name": MAIN}, **spec})
    except ValidationError as error:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        return f"spec{where} is not Vega-Lite: {error.message[:300]}"
    return ""


def _autosize(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Labels are taken from the given size where it is one; steps and composed charts grow as they need."""
    wide, high = (isinstance(spec.get(side), int | float) for side in ("width", "height"))
    kinds = {(True, True): "fit", (True, False): "fit-x", (False, True): "fit-y", (False, False): "pad"}
    return {"type": kinds[wide, high], "contains": "padding"}


def rows_of(frame: pd.DataFrame, view: str) -> list[dict[str, Any]]:
    """Rows as Vega-Lite reads them: times as the report's wall clock, missing values as null."""
    if len(frame) > MOST_ROWS:
        raise ViewError(
            view,
            f"{len(frame):,} rows are too many to put into a chart (at most {MOST_ROWS:,}); group them in the query",
        )
    columns = {str(name): _plain(frame[name]) for name in frame.columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(column: pd.Series[Any]) -> list[Any]:
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        texts = column.dt.strftime("%Y-%m-%dT%H:%M:%S")
        return [None if pd.isna(text) else text for text in texts]
    return [_value(value) for value in column.tolist()]


def _value(value: Any) -> Any:
    import math
    from datetime import date, datetime
    from decimal import Decimal

    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, datetime | date):
        return f"{value:%Y-%m-%dT%H:%M:%S}" if value == value else None  # noqa: PLR0124 - NaT differs from itself
    text = str(value)
    return None if text in {"<NA>", "NaT", "nan"} else text


def _urls(node: Any, path: str = "spec") -> Iterator[tuple[str, str]]:
    """Every address that drawing would load: `url` of data, look-ups and images."""
    if isinstance(node, Mapping):
        for key, value in cast("Mapping[str, Any]", node).items():
            if key == "url" and isinstance(value, str):
                yield f"{path}.{key}", value
            elif key == "url" and isinstance(value, Mapping) and isinstance(value.get("value"), str):
                yield f"{path}.{key}.value", str(value["value"])
            elif key != "datasets":
                yield from _urls(value, f"{path}.{key}")
    elif isinstance(node, list):
        for i, value in enumerate(cast("list[Any]", node)):
            yield from _urls(value, f"{path}[{i}]")


def _named(node: Any) -> Iterator[str]:
    """Names of all data sets that a specification reads."""
    if isinstance(node, Mapping):
        for key, value in cast("Mapping[str, Any]", node).items():
            if key == "data" and isinstance(value, Mapping):
                if isinstance(value.get("name"), str) and "values" not in value and "sequence" not in value:
                    yield str(value["name"])
            elif key != "datasets":
                yield from _named(value)
    elif isinstance(node, list):
        for value in cast("list[Any]", node):
            yield from _named(value)
