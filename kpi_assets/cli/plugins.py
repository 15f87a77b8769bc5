"""`kpi-assets plugins`: what can be named in a report file, and how to add to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from kpi_assets.cli.console import err, out

if TYPE_CHECKING:
    from kpi_assets.registry import Plugin

Kind = Literal["datasources", "views", "outputs"]
KINDS: tuple[Kind, ...] = ("datasources", "views", "outputs")
UNBROKEN = 1_000
"""Characters in a line that no list needs."""


class _NamesArePlugins(TyperGroup):
    """`plugins plot` is short for `plugins show plot`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        known = not args or args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(ctx, args if known else ["show", *args])


app = typer.Typer(
    cls=_NamesArePlugins,
    invoke_without_command=True,
    subcommand_metavar="[NAME | COMMAND [ARGS]...]",
    help="List the installed datasources, views and outputs; with a NAME, its arguments.",
)


@app.callback()
def plugins(context: typer.Context) -> None:
    """List the installed datasources, views and outputs; with a NAME, its arguments."""
    from kpi_assets import registry

    if context.invoked_subcommand is None:
        _print_list([plugin for kind in KINDS for plugin in registry.plugins(kind)])


@app.command("new")
def new(
    kind: Annotated[Literal["datasource", "view", "output"], typer.Argument(help="What it is.")],
    name: Annotated[str, typer.Argument(help="What report files call it, e.g. weather or acme.weather.")],
    folder: Annotated[Path, typer.Option("--dir", help="Where the package's folder is made.")] = Path(),
) -> None:
    """Make an installable package for a plugin of your own: code that works, a README and its tests."""
    from kpi_assets.cli.plugin_kit import make_plugin

    made = make_plugin(kind, name, folder)
    err.print(f"made [bold]{made}[/]; next:")
    err.print(f"  cd {made}\n  pip install -e . pytest\n  pytest\n  kpi-assets plugins {name}", markup=False)
    out.print(str(made), markup=False)


@app.command("show")
def show(name: Annotated[str, typer.Argument(help="Name of a plugin.")]) -> None:
    """Show the arguments of a plugin."""
    from kpi_assets import registry

    found = [plugin for kind in KINDS for plugin in registry.plugins(kind) if plugin.name == name]
    if not found:
        from kpi_assets.errors import InputError, suggest

        known = [plugin.name for kind in KINDS for plugin in registry.plugins(kind)]
        raise InputError(f"no plugin is called '{name}': {suggest(name, known)}")
    for plugin in found:
        _print_args(plugin)


def _print_list(found: list[Plugin]) -> None:
    table = _table("kind", "plugin", "package", "class")
    for plugin in found:
        table.add_row(
            plugin.kind, f"[bold]{plugin.name}[/]", f"{plugin.package} {plugin.version}", plugin.target
        )
    (out if out.is_terminal else Console(width=UNBROKEN, highlight=False)).print(
        table
    )  # in a pipe a line each


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
    table = _table("argument", "default", "meaning")
    for key, field in cls.Args.model_fields.items():
        default = (
            "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
        )
        table.add_row(f"[bold]{key}[/]", default, field.description or "")
    out.print(table)


def _table(*headings: str) -> Table:
    """No word of it is cut: where there is little room, cells go on in the next line, the first columns last."""
    table = Table(box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=place < len(headings) // 2)
    return table


def _default(value: object) -> str:
    return "" if value is None or value == "" else str(value)
