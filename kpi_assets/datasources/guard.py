"""Refuses what is not one statement that reads, by looking at the text alone, in any dialect.

Servers are asked for read-only sessions besides; this is the clear message at plan time, and the defence where a
backend has no such mode.
"""

from __future__ import annotations

import re

from kpi_assets.datasources.dialects import Dialect
from kpi_assets.datasources.lexer import code_of

_READS = "select, with, values, table, from, show, describe, desc, summarize, pivot, unpivot"
_FIRST_WORD = re.compile(r"[\s(]*([A-Za-z_]+)")
_WRITING_PART = re.compile(
    r"[()]\s*(insert\s+(?:or\s+\w+\s+)?into|replace\s+into|delete\s+from|merge\s+into"
    r"|update\s+(?:only\s+)?[\w.\"]+(?:\s+as)?(?:\s+\w+)?\s+set)\b",
    re.IGNORECASE,
)
_INTO = re.compile(r"(?<![.\w])into\b(?!\s*(?:\(|name\b))", re.IGNORECASE)
_PRAGMA = re.compile(r"\s*pragma\s+(?:\w+\.)?(\w+)\s*(?:\(\s*[\w'\"]*\s*\))?\s*\Z", re.IGNORECASE)
_PRAGMA_READS = frozenset(
    (
        *(
            "table_info",
            "table_xinfo",
            "table_list",
            "index_list",
            "index_info",
            "index_xinfo",
            "foreign_key_list",
        ),
        *(
            "database_list",
            "collation_list",
            "function_list",
            "compile_options",
            "user_version",
            "schema_version",
        ),
        *("encoding", "page_count", "page_size", "show_tables", "database_size", "version"),
    )
)


def refusal(text: str, dialect: Dialect) -> str | None:
    """Why the text must not be sent; None when nothing speaks against it."""
    code = code_of(text, dialect)
    statements = [part for part in code.split(";") if part.strip()]
    if not statements:
        return "the query is empty"
    if len(statements) > 1:
        return (
            f"the query holds {len(statements)} statements; write one, and a query of its own for each other"
        )
    return _writes(statements[0])


def _writes(statement: str) -> str | None:
    match = _FIRST_WORD.match(statement)
    word = match.group(1).lower() if match else ""
    if word == "pragma":
        return _pragma(statement)
    if word not in _READS.split(", "):
        shown = word.upper() or statement.strip()[:20]
        return f"{shown} is not a statement that reads; queries start with {_READS}"
    if part := _WRITING_PART.search(statement):
        return f"the query holds a part that writes ({part.group(1).split()[0].upper()}); reports only read"
    if _INTO.search(statement):
        return "SELECT ... INTO writes; reports only read"
    return None


def _pragma(statement: str) -> str | None:
    match = _PRAGMA.match(statement)
    if match and match.group(1).lower() in _PRAGMA_READS:
        return None
    return "this PRAGMA may change the database; reports only read"
