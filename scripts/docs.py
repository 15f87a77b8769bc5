"""Writes docs/reference.md from the models and plugins, so that the reference cannot go stale.

`python -m scripts.docs` writes it; `--check` ends with 1 when the file on disk says something else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kpi_assets import registry
from kpi_assets.config import models

TARGET = Path(__file__).resolve().parents[1] / "docs" / "reference.md"
SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The report file", models.ReportConfig),
    ("`theme`", models.ThemeConfig),
    ("`datasources.<id>`", models.DatasourceConfig),
    ("`queries.<id>`", models.QueryConfig),
    ("`queries.<id>.columns.<column>`", models.ColumnConfig),
    ("`views.<id>`", models.ViewConfig),
    ("`outputs.<id>`", models.OutputConfig),
    ("`partitions`", models.PartitionsConfig),
    ("`schedule`", models.ScheduleConfig),
    ("`when`", models.WhenConfig),
    ("`recipients`", models.RecipientsConfig),
)
KINDS: tuple[tuple[registry.Kind, str, Any], ...] = (
    ("datasources", "Datasources", registry.datasource_class),
    ("views", "Views", registry.view_class),
    ("outputs", "Outputs", registry.output_class),
)


def reference() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Reference"
    yield ""
    yield "Made by `make docs` from the models; `kpi-assets plugins NAME` prints the same at the terminal."
    for heading, model in SECTIONS:
        yield from ("", f"## {heading}", "", _first_line(model), "")
        yield from _table(model)
    for kind, heading, get in KINDS:
        yield from ("", f"## {heading}")
        for plugin in registry.plugins(kind):
            if plugin.package != "kpi-assets":
                continue
            cls = get(plugin.name)
            yield from ("", f"### `{plugin.name}`", "", cleandoc(cls.__doc__ or ""), "")
            yield from _table(cls.Args)


def _table(model: type[BaseModel]) -> Iterator[str]:
    yield "| key | default | meaning |"
    yield "|---|---|---|"
    for name, field in model.model_fields.items():
        default = (
            "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
        )
        meaning = (field.description or "").replace("|", "\\|").replace("\n", " ")
        yield f"| `{field.alias or name}` | {default} | {meaning} |"


def _default(value: Any) -> str:
    if isinstance(value, BaseModel):
        return "see below"
    return "" if value is None or value in ("", (), {}, []) else f"`{value}`"


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def main() -> int:
    text = reference()
    if "--check" in sys.argv:
        same = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
        return 0 if same else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
