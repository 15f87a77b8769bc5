"""What holds for the project as a whole: packaging, import rules, start-up cost, how tests are written."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import kpi_assets
from kpi_assets import demo
from kpi_assets.contracts import Datasource, Output, PluginArgs, View

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kpi_assets"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENTRY_POINTS: dict[str, dict[str, str]] = {
    group: plugins
    for group, plugins in PROJECT["project"]["entry-points"].items()
    if group.startswith("kpi_assets.")
}
PLUGINS = [(group, name) for group, points in ENTRY_POINTS.items() for name in points]
KINDS = {"datasources": Datasource, "views": View, "outputs": Output}
HEAVY = ("dagster", "pandas", "altair", "vl_convert", "sqlalchemy", "sqlglot", "weasyprint", "jinja2")


# ---------------------------------------------------------------- packaging


def test_version_is_said_once() -> None:
    """The package's version is the project's."""
    assert PROJECT["project"]["version"] == kpi_assets.__version__


def test_changelog_has_a_place_for_the_next_change() -> None:
    """The changelog starts with what is not released yet."""
    headings = re.findall(r"^## .*$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "## [Unreleased]"


def test_licence_is_the_whole_text() -> None:
    """The licence file holds the Apache License 2.0 from its title to its appendix."""
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


@pytest.mark.parametrize(("group", "name"), PLUGINS, ids=lambda value: value)
def test_built_in_plugin_keeps_its_contract(group: str, name: str) -> None:
    """Every plugin that we register can be imported, is of its kind, and refuses unknown arguments."""
    module, _, attribute = ENTRY_POINTS[group][name].partition(":")
    plugin = getattr(importlib.import_module(module), attribute)
    assert issubclass(plugin, KINDS[group.removeprefix("kpi_assets.")])
    assert issubclass(plugin.Args, PluginArgs)
    assert (plugin.Args.model_config["extra"], plugin.Args.model_config["frozen"]) == ("forbid", True)


def test_every_folder_is_a_package() -> None:
    """A folder with Python files has an `__init__.py`, so the wheel and the tests hold it."""
    folders = {path.parent for top in (PACKAGE, ROOT / "kpi_assets_tests") for path in top.rglob("*.py")}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_data_files_are_packaged() -> None:
    """Every file of the package that is not Python matches a pattern of the wheel's data files."""
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["kpi_assets"]
    packaged = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    data = {path for path in PACKAGE.rglob("*.*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert [str(path.relative_to(ROOT)) for path in sorted(data - packaged)] == []


def test_lock_is_exact() -> None:
    """Every locked dependency has one version and hashes."""
    lock = (ROOT / "requirements" / "dev.lock").read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in lock.splitlines() if line.strip()]
    assert [line for line in lines if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:", line)] == []


# ---------------------------------------------------------------- import rules and start-up


def test_import_rules_hold() -> None:
    """Imports run one way, and each heavy library is imported where the architecture says."""
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", [("--help",), ("--version",), ("run", "--help")], ids=" ".join)
def test_help_is_quick(command: tuple[str, ...]) -> None:
    """Asking for help loads none of the heavy libraries."""
    assert _heavy_imports(*command) == []


def test_plugins_command_loads_no_plugin() -> None:
    """Listing the plugins imports neither them nor Dagster."""
    assert _heavy_imports("plugins") == []


def test_validate_and_preview_do_without_dagster(tmp_path: Path) -> None:
    """Checking and previewing a report never load Dagster; checking draws and connects to nothing either."""
    environ = demo.prepare(tmp_path)
    validated = _heavy_imports("validate", "-c", str(demo.REPORT), cwd=tmp_path, environ=environ)
    assert not {"dagster", "vl_convert", "weasyprint"} & set(validated)
    preview = ("preview", "-c", str(demo.REPORT), "--out", str(tmp_path / "out"))
    assert "dagster" not in _heavy_imports(*preview, cwd=tmp_path, environ=environ)


def _heavy_imports(*args: str, cwd: Path | None = None, environ: dict[str, str] | None = None) -> list[str]:
    """The heavy libraries that the command loads."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kpi_assets", *args],
        cwd=cwd,
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, re.sub(r"^import time:.*\n", "", done.stderr, flags=re.MULTILINE)
    loaded = set(re.findall(r"^import time:.*\|\s+([A-Za-z_0-9]+)$", done.stderr, re.MULTILINE))
    assert "kpi_assets" in loaded
    return [name for name in HEAVY if name in loaded]


# ---------------------------------------------------------------- how tests are written


def test_every_test_says_what_is_true() -> None:
    """Every test function has a docstring: the sentence that is true if it passes."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sorted((ROOT / "kpi_assets_tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_dagster_module_postpones_annotations() -> None:
    """No module that declares assets imports `annotations` from `__future__`, which Dagster's `context` cannot bear."""
    postponed = re.compile(r"^from __future__ import annotations", re.MULTILINE)
    sources = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    declaring = {
        path: text for path, text in sources.items() if re.search(r"@dg\.(multi_asset|asset|op)\b", text)
    }
    assert [str(path.relative_to(ROOT)) for path, text in declaring.items() if postponed.search(text)] == []
