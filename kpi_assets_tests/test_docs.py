"""What the documents say is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kpi_assets_tests.shop import make_shop

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


def fenced(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_readmes_report_runs_with_the_readmes_commands(tmp_path: Path) -> None:
    """The ten lines, saved as the comment says, pass every command that the README shows (dev is tried elsewhere)."""
    make_shop(tmp_path / "shop.db")
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "weekly.yaml").write_text(fenced("yaml")[0], encoding="utf-8")
    shown = [line.split("#")[0].split()[2:] for line in fenced("console")[0].splitlines()]
    commands = [arguments for arguments in shown if arguments[0] != "dev"]
    assert [arguments[0] for arguments in commands] == ["validate", "preview", "run", "backfill"]
    for arguments in commands:
        command = [sys.executable, "-m", "kpi_assets", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """Links and pictures of the pages point at files that are in the repository."""
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


def test_the_reference_is_made_from_the_code() -> None:
    """docs/reference.md says what the models say; `make docs` writes it."""
    sys.path.insert(0, str(ROOT))
    try:
        from scripts.docs import TARGET, reference
    finally:
        sys.path.pop(0)
    assert TARGET.read_text(encoding="utf-8") == reference(), "run `make docs` and commit docs/reference.md"


def test_every_argument_has_a_meaning() -> None:
    """No plugin argument and no key of the report file is without a description."""
    from kpi_assets import registry
    from kpi_assets.config import models

    found = [
        models.ReportConfig,
        models.ThemeConfig,
        models.QueryConfig,
        models.ViewConfig,
        models.ColumnConfig,
    ]
    loaders = {
        "datasources": registry.datasource_class,
        "views": registry.view_class,
        "outputs": registry.output_class,
    }
    for kind, load in loaders.items():
        found += [load(plugin.name).Args for plugin in registry.plugins(kind)]
    silent = [f"{m.__qualname__}.{n}" for m in found for n, f in m.model_fields.items() if not f.description]
    assert silent == []
