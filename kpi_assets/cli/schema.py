"""`kpi-assets schema`: the JSON Schema of report files, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from kpi_assets.cli.console import err


def schema(
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file instead.")] = None,
) -> None:
    """Print the JSON Schema of report files, with every installed plugin's arguments.

    In VS Code, put this at the top of a report: # yaml-language-server: $schema=./kpi-assets.schema.json
    """
    text = json.dumps(installed_schema(), indent=1, ensure_ascii=False)
    if out is None:
        typer.echo(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")
        err.print(f"wrote {out}")


def installed_schema() -> dict[str, object]:
    """The schema with the arguments of every plugin that can be imported here."""
    from kpi_assets import registry
    from kpi_assets.config.schema import report_schema
    from kpi_assets.errors import PluginError

    load = {
        "datasources": registry.datasource_class,
        "views": registry.view_class,
        "outputs": registry.output_class,
    }
    models: dict[str, dict[str, type]] = {}
    for kind, get in load.items():
        models[kind] = {}
        for plugin in registry.plugins(kind):  # pyright: ignore[reportArgumentType]
            try:
                models[kind][plugin.name] = get(plugin.name).Args
            except PluginError as error:
                err.print(f"[yellow]left out[/] {error}")
    return report_schema(models)
