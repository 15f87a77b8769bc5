"""A block as a picture small enough for Dagster's UI, which hides Markdown of more than about 1,000 characters."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kpi_assets.assets.markdown import escaped
from kpi_assets.contracts import Block, Cell, Picture, Stat, Stats, Table

LIMIT = 1000
WIDTH, HEIGHT, POINTS, SERIES = 160, 40, 24, 2
DRAWN = ("line", "area", "bar", "point")
INKS = ("#2b62d9", "#c8800d")

Line = list[float]


def thumbnail(block: Block) -> str:
    """Markdown that stands for the block, under LIMIT characters; empty where nothing small can."""
    text = _figures(block) or _picture(block) or _rows(block)
    return text if len(text) < LIMIT else ""


def spec_without_data(picture: Picture) -> dict[str, Any]:
    """The picture's Vega-Lite spec with every inline dataset taken out."""
    return _stripped(json.loads(picture.spec)) if picture.spec else {}


def _figures(block: Block) -> str:
    """Key figures say more as text than as a picture."""
    stats: list[Stat] = []
    for element in block.elements:
        stats += (
            [element] if isinstance(element, Stat) else element.stats if isinstance(element, Stats) else []
        )
    return "\n".join(f"- {escaped(_figure(stat))}" for stat in stats[:8])


def _figure(stat: Stat) -> str:
    change = f" ({stat.change.text})" if stat.change else ""
    return f"{stat.label}: {stat.value}{change}" if stat.label else f"{stat.value}{change}"


def _picture(block: Block) -> str:
    for picture in block.pictures:
        lines, bars = _series(picture)
        if lines:
            svg = base64.b64encode(_svg(lines, bars=bars).encode()).decode()
            return f"![chart](data:image/svg+xml;base64,{svg})"
    return ""


def _series(picture: Picture) -> tuple[list[Line], bool]:
    """The lines behind a chart, thinned, and whether they are bars: of the drawn unit that tells most."""
    spec = json.loads(picture.spec) if picture.spec else {}
    datasets = spec.get("datasets", {})
    found = [(unit["mark"], _lines(unit, datasets)) for unit in _units(spec, {}, {}) if unit["mark"] in DRAWN]
    mark, lines = max(found, key=_weight, default=("", []))
    return [_thin(line) for line in lines], mark == "bar"


def _lines(unit: Mapping[str, Any], datasets: Mapping[str, Any]) -> list[Line]:
    """The numbers of a unit by group; a line of one value or of one height tells nothing."""
    value = _value_field(unit["encoding"])
    group = _field(unit["encoding"], "color") or _field(unit["encoding"], "detail")
    groups: dict[str, Line] = {}
    for row in _values(unit["data"], datasets):
        number = row.get(value or "")
        if isinstance(number, int | float):
            groups.setdefault(str(row.get(group or "")), []).append(float(number))
    return [line for line in groups.values() if len(set(line)) > 1][:SERIES]


def _weight(found: tuple[str, list[Line]]) -> tuple[bool, int]:
    """Lines and bars before dots, then by how many different values there are."""
    mark, lines = found
    return bool(lines) and mark != "point", sum(len(set(line)) for line in lines)


def _units(
    spec: Mapping[str, Any], data: Mapping[str, Any], encoding: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Every drawn unit of a spec with the data and encoding that it inherits."""
    data, encoding = spec.get("data", data), {**encoding, **spec.get("encoding", {})}
    mark = spec.get("mark")
    if mark is not None:
        yield {
            "mark": mark.get("type") if isinstance(mark, dict) else mark,
            "data": data,
            "encoding": encoding,
        }
    inner = [spec["spec"]] if isinstance(spec.get("spec"), dict) else []
    for child in [*spec.get("layer", []), *spec.get("hconcat", []), *spec.get("vconcat", []), *inner]:
        yield from _units(child, data, encoding)


def _values(data: Mapping[str, Any], datasets: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    values = data.get("values") or datasets.get(data.get("name", ""), [])
    return [row for row in values if isinstance(row, dict)] if isinstance(values, list) else []


def _field(encoding: Mapping[str, Any], channel: str) -> str | None:
    found = encoding.get(channel)
    return found.get("field") if isinstance(found, dict) else None


def _value_field(encoding: Mapping[str, Any]) -> str | None:
    """The field drawn as a length or height: the y axis, or x for lying bars."""
    for channel in ("y", "x"):
        axis = encoding.get(channel)
        if isinstance(axis, dict) and axis.get("type") == "quantitative" and axis.get("field"):
            return axis["field"]
    return None


def _thin(line: Line) -> Line:
    """At most POINTS values, evenly chosen, the last one always among them."""
    if len(line) <= POINTS:
        return line
    step = (len(line) - 1) / (POINTS - 1)
    return [line[round(i * step)] for i in range(POINTS)]


def _svg(lines: Sequence[Line], *, bars: bool) -> str:
    low, high = min(min(line) for line in lines), max(max(line) for line in lines)
    low = min(0.0, low) if bars else low
    scale = (HEIGHT - 4) / ((high - low) or 1.0)
    paths: list[str] = []
    for ink, line in zip(INKS, lines, strict=False):
        across = _across(len(line), bars=bars)
        points = [(x, round(HEIGHT - 2 - (v - low) * scale)) for x, v in zip(across, line, strict=True)]
        way = _bars(points) if bars else "M" + "L".join(f"{x} {y}" for x, y in points)
        paths.append(f'<path d="{way}" stroke="{ink}"/>')
        if bars:
            break
    width = max(2, round((WIDTH - 4) / len(lines[0]) * 0.6)) if bars else 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" fill="none" '
        f'stroke-width="{width}">{"".join(paths)}</svg>'
    )


def _across(count: int, *, bars: bool) -> list[int]:
    """Where each value stands: a line goes from edge to edge, a bar stands in the middle of a share of its own."""
    if bars:
        return [round((i + 0.5) * WIDTH / count) for i in range(count)]
    return [round(2 + i * (WIDTH - 4) / (count - 1)) for i in range(count)]


def _bars(points: Sequence[tuple[int, int]]) -> str:
    return "".join(f"M{x} {HEIGHT}V{y}" for x, y in points)


def _rows(block: Block) -> str:
    """The first rows of a table, as a Markdown table."""
    for element in block.elements:
        if isinstance(element, Table) and element.rows:
            head = [column.label for column in element.columns]
            lines = [_row(head), _row(["---"] * len(head)), *(_row(_texts(row)) for row in element.rows[:5])]
            return "\n".join(lines)
    return ""


def _texts(row: Sequence[Cell]) -> list[str]:
    return [escaped(cell.text) for cell in row]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _stripped(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: _stripped(value)
            for key, value in node.items()
            if key != "datasets" and not (key == "data" and isinstance(value, dict) and not value.get("url"))
        }
    return [_stripped(item) for item in node] if isinstance(node, list) else node
