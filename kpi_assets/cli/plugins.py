"""`kpi-assets plugins`: what can be named in a report file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from kpi_assets.cli.console import out

if TYPE_CHECKING:
    from kpi_assets.registry import Plugin

Kind = Literal["datasources", "views", "outputs"]
KINDS: tuple[Kind, ...] = ("datasources", "views", "outputs")


def plugins(
    name: Annotated[str | None, typer.Argument(help="Show the arguments of this plugin.")] = None,
) -> None:
    """List the installed datasources, views and outputs; with a NAME, its arguments."""
    from kpi_assets import registry

    found = [plugin for kind in KINDS for plugin in registry.plugins(kind) if name in (None, plugin.name)]
    if name is None:
        _print_list(found)
        return
    if not found:
        from kpi_assets.errors import InputError, suggest

        known = [plugin.name for kind in KINDS for plugin in registry.plugins(kind)]
        raise InputError(f"no plugin is called '{name}': {suggest(name, known)}")
    for plugin in found:
        _print_args(plugin)


def _print_list(found: list[Plugin]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "plugin", "package", "class"):
        table.add_column(heading)
    for plugin in found:
        table.add_row(
            plugin.kind, f"[bold]{plugin.name}[/]", f"{plugin.package} {plugin.version}", plugin.target
        )
    out.print(table)


def _print_args(plugin: Plugin) -> None:
    from kpi_assets import registry

    get = {
        "datasources": registry.datasource_class,
        "views": registry.view_class,
        "outputs": registry.output_class,
    }[plugin.kind]
    cls = get(plugin.name)
    first = (cls.__doc__ or "").strip().splitlines()[:1]
    out.print(f"[bold]{plugin.name}[/] ({plugin.kind.removesuffix('s')}): {first[0] if first else ''}")
    table = Table(box=None, pad_edge=False)
    for heading in ("argument", "default", "meaning"):
        table.add_column(heading)
    for key, field in cls.Args.model_fields.items():
        default = (
            "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
        )
        table.add_row(f"[bold]{key}[/]", default, field.description or "")
    out.print(table)


def _default(value: object) -> str:
    return "" if value is None or value == "" else str(value)
