"""`kpi-assets init`: a project that a user can start from."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from kpi_assets.cli.console import err
from kpi_assets.errors import InputError

GITIGNORE = ".env\n.kpi_assets/\n_build/\npreview/\n"
ENV_EXAMPLE = (
    "# copy to .env and export before a run; refer to it in reports as {env: SHOP_PASSWORD}\nSHOP_PASSWORD=\n"
)
WORKSPACE = "load_from:\n  - python_module: kpi_assets.definitions\n"


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
) -> None:
    """Make a project: a report on sample data, a schema for your editor, a workspace for Dagster."""
    from kpi_assets.cli.schema import installed_schema
    from kpi_assets.demo import seed

    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty; name a new folder, nothing was written")
    templates = files("kpi_assets.cli").joinpath("project")
    contents = {
        "reports/weekly.yaml": templates.joinpath("weekly.yaml").read_text(encoding="utf-8"),
        "README.md": templates.joinpath("README.md").read_text(encoding="utf-8"),
        ".gitignore": GITIGNORE,
        ".env.example": ENV_EXAMPLE,
        "workspace.yaml": WORKSPACE,
        "kpi-assets.schema.json": json.dumps(installed_schema(), indent=1, ensure_ascii=False) + "\n",
    }
    for name, text in contents.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    (folder / "data").mkdir()
    seed(folder / "data" / "sample.db")
    err.print(f"made [bold]{folder}[/]; next:")
    err.print(f"  cd {folder}\n  kpi-assets preview -c reports/weekly.yaml --open", markup=False)
