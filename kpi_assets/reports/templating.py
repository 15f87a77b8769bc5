"""Jinja2 templates: ours, and in front of them those of the same name in the theme's folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError

from kpi_assets.errors import InputError

TEMPLATES = Path(__file__).parent / "templates"


def render(name: str, values: Mapping[str, Any], theme_dir: str | None) -> str:
    """The template `name`, filled. Raises InputError, naming file and line, where a template is wrong."""
    try:
        return _environment(theme_dir).get_template(name).render(values)
    except TemplateError as error:
        raise InputError(_problem(error, theme_dir)) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"a template in theme_dir ({theme_dir}) is not UTF-8: {error.reason}; save it as UTF-8"
        ) from error


def own_css(theme_dir: str | None) -> str:
    """The user's own rules: `user.css` in the theme's folder, added after ours."""
    path = Path(theme_dir or "") / "user.css"
    return path.read_text(encoding="utf-8", errors="replace") if theme_dir and path.is_file() else ""


@lru_cache(maxsize=8)
def _environment(theme_dir: str | None) -> Environment:
    """Compiled templates are kept for the life of the process; the user's own are looked at again when they change."""
    folders = [theme_dir, TEMPLATES] if theme_dir else [TEMPLATES]
    return Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=theme_dir is not None,
    )


def _problem(error: TemplateError, theme_dir: str | None) -> str:
    name = getattr(error, "filename", None) or getattr(error, "name", None) or "a template"
    line = getattr(error, "lineno", None)
    where = f"{name}:{line}" if line else str(name)
    return f"{where}: {error}; fix the template, or remove it from theme_dir ({theme_dir})"
