"""Jinja2 templates: ours, and in front of them those of the same name in the theme's folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.bccache import Bucket, BytecodeCache

from kpi_assets import __version__
from kpi_assets.errors import InputError
from kpi_assets.files import write_whole

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
        bytecode_cache=None if theme_dir else _Compiled(),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=theme_dir is not None,
    )


class _Compiled(BytecodeCache):
    """Our templates compiled, where Python keeps this module's bytecode: compiling them takes 0.1 s per process.

    Jinja checks each against its source; what else decides how it is compiled is part of its name.
    """

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            bucket.bytecode_from_string(self._file(bucket).read_bytes())

    def dump_bytecode(self, bucket: Bucket) -> None:
        file = self._file(bucket)
        if not sys.dont_write_bytecode and os.access(file.parent, os.W_OK):
            with suppress(OSError, InputError):
                write_whole(file, bucket.bytecode_to_string())

    def _file(self, bucket: Bucket) -> Path:
        maker = f"{__version__}_{jinja2.__version__}".replace(".", "_")
        return Path(cache_from_source(str(Path(__file__).with_name(f"template_{bucket.key}_{maker}.py"))))


def _problem(error: TemplateError, theme_dir: str | None) -> str:
    name = getattr(error, "filename", None) or getattr(error, "name", None) or "a template"
    line = getattr(error, "lineno", None)
    where = f"{name}:{line}" if line else str(name)
    return f"{where}: {error}; fix the template, or remove it from theme_dir ({theme_dir})"
