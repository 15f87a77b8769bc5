from __future__ import annotations

from pathlib import Path

import kpi_assets.reports
from kpi_assets.config.models import ThemeConfig
from kpi_assets.reports import css
from kpi_assets.style.theme import LIGHT

DOCS = (Path(__file__).parents[2] / "docs" / "theming.md").read_text(encoding="utf-8")
TEMPLATES = Path(kpi_assets.reports.__file__).parent / "templates"


def test_every_template_can_be_looked_up() -> None:
    """Each file of the page that `theme_dir` can replace is named in the documentation."""
    names = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.is_file()}
    pages = {name for name in names if not name.startswith("mail/")}
    assert {name for name in pages if f"`{name}`" not in DOCS} == set()


def test_every_key_can_be_looked_up() -> None:
    """Each key under `theme` is named in the documentation."""
    assert [key for key in ThemeConfig.model_fields if f"`{key}`" not in DOCS] == []


def test_every_colour_can_be_looked_up() -> None:
    """Each custom property of the page is named in the documentation."""
    named = {pair.partition(":")[0] for pair in css.variables(LIGHT).split(";")}
    assert {name for name in named if not name[-1].isdigit() and name not in DOCS} == set()
