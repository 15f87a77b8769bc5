"""How the command line speaks: results on standard output, progress and errors on standard error."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from copy import copy

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kpi_assets.errors import ConfigError, KpiAssetsError, Problem

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class LogLine(logging.Formatter):
    """`WARNING text`. What Dagster has put before the text of a line that it keeps with its run is left out."""

    def format(self, record: logging.LogRecord) -> str:
        kept = getattr(record, "dagster_meta", None)
        if kept:
            record = copy(record)
            record.msg, record.args = kept["orig_message"], ()
        return super().format(record)


def not_stopped(record: logging.LogRecord) -> bool:
    """A filter of lines: what Ctrl-C broke off has no stack trace, wherever a library was when it noticed."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or issubclass(kind, Exception)


def print_error(error: KpiAssetsError) -> None:
    """The error's own words; for a wrong file every problem with its place and caret."""
    if isinstance(error, ConfigError):
        for problem in error.problems:
            _print_problem("error", "red", problem)
        count = len(error.problems)
        if count > 1:
            err.print(f"[bold red]{count} problems[/]; nothing was run")
        return
    err.print(f"[bold red]error[/] {escape(str(error))}")


def print_warnings(problems: Iterable[Problem]) -> None:
    for problem in problems:
        _print_problem("warning", "yellow", problem)


def _print_problem(word: str, color: str, problem: Problem) -> None:
    place = f"{problem.place}: " if problem.place else ""
    err.print(f"[bold {color}]{word}[/] {escape(place)}{escape(problem.message)}")
    if problem.excerpt:
        err.print(escape(problem.excerpt))


def print_table(table: Table) -> None:
    """A table on standard output: as wide as the terminal, and wide where there is none."""
    (out if out.is_terminal else Console(width=160, highlight=False)).print(table)


def step(text: str, *, good: bool = True) -> None:
    """One line of progress."""
    mark = "[green]✓[/]" if good else "[red]✗[/]"
    err.print(f"  {mark} {text}")
