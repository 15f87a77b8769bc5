"""`kpi-assets plugins new`: an installable package for a plugin, whose tests pass before a line of it is changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal

from kpi_assets.errors import InputError

Kind = Literal["datasource", "view", "output"]
KINDS: tuple[Kind, ...] = ("datasource", "view", "output")
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


def make_plugin(kind: Kind, name: str, folder: Path) -> Path:
    """Write the package into a folder of its own below `folder`, and return that. Raises InputError."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"'{name}' cannot be a plugin's name: write small letters, digits and _, with dots between"
        )
    words = re.split(r"[._]+", name.strip("_"))
    dist, module = f"kpi-assets-{'-'.join(words)}", f"kpi_assets_{'_'.join(words)}"
    stem = "".join(word.capitalize() for word in words)
    place = folder / dist
    if place.exists():
        raise InputError(f"{place} is there already: name another --dir, nothing was written")
    variables = {"kind": kind, "name": name, "dist": dist, "module": module, "stem": stem}
    variables["cls"] = f"{stem}{kind.capitalize()}"
    for path, text in _contents(kind, variables).items():
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return place


def _contents(kind: Kind, variables: Mapping[str, str]) -> dict[str, str]:
    """Path in the package -> text."""
    module = variables["module"]
    places = {
        "shared/pyproject.toml": "pyproject.toml",
        f"{kind}/README.md": "README.md",
        f"{kind}/__init__.py": f"src/{module}/__init__.py",
        f"{kind}/test_plugin.py": f"tests/test_{module}.py",
    }
    if kind == "datasource":
        places["datasource/sample.csv"] = "sample.csv"
    kit = files("kpi_assets.cli.plugin_kit")
    made = {
        target: Template(kit.joinpath(f"{source}.tmpl").read_text(encoding="utf-8")).substitute(variables)
        for source, target in places.items()
    }
    return {**made, f"src/{module}/py.typed": ""}
